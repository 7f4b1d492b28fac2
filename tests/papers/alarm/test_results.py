"""What is said of outcomes: by hand-made ones, from tables to claims, and the kept table of many seeds."""

from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest
from alarm_findings import make_findings

from workbench.papers.alarm.arms import HIERARCHICAL, WEIGHTED_SUM
from workbench.papers.alarm.claims import gap_effect, left_out_gaps, mode_claims, selection_claims
from workbench.papers.alarm.results import rank_agreement
from workbench.papers.alarm.story import sentence_values
from workbench.papers.alarm.tables import facts_table, frontier_table
from workbench.papers.alarm.task import TaskRewards
from workbench.papers.alarm.wins import win_frame
from workbench.policies.outcomes import BEFORE
from workbench.rewards import OracleReward, Sample, Span


@pytest.fixture
def findings():
    return make_findings()


def test_modes_are_compared_at_their_weight_seed_by_seed(findings):
    found = findings.difference(HIERARCHICAL, WEIGHTED_SUM)
    assert found.seeds == 3
    assert found.estimate.value == pytest.approx(0.1 * 1.01)  # gaps 0.1, 0.101, 0.102
    claims = list(mode_claims(findings, "Here."))
    assert [claim.verdict for claim in claims] == ["supported"] * 6
    # every seed has four prompts of its own: the seeds' spread has the prompts' in it
    assert claims[3].interval == pytest.approx(found.estimate[1:])
    assert (claims[3].n, claims[3].seeds) == (12, 3)
    table = findings.differences_table(against=HIERARCHICAL)
    assert set(table["decoding"]) == {"sampled", "greedy"}
    assert (table["high"] < 0).all()


def test_arms_that_are_left_out_are_claims_that_nothing_was_measured_for(findings):
    some = replace(
        findings,
        declaration=findings.declaration.only([WEIGHTED_SUM, HIERARCHICAL]),
        outcomes=[found for found in findings.outcomes if found.arm in (BEFORE, WEIGHTED_SUM, HIERARCHICAL)],
    )
    claims = list(mode_claims(some, "Here."))
    assert [claim.measured is None for claim in claims] == [False, True, True, False, True, True]
    assert claims[1].note == "Not trained: holistic_only is not among the run's arms."
    apart, better, ranks = selection_claims(some, "Here.")  # no hierarchy with each aspect
    assert (apart.measured, better.measured, ranks.measured) == (1, None, None)
    assert set(some.differences_table(against=HIERARCHICAL)["arm"]) == {BEFORE, WEIGHTED_SUM}
    assert f"{some.judged_by} after training" in some.selection_table()
    assert list(win_frame(some.main_outcomes, "holistic")["arm"].unique()) == [
        BEFORE,
        WEIGHTED_SUM,
        HIERARCHICAL,
    ]
    assert set(frontier_table(some, "oracle")["arm"]) == {BEFORE, WEIGHTED_SUM, HIERARCHICAL}


def test_selection_is_set_beside_what_came_of_it(findings):
    table = findings.selection_table().set_index("aspect")
    assert table.loc["good", "inconsistency"] == 0
    assert table.loc["bad", "inconsistency with the oracle"] == 1
    assert table.loc["good", "oracle after training"] == pytest.approx(0.803)
    assert findings.rank_agreements() == pytest.approx([1.0] * 3)
    apart, better, ranks = selection_claims(findings, "Here.")
    assert apart.measured == 1
    assert (better.measured, better.n) == (pytest.approx(0.4 * 1.01), 12)
    assert ranks.measured == pytest.approx(1)
    assert apart.verdict == "undecided: p = 0.50"  # two aspects are in this order by chance often


def test_seeds_that_share_their_prompts_need_them_in_the_interval(findings):
    alike = tuple(f"prompt {number}" for number in range(4))
    shared = [
        replace(outcome, sampled=replace(outcome.sampled, prompts=alike), greedy=None)
        for outcome in findings.outcomes
    ]
    apart, *_ = selection_claims(replace(findings, outcomes=shared), "Here.")
    assert apart.verdict == "undecided: the interval does not cover other prompts"
    (*_, sums, _, _) = mode_claims(replace(findings, outcomes=shared), "Here.")
    assert sums.n == 4


