"""RLHF with the experiment's reward models: policies that differ in the reward that they are trained on.

Source: HaF-RM: A Hybrid Alignment Framework for Reward Model Training, its experiment on RLHF.
"""

from __future__ import annotations

import warnings
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, fields, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from workbench.core.errors import SettingsError
from workbench.models.loading import ModelSettings, load_tokenizer
from workbench.models.lora import LoraSettings
from workbench.papers.haf_rm.data import ExperimentData, training_pairs
from workbench.papers.haf_rm.declaration import Declaration
from workbench.papers.haf_rm.experiment import keeping, train_job
from workbench.papers.haf_rm.plan import Job, job_name, make_job
from workbench.papers.haf_rm.policy_declaration import PolicyDeclaration
from workbench.policies.outcomes import BEFORE, HOLISTIC, ORACLE, Answers, PolicyOutcome
from workbench.rewards.baselines import OracleReward
from workbench.rewards.normalization import Normalized, fit_normalization
from workbench.rewards.sequence_model import SequenceModelReward
from workbench.rewards.spans import Reward, Sample
from workbench.store.cluster import Cluster
from workbench.store.fingerprint import fingerprint
from workbench.store.jobs import run_jobs
from workbench.training.ppo.settings import PPOSettings
from workbench.worlds.passages.sampling import Candidates
from workbench.worlds.passages.utility import utility

if TYPE_CHECKING:
    from workbench.training.ppo.policy import ValuedPolicy
    from workbench.training.ppo.rollout import Collector

__all__ = ["PolicyJob", "plan_policies", "run_policy_job", "train_policies"]

NORMALIZED_ON = 500
"""Responses that a reward model's scores are z-normalised on: the first of the pool it was trained on."""


@dataclass(frozen=True)
class PolicyJob:
    """One policy to train, and the prompts that it answers then."""

    trained_on: str
    """The pool of its reward model, whose prompts it trains on."""
    reward: Job | None
    """The training of its reward model; None: the policy before training."""
    policy: ModelSettings
    lora: LoraSettings | None
    prompts: tuple[str, ...]
    """To train on."""
    responses: tuple[tuple[str, str], ...]
    """Prompts and responses that the reward is z-normalised on."""
    test: tuple[str, ...]
    """Held-out prompts."""
    exact: bool
    """Whether the utility of answers is known."""
    settings: PPOSettings
    algorithm: str
    group: int
    kept: str = ""
    """Where the policy stays, with checkpoints while it trains; empty: it is not kept. It changes no outcome."""

    def cache_key(self) -> dict[str, Any]:
        """Return what decides on the outcome, and whether the policy is kept."""
        decides = {field.name: getattr(self, field.name) for field in fields(self) if field.name != "kept"}
        return decides | ({"kept": True} if self.kept else {})

    @property
    def arm(self) -> str:
        """What tables call it: its reward model's arm."""
        return BEFORE if self.reward is None else self.reward.arm

    @property
    def name(self) -> str:
        """A name that is a file's too."""
        if self.reward is not None:
            return f"policy-{job_name(self.reward)}"
        words = f"{BEFORE} {self.trained_on} seed {self.settings.seed}"
        return "".join(letter if letter.isalnum() or letter in ".@+-" else "-" for letter in words)


