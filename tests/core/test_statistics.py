"""Statistics against values computed by hand, against SciPy, and against what must always hold."""

from __future__ import annotations

import math
from itertools import combinations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from workbench.core.errors import SettingsError
from workbench.core.statistics import (
    bootstrap_interval,
    clustered_interval,
    clustered_wilson,
    crossed_t_interval,
    paired_bootstrap,
    paired_t_interval,
    pass_at_k,
    wilson_interval,
    win_rate,
)


@pytest.mark.parametrize(
    ("n", "c", "k", "expected"),
    [
        (1, 1, 1, 1.0),
        (1, 0, 1, 0.0),
        (10, 3, 1, 0.3),
        (4, 1, 2, 0.5),  # 1 - C(3,2) / C(4,2) = 1 - 3/6
        (5, 2, 3, 0.9),  # 1 - C(3,3) / C(5,3) = 1 - 1/10
        (5, 3, 3, 1.0),  # two failures cannot fill three places
        (200, 0, 100, 0.0),
    ],
)
def test_pass_at_k_by_hand(n: int, c: int, k: int, expected: float) -> None:
    assert pass_at_k(n, c, k) == pytest.approx(expected, abs=1e-12)


@given(st.integers(1, 8).flatmap(lambda n: st.tuples(st.just(n), st.integers(0, n), st.integers(1, n))))
def test_pass_at_k_counts_the_choices_of_k_samples_that_hold_one_that_passes(
    numbers: tuple[int, int, int],
) -> None:
    n, c, k = numbers
    choices = list(combinations(range(n), k))
    passing = sum(any(sample < c for sample in choice) for choice in choices)
    assert pass_at_k(n, c, k) == pytest.approx(passing / len(choices), abs=1e-12)


@pytest.mark.parametrize(("n", "c", "k"), [(0, 0, 1), (2, 3, 1), (2, -1, 1), (2, 1, 3), (2, 1, 0)])
def test_pass_at_k_refuses_numbers_that_do_not_fit(n: int, c: int, k: int) -> None:
    with pytest.raises(SettingsError, match=f"n={n}, c={c}, k={k}"):
        pass_at_k(n, c, k)


def test_wilson_by_hand() -> None:
    # p = 1/2, n = 10, z = 1.959964: middle 1/2, half 1.959964 * sqrt(0.025 + 0.0096036) / 1.384146 = 0.263405
    assert wilson_interval(5, 10) == pytest.approx((0.236595, 0.763405), abs=1e-5)
    # 0 of n: high = z^2 / (n + z^2) = 3.841459 / 13.841459
    assert wilson_interval(0, 10) == pytest.approx((0.0, 0.277533), abs=1e-5)


def test_trials_of_one_group_count_less() -> None:
    # five groups of two that end alike: squares of their sums 3 * 0.8^2 + 2 * 1.2^2 = 4.8, so a variance of
    # 4.8 / 10^2 * 5 / 4 = 0.06, where trials of their own would have 0.24 / 9: an effect of 2.25
    alike = clustered_wilson([1, 1, 0, 0, 1, 1, 0, 0, 1, 1], list("aabbccddee"))
    assert alike == pytest.approx(wilson_interval(6 / 2.25, 10 / 2.25))
    assert clustered_wilson([1, 0, 1, 0, 1], "abcde") == pytest.approx(wilson_interval(3, 5))
    # groups that even out are no reason for a narrower one
    assert clustered_wilson([1, 0] * 5, list("aabbccddee")) == wilson_interval(5, 10)
    # all alike, or a single group: a group is a trial
    assert clustered_wilson([1] * 10, list("aabbccddee")) == wilson_interval(5, 5)
    assert clustered_wilson([1, 0], "aa") == wilson_interval(0.5, 1)


def test_an_interval_over_groups_holds_the_truth_as_often_as_it_says() -> None:
    generator = np.random.default_rng(0)
    groups = np.repeat(np.arange(40), 3)
    held = {"groups": 0, "trials": 0}
    for _ in range(2000):
        chance = generator.beta(
            0.7, 0.3, 40
        )  # mean 0.7; two trials of a group agree far more often than others
        outcomes = (generator.random(120) < chance[groups]).astype(float)
        for name, (low, high) in (
            ("groups", clustered_wilson(outcomes, groups.tolist())),
            ("trials", wilson_interval(outcomes.sum(), 120)),
        ):
            held[name] += low <= 0.7 <= high
    assert 0.93 <= held["groups"] / 2000 <= 0.97
    assert held["trials"] / 2000 < 0.85


