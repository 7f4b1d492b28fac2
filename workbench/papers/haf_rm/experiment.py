"""The HaF-RM experiment: standard, hybrid and DPO reward models on the same pairs, seed by seed.

Source: HaF-RM: A Hybrid Alignment Framework for Reward Model Training.
"""

from __future__ import annotations

from contextlib import nullcontext
from dataclasses import dataclass, replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from workbench.models.loading import load_tokenizer
from workbench.papers.haf_rm.data import ExperimentData, Regime
from workbench.papers.haf_rm.declaration import Declaration
from workbench.papers.haf_rm.plan import Job, job_name, plan
from workbench.papers.haf_rm.scoring import measured
from workbench.rewards.token_trace import TokenTrace, trace
from workbench.store.cluster import Cluster
from workbench.store.fingerprint import fingerprint
from workbench.store.jobs import run_jobs
from workbench.training.settings import RewardTrainingSettings

if TYPE_CHECKING:
    from workbench.training.train import TrainedRewardModel

__all__ = [
    "Outcome",
    "Untrained",
    "keeping",
    "run_declared",
    "run_job",
    "train_job",
    "untrained",
]

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Outcome:
    """What one training gives."""

    arm: str
    regime: Regime
    trained_on: str
    seed: int
    log: tuple[dict[str, Any], ...]
    """The training's log."""
    rewards: Floats
    """Explicit reward of every text, NaN without a trained head. Shape [texts]."""
    policy_logps: Floats
    """`log pi(y|x)` of every text after training. Shape [texts]."""
    tokens: NDArray[np.int64]
    """Tokens of every response. Shape [texts]."""
    example: tuple[TokenTrace, TokenTrace] | None = None
    """One pair token by token: the chosen response and the rejected one."""


def run_declared(
    declaration: Declaration,
    data: ExperimentData,
    folder: Path,
    *,
    shared: Path | None = None,
    models: Path | None = None,
    workers: int | Cluster = 1,
    progress: bool = True,
) -> list[Outcome]:
    """Train and score everything that was declared. Killed, the same call goes on.

    Args:
        declaration: What to train.
        data: What on.
        folder: Where outcomes are kept as they come.
        shared: Where other calls' outcomes are kept too; see `run_jobs`.
        models: Where trained models are kept, a folder each, and checkpoints while they train: killed, a training
            goes on at its last one. None: no model is kept, and a training that was killed starts over.
        workers: Processes, or a cluster; see `run_jobs`.
        progress: Show a bar on a terminal.
    """
    planned = [keeping(job, models) for job in plan(declaration, data, folder / "reference")]
    jobs = {job_name(job): job for job in planned}
    return list(
        run_jobs(
            run_job, jobs, folder, shared=shared, workers=workers, label="trainings", progress=progress
        ).values()
    )


def keeping(job: Job, models: Path | None) -> Job:
    """Return a job that keeps its model in a folder of its own: another job, or other code, has another one.

    Args:
        job: The job.
        models: Where models are kept; None: it keeps none.
    """
    if models is None:
        return job
    return replace(job, kept=str(models / f"{job_name(job)}-{fingerprint([run_job, job])[:12]}"))


def train_job(job: Job) -> TrainedRewardModel:
    """Train one reward model; where it is kept, go on at its last checkpoint, or load it if it is done."""
    from transformers.utils import logging

    from workbench.training.train import train_reward_model

    logging.disable_progress_bar()  # of loading weights, which takes no time
    training = job.training
    if job.kept and not training.checkpoint_steps:
        training = replace(training, checkpoint_steps=RewardTrainingSettings.checkpoint_steps)
    # the checkpoints to choose the best from need a place, kept or not
    chooses = bool(job.eval_pairs) and not job.kept
    with TemporaryDirectory() if chooses else nullcontext(job.kept or None) as folder:
        return train_reward_model(
            job.model,
            load_tokenizer(job.model),
            job.pairs,
            training,
            folder=folder,
            eval_pairs=job.eval_pairs or None,
            lora=job.lora,
            reference_cache=job.reference_cache,
        )


def run_job(job: Job) -> Outcome:
    """Train one reward model, score all texts with it, and look at the example."""
    from workbench.rewards.scorer import Scorer, ScoringSettings

    trained, tokenizer = train_job(job), load_tokenizer(job.model)
    rows = 8 * job.training.micro_batch  # without gradients more fit than in training
    settings = ScoringSettings(job.training.encoding, batch_size=rows, beta=job.training.beta)
    scorer = Scorer(trained.model, tokenizer, settings)
    found = measured(scorer, job.texts)
    rewards = found["rewards"] if job.training.reward_weight else np.full(len(job.texts), np.nan)
    example = tuple(
        trace(scorer, job.example.prompt, text) for text in (job.example.chosen, job.example.rejected)
    )
    return Outcome(
        arm=job.arm,
        regime=job.regime,
        trained_on=job.trained_on,
        seed=job.seed,
        log=trained.log,
        rewards=rewards,
        policy_logps=found["policy_logps"],
        tokens=found["tokens"],
        example=(example[0], example[1]),
    )


@dataclass(frozen=True)
class Untrained:
    """What the backbone knows before any preference."""

    logps: Floats
    """`log ref(y|x)` of all texts. Shape [texts]."""
    example: tuple[TokenTrace, TokenTrace]
    """The example, chosen and rejected; its rewards say nothing."""


def untrained(declaration: Declaration, data: ExperimentData) -> Untrained:
    """Score all texts with the backbone as it is."""
    from workbench.models.reward_model import RewardModel
    from workbench.rewards.scorer import Scorer, ScoringSettings

    rows = 8 * declaration.training.micro_batch
    settings = ScoringSettings(declaration.training.encoding, batch_size=rows)
    scorer = Scorer(RewardModel.load(declaration.model), load_tokenizer(declaration.model), settings)
    pair = data.example
    example = trace(scorer, pair.prompt, pair.chosen), trace(scorer, pair.prompt, pair.rejected)
    return Untrained(measured(scorer, data.texts)["policy_logps"], example)
