"""Inconsistency by hand and against a plain loop; the choice of aspects."""

from __future__ import annotations

import math
from itertools import combinations
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import kendalltau

from workbench.core.errors import SettingsError
from workbench.rewards import inconsistency, pairs_within, select_aspects, selection


def test_by_hand() -> None:
    # pairs: 01 agree, 02 agree, 03 aspect ties, 12 disagree, 13 disagree, 23 holistic ties
    aspect, holistic = [1.0, 3.0, 2.0, 1.0], [0.0, 1.0, 2.0, 2.0]
    assert inconsistency(aspect, holistic) == pytest.approx(2 / 4)
    assert inconsistency(aspect, holistic, [(0, 1), (1, 2), (2, 3)]) == pytest.approx(1 / 2)


def test_the_same_and_the_opposite_order() -> None:
    scores = np.arange(5.0)
    assert inconsistency(scores, scores**3) == 0
    assert inconsistency(-scores, scores) == 1


def test_no_pair_that_can_be_compared_is_not_a_number() -> None:
    assert math.isnan(inconsistency([1.0, 1.0], [1.0, 2.0]))
    assert math.isnan(inconsistency([], []))
    assert math.isnan(inconsistency([1.0, 2.0], [1.0, 2.0], []))


def test_without_ties_it_is_kendalls_tau() -> None:
    draw = np.random.default_rng(0)
    first, second = draw.permutation(300).astype(float), draw.permutation(300).astype(float)
    assert inconsistency(first, second) == pytest.approx((1 - kendalltau(first, second).statistic) / 2)


scores = st.lists(st.tuples(st.integers(-3, 3), st.integers(-3, 3)), max_size=12)


@given(scores, st.integers(1, 40))
def test_all_pairs_are_a_plain_loop_over_pairs(rows: list[tuple[int, int]], block: int) -> None:
    first, second = [float(a) for a, _ in rows], [float(b) for _, b in rows]
    signs = [(first[i] - first[j]) * (second[i] - second[j]) for i, j in combinations(range(len(rows)), 2)]
    strict = [sign for sign in signs if sign]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(selection, "BLOCK", block)  # so that a small square too is compared in several parts
        got = inconsistency(first, second)
    expected = sum(sign < 0 for sign in strict) / len(strict) if strict else math.nan
    assert got == pytest.approx(expected, nan_ok=True)


def test_pairs_of_the_same_prompt() -> None:
    assert pairs_within(["a", "b", "a", "a", "b"]).tolist() == [[0, 2], [0, 3], [2, 3], [1, 4]]
    assert pairs_within(["a", "b"]).shape == (0, 2)


def test_the_least_inconsistent_aspect_is_chosen() -> None:
    holistic = [0.0, 1.0, 2.0, 3.0]
    aspects = {
        "style": [0.0, 3.0, 2.0, 1.0],  # 3 of 6
        "factuality": [0.0, 1.0, 3.0, 2.0],  # 1 of 6
        "constant": [1.0, 1.0, 1.0, 1.0],
        "relevance": [1.0, 0.0, 3.0, 2.0],  # 2 of 6
    }
    chosen = select_aspects(aspects, holistic)
    assert chosen.chosen == ("factuality",)
    assert [row.name for row in chosen.table] == ["factuality", "relevance", "style", "constant"]
    assert [row.inconsistency for row in chosen.table[:3]] == pytest.approx([1 / 6, 2 / 6, 3 / 6])
    assert [row.compared for row in chosen.table] == [6, 6, 6, 0]
    assert {row.pairs for row in chosen.table} == {6}
    assert select_aspects(aspects, holistic, keep=9).chosen == ("factuality", "relevance", "style")
    assert select_aspects(aspects, holistic, keep=9, max_inconsistency=0.4).chosen == (
        "factuality",
        "relevance",
    )
    few = select_aspects(aspects, holistic, [(2, 3)])
    assert few.chosen == () and {row.pairs for row in few.table} == {1}


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (([1.0], [1.0, 2.0]), r"aspect \[1\], holistic \[2\]"),
        (([1.0, math.nan], [1.0, 2.0]), "not finite"),
        (([1.0, 2.0], [1.0, 2.0], [(0, 2)]), r"positions from 0 to 1"),
        (([1.0, 2.0], [1.0, 2.0], [(-1, 0)]), r"positions from 0 to 1"),
        (([1.0, 2.0], [1.0, 2.0], [(0.0, 1.0)]), "float64"),
        (([1.0, 2.0], [1.0, 2.0], [0, 1]), r"shape \[2\]"),
    ],
)
def test_what_cannot_be_compared_is_said(arguments: Any, said: str) -> None:
    with pytest.raises(SettingsError, match=said):
        inconsistency(*arguments)


@pytest.mark.parametrize("options", [{"keep": 0}, {"max_inconsistency": 1.5}])
def test_settings_of_the_choice_are_checked(options: dict[str, Any]) -> None:
    with pytest.raises(SettingsError, match="keep: at least 1"):
        select_aspects({"a": [1.0, 2.0]}, [1.0, 2.0], **options)
    with pytest.raises(SettingsError, match="0 aspects"):
        select_aspects({}, [1.0, 2.0])


def test_ties_of_the_aspect_are_consistent_as_the_authors_count():
    """Three pairs: ordered alike, ordered otherwise, tied by the aspect; a fourth is tied by the holistic score."""
    aspect, holistic = [1.0, 0.0, 0.0, 1.0, 5.0, 5.0, 1.0, 0.0], [1.0, 0.0, 1.0, 0.0, 1.0, 0.0, 2.0, 2.0]
    pairs = [[0, 1], [2, 3], [4, 5], [6, 7]]
    (row,) = select_aspects({"a": aspect}, holistic, pairs).table
    assert (row.inconsistency, row.ties_consistent) == (1 / 2, 1 / 3)
    assert (row.compared, row.pairs) == (2, 4)
