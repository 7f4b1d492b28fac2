"""RLHF with the experiment's reward models: what is planned and shared, what is kept, and what is found by hand."""

import json
from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from tiny_model import make_tiny_model

from workbench.core.errors import SettingsError
from workbench.datasets.preference_pair import PreferencePair
from workbench.models import EncodingSettings, ModelSettings, RewardModel
from workbench.papers.haf_rm.claims import policy_claims
from workbench.papers.haf_rm.data import ExperimentData, Regime
from workbench.papers.haf_rm.declaration import Declaration
from workbench.papers.haf_rm.experiment import keeping, run_job
from workbench.papers.haf_rm.plan import plan
from workbench.papers.haf_rm.policies import plan_policies, run_policy_job, train_policies
from workbench.papers.haf_rm.policy_declaration import PolicyDeclaration
from workbench.papers.haf_rm.policy_results import (
    policy_curves,
    policy_differences,
    policy_pairs,
    policy_table,
)
from workbench.policies.outcomes import BEFORE, HOLISTIC, ORACLE, Answers, PolicyOutcome
from workbench.training import RewardTrainingSettings
from workbench.training.checkpoints import last_checkpoint
from workbench.training.ppo.kl import FixedKL
from workbench.training.ppo.loop import TrainingLoop
from workbench.training.ppo.settings import PPOSettings
from workbench.training.trainer import HybridRewardTrainer

PAIRS = [PreferencePair(f"question {i}", f"yes {i}", f"no {i}", "mine") for i in range(12)]
TESTS = {"mine": PAIRS[:3], "other": [PreferencePair("else", "yes", "no", "other")]}
DATA = ExperimentData({"mine": PAIRS}, TESTS)
PPO = PPOSettings(
    chat=False, max_prompt_tokens=24, max_new_tokens=4, max_steps=3, batch=4, minibatch=4, micro_batch=4,
    kl=FixedKL(0.1), bf16=False, too_short=None, checkpoint_steps=0, progress=False,
)  # fmt: skip
PLANNED = PolicyDeclaration(("standard", "hybrid 0.2"), (0, 1), PPO, test_prompts=2)


class Killed(Exception):
    pass


@pytest.fixture(scope="module")
def declaration(tmp_path_factory):
    model = make_tiny_model(tmp_path_factory.mktemp("tiny") / "model")
    encoding = EncodingSettings(template="{prompt}", chat=False, max_tokens=48, max_prompt_tokens=24)
    training = RewardTrainingSettings(
        max_steps=4, batch=4, micro_batch=4, learning_rate=1e-3, init_std=0.1, checkpoint_steps=2, progress=False,
        encoding=encoding,
    )  # fmt: skip
    return Declaration(
        ModelSettings(str(model), device="cpu"),
        alphas=(0.2,),
        regimes=(Regime(8),),
        seeds=(0, 1),
        training=training,
    )


def weights(folder):
    model = RewardModel.from_pretrained(folder, device="cpu")
    return {name: value.clone() for name, value in model.state_dict().items()}


def same(one, other):
    return one.keys() == other.keys() and all(torch.equal(value, other[name]) for name, value in one.items())


def test_the_reward_is_the_only_difference_of_the_policies_of_a_seed(declaration, tmp_path):
    jobs = plan_policies(PLANNED, declaration, DATA, tmp_path)
    assert [(job.arm, job.settings.seed) for job in jobs] == [
        (arm, seed) for seed in (0, 1) for arm in (BEFORE, "standard", "hybrid 0.2")
    ]
    assert len({job.name for job in jobs}) == 6
    first = jobs[:3]
    assert {(job.prompts, job.responses, job.test, job.settings) for job in first} == {
        (first[0].prompts, first[0].responses, first[0].test, replace(PPO, seed=0))
    }
    assert first[0].prompts == tuple(pair.prompt for pair in PAIRS)
    assert first[0].responses[:2] == (("question 0", "yes 0"), ("question 0", "no 0"))
    assert first[0].test == ("question 0", "question 1")  # two prompts of the test set of its kind
    trained = plan(declaration, DATA, tmp_path)
    assert [job.reward for job in first[1:]] == [
        next(job for job in trained if (job.arm, job.seed) == (arm, 0)) for arm in ("standard", "hybrid 0.2")
    ]


def test_a_declaration_says_all_that_is_wrong_with_it():
    with pytest.raises(SettingsError, match=r"algorithm 'dpo'; test_prompts 0"):
        replace(PLANNED, algorithm="dpo", test_prompts=0)
    with pytest.raises(SettingsError, match="group 3 with batch 4"):
        replace(PLANNED, algorithm="grpo", group=3)


def test_a_kept_reward_model_goes_on_where_it_was_killed(declaration, tmp_path, monkeypatch):
    """Killed at its third step, right after a checkpoint: the weights at the end, and the outcome, are the same."""
    job = plan(declaration, DATA, tmp_path / "reference")[1]
    whole = keeping(job, tmp_path / "whole")
    expected = run_job(whole)
    assert len(list((tmp_path / "whole").iterdir())) == 1
    kept = keeping(job, tmp_path / "models")
    step = HybridRewardTrainer.training_step

    def dying(self, *given, **how):
        if self.state.global_step == 2:
            raise Killed
        return step(self, *given, **how)

    with monkeypatch.context() as patch, pytest.raises(Killed):
        patch.setattr(HybridRewardTrainer, "training_step", dying)
        run_job(kept)
    (folder,) = (tmp_path / "models").iterdir()
    assert last_checkpoint(folder / "checkpoints").name == "checkpoint-2"
    found = run_job(kept)
    assert same(weights(kept.kept), weights(whole.kept))
    np.testing.assert_array_equal(found.rewards, expected.rewards)
    np.testing.assert_array_equal(run_job(job).rewards, expected.rewards)  # and where nothing is kept


