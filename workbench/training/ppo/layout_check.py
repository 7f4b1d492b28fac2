"""Which layout serves a loaded language model, measured: alone as in a batch, token by token as in one pass."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from workbench.models.modes import evaluation_mode
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


@dataclass(frozen=True)
class LayoutCheck:
    """How a policy can be run."""

    layout: Layout | None
    """None: in no way that is right."""
    reason: str = ""
    """Why it is refused, or why the usual layout is not taken; else empty."""

    def __str__(self) -> str:
        return f"refused: {self.reason}" if self.layout is None else str(self.layout)


@torch.no_grad()
def check_layout(lm: Any) -> LayoutCheck:
    """Find the layout whose states are the model's own, by three prompts of unlike lengths with responses.

    The reference is what the LM head is given when the model reads each row alone, in its own way. A layout serves if
    it gives the same states in one padded batch, and again token by token, also after a row has left.

    Args:
        lm: A decoder-only or encoder-decoder language model with an LM head; it is left as it is.

    Returns:
        The first layout that serves; or, if none does or the model changes logits after its LM head, the reason.
    """
    with evaluation_mode(lm):
        try:
            trial = _Trial(lm)
        except _FAULTS as error:
            return LayoutCheck(None, f"it cannot read a prompt and a response: {_line(error)}")
        except _Refused as refused:
            return LayoutCheck(None, str(refused))
        reason = ""
        for layout in _layouts(encodes=trial.encodes, scale=trial.scale):
            try:
                found = trial.fault_of(layout)
            except _FAULTS as error:
                found = _line(error)
            if not found:
                return LayoutCheck(layout, reason)
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
        self.lm, self.head = lm, lm.get_output_embeddings()
        if self.head is None:
            raise _Refused("it has no LM head")
        self.device = next(lm.parameters()).device
        self.encodes = bool(getattr(lm.config, "is_encoder_decoder", False))
        lengths = _prompt_lengths(lm)
        tokens = _harmless_tokens(lm)
        written = [[tokens[(7 * k * k + 3 * k + 5 * row) % len(tokens)] for k in range(lengths[0] + RESPONSE)]
                   for row in range(len(lengths))]  # fmt: skip
        rows = [
            (one[:-RESPONSE][:length], one[-RESPONSE:]) for one, length in zip(written, lengths, strict=True)
        ]
        self.responses = torch.tensor([response for _, response in rows], device=self.device)
        self.prompts = _padded_left([prompt for prompt, _ in rows], self.device)
        self.right = torch.stack([self._own_states(*row) for row in rows]).float()
        self.scale = self._scale_of(EncoderDecoder() if self.encodes else Contiguous())

    def fault_of(self, layout: Layout) -> str:
        """Return in words how a layout's states differ from the right ones; empty where they do not."""
        whole = layout.states(self.lm, self.prompts, self.responses)
        if fault := self._apart(whole, self.right):
            return f"its states in a padded batch are not those of a row alone ({fault})"
        decoding = layout.start(self.lm, self.prompts)
        rows = torch.arange(len(self.responses), device=self.device)
        for column in range(RESPONSE):
            if fault := self._apart(decoding.states, self.right[rows, column]):
                said = " after a row has left" if len(rows) < len(self.responses) else ""
                return f"its states token by token{said} are not those of one pass ({fault})"
            if column == RESPONSE // 2 and decoding.drops:
                rows = rows[[0, 2]]
                decoding.keep(rows)
            if column + 1 < RESPONSE:
                decoding.advance(self.responses[rows, column])
        return ""

    def _scale_of(self, layout: Layout) -> float:
        """Return what the body's last states are multiplied by before the LM head, by a row alone.

        Raises:
            _Refused: The LM head is given something else.
        """
        rows = torch.tensor([0], device=self.device)
        found = layout.states(self.lm, self.prompts.select(rows), self.responses[rows]).float()[0]
        scale = float((found * self.right[0]).sum() / (found * found).sum())
        usual = (1.0, self.right.shape[-1] ** -0.5)  # as it is, or as T5 does where its embeddings are tied
        scale = next((one for one in usual if abs(scale / one - 1) < ROUNDING), scale)
        if fault := self._apart(found * scale, self.right[0]):
            raise _Refused(f"its LM head is not given the last states of its body ({fault})")
        return scale

    def _own_states(self, prompt: list[int], response: list[int]) -> Tensor:
        """Return what the LM head is given before each token of a response, as the model reads it alone.

        Raises:
            _Refused: What the model returns is not what its LM head gave.
        """
        given: list[Tensor] = []

        def answer(module: Any, inputs: Any, output: Tensor) -> Tensor:
            given.append(inputs[0])
            # whatever the head said, from very large to nothing: what the model makes of it afterwards shows
            return torch.linspace(
                -99, 99, output.shape[-1], dtype=output.dtype, device=output.device
            ).expand_as(output)

        handle = self.head.register_forward_hook(answer)
        try:
            if self.encodes:
                shifted = [start_token_of(self.lm), *response[:-1]]
                read = {"input_ids": self._row(prompt), "decoder_input_ids": self._row(shifted)}
            else:
                read = {"input_ids": self._row([*prompt, *response[:-1]])}
            said = called(self.lm, **read, use_cache=False).logits
        finally:
            handle.remove()
        if not given:
            raise _Refused("it gives logits without its LM head")
        told = torch.linspace(-99, 99, said.shape[-1], dtype=said.dtype, device=said.device)
        if not torch.allclose(said[0, -1].float(), told.float(), rtol=1e-5, atol=1e-6):
            raise _Refused("it changes its logits after the LM head")
        return given[-1].reshape(-1, given[-1].shape[-1])[-RESPONSE:]

    def _row(self, tokens: list[int]) -> Tensor:
        return torch.tensor([tokens], device=self.device)

    def _apart(self, found: Tensor, right: Tensor) -> str:
        """Return the largest relative difference of a state, if it is more than rounding; else nothing."""
        if found.shape != right.shape:
            return f"{list(found.shape)} instead of {list(right.shape)}"
        apart = ((found.float() - right).norm(dim=-1) / right.norm(dim=-1)).max()
        quantised = getattr(self.lm, "is_quantized", False) or getattr(self.lm, "quantization_method", None)
        number = torch.bfloat16 if quantised else found.dtype
        return (
            ""
            if apart < max(5e-4, 16 * torch.finfo(number).eps)
            else f"apart by {float(apart):.2g} of their size"
        )


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


def _harmless_tokens(lm: Any) -> list[int]:
    """Return some tokens that mean nothing to the model's code: neither padding, nor ends, nor places of images."""
    tables = (lm.get_input_embeddings(), lm.get_output_embeddings())
    vocabulary = min(table.weight.shape[0] for table in tables)
    special: set[int] = set()
    for name, value in lm.config.to_dict().items():
        if name.endswith(("token_id", "token_index")) and value is not None:
            special |= set(value) if isinstance(value, list) else {value}
    return [token for token in range(vocabulary) if token not in special][:97] or [0]


def _padded_left(rows: list[list[int]], device: torch.device) -> PromptBatch:
    """Put prompts into one batch."""
    width = max(map(len, rows))
    ids = torch.tensor([[0] * (width - len(row)) + row for row in rows], device=device)
    mask = torch.tensor([[False] * (width - len(row)) + [True] * len(row) for row in rows], device=device)
    return PromptBatch(ids, mask)


def _line(error: BaseException) -> str:
    """Return the first line of what an error says."""
    return f"{type(error).__name__}: {(str(error) or type(error).__name__).splitlines()[0]}"
