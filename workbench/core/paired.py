"""The one paired difference: two arms on the same seeds and units, with an interval that covers both."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import ArrayLike, NDArray

from workbench.core.errors import SettingsError
from workbench.core.statistics import (
    Estimate,
    bootstrap_interval,
    crossed_t_interval,
    paired_t_interval,
    wilson_interval,
)

if TYPE_CHECKING:
    import pandas as pd

__all__ = [
    "LONG",
    "Effect",
    "alike_interval",
    "crossed_effect",
    "long_table",
    "mean_over_seeds",
    "paired_effect",
    "seed_effect",
]

Floats = NDArray[np.float64]
LONG = ("arm", "seed", "unit", "measure", "value")
"""Columns of a long table: what an arm of a seed reaches on a unit (a prompt, a problem), by a measure."""


@dataclass(frozen=True)
class Effect:
    """An estimate with what it rests on: what a claim is decided by."""

    estimate: Estimate | None
    """None where there is nothing to compare."""
    seeds: int | None = None
    """Trainings that it is a mean of; None where nothing was trained."""
    units: int | None = None
    """Prompts, pairs or problems behind it; None where none are counted."""
    freedom: int | None = None
    """Degrees of freedom of its Student's t interval; None where the interval is of another kind."""
    covers_units: bool = True
    """Whether the interval holds for other prompts or problems too, and not for other seeds alone."""
    p_value: float | None = None
    """Two-sided, of a test of its own, where values are not independent and the interval is too narrow."""


def long_table(rows: Sequence[Sequence[object]]) -> pd.DataFrame:
    """Lay rows out as a long table: columns `LONG`, and `set` where each row has a sixth value, its test set."""
    import pandas as pd

    columns = [*LONG, "set"][: len(rows[0]) if rows else len(LONG)]
    return pd.DataFrame(list(rows), columns=columns)


def paired_effect(
    table: pd.DataFrame,
    arm: str,
    against: str,
    measure: str | None = None,
    *,
    bounds: tuple[float, float] | None = None,
    seed: int = 0,
) -> Effect:
    """Return one arm less another, paired by seed and unit.

    Args:
        table: With the columns `LONG`. Several rows of an arm, seed and unit (a prompt's pairs) are averaged, and
            the unit weighs as many. With a column `set`, all test sets weigh the same.
        arm: An arm.
        against: Another.
        measure: What is compared; what there is, if None.
        bounds: Ends between which every difference must lie; see `crossed_effect`.
        seed: Of the bootstrap over units, where there is one seed.

    Raises:
        SettingsError: Values of these arms are not finite.
    """
    wanted = table["arm"].isin((arm, against))
    rows = table[wanted if measure is None else wanted & (table["measure"] == measure)]
    tables: list[Floats] = []
    sizes: list[Floats] = []
    common = set(rows.loc[rows["arm"] == arm, "seed"]) & set(rows.loc[rows["arm"] == against, "seed"])
    for _, part in rows[rows["seed"].isin(common)].groupby("set" if "set" in rows else (lambda _: 0)):
        cells = part.groupby(["arm", "seed", "unit"], sort=False)["value"].agg(["mean", "size", "count"])
        if (cells["size"] != cells["count"]).any() or not np.isfinite(cells["mean"]).all():
            raise SettingsError("values that are not finite", "finite numbers", "leave these units out")
        one, two = (cells["mean"].xs(name).unstack("unit") for name in (arm, against))
        gaps = one - two  # aligned by seed and unit; NaN where either has none
        gaps = gaps[gaps.columns[gaps.notna().any()]]
        if gaps.size:
            tables.append(gaps.to_numpy(dtype=float))
            sizes.append(cells["size"].groupby("unit").max()[gaps.columns].to_numpy(dtype=float))
    return crossed_effect(tables, sizes, seeds=len(common), bounds=bounds, seed=seed)


def crossed_effect(
    tables: Sequence[ArrayLike],
    sizes: Sequence[ArrayLike] | None = None,
    *,
    seeds: int | None = None,
    bounds: tuple[float, float] | None = None,
    seed: int = 0,
) -> Effect:
    """Return the mean over seeds and units with its 95 % interval.

    From two seeds on it is that of `crossed_t_interval`; of one, a bootstrap over units.

    Args:
        tables: For each test set (seeds, units) floats; NaN where a seed did not meet a unit.
        sizes: For each test set (units,) floats: how much each unit weighs; equally where None.
        seeds: How many there are, where there may be no table.
        bounds: Ends between which every value must lie. Where all values are the same no spread is seen, and
            Wilson's bound tells what share of all units may be anything between them.
        seed: Of the bootstrap.
    """
    found = [np.atleast_2d(np.asarray(table, dtype=np.float64)) for table in tables]
    units = sum(one.shape[1] for one in found)
    count = len(found[0]) if found else seeds or 0
    if not units or not count:
        return Effect(None, count, units)
    weights = [np.ones(one.shape[1]) for one in found] if sizes is None else [np.asarray(s) for s in sizes]
    known = np.concatenate([one[~np.isnan(one)] for one in found])
    rows = int(sum(weight.sum() for weight in weights))
    if bounds is not None and np.ptp(known) == 0:
        return Effect(alike_interval(float(known[0]), units, bounds), count, rows)
    if count > 1:
        estimate = crossed_t_interval(found, weights, met=[~np.isnan(one) for one in found])
        return Effect(estimate, count, rows, freedom=count - 1)
    parts = [one[0] * (weight / weight.sum()) for one, weight in zip(found, weights, strict=True)]
    values = np.concatenate(parts) * units / len(found)
    return Effect(Estimate(float(values.mean()), *bootstrap_interval(values, seed=seed)), count, rows)


def seed_effect(
    values: Sequence[float],
    *,
    covers_units: bool,
    units: int | None = None,
    bounds: tuple[float, float] | None = None,
) -> Effect:
    """Return the mean of one value a seed, with Student's t interval; without an interval of a single seed.

    Args:
        values: One of each seed.
        covers_units: Whether every seed has prompts of its own, so that the interval holds for others too.
        units: Prompts behind them, where they are counted.
        bounds: Ends between which the value must lie, and so its interval.
    """
    count = len(values)
    if count < 2:
        return Effect(None, count, units, covers_units=covers_units)
    value, low, high = paired_t_interval(values)
    if bounds is not None:
        low, high = max(low, bounds[0]), min(high, bounds[1])
    return Effect(Estimate(value, low, high), count, units, count - 1, covers_units)


def mean_over_seeds(values: Sequence[float]) -> Estimate:
    """Return the mean of what is known, with its 95 % t interval: NaN for its ends where fewer than two are."""
    known = [value for value in values if np.isfinite(value)]
    if len(known) > 1:
        return paired_t_interval(known)  # the interval of a mean, whatever it is of
    return Estimate(known[0] if known else float("nan"), float("nan"), float("nan"))


def alike_interval(value: float, units: int, bounds: tuple[float, float]) -> Estimate:
    """Return the interval of a mean of which all units show the same, so that no spread is seen.

    Wilson's bound tells what share of all units may be otherwise: on those it may be anything between the bounds.
    """
    share = wilson_interval(units, units).low
    low, high = (share * value + (1 - share) * end for end in bounds)
    return Estimate(value, max(low, bounds[0]), min(high, bounds[1]))
