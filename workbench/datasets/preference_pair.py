"""The one form of a preference, whatever data set it came from."""

from __future__ import annotations

from dataclasses import dataclass

from workbench.datasets.messages import Message, messages_of, prompt_of

__all__ = ["BenchmarkRow", "Message", "PreferencePair", "messages_of", "prompt_of"]


@dataclass(frozen=True)
class BenchmarkRow:
    """Where a pair stands in a row that holds several chosen and rejected responses, such as one of RewardBench 2.

    A row becomes as many pairs as show each of its responses once; its verdict is made of all their scores.
    """

    format: str
    """`rewardbench-2` or `rm-bench`: how the row is judged."""
    id: str
    """The row's, unique within its source and subset."""
    chosen: int
    """Which of the row's chosen responses, from 0."""
    rejected: int
    """Which of its rejected ones, from 0."""


@dataclass(frozen=True)
class PreferencePair:
    """Two responses to one prompt, of which one was preferred."""

    prompt: str
    """What both respond to: the user's own words, or the transcript of a dialogue; see `prompt_of`."""
    chosen: str
    """The response that was preferred."""
    rejected: str
    """The response that was not."""
    source: str
    """The data set's name, or the file's; what results are reported by."""
    subset: str = ""
    """A part of the source that is reported on its own, such as RewardBench's; empty where it has none."""
    row: BenchmarkRow | None = None
    """The benchmark's row that the pair is a part of; None: it is judged alone."""
