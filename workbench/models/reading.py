"""A causal language model in its two parts, found and measured: a body that gives states, a head that gives logits.

Families differ in what stands between the last state and the logits (a multiplier, a soft cap, a decoder of BERT's),
in whether they count positions from 0, and in whether they are causal at all. No list of them would last; so the
model that was loaded is asked.
"""

from __future__ import annotations

import inspect
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor, nn

from workbench.core.errors import ModelError
from workbench.models.batch import positions
from workbench.models.calling import called
from workbench.models.kept_weights import weights_kept
from workbench.models.modes import evaluation_mode
from workbench.models.text_limits import watched_tables

if TYPE_CHECKING:
    from transformers import PreTrainedModel

__all__ = ["OwnLogits", "Reading", "body_of", "plain_tokens", "read_model", "state_error", "token_rows"]

PROBE, PREFIX = 12, 7
"""Tokens of the text that a model is measured on, and of its beginning that is read alone."""
LARGE = 100.0
"""The largest logit of scaled states: a cap of logits shows there, whatever the model's own are."""


@dataclass(frozen=True, eq=False)
class Reading:
    """How a causal language model is read. Its parts are looked up when used: adapters and launchers wrap them."""

    lm: PreTrainedModel
    """The model."""
    name: str
    """Of its body, the part that gives the states of tokens."""
    positions: bool
    """Whether the body is told each token's position, from 0."""
    width: int
    """Of a state."""
    vocabulary: int
    """Tokens that it gives logits of."""
    longest: int | None = None
    """Tokens of the longest text that it has learned positions for; None: no limit."""
    by_head: bool = False
    """Whether its LM head alone makes logits of states."""

    @property
    def body(self) -> nn.Module:
        """The transformer without its heads."""
        return self.lm.get_submodule(self.name)

    @property
    def head(self) -> nn.Module:
        """Gives logits [rows, vocabulary] of states [rows, width]: the LM head, or `OwnLogits`."""
        return self.lm.get_output_embeddings() if self.by_head else OwnLogits(self)

    def states(self, input_ids: Tensor, mask: Tensor | None, places: Tensor) -> Tensor:
        """Run the body.

        Args:
            input_ids: Shape [rows, columns], int64.
            mask: 1 at real tokens, or with four axes which token sees which; None: all that stand before it.
            places: Each token's position. Shape [rows, columns], int64.

        Returns:
            Shape [rows, columns, width].
        """
        options: dict[str, Any] = {"position_ids": places} if self.positions else {}
        if mask is not None:
            options["attention_mask"] = mask
        return _body_states(self.body, input_ids, **options)


class OwnLogits(nn.Module):
    """The logits that a model itself makes of its body's states: its own forward pass, with the states given.

    Args:
        reading: How the model is read. The model does not become a part of this module.
    """

    def __init__(self, reading: Reading) -> None:
        super().__init__()
        self.reading, self.out_features = reading, reading.vocabulary

    def forward(self, states: Tensor) -> Tensor:
        """Return logits. Takes [rows, width], gives [rows, vocabulary]."""
        ids = torch.zeros(1, len(states), dtype=torch.int64, device=states.device)
        with _giving(self.reading.body, states[None]):
            logits: Tensor = called(self.reading.lm, ids, use_cache=False).logits
        return logits[0]


def read_model(lm: PreTrainedModel) -> Reading:
    """Find out how a causal language model is read, by a few tokens: what is computed in parts is what it computes.

    Args:
        lm: The model, adapters of peft in its layers or not. It is only run, in evaluation mode.

    Returns:
        The LM head as `head` where its logits are the model's own, else `OwnLogits`.

    Raises:
        ModelError: It cannot be run, is not causal, or reads a text in a batch otherwise than alone; neither way
            gives its own logits; or a pass changes its quantised weights.
    """
    name = type(lm).__name__
    if getattr(lm.config, "is_encoder_decoder", False):
        raise ModelError(
            f"{name}, an encoder-decoder", "a causal language model", "name a decoder-only model"
        )
    try:
        with torch.no_grad(), evaluation_mode(lm), weights_kept(lm):
            return _read(lm, name)
    except (
        RuntimeError,
        ValueError,
        TypeError,
        AttributeError,
        IndexError,
        KeyError,
        NotImplementedError,
    ) as error:
        said = (str(error).strip() or type(error).__name__).splitlines()[0]
        held = " with quantised weights" if getattr(lm, "is_quantized", False) else ""
        raise ModelError(
            got=f"{name}{held} cannot read {PROBE} tokens: {type(error).__name__}: {said}",
            needed="a causal language model that runs as it was loaded",
            fix="leave out quantize: this family reads its weights in a way of its own"
            if held
            else "name another model",
        ) from error


def body_of(lm: PreTrainedModel) -> Any:
    """Return a language model without its heads: its base; or its largest part, where it names no base (Llama 4)."""
    if lm.base_model is not lm:
        return lm.base_model
    return max(lm.children(), key=lambda part: sum(parameter.numel() for parameter in part.parameters()))


def token_rows(lm: PreTrainedModel) -> int:
    """Return how many tokens a model has embeddings of."""
    weight: Any = lm.get_input_embeddings().weight
    return len(weight)


