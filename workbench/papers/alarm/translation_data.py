"""Translations of our small world for the ALaRM experiment: a holistic reward model is trained for each seed."""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

from workbench.datasets.preference_pair import PreferencePair
from workbench.models.encoding import EncodingSettings
from workbench.models.loading import ModelSettings, load_tokenizer
from workbench.papers.alarm.task import TaskRewards
from workbench.papers.alarm.world_task import WorldRewards, WorldTask
from workbench.policies.outcomes import ORACLE
from workbench.rewards import Normalization, Normalized, OracleReward, Reward, Sample, fit_normalization
from workbench.store.location import data_folder
from workbench.training.ppo.kl import FixedKL
from workbench.training.ppo.settings import PPOSettings
from workbench.training.settings import RewardTrainingSettings
from workbench.worlds.passages.sampling import Candidates, draw_pairs
from workbench.worlds.translation.meaning import draw_meaning
from workbench.worlds.translation.oracle import assess, utility
from workbench.worlds.translation.rewards import ASPECTS
from workbench.worlds.translation.sampling import LONGEST, sample_translations

__all__ = [
    "FLAWLESS",
    "TranslationRewards",
    "TranslationTask",
    "models_folder",
]

FLAWLESS, ADEQUACY = "flawless", "adequacy"
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
class TranslationTask(WorldTask):
    """Sentences to translate; see `WorldTask`."""

    ppo: PPOSettings = POCKET_PPO
    policy: ModelSettings = field(default_factory=_policy)
    reader: ModelSettings = field(default_factory=_reader)
    reward_training: RewardTrainingSettings = POCKET_REWARD
    aspects: tuple[str, ...] = tuple(ASPECTS)
    pairs: int = 400
    flipped: float = 0.2
    pair_prompts: int = 500
    pool_prompts: int = 150
    test_prompts: int = 200

    @property
    def known_aspects(self) -> tuple[str, ...]:
        """The world's aspects."""
        return tuple(ASPECTS)

    @property
    def where(self) -> str:
        """What claims say of where they were measured."""
        return "A small synthetic Spanish."

    def described(self) -> None:
        """Return nothing: what the aspects measure, their names say."""

    def draw_prompt(self, source: random.Random) -> str:
        """Draw a sentence."""
        return draw_meaning(source).spanish

    def sampler(self) -> Callable[..., list[Candidates]]:
        """Load the policy; return what samples its translations."""
        from workbench.training.ppo import ValuedPolicy

        return partial(sample_translations, ValuedPolicy.load(self.policy), load_tokenizer(self.policy))

    def learned_pairs(self, candidates: Sequence[Candidates], seed: int) -> list[PreferencePair]:
        """Draw noisy pairs, each of two translations of another sentence."""
        return draw_pairs(candidates, self.pairs, source="translation", flipped=self.flipped, seed=seed)

    def rewards(
        self, folder: Path, normalization: Normalization, samples: Sequence[Sample], seed: int
    ) -> TranslationRewards:
        """Return a seed's rewards; the readability is normalised on the samples."""
        return TranslationRewards(
            folder=str(folder),
            encoding=self.reward_training.encoding,
            normalization=normalization,
            aspects=self.aspects,
            grades=fit_normalization(ASPECTS["readability"](), samples),
        )


@dataclass(frozen=True, kw_only=True)
class TranslationRewards(WorldRewards):
    """The rewards of a seed: a reward model in a folder, and the world's exact aspects."""

    grades: Normalization
    """Of the readability, which ALaRM normalises too."""

    def beside(self, holistic: Normalized) -> TaskRewards:
        """Return aspects and truths beside a holistic reward that is loaded."""
        aspects: dict[str, Reward] = {name: ASPECTS[name]() for name in self.aspects}
        if "readability" in aspects:
            aspects["readability"] = Normalized(aspects["readability"], self.grades)
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