def test_a_kept_policy_goes_on_where_it_was_killed(declaration, tmp_path, monkeypatch):
    planned = replace(PLANNED, seeds=(0,), ppo=replace(PPO, checkpoint_steps=1))
    jobs = {
        name: plan_policies(planned, declaration, DATA, tmp_path / "reference", tmp_path / name)[1]
        for name in ("whole", "models")
    }
    expected = run_policy_job(jobs["whole"])
    step = TrainingLoop._step

    def dying(self, number):
        if number == 2:
            raise Killed
        return step(self, number)

    with monkeypatch.context() as patch, pytest.raises(Killed):
        patch.setattr(TrainingLoop, "_step", dying)
        run_policy_job(jobs["models"])
    trained = []
    train = HybridRewardTrainer.training_step
    monkeypatch.setattr(
        HybridRewardTrainer, "training_step", lambda *a, **k: trained.append(1) or train(*a, **k)
    )
    found = run_policy_job(jobs["models"])
    assert not trained  # its reward model was kept
    assert found.sampled.texts == expected.sampled.texts and found.kl == expected.kl
    assert [row["reward"] for row in found.log] == [row["reward"] for row in expected.log]
    one, two = (json.loads(next((tmp_path / name).glob("policy-*/policy.json")).read_text()) for name in jobs)
    assert one == two


def test_policies_answer_the_same_prompts_and_each_has_its_own_reward(declaration, tmp_path):
    planned = replace(PLANNED, seeds=(0,))
    trained = train_policies(planned, declaration, DATA, tmp_path / "step", progress=False)
    outcomes = {outcome.arm: outcome for outcome in trained["mine"]}
    assert list(outcomes) == [BEFORE, "standard", "hybrid 0.2"]
    assert {outcome.sampled.prompts for outcome in outcomes.values()} == {("question 0", "question 1")}
    assert outcomes[BEFORE].kl == pytest.approx(0, abs=1e-4)
    assert not outcomes[BEFORE].log and not outcomes[BEFORE].sampled.scores
    assert len(outcomes["standard"].log) == 3 and set(outcomes["standard"].sampled.scores) == {HOLISTIC}
    table = policy_table(trained, DATA)
    assert "utility" not in table and len(table) == 3
    pairs = policy_pairs(planned, trained, DATA)
    assert [(pair.arm, pair.against, pair.test) for pair in pairs[::2]] == [
        ("hybrid 0.2", "standard", "mine"),
        ("standard", BEFORE, "mine"),
        ("hybrid 0.2", BEFORE, "mine"),
    ]
    assert not len(policy_differences(planned, trained, DATA))
    assert set(policy_curves(trained)["arm"]) == {"standard", "hybrid 0.2"}
    assert not list(policy_claims(planned, trained, SimpleNamespace(data=DATA)))


def test_prompts_that_do_not_fit_are_left_out_and_none_is_an_error(declaration, tmp_path):
    long = PreferencePair("question 0 " * 30, "yes", "no", "mine")
    data = replace(DATA, pools={"mine": [*PAIRS, long]}, tests={"mine": [PAIRS[0], long]})
    (before, *_) = plan_policies(PLANNED, declaration, data, tmp_path)
    with pytest.warns(UserWarning, match="1 of 2 prompts are left out: more than 24 tokens"):
        assert run_policy_job(before).sampled.prompts == ("question 0",)
    with pytest.raises(SettingsError, match="each of more than 24 tokens"):
        run_policy_job(replace(before, test=(long.prompt,)))


def outcome(arm, seed, utilities):
    answers = Answers(("a", "b", "c"), ("x", "y", "z"), np.array([1, 2, 3]), {ORACLE: np.array(utilities)})
    return PolicyOutcome(arm, seed, answers, kl=float(seed), log=({"step": 1, "reward": 1.0, "kl": 0.5},))


def test_utilities_and_their_differences_by_hand():
    """Test set `in` has prompts a and b, `out` has c; both weigh the same."""
    tests = {
        "in": [PreferencePair("a", "x", "y", "in"), PreferencePair("b", "x", "y", "in")],
        "out": [PreferencePair("c", "x", "y", "out")],
    }
    data = ExperimentData({"in": PAIRS}, tests, candidates={"in": ()})
    gains = {"standard": 0.0, "hybrid 0.2": 0.25, BEFORE: -0.25}
    trained = {
        "in": [
            outcome(arm, seed, [0.5 + gain, 0.25 + gain * seed, 0.5 + gain])
            for seed in (0, 1, 2)
            for arm, gain in gains.items()
        ]
    }
    table = policy_table(trained, data).set_index(["policy", "test set"])
    assert table.loc[("standard", "in"), "utility"] == pytest.approx(0.375)
    assert table.loc[("standard", "out"), ["KL", "tokens", "seeds"]].tolist() == [1.0, 3.0, 3]
    found = policy_differences(PLANNED, trained, data).set_index(["policy", "against"])
    # in: (0.25 + 0.25 * mean seed 1) / 2 = 0.25; out: 0.25
    assert found.loc[("hybrid 0.2", "standard"), "difference"] == pytest.approx(0.25)
    assert found.loc[("standard", BEFORE), "difference"] == pytest.approx(0.25)
    (claim,) = policy_claims(PLANNED, trained, SimpleNamespace(data=data))
    assert (claim.measured, claim.seeds, claim.n) == (pytest.approx(0.25), 3, 3)
    assert claim.verdict == "undecided: n = 3, fewer than 10"
