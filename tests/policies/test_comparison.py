"""Policies compared, by hand-computed values."""

import math

import numpy as np
import pytest

from workbench.core.errors import SettingsError
from workbench.core.paired import LONG
from workbench.core.statistics import wilson_interval
from workbench.policies.comparison import difference, mean_table, win_matrix
from workbench.policies.frontier import frontier, hacking_alarm
from workbench.policies.outcomes import BEFORE, Answers, PolicyOutcome, measures, own_prompts, scored_answers
from workbench.rewards.judge import Preference

PROMPTS = ("p", "q", "r", "s")


def answers(oracle, holistic=(0.0, 0.0, 0.0, 0.0), prompts=PROMPTS):
    scores = {"oracle": np.array(oracle, float), "holistic": np.array(holistic, float)}
    texts = tuple(f"worth {value:g}" for value in oracle)
    return Answers(prompts, texts, np.arange(len(prompts)), scores)


def outcome(arm, seed, oracle, holistic=(0.0, 0.0, 0.0, 0.0), *, kl=0.0, weight=None):
    return PolicyOutcome(arm, seed, answers(oracle, holistic), kl, weight=weight)


def test_a_win_is_one_a_tie_half_and_both_ways_add_up_to_one():
    found = win_matrix([outcome("a", 0, [1, 0, 3, 4]), outcome("b", 0, [0, 0, 5, 1])], "oracle")
    one, other = found
    assert (one.arm, one.other, one.rate, one.ties) == ("a", "b", (1 + 0.5 + 0 + 1) / 4, 0.25)
    assert one.rate + other.rate == 1
    assert 0 <= one.low < one.rate < one.high <= 1
    assert (one.comparisons, one.refused, one.seeds) == (4, 0, 1)


def test_over_seeds_the_interval_is_students():
    seeds = [
        one
        for seed, wins in enumerate((2, 3, 4))
        for one in (outcome("a", seed, [1] * wins + [0] * (4 - wins)), outcome("b", seed, [0.5] * 4))
    ]
    cell = win_matrix(seeds, "oracle")[0]
    rates = np.array([0.5, 0.75, 1.0])
    half = 4.3027 * rates.std(ddof=1) / math.sqrt(3)  # t of 2 degrees of freedom
    assert cell.rate == pytest.approx(0.75)
    assert cell.low == pytest.approx(0.75 - half, abs=1e-4)
    assert cell.high == 1.0  # a share ends there
    assert cell.seeds == 3


@pytest.mark.parametrize("seeds", [1, 2])
def test_seeds_that_agree_by_chance_leave_wilsons_interval(seeds):
    outcomes = [
        one for seed in range(seeds) for one in (outcome("a", seed, [1] * 4), outcome("b", seed, [0] * 4))
    ]
    cell = win_matrix(outcomes, "oracle")[0]
    assert (cell.rate, (cell.low, cell.high)) == (1.0, wilson_interval(4 * seeds, 4 * seeds))


class Chooser:
    """Prefers the longer text, will not judge the prompt q."""

    name = "chooser"

    def compare_all(self, comparisons):
        verdicts = {True: Preference.FIRST, False: Preference.SECOND}
        return [
            Preference.REFUSED if one.prompt == "q" else verdicts[one.first > one.second]
            for one in comparisons
        ]

    def compare(self, prompt, first, second):
        raise AssertionError("all are asked at once")


def test_a_judge_compares_texts_and_what_it_refuses_does_not_count():
    cell, _ = win_matrix([outcome("a", 0, [9, 9, 1, 9]), outcome("b", 0, [1, 1, 9, 1])], Chooser())
    assert cell.rate == pytest.approx(2 / 3)
    assert (cell.comparisons, cell.refused) == (3, 1)


@pytest.mark.parametrize(
    ("outcomes", "score", "said"),
    [
        ([outcome("a", 0, [1] * 4), outcome("a", 0, [1] * 4)], "oracle", "two outcomes of 'a'"),
        ([outcome("a", 0, [1] * 4), outcome("b", 0, [1] * 4)], "worth", "without the score 'worth'"),
        (
            [
                outcome("a", 0, [1] * 4),
                PolicyOutcome("b", 0, answers([1] * 4, prompts=("p", "q", "r", "t")), 0.0),
            ],
            "oracle",
            "different prompts",
        ),
    ],
)
def test_what_cannot_be_compared_is_refused(outcomes, score, said):
    with pytest.raises(SettingsError, match=said):
        win_matrix(outcomes, score)


