"""An estimate of the hours that models compute, by the speed of this machine, measured for a moment."""

from __future__ import annotations

import functools
import os
import time
from dataclasses import dataclass

from workbench.models.loading import ModelSettings
from workbench.models.placement import pick_device
from workbench.models.size import ModelSize
from workbench.runs.needs.memory import model_size
from workbench.runs.needs.need import Found, Lack

__all__ = ["HoursNeed", "Work"]

_USED = 0.35
"""Share of the measured speed of large products that training and reading reach."""
_PACKED = 0.55
"""Bytes of a weight in NF4."""
_STEP_S = 0.02
"""Seconds that writing one token takes beside its arithmetic."""
_A100 = 312e12, 1.5e12
"""What its maker says: bfloat16 operations, and bytes, a second."""
_SIZE = 1024
_SECONDS = 0.3


@dataclass(frozen=True)
class Work:
    """What one model does in a run, in tokens; the counts are estimates."""

    what: str
    model: ModelSettings
    trained: float = 0.0
    """Tokens that it is trained on: a pass forward and one back."""
    cost: float = 6.0
    """Floating operations for a weight and a trained token: 6 where all are trained; 4 with adapters, and less where
    these are on the last layers alone."""
    read: float = 0.0
    """Tokens that it reads: a pass forward."""
    written: float = 0.0
    """Tokens that it writes, one after the other."""
    rows: int = 8
    """Texts that are written at a time: each pass over the weights writes a token of each."""


@dataclass(frozen=True)
class HoursNeed:
    """All the work of a run. It lacks nothing: what is too long, the reader decides."""

    work: tuple[Work, ...]
    device: str = "auto"

    @property
    def name(self) -> str:
        """What it is called in the list."""
        return "hours"

    def check(self) -> Found | Lack:
        """Multiply; see `Need`."""
        device = pick_device(self.device).type
        sizes = {one.model: model_size(one.model) for one in self.work}
        unknown = sorted({model.name for model, size in sizes.items() if size is None})
        besides = f"; not counted, for its size is not known here: {', '.join(unknown)}" if unknown else ""
        if len(unknown) == len(sizes):
            return Found("nothing to add up" + besides)
        speed = _measured(device)
        hours = {
            one.what: _hours(one, size, speed, 2 if device == "cuda" else 4)
            for one in self.work
            if (size := sizes[one.model]) is not None
        }
        parts = ", ".join(f"{what} {_said(amount)}" for what, amount in hours.items())
        said = f"about {_said(sum(hours.values()))} on this machine ({parts})"
        if device != "cuda":
            there = (
                _hours(one, size, _A100, 2) for one in self.work if (size := sizes[one.model]) is not None
            )
            busy = os.getloadavg()[0] if hasattr(os, "getloadavg") else 0.0
            if busy > (os.cpu_count() or 1):
                said += f", measured while {busy:.0f} processes computed"
            said += f"; {_said(sum(there))} on an A100"
        return Found(f"{said}{besides}: an order of magnitude")


def _hours(work: Work, size: ModelSize, speed: tuple[float, float], bytes_a_weight: int) -> float:
    """Return the hours of some work, by floating operations and bytes a second."""
    operations, moved = speed
    passes = (
        size.parameters * (work.cost * work.trained + 2 * (work.read + work.written)) / (_USED * operations)
    )
    weights = size.parameters * (_PACKED if work.model.quantize == "nf4" else bytes_a_weight)
    return (passes + work.written / max(work.rows, 1) * (weights / moved + _STEP_S)) / 3600


def _said(hours: float) -> str:
    if hours < 1:
        return f"{max(hours * 60, 1):.0f} min"
    return f"{hours:,.1f} h" if hours < 100 else f"{hours / 24:,.0f} days"


@functools.cache
def _measured(device: str) -> tuple[float, float]:
    """Return floating operations and bytes a second: of large products, and of a copy in memory."""
    import torch

    kind = torch.bfloat16 if device == "cuda" else torch.float32
    size = _SIZE * (8 if device == "cuda" else 1)
    one = torch.ones(size, size, device=device, dtype=kind)

    def rate(amount: float, act: object) -> float:
        count, begin = 0, time.perf_counter()
        while time.perf_counter() - begin < _SECONDS:
            act()  # type: ignore[operator]
            if device == "cuda":
                torch.cuda.synchronize()
            count += 1
        return amount * count / (time.perf_counter() - begin)

    one @ one
    return rate(2.0 * size**3, lambda: one @ one), rate(2.0 * one.nbytes, one.clone)
