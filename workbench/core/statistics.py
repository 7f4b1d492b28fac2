"""How much of a result is chance: pass@k, intervals, paired comparisons and win rates, as pure functions."""

from __future__ import annotations

import math
from collections.abc import Callable, Hashable, Sequence
from statistics import NormalDist
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from workbench.core.errors import SettingsError

__all__ = [
    "Estimate",
    "Interval",
    "bootstrap_interval",
    "clustered_interval",
    "clustered_wilson",
    "crossed_t_interval",
    "grouped",
    "paired_bootstrap",
    "paired_t_interval",
    "pass_at_k",
    "wilson_interval",
    "win_rate",
]

Floats = NDArray[np.float64]
CHUNK = 2_000_000  # resampled values held at once: 16 MB


class Interval(NamedTuple):
    """A confidence interval."""

    low: float
    high: float


class Estimate(NamedTuple):
    """A value and its confidence interval."""

    value: float
    low: float
    high: float

    def above(self, threshold: float = 0.0) -> bool | None:
        """Tell whether the whole interval is above a threshold; None where neither all nor nothing of it is.

        >>> Estimate(0.2, 0.1, 0.3).above(), Estimate(0.2, -0.1, 0.3).above(), Estimate(0.2, 0.1, 0.3).above(0.5)
        (True, None, False)
        """
        return self.low > threshold if self.low > threshold or self.high < threshold else None


def pass_at_k(n: int, c: int, k: int) -> float:
    """Return the chance that at least one of k samples passes, without bias, from n samples of which c pass.

    `1 - C(n - c, k) / C(n, k)`: Chen et al. 2021, "Evaluating Large Language Models Trained on Code", Eq. 1.

    Args:
        n: Samples drawn.
        c: Samples that pass, from 0 to n.
        k: Samples a user would try, from 1 to n.

    Raises:
        SettingsError: The numbers do not fit together.
    """
    if not (0 <= c <= n and 1 <= k <= n):
        raise SettingsError(
            got=f"n={n}, c={c}, k={k}",
            needed="0 <= c <= n and 1 <= k <= n",
            fix="draw at least k samples a problem",
        )
    if n - c < k:
        return 1.0
    return 1.0 - math.prod(1.0 - k / i for i in range(n - c + 1, n + 1))


def wilson_interval(successes: float, n: float, confidence: float = 0.95) -> Interval:
    """Return Wilson's score interval of a share, which holds for few trials and extreme shares too.

    `(p + z^2/2n +- z sqrt(p(1-p)/n + z^2/4n^2)) / (1 + z^2/n)`: Wilson 1927, "Probable Inference, the Law of
    Succession, and Statistical Inference".

    Args:
        successes: From 0 to n; a half counts a tie.
        n: Trials, at least 1; of trials that depend on each other, the effective number.
        confidence: Share of such intervals that hold the truth.

    Raises:
        SettingsError: A number is out of its range.
    """
    _check_confidence(confidence)
    if not (n >= 1 and 0 <= successes <= n):
        raise SettingsError(
            f"{successes} of {n}", "0 <= successes <= n and n >= 1", "count at least one trial"
        )
    z = NormalDist().inv_cdf(0.5 + confidence / 2)
    share, spread = successes / n, z * z / n
    middle = (share + spread / 2) / (1 + spread)
    half = z * math.sqrt(share * (1 - share) / n + spread / (4 * n)) / (1 + spread)
    # At the ends the bound is exactly 0 or 1, which rounding would miss.
    low = 0.0 if successes == 0 else max(0.0, middle - half)
    return Interval(low, 1.0 if successes == n else min(1.0, middle + half))


def clustered_wilson(outcomes: ArrayLike, groups: Sequence[Hashable], confidence: float = 0.95) -> Interval:
    """Return Wilson's interval of a share of trials that come in groups, such as a question and its variants.

    It is Wilson's for the effective number of trials: their number over the design effect, which is the variance of
    the share as the groups show it over that of independent trials, and taken as 1 at least (Kish 1965, "Survey
    Sampling"; Korn and Graubard 1998 for shares). Where all trials end alike there is no variance to see, and a group
    counts as one trial.

    Args:
        outcomes: (n,) numbers from 0 to 1: how each trial ended.
        groups: The group of each.
        confidence: Share of such intervals that hold the truth.

    Raises:
        SettingsError: There are no outcomes, or they are not finite.
    """
    sample = _vector(outcomes, least=1)
    places, sizes = grouped(groups)
    share, trials, count = float(sample.mean()), len(sample), len(sizes)
    effective = float(count)
    if 0 < share < 1 and count > 1:
        sums = np.bincount(places, weights=sample - share)
        seen = float((sums**2).sum()) / trials**2 * count / (count - 1)
        effective = max(1.0, trials / max(1.0, seen / (share * (1 - share) / (trials - 1))))
    return wilson_interval(share * effective, effective, confidence)


