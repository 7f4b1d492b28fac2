"""The rewards of QA-Feedback: a public holistic one, and aspect models that were trained from its annotations."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from workbench.models.encoding import EncodingSettings, load_encoding
from workbench.models.kinds import ULTRA, kind_of
from workbench.models.loading import ModelSettings, load_tokenizer
from workbench.models.longest import fitted, made_for
from workbench.models.reward_model import RewardModel
from workbench.models.scorers import load_scorer
from workbench.papers.alarm.task import TaskRewards
from workbench.rewards import (
    FACTUALITY,
    RELEVANCE,
    Normalization,
    Normalized,
    Reward,
    SequenceModelReward,
    SpanClassifierReward,
)
from workbench.rewards.sequence_model import COMPLETENESS_ENCODING, ULTRA_ENCODING

__all__ = [
    "ASPECTS",
    "COMPLETENESS",
    "HOLISTIC_ENCODING",
    "NORMALIZED",
    "SPANS",
    "Budgets",
    "QuestionRewards",
    "normalized_rewards",
    "raw_rewards",
]

ASPECTS = ("factuality", "relevance", "completeness")
"""The paper's, trained from human feedback."""
SPANS = {"relevance": RELEVANCE, "factuality": FACTUALITY}
ROOM = 8
"""Tokens beside the words: those around a text, and a few by which tokenizers differ on the same one."""
COMPLETENESS, COMPLETENESS_SCALE = "completeness", 0.3
"""The authors' weight of z-normalised completeness."""
HOLISTIC_ENCODING = EncodingSettings("{prompt}\n", max_tokens=1280, max_prompt_tokens=1064, cut="end")
"""How a holistic reward model of no family in particular reads an answer."""
NORMALIZED = ("holistic", COMPLETENESS)
"""The rewards that are z-normalised on answers of the policy."""


@dataclass(frozen=True)
class Budgets:
    """How long the policy's texts are at most, in its tokens: rewards read all of them where their models can."""

    prompt: int = 1024
    response: int = 200


@dataclass(frozen=True)
class QuestionRewards:
    """Reward models in folders or on the Hub, with the normalisations that were fitted."""

    holistic: ModelSettings
    folder: str
    """Of the aspect models."""
    normalizations: Mapping[str, Normalization]
    """Of the holistic reward and of completeness, where it is measured."""
    aspects: tuple[str, ...] = ASPECTS
    """Those that are measured."""
    budgets: Budgets = Budgets()
    """Of the policy's texts."""

    def open(self) -> TaskRewards:
        """Load them."""
        raw = raw_rewards(self.holistic, Path(self.folder), self.aspects, self.budgets)
        return normalized_rewards(raw, self.normalizations, self.aspects)


def raw_rewards(
    holistic: ModelSettings, folder: Path, aspects: Sequence[str], budgets: Budgets
) -> dict[str, Reward]:
    """Load the rewards, before normalisation: the holistic one, and the aspects that are measured.

    Args:
        holistic: A reward model for whole answers.
        folder: Of the aspect models.
        aspects: Of `ASPECTS`.
        budgets: Of the policy's texts.
    """
    device = holistic.device
    rewards: dict[str, Reward] = {"holistic": _holistic(holistic, budgets)}
    for name in (name for name in SPANS if name in aspects):
        rewards[name] = SpanClassifierReward.load(ModelSettings(str(folder / name), device=device))
    if COMPLETENESS in aspects:
        model = ModelSettings(str(folder / COMPLETENESS), device=device)
        rewards[COMPLETENESS] = SequenceModelReward.load(model, COMPLETENESS_ENCODING, name=COMPLETENESS)
    return rewards


def _holistic(model: ModelSettings, budgets: Budgets) -> SequenceModelReward:
    """Load the holistic reward. A prompt that is too long for it loses its last passages: first is the question."""
    scorer, tokenizer = load_scorer(model), load_tokenizer(model)
    known = load_encoding(Path(model.source))  # of one that the workbench trained
    if known is not None:
        return SequenceModelReward(scorer, tokenizer, known)
    form = ULTRA_ENCODING if kind_of(model) == ULTRA else HOLISTIC_ENCODING
    inner = scorer.causal_lm if isinstance(scorer, RewardModel) else scorer.model
    around = len(tokenizer(form.template.format(prompt=""))["input_ids"]) + ROOM
    read = fitted(
        replace(form, cut="end"),
        made_for(inner, tokenizer),
        prompt=budgets.prompt + around,
        response=budgets.response + ROOM,
    )
    return SequenceModelReward(scorer, tokenizer, read)


def normalized_rewards(
    raw: Mapping[str, Reward], fitted: Mapping[str, Normalization], names: Sequence[str]
) -> TaskRewards:
    """Return the rewards of the task.

    Args:
        raw: From `raw_rewards`.
        fitted: The normalisations of `NORMALIZED`.
        names: The aspects, in the order of tables.
    """
    aspects = {name: raw[name] for name in names}
    if COMPLETENESS in aspects:
        aspects[COMPLETENESS] = Normalized(raw[COMPLETENESS], fitted[COMPLETENESS], COMPLETENESS_SCALE)
    return TaskRewards(Normalized(raw["holistic"], fitted["holistic"]), aspects)
