"""Load preference pairs: the five data sets of HaF-RM and reward benchmarks by name, or a file of their formats.

Source: "HaF-RM: A Hybrid Alignment Framework for Reward Model Training", section on experiments.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, overload

from workbench.core.errors import DataError, SettingsError
from workbench.datasets.jsonl import Faults
from workbench.datasets.preference_filters import (
    SHOWN,
    Drops,
    LengthLimit,
    Placed,
    Report,
    deduplicate,
    is_held_out,
)
from workbench.datasets.preference_formats import Format, MalformedRow, Skip, format_named, format_of
from workbench.datasets.preference_pair import PreferencePair
from workbench.datasets.preference_sources import HELD_OUT, NAMES, NamedSource, hub_rows
from workbench.datasets.rows import SUFFIXES, is_data_file, read_rows

__all__ = ["NAMES", "PreferencePair", "Preferences", "check_named_once", "load_preferences"]

SPLITS = ("train", "test", "all")
EQUAL, EMPTY = "chosen equal to rejected", "an empty prompt or response"
OTHER_SIDE = {"train": "held out for the test split", "test": "in the train split"}

Rows = Iterator[tuple[str, Mapping[str, Any]]]


@dataclass(frozen=True, repr=False)
class Preferences(Sequence[PreferencePair]):
    """The pairs of a source, to be used as a list of them, and what became of its rows."""

    pairs: tuple[PreferencePair, ...]
    """In the order of the source."""
    report: Report
    """Rows read, kept and left out; `print` it."""

    def __repr__(self) -> str:
        return f"<Preferences {str(self.report).splitlines()[0]}>"

    def __len__(self) -> int:
        return len(self.pairs)

    @overload
    def __getitem__(self, index: int) -> PreferencePair: ...
    @overload
    def __getitem__(self, index: slice) -> tuple[PreferencePair, ...]: ...
    def __getitem__(self, index: int | slice) -> PreferencePair | tuple[PreferencePair, ...]:
        return self.pairs[index]


def load_preferences(
    source: str | Path,
    split: str = "train",
    *,
    format: str | None = None,
    held_out: float | None = None,
    dedup: bool | None = None,
    equal: str | None = None,
    limit: LengthLimit | None = None,
    revision: str | None = None,
) -> Preferences:
    """Load a source's preference pairs and leave out, deterministically, what cannot be learnt from.

    Args:
        source: A name of `NAMES`, or a file: .jsonl, .json (also with .gz) or .parquet.
        split: `train`, `test`, or `all` for both. Sources without a test split of their own (Chatbot Arena,
            AlpacaFarm, files) are split by a hash of the prompt; see `is_held_out`. A benchmark is all test.
        format: A name of `FORMATS`, for files whose columns do not tell; found from them where None.
        held_out: The part that is the test split, 0 to 1, where the source has none of its own. None: as its authors
            have it, else 5 %.
        dedup: Whether to leave out repeats and contradictory pairs; where None, all but benchmarks do.
        equal: What to do with pairs whose chosen is the rejected: `refuse` (an error that names the rows) or
            `drop`; where None, refused in files, which one can correct, and dropped from data sets by name.
        limit: Leave out longer pairs.
        revision: The data set's commit, tag or branch on the Hub; the newest where None.

    Returns:
        The pairs in the source's order, with the report.

    Raises:
        DataError: The source is missing, gated or unreadable, has malformed rows (all listed), unknown columns,
            pairs with chosen equal to rejected, or no pairs for this split.
        SettingsError: An unknown name, split or format, or a setting that does not fit the source.
    """
    named = _named(source)
    _check(source, named, split, format=format, held_out=held_out, equal=equal)
    name = str(source) if named else Path(source).name
    faults = Faults(f"{source} ({named.hub})" if named else str(source))
    rows = hub_rows(named, split, revision, faults) if named else read_rows(Path(source).expanduser(), faults)
    wanted = named.format if named else format
    drops = Drops()
    read, placed = _convert(rows, format_named(wanted) if wanted else None, name, faults, drops)

    whole_rows = any(
        pair.row for _, pair in placed
    )  # their verdicts need every pair, also one of equal texts
    benchmark = whole_rows or (named is not None and named.benchmark)
    if whole_rows:
        _check_whole(str(source), split, {"held_out": held_out, "equal": equal, "limit": limit})
    else:
        placed = _without_equal(placed, equal or ("drop" if named else "refuse"), faults.source, drops)
    if not benchmark:
        placed = drops.keep(placed, EMPTY, lambda one: _has_empty(one[1]))
    if split != "all" and not whole_rows and (named is None or "test" not in named.parts):
        usual = named.held_out if named else HELD_OUT
        placed = _on_side(placed, split, usual if held_out is None else held_out, drops)
    if dedup if dedup is not None else not benchmark:
        placed = deduplicate(placed, drops)
    if limit is not None:
        placed = drops.keep(placed, "too long", lambda one: not limit.admits(one[1]))
    return _finished(placed, drops.report(str(source), split, read, len(placed)))


def check_named_once(sources: Sequence[str]) -> None:
    """Refuse a source that is named twice: its pairs would count twice, and intervals be too narrow.

    Raises:
        SettingsError: It is named which.
    """
    seen: dict[str, str] = {}
    for source in sources:
        path = Path(source).expanduser()
        place = str(path.resolve()) if path.exists() else source
        if place in seen:
            before = "" if seen[place] == source else f" (the other time as {seen[place]})"
            raise SettingsError(
                f"the data {source} twice{before}", "each source once", f"leave one `--data {source}` out"
            )
        seen[place] = source


def _finished(placed: list[Placed], report: Report) -> Preferences:
    """Return the pairs without their places, or raise where there are none."""
    if not placed:
        fix = "see why the rows were left out, and change that or name another source"
        raise DataError(str(report), "at least one pair", fix)
    return Preferences(tuple(pair for _, pair in placed), report)


def _named(source: str | Path) -> NamedSource | None:
    """Return the data set of that name; None for a file."""
    if isinstance(source, Path):
        return None
    if source in NAMES:
        return NAMES[source]
    if is_data_file(source) or Path(source).expanduser().exists():
        return None
    raise SettingsError(
        f"source {source!r}",
        f"one of {', '.join(NAMES)}, or a file ending in {', '.join(SUFFIXES)}",
        "correct the name or the path",
    )


def _check(
    source: str | Path,
    named: NamedSource | None,
    split: str,
    *,
    format: str | None,
    held_out: float | None,
    equal: str | None,
) -> None:
    """Raise one error for all settings that cannot be used."""
    faults = []
    if split not in SPLITS:
        faults.append((f"split {split!r}", f"one of {', '.join(SPLITS)}"))
    elif named is not None and named.benchmark and split == "train":
        faults.append((f"split 'train' of {source}", "split='test': a benchmark is not for training"))
    if format is not None and named is not None:
        faults.append((f"format={format!r} for {source}", "no format: it is known"))
    if held_out is not None and not 0 <= held_out <= 1:
        faults.append((f"held_out={held_out!r}", "a part from 0 to 1"))
    if held_out is not None and named is not None and "test" in named.parts:
        faults.append((f"held_out={held_out!r} for {source}", "no held_out: it has its own test split"))
    if equal not in (None, "refuse", "drop"):
        faults.append((f"equal={equal!r}", "'refuse' or 'drop'"))
    if faults:
        got, needed = ("; ".join(texts) for texts in zip(*faults, strict=True))
        raise SettingsError(got, needed, "correct the arguments")


def _check_whole(source: str, split: str, asked: Mapping[str, object]) -> None:
    """Refuse what would leave out pairs of a benchmark whose rows are judged as a whole."""
    faults = [
        (f"{name} for {source}", f"no {name}: rows of a benchmark are judged with all their responses")
        for name, value in asked.items()
        if value is not None
    ]
    if split == "train":
        faults.append((f"split 'train' of {source}", "split='test': a benchmark is not for training"))
    if faults:
        raise SettingsError.listing(faults)


def _convert(
    rows: Rows, known: Format | None, name: str, faults: Faults, drops: Drops
) -> tuple[int, list[Placed]]:
    """Turn rows into pairs; raise one error for all that are malformed.

    Returns:
        How many rows were read, and the pairs, each with its row's place.
    """
    read, placed = 0, []
    for where, row in rows:
        read += 1
        known = known or format_of(row, f"{faults.source}, {where}")
        try:
            made = known.convert(row, name)
        except MalformedRow as error:
            faults.add(where, str(error))
            continue
        if isinstance(made, Skip):
            drops.add(made.reason, where)
        else:
            placed += [(where, pair) for pair in (made if isinstance(made, list) else [made])]
    needed = f"rows of the format {known.name!r}: {', '.join(known.columns)}" if known else "rows"
    faults.raise_if_any(needed, "correct these rows, or download the data again")
    if not read:
        raise DataError(f"{faults.source}: no rows", "preference pairs", "name a file that holds some")
    return read, placed


def _on_side(placed: list[Placed], split: str, share: float, drops: Drops) -> list[Placed]:
    """Keep the pairs of one side of the split by hash."""
    return drops.keep(
        placed, OTHER_SIDE[split], lambda one: is_held_out(one[1].prompt, share) != (split == "test")
    )


def _has_empty(pair: PreferencePair) -> bool:
    return not (pair.prompt.strip() and pair.chosen.strip() and pair.rejected.strip())


def _without_equal(placed: list[Placed], equal: str, source: str, drops: Drops) -> list[Placed]:
    """Refuse or drop the pairs whose responses are the same."""
    same = [where for where, pair in placed if pair.chosen == pair.rejected]
    if same and equal == "refuse":
        more = f" and {len(same) - SHOWN} more" if len(same) > SHOWN else ""
        raise DataError(
            f"{source}: {EQUAL} in {len(same)} of its rows: {', '.join(same[:SHOWN])}{more}",
            "two responses that differ",
            "correct or delete these rows; in Python, equal='drop' leaves them out",
        )
    return drops.keep(placed, EQUAL, lambda one: one[1].chosen == one[1].rejected)
