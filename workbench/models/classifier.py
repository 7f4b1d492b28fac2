"""Score with a sequence classifier of transformers."""

from __future__ import annotations

import inspect
from collections.abc import Sequence
from functools import cached_property
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor, nn

from workbench.models.batch import check_batch, last_token, positions
from workbench.models.four_bit import hold_layout
from workbench.models.longest import learned_positions
from workbench.models.reading import token_rows
from workbench.models.reward_model import RewardOutput
from workbench.models.text_limits import check_texts

if TYPE_CHECKING:
    from transformers import PreTrainedModel, PreTrainedTokenizerBase

    from workbench.models.encoding import EncodedText

__all__ = ["ClassifierRewardModel"]


class ClassifierRewardModel(nn.Module):
    """A sequence classifier with one label, used as a reward model. For scoring only.

    Args:
        model: The classifier, such as `AutoModelForSequenceClassification` loads it.
        summary: One line on what was loaded.
    """

    def __init__(self, model: PreTrainedModel, summary: str = "") -> None:
        super().__init__()
        self.model, self.summary = model, summary
        hold_layout(model)

    @property
    def device(self) -> torch.device:
        """Where the model computes."""
        return self.model.device

    @cached_property
    def longest(self) -> int | None:
        """Tokens of the longest text that it has learned positions for; None: no limit."""
        return learned_positions(self.model)

    def check_texts(
        self,
        texts: Sequence[EncodedText],
        tokenizer: PreTrainedTokenizerBase,
        names: Sequence[object] | None = None,
    ) -> None:
        """Raise where it cannot read a text. See `workbench.models.text_limits.check_texts`."""
        rows = token_rows(self.model)
        check_texts(texts, rows=rows, longest=self.longest, tokenizer=tokenizer, names=names)

    @torch.no_grad()
    def forward(
        self, input_ids: Tensor, attention_mask: Tensor, response_mask: Tensor | None = None, **_: Any
    ) -> RewardOutput:
        """Score sequences. Arguments as for `RewardModel.forward`; a response's marks change nothing.

        A decoder's score is read where it was trained, and where its own forward reads it: at the last real token
        that is not the configuration's padding token. An end token that also pads is passed over.

        Returns:
            Scores, and no log-probabilities.

        Raises:
            ModelError: Shapes do not fit, or a row is empty.
        """
        mask, _response = check_batch(input_ids, attention_mask, response_mask)
        model: Any = self.model
        head = getattr(model, "score", None)
        if not isinstance(
            getattr(head, "original_module", head), nn.Linear
        ):  # an encoder: it pools in its own way
            return RewardOutput(model(input_ids, attention_mask=mask.long()).logits[:, 0].float(), None)
        options = {"attention_mask": mask.long(), "use_cache": False}
        if "position_ids" in inspect.signature(model.base_model.forward).parameters:
            options["position_ids"] = positions(mask)
        hidden = model.base_model(input_ids, **options).last_hidden_state
        padding = model.config.get_text_config().pad_token_id
        seen = mask if padding is None else mask & (input_ids != padding)
        read = torch.where(seen.any(1, keepdim=True), seen, mask)
        pooled = hidden[torch.arange(len(hidden), device=hidden.device), last_token(read)]
        return RewardOutput(model.score(pooled)[:, 0].float(), None)
