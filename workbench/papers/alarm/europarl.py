"""Europarl for the ALaRM experiment on translation: a public holistic reward, and aspects by tools.

Source: Lai et al. 2024, "ALaRM: Align Language Models via Hierarchical Rewards Modeling", its task of translation.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from workbench.core.errors import SettingsError
from workbench.datasets.europarl import EUROPARL, TranslationPair, load_europarl
from workbench.models.encoding import EncodingSettings
from workbench.models.loading import ModelSettings, load_tokenizer
from workbench.models.lora import LoraSettings
from workbench.models.scorers import load_scorer
from workbench.papers.alarm.task import (
    Prepared,
    SeedTask,
    TaskRewards,
    aspect_faults,
    count_faults,
    measured_pool,
)
from workbench.rewards import (
    GrammarReward,
    LanguageConfidence,
    Normalization,
    Normalized,
    Readability,
    Reward,
    Sample,
    SequenceModelReward,
    fit_normalization,
)
from workbench.rewards.sequence_model import ULTRA_ENCODING
from workbench.training.ppo.settings import PAPER_LORA, PPOSettings
from workbench.training.supervised import SupervisedSettings

__all__ = ["ASPECTS", "EuroparlRewards", "EuroparlTask"]

ASPECTS = ("grammar", "confidence", "readability")
"""The paper's; grammar needs Java."""
MT5, ULTRARM = ModelSettings("google/mt5-base"), ModelSettings("openbmb/UltraRM-13b", quantize="nf4")
GRADES = Normalization(11.199, 6.044)
"""Of readability (paper)."""
ULTRA = Normalization(-2.344, 2.946)
"""Of UltraRM on translations (paper)."""
PAPER_PPO = PPOSettings(
    max_prompt_tokens=128,
    cut="end",  # the task stands first
    max_new_tokens=128,
    batch=32,
    minibatch=32,
    learning_rate=5e-4,
    checkpoint_steps=0,
)


PAPER_SFT = SupervisedSettings(
    epochs=5,
    batch=64,
    micro_batch=32,
    learning_rate=1e-3,
    schedule="cosine",
    warmup=0.1,
    weight_decay=0.05,
    max_prompt_tokens=128,
    max_new_tokens=128,
)
"""Supervised fine-tuning of the release, on 63,000 sentences."""


