"""Which layout serves a loaded language model, measured: alone as in a batch, token by token as in one pass."""

from __future__ import annotations

import inspect
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

import torch
from torch import Tensor, nn

from workbench.models.modes import evaluation_mode
from workbench.models.reading import OwnLogits, Reading, plain_tokens, state_error
from workbench.training.ppo.layouts import (
    Contiguous,
    DecoderOnly,
    EncoderDecoder,
    Layout,
    PromptBatch,
    called,
    start_token_of,
)

__all__ = ["LayoutCheck", "check_layout"]

RESPONSE, SHORT, LONG = 6, 2, 9
"""Tokens of the trial's responses, of its shortest prompt, and of its longest one where no window is longer."""
LONGEST_WINDOW = 256
"""Windows and blocks of attention up to this long are left by the longest prompt; longer ones cost too much."""
ROUNDING = 5e-4
"""Relative difference of a state that is put down to rounding in float32."""


@dataclass(frozen=True, eq=False)
class LayoutCheck:
    """How a policy can be run."""

    layout: Layout | None
    """None: in no way that is right."""
    reason: str = ""
    """Why it is refused, or why the usual layout is not taken; else empty."""
    reading: Reading | None = None
    """How logits are made of states where the LM head alone does not make them; None: by the LM head."""
    width: int = 0
    """Of a state; 0 where it is refused."""

    @property
    def head(self) -> nn.Module | None:
        """Gives logits [rows, vocabulary] of states [rows, width]; None: the LM head does."""
        return None if self.reading is None else OwnLogits(self.reading)

    def __str__(self) -> str:
        return f"refused: {self.reason}" if self.layout is None else str(self.layout)


@torch.no_grad()
def check_layout(lm: Any) -> LayoutCheck:
    """Find the layout whose states are the model's own, by three prompts of unlike lengths with responses.

    The reference is what the LM head is given when the model reads each row alone, in its own way; where the model
    changes logits after its LM head, it is the body's states, of which the model itself makes the logits. A layout
    serves if it gives the same states in one padded batch, and again token by token, also after a row has left.

    Args:
        lm: A decoder-only or encoder-decoder language model with an LM head; it is left as it is.

    Returns:
        The first layout that serves; or, if none does, the reason.
    """
    with evaluation_mode(lm):
        try:
            trial = _Trial(lm)
        except torch.OutOfMemoryError:
            raise
        except _FAULTS as error:
            return LayoutCheck(None, f"it cannot read a prompt and a response: {_line(error)}")
        except _Refused as refused:
            return LayoutCheck(None, str(refused))
        reason = ""
        for layout in _layouts(encodes=trial.encodes, scale=trial.scale):
            try:
                found = trial.fault_of(layout)
            except torch.OutOfMemoryError:
                raise
            except _FAULTS as error:
                found = _line(error)
            if not found:
                return LayoutCheck(layout, reason, trial.reading, trial.right.shape[-1])
            reason = reason or found
        return LayoutCheck(None, found)


_FAULTS = (
    AttributeError,
    TypeError,
    ValueError,
    LookupError,
    RuntimeError,
    AssertionError,
    NotImplementedError,
)
"""What families raise that are asked for what they do not have."""


class _Refused(Exception):
    """The model cannot be a policy, whatever the layout."""


def _layouts(*, encodes: bool, scale: float) -> Iterator[Layout]:
    """Yield the layouts that a kind of model may take, the fastest first."""
    if encodes:
        for cached, drops in ((True, True), (True, False), (False, True)):
            yield from (EncoderDecoder(right, cached, drops, scale) for right in (False, True))
    else:
        yield from (DecoderOnly(scale=scale), DecoderOnly(drops=False, scale=scale), Contiguous(scale))


