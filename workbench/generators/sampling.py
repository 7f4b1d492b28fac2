"""Sample tokens so that an answer depends on its own seed, and not on what it is batched with."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from torch import Tensor

__all__ = ["draw", "sample_seed", "uniform_numbers"]

_LIKELIEST = 512
"""Tokens among which the nucleus is looked for first: sorting a whole vocabulary takes longer than a small model."""


def sample_seed(seed: int, problem_id: int | str, sample: int) -> int:
    """Return the seed of one answer, from 0 to 2**31 - 1: a hash of the run's seed, problem and sample."""
    digest = hashlib.sha256(f"{seed}/{problem_id}/{sample}".encode()).digest()
    return int.from_bytes(digest[:4], "big") >> 1


def uniform_numbers(seed: int, count: int) -> list[float]:
    """Return the random numbers, in [0, 1), by which one answer's tokens are drawn."""
    import torch

    return [float(one) for one in torch.rand(count, generator=torch.Generator().manual_seed(seed))]


def draw(logits: Tensor, uniforms: Tensor, *, temperature: float, top_p: float) -> Tensor:
    """Draw each row's next token by inversion: the first at which the cumulative probability passes its number.

    Args:
        logits: Shape [rows, vocabulary], float.
        uniforms: A number in [0, 1) a row. Shape [rows].
        temperature: Divides the logits; above 0.
        top_p: Draw among the most probable tokens that together have this probability.

    Returns:
        Tokens. Shape [rows], int64.
    """
    import torch

    probabilities = torch.softmax(logits.float() / temperature, dim=-1)
    likeliest, tokens = probabilities.topk(min(_LIKELIEST, probabilities.shape[-1]), dim=-1)
    if likeliest.shape[-1] < probabilities.shape[-1] and (likeliest.sum(dim=-1) <= top_p).any():
        likeliest, tokens = torch.sort(probabilities, descending=True)
    before = likeliest.cumsum(dim=-1) - likeliest
    likeliest = likeliest.masked_fill(before >= top_p, 0.0)  # the first token always stays
    cumulative = likeliest.cumsum(dim=-1)
    target = uniforms.to(cumulative)[:, None] * cumulative[:, -1:]
    drawn = torch.searchsorted(cumulative, target, right=True).clamp(max=cumulative.shape[-1] - 1)
    return tokens.gather(-1, drawn)[:, 0]
