"""How good a span classifier is: its verdicts against people's."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from workbench.core.errors import DataError
from workbench.rewards.aspect_data import SpanExample
from workbench.rewards.span_models import SpanClassifierReward

__all__ = ["SpanAgreement", "span_agreement"]


@dataclass(frozen=True)
class SpanAgreement:
    """How a classifier's verdicts compare with people's, over segments that have a label."""

    segments: int
    """Segments compared."""
    wrong: int
    """Those of them that people marked."""
    accuracy: float
    """Share of verdicts that are right."""
    baseline: float
    """Accuracy of the more frequent label: what knowing nothing gives."""
    precision: float
    """Share of the segments called wrong that are; 0 where none was."""
    recall: float
    """Share of the wrong segments that were called so; 0 where there are none."""

    @property
    def f1(self) -> float:
        """Harmonic mean of precision and recall, for errors."""
        both = self.precision + self.recall
        return 2 * self.precision * self.recall / both if both else 0.0


def span_agreement(reward: SpanClassifierReward, examples: Sequence[SpanExample]) -> SpanAgreement:
    """Compare a classifier's verdicts with labels that it was not trained on.

    Raises:
        DataError: No segment has a label, or none of those that do was judged.
    """
    pairs: list[tuple[bool, bool]] = []
    for example, spans in zip(examples, reward([example.sample for example in examples]), strict=True):
        verdicts = {(span.start, span.end): span.value > reward.settings.wrong for span in spans}
        for segment, label in zip(example.segments, example.correct, strict=True):
            if label is not None and segment in verdicts:
                pairs.append((label, verdicts[segment]))
    if not pairs:
        raise DataError(
            got=f"{len(examples)} answers, none of whose labels are of segments that were judged",
            needed="labelled segments of the classifier's own segmentation",
            fix=f"make the examples with segmentation={reward.settings.segmentation!r}",
        )
    wrong = sum(not label for label, _ in pairs)
    called = sum(not verdict for _, verdict in pairs)
    both = sum(not label and not verdict for label, verdict in pairs)
    return SpanAgreement(
        segments=len(pairs),
        wrong=wrong,
        accuracy=sum(label == verdict for label, verdict in pairs) / len(pairs),
        baseline=max(wrong, len(pairs) - wrong) / len(pairs),
        precision=both / called if called else 0.0,
        recall=both / wrong if wrong else 0.0,
    )
