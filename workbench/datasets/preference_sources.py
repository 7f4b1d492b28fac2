"""The preference data sets known by name: where each lies on the Hub, and in which format."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from workbench.datasets.jsonl import Faults
from workbench.datasets.rows import read_rows

__all__ = ["HELD_OUT", "NAMES", "NamedSource", "hub_rows"]

HELD_OUT = 0.05
"""The part of Chatbot Arena that the paper holds out; used for every source without a test split of its own, but one
whose authors hold out another part."""


@dataclass(frozen=True)
class NamedSource:
    """Where a data set that is known by name lies on the Hub, and how to read it."""

    hub: str
    """`owner/name` on the Hub."""
    format: str
    """A name of `FORMATS`."""
    files: Mapping[str, str] = field(default_factory=dict)
    """By split, the file that holds it, where the Hub's own splits do not say what is needed."""
    splits: Mapping[str, str] = field(default_factory=dict)
    """By split, the Hub's name of it."""
    held_out: float = HELD_OUT
    """The part that is the test split, where there is none of its own."""
    benchmark: bool = False
    """Scored on all its rows: repeats and empty texts are left in, so that figures compare with others'."""

    @property
    def parts(self) -> tuple[str, ...]:
        """Its own splits."""
        return (*self.files, *self.splits)


def _anthropic(folder: str) -> NamedSource:
    files = {split: f"{folder}/{split}.jsonl.gz" for split in ("train", "test")}
    return NamedSource("Anthropic/hh-rlhf", "dialogues", files=files)


def _beavertails(task: str) -> NamedSource:
    splits = {"train": "train", "test": "test"}
    return NamedSource("PKU-Alignment/PKU-SafeRLHF", f"beavertails-{task}", splits=splits)


NAMES: Mapping[str, NamedSource] = {
    "hh-helpful": _anthropic("helpful-base"),
    "hh-harmless": _anthropic("harmless-base"),
    "beavertails-safe": _beavertails("safe"),
    "beavertails-better": _beavertails("better"),
    # Its repository has a loading script, which `datasets` no longer runs; the file is read by itself.
    "alpaca-farm": NamedSource(
        "tatsu-lab/alpaca_farm",
        "alpaca-farm",
        files={"train": "alpaca_human_preference.json"},
        held_out=0.1,  # HaF-RM's release
    ),
    "chatbot-arena": NamedSource("lmsys/chatbot_arena_conversations", "arena", splits={"train": "train"}),
    "rewardbench": NamedSource(
        "allenai/reward-bench", "prompted", splits={"test": "filtered"}, benchmark=True
    ),
    "rewardbench-2": NamedSource(
        "allenai/reward-bench-2", "rewardbench-2", splits={"test": "test"}, benchmark=True
    ),
    "rm-bench": NamedSource("THU-KEG/RM-Bench", "rm-bench", splits={"test": "train"}, benchmark=True),
}
"""The data sets known by name."""


def hub_rows(
    named: NamedSource, split: str, revision: str | None, faults: Faults
) -> Iterator[tuple[str, Mapping[str, Any]]]:
    """Yield the place and the row of a named source's split, or of all it has where it has no such split.

    Args:
        named: The source.
        split: `train`, `test` or `all`.
        revision: A commit, tag or branch; the newest where None.
        faults: Receives what is no row.

    Raises:
        DataError: As `load_split` and `fetch_file`.
    """
    from workbench.datasets.hub import fetch_file, load_split

    parts = [split] if split in named.parts and len(named.parts) > 1 else list(named.parts)
    for part in parts:
        if part in named.files:
            file = fetch_file(named.hub, named.files[part], revision=revision)
            rows: Iterator[tuple[str, Mapping[str, Any]]] = read_rows(file, faults)
        else:
            data = load_split(named.hub, named.splits[part], revision=revision)
            rows = ((f"row {number}", row) for number, row in enumerate(data, start=1))
        for where, row in rows:
            yield (f"{part}, {where}" if len(parts) > 1 else where), row
