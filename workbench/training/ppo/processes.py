"""The processes that train together: started by `accelerate launch` or `torchrun`, or this one alone."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn

__all__ = ["Processes"]


@dataclass(frozen=True)
class Processes:
    """How many there are, and which one this is."""

    process_index: int = 0
    """From 0; only the first one writes and speaks."""
    world_size: int = 1
    """How many there are."""

    @classmethod
    def meet(cls, device: torch.device) -> Processes:
        """Wait for the processes that a launcher started, by accelerate: NCCL on GPUs, gloo on CPUs."""
        from accelerate import PartialState

        from workbench.training.arguments import processes

        if processes() == 1:
            return cls()
        state = PartialState(cpu=True, backend="gloo") if device.type == "cpu" else PartialState()
        return cls(state.process_index, state.num_processes)

    @property
    def first(self) -> bool:
        """Whether this one writes."""
        return self.process_index == 0

    def share(self, rows: int) -> slice:
        """Return which rows of a batch are this process's."""
        each = rows // self.world_size
        return slice(self.process_index * each, (self.process_index + 1) * each)

    def gather(self, value: Any) -> list[Any]:
        """Return what each process gives, in their order. Values are pickled: tensors must be on the CPU."""
        if self.world_size == 1:
            return [value]
        found: list[Any] = [None] * self.world_size
        torch.distributed.all_gather_object(found, value)
        return found

    def add(self, tensor: Tensor) -> Tensor:
        """Return the sum of the processes' tensors."""
        if self.world_size > 1:
            torch.distributed.all_reduce(tensor)
        return tensor

    def add_gradients(self, parameters: Iterable[nn.Parameter]) -> None:
        """Give all processes the sum of their gradients."""
        if self.world_size == 1:
            return
        for parameter in parameters:
            if parameter.grad is None:  # this process had no use for it
                parameter.grad = torch.zeros_like(parameter)
            torch.distributed.all_reduce(parameter.grad)

    def wait(self) -> None:
        """Wait until all are here."""
        if self.world_size > 1:
            torch.distributed.barrier()
