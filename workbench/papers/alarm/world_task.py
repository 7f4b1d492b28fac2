"""What the tasks of our synthetic worlds share: a holistic reward model is trained for each seed, on noisy pairs."""

from __future__ import annotations

import random
from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from workbench.core.errors import SettingsError
from workbench.datasets.preference_pair import PreferencePair
from workbench.models.encoding import EncodingSettings
from workbench.models.loading import ModelSettings, load_tokenizer
from workbench.papers.alarm.held_out import ordered_share
from workbench.papers.alarm.task import (
    Prepared,
    SeedTask,
    TaskRewards,
    aspect_faults,
    count_faults,
    measured_pool,
)
from workbench.rewards import (
    Normalization,
    Normalized,
    Sample,
    SequenceModelReward,
    fit_normalization,
)
from workbench.training.ppo.settings import PPOSettings
from workbench.training.settings import RewardTrainingSettings
from workbench.worlds.passages.sampling import Candidates, all_pairs

__all__ = ["HELD_OUT", "WorldRewards", "WorldTask"]

HELD_OUT = "held-out accuracy"
TRAIN, TEST, PAIRS, POOL = range(4)
"""Uses of a seed's chance: prompts to train on, to test on, to make pairs of, to select aspects by."""
SAMPLES = 4
"""Answers to each prompt that pairs are made of, and aspects are selected by."""


@dataclass(frozen=True, kw_only=True)
class WorldRewards(ABC):
    """The rewards of a seed: a reward model in a folder, and what a world knows of its answers."""

    folder: str
    """Of the reward model."""
    encoding: EncodingSettings
    """How it reads."""
    normalization: Normalization
    """Of its scores."""
    aspects: tuple[str, ...]
    """Those that are measured."""

    def open(self) -> TaskRewards:
        """Load them."""
        model = ModelSettings(self.folder, device="cpu", dtype="float32")
        holistic = SequenceModelReward.load(model, self.encoding, batch_size=128)
        return self.beside(Normalized(holistic, self.normalization))

    @abstractmethod
    def beside(self, holistic: Normalized) -> TaskRewards:
        """Return aspects and truths beside a holistic reward that is loaded."""


@dataclass(frozen=True)
class WorldTask(ABC):
    """What a seed prepares in a synthetic world; see `Task`.

    Raises:
        SettingsError: A number or an aspect cannot be used; all faults are named.
    """

    ppo: PPOSettings
    """How policies train."""
    policy: ModelSettings
    """Who answers."""
    reader: ModelSettings
    """What the holistic reward model is made of."""
    reward_training: RewardTrainingSettings
    """How it trains: the standard Bradley-Terry loss."""
    aspects: tuple[str, ...]
    """Those that are measured; two at least."""
    pairs: int
    """Preference pairs that the holistic reward model learns from."""
    flipped: float
    """Share of their labels that are the wrong way round."""
    pair_prompts: int
    """Prompts with four answers each, that the pairs are drawn from."""
    pool_prompts: int
    """Prompts with four answers each, that aspects are selected by, and rewards are normalised on."""
    test_prompts: int
    """Prompts that trained policies answer."""

    def __post_init__(self) -> None:
        faults = count_faults(self, "pairs", "pair_prompts", "pool_prompts", "test_prompts")
        if not 0 <= self.flipped <= 0.5:
            faults.append((f"flipped {self.flipped}", "flipped: a share from 0 to 0.5"))
        faults += aspect_faults(self.aspects, self.known_aspects)
        if faults:
            raise SettingsError.listing(faults)

    @property
    @abstractmethod
    def known_aspects(self) -> tuple[str, ...]:
        """The world's aspects."""

    @abstractmethod
    def draw_prompt(self, source: random.Random) -> str:
        """Draw a prompt of the world."""

    @abstractmethod
    def sampler(self) -> Callable[..., list[Candidates]]:
        """Load the policy; return what samples its answers: takes prompts and, by name, `samples` and `seed`."""

    @abstractmethod
    def learned_pairs(self, candidates: Sequence[Candidates], seed: int) -> list[PreferencePair]:
        """Draw the noisy pairs that the holistic reward model learns from."""

    @abstractmethod
    def rewards(
        self, folder: Path, normalization: Normalization, samples: Sequence[Sample], seed: int
    ) -> WorldRewards:
        """Return a seed's rewards.

        Args:
            folder: Of the reward model.
            normalization: Of its scores.
            samples: The policy's answers before training, to normalise others on.
            seed: The seed.
        """

    def prompts(self, seed: int, use: int, count: int) -> list[str]:
        """Draw prompts for one of the uses of a seed's chance."""
        source = random.Random(f"{seed} {use}")
        return [self.draw_prompt(source) for _ in range(count)]

    def prepare(self, seed: int, folder: Path) -> Prepared:
        """Train a seed's holistic reward model on noisy pairs of the policy's own answers; measure all rewards.

        Args:
            seed: Of the pairs, their noise, the head's first weights, all prompts, and the errors of the aspects.
            folder: Where the reward model goes.
        """
        sampled = self.sampler()
        candidates = sampled(self.prompts(seed, PAIRS, self.pair_prompts), samples=SAMPLES, seed=seed)
        raw = self._trained(self.learned_pairs(candidates, seed), seed, folder)
        pool = sampled(self.prompts(seed, POOL, self.pool_prompts), samples=SAMPLES, seed=seed + 1)
        samples = [Sample(one.prompt, text) for one in pool for text in one.responses]
        normalization = fit_normalization(raw, samples)
        rewards = self.rewards(folder.resolve(), normalization, samples, seed)
        task = SeedTask(
            seed=seed,
            policy=self.policy,
            lora=None,
            train=self._asked(seed, TRAIN, (self.ppo.max_steps or 1) * self.ppo.batch),
            test=self._asked(seed, TEST, self.test_prompts),
            rewards=rewards,
            ppo=self.ppo,
        )
        measured = measured_pool(rewards.beside(Normalized(raw, normalization)), samples)
        return Prepared(task, measured, {HELD_OUT: ordered_share(raw, all_pairs(pool, "held out"))})

    def _asked(self, seed: int, use: int, count: int) -> tuple[Sample, ...]:
        return tuple(Sample(prompt, "") for prompt in self.prompts(seed, use, count))

    def _trained(self, pairs: Sequence[PreferencePair], seed: int, folder: Path) -> SequenceModelReward:
        """Train the holistic reward model, and save it."""
        from workbench.training.train import train_reward_model

        tokenizer, training = load_tokenizer(self.reader), replace(self.reward_training, seed=seed)
        model = train_reward_model(self.reader, tokenizer, pairs, training, folder=None).model
        model.save_pretrained(folder, tokenizer=tokenizer)
        return SequenceModelReward(model, tokenizer, training.encoding, batch_size=128)