class _Trial:
    """Prompts and responses to try layouts on, with the states that are right."""

    def __init__(self, lm: Any) -> None:
        self.lm, self.device = lm, next(lm.parameters()).device
        self.encodes = bool(getattr(lm.config, "is_encoder_decoder", False))
        lengths = _prompt_lengths(lm)
        tokens = plain_tokens(lm, len(lengths) * (lengths[0] + RESPONSE)).view(len(lengths), -1)
        self.responses = tokens[:, -RESPONSE:]
        self.prompts = _padded_left([row[:length] for row, length in zip(tokens, lengths, strict=True)])
        self.rows = torch.arange(len(lengths), device=self.device)
        self.scale, self.reading = 1.0, None
        try:
            self.right = torch.stack([self._given_to_head(row) for row in self.rows]).float()
            self.scale = self._scale()
        except _Refused as refused:
            try:
                self.right, self.reading = self._read_by_itself(str(refused))
            except _FAULTS as error:
                raise refused from error

    def fault_of(self, layout: Layout) -> str:
        """Return in words how a layout's states differ from the right ones; empty where they do not."""
        whole = layout.states(self.lm, self.prompts, self.responses)
        if fault := self._apart(whole, self.right):
            return f"its states in a padded batch are not those of a row alone ({fault})"
        decoding = layout.start(self.lm, self.prompts)
        rows = self.rows
        for column in range(RESPONSE):
            if fault := self._apart(decoding.states, self.right[rows, column]):
                said = " after a row has left" if len(rows) < len(self.rows) else ""
                return f"its states token by token{said} are not those of one pass ({fault})"
            if column == RESPONSE // 2 and decoding.drops:
                rows = rows[[0, 2]]
                decoding.keep(rows)
            if column + 1 < RESPONSE:
                decoding.advance(self.responses[rows, column])
        return ""

    def _alone(self, row: Tensor) -> Tensor:
        """Return the body's states of one row, unpadded and without a cache. Shape [tokens, width]."""
        layout: Layout = EncoderDecoder() if self.encodes else Contiguous()
        rows = row[None]
        return layout.states(self.lm, self.prompts.select(rows), self.responses[rows])[0]

    def _own_logits(self, row: Tensor) -> Tensor:
        """Return the logits before each token of a response, as the model reads it alone, in its own way."""
        prompt, response = self.prompts.ids[row][self.prompts.mask[row]][None], self.responses[row][None, :-1]
        if self.encodes:
            start = torch.full_like(response[:, :1], start_token_of(self.lm))
            read = {"input_ids": prompt, "decoder_input_ids": torch.cat([start, response], 1)}
        else:
            read = {"input_ids": torch.cat([prompt, response], 1)}
        logits: Tensor = called(self.lm, **read, use_cache=False).logits
        return logits[0, -RESPONSE:]

    def _given_to_head(self, row: Tensor) -> Tensor:
        """Return what the LM head is given before each token of a response. Shape [tokens, width].

        Raises:
            _Refused: What the model returns is not what its LM head gave.
        """
        head = self.lm.get_output_embeddings()
        if head is None:
            raise _Refused("it has no LM head")
        given: list[Tensor] = []

        def answer(module: nn.Module, inputs: Any, output: Tensor) -> Tensor:
            given.append(inputs[0])
            # whatever the head said, from very large to nothing: what the model makes of it afterwards shows
            return _told(output).expand_as(output)

        handle = head.register_forward_hook(answer)
        try:
            said = self._own_logits(row)
        finally:
            handle.remove()
        if not given or not torch.allclose(said.float(), _told(said).float(), rtol=1e-5, atol=1e-6):
            raise _Refused("it changes its logits after the LM head")
        return given[-1].reshape(-1, given[-1].shape[-1])[-RESPONSE:]

    def _scale(self) -> float:
        """Return what the body's last states are multiplied by before the LM head.

        Raises:
            _Refused: The LM head is given something else.
        """
        found, right = self._alone(self.rows[0]).float(), self.right[0]
        scale = float((found * right).sum() / (found * found).sum()) if found.shape == right.shape else 1.0
        usual = (1.0, right.shape[-1] ** -0.5)  # as it is, or as T5 does where its embeddings are tied
        scale = next((one for one in usual if abs(scale / one - 1) < ROUNDING), scale)
        if fault := self._apart(found * scale, right):
            raise _Refused(f"its LM head is not given the last states of its body ({fault})")
        return scale

    def _read_by_itself(self, why: str) -> tuple[Tensor, Reading]:
        """Return the body's states of each row alone, of which the model itself makes its logits, and how.

        Raises:
            _Refused: It does not make them of these states.
        """
        body = self.lm.base_model
        name = next((name for name, part in self.lm.named_modules() if part is body and name), None)
        if name is None:
            raise _Refused(why)
        told = "position_ids" in inspect.signature(body.forward).parameters
        states = torch.stack([self._alone(row) for row in self.rows])
        own = torch.stack([self._own_logits(row) for row in self.rows])
        reading = Reading(self.lm, name, told, states.shape[-1], own.shape[-1])
        made = torch.stack([OwnLogits(reading)(row) for row in states])
        apart = (made.float().log_softmax(-1) - own.float().log_softmax(-1)).abs().max()
        if not apart < max(ROUNDING, 4 * self._eps(own)) * max(1.0, float(own.abs().max())):
            raise _Refused(
                f"{why}; nor does it make logits of its body's last states, or these see later tokens"
            )
        return states.float(), replace(reading, by_head=False)

    def _apart(self, found: Tensor, right: Tensor) -> str:
        """Return the largest relative difference of a state, if it is more than rounding; else nothing."""
        if found.shape != right.shape:
            return f"{list(found.shape)} instead of {list(right.shape)}"
        apart = state_error(found, right)
        return "" if apart < max(ROUNDING, 16 * self._eps(found)) else f"apart by {apart:.2g} of their size"

    def _eps(self, values: Tensor) -> float:
        """Return the rounding of the numbers that are computed in: quantised weights compute in bfloat16."""
        quantised = getattr(self.lm, "is_quantized", False) or getattr(self.lm, "quantization_method", None)
        return torch.finfo(torch.bfloat16 if quantised else values.dtype).eps


