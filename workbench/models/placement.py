"""Where a model computes, and in which numbers."""

from __future__ import annotations

from typing import TYPE_CHECKING

from workbench.core.errors import ModelError
from workbench.core.processor import instruction_sets

if TYPE_CHECKING:
    import torch

__all__ = ["DTYPES", "pick_device", "pick_dtype", "rounding"]

DTYPES = ("auto", "float32", "bfloat16", "float16", "native")
"""Number types by name; see `pick_dtype`."""
BF16_SETS = {"avx512_bf16", "amx_bf16", "bf16"}
"""Instructions that multiply bfloat16, as Linux names them."""


def pick_device(name: str = "auto") -> torch.device:
    """Return the device named, or for `auto` the first GPU, else the CPU.

    Args:
        name: A device as torch names it, such as `cpu`, `cuda:1`, `mps`; or `auto`.

    Raises:
        ModelError: There is no such device.
    """
    import torch

    cuda, mps = (
        torch.cuda.device_count() if torch.cuda.is_available() else 0,
        torch.backends.mps.is_available(),
    )
    if name == "auto":
        return torch.device("cuda" if cuda else "mps" if mps else "cpu")
    try:
        device = torch.device(name)
    except RuntimeError as error:
        raise ModelError(
            f"device {name!r}", "a device of torch: cpu, cuda, cuda:1, mps", "correct it"
        ) from error
    if device.type == "cuda" and not cuda:
        raise ModelError(
            f"device {name!r}, but torch sees no GPU", "a CUDA build of torch and a GPU", "set device='cpu'"
        )
    if device.type == "cuda" and (device.index or 0) >= cuda:
        raise ModelError(
            f"device {name!r}, but torch sees {cuda} GPU(s)", f"cuda:0 to cuda:{cuda - 1}", "correct it"
        )
    if device.type == "mps" and not mps:
        raise ModelError(
            f"device {name!r}, but torch sees none", "an Apple GPU and torch for it", "set device='cpu'"
        )
    return device


def pick_dtype(name: str, device: torch.device) -> torch.dtype:
    """Return the number type named, or for `auto` the one that the device computes fast and safely in.

    Args:
        name: One of `DTYPES`. `auto`: bfloat16 on a GPU (float16 where it has no bfloat16), float32 elsewhere.
            `native`: bfloat16 also on a CPU that multiplies it by instructions of its own: quicker, and less precise.
        device: Where the model will compute.
    """
    import torch

    if name == "native" and device.type == "cpu" and BF16_SETS & set(instruction_sets()):
        return torch.bfloat16
    if name not in ("auto", "native"):
        return {"float32": torch.float32, "bfloat16": torch.bfloat16, "float16": torch.float16}[name]
    if device.type == "cuda":
        return torch.bfloat16 if torch.cuda.is_bf16_supported() else torch.float16
    return torch.float32


def rounding(model: torch.nn.Module) -> float:
    """Return the relative rounding of the numbers that a model computes in; quantised weights compute in bfloat16."""
    import torch

    quantised = getattr(model, "is_quantized", False) or getattr(model, "quantization_method", None)
    numbers = {parameter.dtype for parameter in model.parameters() if parameter.is_floating_point()}
    return max(torch.finfo(one).eps for one in ({torch.bfloat16} if quantised else numbers))