def train_policies(
    planned: PolicyDeclaration,
    declaration: Declaration,
    data: ExperimentData,
    folder: Path,
    *,
    shared: Path | None = None,
    models: Path | None = None,
    workers: int | Cluster = 1,
    progress: bool = True,
) -> dict[str, list[PolicyOutcome]]:
    """Train and evaluate every declared policy. Killed, the same call goes on.

    Args:
        planned: What to train.
        declaration: Of the reward models. A model that was kept is loaded, another one trained again: the same seed
            and pairs give the same weights.
        data: Prompts to train on, and held-out ones.
        folder: Where outcomes are kept as they come.
        shared: Where other calls' outcomes are kept too; see `run_jobs`.
        models: Where reward models and policies are kept, with checkpoints; see `run_declared`.
        workers: Processes, or a cluster; see `run_jobs`.
        progress: Show a bar on a terminal.

    Returns:
        By what reward models were trained on; `BEFORE` is among the arms.
    """
    jobs = {job.name: job for job in plan_policies(planned, declaration, data, folder / "reference", models)}
    done = run_jobs(
        run_policy_job, jobs, folder, shared=shared, workers=workers, label="policies", progress=progress
    )
    found: dict[str, list[PolicyOutcome]] = {}
    for job, outcome in zip(jobs.values(), done.values(), strict=True):
        found.setdefault(job.trained_on, []).append(outcome)
    return found


def plan_policies(
    planned: PolicyDeclaration,
    declaration: Declaration,
    data: ExperimentData,
    reference_cache: Path,
    models: Path | None = None,
) -> list[PolicyJob]:
    """Return the jobs, seed by seed, so that what is there after an interruption is paired."""
    known = {arm.name: arm for arm in declaration.arms(declaration.main)}
    jobs = []
    for seed in planned.seeds:
        for trained_on, pool in data.pools.items():
            pairs = training_pairs(pool, declaration.main, source=trained_on, seed=seed)
            shared = PolicyJob(
                trained_on=trained_on,
                reward=None,
                policy=declaration.model,
                lora=declaration.lora,
                prompts=tuple(dict.fromkeys(one.prompt for one in pool)),
                responses=tuple(dict.fromkeys(_responses(pool)))[:NORMALIZED_ON],
                test=_held_out(data, trained_on, planned.test_prompts),
                exact=bool(data.candidates),
                settings=replace(planned.ppo, seed=seed),
                algorithm=planned.algorithm,
                group=planned.group,
            )
            jobs.append(shared)
            for arm in planned.arms:
                reward = make_job(
                    declaration, known[arm], declaration.main, trained_on, seed,
                    pairs=pairs, texts=data.texts, example=data.example, reference_cache=reference_cache,
                )  # fmt: skip
                jobs.append(_kept(replace(shared, reward=keeping(reward, models)), models))
    return jobs


def run_policy_job(job: PolicyJob) -> PolicyOutcome:
    """Train one policy on the scores of its reward model, and let it answer the held-out prompts."""
    from transformers import set_seed
    from transformers.utils import logging

    from workbench.training.ppo.policy import ValuedPolicy
    from workbench.training.ppo.rollout import Collector

    logging.disable_progress_bar()  # of loading weights, which takes no time
    tokenizer = load_tokenizer(job.policy)
    reward: Reward = OracleReward(lambda prompt, response: 0.0, name=HOLISTIC)
    if job.reward is not None:
        reward = _reward(job.reward, job.responses)
    set_seed(job.settings.seed)  # of adapters
    policy = ValuedPolicy.load(job.policy, lora=job.lora)
    # made before training: it holds the reference policy, from which KL is measured
    collect = Collector(policy, tokenizer, reward, job.settings)
    log: tuple[Mapping[str, Any], ...] = ()
    if job.reward is not None:
        log = _trained(job, policy, collect, reward)
    answers, kl = _answered(collect, job)
    return PolicyOutcome(job.arm, job.settings.seed, answers, kl, log=log)


def _reward(job: Job, responses: Sequence[tuple[str, str]]) -> Normalized:
    """Return a reward model as a reward: z-normalised, so that a KL coefficient weighs as much for every arm."""
    trained = train_job(job)
    raw = SequenceModelReward(
        trained.model,
        load_tokenizer(job.model),
        job.training.encoding,
        batch_size=8 * job.training.micro_batch,
    )
    return Normalized(raw, fit_normalization(raw, [Sample(*response) for response in responses]))


