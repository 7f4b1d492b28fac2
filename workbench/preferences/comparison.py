"""Whether one model orders pairs better than another: paired over the pairs they share, and over seeds."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from workbench.core.errors import SettingsError
from workbench.core.paired import seed_effect
from workbench.core.statistics import Estimate, paired_bootstrap
from workbench.preferences.accuracy import correctness, score_rights
from workbench.rewards.pair_scores import PreferenceScores

__all__ = ["ArmDifference", "PairDifference", "compare_arms", "compare_pairs", "mcnemar"]

Floats = NDArray[np.float64]
Arms = Mapping[str, Mapping[int, PreferenceScores]]


class PairDifference(NamedTuple):
    """Two scores on the same pairs."""

    difference: Estimate
    """Accuracy of the first less that of the second, with the paired bootstrap's interval over pairs."""
    better: int
    """Pairs on which the first does better (a tie beats a wrong order)."""
    worse: int
    """Pairs on which the second does."""
    p_value: float
    """McNemar's, exact and two-sided."""
    pairs: int


class ArmDifference(NamedTuple):
    """An arm against another, on one data set or on all."""

    arm: str
    against: str
    source: str
    """Data set of the test pairs, or `all` of several, pooled."""
    accuracy: float
    """The arm's, over seeds and pairs."""
    accuracy_against: float
    difference: float
    low: float
    """Interval of the difference, 95 %."""
    high: float
    method: str
    """What the interval is of: `paired t over seeds`, or of one seed `paired bootstrap over pairs`."""
    seeds: int
    """How many seeds both have."""
    pairs: int
    """How many test pairs all of them share."""
    p_value: float | None
    """McNemar's, for one seed."""


def mcnemar(better: int, worse: int) -> float:
    """Return McNemar's exact two-sided p value: how often a fair coin falls as unevenly as `better` to `worse`.

    Source: McNemar 1947, "Note on the Sampling Error of the Difference Between Correlated Proportions".
    """
    from scipy.stats import binomtest

    return float(binomtest(better, better + worse).pvalue) if better + worse else 1.0


def compare_pairs(first: ArrayLike, second: ArrayLike, *, seed: int = 0) -> PairDifference:
    """Compare two scores on the same pairs.

    Args:
        first: One score's margins, chosen less rejected. Shape [pairs], at least one.
        second: The other's, of the same pairs in the same order.
        seed: Fixes the bootstrap.

    Raises:
        SettingsError: They differ in length, are empty, or hold NaN.
    """
    one, two = correctness(first), correctness(second)
    difference = paired_bootstrap(one, two, seed=seed)
    better, worse = int((one > two).sum()), int((one < two).sum())
    return PairDifference(difference, better, worse, mcnemar(better, worse), len(one))


def compare_arms(
    arms: Arms,
    *,
    against: str | None = None,
    score: str | Mapping[str, str] = "explicit",
    seed: int = 0,
) -> list[ArmDifference]:
    """Compare each arm of an experiment with one of them, seed by seed on the same pairs.

    With two seeds or more the interval is Student's over the seeds' differences: it holds for what another seed of
    training would bring, on these pairs. With one it is of the pairs only, and says nothing about another seed.

    Args:
        arms: By name and seed, the scores of what was trained. Seeds pair arms: the same data, the same backbone.
        against: The arm that the others are compared with; the first if None.
        score: One of `workbench.rewards.pair_scores.SCORES`, or one for each arm: DPO has `implicit`.
        seed: Fixes the bootstrap.

    Returns:
        For each other arm a row for each data set, and for `all` of them where there are several.

    Raises:
        SettingsError: There are no two arms, no such arm, or two share no seed or no pair.
    """
    if len(arms) < 2:
        raise SettingsError(f"arms {', '.join(arms) or 'none'}", "two or more", "name another one")
    base = next(iter(arms)) if against is None else against
    if base not in arms:
        raise SettingsError(f"arm {base!r}", f"one of {', '.join(arms)}", "correct the name")
    names = {name: score if isinstance(score, str) else score.get(name, "explicit") for name in arms}
    rows = []
    for arm in arms:
        if arm != base:
            rights, sources = _shared(arms, (arm, base), names)
            for source in _groups(sources):
                within = np.ones(len(sources), bool) if source is None else sources == source
                rows.append(_difference(arm, base, source or "all", rights[:, :, within], seed))
    return rows


def _groups(sources: NDArray[np.str_]) -> list[str | None]:
    """Return the sources, and None for all of them where there are several."""
    found: list[str | None] = list(dict.fromkeys(sources.tolist()))
    return found if len(found) == 1 else [*found, None]


def _shared(arms: Arms, two: tuple[str, str], names: Mapping[str, str]) -> tuple[Floats, NDArray[np.str_]]:
    """Return what two arms get right on the pairs and seeds that they share.

    Returns:
        Shape [2, seeds, pairs], and the source of each pair.
    """
    seeds = sorted(set(arms[two[0]]) & set(arms[two[1]]))
    if not seeds:
        raise SettingsError(
            f"{two[0]} of seeds {_listed(arms[two[0]])}, {two[1]} of seeds {_listed(arms[two[1]])}",
            "a seed that both have",
            "train both with the same seeds",
        )
    tables = [[arms[arm][seed] for seed in seeds] for arm in two]
    ids = set.intersection(*(set(table.ids.tolist()) for row in tables for table in row))
    if not ids:
        raise SettingsError(
            f"{two[0]} and {two[1]}, scored on different pairs",
            "pairs in common",
            "score both on the same data",
        )
    aligned = [[_aligned(table, ids) for table in row] for row in tables]
    rights = [
        [score_rights(table, arm, names[arm]) for table in row] for arm, row in zip(two, aligned, strict=True)
    ]
    return np.array(rights), aligned[0][0].sources


def _aligned(table: PreferenceScores, ids: set[str]) -> PreferenceScores:
    """Return the pairs of these ids, in the ids' order."""
    picked = table.select(np.isin(table.ids, list(ids)))
    return picked.select(np.argsort(picked.ids))


def _difference(arm: str, base: str, source: str, rights: Floats, seed: int) -> ArmDifference:
    """Return the row of two arms. Takes [2, seeds, pairs]."""
    _, seeds, pairs = rights.shape
    ours, theirs = rights
    p_value = None
    estimate = seed_effect((ours.mean(1) - theirs.mean(1)).tolist(), covers_units=False).estimate
    method = "paired t over seeds"
    if estimate is None:
        compared = compare_pairs(ours[0] - 0.5, theirs[0] - 0.5, seed=seed)
        estimate, p_value = compared.difference, compared.p_value
        method = "paired bootstrap over pairs"
    return ArmDifference(
        arm,
        base,
        source,
        float(ours.mean()),
        float(theirs.mean()),
        *estimate,
        method,
        seeds,
        pairs,
        p_value,
    )


def _listed(seeds: Sequence[int] | Mapping[int, object]) -> str:
    return ", ".join(map(str, sorted(seeds)))
