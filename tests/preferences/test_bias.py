"""Length bias and agreement by hand, rank correlation against SciPy."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from workbench.core.errors import SettingsError
from workbench.preferences.bias import agreement, length_bias, rank_correlation


def test_length_bias_by_hand() -> None:
    # chosen shorter, shorter, longer, longer, same
    found = length_bias([1.0, -1.0, 2.0, 1.0, -3.0], [1, 2, 9, 8, 5], [3, 4, 3, 4, 5])
    assert {name: (one.value, one.pairs) for name, one in found.by_length.items()} == {
        "shorter": (0.5, 2),
        "longer": (1.0, 2),
        "same": (0.0, 1),
    }
    # of the four pairs of two lengths, the longer one scores higher in the second, third and fourth
    assert found.prefers_longer is not None
    assert found.prefers_longer.value == 0.75
    assert found.longer_is_chosen is not None
    assert found.longer_is_chosen.value == 0.5


def test_equal_lengths_say_nothing_on_length() -> None:
    found = length_bias([1.0], [4], [4])
    assert list(found.by_length) == ["same"]
    assert (found.prefers_longer, found.longer_is_chosen, found.correlation) == (None, None, None)


def test_a_reward_that_is_length_correlates_fully() -> None:
    found = length_bias([-2.0, 1.0, 5.0], [1, 4, 9], [3, 3, 4])
    assert found.correlation == pytest.approx(1.0)
    assert found.prefers_longer is not None
    assert found.prefers_longer.value == 1.0


def test_agreement_by_hand() -> None:
    # alike, alike, opposed (the first right), opposed (the first wrong), one tie, both ties
    found = agreement([1.0, -2.0, 3.0, -1.0, 0.0, 0.0], [2.0, -1.0, -1.0, 5.0, 1.0, 0.0])
    assert found.alike.value == pytest.approx((1 + 1 + 0 + 0 + 0.5 + 1) / 6)
    assert found.where_alike is not None
    assert (found.where_alike.value, found.where_alike.pairs) == (0.5, 2)
    assert found.first_where_not is not None
    assert (found.first_where_not.value, found.first_where_not.pairs) == (0.5, 2)


def test_two_equal_scores_never_differ() -> None:
    found = agreement([1.0, -1.0], [2.0, -3.0])
    assert (found.alike.value, found.correlation, found.first_where_not) == (1.0, pytest.approx(1.0), None)
    assert agreement([0.0], [0.0]).where_alike is None


@given(st.lists(st.tuples(st.integers(-5, 5), st.integers(-5, 5)), min_size=2, max_size=30))
def test_rank_correlation_agrees_with_scipy(points: list[tuple[int, int]]) -> None:
    first, second = np.array(points).T
    found = rank_correlation(first, second)
    if np.ptp(first) == 0 or np.ptp(second) == 0:
        assert found is None
    else:
        assert found == pytest.approx(stats.spearmanr(first, second).statistic, abs=1e-9)


@pytest.mark.parametrize(
    "call", [lambda: length_bias([1.0], [1, 2], [1, 2]), lambda: agreement([1.0], [1.0, 2.0])]
)
def test_what_does_not_fit_together_is_refused(call: object) -> None:
    with pytest.raises(SettingsError):
        call()  # type: ignore[operator]
