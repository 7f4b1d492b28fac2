"""Where a response's tokens are predicted from: all that families of policies differ in.

Each layout gives the state before each token, of a whole response at once or token by token. Which one a loaded model
takes is measured; see `layout_check`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar, Protocol

import torch
from torch import Tensor, nn

from workbench.models.batch import positions
from workbench.models.calling import called
from workbench.training.ppo.bodies import (
    PromptBatch,
    encoded,
    padded_right,
    run_body,
    scaled,
    start_tokens,
)

__all__ = ["Contiguous", "DecoderOnly", "Decoding", "EncoderDecoder", "Layout", "PromptBatch"]


class Decoding(Protocol):
    """Responses that are being written."""

    states: Tensor
    """The state that predicts each row's next token. Shape [rows, width]."""
    drops: bool
    """Whether rows may leave."""

    def advance(self, tokens: Tensor) -> None:
        """Append a token to each row. Shape [rows], int64."""

    def keep(self, rows: Tensor) -> None:
        """Go on with these rows only. Shape [kept], int64."""


class Layout(Protocol):
    """A way to run a kind of policy."""

    @property
    def slow(self) -> bool:
        """Whether responses are written without a cache, each token by a pass over all before it."""

    @property
    def banned_token(self) -> int | None:
        """A token that is never sampled: what follows it would be read otherwise than it was written; else None."""

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


@dataclass(frozen=True)
class DecoderOnly:
    """Prompt and response are one sequence, padded at the left: the prompt's last state predicts the first token."""

    drops: bool = True
    """Whether rows can be taken out of the family's cache."""
    scale: float = 1.0
    """What the LM head is given, as a multiple of the body's last states; T5's is `d_model ** -0.5`."""
    slow: ClassVar[bool] = False
    banned_token: ClassVar[int | None] = None

    def states(self, lm: Any, prompts: PromptBatch, responses: Tensor) -> Tensor:
        """See `Layout`."""
        real = torch.ones_like(responses, dtype=torch.bool)  # padding after a token never reaches back to it
        ids, mask = torch.cat([prompts.ids, responses], 1), torch.cat([prompts.mask, real], 1)
        hidden = run_body(lm, ids, mask, positions(mask), use_cache=False).last_hidden_state
        first = prompts.ids.shape[1] - 1
        return scaled(hidden[:, first : first + responses.shape[1]], self.scale)

    def start(self, lm: Any, prompts: PromptBatch) -> Decoding:
        """See `Layout`."""
        return _CausalDecoding(self, lm, prompts)

    def __str__(self) -> str:
        return "batches padded at the left; " + _cache_words(cached=True, drops=self.drops)


class _CausalDecoding:
    def __init__(self, layout: DecoderOnly, lm: Any, prompts: PromptBatch) -> None:
        self.lm, self.drops, self.scale = lm, layout.drops, layout.scale
        self.mask, self.position = prompts.mask, prompts.mask.sum(1)
        self._take(run_body(lm, prompts.ids, self.mask, positions(self.mask), use_cache=True))

    def advance(self, tokens: Tensor) -> None:
        self.mask = nn.functional.pad(self.mask, (0, 1), value=True)
        given = run_body(
            self.lm, tokens[:, None], self.mask, self.position[:, None],
            past_key_values=self.cache, use_cache=True,
        )  # fmt: skip
        self.position = self.position + 1
        self._take(given)

    def keep(self, rows: Tensor) -> None:
        self.cache.reorder_cache(rows)  # unlike `batch_select_indices`, caches of every kind have it
        self.mask, self.position = self.mask[rows], self.position[rows]

    def _take(self, given: Any) -> None:
        self.cache, self.states = given.past_key_values, scaled(given.last_hidden_state[:, -1], self.scale)


@dataclass(frozen=True)
class Contiguous:
    """Prompt and response are one sequence without a gap, padded at the right, and read anew for each token.

    It asks nothing of a decoder-only family but that no token sees a later one: no cache, no positions of its own.
    """

    scale: float = 1.0
    """What the LM head is given, as a multiple of the body's last states; T5's is `d_model ** -0.5`."""
    slow: ClassVar[bool] = True
    banned_token: ClassVar[int | None] = None

    def states(self, lm: Any, prompts: PromptBatch, responses: Tensor) -> Tensor:
        """See `Layout`."""
        real = torch.ones_like(responses, dtype=torch.bool)
        ids, mask = torch.cat([prompts.ids, responses], 1), torch.cat([prompts.mask, real], 1)
        given = padded_right(lm, PromptBatch(ids, mask))
        hidden = run_body(lm, given.ids, given.mask, None, use_cache=False).last_hidden_state
        columns = torch.arange(responses.shape[1], device=ids.device)
        places = prompts.mask.sum(1, keepdim=True) - 1 + columns
        return scaled(hidden.gather(1, places[..., None].expand(-1, -1, hidden.shape[-1])), self.scale)

    def start(self, lm: Any, prompts: PromptBatch) -> Decoding:
        """See `Layout`."""
        return _Rereading(self, lm, prompts)

    def __str__(self) -> str:
        return "batches padded at the right; " + _cache_words(cached=False)


