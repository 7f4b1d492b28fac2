"""A batch that a model continues token by token, which rows leave as they end and others join."""

from __future__ import annotations

import inspect
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from torch import Tensor
    from transformers import PreTrainedModel

__all__ = ["RunningBatch", "can_join"]

_LAYERS = {"full_attention", "sliding_attention"}
"""Kinds of layers that know of a token by its place in the sequence alone, so that padding before it is nothing."""
_TAKEN = {"input_ids", "attention_mask", "past_key_values", "use_cache"}


def can_join(model: PreTrainedModel) -> bool:
    """Tell whether rows may join and leave a batch of this model's.

    Models with a recurrent state, an encoder, or attention in chunks keep other things than keys and values.
    """
    config = model.config.get_text_config(decoder=True)
    kinds = set(getattr(config, "layer_types", None) or _LAYERS)
    stateful = bool(getattr(model, "_is_stateful", False)) or bool(config.is_encoder_decoder)
    return not stateful and kinds <= _LAYERS and set(inspect.signature(model.forward).parameters) >= _TAKEN


class RunningBatch:
    """Sequences that a model continues together, padded on the left.

    Keys and values of what was read are kept. Columns that are padding in all rows are dropped.

    Args:
        model: A causal language model of which `can_join` is true.
    """

    def __init__(self, model: PreTrainedModel) -> None:
        self._model = model
        taken = inspect.signature(model.forward).parameters
        self._numbered, self._last_only = "position_ids" in taken, "logits_to_keep" in taken
        self._cache: Any = None
        self._mask: Tensor | None = None  # [rows, columns], int64: 1 at real tokens

    def add(self, prompts: Sequence[Sequence[int]]) -> Tensor:
        """Read prompts, which become the last rows.

        Args:
            prompts: Token ids, at least one prompt, none empty.

        Returns:
            Logits of the token that follows each. Shape [prompts, vocabulary].
        """
        import torch
        from transformers import DynamicCache

        width, device = max(map(len, prompts)), self._model.device
        ids = torch.tensor([[0] * (width - len(prompt)) + list(prompt) for prompt in prompts], device=device)
        mask = torch.tensor(
            [[0] * (width - len(prompt)) + [1] * len(prompt) for prompt in prompts], device=device
        )
        with torch.inference_mode():
            cache: Any = DynamicCache()
            logits = self._forward(ids, mask, cache)
            if self._cache is None or self._mask is None:
                self._cache, self._mask = cache, mask
            else:
                self._mask = _beside(self._mask, mask, dim=1)
                for own, other in zip(self._cache.layers, cache.layers, strict=True):
                    own.keys = _beside(own.keys, other.keys, dim=2)
                    own.values = _beside(own.values, other.values, dim=2)
        return logits

    def step(self, tokens: Tensor) -> Tensor:
        """Continue every row by a token.

        Args:
            tokens: Shape [rows], int64.

        Returns:
            Logits of the token that follows. Shape [rows, vocabulary].
        """
        import torch

        assert self._mask is not None
        with torch.inference_mode():
            self._mask = torch.cat([self._mask, self._mask.new_ones(len(tokens), 1)], dim=1)
            return self._forward(tokens[:, None], self._mask, self._cache)

    def keep(self, rows: Sequence[int]) -> None:
        """Let all other rows leave."""
        import torch

        if not rows:
            self._cache = self._mask = None
            return
        assert self._mask is not None
        chosen = torch.tensor(rows, device=self._mask.device)
        with torch.inference_mode():
            mask = self._mask[chosen]
            first = int(mask.any(dim=0).int().argmax())
            self._mask = mask[:, first:]
            for layer in self._cache.layers:
                layer.keys, layer.values = (
                    each[chosen.to(each.device), :, first:] for each in (layer.keys, layer.values)
                )

    def _forward(self, ids: Tensor, mask: Tensor, cache: Any) -> Tensor:
        """Return the logits at the last column; the cache grows by the columns read."""
        options: dict[str, Any] = {}
        if self._numbered:
            places = (mask.cumsum(dim=1) - 1).clamp(min=0)
            options["position_ids"] = places[:, -ids.shape[1] :]
        if self._last_only:
            options["logits_to_keep"] = 1
        read = self._model(
            input_ids=ids, attention_mask=mask, past_key_values=cache, use_cache=True, **options
        )
        logits: Tensor = read.logits[:, -1]
        return logits


def _beside(one: Tensor, other: Tensor, *, dim: int) -> Tensor:
    """Put the rows of two tensors under each other, the shorter ones padded by zeros before their columns."""
    import torch
    from torch.nn.functional import pad

    width = max(one.shape[dim], other.shape[dim])
    after = (one.ndim - 1 - dim) * [0, 0]
    return torch.cat([pad(each, [*after, width - each.shape[dim], 0]) for each in (one, other)])
