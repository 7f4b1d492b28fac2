"""Training and evaluation mode of a model's parts."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from torch import nn

__all__ = ["evaluation_mode", "modes_kept"]


@contextmanager
def evaluation_mode(model: nn.Module) -> Iterator[None]:
    """Within this context a model is in evaluation mode: no dropout. Then each of its modules is as it was."""
    with modes_kept(model):
        model.eval()
        yield


@contextmanager
def modes_kept(model: nn.Module) -> Iterator[None]:
    """After this context each of a model's modules is in the mode that it was in before."""
    modes = [(module, module.training) for module in model.modules()]
    try:
        yield
    finally:
        for module, mode in modes:
            module.training = mode
