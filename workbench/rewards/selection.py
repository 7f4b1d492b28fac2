"""Which aspects agree with the holistic reward: ALaRM's choice among them, by measured inconsistency."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations

import numpy as np
from numpy.typing import ArrayLike, NDArray

from workbench.core.errors import SettingsError

__all__ = ["AspectConsistency", "Selection", "inconsistency", "pairs_within", "select_aspects"]

BLOCK = 2_000_000  # pairs compared at a time, where all are


@dataclass(frozen=True)
class AspectConsistency:
    """How an aspect's order of responses compares with the holistic one."""

    name: str
    """The aspect."""
    inconsistency: float
    """Share of the compared pairs that the two order differently; NaN where none could be compared."""
    compared: int
    """Pairs that both order strictly."""
    pairs: int
    """Pairs asked about."""
    ties_consistent: float = float("nan")
    """Share among the pairs that the holistic score orders strictly, where the aspect's ties count as consistent: how
    ALaRM's release counts."""


@dataclass(frozen=True)
class Selection:
    """The aspects chosen, and what the choice rests on."""

    chosen: tuple[str, ...]
    """Least inconsistent first; empty where none was good enough."""
    table: tuple[AspectConsistency, ...]
    """All aspects, least inconsistent first."""


def inconsistency(aspect: ArrayLike, holistic: ArrayLike, pairs: ArrayLike | None = None) -> float:
    """Return the share of pairs that two scores order differently (ALaRM, section 3.1).

    Args:
        aspect: An aspect's score of each response. Shape [responses].
        holistic: The holistic score of each. Shape [responses].
        pairs: Which responses are compared, by position. Shape [pairs, 2]. All pairs if None; `pairs_within` gives
            those that answer the same prompt.

    Returns:
        Between 0 and 1, among the pairs that both scores order strictly. 0.5 is what an unrelated score has. NaN
        where there is no such pair.

    Raises:
        SettingsError: Shapes do not fit, a score is not finite, or a pair names a response that does not exist.
    """
    disagreeing, compared, _ = _counted(aspect, holistic, pairs)
    return disagreeing / compared if compared else float("nan")


def select_aspects(
    aspects: Mapping[str, ArrayLike],
    holistic: ArrayLike,
    pairs: ArrayLike | None = None,
    *,
    keep: int = 1,
    max_inconsistency: float = 0.5,
) -> Selection:
    """Choose the aspects that are most consistent with the holistic reward (ALaRM, section 3.1).

    Args:
        aspects: Scores of the responses by aspect, each of shape [responses].
        holistic: The holistic score of each. Shape [responses].
        pairs: As for `inconsistency`.
        keep: How many to choose at most; the paper chooses one.
        max_inconsistency: An aspect that disagrees more often is not chosen: from 0.5 on it would pull the policy
            against the holistic reward.

    Returns:
        The choice and the table of all. Ties are broken by the order given; aspects of which no pair could be
        compared come last and are never chosen.

    Raises:
        SettingsError: There is no aspect, a setting cannot be used, or see `inconsistency`.
    """
    if not aspects or keep < 1 or not 0 <= max_inconsistency <= 1:
        raise SettingsError(
            got=f"{len(aspects)} aspects, keep {keep}, max_inconsistency {max_inconsistency}",
            needed="at least one aspect; keep: at least 1; max_inconsistency: between 0 and 1",
            fix="correct the values",
        )
    size = len(np.atleast_1d(np.asarray(holistic)))
    asked = size * (size - 1) // 2 if pairs is None else len(np.asarray(pairs))
    rows = []
    for name, scores in aspects.items():
        disagreeing, compared, ordered = _counted(scores, holistic, pairs)
        share, among_ties = (disagreeing / count if count else float("nan") for count in (compared, ordered))
        rows.append(AspectConsistency(name, share, compared, asked, among_ties))
    table = sorted(rows, key=lambda row: (np.isnan(row.inconsistency), row.inconsistency))
    chosen = [row.name for row in table if row.inconsistency <= max_inconsistency][:keep]
    return Selection(tuple(chosen), tuple(table))


def pairs_within(groups: Sequence[object]) -> NDArray[np.int64]:
    """Return the pairs of responses that share a group, such as their prompt.

    Args:
        groups: What each response belongs to. Length [responses].

    Returns:
        Positions. Shape [pairs, 2], the first smaller than the second.
    """
    members: dict[object, list[int]] = {}
    for position, group in enumerate(groups):
        members.setdefault(group, []).append(position)
    found = [pair for positions in members.values() for pair in combinations(positions, 2)]
    return np.array(found, dtype=np.int64).reshape(-1, 2)


def _counted(aspect: ArrayLike, holistic: ArrayLike, pairs: ArrayLike | None) -> tuple[int, int, int]:
    """Return how many pairs the two order differently, how many both order strictly, how many the holistic one."""
    first, second = np.asarray(aspect, dtype=np.float64), np.asarray(holistic, dtype=np.float64)
    if first.ndim != 1 or first.shape != second.shape or not np.isfinite([first, second]).all():
        raise SettingsError(
            got=f"aspect {list(first.shape)}, holistic {list(second.shape)}"
            + (", with values that are not finite" if first.shape == second.shape else ""),
            needed="two lists of finite scores, one for each response",
            fix="score the same responses with both",
        )
    if pairs is None:
        return _counted_all(first, second)
    places = np.asarray(pairs)
    if places.size == 0:
        return 0, 0, 0
    whole = places.ndim == 2 and places.shape[1] == 2 and np.issubdtype(places.dtype, np.integer)
    if not whole or places.min() < 0 or places.max() >= len(first):
        raise SettingsError(
            got=f"pairs of shape {list(places.shape)}, {places.dtype}",
            needed=f"[pairs, 2] positions from 0 to {len(first) - 1}",
            fix="give positions among the responses",
        )
    return _ordered(*(scores[places[:, 0]] - scores[places[:, 1]] for scores in (first, second)))


def _counted_all(first: NDArray[np.float64], second: NDArray[np.float64]) -> tuple[int, int, int]:
    """Count over all pairs, some rows of the square at a time."""
    counts = np.zeros(3, dtype=np.int64)
    step = max(1, BLOCK // max(len(first), 1))
    for start in range(0, len(first), step):
        rows = slice(start, start + step)
        counts += _ordered(first[rows, None] - first[None, :], second[rows, None] - second[None, :])
    disagreeing, compared, ordered = (int(count) // 2 for count in counts)  # the square holds each pair twice
    return disagreeing, compared, ordered


def _ordered(first: NDArray[np.float64], second: NDArray[np.float64]) -> tuple[int, int, int]:
    """Count differences of opposite sign, those where neither is 0, and those where the second is not."""
    signs = np.sign(first) * np.sign(second)
    return int((signs < 0).sum()), int((signs != 0).sum()), int((second != 0).sum())
