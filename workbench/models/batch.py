"""What the masks of a batch say: positions, last tokens, the response's places. True = participates."""

from __future__ import annotations

import torch
from torch import Tensor

from workbench.core.errors import ModelError

__all__ = ["check_batch", "last_token", "positions", "response_places"]


def check_batch(
    input_ids: Tensor, attention_mask: Tensor, response_mask: Tensor | None
) -> tuple[Tensor, Tensor | None]:
    """Return both masks as booleans, after checking that they make sense together.

    Args:
        input_ids: Shape [batch, tokens].
        attention_mask: True at real tokens. Shape [batch, tokens], bool or 0 and 1.
        response_mask: True at the response's tokens. The same, or None.

    Raises:
        ModelError: Shapes differ; a row is empty; a response's token is padding, or the first of its row.
    """
    masks = {"attention_mask": attention_mask, "response_mask": response_mask}
    for name, mask in masks.items():
        if mask is not None and (input_ids.ndim != 2 or mask.shape != input_ids.shape):
            raise ModelError(
                got=f"input_ids {list(input_ids.shape)}, {name} {list(mask.shape)}",
                needed="the same shape [batch, tokens]",
                fix="pad ids and masks together",
            )
    real = attention_mask.bool()
    empty = ~real.any(1)
    if response_mask is None:
        wrong, response = torch.zeros_like(empty), None
    else:
        response = response_mask.bool()
        before = torch.nn.functional.pad(real[:, :-1], (1, 0))
        wrong = (response & ~(real & before)).any(1)
    bad = torch.stack([empty, wrong]).tolist()  # one wait for the device
    said = ("has no real token", "has a response's token without a real one before it")
    for rows, got in zip(bad, said, strict=True):
        if any(rows):
            raise ModelError(
                got=f"row {rows.index(True)} of the batch {got}",
                needed="a prompt, then a response, without holes; padding at the ends only",
                fix="see how the batch is made: True marks what participates",
            )
    return real, response


def positions(attention_mask: Tensor) -> Tensor:
    """Return each token's number among its row's real tokens, from 0; 0 at padding before them.

    Shape [batch, tokens], int64. This makes padding on the left and on the right the same to the model.
    """
    return (attention_mask.long().cumsum(1) - 1).clamp(min=0)


def last_token(attention_mask: Tensor) -> Tensor:
    """Return the column of each row's last real token. Shape [batch], int64."""
    columns = torch.arange(attention_mask.shape[1], device=attention_mask.device)
    return (columns * attention_mask.long()).argmax(1)


def response_places(response_mask: Tensor | None) -> tuple[Tensor, Tensor]:
    """Return rows and columns of the response's tokens. Shapes [response tokens], int64.

    Raises:
        ModelError: There is no mask.
    """
    if response_mask is None:
        raise ModelError(got="no response_mask", needed="to know the response's tokens", fix="give the mask")
    rows, columns = response_mask.nonzero(as_tuple=True)
    return rows, columns
