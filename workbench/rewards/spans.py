"""What a reward is: texts in, spans with values out. The one protocol of sequence-level and span-level rewards."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Protocol

import numpy as np

from workbench.core.errors import DataError, SettingsError

__all__ = ["Reward", "Sample", "Span", "mapped", "read_spans", "sequence_score", "whole"]

SHOWN = 60
"""Characters of a text that an error shows."""


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
    """Return the span of a sequence-level reward: the whole response.

    Raises:
        SettingsError: The value is no finite number; the response is named.
    """
    if not _is_number(value):
        raise SettingsError(
            got=f"the value {value!r} for {_named(sample)}",
            needed="a finite number for each response",
            fix="see the reward: an empty response, a division by 0 or a missing return is the usual cause",
        )
    return Span(0, len(sample.response), value)


def read_spans(given: Any, samples: Sequence[Sample], name: str) -> list[list[Span]]:
    """Return what a reward gave as spans, each within its response; a number stands for the whole response.

    Args:
        given: A list of spans for each sample, or a number.
        samples: The responses that it was asked about.
        name: The reward's.

    Raises:
        SettingsError: There is not one entry for each sample, or one is neither spans nor a finite number; its row,
            counted from 0, is named.
        DataError: A span ends beyond its response.
    """
    rows = list(given) if isinstance(given, Iterable) and not isinstance(given, str | Mapping) else None
    if rows is None or len(rows) != len(samples):
        said = (
            f"a {type(given).__name__}"
            if rows is None
            else f"spans for {len(rows)} of {len(samples)} responses"
        )
        raise SettingsError(
            got=f"reward {name!r} gave {said}",
            needed=f"a list with an entry for each of {len(samples)} responses",
            fix="return a number, or a list of spans, for each sample, in the samples' order",
        )
    return [
        _row_spans(row, sample, f"reward {name!r}, row {k}")
        for k, (row, sample) in enumerate(zip(rows, samples, strict=True))
    ]


def _row_spans(row: Any, sample: Sample, where: str) -> list[Span]:
    """Return what a reward gave for one sample."""
    if _is_number(row):
        return [whole(sample, float(row))]
    if not isinstance(row, list | tuple) or not all(isinstance(one, Span) for one in row):
        raise SettingsError(
            got=f"{where}: {_shown(row)} for {_named(sample)}",
            needed="a finite number, or a list of Span(start, end, value)",
            fix="see what the reward returns there: an empty response, a division by 0 or a missing return is the "
            "usual cause",
        )
    for span in row:
        if span.end > len(sample.response):
            raise DataError(
                got=f"{where}: a span {span.start}:{span.end} beyond the {len(sample.response)} characters of "
                f"{_named(sample)}",
                needed="spans within the response",
                fix="count characters (code points) of the response alone: no bytes, no tokens, no prompt",
            )
    return list(row)


def _is_number(value: Any) -> bool:
    """Tell whether a value is a finite number; a tensor or an array of one element is, too."""
    try:
        return not isinstance(value, str | bytes) and bool(np.isfinite(float(value)))
    except (TypeError, ValueError, RuntimeError):
        return False


def _named(sample: Sample) -> str:
    """Return a response as an error names it."""
    return f"the response {_shown(sample.response)} to {_shown(sample.prompt)}"


def _shown(value: Any) -> str:
    text = repr(value)
    return text if len(text) <= SHOWN else f"{text[:SHOWN]}..."


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