@dataclass(frozen=True)
class EuroparlTask:
    """What a seed prepares. The defaults are the paper's, as far as it says.

    Raises:
        SettingsError: One or more values cannot be used; all of them are named.
    """

    policy: ModelSettings = MT5
    """Who translates."""
    holistic: ModelSettings = ULTRARM
    """A reward model for whole answers; see `load_scorer`."""
    encoding: EncodingSettings = ULTRA_ENCODING
    """How it reads."""
    normalization: Normalization | None = ULTRA
    """Of its scores; None: fitted on the policy's translations before training."""
    source: str = EUROPARL
    """The data set, or a file; see `load_europarl`."""
    aspects: tuple[str, ...] = ASPECTS
    """Those that are measured; two at least."""
    ppo: PPOSettings = PAPER_PPO
    """How policies train."""
    lora: LoraSettings | None = PAPER_LORA
    """Adapters of the policy."""
    supervised: int = 1000
    """Translations by people that the policy is fine-tuned on first: mT5 was never taught a task. 0: none."""
    sft: SupervisedSettings = PAPER_SFT
    """How."""
    train_pairs: int = 10_000
    """Sentences to train on."""
    pool_prompts: int = 50
    """Sentences that aspects are selected by, with four translations each."""
    test_prompts: int = 200
    """Sentences that trained policies translate."""

    def __post_init__(self) -> None:
        faults = count_faults(self, "train_pairs", "pool_prompts", "test_prompts")
        if self.supervised < 0:
            faults.append((f"supervised {self.supervised}", "supervised: at least 0"))
        faults += aspect_faults(self.aspects, ASPECTS)
        if faults:
            raise SettingsError.listing(faults)

    @property
    def where(self) -> str:
        """What claims say of where they were measured."""
        return "Public data, where the true quality is not known."

    def described(self) -> None:
        """Return nothing: what the aspects measure, their names say."""

    def prepare(self, seed: int, folder: Path) -> Prepared:
        """Load sentences, fine-tune the policy where asked, once for all seeds, and measure the rewards.

        Args:
            seed: Of the translations that are sampled; sentences and rewards are the same for all.
            folder: Of the seed; what all share lies beside it.
        """
        from workbench.training.ppo import ValuedPolicy
        from workbench.training.ppo.answering import answer_prompts

        wanted = self.train_pairs + self.supervised
        train = load_europarl(self.source, "train", pairs=wanted).pairs
        test = load_europarl(self.source, "test", pairs=self.test_prompts).pairs
        taught, train = train[: self.supervised], train[self.supervised :]
        policy = self.policy
        if taught:
            tuned = _fine_tuned(self, taught, folder.parent / "shared" / "policy")
            policy = replace(policy, name=str(tuned), revision=None)
        prompts = [pair.prompt for pair in train[: self.pool_prompts]]
        how = replace(self.ppo, seed=seed)
        answers = answer_prompts(ValuedPolicy.load(policy), load_tokenizer(policy), prompts, how, samples=4)
        texts = [(prompt, text) for prompt, few in zip(prompts, answers, strict=True) for text in few]
        raw = _holistic(self.holistic, self.encoding)
        fitted = self.normalization or fit_normalization(raw, [Sample(*text) for text in texts])
        task = SeedTask(
            seed=seed,
            policy=policy,
            lora=self.lora,
            train=_samples(train),
            test=_samples(test),
            rewards=EuroparlRewards(self.holistic, self.encoding, fitted, self.aspects),
            ppo=self.ppo,
        )
        return Prepared(
            task, measured_pool(TaskRewards(Normalized(raw, fitted), _aspects(self.aspects)), texts)
        )


@dataclass(frozen=True)
class EuroparlRewards:
    """The rewards of the task, by what they are loaded from."""

    holistic: ModelSettings
    encoding: EncodingSettings
    normalization: Normalization
    aspects: tuple[str, ...]

    def open(self) -> TaskRewards:
        """Load them.

        Raises:
            ModelError: The holistic reward model cannot be loaded.
            RuntimeMissingError: Later, at the first use: grammar is asked for, and there is no Java.
        """
        raw = _holistic(self.holistic, self.encoding)
        return TaskRewards(Normalized(raw, self.normalization), _aspects(self.aspects))


def _samples(pairs: Sequence[TranslationPair]) -> tuple[Sample, ...]:
    return tuple(Sample(pair.prompt, "", {"reference": pair.english}) for pair in pairs)


def _holistic(model: ModelSettings, encoding: EncodingSettings) -> SequenceModelReward:
    return SequenceModelReward(load_scorer(model), load_tokenizer(model), encoding)


def _aspects(names: Sequence[str]) -> dict[str, Reward]:
    known: dict[str, Callable[[], Reward]] = {
        "grammar": GrammarReward,
        "confidence": LanguageConfidence,
        "readability": lambda: Normalized(Readability(), GRADES),
    }
    return {name: known[name]() for name in names}


def _fine_tuned(settings: EuroparlTask, pairs: Sequence[TranslationPair], folder: Path) -> Path:
    from workbench.training.supervised import fine_tune

    examples = [(pair.prompt, pair.english) for pair in pairs]
    how = replace(
        settings.sft,
        max_prompt_tokens=settings.ppo.max_prompt_tokens,
        max_new_tokens=settings.ppo.max_new_tokens,
        cut=settings.ppo.cut,
    )
    return fine_tune(settings.policy, load_tokenizer(settings.policy), examples, how, folder=folder)
