"""Accuracy by hand: ties, intervals, groups, sections, and from data set to data set."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from preference_scored import make_scores

from workbench.core.errors import SettingsError
from workbench.core.statistics import wilson_interval
from workbench.preferences.accuracy import (
    accuracy_by,
    correctness,
    pairwise_accuracy,
    section_accuracies,
    transfer_matrix,
    weighted_accuracy,
)


def test_a_tie_counts_half() -> None:
    assert correctness([2.0, -1.0, 0.0, np.inf]).tolist() == [1.0, 0.0, 0.5, 1.0]
    found = pairwise_accuracy([2.0, -1.0, 0.0, 1.0])
    assert (found.value, found.pairs, found.ties) == (0.625, 4, 1)  # (1 + 0 + 0.5 + 1) / 4
    assert (found.low, found.high) == wilson_interval(2.5, 4)


def test_one_pair_is_enough() -> None:
    found = pairwise_accuracy([0.1])
    # n = 1, all right: low = 1 / (1 + z^2) = 1 / 4.841459
    assert (found.value, found.high) == (1.0, 1.0)
    assert found.low == pytest.approx(0.206549, abs=1e-5)


@pytest.mark.parametrize("margins", [[], [np.nan], [[1.0]]])
def test_what_is_no_margin_is_refused(margins: list[float]) -> None:
    with pytest.raises(SettingsError):
        pairwise_accuracy(margins)


def test_groups_come_in_order_of_appearance() -> None:
    found = accuracy_by([1.0, -1.0, 1.0, 0.0], ["b", "a", "b", "a"])
    assert list(found) == ["b", "a"]
    assert (found["b"].value, found["a"].value) == (1.0, 0.25)
    with pytest.raises(SettingsError, match="2 margins, 1 groups"):
        accuracy_by([1.0, 2.0], ["a"])


def test_weights_by_hand() -> None:
    # right, wrong, tie with weights 3, 1, 2: (3 + 0 + 1) / 6; Kish: 36 / 14 = 2.57, so Wilson's of 3 pairs
    found = weighted_accuracy([1.0, -1.0, 0.0], [3, 1, 2])
    assert found.value == pytest.approx(4 / 6)
    assert (found.low, found.high) == pytest.approx(wilson_interval(2.0, 3))
    assert found.pairs == 3


@given(st.lists(st.sampled_from([-1.0, 0.0, 1.0]), min_size=1, max_size=40), st.floats(0.01, 100))
def test_equal_weights_change_nothing(margins: list[float], weight: float) -> None:
    assert weighted_accuracy(margins, np.full(len(margins), weight)) == pytest.approx(
        pairwise_accuracy(margins)
    )


@pytest.mark.parametrize("weights", [[1.0], [0.0, 0.0], [-1.0, 2.0], [np.nan, 1.0]])
def test_weights_that_make_no_sense_are_refused(weights: list[float]) -> None:
    with pytest.raises(SettingsError):
        weighted_accuracy([1.0, 1.0], weights)


def test_sections_average_as_rewardbench_does() -> None:
    subsets = ["alpacaeval-easy"] * 3 + ["mt-bench-easy"] + ["llmbar-natural"] * 2 + ["donotanswer"]
    subsets += ["math-prm"] * 1 + ["hep-cpp"] * 2 + ["hep-go"] * 2
    margins = [1, 1, 1, -1, 1, -1, 1, 1, -1, -1, -1, 1]
    found = section_accuracies(margins, subsets)
    assert list(found) == ["Chat", "Chat Hard", "Safety", "Reasoning", "average"]
    assert found["Chat"].value == 0.75  # each pair alike: 3 of 4
    assert found["Chat Hard"].value == 0.5
    # mathematics 1 of 1 and code 1 of 4 weigh half each
    assert found["Reasoning"].value == pytest.approx((1 + 0.25) / 2)
    assert found["average"].value == pytest.approx((0.75 + 0.5 + 1 + 0.625) / 4)
    assert found["average"].pairs == 12


def test_sections_without_pairs_are_left_out_and_there_is_no_average_then() -> None:
    assert list(section_accuracies([1.0, 1.0], ["donotanswer", "unknown"])) == ["Safety"]
    assert section_accuracies([1.0], [""]) == {}


def test_the_matrix_by_hand() -> None:
    on_a = make_scores([1.0, 1.0, -1.0, -1.0], sources=["a", "a", "b", "b"])
    on_b = make_scores([1.0, -1.0, 1.0, 1.0], sources=["a", "a", "b", "b"])
    found = transfer_matrix([("a", on_a), ("b", on_b)])
    assert {place: one.value for place, one in found.items()} == {
        ("a", "a"): 1.0,
        ("a", "b"): 0.0,
        ("b", "a"): 0.5,
        ("b", "b"): 1.0,
    }


def test_seeds_are_averaged_over_pairs_in_any_order() -> None:
    first = make_scores([1.0, -1.0], ids=["x", "y"])
    second = make_scores([1.0, 1.0], ids=["y", "x"])
    found = transfer_matrix([("a", first), ("a", second)])["a", "hh"]
    assert (found.value, found.pairs) == (0.75, 2)  # x right twice, y once
    assert (found.low, found.high) == wilson_interval(1.5, 2)


def test_seeds_scored_on_different_pairs_are_refused() -> None:
    with pytest.raises(SettingsError, match="different pairs of hh"):
        transfer_matrix([("a", make_scores([1.0], ids=["x"])), ("a", make_scores([1.0], ids=["y"]))])