def plain_tokens(lm: PreTrainedModel, count: int) -> Tensor:
    """Return tokens, the same ones at every call, of which none has a part of its own. Shape [count], int64."""
    special: set[int] = set()
    for config in (lm.config, lm.config.get_text_config(), lm.config.get_text_config(decoder=True)):
        for name, value in config.to_dict().items():
            if name.endswith(("token_id", "token_index")):
                special |= {
                    one for one in (value if isinstance(value, list) else [value]) if isinstance(one, int)
                }
    head: Any = lm.get_output_embeddings()
    rows = min(token_rows(lm), token_rows(lm) if head is None else len(head.weight), 2**12)
    plain = torch.tensor([token for token in range(rows) if token not in special] or [0])
    drawn = torch.randint(len(plain), (count,), generator=torch.Generator().manual_seed(0))
    return plain[drawn].to(next(lm.parameters()).device)


def state_error(found: Tensor, expected: Tensor) -> float:
    """Return the largest error of a token's state, relative to the state; infinite where one is no number.

    Args:
        found: Shape [..., width].
        expected: The same.
    """
    found, expected = found.float(), expected.float()
    error = (found - expected).norm(dim=-1) / expected.norm(dim=-1).clamp(min=1e-9)
    return float(error.max()) if bool(error.isfinite().all()) else float("inf")


def _read(lm: PreTrainedModel, name: str) -> Reading:
    ids = plain_tokens(lm, PROBE)[None]
    everywhere = torch.ones_like(ids)
    with watched_tables(ids) as tables:
        own: Tensor = called(lm, ids, use_cache=False).logits[0]
    lm_head = lm.get_output_embeddings()
    for body, told in _bodies(lm):
        reading = Reading(lm, body, told, 0, own.shape[-1], tables.longest)
        states = reading.states(ids, everywhere, positions(everywhere))
        reading = replace(reading, width=states.shape[-1])
        if not _same_logits(reading.head, states[0], own):
            continue
        _check_rows(reading, ids, states, name)
        large = states[0] * (LARGE / own.abs().max().clamp(min=1e-6)).to(states.dtype)
        pairs = [(states[0], own), (large, reading.head(large))]
        return replace(
            reading, by_head=lm_head is not None and all(_same_logits(lm_head, *pair) for pair in pairs)
        )
    raise ModelError(
        got=f"{name}, whose logits are not a function of its body's last states",
        needed="a causal language model of transformers' usual form: a body, then a head on each state",
        fix="name another model",
    )


def _bodies(lm: PreTrainedModel) -> Iterator[tuple[str, bool]]:
    """Yield the names of what may be the body (the base, or its decoder alone), and whether to tell positions."""
    names = {part: name for name, part in lm.named_modules() if name}
    for body in dict.fromkeys([body_of(lm), lm.get_decoder()]):
        if body in names:
            told = "position_ids" in inspect.signature(body.forward).parameters
            yield from ((names[body], way) for way in ((True, False) if told else (False,)))


def _check_rows(reading: Reading, ids: Tensor, states: Tensor, name: str) -> None:
    """Raise where a token's state depends on the tokens after it, or a text's states on the batch it is in."""
    tolerance = max(1e-3, 32 * torch.finfo(states.dtype).eps)
    start = ids[:, :PREFIX]
    alone = reading.states(start, torch.ones_like(start), positions(torch.ones_like(start)))
    ahead = _whole_error(states[:, :PREFIX], alone)
    mask = torch.ones_like(ids).repeat(2, 1)
    mask[1, PREFIX:] = 0
    batch = ids.repeat(2, 1) * mask
    padded = reading.states(batch, mask, positions(mask))[1:, :PREFIX]
    beside = _whole_error(padded, alone)
    if ahead > tolerance:
        raise ModelError(
            got=f"{name}, whose states change by {ahead:.2g} of their size with the tokens after them",
            needed="a causal language model",
            fix="set is_decoder to true in its config.json where the family has that, or name another model",
        )
    if beside > tolerance:
        raise ModelError(
            got=f"{name}, whose states change by {beside:.2g} of their size when padding follows them",
            needed="a model that reads a text in a batch as it reads it alone",
            fix="name another model",
        )


def _whole_error(found: Tensor, expected: Tensor) -> float:
    """Return the error of all states together, relative to them: a router's flip at one token is rounding."""
    found, expected = found.float(), expected.float()
    return float((found - expected).norm() / expected.norm().clamp(min=1e-9))


def _same_logits(head: Any, states: Tensor, own: Tensor) -> bool:
    """Tell whether a head gives these logits, but for a number that all tokens of a row share."""
    try:
        found = head(states)
    except (RuntimeError, ValueError, TypeError, AttributeError, IndexError, KeyError):
        return False
    if found.shape != own.shape:
        return False
    tolerance = max(1e-4, 4 * torch.finfo(own.dtype).eps) * max(1.0, float(own.abs().max()))
    difference = found.float().log_softmax(-1) - own.float().log_softmax(-1)
    return bool(difference.abs().max() <= tolerance)


def _body_states(body: nn.Module, input_ids: Tensor, **options: Any) -> Tensor:
    given = called(body, input_ids, **options, use_cache=False)
    states: Tensor = given[0] if isinstance(given, tuple) else given.last_hidden_state
    return states


class _Given:
    """A body's output with the states in it, and nothing else that a family may ask for."""

    def __init__(self, states: Tensor) -> None:
        self.last_hidden_state = states

    def __getattr__(self, name: str) -> None:
        if name.startswith("__"):
            raise AttributeError(name)

    def __getitem__(self, place: Any) -> Any:
        return self.last_hidden_state if place == "last_hidden_state" else (self.last_hidden_state,)[place]


@contextmanager
def _giving(body: nn.Module, states: Tensor) -> Iterator[None]:
    """Within this context a body gives these states, whatever it is asked."""
    before = body.__dict__.get("forward")
    body.forward = lambda *_, **__: _Given(states)
    try:
        yield
    finally:
        if before is None:
            del body.forward
        else:
            body.forward = before
