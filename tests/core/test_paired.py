"""The paired difference, by hand: seeds and units both in the interval, whatever they share."""

import math

import numpy as np
import pytest

from workbench.core.errors import SettingsError
from workbench.core.paired import (
    LONG,
    crossed_effect,
    long_table,
    mean_over_seeds,
    paired_effect,
    seed_effect,
)
from workbench.core.statistics import crossed_t_interval, paired_t_interval


def table(gaps, *, own=False, measure="worth"):
    """Lay out arm `a`, which is above `b` by the gap of each seed and unit."""
    rows = []
    for seed, row in enumerate(gaps):
        for place, gap in enumerate(row):
            unit = f"{seed}-{place}" if own else f"unit {place}"
            rows += [("a", seed, unit, measure, 1.0 + gap), ("b", seed, unit, measure, 1.0)]
    return long_table(rows)


def test_a_long_table_has_these_columns():
    assert tuple(table([[1.0]]).columns) == LONG
    assert list(long_table([("a", 0, "u", "m", 1.0, "test")]).columns) == [*LONG, "set"]
    assert tuple(long_table([]).columns) == LONG


def test_seeds_and_units_are_both_in_the_interval():
    gaps = [[0.1, 0.3], [0.3, 0.5], [0.2, 0.4]]
    found = paired_effect(table(gaps), "a", "b")
    # seeds 0.2, 0.4, 0.3: variance 0.01 / 3; units 0.2, 0.4: (0.25 * 0.01 * 2) * 2 / 1
    half = 4.30265 * math.sqrt(0.01 / 3 + 0.01)
    assert found.estimate == pytest.approx((0.3, 0.3 - half, 0.3 + half), abs=1e-5)
    assert (found.seeds, found.units, found.freedom, found.covers_units) == (3, 2, 2, True)


def test_prompts_of_each_seed_alone_are_in_the_spread_of_the_seeds():
    gaps = [[0.1, 0.3], [0.3, 0.5], [0.2, 0.4]]
    found = paired_effect(table(gaps, own=True), "a", "b")
    assert found.estimate == pytest.approx(paired_t_interval([0.2, 0.4, 0.3]))
    assert found.units == 6


def test_a_unit_that_one_arm_lacks_is_left_out_and_measures_are_apart():
    rows = table([[0.1, 0.3]] * 2)
    other = table([[9.0, 9.0]] * 2, measure="length")
    both = long_table([*rows.itertuples(index=False), *other.itertuples(index=False)])
    both = both.drop(both[(both["arm"] == "b") & (both["unit"] == "unit 1")].index)
    assert paired_effect(both, "a", "b", "worth").estimate.value == pytest.approx(0.1)


def test_several_pairs_of_a_prompt_weigh_as_many_and_all_sets_the_same():
    rows = []
    for seed in (0, 1):
        for prompt, value, test in (("p", 1.0, "x"), ("p", 0.0, "x"), ("q", 0.5, "x"), ("r", 0.3, "y")):
            rows += [("a", seed, prompt, "right", value, test), ("b", seed, prompt, "right", 0.0, test)]
    found = paired_effect(long_table(rows), "a", "b")
    assert found.estimate.value == pytest.approx(((1.0 + 0.0 + 0.5) / 3 + 0.3) / 2)
    assert found.units == 4


def test_one_seed_has_a_bootstrap_over_units():
    found = paired_effect(table([[0.1, 0.3, 0.2]]), "a", "b")
    assert found.estimate.value == pytest.approx(0.2)
    assert 0.0999 < found.estimate.low < 0.2 < found.estimate.high < 0.3001
    assert (found.seeds, found.freedom) == (1, None)


def test_values_that_are_all_alike_show_no_spread():
    found = paired_effect(table([[0.5] * 4] * 3), "a", "b", bounds=(-1.0, 1.0))
    # Wilson's share of four in four is 4 / (4 + z^2) = 0.5101: the rest may lie anywhere
    assert found.estimate == pytest.approx((0.5, 0.5101 * 0.5 - 0.4899, 0.5101 * 0.5 + 0.4899), abs=1e-4)


def test_nothing_to_compare_has_no_estimate():
    rows = table([[0.1]])
    assert paired_effect(rows, "a", "nobody").estimate is None
    apart = long_table([("a", 0, "u", "m", 1.0), ("b", 0, "v", "m", 1.0)])
    assert paired_effect(apart, "a", "b").estimate is None
    assert seed_effect([0.1], covers_units=True).estimate is None
    assert crossed_effect([]).estimate is None


def test_a_value_that_is_not_finite_is_refused():
    rows = table([[0.1, math.nan]] * 2)
    with pytest.raises(SettingsError, match="not finite"):
        paired_effect(rows, "a", "b")


def test_a_mean_of_seeds_ends_where_its_values_can_end():
    found = seed_effect([1.0, 0.8, 0.9], covers_units=True, bounds=(-1.0, 1.0))
    assert found.estimate.high == 1.0
    assert found.estimate.low == pytest.approx(0.9 - 4.30265 * 0.1 / math.sqrt(3), abs=1e-4)


def test_units_that_some_seeds_share_add_what_is_between_them():
    values = np.array([[0.1, 0.3, np.nan], [0.3, 0.5, np.nan], [np.nan, np.nan, 0.3]])
    wide, narrow = crossed_effect([values]), paired_t_interval([0.2, 0.4, 0.3])
    assert wide.estimate.value == pytest.approx(0.3)
    # units 0.2 and 0.4, a third of the mean each: 2 * (0.1 / 3)^2 * 2 / 1 beside the seeds' 0.01 / 3
    half = 4.30265 * math.sqrt(0.01 / 3 + 4 * (0.1 / 3) ** 2)
    assert wide.estimate.high == pytest.approx(0.3 + half, abs=1e-5)
    assert wide.estimate.high > narrow.high


def test_what_a_seed_did_not_meet_at_all_is_refused():
    met = [np.array([[True, True], [False, False]])]
    with pytest.raises(SettingsError, match="not finite"):
        crossed_t_interval([np.zeros((2, 2))], met=met)


def test_a_mean_over_seeds_has_an_interval_from_two_on_and_leaves_out_what_is_unknown():
    value, low, high = mean_over_seeds([1.0, float("nan"), 3.0])
    # the standard error is 1, and t of one degree of freedom 12.706
    assert (value, low, high) == pytest.approx((2.0, 2 - 12.7062, 2 + 12.7062), abs=1e-3)
    assert mean_over_seeds([0.5]).value == 0.5
    assert np.isnan(mean_over_seeds([0.5]).low)
    assert np.isnan(mean_over_seeds([]).value)
