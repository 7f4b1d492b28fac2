"""The HaF-RM experiment: standard, hybrid and DPO reward models on the same pairs, seed by seed.

Source: HaF-RM: A Hybrid Alignment Framework for Reward Model Training.
"""

from __future__ import annotations

import random
from collections.abc import Sequence
from contextlib import nullcontext
from dataclasses import asdict, dataclass, fields, replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from workbench.core.errors import SettingsError
from workbench.datasets.preference_pair import PreferencePair
from workbench.models.loading import ModelSettings, load_tokenizer
from workbench.models.lora import LoraSettings
from workbench.papers.haf_rm.data import ExperimentData, Regime, training_pairs
from workbench.papers.haf_rm.declaration import Arm, Declaration
from workbench.papers.haf_rm.scoring import measured
from workbench.rewards.token_trace import TokenTrace, trace
from workbench.store.cluster import Cluster
from workbench.store.fingerprint import fingerprint
from workbench.store.jobs import run_jobs
from workbench.training.settings import RewardTrainingSettings

if TYPE_CHECKING:
    from workbench.training.train import TrainedRewardModel

__all__ = [
    "Job",
    "Outcome",
    "Untrained",
    "job_name",
    "keeping",
    "make_job",
    "plan",
    "run_declared",
    "run_job",
    "train_job",
    "untrained",
]

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Job:
    """One training, and what is scored after it."""

    arm: str
    regime: Regime
    trained_on: str
    seed: int
    model: ModelSettings
    lora: LoraSettings | None
    training: RewardTrainingSettings
    pairs: tuple[PreferencePair, ...]
    texts: tuple[tuple[str, str], ...]
    example: PreferencePair
    reference_cache: str
    """A folder, which does not change the outcome."""
    eval_pairs: tuple[PreferencePair, ...] = ()
    """What the best checkpoint is chosen by; none where the last weights are kept."""
    kept: str = ""
    """Where the trained model stays, with checkpoints while it trains; empty: it is not kept. The same."""

    def cache_key(self) -> dict[str, Any]:
        """Return what decides on the outcome, and whether the model is kept: it is then there where it is asked."""
        places = ("reference_cache", "kept")
        decides = {
            field.name: getattr(self, field.name) for field in fields(self) if field.name not in places
        }
        return decides | ({"kept": True} if self.kept else {})


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


def plan(declaration: Declaration, data: ExperimentData, reference_cache: Path) -> list[Job]:
    """Return the jobs of a declaration, seed by seed, so that what is there after an interruption is paired."""
    texts = data.texts
    jobs: list[Job] = []
    for number, seed in enumerate(declaration.seeds):
        for trained_on, pool in data.pools.items():
            for regime in declaration.regimes:
                pairs = training_pairs(pool, regime, source=trained_on, seed=seed)
                arms = declaration.arms(regime)
                if regime == declaration.main and number < declaration.quantized_seeds:
                    arms = [*arms, declaration.quantized]
                jobs += [
                    make_job(
                        declaration,
                        arm,
                        regime,
                        trained_on,
                        seed,
                        pairs=pairs,
                        texts=texts,
                        example=data.example,
                        reference_cache=reference_cache,
                    )
                    for arm in arms
                ]
    return jobs


def make_job(
    declaration: Declaration,
    arm: Arm,
    regime: Regime,
    trained_on: str,
    seed: int,
    *,
    pairs: Sequence[PreferencePair],
    texts: Sequence[tuple[str, str]],
    example: PreferencePair,
    reference_cache: Path,
) -> Job:
    """Return one training of a declaration.

    Args:
        declaration: What all share, and what tuning chose.
        arm: How it trains.
        regime: What `pairs` were drawn for.
        trained_on: The pool that they were drawn from.
        seed: Of order and first weights.
        pairs: What it trains on.
        texts: What it scores then.
        example: What it looks at token by token.
        reference_cache: Where the reference's log-probabilities are kept for all arms.
    """
    training = training_settings(declaration, arm, seed)
    held = _held_back(pairs, seed) if training.keep_best else frozenset()
    return Job(
        arm=arm.name,
        regime=regime,
        trained_on=trained_on,
        seed=seed,
        model=declaration.model_of(arm),
        lora=declaration.lora_of(arm),
        training=training,
        pairs=tuple(pair for pair in pairs if pair.prompt not in held),
        eval_pairs=tuple(pair for pair in pairs if pair.prompt in held),
        texts=tuple(texts),
        example=example,
        reference_cache=str(reference_cache),
    )


def _held_back(pairs: Sequence[PreferencePair], seed: int) -> frozenset[str]:
    """Return the prompts of a twentieth of the training pairs: the best checkpoint is never chosen by test pairs."""
    prompts = list(dict.fromkeys(pair.prompt for pair in pairs))
    return frozenset(random.Random(f"{seed} held back").sample(prompts, -(-len(prompts) // 20)))


def training_settings(declaration: Declaration, arm: Arm, seed: int) -> RewardTrainingSettings:
    """Return an arm's settings: what all share, what makes the arm, and what tuning chose for it.

    Raises:
        SettingsError: The arm or its tuning has a setting that there is not.
    """
    tuned = dict(declaration.tuned.get(arm.tuned_as or arm.name, {}))
    known = set(asdict(declaration.training))
    for what, given, fix in (
        ("tuned settings", set(tuned), "tune again"),
        ("changes", set(arm.changes), "correct the arm"),
    ):
        if given - known:
            raise SettingsError(
                got=f"{what} {', '.join(sorted(given - known))} of {arm.name}",
                needed=f"settings of RewardTrainingSettings: {', '.join(sorted(known))}",
                fix=fix,
            )
    made: dict[str, Any] = {"alpha": arm.alpha, "reward_weight": arm.reward_weight, "seed": seed}
    if declaration.training.keep_best and arm.score == "implicit":
        made["best_metric"] = "implicit_accuracy"
    return replace(declaration.training, **(made | tuned | dict(arm.changes)))


def job_name(job: Job) -> str:
    """Return a name that is a file's too."""
    words = f"{job.trained_on} {job.regime.pairs}@{job.regime.flipped:g} {job.arm} seed {job.seed}"
    return "".join(letter if letter.isalnum() or letter in ".@+-" else "-" for letter in words)


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
