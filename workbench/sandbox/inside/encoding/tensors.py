"""PyTorch: tensors and parameters from their bytes, sparse ones with their invariants, and its small values."""

from __future__ import annotations

import math
import sys
from collections.abc import Callable
from typing import Any

from . import checked
from .checked import ForbiddenResult

__all__ = ["DECODERS", "SHELLS", "encoders"]

_COMPRESSED = ("sparse_csr", "sparse_csc", "sparse_bsr", "sparse_bsc")


# --- writing ---------------------------------------------------------------------------------------------


def _tensor(tensor: Any, out: Any) -> list:
    import torch

    parameter = type(tensor) is torch.nn.Parameter
    kind = [parameter, bool(tensor.requires_grad)]
    gradient = tensor.grad if tensor.is_leaf and tensor.requires_grad else None
    plain = tensor.detach().cpu()
    layout = str(plain.layout).removeprefix("torch.")
    if layout == "sparse_coo":
        flat = plain.coalesce()
        parts = [flat.indices(), flat.values(), gradient]
        return ["sparse tensor", [list(plain.shape), kind], out.children(parts)]
    if layout in _COMPRESSED:
        rows = layout in ("sparse_csr", "sparse_bsr")
        first = plain.crow_indices() if rows else plain.ccol_indices()
        second = plain.col_indices() if rows else plain.row_indices()
        parts = [first, second, plain.values(), gradient]
        return ["compressed tensor", [layout, list(plain.shape), kind], out.children(parts)]
    if plain.is_quantized or plain.layout != torch.strided:
        plain = plain.dequantize() if plain.is_quantized else plain.to_dense()
    plain = plain.resolve_conj().resolve_neg().contiguous()
    data = plain.reshape(-1).view(torch.uint8).numpy() if plain.numel() else b""
    name = str(plain.dtype).removeprefix("torch.")
    return ["tensor", [name, list(plain.shape), out.buffer(data), kind], [out.child(gradient)]]


def _named(tag: str) -> Callable:
    return lambda value, out: [tag, str(value).removeprefix("torch."), []]


def _returned(value: Any, out: Any) -> list:
    return ["torch return", type(value).__name__, out.children(value)]


def encoders() -> dict[type, Callable]:
    """Return PyTorch's encoders by exact type, where it is loaded."""
    torch = sys.modules.get("torch")
    if torch is None or not hasattr(torch, "nn") or not hasattr(torch, "return_types"):
        return {}
    return {
        torch.Tensor: _tensor,
        torch.nn.Parameter: _tensor,
        torch.Size: lambda value, out: ["torch size", list(value), []],
        torch.dtype: _named("torch dtype"),
        torch.layout: _named("torch layout"),
        torch.memory_format: _named("torch format"),
        torch.device: lambda value, out: ["torch device", [value.type, value.index], []],
        **dict.fromkeys(_return_types().values(), _returned),
    }


def _return_types() -> dict[str, type]:
    import torch

    found = vars(torch.return_types).values()
    return {kind.__name__: kind for kind in found if isinstance(kind, type) and issubclass(kind, tuple)}


# --- reading ---------------------------------------------------------------------------------------------


def _constant(name: Any, kind: type) -> Any:
    """Return one of torch's constants of a kind, by name."""
    import torch

    found = vars(torch).get(checked.text(name))
    if type(found) is not kind:
        raise ForbiddenResult(f"a {kind.__name__} of the unknown name {name!r:.40}")
    return found


def _of_kind(tensor: Any, kind: Any, gradient: Any) -> Any:
    import torch

    parameter, requires = (checked.truth(each) for each in checked.a_list(kind, 2))
    if parameter:
        tensor = torch.nn.Parameter(tensor, requires_grad=requires)
    elif requires:
        tensor.requires_grad_(True)
    if gradient is not None:
        if type(gradient) is not torch.Tensor:
            raise ForbiddenResult("a gradient that is no tensor")
        tensor.grad = gradient
    return tensor


def _decode_tensor(reader: Any, meta: Any, parts: list, shell: Any) -> Any:
    import torch

    name, shape, buffer, kind = checked.a_list(meta, 4)
    dtype, size = _constant(name, torch.dtype), checked.shape(shape)
    if name.startswith(("q", "bits", "uint1", "int1")) and name not in ("int16", "int8", "uint16"):
        raise ForbiddenResult(f"a tensor of the type {name}")
    data = reader.buffer(buffer, math.prod(size) * torch.empty(0, dtype=dtype).element_size())
    if not data.nbytes:
        return _of_kind(torch.empty(size, dtype=dtype), kind, parts[0])
    if dtype == torch.bool and max(data) > 1:
        raise ForbiddenResult("a truth value that is neither")
    tensor = torch.frombuffer(bytearray(data), dtype=dtype).reshape(size)
    return _of_kind(tensor, kind, parts[0])


def _tensors(parts: list) -> list:
    import torch

    if not all(type(part) is torch.Tensor and part.layout == torch.strided for part in parts):
        raise ForbiddenResult("a sparse tensor whose parts are no tensors")
    return parts


def _decode_sparse(reader: Any, meta: Any, parts: list, shell: Any) -> Any:
    import torch

    shape, kind = checked.a_list(meta, 2)
    indices, values = _tensors(parts[:2])
    made = torch.sparse_coo_tensor(indices, values, checked.shape(shape), check_invariants=True)
    return _of_kind(made.coalesce(), kind, parts[2])


def _decode_compressed(reader: Any, meta: Any, parts: list, shell: Any) -> Any:
    import torch

    layout, shape, kind = checked.a_list(meta, 3)
    make = getattr(torch, checked.one_of(layout, _COMPRESSED) + "_tensor")
    made = make(*_tensors(parts[:3]), size=checked.shape(shape), check_invariants=True)
    return _of_kind(made, kind, parts[3])


def _decode_device(reader: Any, meta: Any, parts: list, shell: Any) -> Any:
    import torch

    kind, index = checked.a_list(meta, 2)
    checked.one_of(kind, ("cpu", "cuda", "meta", "mps"))
    return torch.device(kind) if index is None else torch.device(kind, checked.whole(index, 0, 64))


def _decode_return(reader: Any, meta: Any, parts: list, shell: Any) -> Any:
    kinds = _return_types()
    return kinds[checked.one_of(meta, kinds)](parts)


def _torch(kind: str) -> Callable:
    def decode(reader: Any, meta: Any, parts: list, shell: Any) -> Any:
        import torch

        return _constant(meta, getattr(torch, kind))

    return decode


def _decode_size(reader: Any, meta: Any, parts: list, shell: Any) -> Any:
    import torch

    return torch.Size(checked.shape(meta))


SHELLS: dict[str, Callable] = {}
DECODERS: dict[str, Callable] = {
    "tensor": _decode_tensor,
    "sparse tensor": _decode_sparse,
    "compressed tensor": _decode_compressed,
    "torch size": _decode_size,
    "torch dtype": _torch("dtype"),
    "torch layout": _torch("layout"),
    "torch format": _torch("memory_format"),
    "torch device": _decode_device,
    "torch return": _decode_return,
}
