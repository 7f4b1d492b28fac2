"""The one form of a preference, whatever data set it came from."""

from __future__ import annotations

from dataclasses import dataclass

from workbench.datasets.messages import Message, messages_of, prompt_of

__all__ = ["Message", "PreferencePair", "messages_of", "prompt_of"]


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
