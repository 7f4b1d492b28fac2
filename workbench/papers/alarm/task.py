"""What an ALaRM experiment trains on, seed by seed: the same for the synthetic worlds and for public data."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

import numpy as np
from numpy.typing import NDArray

from workbench.models.loading import ModelSettings
from workbench.models.lora import LoraSettings
from workbench.rewards import Reward, Sample, Selection, pairs_within, select_aspects, sequence_score
from workbench.training.ppo.settings import PPOSettings

if TYPE_CHECKING:
    import pandas as pd

__all__ = [
    "Pool",
    "Prepared",
    "RewardSource",
    "SeedTask",
    "Task",
    "TaskRewards",
    "aspect_faults",
    "count_faults",
    "measured_pool",
    "sample_values",
]

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class TaskRewards:
    """The rewards of a task, ready to score."""

    holistic: Reward
    """z-normalised."""
    aspects: Mapping[str, Reward]
    """By name."""
    truths: Mapping[str, Reward] = field(default_factory=dict)
    """The true quality of answers: `ORACLE` and more, by name; none where it is not known."""


class RewardSource(Protocol):
    """Where rewards come from: small enough to be sent to another process."""

    def open(self) -> TaskRewards:
        """Load them."""


@dataclass(frozen=True)
class SeedTask:
    """One seed's prompts, policy and rewards. All arms of the seed share them."""

    seed: int
    policy: ModelSettings
    lora: LoraSettings | None
    train: tuple[Sample, ...]
    """Prompts to train on; the responses are empty."""
    test: tuple[Sample, ...]
    """Prompts to answer after training: of this seed alone, where prompts can be had without end."""
    rewards: RewardSource
    ppo: PPOSettings
    """How all arms train, but for the seed."""


@dataclass(frozen=True)
class Pool:
    """Answers of the policy before training, and their scores by every reward."""

    prompts: tuple[str, ...]
    """The prompt of each answer."""
    scores: Mapping[str, Floats]
    """By name: the holistic reward as `holistic`, aspects, and truths. Shape [answers]."""
    selection: Selection
    """The aspects by inconsistency with the holistic reward, over all pairs of answers to the same prompt."""
    samples: tuple[Sample, ...] = ()
    """The answers."""

    @property
    def aspects(self) -> tuple[str, ...]:
        """The names of all aspects, in the order of the task."""
        known = {row.name for row in self.selection.table}
        return tuple(name for name in self.scores if name in known)


@dataclass(frozen=True)
class Prepared:
    """What one seed has before any policy is trained."""

    task: SeedTask
    pool: Pool
    facts: Mapping[str, float] = field(default_factory=dict)
    """Facts about the holistic reward, such as its held-out accuracy."""


class Task(Protocol):
    """What a seed is prepared from: questions or translations, of a synthetic world or of public data.

    A frozen dataclass: its fields are its settings, small enough to be sent to another process.
    """

    @property
    def aspects(self) -> tuple[str, ...]:
        """The aspects that are measured, in the order of tables."""

    @property
    def where(self) -> str:
        """What claims say of where they were measured: a sentence."""

    def described(self) -> pd.DataFrame | None:
        """Return a table of the aspects; None where there is nothing to say beyond their names."""

    def prepare(self, seed: int, folder: Path) -> Prepared:
        """Make what a seed has before any policy is trained.

        Args:
            seed: The seed.
            folder: Of the seed, for models that are trained; what all seeds share lies beside it.
        """


def measured_pool(rewards: TaskRewards, answers: Sequence[Sample | tuple[str, str]], keep: int = 1) -> Pool:
    """Score answers by every reward, and select aspects by their inconsistency with the holistic reward.

    Args:
        rewards: Of the task.
        answers: Several a prompt: samples, or prompts and answers.
        keep: Aspects to choose at most.
    """
    samples = [answer if isinstance(answer, Sample) else Sample(*answer) for answer in answers]
    aspects = {name: sample_values(reward, samples) for name, reward in rewards.aspects.items()}
    holistic = sample_values(rewards.holistic, samples)
    prompts = tuple(sample.prompt for sample in samples)
    selection = select_aspects(aspects, holistic, pairs_within(prompts), keep=keep)
    truths = {name: sample_values(reward, samples) for name, reward in rewards.truths.items()}
    return Pool(prompts, {"holistic": holistic, **aspects, **truths}, selection, tuple(samples))


def sample_values(reward: Reward, samples: Sequence[Sample]) -> Floats:
    """Return one number for each sample, shape [samples]; unlike `reward_values`, with its metadata."""
    spans = reward(samples)
    scores = [
        sequence_score(values, len(sample.response)) for values, sample in zip(spans, samples, strict=True)
    ]
    return np.array(scores, dtype=np.float64)


def count_faults(task: object, *names: str) -> list[tuple[str, str]]:
    """Return what is wrong with a task's counts, those below 1: for `SettingsError.listing`."""
    counts = {name: getattr(task, name) for name in names}
    return [(f"{name} {value}", f"{name}: at least 1") for name, value in counts.items() if value < 1]


def aspect_faults(aspects: Sequence[str], known: Sequence[str]) -> list[tuple[str, str]]:
    """Return what is wrong with the choice of a task's aspects: for `SettingsError.listing`."""
    if len(set(aspects)) >= 2 and set(aspects) <= set(known):
        return []
    return [(f"aspects {', '.join(aspects)}", f"aspects: two or more of {', '.join(known)}")]
