"""The ALaRM experiment on questions: every declared arm, trained by PPO, seed by seed.

Source: Lai et al. 2024, "ALaRM: Align Language Models via Hierarchical Rewards Modeling".
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from workbench.core.errors import SettingsError
from workbench.models.loading import load_tokenizer
from workbench.papers.alarm.arms import BEFORE, HIERARCHICAL, RANDOM_GATE, Arm, arm_reward
from workbench.papers.alarm.task import Prepared, SeedTask, Task, TaskRewards
from workbench.policies.outcomes import Answers, PolicyOutcome
from workbench.store.cluster import Cluster
from workbench.store.fingerprint import fingerprint
from workbench.store.jobs import run_jobs

if TYPE_CHECKING:
    from workbench.training.ppo.rollout import Collector

__all__ = ["GATE", "Job", "TrainingRun", "prepare_seeds", "run_job", "train_all", "train_arm"]

GATE = "upper zone"
"""Name of a measure: the share of answers above the threshold, for which the gate opens."""


@dataclass(frozen=True)
class TrainingRun:
    """One training run: an arm and a seed, under the name that tables show."""

    name: str
    arm: Arm
    seed: int

    @property
    def file(self) -> str:
        """The name as a file name."""
        words = f"{self.name} {self.arm.weight:g} seed {self.seed}"
        return "".join(letter if letter.isalnum() or letter == "." else "-" for letter in words)


@dataclass(frozen=True)
class Job:
    """Training runs of one process, in order: usually one; a random gate follows the hierarchy it copies."""

    task: SeedTask
    training_runs: tuple[TrainingRun, ...]
    kept: str = ""
    """Where their policies stay, a folder each, with checkpoints while they train; empty: they are not kept."""

    def cache_key(self) -> tuple[object, ...]:
        """Return what decides on the outcomes, and whether the policies are kept."""
        return (self.task, self.training_runs, "kept") if self.kept else (self.task, self.training_runs)


def prepare_seeds(
    task: Task,
    seeds: Sequence[int],
    *,
    workers: int | Cluster,
    folder: Path,
    shared: Path | None = None,
    progress: bool = True,
) -> dict[int, Prepared]:
    """Prepare every seed. Killed, the same call goes on.

    Args:
        task: What they are prepared from.
        seeds: To prepare.
        workers: Processes, or a cluster; see `run_jobs`.
        folder: Where results and reward models go.
        shared: Where other calls' results are kept too; see `run_jobs`.
        progress: Show a bar on a terminal.
    """
    jobs = {f"seed-{seed}": _Preparation(task, seed, folder / f"reward-model-{seed}") for seed in seeds}
    done = run_jobs(
        _prepared,
        jobs,
        folder / "seeds",
        shared=shared,
        workers=workers,
        label="reward models",
        progress=progress,
    )
    return dict(zip(seeds, done.values(), strict=True))


def train_all(
    training_runs: Iterable[TrainingRun],
    prepared: Mapping[int, Prepared],
    *,
    workers: int | Cluster,
    folder: Path,
    shared: Path | None = None,
    models: Path | None = None,
    progress: bool = True,
) -> list[PolicyOutcome]:
    """Train and evaluate every training run; what is finished stays on disk and is not repeated.

    A random gate is trained after the hierarchical arm of the same seed, aspects, weight and threshold, in the same
    job, with the pass rate of that arm's gate.

    Args:
        training_runs: What to train; `BEFORE` is added for each seed.
        prepared: By seed.
        workers: Processes, or a cluster; see `run_jobs`.
        folder: Where outcomes are kept, a file a job.
        shared: Where other calls' outcomes are kept too; see `run_jobs`.
        models: Where trained policies are kept, a folder each, and checkpoints while they train: killed, a training
            goes on at its last one. None: no policy is kept, and a training that was killed starts over.
        progress: Show a bar on a terminal.
    """
    jobs = {}
    for group in _grouped(training_runs):
        job = Job(prepared[group[0].seed].task, group)
        if models is not None:
            # other settings or other code have another folder
            job = replace(job, kept=str(models / f"{group[0].file}-{fingerprint([run_job, job])[:12]}"))
        jobs[group[0].file] = job
    jobs |= {f"before-seed-{seed}": Job(prepared_seed.task, ()) for seed, prepared_seed in prepared.items()}
    done = run_jobs(
        run_job, jobs, folder, shared=shared, workers=workers, label="policies", progress=progress
    )
    return [outcome for outcomes in done.values() for outcome in outcomes]


def run_job(job: Job) -> list[PolicyOutcome]:
    """Train the training runs of a job; without any, evaluate the policy before training."""
    from transformers.utils import logging

    logging.disable_progress_bar()  # of loading weights, which takes no time
    rewards = job.task.rewards.open()
    if not job.training_runs:
        return [train_arm(job.task, None, rewards, name=BEFORE)]
    outcomes: list[PolicyOutcome] = []
    for planned in job.training_runs:
        arm = planned.arm
        if arm.kind == RANDOM_GATE:
            rate = float(np.mean([row["gate_rate"] for row in outcomes[0].log if "gate_rate" in row]))
            arm = replace(arm, gate_rate=rate)
        kept = Path(job.kept, planned.file) if job.kept else None
        outcomes.append(train_arm(job.task, arm, rewards, name=planned.name, folder=kept))
    return outcomes


def train_arm(
    task: SeedTask, arm: Arm | None, rewards: TaskRewards, *, name: str, folder: Path | None = None
) -> PolicyOutcome:
    """Train a policy on an arm's reward, and let it answer the test prompts, sampled and greedily.

    Args:
        task: Of the seed.
        arm: None: the policy is not trained.
        rewards: Of the task.
        name: What tables call the outcome.
        folder: Where the policy stays, with checkpoints while it trains; None: it is not kept.
    """
    from transformers import set_seed

    from workbench.training.ppo import ValuedPolicy, train_policy
    from workbench.training.ppo.rollout import Collector

    tokenizer = load_tokenizer(task.policy)
    settings = replace(task.ppo, seed=task.seed)
    set_seed(task.seed)  # of adapters: a training that goes on begins with the same
    policy = ValuedPolicy.load(task.policy, lora=task.lora)
    watch = Arm(HIERARCHICAL, tuple(rewards.aspects)[:1], threshold=arm.threshold if arm else Arm.threshold)
    # made before training: it holds the reference policy, from which KL is measured
    collect = Collector(policy, tokenizer, arm_reward(watch, rewards, seed=task.seed), settings)
    log: tuple[Mapping[str, float], ...] = ()
    if arm is not None:
        reward = arm_reward(arm, rewards, seed=task.seed)
        if folder is not None and not settings.checkpoint_steps:
            settings = replace(settings, checkpoint_steps=type(settings).checkpoint_steps)
        log = train_policy(policy, tokenizer, task.train, reward, settings, folder=folder).log
    sampled, kl = _answered(collect, task, greedy=False)
    greedy, _ = _answered(collect, task, greedy=True)
    weight = arm.weight if arm is not None and arm.aspects else None
    return PolicyOutcome(name, task.seed, sampled, kl, greedy=greedy, weight=weight, log=log)


def _answered(collect: Collector, task: SeedTask, *, greedy: bool) -> tuple[Answers, float]:
    """Return a policy's scored answers to the test prompts, and their mean KL to the reference policy in nats."""
    from workbench.training.ppo.answering import held_out_rollouts
    from workbench.training.ppo.kl import token_kl
    from workbench.training.ppo.prompts import encode_prompts

    prompts = encode_prompts(task.test, collect.tokenizer, collect.policy, collect.settings)
    parts = held_out_rollouts(collect, prompts, greedy=greedy)
    scores = {
        GATE if name == "gate" else name: np.concatenate(
            [part.scores[name].double().numpy() for part in parts]
        )
        for name in parts[0].scores
    }
    kl = [token_kl(part.logps, part.reference_logps, part.mask).sum(1).numpy() for part in parts]
    answers = Answers(
        prompts=tuple(sample.prompt for sample in task.test),
        texts=tuple(sample.response for part in parts for sample in part.samples),
        tokens=np.concatenate([part.mask.sum(1).numpy() for part in parts]),
        scores=scores,
    )
    return answers, float(np.concatenate(kl).mean())


