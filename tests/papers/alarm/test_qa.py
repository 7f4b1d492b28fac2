"""A policy that is kept: killed in the midst of its training, it goes on, with the same outcome at the end."""

from dataclasses import dataclass, replace

import numpy as np
import pytest
from tiny_model import make_tiny_model

from workbench.models import LoraSettings, ModelSettings
from workbench.papers.alarm.arms import HIERARCHICAL, RANDOM_GATE, Arm
from workbench.papers.alarm.qa import Job, TrainingRun, run_job
from workbench.papers.alarm.task import SeedTask, TaskRewards
from workbench.rewards import OracleReward, Sample
from workbench.store.fingerprint import fingerprint
from workbench.training.ppo import FixedKL, PPOSettings, load_policy
from workbench.training.ppo.loop import TrainingLoop

PPO = PPOSettings(
    max_prompt_tokens=16, max_new_tokens=4, max_steps=3, batch=4, minibatch=4, micro_batch=4, kl=FixedKL(0.1),
    bf16=False, checkpoint_steps=1, progress=False,
)  # fmt: skip
TEST = (Sample("question 0", ""), Sample("question 1", ""))


class Killed(Exception):
    pass


@dataclass(frozen=True)
class Vowels:
    def open(self):
        vowels, length = (
            OracleReward(lambda prompt, text: sum(letter in "aeiou" for letter in text) - 1.0, name="vowels"),
            OracleReward(lambda prompt, text: float(len(text)), name="length of text"),
        )
        return TaskRewards(vowels, {"length": length})


@pytest.mark.parametrize("lora", [None, LoraSettings(rank=2, target_modules=("q_proj",))])
def test_a_kept_policy_goes_on_where_it_was_killed(tmp_path, monkeypatch, lora):
    policy = ModelSettings(str(make_tiny_model(tmp_path / "model")), device="cpu")
    prompts = tuple(Sample(f"question {i}", "") for i in range(6))
    task = SeedTask(3, policy, lora, prompts, TEST, Vowels(), PPO)
    arms = {kind: Arm(kind, ("length",), threshold=0.0) for kind in (HIERARCHICAL, RANDOM_GATE)}
    job = Job(task, tuple(TrainingRun(kind, arm, 3) for kind, arm in arms.items()), str(tmp_path / "whole"))
    expected = run_job(job)
    step = TrainingLoop._step

    def dying(self, number):
        if number == 2:
            raise Killed
        return step(self, number)

    killed = replace(job, kept=str(tmp_path / "killed"))
    with monkeypatch.context() as patch, pytest.raises(Killed):
        patch.setattr(TrainingLoop, "_step", dying)
        run_job(killed)
    for found, outcome in zip(run_job(killed), expected, strict=True):
        assert found.sampled.texts == outcome.sampled.texts and found.kl == outcome.kl
        np.testing.assert_array_equal(found.sampled.scores["holistic"], outcome.sampled.scores["holistic"])
    for planned in job.training_runs:
        assert load_policy(tmp_path / "killed" / planned.file, device="cpu").has_adapters is (
            lora is not None
        )
    # and nothing changes where nothing is kept
    assert [one.kl for one in run_job(replace(job, kept=""))] == [one.kl for one in expected]


def test_where_a_policy_is_kept_makes_no_other_job_but_that_it_is():
    task = SeedTask(0, ModelSettings("policy"), None, (), TEST, Vowels(), PPO)
    jobs = [Job(task, (), kept) for kept in ("", "here", "there")]
    assert fingerprint(jobs[1]) == fingerprint(jobs[2]) != fingerprint(jobs[0])
