"""Translations of our small world for the ALaRM experiment: a holistic reward model is trained for each seed."""

from __future__ import annotations

import random
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path

import numpy as np

from workbench.models.encoding import EncodingSettings
from workbench.models.loading import ModelSettings, load_tokenizer
from workbench.papers.alarm.task import Prepared, SeedTask, TaskRewards, check_sizes, measured_pool
from workbench.policies.outcomes import ORACLE
from workbench.rewards import (
    Normalization,
    Normalized,
    OracleReward,
    Reward,
    Sample,
    SequenceModelReward,
    fit_normalization,
    reward_values,
)
from workbench.store.location import data_folder
from workbench.training.ppo.kl import FixedKL
from workbench.training.ppo.settings import PPOSettings
from workbench.training.settings import RewardTrainingSettings
from workbench.worlds.passages.sampling import all_pairs, draw_pairs
from workbench.worlds.translation.meaning import draw_meaning
from workbench.worlds.translation.oracle import assess, utility
from workbench.worlds.translation.rewards import ASPECTS
from workbench.worlds.translation.sampling import LONGEST, sample_translations

__all__ = [
    "FLAWLESS",
    "HELD_OUT",
    "TranslationRewards",
    "TranslationTask",
    "models_folder",
    "prepare_translations",
]

HELD_OUT, FLAWLESS, ADEQUACY = "held-out accuracy", "flawless", "adequacy"
TRAIN, TEST, PAIRS, POOL = range(4)
"""Uses of a seed's chance: sentences to train on, to test on, to make pairs of, to select aspects by."""

POCKET_PPO = PPOSettings(
    max_prompt_tokens=32,
    max_new_tokens=LONGEST,
    batch=64,
    minibatch=16,
    micro_batch=16,
    ppo_epochs=1,
    max_steps=20,
    learning_rate=3e-4,
    value_learning_rate=1e-2,
    kl=FixedKL(0.3),
    evaluation_batch=256,
    checkpoint_steps=0,
    progress=False,
)
POCKET_REWARD = RewardTrainingSettings(
    alpha=0.0,
    micro_batch=16,
    learning_rate=1e-3,
    init_std=0.1,
    checkpoint_steps=0,
    log_steps=0,
    progress=False,
    encoding=EncodingSettings(template="{prompt}", max_tokens=64, max_prompt_tokens=32),
)


def models_folder() -> Path:
    """Return the folder of the world's two pocket models, `policy` and `reader`."""
    return data_folder() / "alarm" / "translation"


def _policy() -> ModelSettings:
    return ModelSettings(str(models_folder() / "policy"), device="cpu", dtype="float32")


def _reader() -> ModelSettings:
    return ModelSettings(str(models_folder() / "reader"), device="cpu", dtype="float32")


@dataclass(frozen=True)
class TranslationTask:
    """What a seed prepares.

    Raises:
        SettingsError: A number cannot be used; all faults are named.
    """

    policy: ModelSettings = field(default_factory=_policy)
    """Who translates."""
    reader: ModelSettings = field(default_factory=_reader)
    """What the holistic reward model is made of."""
    ppo: PPOSettings = POCKET_PPO
    """How policies train."""
    reward_training: RewardTrainingSettings = POCKET_REWARD
    """How the holistic reward model trains: the standard Bradley-Terry loss, two passes."""
    pairs: int = 400
    """Preference pairs that it learns from, each of two translations of another sentence."""
    flipped: float = 0.2
    """Share of their labels that are the wrong way round."""
    pair_prompts: int = 500
    """Sentences with four translations each, that the pairs are drawn from."""
    pool_prompts: int = 150
    """Sentences with four translations each, that aspects are selected by, and rewards are normalised on."""
    test_prompts: int = 200
    """Sentences that trained policies translate."""

    def __post_init__(self) -> None:
        check_sizes(
            self.flipped,
            pairs=self.pairs,
            pair_prompts=self.pair_prompts,
            pool_prompts=self.pool_prompts,
            test_prompts=self.test_prompts,
        )


