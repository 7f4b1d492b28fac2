"""The table of what a model gives both responses of each preference pair, and its file."""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from workbench.core.errors import DataError, SettingsError
from workbench.datasets.jsonl import Faults, not_text, read_objects
from workbench.datasets.preference_pair import BenchmarkRow, PreferencePair
from workbench.store import atomic

__all__ = ["BASELINES", "LEARNT", "SCORES", "PreferenceScores", "pair_ids"]

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Texts = NDArray[np.str_]

LEARNT = ("explicit", "implicit")
"""What training makes: the scalar head's reward, and the policy's, `beta * log(pi / ref)`."""
BASELINES = ("untrained logp, sum", "untrained logp, mean", "longer wins", "shorter wins")
"""Baselines without training: the untrained model's log-probability of the response, and its length."""
SCORES = (*LEARNT, "policy logp, sum", "policy logp, mean", *BASELINES)
"""All scores that `PreferenceScores.score` knows; the higher is preferred."""

_NUMBERS = ("rewards", "policy_logps", "reference_logps")
_COUNTS = ("tokens", "reference_tokens", "characters")


@dataclass(frozen=True, eq=False, repr=False)
class PreferenceScores:
    """One row a pair; in arrays of two columns, column 0 is the chosen response and column 1 the rejected.

    NaN stands where the model has no such score: a classifier has no policy, a policy may have no reference.

    Raises:
        SettingsError: Arrays differ in length or have another shape, or an id comes twice.
    """

    ids: Texts
    """The same for the same pair of the same source, whoever scored it: see `pair_ids`. Shape [pairs]."""
    sources: Texts
    """Data set of each pair. Shape [pairs]."""
    subsets: Texts
    """Its part of the data set; empty where there are none. Shape [pairs]."""
    rewards: Floats
    """Explicit reward `r(x, y)` of the scalar head. Shape [pairs, 2]."""
    policy_logps: Floats
    """`log pi(y|x)`, summed over the response's tokens. Shape [pairs, 2]."""
    reference_logps: Floats
    """`log ref(y|x)`, the untrained model's. Shape [pairs, 2]."""
    tokens: Ints
    """Tokens of the response that the model read, its end token included. Shape [pairs, 2]."""
    reference_tokens: Ints
    """Those that the untrained model read: others where its tokenizer is another, 0 without it. Shape [pairs, 2]."""
    characters: Ints
    """Characters of the response, before any cut. Shape [pairs, 2]."""
    truncated: NDArray[np.bool_]
    """Whether prompt or response was cut to fit. Shape [pairs, 2]."""
    beta: float = 0.1
    """Strength of the implicit reward."""
    rows_of: tuple[BenchmarkRow | None, ...] = ()
    """The benchmark's row that each pair is a part of; empty where no pair is of any."""

    def __post_init__(self) -> None:
        pairs, faults = len(self.ids), []
        for name in ("sources", "subsets"):
            if (shape := getattr(self, name).shape) != (pairs,):
                faults.append((f"{name} {list(shape)}", f"{name} [{pairs}]"))
        for name in (*_NUMBERS, *_COUNTS, "truncated"):
            if (shape := getattr(self, name).shape) != (pairs, 2):
                faults.append((f"{name} {list(shape)}", f"{name} [{pairs}, 2]"))
        if self.rows_of and len(self.rows_of) != pairs:
            faults.append((f"rows_of {len(self.rows_of)}", f"rows_of {pairs}, or none"))
        if not (np.isfinite(self.beta) and self.beta > 0):
            faults.append((f"beta {self.beta!r}", "beta: a number above 0"))
        twice = [name for name, count in Counter(self.ids.tolist()).items() if count > 1]
        if twice:
            faults.append((f"id {twice[0]!r} twice", "one row a pair"))
        if faults:
            raise SettingsError.listing(faults)

    def __len__(self) -> int:
        return len(self.ids)

    def __repr__(self) -> str:
        return f"<PreferenceScores of {len(self):,} pairs: {', '.join(self.available)}>"

    @property
    def implicit(self) -> Floats:
        """`beta * (log pi(y|x) - log ref(y|x))`: Rafailov et al. 2023 (DPO), Eq. 5. Shape [pairs, 2]."""
        return self.beta * (self.policy_logps - self.reference_logps)

    def score(self, name: str) -> Floats:
        """Return a score of both responses.

        A response without tokens has the mean log-probability 0, as its sum.

        Args:
            name: One of `SCORES`.

        Returns:
            Shape [pairs, 2]; NaN where the model has none.

        Raises:
            SettingsError: There is no such score.
        """
        ways = {
            "explicit": lambda: self.rewards,
            "implicit": lambda: self.implicit,
            "policy logp, sum": lambda: self.policy_logps,
            "policy logp, mean": lambda: self.policy_logps / np.maximum(self.tokens, 1),
            "untrained logp, sum": lambda: self.reference_logps,
            "untrained logp, mean": lambda: self.reference_logps / np.maximum(self.reference_tokens, 1),
            "longer wins": lambda: self.characters.astype(np.float64),
            "shorter wins": lambda: -self.characters.astype(np.float64),
        }
        if name not in ways:
            raise SettingsError(f"score {name!r}", f"one of {', '.join(SCORES)}", "correct the name")
        return ways[name]()

    def margin(self, name: str) -> Floats:
        """Return the chosen response's score less the rejected one's. Shape [pairs]."""
        score = self.score(name)
        return score[:, 0] - score[:, 1]

    def has(self, name: str) -> bool:
        """Tell whether every pair has this score."""
        return len(self) > 0 and not np.isnan(self.margin(name)).any()

    @property
    def available(self) -> tuple[str, ...]:
        """The scores that every pair has, in the order of `SCORES`."""
        return tuple(name for name in SCORES if self.has(name))

    def select(self, rows: NDArray[Any] | Sequence[int]) -> PreferenceScores:
        """Return some rows, by a mask or by their numbers."""
        picked = {name: getattr(self, name)[rows] for name in _COLUMNS}
        of = np.arange(len(self))[rows].tolist() if self.rows_of else ()
        return PreferenceScores(**picked, beta=self.beta, rows_of=tuple(self.rows_of[k] for k in of))

    def of_source(self, source: str) -> PreferenceScores:
        """Return the pairs of one data set."""
        return self.select(self.sources == source)

    def save(self, path: str | Path) -> None:
        """Write the table as JSON lines, one a pair, in one stroke."""
        lines = (json.dumps(row, ensure_ascii=False) + "\n" for row in self.rows())
        atomic.write_bytes(Path(path), "".join(lines).encode(errors="replace"))

    def rows(self) -> list[dict[str, Any]]:
        """Return the pairs as plain objects, None for NaN."""
        columns = {name: getattr(self, name).tolist() for name in _COLUMNS}
        for name in _NUMBERS:
            columns[name] = [[None if np.isnan(one) else one for one in two] for two in columns[name]]
        names = [_ROW_NAMES[name] for name in columns]
        rows = [
            dict(zip(names, values, strict=True)) | {"beta": self.beta}
            for values in zip(*columns.values(), strict=True)
        ]
        for row, of in zip(rows, self.rows_of, strict=False):
            row.update({} if of is None else {"row": asdict(of)})
        return rows

    @classmethod
    def of_rows(cls, rows: Iterable[Mapping[str, Any]]) -> PreferenceScores:
        """Make a table of what `rows` gave.

        Raises:
            KeyError, TypeError, ValueError: A row is none of ours.
            SettingsError: There is none, or two differ in beta.
        """
        listed = list(rows)
        betas = {float(row["beta"]) for row in listed}
        if len(betas) != 1:
            raise SettingsError(
                f"{len(betas)} values of beta in {len(listed)} rows",
                "at least one row, and one beta",
                "score again",
            )
        kinds: dict[str, Any] = dict.fromkeys(_NUMBERS, np.float64) | dict.fromkeys(_COUNTS, np.int64)
        kinds |= dict.fromkeys(("ids", "sources", "subsets"), np.str_) | {"truncated": np.bool_}
        columns = {
            name: np.array([row[_ROW_NAMES[name]] for row in listed], dtype=kinds[name]) for name in _COLUMNS
        }
        found = [BenchmarkRow(**row["row"]) if row.get("row") else None for row in listed]
        return cls(**columns, beta=betas.pop(), rows_of=tuple(found) if any(found) else ())

    @classmethod
    def load(cls, path: str | Path) -> PreferenceScores:
        """Read what `save` wrote.

        Raises:
            DataError: The file is missing or holds something else.
        """
        faults = Faults(str(path))
        rows = []
        for number, row in read_objects(Path(path), faults):
            rows.append(row)
            for wrong in filter(None, (not_text(name, row.get(name)) for name in ("id", "source", "subset"))):
                faults.add(f"line {number}", wrong)
        faults.raise_if_any("a file of scores", "score the pairs again")
        try:
            return cls.of_rows(rows)
        except (KeyError, TypeError, ValueError, SettingsError) as error:
            said = error.got if isinstance(error, SettingsError) else f"{type(error).__name__}: {error}"
            raise DataError(
                f"{path}: {said}", "the scores of preference pairs, a line a pair", "score the pairs again"
            ) from error


_ROW_NAMES = {
    "ids": "id",
    "sources": "source",
    "subsets": "subset",
    **{name: name for name in (*_NUMBERS, *_COUNTS, "truncated")},
}
_COLUMNS = tuple(_ROW_NAMES)


def pair_ids(pairs: Sequence[PreferencePair]) -> list[str]:
    """Return a name for each pair, made of its source and texts alone; repeats are numbered.

    So two models' scores of the same pairs are matched whatever order and selection each was scored in.
    """
    seen: Counter[str] = Counter()
    ids = []
    for pair in pairs:
        texts = json.dumps([pair.source, pair.prompt, pair.chosen, pair.rejected])
        digest = hashlib.sha256(texts.encode()).hexdigest()[:16]
        seen[digest] += 1
        ids.append(digest if seen[digest] == 1 else f"{digest}-{seen[digest]}")
    return ids
