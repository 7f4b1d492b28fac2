"""Load Europarl, the European Parliament's proceedings in Spanish and English: what ALaRM's translation trains on.

Source: Koehn 2005, "Europarl: A Parallel Corpus for Statistical Machine Translation"; Lai et al. 2024, "ALaRM".
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from heapq import nsmallest
from pathlib import Path
from typing import Any, overload

from workbench.core.errors import DataError, SettingsError
from workbench.datasets.jsonl import Faults
from workbench.datasets.preference_filters import Drops, Report, is_held_out
from workbench.datasets.rows import SUFFIXES, is_data_file, read_rows

__all__ = ["EUROPARL", "PREFIX", "Europarl", "TranslationPair", "load_europarl"]

EUROPARL = "Helsinki-NLP/europarl"
"""The data set on the Hub: OPUS's edition, 2 million pairs of sentences, all of them in its split `train`."""
PREFIX = "translate Spanish to English: "
"""What a T5 is told before the sentence."""
HELD_OUT = 0.01
"""The part that is the test split."""
UNDRAWN = "not drawn"
COLUMNS = "translation, an object with the texts en and es"


@dataclass(frozen=True)
class TranslationPair:
    """A sentence, or a few, and how the Parliament's translators put it."""

    spanish: str
    english: str

    @property
    def prompt(self) -> str:
        """The policy's input."""
        return PREFIX + self.spanish


@dataclass(frozen=True, repr=False)
class Europarl(Sequence[TranslationPair]):
    """Pairs in an order that chance gave them, to be used as a list, and what became of the rows."""

    pairs: tuple[TranslationPair, ...]
    report: Report
    """Rows read, kept and left out; `print` it."""

    def __repr__(self) -> str:
        return f"<Europarl {str(self.report).splitlines()[0]}>"

    def __len__(self) -> int:
        return len(self.pairs)

    @overload
    def __getitem__(self, index: int) -> TranslationPair: ...
    @overload
    def __getitem__(self, index: slice) -> tuple[TranslationPair, ...]: ...
    def __getitem__(self, index: int | slice) -> TranslationPair | tuple[TranslationPair, ...]:
        return self.pairs[index]


def load_europarl(
    source: str | Path = EUROPARL,
    split: str = "train",
    *,
    pairs: int | None = 10_000,
    words: tuple[int, int] = (3, 80),
    held_out: float = HELD_OUT,
    revision: str | None = None,
) -> Europarl:
    """Load pairs of sentences, drawn evenly from all that there are.

    Which are drawn, and which are held out, is decided by a hash of the Spanish sentence and nothing else: a sentence
    is in one split only, and more pairs hold those that fewer do. One pass, and the memory of the pairs returned.

    Args:
        source: The data set on the Hub, or a file with its rows: .jsonl, .json (also with .gz) or .parquet.
        split: `train` or `test`.
        pairs: How many, or as many as there are; None: all.
        words: Fewest and most words of a sentence, in both languages; 80 words are about 128 tokens of mT5.
        held_out: The part of the sentences that is the test split, 0 to 1.
        revision: The data set's commit, tag or branch on the Hub; the newest where None.

    Raises:
        DataError: The source is missing or unreadable, has malformed rows (all listed), or no pairs for this split.
        SettingsError: One or more arguments cannot be used; all of them are named.
    """
    _check(source, split, pairs, words, held_out)
    faults, drops = Faults(str(source)), Drops()
    counted = _Counted(_rows(source, revision, faults))
    usable = _usable(counted, faults, drops, words)
    distinct = _of_split(usable, drops, split, held_out)
    found = sorted(distinct) if pairs is None else nsmallest(pairs, distinct)
    faults.raise_if_any(f"rows of Europarl: {COLUMNS}", "correct these rows, or download the data again")
    undrawn = counted.rows - len(found) - sum(drops.counts.values())
    if undrawn:
        drops.counts[UNDRAWN], drops.rows[UNDRAWN] = undrawn, ["by chance"]
    report = drops.report(str(source), split, counted.rows, len(found))
    if not found:
        raise DataError(str(report), "at least one pair", "name a source that holds some, or widen `words`")
    return Europarl(tuple(TranslationPair(spanish, english) for _, spanish, english in found), report)