@dataclass(frozen=True)
class EncoderDecoder:
    """The prompt goes into an encoder; the decoder's start predicts the first token of the response.

    Where `generate` forces a first token, such as the language that M2M100 is to write, that is a part of the start.
    """

    padded_right: bool = False
    """Pad the encoder's input at the right, as absolute positions want it."""
    cached: bool = True
    """Write with a cache; False: each token costs a pass over all before it."""
    drops: bool = True
    """Whether rows can be taken out of the family's cache."""
    scale: float = 1.0
    """What the LM head is given, as a multiple of the body's last states; T5's is `d_model ** -0.5`."""
    banned_token: int | None = None
    """The padding token, where a decoder that meets it in a response reads on otherwise token by token than in one
    pass: it is never sampled."""

    @property
    def slow(self) -> bool:
        """See `Layout`."""
        return not self.cached

    def states(self, lm: Any, prompts: PromptBatch, responses: Tensor) -> Tensor:
        """See `Layout`."""
        prompts = self.placed(lm, prompts)
        start = _started(lm, responses)
        given = called(
            lm.get_decoder(),
            input_ids=torch.cat([start, responses[:, :-1]], 1),
            encoder_hidden_states=encoded(lm, prompts),
            encoder_attention_mask=prompts.mask.long(),
            use_cache=False,
        )
        return scaled(given.last_hidden_state[:, start.shape[1] - 1 :], self.scale)

    def start(self, lm: Any, prompts: PromptBatch) -> Decoding:
        """See `Layout`."""
        if not self.cached:
            return _Rereading(self, lm, prompts)
        return _CrossDecoding(self, lm, self.placed(lm, prompts))

    def placed(self, lm: Any, prompts: PromptBatch) -> PromptBatch:
        """Return prompts as the encoder takes them."""
        return padded_right(lm, prompts) if self.padded_right else prompts

    def __str__(self) -> str:
        side = "right" if self.padded_right else "left"
        banned = "" if self.banned_token is None else f"; padding ({self.banned_token}) is never sampled"
        return f"prompts padded at the {side}; {_cache_words(cached=self.cached, drops=self.drops)}{banned}"


class _CrossDecoding:
    def __init__(self, layout: EncoderDecoder, lm: Any, prompts: PromptBatch) -> None:
        self.lm, self.drops, self.scale = lm, layout.drops, layout.scale
        self.mask, self.encoded = prompts.mask, encoded(lm, prompts)
        self.cache: Any = None
        self._read(_started(lm, prompts.ids))

    def advance(self, tokens: Tensor) -> None:
        self._read(tokens[:, None])

    def _read(self, tokens: Tensor) -> None:
        given = called(
            self.lm.get_decoder(),
            input_ids=tokens,
            encoder_hidden_states=self.encoded,
            encoder_attention_mask=self.mask.long(),
            past_key_values=self.cache,
            use_cache=True,
        )
        self.cache, self.states = given.past_key_values, scaled(given.last_hidden_state[:, -1], self.scale)

    def keep(self, rows: Tensor) -> None:
        self.cache.reorder_cache(rows)
        self.mask, self.encoded = self.mask[rows], self.encoded[rows]


class _Rereading:
    """Responses that are written without a cache, of any layout."""

    drops = True

    def __init__(self, layout: Layout, lm: Any, prompts: PromptBatch) -> None:
        self.layout, self.lm, self.prompts = layout, lm, prompts
        self.responses = prompts.ids[:, :0]
        self._read()

    def advance(self, tokens: Tensor) -> None:
        self.responses = torch.cat([self.responses, tokens[:, None]], 1)
        self._read()

    def keep(self, rows: Tensor) -> None:
        self.prompts, self.responses = self.prompts.select(rows), self.responses[rows]

    def _read(self) -> None:
        ahead = nn.functional.pad(
            self.responses, (0, 1)
        )  # the state before a token that is yet to be written
        self.states = self.layout.states(self.lm, self.prompts, ahead)[:, -1]


def _started(lm: Any, ids: Tensor) -> Tensor:
    """Return what a decoder begins each row with. Shape [rows, tokens]."""
    return torch.tensor([start_tokens(lm)], device=ids.device).expand(len(ids), -1)


def _cache_words(*, cached: bool, drops: bool = True) -> str:
    if not cached:
        return "written without a cache, slowly: the family has none that serves"
    return "a cache, " + ("which finished rows leave" if drops else "which finished rows stay in to the end")
