"""Where a response's tokens are predicted from: all that decoder-only and encoder-decoder policies differ in.

Both give the state before each token, of a whole response at once or token by token with a cache.
"""

from __future__ import annotations

import inspect
from typing import Any, NamedTuple, Protocol

import torch
from torch import Tensor, nn

from workbench.models.batch import positions

__all__ = ["DecoderOnly", "Decoding", "EncoderDecoder", "Layout", "PromptBatch"]


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


class Decoding(Protocol):
    """Responses that are being written, with their cache."""

    states: Tensor
    """The state that predicts each row's next token. Shape [rows, width]."""

    def advance(self, tokens: Tensor) -> None:
        """Append a token to each row. Shape [rows], int64."""

    def keep(self, rows: Tensor) -> None:
        """Go on with these rows only. Shape [kept], int64."""


class Layout(Protocol):
    """A kind of policy."""

    def states(self, lm: Any, prompts: PromptBatch, responses: Tensor) -> Tensor:
        """Return the state before each token of the responses, as the LM head takes it.

        Args:
            lm: The language model.
            prompts: What they respond to.
            responses: Padded at the right with any token. Shape [batch, tokens], int64.

        Returns:
            Shape [batch, tokens, width].
        """

    def start(self, lm: Any, prompts: PromptBatch) -> Decoding:
        """Begin to write a response to each prompt."""


class DecoderOnly:
    """Prompt and response are one sequence: the prompt's last state predicts the first token."""

    def states(self, lm: Any, prompts: PromptBatch, responses: Tensor) -> Tensor:
        """See `Layout`."""
        real = torch.ones_like(responses, dtype=torch.bool)  # padding after a token never reaches back to it
        ids, mask = torch.cat([prompts.ids, responses], 1), torch.cat([prompts.mask, real], 1)
        hidden = _body(lm, ids, mask, positions(mask), use_cache=False).last_hidden_state
        first = prompts.ids.shape[1] - 1
        return hidden[:, first : first + responses.shape[1]]

    def start(self, lm: Any, prompts: PromptBatch) -> Decoding:
        """See `Layout`."""
        return _CausalDecoding(lm, prompts)


class _CausalDecoding:
    def __init__(self, lm: Any, prompts: PromptBatch) -> None:
        self.lm, self.mask, self.position = lm, prompts.mask, prompts.mask.sum(1)
        given = _body(lm, prompts.ids, self.mask, positions(self.mask), use_cache=True)
        self.cache, self.states = given.past_key_values, given.last_hidden_state[:, -1]

    def advance(self, tokens: Tensor) -> None:
        self.mask = nn.functional.pad(self.mask, (0, 1), value=True)
        given = _body(
            self.lm, tokens[:, None], self.mask, self.position[:, None],
            past_key_values=self.cache, use_cache=True,
        )  # fmt: skip
        self.position = self.position + 1
        self.cache, self.states = given.past_key_values, given.last_hidden_state[:, -1]

    def keep(self, rows: Tensor) -> None:
        self.cache.batch_select_indices(rows)
        self.mask, self.position = self.mask[rows], self.position[rows]


class EncoderDecoder:
    """The prompt goes into an encoder; the decoder's start token predicts the first token of the response."""

    def states(self, lm: Any, prompts: PromptBatch, responses: Tensor) -> Tensor:
        """See `Layout`."""
        start = torch.full_like(responses[:, :1], lm.config.decoder_start_token_id)
        given = lm.get_decoder()(
            input_ids=torch.cat([start, responses[:, :-1]], 1),
            encoder_hidden_states=_encoded(lm, prompts),
            encoder_attention_mask=prompts.mask.long(),
            use_cache=False,
        )
        return _scaled(lm, given.last_hidden_state)

    def start(self, lm: Any, prompts: PromptBatch) -> Decoding:
        """See `Layout`."""
        return _CrossDecoding(lm, prompts)


class _CrossDecoding:
    def __init__(self, lm: Any, prompts: PromptBatch) -> None:
        self.lm, self.mask, self.encoded = lm, prompts.mask, _encoded(lm, prompts)
        self.cache: Any = None
        self.advance(torch.full_like(prompts.ids[:, 0], lm.config.decoder_start_token_id))

    def advance(self, tokens: Tensor) -> None:
        given = self.lm.get_decoder()(
            input_ids=tokens[:, None],
            encoder_hidden_states=self.encoded,
            encoder_attention_mask=self.mask.long(),
            past_key_values=self.cache,
            use_cache=True,
        )
        self.cache, self.states = given.past_key_values, _scaled(self.lm, given.last_hidden_state[:, -1])

    def keep(self, rows: Tensor) -> None:
        self.cache.batch_select_indices(rows)
        self.mask, self.encoded = self.mask[rows], self.encoded[rows]


def _body(lm: Any, ids: Tensor, mask: Tensor, position_ids: Tensor, **options: Any) -> Any:
    """Run a decoder without its head; families that count positions themselves are not told them."""
    body = lm.base_model
    if "position_ids" in inspect.signature(body.forward).parameters:
        options["position_ids"] = position_ids
    return body(ids, attention_mask=mask.long(), **options)


def _encoded(lm: Any, prompts: PromptBatch) -> Tensor:
    """Return the encoder's states. Shape [batch, tokens, width]."""
    hidden: Tensor = lm.get_encoder()(
        input_ids=prompts.ids, attention_mask=prompts.mask.long()
    ).last_hidden_state
    return hidden


def _scaled(lm: Any, states: Tensor) -> Tensor:
    """Scale states as T5 does before an LM head that shares its matrix with the embeddings."""
    return states * lm.model_dim**-0.5 if getattr(lm.config, "scale_decoder_outputs", False) else states
