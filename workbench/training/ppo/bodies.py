"""Prompts in a batch, and the body of any family called on them: with what it takes, and as it takes it."""

from __future__ import annotations

import inspect
from typing import Any, NamedTuple

import torch
from torch import Tensor

from workbench.models.calling import called
from workbench.models.generation_config import forced_first_token
from workbench.models.reading import body_of

__all__ = ["PromptBatch", "encoded", "padded_right", "run_body", "scaled", "start_tokens"]


class PromptBatch(NamedTuple):
    """Prompts as tokens, padded at the left."""

    ids: Tensor
    """Shape [batch, tokens], int64."""
    mask: Tensor
    """True at real tokens. Shape [batch, tokens], bool."""

    def to(self, device: torch.device) -> PromptBatch:
        """Return the batch on a device."""
        return PromptBatch(self.ids.to(device), self.mask.to(device))

    def select(self, rows: Tensor) -> PromptBatch:
        """Return some rows, without columns that are padding in all of them."""
        mask = self.mask[rows]
        width = int(mask.sum(1).max())
        return PromptBatch(self.ids[rows][:, -width:], mask[:, -width:])


def start_tokens(lm: Any) -> tuple[int, ...]:
    """Return the tokens that a decoder begins with, as `generate` chooses them: its start, and one that it forces."""
    forced = forced_first_token(lm)
    for name in ("decoder_start_token_id", "bos_token_id"):
        for settings in (lm.generation_config, lm.config):
            token = getattr(settings, name, None)
            if token is not None:
                return (int(token),) if forced is None else (int(token), forced)
    raise ValueError("no decoder_start_token_id in its configuration")


def padded_right(lm: Any, batch: PromptBatch) -> PromptBatch:
    """Move padding from the left of each row to its right."""
    gaps = (~batch.mask).sum(1, keepdim=True)
    width = batch.ids.shape[1]
    places = (torch.arange(width, device=batch.ids.device) + gaps) % width
    mask = batch.mask.gather(1, places)
    pad = getattr(lm.config, "pad_token_id", None)  # some families count positions by it
    ids = batch.ids.gather(1, places).masked_fill(~mask, pad if pad is not None and pad >= 0 else 0)
    return PromptBatch(ids, mask)


def run_body(lm: Any, ids: Tensor, mask: Tensor, position_ids: Tensor | None, **options: Any) -> Any:
    """Run a decoder without its head; families that count positions themselves are not told them."""
    body = body_of(lm)
    if position_ids is not None and "position_ids" in inspect.signature(body.forward).parameters:
        options["position_ids"] = position_ids
    return called(body, input_ids=ids, attention_mask=mask.long(), **options)


def encoded(lm: Any, prompts: PromptBatch) -> Tensor:
    """Return the encoder's states. Shape [batch, tokens, width]."""
    hidden: Tensor = lm.get_encoder()(
        input_ids=prompts.ids, attention_mask=prompts.mask.long()
    ).last_hidden_state
    return hidden


def scaled(states: Tensor, scale: float) -> Tensor:
    return states if scale == 1 else states * scale
