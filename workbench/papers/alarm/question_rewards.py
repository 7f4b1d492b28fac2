"""The rewards of QA-Feedback: a public holistic one, and aspect models that were trained from its annotations."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from workbench.models.encoding import EncodingSettings
from workbench.models.loading import ModelSettings, load_tokenizer
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
    "QuestionRewards",
    "normalized_rewards",
    "raw_rewards",
]

ASPECTS = ("factuality", "relevance", "completeness")
"""The paper's, trained from human feedback."""
SPANS = {"relevance": RELEVANCE, "factuality": FACTUALITY}
COMPLETENESS, COMPLETENESS_SCALE = "completeness", 0.3
"""The authors' weight of z-normalised completeness."""
HOLISTIC_ENCODING = EncodingSettings(template="{prompt}\n", max_tokens=1280)
"""How a holistic reward model of no family in particular reads an answer."""
NORMALIZED = ("holistic", COMPLETENESS)
"""The rewards that are z-normalised on answers of the policy."""


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

    def open(self) -> TaskRewards:
        """Load them."""
        raw = raw_rewards(self.holistic, Path(self.folder), self.aspects)
        return normalized_rewards(raw, self.normalizations, self.aspects)


def raw_rewards(holistic: ModelSettings, folder: Path, aspects: Sequence[str]) -> dict[str, Reward]:
    """Load the rewards, before normalisation: the holistic one, and the aspects that are measured.

    Args:
        holistic: A reward model for whole answers.
        folder: Of the aspect models.
        aspects: Of `ASPECTS`.
    """
    ultra = "ultra" in holistic.name.lower()
    device = holistic.device
    rewards: dict[str, Reward] = {
        "holistic": SequenceModelReward(
            load_scorer(holistic),
            load_tokenizer(holistic),
            ULTRA_ENCODING if ultra else HOLISTIC_ENCODING,
        )
    }
    for name in (name for name in SPANS if name in aspects):
        rewards[name] = SpanClassifierReward.load(ModelSettings(str(folder / name), device=device))
    if COMPLETENESS in aspects:
        model = ModelSettings(str(folder / COMPLETENESS), device=device)
        rewards[COMPLETENESS] = SequenceModelReward.load(model, COMPLETENESS_ENCODING, name=COMPLETENESS)
    return rewards


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
