"""Arrays of numpy and tensors of torch as raw buffers; number types come from a closed set of names."""

from __future__ import annotations

import math
import re
import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from workbench.store.stored.kinds import Kind, checked

if TYPE_CHECKING:
    import torch

__all__ = ["ARRAYS", "array_tag"]

_DTYPE = re.compile(r"[<>|=]?(?:b1|[iu][1248]|f[248]|c8|c16|[mM]8(?:\[\d*[A-Za-z]+\])?|[US]\d+)")
_FLOATS = (
    "float8_e4m3fn",
    "float8_e5m2",
    "float16",
    "bfloat16",
    "float32",
    "float64",
    "complex64",
    "complex128",
)
_TENSORS = {"bool", *_FLOATS, *(f"{kind}{bits}" for kind in ("int", "uint") for bits in (8, 16, 32, 64))}
_NUMPY = {np.ndarray: "array", np.ma.MaskedArray: "masked"}
_TORCH = {"Tensor": "tensor", "dtype": "tensor dtype", "device": "device", "Size": "size"}


def array_tag(value: Any) -> str | None:
    """Return the tag of an array, tensor or one of their scalars; None for anything else."""
    kind = type(value)
    if kind is np.ndarray and value.dtype == object:
        return "objects"
    if isinstance(value, np.dtype):
        return "dtype"
    if isinstance(value, np.generic):
        return "numpy text" if isinstance(value, np.str_ | np.bytes_) else "scalar"
    if kind.__module__ == "torch" and getattr(sys.modules.get("torch"), kind.__name__, None) is kind:
        return _TORCH.get(kind.__name__)
    return _NUMPY.get(kind)


def _dtype(name: Any) -> np.dtype[Any]:
    if not _DTYPE.fullmatch(checked(name, str, "a number type")):
        raise TypeError(f"number type {name}")
    return np.dtype(name)


def _dtype_name(dtype: np.dtype[Any]) -> str:
    if not _DTYPE.fullmatch(dtype.str):
        raise TypeError(f"its number type is {dtype}")
    return dtype.str


def _count(shape: Any) -> int:
    """Return how many items an array of a shape has."""
    sizes = checked(shape, tuple, "a shape")
    if not all(type(size) is int and size >= 0 for size in sizes):
        raise TypeError(f"shape {sizes}")
    return math.prod(sizes)


def _order(array: np.ndarray[Any, Any]) -> str:
    return "F" if array.flags.f_contiguous and not array.flags.c_contiguous else "C"


def _array_apart(array: np.ndarray[Any, Any]) -> Sequence[Any]:
    order: Any = _order(array)
    return _dtype_name(array.dtype), tuple(array.shape), order, array.tobytes(order)


def _array(name: Any, shape: Any, order: Any, content: Any) -> np.ndarray[Any, Any]:
    dtype = _dtype(name)
    if order not in ("C", "F") or len(checked(content, bytes, "a buffer")) != _count(shape) * dtype.itemsize:
        raise ValueError(f"{len(content)} bytes for an array of {name}, shape {shape}")
    if not content:
        return np.zeros(shape, dtype)
    return np.frombuffer(bytearray(content), dtype).reshape(shape, order=order)


def _objects(shape: Any, *items: Any) -> np.ndarray[Any, Any]:
    if _count(shape) != len(items):
        raise ValueError(f"{len(items)} items for shape {shape}")
    found = np.empty(len(items), dtype=object)
    for place, item in enumerate(items):
        found[place] = item
    return found.reshape(shape)


def _masked_apart(array: np.ma.MaskedArray[Any, Any]) -> Sequence[Any]:
    mask = None if array.mask is np.ma.nomask else np.asarray(array.mask)
    return np.asarray(array.data), mask, np.asarray(array.fill_value)


def _masked(data: Any, mask: Any, fill: Any) -> np.ma.MaskedArray[Any, Any]:
    for part in (data, fill, *([] if mask is None else [mask])):
        checked(part, np.ndarray, "part of a masked array")
    return np.ma.MaskedArray(data, mask=np.ma.nomask if mask is None else mask, fill_value=fill[()])


def _scalar(name: Any, content: Any) -> Any:
    return _array(name, (), "C", content)[()]


def _text_apart(text: Any) -> Sequence[Any]:
    # numpy's own `str` drops zeros at the end
    return (str.__str__(text) if isinstance(text, str) else bytes(text),)


def _text_of_numpy(text: Any) -> Any:
    return np.str_(text) if isinstance(text, str) else np.bytes_(checked(text, bytes, "numpy text"))


def _tensor_apart(tensor: torch.Tensor) -> Sequence[Any]:
    import torch

    name = str(tensor.dtype).removeprefix("torch.")
    if tensor.layout is not torch.strided or tensor.is_quantized or name not in _TENSORS:
        raise TypeError(f"it is {tensor.layout}, of {tensor.dtype}")
    plain = tensor.detach().cpu().resolve_conj().resolve_neg().contiguous()
    content = plain.reshape(-1).view(torch.uint8).numpy().tobytes() if plain.numel() else b""
    return name, tuple(tensor.shape), tensor.requires_grad, content


def _tensor(name: Any, shape: Any, requires_grad: Any, content: Any) -> torch.Tensor:
    """Return a tensor on the CPU, wherever it was."""
    import torch

    dtype = _tensor_dtype(name)
    if len(checked(content, bytes, "a buffer")) != _count(shape) * dtype.itemsize:
        raise ValueError(f"{len(content)} bytes for a tensor of {name}, shape {shape}")
    flat = torch.frombuffer(bytearray(content), dtype=dtype) if content else torch.empty(0, dtype=dtype)
    return flat.reshape(shape).requires_grad_(checked(requires_grad, bool, "requires_grad"))


def _tensor_dtype(name: Any) -> torch.dtype:
    import torch

    if name not in _TENSORS:
        raise TypeError(f"number type {name}")
    found: torch.dtype = getattr(torch, name)
    return found


def _device(kind: Any, index: Any) -> torch.device:
    import torch

    return torch.device(kind, index) if index is not None else torch.device(checked(kind, str, "a device"))


def _size(*sizes: Any) -> torch.Size:
    import torch

    return torch.Size(sizes)


ARRAYS = {
    "array": Kind(_array_apart, _array),
    "objects": Kind(lambda a: (tuple(a.shape), *a.flat), _objects),
    "masked": Kind(_masked_apart, _masked),
    "scalar": Kind(lambda s: (_dtype_name(s.dtype), s.tobytes()), _scalar),
    "numpy text": Kind(_text_apart, _text_of_numpy),
    "dtype": Kind(lambda d: (_dtype_name(d),), _dtype),
    "tensor": Kind(_tensor_apart, _tensor),
    "tensor dtype": Kind(lambda d: (str(d).removeprefix("torch."),), _tensor_dtype),
    "device": Kind(lambda d: (d.type, d.index), _device),
    "size": Kind(tuple, _size),
}
