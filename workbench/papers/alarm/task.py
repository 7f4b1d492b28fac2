"""What an ALaRM experiment trains on, seed by seed: the same for the synthetic worlds and for public data."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from workbench.core.errors import SettingsError
from workbench.models.loading import ModelSettings
from workbench.models.lora import LoraSettings
from workbench.rewards import Reward, Sample, Selection, pairs_within, select_aspects, sequence_score
from workbench.training.ppo.settings import PPOSettings

__all__ = [
    "Pool",
    "Prepared",
    "RewardSource",
    "SeedTask",
    "TaskRewards",
    "check_sizes",
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


@dataclass(frozen=True)
class Prepared:
    """What one seed has before any policy is trained."""

    task: SeedTask
    pool: Pool
    facts: Mapping[str, float] = field(default_factory=dict)
    """Facts about the holistic reward, such as its held-out accuracy."""


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


def check_sizes(flipped: float, **counts: int) -> None:
    """Refuse numbers that a world's task cannot be prepared with.

    Args:
        flipped: Share of labels that are the wrong way round.
        **counts: Of pairs and prompts, by the setting's name.

    Raises:
        SettingsError: One or more cannot be used; all of them are named.
    """
    faults = [(f"{name} {value}", f"{name}: at least 1") for name, value in counts.items() if value < 1]
    if not 0 <= flipped <= 0.5:
        faults.append((f"flipped {flipped}", "flipped: a share from 0 to 0.5"))
    if faults:
        raise SettingsError.listing(faults)
