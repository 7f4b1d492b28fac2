"""Prompts and responses that a language model is tried on, with the states of them that are its own."""

from __future__ import annotations

import inspect
from typing import Any

import torch
from torch import Tensor, nn

from workbench.models.calling import called
from workbench.models.placement import rounding
from workbench.models.reading import OwnLogits, Reading, body_of, plain_tokens, state_error
from workbench.training.ppo.bodies import PromptBatch, start_tokens
from workbench.training.ppo.layouts import Contiguous, EncoderDecoder, Layout

__all__ = ["FAULTS", "Trial", "UnfitModel"]

RESPONSE, SHORT, LONG = 6, 2, 9
"""Tokens of the trial's responses, of its shortest prompt, and of its longest one where no window is longer."""
LONGEST_WINDOW = 256
"""Windows and blocks of attention up to this long are left by the longest prompt; longer ones cost too much."""
ROUNDING = 5e-4
"""Relative difference of a state that is put down to rounding in float32."""


FAULTS = (
    AttributeError,
    TypeError,
    ValueError,
    LookupError,
    RuntimeError,
    AssertionError,
    NotImplementedError,
)
"""What families raise that are asked for what they do not have."""


class UnfitModel(Exception):
    """The model cannot be a policy, whatever the layout."""


class Trial:
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
        self.eps = rounding(lm)
        try:
            self.right = torch.stack([self._given_to_head(row) for row in self.rows]).float()
            self.scale = self._scale()
        except UnfitModel as refused:
            try:
                self.right, self.reading = self._read_by_itself(str(refused))
            except FAULTS as error:
                raise refused from error

    def fault_of(self, layout: Layout) -> str:
        """Return in words how a layout's states differ from the right ones; empty where they do not."""
        whole = layout.states(self.lm, self.prompts, self.responses)
        if fault := self._apart(whole, self.right):
            return f"its states in a padded batch are not those of a row alone ({fault})"
        if fault := self._apart(self._written(layout, self.responses, self.right), self.right):
            return f"its states token by token are not those of one pass ({fault})"
        return ""

    def misread(self, layout: Layout) -> int | None:
        """Return the padding token if what follows it in a response is read otherwise token by token; else None.

        Some decoders mask it, or count positions by it, where they see it: not the one that is in their cache.
        """
        configs = (self.lm.config, self.lm.config.get_text_config(decoder=True))
        pad = next(
            (config.pad_token_id for config in configs if getattr(config, "pad_token_id", None) is not None),
            -1,
        )
        if not 0 <= pad < len(self.lm.get_input_embeddings().weight):
            return None
        responses = self.responses.clone()
        responses[:, 1] = pad
        whole = layout.states(self.lm, self.prompts, responses).float()
        return pad if self._apart(self._written(layout, responses, whole), whole) else None

    def _written(self, layout: Layout, responses: Tensor, right: Tensor) -> Tensor:
        """Return a layout's states token by token; one row leaves half-way and has the right ones from there."""
        decoding, rows = layout.start(self.lm, self.prompts), self.rows
        written = right.clone()
        for column in range(RESPONSE):
            written[rows, column] = decoding.states.float()
            if column == RESPONSE // 2 and decoding.drops:
                rows = rows[[0, 2]]
                decoding.keep(rows)
            if column + 1 < RESPONSE:
                decoding.advance(responses[rows, column])
        return written

    def _alone(self, row: Tensor) -> Tensor:
        """Return the body's states of one row, unpadded and without a cache. Shape [tokens, width]."""
        layout: Layout = EncoderDecoder() if self.encodes else Contiguous()
        rows = row[None]
        return layout.states(self.lm, self.prompts.select(rows), self.responses[rows])[0]

    def _own_logits(self, row: Tensor) -> Tensor:
        """Return the logits before each token of a response, as the model reads it alone, in its own way."""
        prompt, response = self.prompts.ids[row][self.prompts.mask[row]][None], self.responses[row][None, :-1]
        if self.encodes:
            start = response.new_tensor([start_tokens(self.lm)])
            read = {"input_ids": prompt, "decoder_input_ids": torch.cat([start, response], 1)}
        else:
            read = {"input_ids": torch.cat([prompt, response], 1)}
        logits: Tensor = called(self.lm, **read, use_cache=False).logits
        return logits[0, -RESPONSE:]

    def _given_to_head(self, row: Tensor) -> Tensor:
        """Return what the LM head is given before each token of a response. Shape [tokens, width].

        Raises:
            UnfitModel: What the model returns is not what its LM head gave.
        """
        head = self.lm.get_output_embeddings()
        if head is None:
            raise UnfitModel("it has no LM head")
        given: list[Tensor] = []
        told: list[Tensor] = []

        def answer(module: nn.Module, inputs: Any, output: Tensor) -> Tensor:
            given.append(inputs[0])
            # whatever the head said, from very large to nothing: what the model makes of it afterwards shows
            told.append(torch.linspace(-99, 99, output.shape[-1], dtype=output.dtype, device=output.device))
            return told[-1].expand_as(output)

        handle = head.register_forward_hook(answer)
        try:
            said = self._own_logits(row)
        finally:
            handle.remove()
        if (
            not told
            or said.shape[-1:] != told[-1].shape
            or not bool((said.float() == told[-1].float()).all())
        ):
            raise UnfitModel("it changes its logits after the LM head")
        return given[-1].reshape(-1, given[-1].shape[-1])[-RESPONSE:]

    def _scale(self) -> float:
        """Return what the body's last states are multiplied by before the LM head.

        Raises:
            UnfitModel: The LM head is given something else.
        """
        found, right = self._alone(self.rows[0]).float(), self.right[0]
        scale = float((found * right).sum() / (found * found).sum()) if found.shape == right.shape else 1.0
        usual = (1.0, right.shape[-1] ** -0.5)  # as it is, or as T5 does where its embeddings are tied
        scale = next((one for one in usual if abs(scale / one - 1) < ROUNDING), scale)
        if fault := self._apart(found * scale, right):
            raise UnfitModel(f"its LM head is not given the last states of its body ({fault})")
        return scale

    def _read_by_itself(self, why: str) -> tuple[Tensor, Reading]:
        """Return the body's states of each row alone, of which the model itself makes its logits, and how.

        Raises:
            UnfitModel: It does not make them of these states.
        """
        body = body_of(self.lm)
        name = next((name for name, part in self.lm.named_modules() if part is body and name), None)
        if name is None:
            raise UnfitModel(why)
        told = "position_ids" in inspect.signature(body.forward).parameters
        states = torch.stack([self._alone(row) for row in self.rows])
        own = torch.stack([self._own_logits(row) for row in self.rows])
        reading = Reading(self.lm, name, told, states.shape[-1], own.shape[-1])
        made = torch.stack([OwnLogits(reading)(row) for row in states])
        apart = (made.float().log_softmax(-1) - own.float().log_softmax(-1)).abs().max()
        if not apart < max(ROUNDING, 4 * self.eps) * max(1.0, float(own.abs().max())):
            raise UnfitModel(
                f"{why}; nor does it make logits of its body's last states, or these see later tokens"
            )
        return states.float(), reading

    def _apart(self, found: Tensor, right: Tensor) -> str:
        """Return the largest relative difference of a row's states, if it is more than rounding; else nothing.

        Of a row, not of a token: in a half, a router of experts may well decide otherwise at one.
        """
        if found.shape != right.shape:
            return f"{list(found.shape)} instead of {list(right.shape)}"
        apart = state_error(found.flatten(-2), right.flatten(-2))
        return "" if apart < max(ROUNDING, 16 * self.eps) else f"apart by {apart:.2g} of their size"


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
    longest = min(
        [max([LONG, *(window + 3 for window in windows)]), *(context - RESPONSE for context in contexts)]
    )
    return longest, SHORT, max(longest // 2 + 1, SHORT)


def _padded_left(rows: list[Tensor]) -> PromptBatch:
    """Put prompts into one batch."""
    width = max(map(len, rows))
    ids = torch.stack([nn.functional.pad(row, (width - len(row), 0)) for row in rows])
    mask = torch.stack([nn.functional.pad(torch.ones_like(row), (width - len(row), 0)) for row in rows])
    return PromptBatch(ids, mask.bool())
