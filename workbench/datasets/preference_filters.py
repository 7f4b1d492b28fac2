"""What keeps a pair out of a data set, each rule a pure function, and the report of all that was left out."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass

from workbench.core.errors import SettingsError
from workbench.datasets.preference_pair import PreferencePair

__all__ = ["Drops", "LengthLimit", "Placed", "Report", "contradictions", "deduplicate", "is_held_out"]

SHOWN = 10

Placed = tuple[str, PreferencePair]
"""A pair and where its row is, such as `line 3`."""


@dataclass(frozen=True)
class Report:
    """How many rows were read, kept and left out, and why."""

    source: str
    """The data set's name, or the file."""
    split: str
    """`train`, `test` or `all`."""
    read: int
    """Rows read."""
    kept: int
    """Pairs kept."""
    dropped: Mapping[str, int]
    """Rows left out by reason; with `kept` they add up to `read`, but where a row makes several pairs."""
    rows: Mapping[str, tuple[str, ...]]
    """The first ten rows of each reason, such as `line 3`."""

    def __str__(self) -> str:
        lines = [f"{self.source} [{self.split}]: {self.kept} pairs of {self.read} rows"]
        for reason, count in self.dropped.items():
            more = ", ..." if count > len(self.rows[reason]) else ""
            lines.append(f"  {count} left out, {reason} ({', '.join(self.rows[reason])}{more})")
        return "\n".join(lines)


class Drops:
    """Collects the rows that are left out, by reason."""

    def __init__(self) -> None:
        self.counts: dict[str, int] = {}
        self.rows: dict[str, list[str]] = {}

    def add(self, reason: str, where: str) -> None:
        """Note a row."""
        self.counts[reason] = self.counts.get(reason, 0) + 1
        shown = self.rows.setdefault(reason, [])
        if len(shown) < SHOWN:
            shown.append(where)

    def keep(self, placed: Iterable[Placed], reason: str, drop: Callable[[Placed], bool]) -> list[Placed]:
        """Return what is not to be dropped, in order, after noting the rest."""
        kept = []
        for one in placed:
            if drop(one):
                self.add(reason, one[0])
            else:
                kept.append(one)
        return kept

    def report(self, source: str, split: str, read: int, kept: int) -> Report:
        """Return what was collected."""
        return Report(
            source, split, read, kept, dict(self.counts), {why: tuple(at) for why, at in self.rows.items()}
        )


@dataclass(frozen=True)
class LengthLimit:
    """The longest pairs to keep, in a tokenizer's tokens."""

    count_tokens: Callable[[str], int]
    """Counts a text's tokens, such as `lambda text: len(tokenizer(text, add_special_tokens=False).input_ids)`."""
    total: int | None = 512
    """Most tokens of the prompt and the longer response together; None: any number."""
    prompt: int | None = None
    """Most tokens of the prompt; None: any number."""

    def __post_init__(self) -> None:
        faults = [
            f"{name}={value!r}"
            for name, value in (("total", self.total), ("prompt", self.prompt))
            if value is not None and (not isinstance(value, int) or isinstance(value, bool) or value < 1)
        ]
        if not callable(self.count_tokens):
            faults.append(f"count_tokens={self.count_tokens!r}")
        if faults:
            raise SettingsError(
                ", ".join(faults),
                "numbers of tokens from 1 on, or None, and a function that counts a text's tokens",
                "correct them",
            )

    def admits(self, pair: PreferencePair) -> bool:
        """Whether a pair is short enough."""
        prompt = self.count_tokens(pair.prompt)
        if self.prompt is not None and prompt > self.prompt:
            return False
        if self.total is None:
            return True
        return prompt + max(map(self.count_tokens, (pair.chosen, pair.rejected))) <= self.total


def is_held_out(prompt: str, share: float) -> bool:
    """Whether pairs of this prompt belong to the held-out part: by a hash of the prompt and nothing else.

    So the same prompt is never on both sides, no row moves when data are added, and a larger share holds out
    what a smaller one does. White space does not count.

    Args:
        prompt: Any text.
        share: The part to hold out, 0 (none) to 1 (all).
    """
    text = " ".join(prompt.split()).encode("utf-8", "surrogatepass")  # JSON can hold half a surrogate pair
    digest = hashlib.sha256(text).digest()
    return int.from_bytes(digest[:8], "big") < share * 2**64


def deduplicate(placed: Iterable[Placed], drops: Drops) -> list[Placed]:
    """Keep the first of equal pairs, and none of those that contradict each other.

    A pair is contradicted where the same two responses to the same prompt also occur the other way round: no
    rule could tell which order is right.

    Args:
        placed: Pairs in the order of their source.
        drops: Receives the repeats and the contradictory ones.
    """
    listed = list(placed)
    doubted = contradictions(pair for _, pair in listed)
    seen: set[tuple[str, str, str]] = set()
    kept = []
    for where, pair in listed:
        key = (pair.prompt, pair.chosen, pair.rejected)
        if key in doubted:
            drops.add("contradictory: the same pair also the other way round", where)
        elif key in seen:
            drops.add("a repeat of an earlier pair", where)
        else:
            kept.append((where, pair))
        seen.add(key)
    return kept


def contradictions(pairs: Iterable[PreferencePair]) -> set[tuple[str, str, str]]:
    """Return prompt, chosen and rejected of all pairs that also occur the other way round."""
    keys = {(pair.prompt, pair.chosen, pair.rejected) for pair in pairs}
    return {key for key in keys if key[1] != key[2] and (key[0], key[2], key[1]) in keys}