@dataclass(frozen=True)
class _Preparation:
    """One seed to prepare."""

    task: Task
    seed: int
    folder: Path

    def cache_key(self) -> tuple[object, ...]:
        """Return what the outcome depends on: not the folder."""
        return self.task, self.seed


def _prepared(job: _Preparation) -> Prepared:
    from transformers.utils import logging

    logging.disable_progress_bar()
    return job.task.prepare(job.seed, job.folder)


def _grouped(training_runs: Iterable[TrainingRun]) -> list[tuple[TrainingRun, ...]]:
    """Return the training runs of each job: a random gate goes with the hierarchy it copies.

    Raises:
        SettingsError: It has none.
    """
    given = list(training_runs)
    for count in (
        Counter(planned.file for planned in given),
        Counter(map(_place, filter(_is_random_gate, given))),
    ):
        if (name := next((name for name, times in count.items() if times > 1), None)) is not None:
            raise SettingsError(
                got=f"two training runs named {name}",
                needed="arms whose names differ in letters or digits, and one random gate for a hierarchical arm",
                fix="rename one, or give it another weight or threshold",
            )
    followers = {_place(planned): planned for planned in filter(_is_random_gate, given)}
    groups: list[tuple[TrainingRun, ...]] = []
    for planned in given:
        if planned.arm.kind == RANDOM_GATE:
            continue
        follower = followers.pop(_place(planned), None) if planned.arm.kind == HIERARCHICAL else None
        groups.append((planned,) if follower is None else (planned, follower))
    if followers:
        raise SettingsError(
            got=f"{', '.join(cell.file for cell in followers.values())} without the hierarchical arm that it copies",
            needed="a hierarchical arm of the same seed, aspects, weight and threshold",
            fix="declare that arm too",
        )
    return groups


def _is_random_gate(planned: TrainingRun) -> bool:
    return planned.arm.kind == RANDOM_GATE


def _place(planned: TrainingRun) -> tuple[int, tuple[str, ...], float, float]:
    """Return what a random gate shares with the hierarchy it copies."""
    return planned.seed, planned.arm.aspects, planned.arm.weight, planned.arm.threshold
