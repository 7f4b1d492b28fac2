"""How long a text a scoring model was made for: by tables of positions, its configuration and its tokenizer."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import torch

from workbench.models.encoding_settings import EncodingSettings
from workbench.models.modes import evaluation_mode
from workbench.models.reading import plain_tokens
from workbench.models.text_limits import watched_tables

if TYPE_CHECKING:
    from transformers import PreTrainedModel, PreTrainedTokenizerBase

__all__ = ["LONGEST", "fitted", "learned_positions", "made_for"]

LONGEST = 4096
"""Tokens of the longest text that is scored where nothing limits it."""
_NO_LIMIT = 1_000_000
"""Above what a tokenizer that has no limit says."""


def learned_positions(model: PreTrainedModel) -> int | None:
    """Return the tokens of the longest text that a model has learned positions for, as it reads; None: no limit."""
    ids = plain_tokens(model, 12)[None]
    with torch.no_grad(), evaluation_mode(model), watched_tables(ids) as tables:
        model.base_model(ids)
    return tables.longest


def made_for(model: PreTrainedModel, tokenizer: PreTrainedTokenizerBase) -> int:
    """Return the tokens of the longest text that a model was made for; at most `LONGEST`.

    One with relative positions, such as DeBERTa, reads longer ones too, though none were in its training.

    Args:
        model: The model.
        tokenizer: The model's.
    """
    config: Any = model.config
    said = [
        learned_positions(model),
        getattr(config, "max_position_embeddings", None),
        tokenizer.model_max_length,
    ]
    return int(min([LONGEST, *(number for number in said if number and 0 < number < _NO_LIMIT)]))


def fitted(
    settings: EncodingSettings, longest: int, *, prompt: int | None = None, response: int | None = None
) -> EncodingSettings:
    """Return settings with budgets that fit the data, as far as the model goes.

    Args:
        settings: The template, and which end of a long prompt goes.
        longest: See `made_for`.
        prompt: Tokens of the longest prompt; None: not known.
        response: Tokens of the longest response; None: not known. Where both do not fit, it keeps half of the text.
    """
    wanted = longest if prompt is None or response is None else min(prompt + response, longest)
    kept = min(response or wanted, wanted // 2)
    return replace(settings, max_tokens=wanted, max_prompt_tokens=min(prompt or wanted, wanted - kept))
