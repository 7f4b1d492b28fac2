"""4-bit layers of bitsandbytes, held so that they compute the same on every CPU, before and after any pass."""

from __future__ import annotations

import sys

from torch import nn

from workbench.core.errors import ModelError

__all__ = ["hold_layout"]


def hold_layout(model: nn.Module) -> None:
    """Let no 4-bit layer of a model repack its weights in place.

    On a CPU with AVX512-BF16 a layer of bitsandbytes does so at the first evaluation pass without gradients. What it
    repacks is rounded once more, wants widths that divide by 64 and 32, and gives wrong gradients in any later
    training step. The layers keep the answer through copies, adapters of peft and pickling.

    Args:
        model: Any model. Its 4-bit layers are changed in place; others are not touched.

    Raises:
        ModelError: A layer was repacked before the workbench saw it: its exact weights are gone.
    """
    modules = sys.modules.get(
        "bitsandbytes.nn.modules"
    )  # where it was never imported, there are no such layers
    if modules is None:
        return
    repacked = []
    for name, layer in model.named_modules():
        if isinstance(layer, modules.Linear4bit):
            layer.support_avx512bf16_for_cpu = False
            if getattr(getattr(layer.weight, "quant_state", None), "packing_format_for_cpu", False):
                repacked.append(name)
    if repacked:
        raise ModelError(
            got=f"{len(repacked)} 4-bit layers that bitsandbytes has repacked for this CPU ({repacked[0]}, ...)",
            needed="4-bit weights as they were loaded: repacked ones give other scores and wrong gradients",
            fix="load the model again, by load_causal_lm, or hand it over before its first evaluation pass",
        )
