"""A fingerprint of weights that any training of them changes."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable

import torch
from torch import Tensor

__all__ = ["weights_mark"]

SAMPLES = 1024
INTEGERS = {1: torch.uint8, 2: torch.int16, 4: torch.int32, 8: torch.int64}


def weights_mark(named: Iterable[tuple[str, Tensor]]) -> str:
    """Return a fingerprint of weights, as 64 hex digits.

    It is taken from each tensor's sum and a sample of its values, so that large models cost little. The values are
    summed as whole numbers (their bits): exactly, in any order, on any device.

    Args:
        named: Weights with their names. Those of a layer that peft wraps have a longer name than bare ones, and give
            the same mark.
    """
    digest = hashlib.sha256()
    for name, weight in named:
        short = name.replace("base_model.model.", "").replace(".base_layer", "")
        bits = weight.detach().flatten().view(INTEGERS[weight.element_size()])
        sample = bits[:: max(len(bits) // SAMPLES, 1)].cpu().numpy()
        total = bits.sum(dtype=torch.int64).item()
        digest.update(f"{short} {weight.dtype} {len(bits)} {total}".encode())
        digest.update(sample.tobytes())
    return digest.hexdigest()