class _Counted:
    """Rows, and how many of them went by."""

    def __init__(self, rows: Iterable[tuple[str, Mapping[str, Any]]]) -> None:
        self._given, self.rows = rows, 0

    def __iter__(self) -> Iterator[tuple[str, Mapping[str, Any]]]:
        for one in self._given:
            self.rows += 1
            yield one


def _rows(
    source: str | Path, revision: str | None, faults: Faults
) -> Iterator[tuple[str, Mapping[str, Any]]]:
    """Yield where each row is, and the row."""
    if source != EUROPARL:
        yield from read_rows(Path(source).expanduser(), faults)
        return
    from workbench.core.bars import Bar
    from workbench.datasets.hub import load_split

    data = load_split(EUROPARL, "train", config="en-es", revision=revision)
    for number, row in enumerate(Bar(data, desc="Europarl", unit="row", disable=None), start=1):
        yield f"row {number}", row


def _usable(
    rows: Iterable[tuple[str, Mapping[str, Any]]], faults: Faults, drops: Drops, words: tuple[int, int]
) -> Iterator[tuple[str, TranslationPair]]:
    """Yield the pairs that can be learnt from, with their places."""
    for where, row in rows:
        given = row.get("translation")
        texts = [given.get(name) if isinstance(given, Mapping) else None for name in ("es", "en")]
        if not all(isinstance(text, str) for text in texts):
            faults.add(where, f"no {COLUMNS}")
            continue
        spanish, english = (" ".join(str(text).split()) for text in texts)
        lengths = [len(text.split()) for text in (spanish, english)]
        if not all(lengths):
            drops.add("an empty side", where)
        elif min(lengths) < words[0] or max(lengths) > words[1]:
            drops.add(f"not of {words[0]} to {words[1]} words", where)
        elif spanish == english:
            drops.add("not translated", where)
        else:
            yield where, TranslationPair(spanish, english)


def _of_split(
    placed: Iterable[tuple[str, TranslationPair]], drops: Drops, split: str, held_out: float
) -> Iterator[tuple[int, str, str]]:
    """Yield each Spanish sentence of a split once, with its first translation, after the number it is drawn by."""
    seen: set[int] = set()
    for where, pair in placed:
        number = _hash(pair.spanish)
        if is_held_out(pair.spanish, held_out) != (split == "test"):
            drops.add("in the other split", where)
        elif number in seen:
            drops.add("the same Spanish again", where)
        else:
            seen.add(number)
            yield number, pair.spanish, pair.english


def _hash(text: str) -> int:
    """Return a number of 64 bits; another than the one that splits by, or a split would be no fair draw."""
    digest = hashlib.sha256(b"drawn " + text.encode("utf-8", "surrogatepass")).digest()
    return int.from_bytes(digest[:8], "big")


def _check(
    source: str | Path, split: str, pairs: int | None, words: tuple[int, int], held_out: float
) -> None:
    """Raise one error for all arguments that cannot be used."""
    faults = []
    if source != EUROPARL and not is_data_file(source):
        faults.append((f"source {str(source)!r}", f"{EUROPARL}, or a file ending in {', '.join(SUFFIXES)}"))
    if split not in ("train", "test"):
        faults.append((f"split {split!r}", "split: train or test"))
    if pairs is not None and pairs < 1:
        faults.append((f"pairs {pairs!r}", "pairs: at least 1, or None"))
    if not 1 <= words[0] <= words[1]:
        faults.append((f"words {words}", "words: fewest and most, from 1 on"))
    if not 0 <= held_out <= 1:
        faults.append((f"held_out {held_out!r}", "held_out: a part from 0 to 1"))
    if faults:
        raise SettingsError.listing(faults)
