"""Whether margins mean what the Bradley-Terry model says: that the preferred response wins with `sigmoid(margin)`."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from workbench.core.errors import SettingsError
from workbench.core.statistics import wilson_interval
from workbench.preferences.accuracy import correctness

__all__ = ["Calibration", "ReliabilityBin", "calibrate", "fit_temperature", "log_loss", "reliability_bins"]

Floats = NDArray[np.float64]
SLOPES = (1e-6, 1e6)
"""Range of 1 / temperature, in units of one over the margins' own spread."""


class ReliabilityBin(NamedTuple):
    """The pairs whose confidence lies in one interval."""

    low: float
    """Lower end of the interval, included."""
    high: float
    """Upper end; excluded, but for the last bin's, which is 1."""
    pairs: int
    confidence: float
    """Mean of `max(p, 1 - p)` with `p = sigmoid(margin)`."""
    accuracy: float
    """Share of them ordered right, a tie counted half."""
    accuracy_low: float
    """Wilson's interval of it, 95 %."""
    accuracy_high: float


@dataclass(frozen=True)
class Calibration:
    """How far confidences can be trusted; the smaller, the better."""

    pairs: int
    error: float
    """Expected calibration error: the mean over pairs of `|accuracy - confidence|` of their bin."""
    brier: float
    """Mean of `(1 - p)^2`. Always saying 0.5 gives 0.25."""
    log_loss: float
    """Mean of `-log p`, the reward model's own loss. Always saying 0.5 gives 0.693."""
    bins: tuple[ReliabilityBin, ...]
    """Those that hold pairs."""
    temperature: float | None = None
    """What margins are best divided by, fitted on the half that is not reported; None: too few pairs."""
    log_loss_at_temperature: float | None = None
    """Log loss of the other half, with that temperature."""
    error_at_temperature: float | None = None
    """Expected calibration error of the other half, with that temperature."""


def log_loss(margins: ArrayLike) -> float:
    """Return the mean of `-log sigmoid(margin)`. Takes [pairs], at least one, none NaN."""
    return float(np.logaddexp(0.0, -_checked(margins)).mean())


def reliability_bins(margins: ArrayLike, bins: int = 10) -> tuple[ReliabilityBin, ...]:
    """Sort pairs by confidence into intervals of equal width from 0.5 to 1, and count how many are ordered right.

    Which response comes first is arbitrary, so a pair's confidence is that in the response it scores higher.

    Args:
        margins: The chosen response's reward less the rejected one's. Shape [pairs].
        bins: How many intervals.

    Returns:
        Those that hold pairs.

    Raises:
        SettingsError: There are no margins or bins, or a margin is NaN.

    Source: Guo et al. 2017, "On Calibration of Modern Neural Networks", section 2.
    """
    if bins < 1:
        raise SettingsError(f"bins {bins}", "at least 1", "use 10")
    values = _checked(margins)
    right, confidence = correctness(values), _sigmoid(np.abs(values))
    edges = np.linspace(0.5, 1.0, bins + 1)
    places = np.clip(np.searchsorted(edges, confidence, side="right") - 1, 0, bins - 1)
    found = []
    for place in np.unique(places):
        within = places == place
        low, high = wilson_interval(float(right[within].sum()), int(within.sum()))
        found.append(
            ReliabilityBin(
                float(edges[place]),
                float(edges[place + 1]),
                int(within.sum()),
                float(confidence[within].mean()),
                float(right[within].mean()),
                low,
                high,
            )
        )
    return tuple(found)


def fit_temperature(margins: ArrayLike) -> float:
    """Return the temperature T that makes the mean of `-log sigmoid(margin / T)` least.

    The loss is convex in 1 / T. Where all pairs are ordered right it falls for ever as T goes to 0, and where
    margins say nothing as T goes to infinity: T then is the end of its range.

    Args:
        margins: See `reliability_bins`; finite. Some not 0.

    Source: Guo et al. 2017, section 4.2.
    """
    from scipy.optimize import minimize_scalar

    values = _checked(margins)
    spread = float(np.abs(values).mean())
    if not 0 < spread < np.inf:
        raise SettingsError(
            "margins that are all 0, or not finite", "finite margins, some not 0", "see what the model scores"
        )
    scaled = values / spread
    low, high = np.log(SLOPES)
    found = minimize_scalar(
        lambda slope: log_loss(np.exp(slope) * scaled), bounds=(low, high), method="bounded"
    )
    return spread / float(np.exp(found.x))


def calibrate(margins: ArrayLike, *, bins: int = 10, seed: int = 0) -> Calibration:
    """Return all measures of calibration, and what a temperature fitted on one half does for the other.

    Args:
        margins: See `reliability_bins`.
        bins: As there.
        seed: Draws the half that the temperature is fitted on.
    """
    values = _checked(margins)
    loss, brier = log_loss(values), float((_sigmoid(-values) ** 2).mean())
    measured = reliability_bins(values, bins)
    order = np.random.default_rng(seed).permutation(len(values))
    fitted_on, reported_on = values[order[::2]], values[order[1::2]]
    if len(reported_on) == 0 or not fitted_on.any() or not np.isfinite(values).all():
        return Calibration(len(values), _expected_error(measured), brier, loss, measured)
    temperature = fit_temperature(fitted_on)
    cooled = reported_on / temperature
    return Calibration(
        len(values),
        _expected_error(measured),
        brier,
        loss,
        measured,
        temperature,
        log_loss(cooled),
        _expected_error(reliability_bins(cooled, bins)),
    )


def _expected_error(bins: tuple[ReliabilityBin, ...]) -> float:
    """Return `sum_b n_b / n |accuracy_b - confidence_b|`: Naeini et al. 2015; Guo et al. 2017, Eq. 3."""
    total = sum(one.pairs for one in bins)
    return sum(one.pairs * abs(one.accuracy - one.confidence) for one in bins) / total


def _sigmoid(values: Floats) -> Floats:
    return np.exp(-np.logaddexp(0.0, -values))


def _checked(margins: ArrayLike) -> Floats:
    values = np.asarray(margins, dtype=np.float64)
    correctness(values)
    if not len(values):
        raise SettingsError("no margins", "at least one", "score some pairs")
    return values
