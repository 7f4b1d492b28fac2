"""Weights that a pass leaves as they are: whether a family does, measured as it runs."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import torch
from torch import Tensor, nn

from workbench.core.errors import ModelError

__all__ = ["weights_kept"]

SAMPLED = 1024
"""Numbers of a weight that are compared, evenly spread over it."""


@contextmanager
def weights_kept(model: nn.Module) -> Iterator[None]:
    """Refuse a model that changes its quantised weights, or the base of its adapters, in a pass in this context.

    RWKV divides some weights by two for evaluation, and multiplies them again for training. Quantised, that rounds
    them once more, multiplies packed bytes, and fails beside adapters; and adapters are saved for the base that was
    loaded. A weight has changed if another one stands in its place, or if torch has counted a write to it and some
    of its numbers differ: peft's adapters on the experts of a mixture write the same numbers again.

    Args:
        model: Any model, with adapters in its layers or without.

    Raises:
        ModelError: Such a weight was changed.
    """
    held = {name: one for name, one in model.named_parameters() if not one.is_inference()}
    adapted = any(".lora_" in name for name in held)
    before = {
        name: (one, one._version, _sampled(one))
        for name, one in held.items()
        if ".lora_" not in name and (adapted or hasattr(one, "quant_state") or one.dtype == torch.int8)
    }
    yield
    after = dict(model.named_parameters()) if before else {}
    changed = [
        name
        for name, (one, count, numbers) in before.items()
        if after.get(name) is not one or (one._version != count and not torch.equal(_sampled(one), numbers))
    ]
    if changed:
        kind, fix = (
            ("with adapters", "train without adapters") if adapted else ("quantised", "leave out quantize")
        )
        raise ModelError(
            got=f"{type(model).__name__} {kind}, which changes {len(changed)} of its weights as it runs "
            f"({changed[0]}, ...)",
            needed="weights that a pass leaves as they are",
            fix=f"{fix}: this family changes its weights between training and evaluation",
        )


def _sampled(weight: Tensor) -> Tensor:
    """Return some numbers of a weight. Shape [at most about twice SAMPLED]."""
    flat = weight.detach().reshape(-1)
    return flat[:: max(1, len(flat) // SAMPLED)].clone()