def clustered_interval(
    values: ArrayLike, groups: Sequence[Hashable], *, seed: int = 0, resamples: int = 2000
) -> Interval:
    """Return the 95 % bootstrap interval of a mean over values that come in groups: whole groups are drawn.

    Args:
        values: (n,) floats.
        groups: The group of each, such as a pair's prompt: pairs of one prompt are not independent.
        seed: Fixes the resampling.
        resamples: Times groups are drawn with replacement.
    """
    places, sizes = grouped(groups)
    sums = np.bincount(places, weights=_vector(values, least=1))
    drawn = np.random.default_rng(seed).integers(len(sizes), size=(resamples, len(sizes)))
    low, high = np.quantile(sums[drawn].sum(1) / sizes[drawn].sum(1), [0.025, 0.975])
    return Interval(float(low), float(high))


def grouped(groups: Sequence[Hashable]) -> tuple[NDArray[np.int64], Floats]:
    """Return each value's group by number, in order of appearance, shape (n,); and the sizes, shape (groups,)."""
    names = {name: number for number, name in enumerate(dict.fromkeys(groups))}
    places = np.array([names[name] for name in groups], dtype=np.int64)
    return places, np.bincount(places).astype(np.float64)


def bootstrap_interval(
    values: ArrayLike,
    statistic: Callable[[Floats], float] | None = None,
    *,
    seed: int = 0,
    confidence: float = 0.95,
    resamples: int = 10_000,
) -> Interval:
    """Return the percentile bootstrap interval of a statistic: Efron 1979, "Bootstrap Methods".

    Args:
        values: (n,) floats, one for each independent unit (a problem, a pair, a family of problems).
        statistic: From (n,) floats to a float; the mean where None.
        seed: Fixes the resampling.
        confidence: Share of such intervals that hold the truth.
        resamples: Times n values are drawn with replacement.

    Raises:
        SettingsError: There are no values, they are not finite, or a number is out of its range.
    """
    _check_confidence(confidence)
    sample = _vector(values, least=1)
    if resamples < 1:
        raise SettingsError(f"resamples {resamples}", "at least 1", "use some thousands")
    generator = np.random.default_rng(seed)
    size = len(sample)
    found: list[Floats] = []
    left = resamples
    while left:
        rows = min(left, max(1, CHUNK // size))
        drawn = sample[generator.integers(size, size=(rows, size))]
        found.append(
            drawn.mean(axis=1) if statistic is None else np.array([float(statistic(row)) for row in drawn])
        )
        left -= rows
    tail = (1 - confidence) / 2
    low, high = np.quantile(np.concatenate(found), [tail, 1 - tail])
    return Interval(float(low), float(high))


def paired_bootstrap(
    a: ArrayLike, b: ArrayLike, *, seed: int = 0, confidence: float = 0.95, resamples: int = 10_000
) -> Estimate:
    """Return the mean of `a - b` with its bootstrap interval; whole pairs are resampled.

    Args:
        a: (n,) floats: one system's result on each unit.
        b: (n,) floats: the other's on the same units, in the same order.
        seed: Fixes the resampling.
        confidence: Share of such intervals that hold the truth.
        resamples: Times n pairs are drawn with replacement.

    Raises:
        SettingsError: The two differ in length; or as `bootstrap_interval`.
    """
    left, right = _vector(a, least=1), _vector(b, least=1)
    if len(left) != len(right):
        raise SettingsError(
            got=f"{len(left)} and {len(right)} values",
            needed="one of each for every pair",
            fix="align them by id",
        )
    differences = left - right
    low, high = bootstrap_interval(differences, seed=seed, confidence=confidence, resamples=resamples)
    return Estimate(float(differences.mean()), low, high)


def paired_t_interval(differences: ArrayLike, confidence: float = 0.95) -> Estimate:
    """Return the mean of paired differences with Student's t interval: for a few of them, such as seeds.

    `mean +- t_(n-1) s / sqrt(n)`: Student 1908, "The Probable Error of a Mean".

    Args:
        differences: (n,) floats, n at least 2: one method less the other, with the same seed and data.
        confidence: Share of such intervals that hold the truth.

    Raises:
        SettingsError: There are fewer than two differences, or they are not finite.
    """
    from scipy.stats import t as student

    _check_confidence(confidence)
    sample = _vector(differences, least=2)
    mean, error = float(sample.mean()), float(sample.std(ddof=1)) / math.sqrt(len(sample))
    half = float(student.ppf(0.5 + confidence / 2, len(sample) - 1)) * error
    return Estimate(mean, mean - half, mean + half)


def crossed_t_interval(
    tables: Sequence[ArrayLike],
    sizes: Sequence[ArrayLike] | None = None,
    confidence: float = 0.95,
    met: Sequence[ArrayLike] | None = None,
) -> Estimate:
    """Return the mean of differences over seeds *and* test units, with an interval that covers both.

    An interval over seeds alone holds for these test units: with others, the same seeds might differ the other way.
    The squared error here is the seeds' plus the units', each estimated from its own means, so noise that belongs to
    neither is counted in both: the interval errs on the wide side. Student's t with one degree of freedom less than
    seeds. A unit that a single seed met is in that seed's own spread, and adds no error of its own.

    Args:
        tables: For each test set (seeds, units) floats, at least two seeds, the same in all: one method less the
            other. A unit is what is drawn independently, such as a prompt. A set of one adds no error of its own.
        sizes: For each test set (units,) floats: how much each unit weighs in the set's mean, such as its pairs;
            equally where None. All test sets weigh the same.
        confidence: Share of such intervals that hold the truth.
        met: For each test set (seeds, units) bools: False where a seed did not meet a unit, as where every seed has
            prompts of its own; all met where None.

    Raises:
        SettingsError: There are no tables, they differ in seeds, a seed met nothing of a set, or a value is not
            finite.
    """
    from scipy.stats import t as student

    _check_confidence(confidence)
    differences = [np.asarray(table, dtype=np.float64) for table in tables]
    shapes = [table.shape for table in differences]
    if not shapes or any(
        len(shape) != 2 or shape[0] != shapes[0][0] or shape[0] < 2 or shape[1] < 1 for shape in shapes
    ):
        raise SettingsError(
            f"tables of shapes {shapes}",
            "(seeds, units) each, the same two seeds or more",
            "align them by seed",
        )
    masks = [np.ones(shape, bool) for shape in shapes] if met is None else [np.asarray(m, bool) for m in met]
    known = zip(differences, masks, strict=True)
    if not all(np.isfinite(table[mask]).all() and mask.any(axis=1).all() for table, mask in known):
        raise SettingsError("values that are not finite", "finite numbers", "leave these units out")
    weights = (
        [np.ones(shape[1]) for shape in shapes] if sizes is None else [np.asarray(s, float) for s in sizes]
    )
    sets = [_crossed(*each) for each in zip(differences, masks, weights, strict=True)]
    seeds = np.mean([means for means, _ in sets], axis=0)
    squared = float(seeds.var(ddof=1)) / len(seeds) + sum(spread for _, spread in sets) / len(sets) ** 2
    mean = float(seeds.mean())
    half = float(student.ppf(0.5 + confidence / 2, len(seeds) - 1)) * math.sqrt(squared)
    return Estimate(mean, mean - half, mean + half)


def _crossed(table: Floats, met: NDArray[np.bool_], weights: Floats) -> tuple[Floats, float]:
    """Return one test set's mean of each seed, and the squared error of its mean that is the units'."""
    share = weights / weights.sum()
    table = np.where(met, table, 0.0)
    seeds = table @ share
    if not met.all():
        seeds = seeds / (met @ share)
    shared = met.sum(axis=0) > 1
    count = int(shared.sum())
    if count < 2:
        return seeds, 0.0
    unit, of_all = table[:, shared].sum(axis=0) / met[:, shared].sum(axis=0), share[shared]
    middle = unit @ (of_all / of_all.sum())
    return seeds, float((of_all**2 * (unit - middle) ** 2).sum()) * count / (count - 1)


def win_rate(outcomes: Sequence[float] | NDArray[np.generic], confidence: float = 0.95) -> Estimate:
    """Return the share of comparisons won, a tie counted half to each side, with Wilson's interval.

    The interval is on the wide side where there are ties, since a tie varies less than a coin.

    Args:
        outcomes: (n,) numbers: above 0 a win, 0 a tie, below 0 a loss; differences of scores will do.
        confidence: Share of such intervals that hold the truth.

    Raises:
        SettingsError: There are no outcomes, or they are not finite.
    """
    sample = _vector(outcomes, least=1)
    points = float((sample > 0).sum() + 0.5 * (sample == 0).sum())
    return Estimate(points / len(sample), *wilson_interval(points, len(sample), confidence))


def _vector(values: ArrayLike, *, least: int) -> Floats:
    """Return values as (n,) float64; refuse other shapes, too few, and what is not finite."""
    vector = np.asarray(values, dtype=np.float64)
    if vector.ndim != 1 or len(vector) < least:
        raise SettingsError(
            f"values of shape {vector.shape}", f"a list of {least} or more", "give more values"
        )
    if not np.isfinite(vector).all():
        missing = int((~np.isfinite(vector)).sum())
        raise SettingsError(
            f"{missing} values that are not finite", "finite numbers", "leave these units out"
        )
    return vector


def _check_confidence(confidence: float) -> None:
    if not 0 < confidence < 1:
        raise SettingsError(f"confidence {confidence}", "a number between 0 and 1", "use 0.95")
