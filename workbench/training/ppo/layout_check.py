"""Which layout serves a loaded language model, measured: alone as in a batch, token by token as in one pass."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

import torch
from torch import nn

from workbench.models.kept_weights import weights_kept
from workbench.models.modes import evaluation_mode
from workbench.models.reading import OwnLogits, Reading
from workbench.training.ppo.layout_trial import FAULTS, Trial, UnfitModel
from workbench.training.ppo.layouts import Contiguous, DecoderOnly, EncoderDecoder, Layout

__all__ = ["LayoutCheck", "check_layout"]


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

    Raises:
        ModelError: A pass changes its quantised weights.
    """
    with evaluation_mode(lm), weights_kept(lm):
        try:
            trial = Trial(lm)
        except torch.OutOfMemoryError:
            raise
        except FAULTS as error:
            return LayoutCheck(None, f"it cannot read a prompt and a response: {_line(error)}")
        except UnfitModel as refused:
            return LayoutCheck(None, str(refused))
        reason = ""
        for layout in _layouts(encodes=trial.encodes, scale=trial.scale):
            try:
                found = trial.fault_of(layout)
            except torch.OutOfMemoryError:
                raise
            except FAULTS as error:
                found = _line(error)
            if not found:
                served: Layout = layout
                if isinstance(layout, EncoderDecoder) and layout.cached:
                    served = replace(layout, banned_token=trial.misread(layout))
                return LayoutCheck(served, reason, trial.reading, trial.right.shape[-1])
            reason = reason or found
        return LayoutCheck(None, found)


def _layouts(*, encodes: bool, scale: float) -> Iterator[Layout]:
    """Yield the layouts that a kind of model may take, the fastest first."""
    if encodes:
        for cached, drops in ((True, True), (True, False), (False, True)):
            yield from (EncoderDecoder(right, cached, drops, scale) for right in (False, True))
    else:
        yield from (DecoderOnly(scale=scale), DecoderOnly(drops=False, scale=scale), Contiguous(scale))


def _line(error: BaseException) -> str:
    """Return the first line of what an error says."""
    return f"{type(error).__name__}: {(str(error) or type(error).__name__).splitlines()[0]}"
