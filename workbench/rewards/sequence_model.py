"""A model's score of a whole answer as a reward: holistic, or completeness."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
import torch

from workbench.core.errors import ModelError
from workbench.models.classifier import ClassifierRewardModel
from workbench.models.encoding import CutReport, EncodingSettings, collate, encode, settled
from workbench.models.loading import ModelSettings, load_tokenizer
from workbench.models.longest import fitted, made_for
from workbench.models.reward_model import RewardModel
from workbench.models.scorers import load_scorer
from workbench.rewards.spans import Sample, Span, whole

if TYPE_CHECKING:
    from transformers import PreTrainedTokenizerBase

__all__ = ["COMPLETENESS_ENCODING", "ULTRA_ENCODING", "SequenceModelReward"]

ULTRA_ENCODING = EncodingSettings(
    "Human: {prompt}\nAssistant:", max_tokens=1230, max_prompt_tokens=1024, end_token=False
)
"""UltraRM's form, as ALaRM uses it."""
COMPLETENESS_ENCODING = EncodingSettings(
    "{prompt} answer:", max_tokens=1536, max_prompt_tokens=1280, cut="end"
)
"""The form of Wu et al.'s completeness model; the question stands before the passages."""


class SequenceModelReward:
    """A reward model, or a classifier of whole texts with one label, as a sequence-level reward.

    The LM head of a `RewardModel` is not applied: scores are all that is wanted here.

    Args:
        model: What scores, in evaluation mode.
        tokenizer: The model's.
        encoding: How texts become tokens; what the model was trained with. None: see `settled`, with budgets as long
            as the model goes.
        name: What tables call it.
        batch_size: Answers at a time.
    """

    def __init__(
        self,
        model: RewardModel | ClassifierRewardModel,
        tokenizer: PreTrainedTokenizerBase,
        encoding: EncodingSettings | None = None,
        *,
        name: str = "holistic",
        batch_size: int = 16,
    ) -> None:
        self.model, self.tokenizer = model.eval(), tokenizer
        self.encoding = settled(encoding, tokenizer)
        if (
            encoding is None
        ):  # nothing is known of its training: no reason to cut more than the model asks for
            inner = model.causal_lm if isinstance(model, RewardModel) else model.model
            self.encoding = fitted(self.encoding, made_for(inner, tokenizer))
        self.cut: CutReport | None = None
        """What did not fit when it last scored; None where it has not, or all fitted."""
        self.name, self.batch_size = name, batch_size

    @classmethod
    def load(
        cls,
        model: ModelSettings,
        encoding: EncodingSettings | None = None,
        *,
        name: str = "holistic",
        batch_size: int = 16,
    ) -> SequenceModelReward:
        """Load a reward model of any kind that `load_scorer` takes.

        Raises:
            ModelError: It cannot be loaded, has not one label, or its head was never trained.
        """
        return cls(load_scorer(model), load_tokenizer(model), encoding, name=name, batch_size=batch_size)

    @torch.no_grad()
    def __call__(self, samples: Sequence[Sample]) -> list[list[Span]]:
        """Return each sample's score as a span of the whole response.

        Raises:
            DataError: A text has no token.
            ModelError: A score is not finite, or the model cannot read a text.
        """
        encoded = encode(
            [(sample.prompt, sample.response) for sample in samples], self.tokenizer, self.encoding
        )
        report = encoded.report
        self.cut = report if report.prompts_cut or report.responses_cut else None
        self.model.check_texts(encoded, self.tokenizer)
        order = np.argsort([-len(one.tokens) for one in encoded], kind="stable")
        scores = np.zeros(len(samples))
        for start in range(0, len(samples), self.batch_size):
            places = order[start : start + self.batch_size]
            batch = collate([encoded[int(place)] for place in places]).to(self.model.device)
            # a classifier takes the option too, and has nothing to spare
            scores[places] = self.model(*batch, with_logps=False).scores.double().cpu().numpy()
        if not np.isfinite(scores).all():
            raise ModelError(
                got=f"{int((~np.isfinite(scores)).sum())} of {len(scores)} scores of {self.name} are not finite",
                needed="a number for each text",
                fix="load the model with dtype='float32', or see how its training ended",
            )
        return [[whole(sample, float(score))] for sample, score in zip(samples, scores, strict=True)]
