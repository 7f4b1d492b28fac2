"""The truth about answers as rewards: a span for each sentence, for what takes dense rewards.

The utility of whole answers is a reward by `OracleReward(utility)`, and a judge by `OracleJudge(utility)`.
"""

from __future__ import annotations

from collections.abc import Sequence

from workbench.core.errors import SettingsError
from workbench.rewards.spans import Reward, Sample, Span, whole
from workbench.worlds.passages.utility import WEIGHTS, assess

__all__ = ["AspectOracle"]


class AspectOracle(Reward):
    """One aspect of the utility, exactly.

    Factuality and relevance give a value to each sentence, completeness one to the whole answer: the share of what
    was asked that it tells.

    Args:
        aspect: `factuality`, `relevance` or `completeness`.
        scale: A sentence is worth `scale` where the aspect holds of it, else `-scale`; completeness is multiplied
            by it.

    Raises:
        SettingsError: There is no such aspect.
    """

    def __init__(self, aspect: str, scale: float = 1.0) -> None:
        if aspect not in WEIGHTS:
            raise SettingsError(f"aspect {aspect!r}", f"one of {', '.join(WEIGHTS)}", "correct the name")
        self.aspect, self.scale = aspect, scale

    @property
    def name(self) -> str:
        """The aspect."""
        return self.aspect

    def __call__(self, samples: Sequence[Sample]) -> list[list[Span]]:
        """Return the spans of each sample, whose prompt must be one of the world's."""
        return [self._spans(sample) for sample in samples]

    def _spans(self, sample: Sample) -> list[Span]:
        found = assess(sample.prompt, sample.response)
        if self.aspect == "completeness":
            return [whole(sample, self.scale * found.completeness)]
        attribute = {"factuality": "factual", "relevance": "relevant"}[self.aspect]
        return [
            Span(sentence.start, sentence.end, self.scale if getattr(sentence, attribute) else -self.scale)
            for sentence in found.sentences
        ]
