"""A batch laid out anew, so that less is read: responses behind one copy of a prompt, or texts without padding."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor

__all__ = ["SharedRows", "packed_rows", "shared_rows"]

MOST = 8
"""Responses behind one prompt: attention is computed, and then masked, over the whole row."""


class SharedRows(NamedTuple):
    """A batch laid out anew: fewer rows, each of several texts, and the way back."""

    input_ids: Tensor
    """Shape [rows, columns], int64; 0 at padding."""
    position_ids: Tensor
    """A token's number in its own sequence: every response goes on where the prompt ended. Shape [rows, columns]."""
    visible: Tensor | None
    """True where a token (third axis) sees another (fourth): the prompt's and its own response's, up to itself. Shape
    [rows, 1, columns, columns], bool. None: a text begins where positions begin anew."""
    places: Tensor
    """Where each token of the batch went, as row x columns + column; 0 for padding. Shape [batch, tokens], int64."""

    def back(self, states: Tensor) -> Tensor:
        """Return the states of the batch's tokens, from those of the rows; a prompt's states go to all its responses.

        Args:
            states: Shape [rows, columns, width].

        Returns:
            Shape [batch, tokens, width]; at padding they mean nothing.
        """
        flat = states.reshape(-1, states.shape[-1])
        return flat.index_select(0, self.places.reshape(-1)).view(*self.places.shape, -1)


def shared_rows(input_ids: Tensor, attention_mask: Tensor, response_mask: Tensor) -> SharedRows | None:
    """Lay responses to the same prompt behind one copy of it.

    Args:
        input_ids: Prompt and response, padded at the ends. Shape [batch, tokens], int64.
        attention_mask: True at real tokens. Shape [batch, tokens], bool.
        response_mask: True at the response's tokens. Shape [batch, tokens], bool.

    Returns:
        None where all prompts differ: nothing would be won.
    """
    ids, real, response = (each.cpu().numpy() for each in (input_ids, attention_mask, response_mask))
    tokens = [row[mask] for row, mask in zip(ids, real, strict=True)]
    marked = [row[mask] for row, mask in zip(response, real, strict=True)]
    # a row without a response is all prompt
    prompts = [int(mask.argmax()) if mask.any() else len(mask) for mask in marked]
    groups = _groups([row[:end].tobytes() for row, end in zip(tokens, prompts, strict=True)])
    if len(groups) == len(ids):
        return None
    lengths = [prompts[group[0]] + sum(len(tokens[k]) - prompts[k] for k in group) for group in groups]
    shape = len(groups), max(lengths)
    laid, numbers = np.zeros(shape, dtype=np.int64), np.zeros(shape, dtype=np.int64)
    owners = np.full(shape, -1)  # 0: the prompt; 1, 2, ...: the responses; -1: padding
    places = np.zeros(ids.shape, dtype=np.int64)
    for row, group in enumerate(groups):
        prompt = prompts[group[0]]
        laid[row, :prompt], owners[row, :prompt] = tokens[group[0]][:prompt], 0
        numbers[row, :prompt] = np.arange(prompt)
        start = prompt
        for owner, k in enumerate(group, start=1):
            end = start + len(tokens[k]) - prompt
            laid[row, start:end], owners[row, start:end] = tokens[k][prompt:], owner
            numbers[row, start:end] = np.arange(prompt, len(tokens[k]))
            columns = np.concatenate([np.arange(prompt), np.arange(start, end)])
            places[k, real[k]] = row * shape[1] + columns
            start = end
    of_prompt_or_own = (owners[:, None, :] == 0) | (owners[:, None, :] == owners[:, :, None])
    visible = of_prompt_or_own & (numbers[:, None, :] <= numbers[:, :, None])
    there = (
        torch.from_numpy(each).to(input_ids.device) for each in (laid, numbers, visible[:, None], places)
    )
    return SharedRows(*there)


def packed_rows(input_ids: Tensor, attention_mask: Tensor, position_ids: Tensor) -> SharedRows:
    """Lay the real tokens of a batch in one row, text after text.

    Args:
        input_ids: Shape [batch, tokens], int64.
        attention_mask: True at real tokens. Shape [batch, tokens], bool.
        position_ids: Each token's number in its text. Shape [batch, tokens], int64.
    """
    places = (attention_mask.flatten().long().cumsum(0) - 1).clamp(min=0).view(attention_mask.shape)
    return SharedRows(input_ids[attention_mask][None], position_ids[attention_mask][None], None, places)


def _groups(prompts: Sequence[bytes]) -> list[list[int]]:
    """Return the rows of each prompt, in order of appearance, at most `MOST` together."""
    last: dict[bytes, list[int]] = {}
    groups: list[list[int]] = []
    for row, prompt in enumerate(prompts):
        if prompt not in last or len(last[prompt]) == MOST:
            last[prompt] = []
            groups.append(last[prompt])
        last[prompt].append(row)
    return groups
