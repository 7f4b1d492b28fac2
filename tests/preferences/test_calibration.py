"""Calibration by hand, and against scikit-learn."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from workbench.core.errors import SettingsError
from workbench.preferences.calibration import calibrate, fit_temperature, log_loss, reliability_bins

LN3 = math.log(3)  # sigmoid(ln 3) = 3 / 4


def test_log_loss_and_brier_by_hand() -> None:
    assert log_loss([LN3, -LN3]) == pytest.approx((-math.log(0.75) - math.log(0.25)) / 2)
    found = calibrate([LN3, -LN3])
    assert found.brier == pytest.approx((0.25**2 + 0.75**2) / 2)
    # both pairs have confidence 3/4, one is right: |1/2 - 3/4|
    assert found.error == pytest.approx(0.25)
    assert (found.pairs, len(found.bins)) == (2, 1)


def test_no_opinion_is_a_tie_of_confidence_one_half() -> None:
    found = calibrate([0.0, 0.0])
    assert (found.error, found.brier, found.log_loss) == pytest.approx((0.0, 0.25, math.log(2)))
    assert found.temperature is None


def test_bins_by_hand() -> None:
    # confidences 0.5, 0.75, 0.75, 0.9 in two bins [0.5, 0.75), [0.75, 1]
    bins = reliability_bins([0.0, LN3, -LN3, math.log(9)], bins=2)
    assert [(one.low, one.high, one.pairs) for one in bins] == [(0.5, 0.75, 1), (0.75, 1.0, 3)]
    assert bins[1].confidence == pytest.approx((0.75 + 0.75 + 0.9) / 3)
    assert bins[1].accuracy == pytest.approx(2 / 3)
    assert bins[1].accuracy_low < 2 / 3 < bins[1].accuracy_high


def test_the_error_weighs_bins_by_their_pairs() -> None:
    margins = [0.0, LN3, -LN3, math.log(9)]
    # |0.5 - 0.5| * 1/4 + |2/3 - 0.8| * 3/4
    assert calibrate(margins, bins=2).error == pytest.approx(0.1)


def test_huge_margins_overflow_nowhere() -> None:
    found = calibrate([1e6, -1e6, 1e308])
    assert (found.brier, found.error) == pytest.approx((1 / 3, 1 / 3))
    assert math.isfinite(found.log_loss)
    assert reliability_bins([np.inf])[0].accuracy == 1.0


@given(st.lists(st.floats(-50, 50), min_size=1, max_size=60), st.integers(1, 20))
def test_every_pair_is_in_one_bin(margins: list[float], count: int) -> None:
    bins = reliability_bins(margins, count)
    assert sum(one.pairs for one in bins) == len(margins)
    for one in bins:
        assert one.low - 1e-12 <= one.confidence <= one.high + 1e-12
    assert 0 <= calibrate(margins, bins=count).error <= 1


def test_the_temperature_is_that_of_a_logistic_regression() -> None:
    from sklearn.linear_model import LogisticRegression

    generator = np.random.default_rng(0)
    margins = generator.normal(size=400) * 4
    margins *= np.where(generator.random(400) < 1 / (1 + np.exp(-np.abs(margins) / 3)), 1, -1) * np.sign(
        margins
    )
    signs = np.where(
        np.arange(400) % 2, 1.0, -1.0
    )  # a regression needs both outcomes: turn every other pair round
    reference = LogisticRegression(C=np.inf, fit_intercept=False).fit((margins * signs)[:, None], signs)
    assert 1 / fit_temperature(margins) == pytest.approx(reference.coef_[0, 0], rel=1e-3)


def test_a_temperature_repairs_overconfidence_on_the_other_half() -> None:
    generator = np.random.default_rng(1)
    strength = np.abs(generator.normal(size=4000))
    right = generator.random(4000) < 1 / (1 + np.exp(-strength))
    margins = 5 * np.where(right, strength, -strength)  # five times too sure
    found = calibrate(margins)
    assert found.temperature == pytest.approx(5, rel=0.15)
    assert found.error > 0.1
    assert found.error_at_temperature < 0.05
    assert found.log_loss_at_temperature < found.log_loss


@pytest.mark.parametrize("margins", [[1.0], [1.0, 2.0, 3.0], [-1.0, -2.0], [1e-30, 2e-30, -1e-30]])
def test_few_or_one_sided_pairs_are_no_trouble(margins: list[float]) -> None:
    found = calibrate(margins)
    assert (found.temperature is None) == (len(margins) == 1)
    assert found.temperature is None or 0 < found.temperature < math.inf


@pytest.mark.parametrize(
    "call",
    [
        lambda: reliability_bins([]),
        lambda: reliability_bins([1.0], 0),
        lambda: log_loss([math.nan]),
        lambda: fit_temperature([0.0, 0.0]),
        lambda: fit_temperature([math.inf]),
    ],
)
def test_what_cannot_be_computed_is_refused(call: object) -> None:
    with pytest.raises(SettingsError):
        call()  # type: ignore[operator]
