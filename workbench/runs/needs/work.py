"""An estimate of the hours that models compute, by the speed of this machine, measured for a moment."""

from __future__ import annotations

import functools
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from workbench.core.processor import cores
from workbench.models.loading import ModelSettings
from workbench.models.placement import pick_device, pick_dtype
from workbench.models.size import ModelSize
from workbench.runs.needs.memory import model_size
from workbench.runs.needs.need import Found, Lack

if TYPE_CHECKING:
    import torch

__all__ = ["HoursNeed", "Work"]

_USED = {"cpu": 0.75, "cuda": 0.35}
"""Share of the speed of large products that training and reading reach: on a CPU as measured with two models."""
_PACKED = 0.55
"""Bytes of a weight in NF4."""
_STEP_S = 0.02
"""Seconds that writing one token takes beside its arithmetic."""
_SIZE = 1024
_BUFFER = 64 * 2**20
"""Bytes: more than caches hold."""
_SECONDS = 0.3


@dataclass(frozen=True)
class Speed:
    """What a device reaches."""

    operations: float
    """Floating operations a second, in training and reading."""
    moved: float
    """Bytes a second, from memory."""
    weight: int
    """Bytes of a weight."""


A100 = Speed(_USED["cuda"] * 312e12, 1.5e12, 2)
"""By what its maker says, in bfloat16."""


@dataclass(frozen=True)
class Work:
    """What one model does in a run, in tokens; the counts are estimates."""

    what: str
    model: ModelSettings
    trained: float = 0.0
    """Tokens that it is trained on: a pass forward and one back."""
    adapters: bool = False
    """Whether adapters are trained instead of all weights."""
    last_layers: int = 0
    """How many layers adapters are on, the last ones; 0: all."""
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
        device = pick_device(self.device)
        sizes = {one.model: model_size(one.model) for one in self.work}
        unknown = sorted({model.name for model, size in sizes.items() if size is None})
        besides = f"; not counted, for its size is not known here: {', '.join(unknown)}" if unknown else ""
        known = [(one, size) for one in self.work if (size := sizes[one.model]) is not None]
        if not known:
            return Found("nothing to add up" + besides)
        hours = {
            one.what: _hours(one, size, _measured(device.type, pick_dtype(one.model.dtype, device)))
            for one, size in known
        }
        parts = ", ".join(f"{what} {_said(amount)}" for what, amount in hours.items())
        said = f"about {_said(sum(hours.values()))} on this machine ({parts})"
        if device.type != "cuda":
            said += f"; {_said(sum(_hours(one, size, A100) for one, size in known))} on an A100"
        return Found(f"{said}{besides}: an order of magnitude")


def _hours(work: Work, size: ModelSize, speed: Speed) -> float:
    """Return the hours of some work."""
    # of a prompt only the last token meets the head
    read = 2 * (size.linear or size.parameters) * work.read
    passes = read + size.parameters * (_operations(work, size) * work.trained + 2 * work.written)
    weight = _PACKED if work.model.quantize == "nf4" else speed.weight
    step = size.parameters * weight / speed.moved + _STEP_S
    return (passes / speed.operations + work.written / max(work.rows, 1) * step) / 3600


def _operations(work: Work, size: ModelSize) -> float:
    """Return floating operations for a weight and a trained token."""
    if not work.adapters:
        return 6.0  # forward, and back to activations and to weights
    share = min(1.0, work.last_layers / size.layers) if work.last_layers and size.layers else 1.0
    # weights under adapters get no gradient; layers below all adapters are computed once for two passes or more
    return 4.0 * share + (1.0 - share)


def _said(hours: float) -> str:
    if hours < 1:
        return f"{max(hours * 60, 1):.0f} min"
    return f"{hours:,.1f} h" if hours < 100 else f"{hours / 24:,.0f} days"


@functools.cache
def _measured(device: str, kind: torch.dtype) -> Speed:
    """Measure large products in a number type, and a sum over a large buffer.

    On a CPU by the processor time of one thread, times the cores: what else computes in that moment counts little.
    """
    import torch

    on_gpu = device != "cpu"
    finish = torch.mps.synchronize if device == "mps" else torch.cuda.synchronize
    size = _SIZE * (8 if on_gpu else 1)
    one = torch.ones(size, size, device=device, dtype=kind)
    buffer = torch.ones(_BUFFER // 4 * (16 if on_gpu else 1), device=device)
    clock = time.perf_counter if on_gpu else time.thread_time

    def rate(amount: float, act: Callable[[], object]) -> float:
        count, begin = 0, clock()
        while clock() - begin < _SECONDS:
            act()
            if on_gpu:
                finish()
            count += 1
        return amount * count / (clock() - begin)

    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        one @ one
        each = 1 if on_gpu else cores()
        reached = _USED.get(device, _USED["cuda"]) * rate(2.0 * size**3, lambda: one @ one)
        return Speed(each * reached, each * rate(buffer.nbytes, buffer.sum), kind.itemsize)
    finally:
        torch.set_num_threads(threads)
