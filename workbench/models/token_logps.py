"""Log-probabilities of given tokens from hidden states, without ever holding all logits at once."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn
from torch.autograd.function import once_differentiable
from torch.utils.checkpoint import checkpoint

from workbench.core.errors import SettingsError

__all__ = ["label_logps", "sequence_logps"]

CHUNK_VALUES = {"cpu": 2**24, "cuda": 2**26}
"""Logits held at once, by type of device: 64 MB of float32 on a CPU, 256 MB on a GPU."""


def label_logps(hidden: Tensor, labels: Tensor, head: nn.Module, *, rows: int | None = None) -> Tensor:
    """Return `log softmax(head(hidden))` at the labels, computed some rows at a time, with gradients.

    Logits exist for `rows` states at once, in the forward and in the backward pass. A head that is trained costs
    one more product with its matrix (the backward pass computes the logits of all but the last rows again); a frozen
    one, as under LoRA, none (the gradient of the hidden states is computed beside their logits).

    Args:
        hidden: States before the LM head. Shape [states, width], floating.
        labels: The token each state should predict. Shape [states], int64.
        head: The LM head: a plain linear layer, else anything that maps [rows, width] to [rows, vocabulary].
        rows: States at a time; None: as many as `CHUNK_VALUES` allows.

    Returns:
        Shape [states], float32 (float64 for float64), whatever the head computes in.
    """
    vocabulary = getattr(head, "out_features", None) or 2**17
    kind = hidden.device.type
    rows = rows or max(16, CHUNK_VALUES.get(kind, 2**23) // vocabulary)
    if type(head) is not nn.Linear:
        return _through_module(hidden, labels, head, rows)
    weight: Tensor = head.weight
    bias: Tensor | None = head.bias
    # casting here, where autograd sees it, lets the arithmetic below run as it stands
    number = torch.get_autocast_dtype(kind) if torch.is_autocast_enabled(kind) else weight.dtype
    hidden, weight = hidden.to(number), weight.to(number)
    bias = bias if bias is None else bias.to(number)
    with torch.autocast(kind, enabled=False):
        if not torch.is_grad_enabled():
            return _forward(hidden, labels, weight, bias, rows)[0]
        return _LabelLogps.apply(hidden, labels, weight, bias, rows)


class _LabelLogps(torch.autograd.Function):
    """`log softmax(h W^T + b)[label]`, in chunks. With p the softmax: d/dh = W[label] - p W."""

    @staticmethod
    def forward(  # noqa: PLR0917 - autograd passes by position
        ctx: Any, hidden: Tensor, labels: Tensor, weight: Tensor, bias: Tensor | None, rows: int
    ) -> Tensor:
        ctx.head_trained = ctx.needs_input_grad[2] or ctx.needs_input_grad[3]
        slopes = torch.empty_like(hidden) if ctx.needs_input_grad[0] and not ctx.head_trained else None
        logps, buffer = _forward(hidden, labels, weight, bias, rows, slopes)
        if ctx.head_trained:
            ctx.rows, ctx.buffer = rows, buffer
            ctx.save_for_backward(hidden, labels, weight, bias)
        else:
            ctx.save_for_backward(slopes)
        return logps

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, grad: Tensor) -> tuple[Tensor | None, ...]:
        if not ctx.head_trained:
            (slopes,) = ctx.saved_tensors
            grad_hidden = None if slopes is None else (slopes * grad[:, None]).to(slopes.dtype)
            return grad_hidden, None, None, None, None
        hidden, labels, weight, bias = ctx.saved_tensors
        # what the forward pass left is of use once: the last chunk's log-probabilities, and the room
        buffer, ctx.buffer = ctx.buffer, None
        left = buffer is not None
        if buffer is None:
            buffer = _buffer(hidden, weight, ctx.rows)
        # sums over chunks in float32 at least: a half would lose the small ones
        grad_weight = torch.zeros_like(weight, dtype=grad.dtype)
        grad_bias = None if bias is None else torch.zeros_like(bias, dtype=grad.dtype)
        grad_hidden = torch.empty_like(hidden)
        for part in reversed(_chunks(len(hidden), ctx.rows)):
            values = buffer[: part.stop - part.start]
            if not left:
                _put_logps(values, hidden[part], weight, bias)
            left = False
            slope = _less_one_at(values.exp_(), labels[part]).to(weight.dtype)  # - d logp / d logits
            by = -grad[part, None]
            grad_hidden[part] = (slope @ weight) * by
            weighted = (hidden[part] * by).to(weight.dtype)
            if slope.dtype == grad_weight.dtype:
                grad_weight.addmm_(slope.T, weighted)
            else:
                grad_weight += slope.T @ weighted
            if grad_bias is not None:
                grad_bias += (values.T @ by)[:, 0]
        grad_bias = None if bias is None or grad_bias is None else grad_bias.to(bias.dtype)
        return grad_hidden, None, grad_weight.to(weight.dtype), grad_bias, None


def _forward(  # noqa: PLR0917 - the head's parts
    hidden: Tensor,
    labels: Tensor,
    weight: Tensor,
    bias: Tensor | None,
    rows: int,
    slopes: Tensor | None = None,
) -> tuple[Tensor, Tensor]:
    """Return the labels' log-probabilities, and all of the last chunk; fill in `d logp / d hidden`."""
    buffer = _buffer(hidden, weight, rows)
    logps = hidden.new_empty(len(hidden), dtype=buffer.dtype)
    for part in _chunks(len(hidden), rows):
        values = buffer[: part.stop - part.start]
        _put_logps(values, hidden[part], weight, bias)
        logps[part] = values.gather(1, labels[part, None])[:, 0]
        if slopes is not None:
            slope = _less_one_at(values.exp_(), labels[part]).to(weight.dtype)
            slopes[part] = -(slope @ weight)
    return logps, buffer


