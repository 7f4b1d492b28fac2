"""Best-of-N by a judge: what each arm picks, and what verdicts add up to, by hand."""

from dataclasses import replace

import numpy as np
import pytest
from tiny_model import make_tiny_model

from workbench.core.errors import DataError
from workbench.datasets.preference_pair import PreferencePair
from workbench.models import ModelSettings
from workbench.papers.haf_rm.claims import haf_rm_claims
from workbench.papers.haf_rm.data import DataSettings, ExperimentData, Regime, prepare_data
from workbench.papers.haf_rm.declaration import Declaration
from workbench.papers.haf_rm.experiment import Outcome
from workbench.papers.haf_rm.judged import judged_rate, judged_table, picked_pairs
from workbench.papers.haf_rm.results import Findings
from workbench.rewards.best_of_n import PromptSamples
from workbench.rewards.judge import Preference

FIRST, SECOND, TIE, REFUSED = Preference.FIRST, Preference.SECOND, Preference.TIE, Preference.REFUSED
MAIN = Regime(20)
DATA = ExperimentData(
    pools={"set": []},
    tests={"set": [PreferencePair("p", "a", "b", "set")]},
    answers={"set": [PromptSamples("p", ("a", "b", "c")), PromptSamples("q", ("d", "d", "e"))]},
)


@pytest.fixture
def findings():
    """Texts: pa pb pc qd qe. The standard arm picks b and d; the hybrid c and e; both in one more seed b and e."""

    def outcome(arm, seed, rewards):
        tokens = np.full(5, 3)
        return Outcome(arm, MAIN, "set", seed, (), np.array(rewards, float), np.zeros(5), tokens)

    assert DATA.texts == [("p", "a"), ("p", "b"), ("p", "c"), ("q", "d"), ("q", "e")]
    outcomes = [
        outcome("standard", 0, [0, 2, 1, 1, 0]),
        outcome("hybrid 0.2", 0, [0, 1, 2, 0, 1]),
        outcome("standard", 1, [0, 1, 1, 0, 1]),
        outcome("hybrid 0.2", 1, [0, 2, 1, 0, 1]),
    ]
    declared = Declaration(ModelSettings("backbone"), regimes=(MAIN,), seeds=(0, 1))
    return Findings(declared, DATA, outcomes, np.zeros(5))


def test_each_arm_meets_the_standard_one_and_the_first_answer(findings):
    found = {(one.arm, one.against, one.seed): [] for one in picked_pairs(findings, MAIN)}
    for one in picked_pairs(findings, MAIN):
        found[one.arm, one.against, one.seed].append((one.comparison.first, one.comparison.second))
    assert found == {
        ("standard", "the first answer", 0): [("b", "a"), ("d", "d")],
        ("standard", "the first answer", 1): [("b", "a"), ("e", "d")],
        ("hybrid 0.2", "the first answer", 0): [("c", "a"), ("e", "d")],
        ("hybrid 0.2", "the first answer", 1): [("b", "a"), ("e", "d")],
        ("hybrid 0.2", "standard", 0): [("c", "b"), ("e", "d")],
        ("hybrid 0.2", "standard", 1): [("b", "b"), ("e", "e")],
    }


def test_verdicts_become_rates_and_a_claim(findings):
    pairs = picked_pairs(findings, MAIN)
    given = {("c", "b"): FIRST, ("e", "d"): FIRST, ("b", "a"): REFUSED, ("c", "a"): SECOND}
    verdicts = [given.get(one.comparison[1:], TIE) for one in pairs]
    table = judged_table(pairs, verdicts).set_index(["arm", "against"])
    assert table.loc[("hybrid 0.2", "standard"), "win rate"] == 0.75  # two wins, two ties
    assert table.loc[("hybrid 0.2", "standard"), "same answer"] == 0.5
    # one seed has no verdict on "p": what counts is "q", which both won
    assert table.loc[("hybrid 0.2", "the first answer"), "win rate"] == 1.0
    assert table.loc[("hybrid 0.2", "the first answer"), "refused"] == 1
    assert set(table["prompts"]) == {2} and set(table["seeds"]) == {2}
    claim = list(haf_rm_claims(findings, pairs, verdicts))[-1]
    assert (claim.measured, claim.threshold, claim.n, claim.seeds) == (0.75, 0.5, 2, 2)
    # One seed won both prompts, the other tied twice: two seeds so far apart decide nothing.
    assert claim.supported is None
    assert claim.interval == (0.0, 1.0)
    with pytest.raises(DataError, match="no verdict in 1 "):
        judged_rate(pairs[:1], [REFUSED])


def test_without_answers_there_is_nothing_to_judge(findings):
    assert picked_pairs(replace(findings, data=replace(DATA, answers={})), MAIN) == ()


def test_the_backbone_answers_prompts_of_a_data_set(tmp_path):
    model = make_tiny_model(tmp_path / "model")
    rows = "".join(
        f'{{"prompt": "question {i}", "chosen": "yes {i}", "rejected": "no"}}\n' for i in range(400)
    )
    (tmp_path / "pairs.jsonl").write_text(rows)
    settings = DataSettings(
        (str(tmp_path / "pairs.jsonl"),), test_prompts=4, samples=2, judged_prompts=3, max_new_tokens=4
    )
    (answers,) = prepare_data(settings, ModelSettings(str(model), device="cpu")).answers.values()
    assert [len(one.responses) for one in answers] == [2, 2, 2]
    assert all(one.prompt.startswith("question ") for one in answers)
    again = prepare_data(settings, ModelSettings(str(model), device="cpu")).answers
    assert list(again.values()) == [answers]
    assert not prepare_data(
        replace(settings, judged_prompts=0), ModelSettings(str(model), device="cpu")
    ).answers