def test_greedy_answers_that_are_not_there_are_asked_for():
    with pytest.raises(SettingsError, match="without greedy answers"):
        win_matrix([outcome("a", 0, [1] * 4), outcome("b", 0, [1] * 4)], "oracle", decoding="greedy")


def test_answers_of_other_numbers_are_refused():
    with pytest.raises(SettingsError, match="3 oracle"):
        Answers(PROMPTS, ("", "", "", ""), np.zeros(4, int), {"oracle": np.zeros(3)})


def trained(holistic, oracle):
    """Return three seeds before training and after it, the change of every seed given."""
    rows = []
    for seed in range(3):
        rows.append(outcome(BEFORE, seed, [0.5] * 4, [0.0] * 4))
        rows.append(outcome("a", seed, [0.5 + oracle[seed]] * 4, [holistic[seed]] * 4, kl=2.0 + seed))
    return measures(rows)


def test_differences_are_paired_by_seed():
    effect = difference(trained([1, 1, 1], [0.1, 0.2, 0.3]), "a", BEFORE, "oracle")
    found = effect.estimate
    assert (effect.seeds, effect.freedom, effect.covers_units) == (3, 2, False)
    assert found.value == pytest.approx(0.2)
    assert found.high - found.value == pytest.approx(4.3027 * 0.1 / math.sqrt(3), abs=1e-4)
    nothing = difference(trained([1, 1, 1], [0.1] * 3), "a", "b", "oracle")
    assert (nothing.estimate, nothing.seeds) == (None, 0)


def test_answers_are_a_long_table_by_prompt():
    outcomes = [outcome(arm, seed, [seed, 1, 2, 3]) for arm in ("a", "b") for seed in (0, 1)]
    table = scored_answers(outcomes, "oracle")
    assert tuple(table.columns) == LONG
    assert table[(table["arm"] == "a") & (table["seed"] == 1)]["value"].tolist() == [1, 1, 2, 3]
    assert not own_prompts(outcomes)
    assert own_prompts(outcomes[:1])


@pytest.mark.parametrize(
    ("holistic", "oracle", "verdict", "hacked"),
    [
        ([1.0, 1.1, 0.9], [-0.2, -0.21, -0.19], "hacked", 3),
        ([1.0, 1.1, 0.9], [0.2, 0.21, 0.19], "sound", 0),
        ([1.0, 1.1, 0.9], [0.2, -0.2, 0.1], "unclear", 1),
        ([-1.0, -1.1, -0.9], [-0.2, -0.21, -0.19], "unclear", 0),
    ],
)
def test_reward_up_and_truth_down_is_hacking(holistic, oracle, verdict, hacked):
    (alarm,) = hacking_alarm(trained(holistic, oracle))
    assert (alarm.arm, alarm.verdict, alarm.hacked, alarm.seeds) == ("a", verdict, hacked, 3)


def test_the_frontier_has_a_row_a_training():
    found = frontier(trained([1, 1, 1], [0.1, 0.2, 0.3]), arms=["a"])
    assert found["kl"].tolist() == [2.0, 3.0, 4.0]
    assert found["oracle"].tolist() == pytest.approx([0.6, 0.7, 0.8])


def test_means_keep_weights_apart_and_one_seed_has_no_interval():
    rows = [outcome("a", 0, [1] * 4, weight=0.1), outcome("a", 0, [3] * 4, weight=1.0)]
    table = mean_table(measures(rows), ["oracle"])
    assert table["value"].tolist() == [1.0, 3.0]
    assert table["low"].isna().all()


def test_wins_among_what_is_decided_stand_beside_the_rate():
    """Two wins, a loss and a tie; then nothing but ties, which the authors count as half."""
    wins = [outcome("one", 0, [1.0, 1.0, 0.0, 0.5]), outcome("two", 0, [0.0, 0.0, 1.0, 0.5])]
    first, second = win_matrix(wins, "oracle")
    assert (first.rate, first.decided) == (2.5 / 4, 2 / 3)
    assert second.decided == pytest.approx(1 / 3)
    assert {cell.decided for cell in win_matrix(wins, "holistic")} == {0.5}