def test_pairs_of_one_prompt_are_drawn_together() -> None:
    # prompts of 1 and 3 pairs, all right and all wrong: the mean is 1, 1/4 or 0 of the pairs drawn
    assert clustered_interval(np.array([1.0, 0, 0, 0]), ["a", "b", "b", "b"]) == (0, 1)
    same = clustered_interval(np.full(6, 0.5), list("aabbcc"))
    assert same == (0.5, 0.5)


@given(n=st.integers(1, 2000), share=st.floats(0, 1), confidence=st.sampled_from([0.8, 0.95, 0.99]))
def test_wilson_agrees_with_scipy(n: int, share: float, confidence: float) -> None:
    successes = round(share * n)
    reference = stats.binomtest(successes, n).proportion_ci(confidence, method="wilson")
    got = wilson_interval(successes, n, confidence)
    assert got == pytest.approx((reference.low, reference.high), abs=1e-9)
    assert 0 <= got.low <= successes / n <= got.high <= 1


@pytest.mark.parametrize(("successes", "n"), [(1, 0), (3, 2), (-1, 2)])
def test_wilson_refuses_impossible_counts(successes: int, n: int) -> None:
    with pytest.raises(SettingsError):
        wilson_interval(successes, n)


def test_the_bootstrap_of_two_values_by_hand() -> None:
    # Means of two draws from {0, 1}: 0, 1/2, 1 with chances 1/4, 1/2, 1/4.
    assert bootstrap_interval([0, 1], confidence=0.95) == (0.0, 1.0)
    assert bootstrap_interval([0, 1], confidence=0.4) == (0.5, 0.5)


def test_the_bootstrap_of_the_mean_is_near_the_normal_interval() -> None:
    values = np.random.default_rng(3).normal(10, 2, size=400)
    half = 1.96 * values.std() / math.sqrt(400)
    assert bootstrap_interval(values) == pytest.approx((values.mean() - half, values.mean() + half), abs=0.02)


def test_the_bootstrap_takes_any_statistic_and_repeats_by_its_seed() -> None:
    values = list(range(100))
    low, high = bootstrap_interval(values, lambda row: float(np.median(row)), seed=1, resamples=500)
    assert low < 49.5 < high
    assert bootstrap_interval(values, seed=1) == bootstrap_interval(values, seed=1)
    assert bootstrap_interval(values, seed=1) != bootstrap_interval(values, seed=2)


def test_the_bootstrap_in_pieces_is_the_bootstrap_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    values = list(range(50))
    whole = bootstrap_interval(values, resamples=1000)
    monkeypatch.setattr("workbench.core.statistics.CHUNK", 999)
    assert bootstrap_interval(values, resamples=1000) == whole


finite = st.floats(-1e6, 1e6)


@settings(max_examples=50, deadline=None)
@given(values=st.lists(finite, min_size=1, max_size=30), shift=finite)
def test_the_bootstrap_stays_within_the_values_and_shifts_with_them(
    values: list[float], shift: float
) -> None:
    low, high = bootstrap_interval(values, resamples=200)
    assert min(values) - 1e-6 <= low <= high <= max(values) + 1e-6
    moved = bootstrap_interval(np.add(values, shift), resamples=200)
    assert moved == pytest.approx((low + shift, high + shift), abs=1e-6)


def test_paired_differences_keep_their_pairs() -> None:
    # Each pair differs by 1 while the values range over 100: unpaired noise would hide it.
    b = np.arange(100.0)
    assert paired_bootstrap(b + 1, b) == (1.0, 1.0, 1.0)
    value, low, high = paired_bootstrap([1, 0, 1, 1], [0, 0, 1, 0])
    assert value == 0.5
    assert (low, high) == (0.0, 1.0)