@dataclass(frozen=True)
class TranslationRewards:
    """The rewards of a seed: a reward model in a folder, and the world's exact aspects."""

    folder: str
    """Of the reward model."""
    encoding: EncodingSettings
    """How it reads."""
    normalization: Normalization
    """Of its scores."""
    grades: Normalization
    """Of the readability, which ALaRM normalises too."""

    def open(self) -> TaskRewards:
        """Load them."""
        model = ModelSettings(self.folder, device="cpu", dtype="float32")
        holistic = SequenceModelReward.load(model, self.encoding, batch_size=128)
        return _rewards(Normalized(holistic, self.normalization), self.grades)


def prepare_translations(settings: TranslationTask, seed: int, folder: Path) -> Prepared:
    """Train a seed's holistic reward model on noisy pairs of the policy's own translations, and measure all rewards.

    Args:
        settings: How.
        seed: Of the pairs, their noise, the head's first weights, and all sentences.
        folder: Where the reward model goes.
    """
    from workbench.training.ppo import ValuedPolicy
    from workbench.training.train import train_reward_model

    policy, tokenizer = ValuedPolicy.load(settings.policy), load_tokenizer(settings.policy)
    sampled = partial(sample_translations, policy, tokenizer, samples=4)
    learned = draw_pairs(
        sampled(_sentences(seed, PAIRS, settings.pair_prompts), seed=seed),
        settings.pairs,
        source="translation",
        flipped=settings.flipped,
        seed=seed,
    )
    reader_tokenizer = load_tokenizer(settings.reader)
    training = replace(settings.reward_training, seed=seed)
    model = train_reward_model(settings.reader, reader_tokenizer, learned, training, folder=None).model
    model.save_pretrained(folder, tokenizer=reader_tokenizer)
    raw = SequenceModelReward(model, reader_tokenizer, training.encoding, batch_size=128)

    pool = sampled(_sentences(seed, POOL, settings.pool_prompts), seed=seed + 1)
    texts = [(one.prompt, text) for one in pool for text in one.responses]
    samples = [Sample(*text) for text in texts]
    normalization = fit_normalization(raw, samples)
    grades = fit_normalization(ASPECTS["readability"](), samples)
    held_out = all_pairs(pool, "translation")
    better, worse = (
        reward_values(raw, [(pair.prompt, getattr(pair, side)) for pair in held_out])
        for side in ("chosen", "rejected")
    )
    steps = settings.ppo.max_steps or 1
    task = SeedTask(
        seed=seed,
        policy=settings.policy,
        lora=None,
        train=tuple(Sample(sentence, "") for sentence in _sentences(seed, TRAIN, steps * settings.ppo.batch)),
        test=tuple(Sample(sentence, "") for sentence in _sentences(seed, TEST, settings.test_prompts)),
        rewards=TranslationRewards(str(folder), training.encoding, normalization, grades),
        ppo=settings.ppo,
    )
    measured = measured_pool(_rewards(Normalized(raw, normalization), grades), texts)
    return Prepared(task, measured, {HELD_OUT: float(np.mean(better > worse))})


def _rewards(holistic: Normalized, grades: Normalization) -> TaskRewards:
    aspects: dict[str, Reward] = {name: made() for name, made in ASPECTS.items()}
    aspects["readability"] = Normalized(aspects["readability"], grades)
    truths = {ORACLE: utility, ADEQUACY: _adequacy, FLAWLESS: _flawless}
    return TaskRewards(
        holistic=holistic,
        aspects=aspects,
        truths={name: OracleReward(truth, name=name) for name, truth in truths.items()},
    )


def _adequacy(prompt: str, response: str) -> float:
    return assess(prompt, response).adequacy


def _flawless(prompt: str, response: str) -> float:
    """Return 1 for a translation that nothing is wrong with, not even a word heavier than need be; else 0."""
    return float(utility(prompt, response) > 1 - 1e-9)


def _sentences(seed: int, use: int, count: int) -> list[str]:
    source = random.Random(f"{seed} {use}")
    return [draw_meaning(source).spanish for _ in range(count)]
