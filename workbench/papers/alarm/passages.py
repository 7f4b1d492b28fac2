"""Questions of our small world for the ALaRM experiment: a holistic reward model is trained for each seed."""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path

import numpy as np

from workbench.core.errors import SettingsError
from workbench.datasets.preference_pair import PreferencePair
from workbench.models.loading import ModelSettings, load_causal_lm, load_tokenizer
from workbench.papers.alarm.aspects import ASPECTS, PassageAspect, assessed, repeated
from workbench.papers.alarm.setup import policy_settings
from workbench.papers.alarm.task import Prepared, SeedTask, TaskRewards, check_sizes, measured_pool
from workbench.policies.outcomes import ORACLE
from workbench.rewards import (
    Normalization,
    Normalized,
    OracleReward,
    Sample,
    SequenceModelReward,
    fit_normalization,
    reward_values,
)
from workbench.training.ppo.settings import PPOSettings
from workbench.worlds.passages.sampling import Candidates, all_pairs, sample_answers
from workbench.worlds.passages.task import SPLITS, draw_task
from workbench.worlds.passages.training import POCKET_TRAINING
from workbench.worlds.passages.utility import WEIGHTS

__all__ = ["PassageRewards", "PassageSettings", "oracle", "prepare_passages"]

HELD_OUT, REPEATS = "held-out accuracy", "repeats"
REWARD_TRAINING = replace(
    POCKET_TRAINING, alpha=0.0, epochs=1.0, learning_rate=3e-3, init_std=0.3, pooling="mean", log_steps=0
)
"""How a holistic reward model trains: what `alarm_tuning` found to give models that are neither blind nor perfect."""
TRAIN, TEST, PAIRS, POOL = range(4)
"""Uses of a seed's chance: prompts to train on, to test on, to make pairs of, to select aspects by."""


@dataclass(frozen=True)
class PassageSettings:
    """What a seed prepares.

    Raises:
        SettingsError: A number cannot be used; all faults are named.
    """

    ppo: PPOSettings
    """How policies train."""
    policy: ModelSettings = field(default_factory=policy_settings)
    """Who answers, and what the reward model is made of; our world's own if not given."""
    pairs: int = 800
    """Preference pairs that the holistic reward model learns from."""
    flipped: float = 0.2
    """Share of their labels that are the wrong way round."""
    pair_prompts: int = 300
    """Prompts with four answers each, that the pairs are drawn from."""
    pool_prompts: int = 100
    """Prompts with four answers each, that aspects are selected by, and the holistic reward is normalised on."""
    test_prompts: int = 100
    """Prompts that trained policies answer."""

    def __post_init__(self) -> None:
        check_sizes(
            self.flipped,
            pairs=self.pairs,
            pair_prompts=self.pair_prompts,
            pool_prompts=self.pool_prompts,
            test_prompts=self.test_prompts,
        )


def oracle(prompt: str, response: str) -> float:
    """Return what an answer is truly worth: the F1 of what it says and what was asked. See `Assessment.f1`."""
    return assessed(prompt, response).f1


@dataclass(frozen=True)
class PassageRewards:
    """The rewards of a seed: a reward model in a folder, and rules."""

    folder: str
    """Of the reward model."""
    normalization: Normalization
    """Of its scores."""
    seed: int
    """Of the rules' errors."""

    def open(self) -> TaskRewards:
        """Load them."""
        model = SequenceModelReward.load(
            ModelSettings(self.folder, device="cpu", dtype="float32"),
            REWARD_TRAINING.encoding,
            batch_size=128,
        )
        return _rewards(Normalized(model, self.normalization), self.seed)


def prepare_passages(settings: PassageSettings, seed: int, folder: Path) -> Prepared:
    """Train a seed's holistic reward model on noisy pairs of the policy's own answers, and measure all rewards.

    Args:
        settings: How.
        seed: Of the pairs, their noise, the head's first weights, all prompts, and the errors of the aspects.
        folder: Where the reward model goes.
    """
    from workbench.training.train import train_reward_model

    tokenizer = load_tokenizer(settings.policy)
    policy, _ = load_causal_lm(settings.policy)
    sampled = partial(sample_answers, policy, tokenizer, samples=4, progress=False)
    pairs = [
        _judged(sampled(_prompts(seed, PAIRS, settings.pair_prompts), seed=seed)),
        _judged(sampled(_prompts(seed, POOL, settings.pool_prompts), seed=seed + 1)),
    ]
    learned = _noisy(all_pairs(pairs[0], "passages"), settings.pairs, settings.flipped, seed)
    model = train_reward_model(
        settings.policy,
        tokenizer,
        learned,
        replace(REWARD_TRAINING, seed=seed),
        folder=None,
    ).model
    model.save_pretrained(folder, tokenizer=tokenizer)
    raw = SequenceModelReward(model, tokenizer, REWARD_TRAINING.encoding, batch_size=128)
    texts = [(one.prompt, text) for one in pairs[1] for text in one.responses]
    normalization = fit_normalization(raw, [Sample(*text) for text in texts])
    rewards = PassageRewards(str(folder.resolve()), normalization, seed)
    steps = settings.ppo.max_steps or 1
    task = SeedTask(
        seed=seed,
        policy=settings.policy,
        lora=None,
        train=tuple(Sample(prompt, "") for prompt in _prompts(seed, TRAIN, steps * settings.ppo.batch)),
        test=tuple(Sample(prompt, "") for prompt in _prompts(seed, TEST, settings.test_prompts)),
        rewards=rewards,
        ppo=settings.ppo,
    )
    pool = measured_pool(_rewards(Normalized(raw, normalization), seed), texts)
    held_out = all_pairs(pairs[1], "passages")
    better, worse = (
        reward_values(raw, [(pair.prompt, getattr(pair, side)) for pair in held_out])
        for side in ("chosen", "rejected")
    )
    return Prepared(task, pool, {HELD_OUT: float(np.mean(better > worse))})


def _rewards(holistic: Normalized, seed: int) -> TaskRewards:
    truths = {ORACLE: oracle, REPEATS: repeated}
    truths |= {f"true {aspect}": partial(_true_share, aspect) for aspect in WEIGHTS}
    return TaskRewards(
        holistic=holistic,
        aspects={name: PassageAspect(name, seed=seed) for name in ASPECTS},
        truths={name: OracleReward(truth, name=name) for name, truth in truths.items()},
    )


def _true_share(aspect: str, prompt: str, response: str) -> float:
    return float(getattr(assessed(prompt, response), aspect))


def _prompts(seed: int, use: int, count: int) -> list[str]:
    source = random.Random(f"{seed} {use}")
    return [draw_task(SPLITS["familiar"], source).prompt for _ in range(count)]


def _judged(candidates: Sequence[Candidates]) -> list[Candidates]:
    """Return candidates with the oracle's utilities."""
    return [
        replace(candidate, utilities=tuple(oracle(candidate.prompt, text) for text in candidate.responses))
        for candidate in candidates
    ]


def _noisy(pairs: Sequence[PreferencePair], count: int, flipped: float, seed: int) -> list[PreferencePair]:
    """Draw pairs, several a prompt, as an annotator labels them who errs at times."""
    if len(pairs) < count:
        raise SettingsError(
            got=f"{len(pairs)} pairs of answers that differ in worth",
            needed=f"{count}",
            fix="ask for fewer pairs, or give more pair_prompts",
        )
    dice = random.Random(f"{seed} noise")
    return [
        replace(pair, chosen=pair.rejected, rejected=pair.chosen) if dice.random() < flipped else pair
        for pair in dice.sample(list(pairs), count)
    ]