def _chunks(states: int, rows: int) -> list[slice]:
    """Return as few parts as hold at most `rows` states each, of like size."""
    parts = -(-states // rows)
    size = -(-states // max(parts, 1))
    return [slice(k * size, min((k + 1) * size, states)) for k in range(parts)]


def _buffer(hidden: Tensor, weight: Tensor, rows: int) -> Tensor:
    """Return room for the logits of a chunk, in float32 at least: memory is asked for once, not each time."""
    wide = torch.promote_types(weight.dtype, torch.float32)
    longest = max((part.stop - part.start for part in _chunks(len(hidden), rows)), default=0)
    return hidden.new_empty(longest, len(weight), dtype=wide)


def _put_logps(values: Tensor, hidden: Tensor, weight: Tensor, bias: Tensor | None) -> None:
    """Write the log-probabilities of all tokens, from some states, into `values`. Shape [states, vocabulary]."""
    if weight.dtype == values.dtype:
        torch.mm(hidden, weight.T, out=values)
        if bias is not None:
            values.add_(bias)
    else:
        values.copy_(nn.functional.linear(hidden, weight, bias))
    torch.log_softmax(values, 1, out=values)


def _less_one_at(values: Tensor, labels: Tensor) -> Tensor:
    """Take one from the values at the labels, in place."""
    values[torch.arange(len(values), device=values.device), labels] -= 1
    return values


def _through_module(hidden: Tensor, labels: Tensor, head: nn.Module, rows: int) -> Tensor:
    """Do the same with a head of any kind (quantised, or with adapters of its own), by checkpointing."""

    def chunk(states: Tensor, wanted: Tensor) -> Tensor:
        logits = head(states)
        logits = logits.to(torch.promote_types(logits.dtype, torch.float32))
        return logits.gather(1, wanted[:, None])[:, 0] - logits.logsumexp(1)

    parts = [slice(start, start + rows) for start in range(0, max(len(hidden), 1), rows)]
    return torch.cat([checkpoint(chunk, hidden[part], labels[part], use_reentrant=False) for part in parts])


def sequence_logps(token_logps: Tensor, response_mask: Tensor, *, average: bool = False) -> Tensor:
    """Return the log-probability of each response from those of its tokens.

    Args:
        token_logps: `log pi(y_t | x, y_<t)`. Shape [batch, tokens], floating. Values off the mask are ignored,
            also NaN.
        response_mask: True where a token belongs to the response. Shape [batch, tokens], bool.
        average: Divide by the response's length in tokens, as SimPO does.

    Returns:
        Shape [batch]. Sums, or averages; 0 for a response without tokens. dtype: float32, or float64 for float64.

    Raises:
        SettingsError: Shapes or types do not fit.
    """
    if token_logps.ndim != 2 or token_logps.shape != response_mask.shape or response_mask.dtype != torch.bool:
        raise SettingsError(
            got=f"token_logps {described(token_logps)}, response_mask {described(response_mask)}",
            needed="two tensors of shape [batch, tokens], the mask of type bool",
            fix="give the mask that the model was given; make one of 0 and 1 boolean by .bool()",
        )
    sums = torch.where(response_mask, widened(token_logps), 0.0).sum(-1)
    return sums / response_mask.sum(-1).clamp(min=1) if average else sums


def widened(tensor: Tensor) -> Tensor:
    """Return a tensor in float32 at least: a half's log-probability of -300 is known to 0.25 or 2 only."""
    return tensor if tensor.dtype == torch.float64 else tensor.float()


def described(tensor: object) -> str:
    """Name a tensor's type and shape."""
    if not isinstance(tensor, Tensor):
        return type(tensor).__name__
    return f"{str(tensor.dtype).removeprefix('torch.')} {list(tensor.shape)}"
