"""From QA-Feedback's annotations to what aspect rewards are trained on: one function for each conversion.

Source: Wu et al. 2023, "Fine-Grained Human Feedback Gives Better Rewards for Language Model Training", section 4 and
Appendix D.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from workbench.core.errors import SettingsError
from workbench.datasets.preference_pair import PreferencePair
from workbench.datasets.qa_feedback import COMPARED, QAFeedback
from workbench.rewards.sentences import SEGMENTATIONS, subsentences
from workbench.rewards.spans import Sample

__all__ = ["SpanExample", "completeness_pairs", "completeness_scores", "qa_sample", "span_examples"]

SHORTEST_ERROR = 5
"""Words of an error of relevance at least; shorter ones are not learned from (Appendix D)."""
SAME = 0.85
"""Share of a sub-sentence's words that a passage's sentence has to hold to be what it says (the authors' 0.85)."""
_WORDS = re.compile(r"\w+")
Places = frozenset[tuple[int, int]]


@dataclass(frozen=True)
class SpanExample:
    """An answer with a label for each of its segments."""

    sample: Sample
    """The answer, and what it answers."""
    segments: tuple[tuple[int, int], ...]
    """First character and one past the last of each."""
    correct: tuple[bool | None, ...]
    """Whether a segment has no error; None: not known, not learned from."""


def qa_sample(row: QAFeedback, prediction: int = 0) -> Sample:
    """Return one of a row's predictions, from 0, as rewards take it; the question alone is in the metadata."""
    return Sample(row.prompt, row.predictions[prediction], {"question": row.question})


def span_examples(
    rows: Sequence[QAFeedback], aspect: str, *, segmentation: str | None = None
) -> list[SpanExample]:
    """Return the first predictions with a label for each segment, from the marked errors of an aspect.

    A segment is wrong where it shares a character with an error. Annotators did not mark the facts of what is
    irrelevant, so for factuality a segment that has an error of relevance only is not learned from.

    Args:
        rows: From `load_qa_feedback`.
        aspect: `relevance` or `factuality`.
        segmentation: A name of `SEGMENTATIONS`; None: the paper's, sub-sentences for relevance and sentences for
            factuality.

    Returns:
        An example for each answer with at least one segment that has a label.

    Raises:
        SettingsError: The aspect has no marked errors, or there is no such segmentation.
    """
    paper = {"relevance": "subsentence", "factuality": "sentence"}
    kind = segmentation or paper.get(aspect, "")
    if aspect not in paper or kind not in SEGMENTATIONS:
        raise SettingsError(
            got=f"aspect {aspect!r}, segmentation {segmentation!r}",
            needed=f"aspect: one of {', '.join(paper)}; segmentation: one of {', '.join(SEGMENTATIONS)}",
            fix="correct the name; completeness is learned from completeness_pairs",
        )
    examples = []
    for row in rows:
        segments = tuple(SEGMENTATIONS[kind](row.predictions[0]))
        labels = tuple(_label(row, aspect, segment) for segment in segments)
        if any(label is not None for label in labels):
            examples.append(SpanExample(qa_sample(row), segments, labels))
    return examples


def completeness_scores(row: QAFeedback) -> tuple[float, ...] | None:
    """Return the share of the relevant passage sentences that each of the four predictions says.

    Relevant are the sentences that the corrected prediction draws on, and those that annotators missed in the first
    one, without those that only add something minor. A sub-sentence says a sentence that holds `SAME` of its words.

    Returns:
        Between 0 and 1, in the order of the predictions; None where nothing relevant is known.
    """
    sentences = {
        (number, place): Counter(_words(text))
        for number, passage in enumerate(row.passages)
        for place, text in enumerate(passage.sentences)
    }
    minor, missing = _missing(row, minor=True), _missing(row, minor=False)
    relevant = (_said(row.corrected, sentences) - minor) | missing
    if not relevant:
        return None
    said = [_said(text, sentences) for text in row.predictions]
    said[0] -= missing  # people read it, and know better than the words
    return tuple(len(found & relevant) / len(relevant) for found in said)


def completeness_pairs(
    rows: Sequence[QAFeedback], source: str = "qa-feedback, completeness"
) -> list[PreferencePair]:
    """Return pairs of predictions of which one says more of what is relevant, for `train_reward_model`.

    Args:
        rows: From `load_qa_feedback`.
        source: What results are reported by.

    Returns:
        Up to six a row, in the order of `COMPARED`; ties are left out.
    """
    pairs = []
    for row in rows:
        scores = completeness_scores(row)
        for first, second in COMPARED if scores else ():
            if scores and scores[first] != scores[second]:
                better, worse = (first, second) if scores[first] > scores[second] else (second, first)
                texts = row.predictions[better], row.predictions[worse]
                pairs.append(PreferencePair(row.prompt, *texts, source))
    return pairs


def _label(row: QAFeedback, aspect: str, segment: tuple[int, int]) -> bool | None:
    """Return a segment's label."""
    errors = [span for span in row.errors if span.start < segment[1] and span.end > segment[0]]
    found = {span.aspect for span in errors}
    if aspect == "factuality":
        return None if found == {"relevance"} else not found
    return not any(span.aspect == "relevance" and len(span.text.split()) >= SHORTEST_ERROR for span in errors)


def _missing(row: QAFeedback, *, minor: bool) -> Places:
    """Return the passage sentences that the first prediction lacks, those of minor weight or the others."""
    return frozenset(
        (one.passage, place)
        for one in row.missing
        if (one.kind == "Missing-Minor-Auxiliary") == minor
        for place in one.sentences
    )


def _said(text: str, sentences: Mapping[tuple[int, int], Counter[str]]) -> Places:
    """Return the passage sentences that a text says: for each of its sub-sentences the one that holds most of it."""
    found = set()
    for start, end in subsentences(text):
        words = Counter(_words(text[start:end]))
        if not words:
            continue
        shares = {place: (words & held).total() / words.total() for place, held in sentences.items()}
        best = max(shares, key=lambda place: shares[place], default=None)
        if best is not None and shares[best] >= SAME:
            found.add(best)
    return frozenset(found)


def _words(text: str) -> list[str]:
    return _WORDS.findall(text.lower())
