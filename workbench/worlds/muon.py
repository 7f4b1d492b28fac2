"""Muon in float32, for tiny models on a CPU."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable
from typing import Any

import torch
from torch import Tensor

__all__ = ["Muon", "orthogonalized"]

COEFFICIENTS = (3.4445, -4.7750, 2.0315)


class Muon(torch.optim.Optimizer):
    """Momentum whose step is made orthogonal, matrix by matrix.

    `torch.optim.Muon` computes in bfloat16, which most CPUs only emulate: there it takes longer than the whole
    forward and backward pass of a tiny model. This one computes in float32, on all matrices of a shape at once.

    Args:
        parameters: Matrices; embeddings and heads are better left to another optimizer.
        lr: Learning rate, scaled by `sqrt(max(1, rows / columns))`.
        momentum: Nesterov's.
        weight_decay: Decoupled.

    Source: Jordan et al. 2024, "Muon: An optimizer for hidden layers in neural networks".
    """

    def __init__(
        self,
        parameters: Iterable[Tensor],
        lr: float = 0.02,
        momentum: float = 0.95,
        weight_decay: float = 0.0,
    ) -> None:
        super().__init__(parameters, {"lr": lr, "momentum": momentum, "weight_decay": weight_decay})

    @torch.no_grad()
    def step(self, closure: Callable[[], float] | None = None) -> float | None:  # type: ignore[override]
        """Take one step. Matrices without a gradient stay as they are."""
        loss = None
        if closure is not None:
            with torch.enable_grad():
                loss = closure()
        for group in self.param_groups:
            by_shape: dict[torch.Size, list[tuple[Tensor, Tensor]]] = {}
            for matrix in group["params"]:
                if matrix.grad is not None:
                    by_shape.setdefault(matrix.shape, []).append((matrix, self._direction(matrix, group)))
            for (rows, columns), moved in by_shape.items():
                scale = group["lr"] * math.sqrt(max(1.0, rows / columns))
                directions = orthogonalized(torch.stack([direction for _, direction in moved]))
                for (matrix, _), direction in zip(moved, directions, strict=True):
                    matrix.mul_(1 - group["lr"] * group["weight_decay"]).sub_(direction, alpha=scale)
        return loss

    def _direction(self, matrix: Tensor, group: dict[str, Any]) -> Tensor:
        """Return a matrix's gradient with Nesterov's momentum."""
        gradient = matrix.grad if matrix.grad is not None else torch.zeros_like(matrix)
        state = self.state[matrix]
        if "velocity" not in state:
            state["velocity"] = torch.zeros_like(matrix)
        state["velocity"].lerp_(gradient, 1 - group["momentum"])
        return gradient.lerp(state["velocity"], group["momentum"])


def orthogonalized(matrices: Tensor, steps: int = 5) -> Tensor:
    """Return matrices with the same singular vectors and singular values near 1 (about 0.7 to 1.2).

    Newton-Schulz: `X <- a X + (b A + c A A) X` with `A = X X^T`.

    Args:
        matrices: Shape [matrices, rows, columns], floating.
        steps: Iterations.
    """
    a, b, c = COEFFICIENTS
    tall = matrices.shape[1] > matrices.shape[2]
    found = matrices.mT if tall else matrices
    found = found / found.norm(dim=(1, 2), keepdim=True).clamp(min=1e-7)
    for _ in range(steps):
        products = found @ found.mT
        found = a * found + (b * products + c * products @ products) @ found
    return found.mT if tall else found
