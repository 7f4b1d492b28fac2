"""Questions of our small world for the ALaRM experiment: a holistic reward model is trained for each seed."""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from workbench.core.errors import SettingsError
from workbench.datasets.preference_pair import PreferencePair
from workbench.models.loading import ModelSettings, load_causal_lm, load_tokenizer
from workbench.papers.alarm.aspects import ASPECTS, PassageAspect, aspects_table, assessed, repeated
from workbench.papers.alarm.setup import policy_settings
from workbench.papers.alarm.task import TaskRewards
from workbench.papers.alarm.world_task import WorldRewards, WorldTask
from workbench.policies.outcomes import ORACLE
from workbench.rewards import Normalization, Normalized, OracleReward, Sample
from workbench.training.settings import RewardTrainingSettings
from workbench.worlds.passages.sampling import Candidates, all_pairs, sample_answers
from workbench.worlds.passages.task import SPLITS, draw_task
from workbench.worlds.passages.training import POCKET_TRAINING
from workbench.worlds.passages.utility import WEIGHTS

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["PassageRewards", "PassageTask", "oracle"]

REPEATS = "repeats"
REWARD_TRAINING = replace(
    POCKET_TRAINING, alpha=0.0, epochs=1.0, learning_rate=3e-3, init_std=0.3, pooling="mean", log_steps=0
)
"""How a holistic reward model trains: what `alarm_tuning` found to give models that are neither blind nor perfect."""


@dataclass(frozen=True)
class PassageTask(WorldTask):
    """Questions about passages; see `WorldTask`."""

    policy: ModelSettings = field(default_factory=policy_settings)
    reader: ModelSettings = field(default_factory=policy_settings)
    reward_training: RewardTrainingSettings = REWARD_TRAINING
    aspects: tuple[str, ...] = tuple(ASPECTS)
    pairs: int = 800
    flipped: float = 0.2
    pair_prompts: int = 300
    pool_prompts: int = 100
    test_prompts: int = 100

    @property
    def known_aspects(self) -> tuple[str, ...]:
        """The world's aspects."""
        return tuple(ASPECTS)

    @property
    def where(self) -> str:
        """What claims say of where they were measured."""
        return "Measured in our small world, by the exact oracle."

    def described(self) -> pd.DataFrame:
        """Return what the aspects measure, and how each can be gamed."""
        return aspects_table(self.aspects)

    def draw_prompt(self, source: random.Random) -> str:
        """Draw a passage and a question."""
        return draw_task(SPLITS["familiar"], source).prompt

    def sampler(self) -> Callable[..., list[Candidates]]:
        """Load the policy; return what samples its answers, with the oracle's utilities."""
        tokenizer = load_tokenizer(self.policy)
        policy, _ = load_causal_lm(self.policy)

        def sampled(prompts: Sequence[str], **how: int) -> list[Candidates]:
            return _judged(sample_answers(policy, tokenizer, prompts, progress=False, **how))

        return sampled

    def learned_pairs(self, candidates: Sequence[Candidates], seed: int) -> list[PreferencePair]:
        """Draw noisy pairs, several a prompt."""
        return _noisy(all_pairs(candidates, "passages"), self.pairs, self.flipped, seed)

    def rewards(
        self, folder: Path, normalization: Normalization, samples: Sequence[Sample], seed: int
    ) -> PassageRewards:
        """Return a seed's rewards."""
        return PassageRewards(
            folder=str(folder),
            encoding=self.reward_training.encoding,
            normalization=normalization,
            aspects=self.aspects,
            seed=seed,
        )


def oracle(prompt: str, response: str) -> float:
    """Return what an answer is truly worth: the F1 of what it says and what was asked. See `AnswerAssessment.f1`."""
    return assessed(prompt, response).f1


@dataclass(frozen=True, kw_only=True)
class PassageRewards(WorldRewards):
    """The rewards of a seed: a reward model in a folder, and rules."""

    seed: int
    """Of the rules' errors."""

    def beside(self, holistic: Normalized) -> TaskRewards:
        """Return aspects and truths beside a holistic reward that is loaded."""
        truths = {ORACLE: oracle, REPEATS: repeated}
        truths |= {f"true {aspect}": partial(_true_share, aspect) for aspect in WEIGHTS}
        return TaskRewards(
            holistic=holistic,
            aspects={name: PassageAspect(name, seed=self.seed) for name in self.aspects},
            truths={name: OracleReward(truth, name=name) for name, truth in truths.items()},
        )


def _true_share(aspect: str, prompt: str, response: str) -> float:
    return float(getattr(assessed(prompt, response), aspect))


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