def _told(like: Tensor) -> Tensor:
    """Return logits that no model gives, from -99 to 99. Shape [vocabulary]."""
    return torch.linspace(-99, 99, like.shape[-1], dtype=like.dtype, device=like.device)


def _prompt_lengths(lm: Any) -> tuple[int, int, int]:
    """Return the trial's prompts' lengths: beyond the model's windows, and within its context."""
    config = lm.config.get_text_config(decoder=True)
    numbers: list[tuple[str, int]] = []
    for name, value in config.to_dict().items():
        listed = value if isinstance(value, list) else [value]
        numbers += [(name, one) for one in listed if type(one) is int]
    local = ("window", "chunk", "block_size", "radius")
    windows = [
        value for name, value in numbers if any(word in name for word in local) and value <= LONGEST_WINDOW
    ]
    contexts = [value for name, value in numbers if "position" in name and value > RESPONSE + SHORT]
    longest = min([max([LONG, *(window + 3 for window in windows)]), *(one - RESPONSE for one in contexts)])
    return longest, SHORT, max(longest // 2 + 1, SHORT)


def _padded_left(rows: list[Tensor]) -> PromptBatch:
    """Put prompts into one batch."""
    width = max(map(len, rows))
    ids = torch.stack([nn.functional.pad(row, (width - len(row), 0)) for row in rows])
    mask = torch.stack([nn.functional.pad(torch.ones_like(row), (width - len(row), 0)) for row in rows])
    return PromptBatch(ids, mask.bool())


def _line(error: BaseException) -> str:
    """Return the first line of what an error says."""
    return f"{type(error).__name__}: {(str(error) or type(error).__name__).splitlines()[0]}"