def _trained(
    job: PolicyJob, policy: ValuedPolicy, collect: Collector, reward: Reward
) -> tuple[Mapping[str, Any], ...]:
    """Train a policy in place; return the log."""
    from workbench.training.grpo import train_by_grpo
    from workbench.training.ppo.train import train_policy

    settings = job.settings
    if job.kept and not settings.checkpoint_steps:
        settings = replace(settings, checkpoint_steps=PPOSettings.checkpoint_steps)
    prompts = [one.sample for one in _that_fit(collect, job.prompts)]
    tokenizer, folder = collect.tokenizer, job.kept or None
    if job.algorithm == "grpo":
        return train_by_grpo(policy, tokenizer, prompts, reward, settings, folder=folder, group=job.group).log
    return train_policy(policy, tokenizer, prompts, reward, settings, folder=folder).log


def _that_fit(collect: Collector, prompts: Sequence[str]) -> list[Any]:
    """Return the encoded prompts that lose nothing to the budget, as the paper's release leaves out longer ones.

    A warning tells of how many.

    Raises:
        SettingsError: None fits.
    """
    from workbench.training.ppo.prompts import encode_prompts

    with warnings.catch_warnings():  # those that are cut are left out
        warnings.simplefilter("ignore", UserWarning)
        encoded = encode_prompts(list(prompts), collect.tokenizer, collect.policy, collect.settings)
    fitting = [one for one in encoded if not one.lost]
    if not fitting:
        raise SettingsError(
            got=f"{len(encoded)} prompts, each of more than {collect.settings.max_prompt_tokens} tokens",
            needed="prompts that a policy can read whole",
            fix="raise -p max_tokens: at most half of it is prompt",
        )
    if len(fitting) < len(encoded):
        longest = collect.settings.max_prompt_tokens
        warnings.warn(
            f"{len(encoded) - len(fitting):,} of {len(encoded):,} prompts are left out: more than {longest} tokens",
            stacklevel=2,
        )
    return fitting


def _answered(collect: Collector, job: PolicyJob) -> tuple[Answers, float]:
    """Return a policy's scored answers to the held-out prompts, and their mean KL to the reference policy in nats."""
    from workbench.training.ppo.answering import held_out_rollouts
    from workbench.training.ppo.kl import token_kl

    parts = held_out_rollouts(collect, _that_fit(collect, job.test))
    samples = [sample for part in parts for sample in part.samples]
    scores = {}
    if job.reward is not None:
        scores[HOLISTIC] = np.concatenate([part.rewards.sum(1).double().numpy() for part in parts])
    if job.exact:
        scores[ORACLE] = np.array([utility(sample.prompt, sample.response) for sample in samples])
    answers = Answers(
        prompts=tuple(sample.prompt for sample in samples),
        texts=tuple(sample.response for sample in samples),
        tokens=np.concatenate([part.mask.sum(1).numpy() for part in parts]),
        scores=scores,
    )
    kl = [token_kl(part.logps, part.reference_logps, part.mask).sum(1).numpy() for part in parts]
    return answers, float(np.concatenate(kl).mean())


def _kept(job: PolicyJob, models: Path | None) -> PolicyJob:
    """Return a job that keeps its policy in a folder of its own; see `keeping`."""
    if models is None:
        return job
    return replace(job, kept=str(models / f"{job.name}-{fingerprint([run_policy_job, job])[:12]}"))


def _responses(pool: Sequence[Any]) -> Iterator[tuple[str, str]]:
    """Yield prompts and responses of a pool."""
    for one in pool:
        texts = one.responses if isinstance(one, Candidates) else (one.chosen, one.rejected)
        for text in texts:
            yield one.prompt, text


def _held_out(data: ExperimentData, trained_on: str, most: int) -> tuple[str, ...]:
    """Return held-out prompts: of every test set where utility is known, else of those in distribution."""
    tests = [pairs for test, pairs in data.tests.items() if data.candidates or data.inside(trained_on, test)]
    few = [list(dict.fromkeys(pair.prompt for pair in pairs))[:most] for pairs in tests]
    return tuple(prompt for prompts in few for prompt in prompts)
