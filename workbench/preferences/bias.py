"""What else a reward follows: the length of a response, and how far explicit and implicit reward agree."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from workbench.core.errors import SettingsError
from workbench.core.statistics import Estimate, wilson_interval
from workbench.preferences.accuracy import Accuracy, correctness, pairwise_accuracy

__all__ = ["Agreement", "LengthBias", "agreement", "length_bias", "rank_correlation"]

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class LengthBias:
    """How a score depends on length."""

    by_length: dict[str, Accuracy]
    """Accuracy where the chosen response is `shorter`, `longer`, or of the `same` length; groups with pairs only."""
    prefers_longer: Estimate | None
    """Share of pairs, among those of two lengths, whose longer response scores higher; a tie counts half."""
    longer_is_chosen: Estimate | None
    """The same share of the labels: what a score that is as long-winded as the labels would prefer."""
    correlation: float | None
    """Spearman's between the margin and the difference in length; None where one of them never varies."""


@dataclass(frozen=True)
class Agreement:
    """How far two scores order the same pairs alike."""

    alike: Estimate
    """Share of pairs that both order the same way; a tie of one of them counts half, of both as alike."""
    correlation: float | None
    """Spearman's between the margins; None where one of them never varies."""
    where_alike: Accuracy | None
    """Accuracy, of both, on the pairs they order alike."""
    first_where_not: Accuracy | None
    """Accuracy of the first on the pairs that they order oppositely; the second's is the rest."""


def length_bias(margins: ArrayLike, chosen_lengths: ArrayLike, rejected_lengths: ArrayLike) -> LengthBias:
    """Return the accuracy by which response is longer, and how the score follows length.

    Args:
        margins: The chosen response's score less the rejected one's. Shape [pairs], at least one.
        chosen_lengths: In tokens or characters. Shape [pairs].
        rejected_lengths: The same.
    """
    values = np.asarray(margins, dtype=np.float64)
    longer = np.asarray(chosen_lengths, dtype=np.float64) - np.asarray(rejected_lengths, dtype=np.float64)
    if longer.shape != values.shape:
        raise SettingsError(f"{len(values)} margins, {len(longer)} lengths", "as many of each", "align them")
    groups = {"shorter": longer < 0, "longer": longer > 0, "same": longer == 0}
    differ = longer != 0
    prefers, chosen = None, None
    if differ.any():
        prefers = _share(correctness(values[differ] * np.sign(longer[differ])))
        chosen = _share(correctness(longer[differ]))
    return LengthBias(
        {name: pairwise_accuracy(values[rows]) for name, rows in groups.items() if rows.any()},
        prefers,
        chosen,
        rank_correlation(values, longer),
    )


def agreement(first: ArrayLike, second: ArrayLike) -> Agreement:
    """Compare two scores' orderings, such as explicit and implicit reward, pair by pair.

    Args:
        first: One score's margins. Shape [pairs], at least one.
        second: The other's, of the same pairs. Shape [pairs].
    """
    one, two = (correctness(margins) for margins in (first, second))
    if len(one) != len(two):
        raise SettingsError(f"{len(one)} and {len(two)} margins", "those of the same pairs", "align them")
    opposed = np.abs(one - two) == 1
    alike = (one == two) & (one != 0.5)
    margins = np.asarray(first, dtype=np.float64)
    return Agreement(
        _share(1 - np.abs(one - two)),
        rank_correlation(first, second),
        pairwise_accuracy(margins[alike]) if alike.any() else None,
        pairwise_accuracy(margins[opposed]) if opposed.any() else None,
    )


def rank_correlation(first: ArrayLike, second: ArrayLike) -> float | None:
    """Return Spearman's rank correlation; None where one side never varies, as with a single pair.

    Source: Spearman 1904, "The Proof and Measurement of Association between Two Things".
    """
    from scipy.stats import rankdata

    ranks = [rankdata(np.asarray(values, dtype=np.float64)) for values in (first, second)]
    if any(len(rank) < 2 or np.ptp(rank) == 0 for rank in ranks):
        return None
    return float(np.clip(np.corrcoef(*ranks)[0, 1], -1.0, 1.0))


def _share(counted: Floats) -> Estimate:
    """Return a share and Wilson's interval from 0, 0.5 and 1. Shape [pairs], at least one."""
    return Estimate(float(counted.mean()), *wilson_interval(float(counted.sum()), len(counted)))
