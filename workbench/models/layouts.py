"""Ways to lay out a batch that read less of it, each measured on the model itself before it is used.

Whether a family can read several texts in one row depends on how its layers mix tokens: by attention with a mask, by
a convolution, by a recurrence, within a window or a chunk of columns. What it does there is compared with reading the
same texts one at a time, and again whenever rows become longer than any that were compared.
"""

from __future__ import annotations

import warnings
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import torch
from torch import Tensor

from workbench.core.errors import ModelError
from workbench.models.batch import positions
from workbench.models.modes import evaluation_mode
from workbench.models.reading import Reading, plain_tokens, state_error
from workbench.models.shared_prompts import SharedRows, packed_rows, shared_rows

if TYPE_CHECKING:
    from transformers import PreTrainedModel

__all__ = ["LAYOUTS", "LayoutLimit", "layout_error", "states_in_rows"]

LAYOUTS = ("padding_free", "share_prompts")
"""See `workbench.models.loading.ModelSettings`."""
FIRST = 16
"""Columns of the first comparison: a layout that does not hold there is refused."""


@dataclass
class LayoutLimit:
    """How long the rows of a layout may be on one model; found out as they become longer."""

    layout: str
    """One of `LAYOUTS`."""
    holds: int = 0
    """Columns up to which it was compared, and gives the same states."""
    fails: int | None = None
    """Columns at which it gave others; None: it never did."""
    errors: dict[int, tuple[float, float]] = field(default_factory=dict)
    """By columns, what was measured, and what rounding allows."""

    def allows(self, reading: Reading, columns: int) -> bool:
        """Tell whether rows of so many columns give the model's states; compared in powers of two.

        Args:
            reading: How the model is read.
            columns: Of the longest row.

        Raises:
            ModelError: The layout does not hold even for short rows.
        """
        while self.holds < columns and self.fails is None:
            tried = max(FIRST, 2 * self.holds)
            error, allowed = self.errors[tried] = layout_error(reading, self.layout, tried)
            if error <= allowed:
                self.holds = tried
            elif not self.holds:
                raise self._refusal(reading)
            else:
                self.fails = tried
                warnings.warn(self.said(), stacklevel=2)
        return columns <= self.holds

    def said(self) -> str:
        """Say in a line up to where it holds."""
        if self.fails is None:
            return f"{self.layout}: the same states as one text at a time, up to {self.holds} columns"
        return (
            f"{self.layout} holds up to rows of {self.holds} columns; at {self.fails} a state differs by "
            f"{self.errors[self.fails][0]:.2g} of its size: batches with longer rows are padded instead"
        )

    def _refusal(self, reading: Reading) -> ModelError:
        lm = reading.lm
        attention = getattr(lm.config, "_attn_implementation", None)
        kinds = sorted(set(getattr(lm.config.get_text_config(), "layer_types", None) or ()))
        why = (
            "which takes no positions"
            if not reading.positions
            else f"attention {attention}" + (f", layers {', '.join(kinds)}" if kinds else "")
        )
        (error, _allowed) = self.errors[FIRST]
        return ModelError(
            got=f"{self.layout} with {type(lm).__name__}, {why}: a token's state differs by {error:.2g} of its size "
            "from that of its text alone",
            needed="layers that keep the texts of a row apart, as attention by mask and position does",
            fix=f"leave out {self.layout}, or name another attention",
        )


def states_in_rows(reading: Reading, rows: SharedRows) -> Tensor:
    """Return the states of a batch's tokens, read as it is laid out. Shape [batch, tokens, width]."""
    mask = rows.visible
    if mask is not None and reading.lm.config._attn_implementation == "eager":  # adds the mask, as a number
        number = reading.lm.dtype
        mask = torch.zeros_like(mask, dtype=number).masked_fill_(~mask, torch.finfo(number).min)
    return rows.back(reading.states(rows.input_ids, mask, rows.position_ids))


def layout_error(reading: Reading, layout: str, columns: int) -> tuple[float, float]:
    """Measure by how much a layout changes the states of a few texts, read one at a time otherwise.

    Args:
        reading: How the model is read.
        layout: One of `LAYOUTS`.
        columns: Of the row that is read.

    Returns:
        The largest error of a token's state, relative to the state (infinite: the model cannot read it so), and what
        rounding allows: four times the number's precision, or four times what padding changes.
    """
    if not reading.positions:
        return float("inf"), 0.0
    ids, real, response = _texts(reading.lm, layout, columns)
    rows = (
        packed_rows(ids, real, positions(real))
        if layout == "padding_free"
        else shared_rows(ids, real, response)
    )
    assert rows is not None  # there are two responses to a prompt
    with torch.no_grad(), evaluation_mode(reading.lm), torch.autocast(ids.device.type, enabled=False):
        ones = [row[mask][None] for row, mask in zip(ids, real, strict=True)]
        alone = torch.cat([_plain(reading, one, torch.ones_like(one).bool())[0] for one in ones])
        try:
            found = states_in_rows(reading, rows)[real]
        except (RuntimeError, ValueError, TypeError, IndexError, KeyError, NotImplementedError):
            return float("inf"), 0.0
        error = state_error(found, alone)
        allowed = max(1e-4, 4 * torch.finfo(alone.dtype).eps)
        if error > allowed:
            allowed = max(allowed, min(4 * state_error(_plain(reading, ids, real)[real], alone), 0.25))
    return error, allowed


def _plain(reading: Reading, ids: Tensor, real: Tensor) -> Tensor:
    return reading.states(ids, real.long(), positions(real))


def _texts(lm: PreTrainedModel, layout: str, columns: int) -> tuple[Tensor, Tensor, Tensor]:
    """Return texts of unlike lengths that fill a row: ids, real tokens, responses. Each of shape [texts, tokens]."""
    few = max(2, columns // 16)
    if layout == "padding_free":
        # of odd lengths: no text begins where a chunk of columns does
        first, second = columns // 2 + 1, columns // 3
        parts = [(0, first), (0, second), (0, columns - first - second)]
    else:  # a long prompt with short responses, and a short one with long responses
        half = columns // 2
        parts = [(columns - 2 * few, few)] * 2 + [(3, half - 1), (3, columns - half - 2)]
    tokens = plain_tokens(lm, sum(map(sum, parts)))
    ids = tokens.new_zeros(len(parts), max(map(sum, parts)))
    real, response = torch.zeros_like(ids).bool(), torch.zeros_like(ids).bool()
    start = 0
    for row, (prompt, answer) in enumerate(parts):
        ids[row, : prompt + answer] = tokens[start : start + prompt + answer]
        real[row, : prompt + answer], response[row, prompt : prompt + answer] = True, True
        start += prompt + answer
        if layout == "share_prompts" and row % 2:
            ids[row, :prompt] = ids[row - 1, :prompt]
    return ids, real, response