def test_the_worst_and_the_best_aspect_are_named_by_the_other_seeds():
    table = np.array([[0.1, 0.2, 0.1], [0.4, 0.3, 0.5], [0.3, 0.4, 0.9]])
    assert left_out_gaps(table[None])[0] == pytest.approx([0.3 - 0.1, 0.4 - 0.2, 0.5 - 0.1])
    shares = {"a": table[0], "b": table[1], "c": table[2], "flat": [np.nan, 0.0, 0.0]}
    found = gap_effect(shares, own=True)
    assert found.estimate.value == pytest.approx(0.8 / 3)
    assert found.seeds == 3
    for few in ({"a": [0.1, 0.2]}, {"a": [0.1], "b": [0.2]}):
        assert gap_effect(few, own=True).estimate is None


def test_a_permutation_tells_how_often_chance_names_aspects_as_far_apart():
    shares = {"a": [0.1, 0.1, 0.1], "b": [0.2, 0.2, 0.2]}
    # of 2 ** 3 orders two (all the same way) give gaps of 0.1 three times, and the others less
    assert gap_effect(shares, own=True).p_value == pytest.approx(0.5, abs=0.05)


def test_aspects_that_differ_by_chance_alone_are_not_told_apart():
    generator = np.random.default_rng(0)
    gaps = left_out_gaps(generator.random((400, 3, 4))).mean(axis=1)
    assert abs(np.mean(gaps)) < 4 * np.std(gaps) / 400**0.5


def test_one_seed_decides_nothing(findings):
    alone = replace(
        findings,
        prepared={0: findings.prepared[0]},
        outcomes=[one for one in findings.outcomes if one.seed == 0],
    )
    assert {claim.verdict for claim in mode_claims(alone, "Here.")} == {"undecided: one seed"}


def test_tables_have_a_row_for_each_arm(findings):
    arms = [BEFORE, *findings.declaration.main_arms(("good",))]
    assert findings.behaviour_table()["arm"].tolist() == arms
    assert findings.rewards_table()["arm"].tolist() == arms
    assert "oracle, greedy" in findings.behaviour_table().columns
    wins = win_frame(findings.main_outcomes, "oracle").set_index(["arm", "against"])["rate"]
    assert wins[HIERARCHICAL, BEFORE] == 1
    assert len(wins) == len(arms) * (len(arms) - 1)
    curves = findings.curves(findings.quantities()["rewards"])
    assert set(curves["quantity"]) == {"oracle", "holistic reward", "good (chosen)", "KL, nats"}


def test_the_frontier_joins_weights_of_the_same_seeds_from_the_holistic_arm_on(findings):
    table = frontier_table(findings, "oracle")
    rows = table[table["arm"] == HIERARCHICAL]
    assert sorted(rows["weight"]) == [0.0, 0.3, 1.0]
    assert set(rows["seed"]) == {0}
    assert len(table[table["arm"] == "random gate"]) == 3


@pytest.mark.parametrize(
    ("outcomes", "expected"), [([3, 2, 1], 1.0), ([1, 2, 3], -1.0), ([2, 2, 2], 0.0), ([3, 1, 2], 0.5)]
)
def test_rank_agreement(outcomes, expected):
    assert rank_agreement([0.1, 0.2, 0.3], outcomes) == pytest.approx(expected)


def test_sentences_get_what_each_reward_says_of_them():
    class Each:
        name = "each"

        def __call__(self, samples):
            return [[Span(0, 4, 1.0), Span(5, 9, -1.0)] for _ in samples]

    holistic = OracleReward(lambda prompt, response: len(response) / 10, name="holistic")
    whole_answer = OracleReward(lambda prompt, response: 3.0, name="whole")
    sentences, values = sentence_values(
        TaskRewards(holistic, {"each": Each(), "whole": whole_answer}), Sample("p", "a b. c d.")
    )
    assert sentences == ["a b.", "c d."]
    assert values == {
        "holistic, change": [pytest.approx(0.4), pytest.approx(0.5)],
        "each": [1.0, -1.0],
        "whole": [None, 3.0],
    }


def test_facts_of_rewards_that_seeds_share_are_shown_once():
    shared, own = {"a": 0.5, "b": 2.0}, {"a": 1.0, "b": 2.0}
    alike = {seed: SimpleNamespace(facts=shared) for seed in (0, 1)}
    assert facts_table(alike).to_dict("list") == {"what": ["a", "b"], "mean": [0.5, 2.0]}
    apart = {0: SimpleNamespace(facts=shared), 7: SimpleNamespace(facts=own)}
    assert facts_table(apart).to_dict("list") == {
        "what": ["a", "b"],
        "mean": [0.75, 2.0],
        "seed 0": [0.5, 2.0],
        "seed 7": [1.0, 2.0],
    }
