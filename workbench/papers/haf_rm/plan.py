"""What the HaF-RM experiment trains: one job for each arm, pool, regime and seed of a declaration."""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import asdict, dataclass, fields, replace
from pathlib import Path
from typing import Any

from workbench.core.errors import SettingsError
from workbench.datasets.preference_pair import PreferencePair
from workbench.models.loading import ModelSettings
from workbench.models.lora import LoraSettings
from workbench.papers.haf_rm.data import ExperimentData, Regime, training_pairs
from workbench.papers.haf_rm.declaration import Arm, Declaration
from workbench.training.settings import RewardTrainingSettings

__all__ = ["Job", "job_name", "make_job", "plan", "training_settings"]


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
