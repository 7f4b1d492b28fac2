"""Paired comparisons by hand: McNemar, one seed, several seeds, and what cannot be compared."""

from __future__ import annotations

import pytest
from preference_scored import make_scores

from workbench.core.errors import SettingsError
from workbench.core.statistics import paired_bootstrap, paired_t_interval
from workbench.preferences.comparison import compare_arms, compare_pairs, mcnemar

IDS = ["a", "b", "c", "d"]


def test_mcnemar_by_hand() -> None:
    assert mcnemar(0, 0) == 1.0
    assert mcnemar(3, 3) == 1.0
    assert mcnemar(5, 0) == pytest.approx(2 / 32)  # two of the 32 ways five coins fall
    assert mcnemar(1, 4) == pytest.approx(2 * (1 + 5) / 32)


def test_two_scores_of_the_same_pairs_by_hand() -> None:
    # right/wrong: 1 1 0 0.5 against 0 1 0 0
    found = compare_pairs([1.0, 2.0, -1.0, 0.0], [-1.0, 1.0, -5.0, -2.0])
    assert found.difference == paired_bootstrap([1, 1, 0, 0.5], [0, 1, 0, 0])
    assert found.difference.value == pytest.approx(1.5 / 4)
    assert (found.better, found.worse, found.pairs) == (2, 0, 4)
    assert found.p_value == 0.5


def test_one_pair_can_be_compared() -> None:
    found = compare_pairs([1.0], [-1.0])
    assert found.difference == (1.0, 1.0, 1.0)
    assert found.p_value == 1.0


def test_one_seed_is_compared_over_pairs_in_any_order() -> None:
    hybrid = make_scores([1.0, 1.0, -1.0, 1.0], ids=IDS)
    standard = make_scores([-1.0, 1.0, 1.0, -1.0], ids=IDS[::-1])  # d, c, b, a
    (row,) = compare_arms({"standard": {0: standard}, "hybrid": {0: hybrid}})
    assert (row.arm, row.against, row.source) == ("hybrid", "standard", "hh")
    # a: right, wrong; b: right, right; c: wrong, right; d: right, wrong
    assert (row.accuracy, row.accuracy_against, row.difference) == (0.75, 0.5, 0.25)
    assert (row.method, row.seeds, row.pairs) == ("paired bootstrap over pairs", 1, 4)
    assert row.p_value == mcnemar(2, 1)


def test_seeds_are_compared_by_their_means() -> None:
    standard = {1: make_scores([1.0, -1.0]), 2: make_scores([-1.0, -1.0]), 9: make_scores([1.0, 1.0])}
    hybrid = {1: make_scores([1.0, 1.0]), 2: make_scores([1.0, -1.0]), 3: make_scores([1.0, 1.0])}
    (row,) = compare_arms({"standard": standard, "hybrid": hybrid})
    # seeds 1 and 2 are shared: 1 - 0.5 and 0.5 - 0
    assert (row.difference, row.low, row.high) == paired_t_interval([0.5, 0.5])
    assert (row.method, row.seeds, row.p_value) == ("paired t over seeds", 2, None)


def test_only_shared_pairs_count_and_sources_are_apart() -> None:
    first = make_scores([1.0, 1.0, -1.0], ids=["a", "b", "c"], sources=["x", "y", "y"])
    second = make_scores([-1.0, 1.0, 1.0], ids=["a", "b", "z"], sources=["x", "y", "y"])
    rows = compare_arms({"second": {0: second}, "first": {0: first}})
    assert [(row.source, row.difference, row.pairs) for row in rows] == [
        ("x", 1.0, 1),
        ("y", 0.0, 1),
        ("all", 0.5, 2),
    ]


def test_arms_may_be_read_by_different_scores_and_against_any_arm() -> None:
    dpo = make_scores([-9.0, -9.0], implicit=[1.0, 1.0])
    standard = make_scores([1.0, -1.0])
    arms = {"dpo": {0: dpo}, "standard": {0: standard}}
    (row,) = compare_arms(arms, against="standard", score={"dpo": "implicit"})
    assert (row.arm, row.difference) == ("dpo", 0.5)


@pytest.mark.parametrize(
    ("arms", "options", "says"),
    [
        ({"a": {0: make_scores([1.0])}}, {}, "arms a"),
        ({"a": {0: make_scores([1.0])}, "b": {1: make_scores([1.0])}}, {}, "a of seeds 0"),
        ({"a": {0: make_scores([1.0])}, "b": {0: make_scores([1.0], ids=["other"])}}, {}, "different pairs"),
        ({"a": {0: make_scores([1.0])}, "b": {0: make_scores([1.0])}}, {"against": "c"}, "arm 'c'"),
        (
            {"a": {0: make_scores([1.0])}, "b": {0: make_scores([1.0])}},
            {"score": "implicit"},
            "no score 'implicit'",
        ),
    ],
)
def test_what_cannot_be_compared_is_refused(arms: dict, options: dict, says: str) -> None:
    with pytest.raises(SettingsError, match=says):
        compare_arms(arms, **options)