@pytest.mark.parametrize(
    "call",
    [
        lambda: bootstrap_interval([]),
        lambda: bootstrap_interval([[1.0]]),
        lambda: bootstrap_interval([1.0, math.nan]),
        lambda: bootstrap_interval([1.0], confidence=1.0),
        lambda: bootstrap_interval([1.0], resamples=0),
        lambda: paired_bootstrap([1.0], [1.0, 2.0]),
        lambda: paired_t_interval([1.0]),
        lambda: paired_t_interval([1.0, math.inf]),
        lambda: win_rate([]),
        lambda: wilson_interval(1, 2, confidence=0),
    ],
)
def test_what_cannot_be_computed_is_refused(call: object) -> None:
    with pytest.raises(SettingsError):
        call()  # type: ignore[operator]


def test_paired_t_by_hand() -> None:
    # 1, 2, 3: mean 2, s = 1, t(2) = 4.302653, half = 4.302653 / sqrt(3) = 2.484138
    assert paired_t_interval([1, 2, 3]) == pytest.approx((2.0, -0.484138, 4.484138), abs=1e-5)


@given(st.lists(st.floats(-100, 100), min_size=2, max_size=20).filter(lambda v: np.std(v) > 1e-3))
def test_paired_t_agrees_with_scipy(differences: list[float]) -> None:
    reference = stats.ttest_1samp(differences, 0).confidence_interval(0.9)
    value, low, high = paired_t_interval(differences, 0.9)
    assert (low, high) == pytest.approx((reference.low, reference.high), abs=1e-9)
    assert value == pytest.approx(np.mean(differences))


def test_crossed_t_by_hand() -> None:
    # seeds' means 1 and 3: squared error 1. Units' means 0 and 4: (0.25 * 4 + 0.25 * 4) * 2 = 4. t(1) = 12.7062
    value, low, high = crossed_t_interval([[[0, 2], [0, 6]]])
    assert (value, high - value) == pytest.approx((2.0, 12.7062 * math.sqrt(5)), abs=1e-3)
    assert value - low == pytest.approx(high - value)
    # three of four pairs are the first unit's: seeds' means 0.5 and 1.5, units' 0 and 4, their mean 1
    value, _, high = crossed_t_interval([[[0, 2], [0, 6]]], [[3, 1]])
    squared = 0.25 + (0.75**2 * 1 + 0.25**2 * 9) * 2
    assert (value, high - value) == pytest.approx((1.0, 12.7062 * math.sqrt(squared)), abs=1e-3)
    # two test sets weigh the same, and a set of one unit adds no error of its own
    value, _, high = crossed_t_interval([[[0, 2], [0, 6]], [[2], [2]]])
    assert (value, high - value) == pytest.approx((2.0, 12.7062 * math.sqrt(0.25 + 4 / 4)), abs=1e-3)


@given(st.integers(0, 1000))
def test_units_that_agree_leave_the_interval_of_the_seeds(seed: int) -> None:
    seeds = np.random.default_rng(seed).normal(size=(5, 1))
    assert crossed_t_interval([np.tile(seeds, 4)]) == pytest.approx(paired_t_interval(seeds[:, 0]))


def test_it_holds_the_truth_as_often_as_it_says() -> None:
    source = np.random.default_rng(0)
    held = 0
    for _ in range(400):
        effects = 0.3 * source.normal(size=(8, 1)) + source.normal(size=(1, 30)) + source.normal(size=(8, 30))
        _, low, high = crossed_t_interval([effects])
        held += low <= 0 <= high
    assert 0.93 <= held / 400 <= 1.0


@pytest.mark.parametrize(
    "tables", [[], [[[1.0, 2.0]]], [[1.0, 2.0]], [[[1.0], [2.0]], [[1.0], [2.0], [3.0]]], [[[1], [math.nan]]]]
)
def test_tables_that_are_not_crossed_are_refused(tables: list[object]) -> None:
    with pytest.raises(SettingsError):
        crossed_t_interval(tables)  # type: ignore[arg-type]


def test_a_tie_is_half_a_win() -> None:
    assert win_rate([1, 1, 0, -1]).value == 0.625
    assert win_rate([0.3, -2.0]).value == 0.5
    assert win_rate([1, 0, -1, 0])[1:] == wilson_interval(2, 4)


@given(st.lists(st.sampled_from([-1, 0, 1]), min_size=1, max_size=50))
def test_the_other_sides_win_rate_is_the_rest(outcomes: list[int]) -> None:
    ours, theirs = win_rate(outcomes), win_rate([-one for one in outcomes])
    assert ours == pytest.approx((1 - theirs.value, 1 - theirs.high, 1 - theirs.low), abs=1e-12)
