"""What a reward is: texts in, spans with values out. The one protocol of sequence-level and span-level rewards."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Protocol

import numpy as np

from workbench.core.errors import DataError, SettingsError

__all__ = ["Reward", "Sample", "Span", "mapped", "sequence_score", "whole"]


@dataclass(frozen=True)
class Sample:
    """One response to score."""

    prompt: str
    """What it responds to."""
    response: str
    """The response, without special tokens."""
    metadata: Mapping[str, Any] = field(default_factory=dict)
    """What a reward may need beyond these, such as `question`, the question without its passages; JSON values."""


@dataclass(frozen=True)
class Span:
    """A value for a part of a response.

    Raises:
        SettingsError: The end lies before the start, or the value is not finite.
    """

    start: int
    """First character, from 0, in Python's counting (code points)."""
    end: int
    """One past the last character."""
    value: float
    """The reward."""
    on_each: bool = False
    """False: the value is given once, on the span's last token, as for sentences. True: on each of its tokens, as
    for errors of grammar; there a later span of the list replaces an earlier one."""

    def __post_init__(self) -> None:
        if not 0 <= self.start <= self.end or not np.isfinite(self.value):
            raise SettingsError(
                got=f"a span {self.start}:{self.end} of value {self.value!r}",
                needed="0 <= start <= end, and a finite value",
                fix="see the reward that made it",
            )


class Reward(Protocol):
    """Anything that scores responses: a model, a tool, a rule.

    It scores in batches of its own choosing, and gives the same sample the same spans whatever stands beside it.
    """

    @property
    def name(self) -> str:
        """What tables and plots call it."""

    def __call__(self, samples: Sequence[Sample]) -> list[list[Span]]:
        """Return the spans of each sample, in the samples' order."""


def whole(sample: Sample, value: float) -> Span:
    """Return the span of a sequence-level reward: the whole response."""
    return Span(0, len(sample.response), value)


def mapped(spans: Sequence[Span], function: Callable[[float], float]) -> list[Span]:
    """Return the spans with a function applied to their values, such as `sigmoid_shaping` or a weight."""
    return [replace(span, value=float(function(span.value))) for span in spans]


def sequence_score(spans: Sequence[Span], length: int) -> float:
    """Return one number for a response: what its spans give on average, whatever their number.

    A mean, and not a sum, so that more sentences are not a better answer: what `inconsistency` compares.

    Args:
        spans: The spans of one reward. Values given once count equally; those on each token by their characters.
        length: The response's length in characters.

    Returns:
        The mean of the values given once, plus the mean over the characters of those on each; 0 without spans.

    Raises:
        DataError: A span ends beyond the response.
    """
    check_within(spans, length)
    once = [span.value for span in spans if not span.on_each]
    score = sum(once) / len(once) if once else 0.0
    if len(once) < len(spans) and length:
        painted = np.zeros(length)
        for span in spans:
            if span.on_each:
                painted[span.start : span.end] = span.value
        score += float(painted.mean())
    return float(score)


def check_within(spans: Sequence[Span], length: int) -> None:
    """Raise a `DataError` for a span that ends beyond a response of so many characters."""
    for span in spans:
        if span.end > length:
            raise DataError(
                got=f"a span {span.start}:{span.end} of a response of {length} characters",
                needed="spans within the response",
                fix="count characters (code points) of the response alone: no bytes, no tokens, no prompt",
            )
