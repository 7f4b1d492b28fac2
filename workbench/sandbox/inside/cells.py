"""The cells of a value: the scalars that it is made of, in order, whatever holds them."""

from __future__ import annotations

import math
import sys
from collections.abc import Callable, Iterable, Mapping
from typing import Any

__all__ = ["MAX_CELLS", "TooLarge", "cells", "close", "is_missing", "is_opaque", "is_plain_numpy", "kind_of"]

MAX_CELLS = 1_000_000
_PLAIN = (str, bytes, bytearray, int, float, complex, bool, type(None))
_OF_VALUES = ("datetime", "decimal", "fractions", "pandas")  # whose objects are scalars
_RELATIVE, _ABSOLUTE = 1e-3, 1e-6


class TooLarge(Exception):
    """A value of more cells than are looked at."""


def kind_of(value: Any) -> str:
    """Name the family of a value: by the classes of the libraries that are loaded, and of no others."""
    if type(value) in _PLAIN:
        return "plain"
    for name, (module, path) in _CLASSES.items():
        kind: Any = sys.modules.get(module)
        for part in path.split("."):
            kind = getattr(kind, part, None)
        if isinstance(kind, type) and isinstance(value, kind):
            return name
    for name, kinds in _CONTAINERS.items():
        if isinstance(value, kinds):
            return name
    return "plain" if isinstance(value, _PLAIN) else "object"


_CLASSES = {
    "array": ("numpy", "ndarray"),
    "scalar": ("numpy", "generic"),
    "frame": ("pandas", "DataFrame"),
    "series": ("pandas", "Series"),
    "index": ("pandas", "Index"),
    "extension": ("pandas", "api.extensions.ExtensionArray"),
    "torch": ("torch", "Tensor"),
    "ragged": ("tensorflow", "RaggedTensor"),
    "sparse tensor": ("tensorflow", "SparseTensor"),
    "variable": ("tensorflow", "Variable"),
    "tensor": ("tensorflow", "Tensor"),
    "sparse": ("scipy.sparse", "spmatrix"),
    "sparse array": ("scipy.sparse", "sparray"),
    "arrow": ("pyarrow", "Array"),
    "chunked arrow": ("pyarrow", "ChunkedArray"),
    "arrow table": ("pyarrow", "Table"),
}
_CONTAINERS: dict[str, tuple[type, ...]] = {
    "mapping": (Mapping,),
    "set": (set, frozenset),
    "list": (list, tuple, range),
}


def cells(value: Any) -> list[Any]:
    """Return the scalars that a value is made of; what has no parts that are known here is one cell.

    Raises:
        TooLarge: for more than `MAX_CELLS`.
    """
    found: list[Any] = []
    _add(value, found)
    return found


def _add(value: Any, found: list[Any]) -> None:
    open_up = _OPENED.get(kind_of(value))
    if open_up is None:
        found.append(value)
    else:
        parts = open_up(value)
        if isinstance(parts, _Leaves):
            found.extend(parts)
        else:
            for part in parts:
                _add(part, found)
    if len(found) > MAX_CELLS:
        raise TooLarge(f"more than {MAX_CELLS:,} values")


class _Leaves(list):
    """Scalars, which need not be opened."""


def _of_array(array: Any) -> Iterable[Any]:
    import numpy

    if array.size > MAX_CELLS:
        raise TooLarge(f"more than {MAX_CELLS:,} values")
    if array is numpy.ma.masked:
        return _Leaves([array])
    if isinstance(array, numpy.ma.MaskedArray):
        inner = list(_of_array(numpy.asarray(array.data)))
        if array.dtype.names is None:
            masks = numpy.ma.getmaskarray(array).ravel().tolist()
            return [numpy.ma.masked if mask else each for each, mask in zip(inner, masks)]  # noqa: B905
        return inner
    flat = numpy.asarray(array).ravel()
    if flat.dtype.kind == "O":
        return list(flat)
    # a time in nanoseconds would become a whole number, and the missing one too
    return (
        _Leaves(flat)
        if flat.dtype.kind in "mM"
        else _of_records(flat)
        if flat.dtype.names
        else _Leaves(flat.tolist())
    )


def _of_records(flat: Any) -> list[Any]:
    return [flat[name] for name in flat.dtype.names]


def _of_scalar(scalar: Any) -> Iterable[Any]:
    return _Leaves([scalar] if scalar.dtype.kind in "mMV" else [scalar.item()])


def _of_frame(frame: Any) -> list[Any]:
    return [frame.iloc[:, place].array for place in range(frame.shape[1])]


def _of_extension(array: Any) -> Iterable[Any]:
    if len(array) > MAX_CELLS:
        raise TooLarge(f"more than {MAX_CELLS:,} values")
    return [array.to_numpy()] if is_plain_numpy(array) else list(array)


def is_plain_numpy(array: Any) -> bool:
    """Whether an extension array is a numpy array in pandas' clothes."""
    return type(array).__name__ in ("PandasArray", "NumpyExtensionArray")


def _of_torch(tensor: Any) -> Iterable[Any]:
    if math.prod(tensor.shape) > MAX_CELLS:
        raise TooLarge(f"more than {MAX_CELLS:,} values")
    tensor = tensor.detach()
    tensor = tensor.dequantize() if tensor.is_quantized else tensor
    tensor = tensor.to_dense() if str(tensor.layout) != "torch.strided" else tensor
    return _Leaves(tensor.cpu().reshape(-1).tolist())


def _of_sparse(matrix: Any) -> Iterable[Any]:
    if math.prod(matrix.shape) > MAX_CELLS:
        raise TooLarge(f"more than {MAX_CELLS:,} values")
    return _of_array(matrix.toarray())


_OPENED: dict[str, Callable[[Any], Iterable[Any]]] = {
    "array": _of_array,
    "scalar": _of_scalar,
    "frame": _of_frame,
    "series": lambda series: [series.array],
    "index": list,
    "extension": _of_extension,
    "torch": _of_torch,
    "ragged": lambda tensor: tensor.to_list(),
    "sparse tensor": lambda tensor: sys.modules["tensorflow"].sparse.to_dense(tensor).numpy(),
    "variable": lambda tensor: [tensor.numpy()],
    "tensor": lambda tensor: [tensor.numpy()],
    "sparse": _of_sparse,
    "sparse array": _of_sparse,
    "arrow": lambda array: array.to_pylist(),
    "chunked arrow": lambda array: array.to_pylist(),
    "arrow table": lambda table: table.to_pylist(),
    "mapping": lambda mapping: list(mapping.values()),
    "set": lambda some: sorted(some, key=repr),
    "list": list,
}


def is_missing(cell: Any) -> bool:
    """Whether a cell holds nothing: None, NaN, NaT, NA, masked, or a text of no letter."""
    nothing = (
        getattr(sys.modules.get("pandas"), "NA", None),
        getattr(sys.modules.get("numpy.ma"), "masked", None),
    )
    if cell is None or any(cell is each for each in nothing):
        return True
    if isinstance(cell, (str, bytes)):
        return not cell
    try:
        return bool(cell != cell)  # noqa: PLR0124 (NaN, NaT)
    except Exception:
        return False


def is_opaque(cell: Any) -> bool:
    """Whether a cell is an object whose values are not known here."""
    return kind_of(cell) == "object" and type(cell).__module__.partition(".")[0] not in _OF_VALUES


def close(result: list[Any], expected: list[Any]) -> bool:
    """Whether two lists of cells are the same, numbers but for the rounding of a test."""
    if len(result) != len(expected):
        return False
    numpy = sys.modules.get("numpy")
    if numpy is not None and {*map(type, result), *map(type, expected)} <= {float, int, bool, complex}:
        try:  # at once: a million numbers one by one take seconds
            return bool(numpy.allclose(result, expected, rtol=_RELATIVE, atol=_ABSOLUTE, equal_nan=True))
        except (OverflowError, TypeError):  # whole numbers beyond 64 bits
            pass
    return all(map(_alike, result, expected))


def _alike(one: Any, other: Any) -> bool:
    if is_missing(one) or is_missing(other):
        return is_missing(one) and is_missing(other)
    numbers = (int, float, complex)
    try:
        if isinstance(one, numbers) and isinstance(other, numbers):
            return one == other or abs(one - other) <= _ABSOLUTE + _RELATIVE * abs(other)
        return bool(one == other) or (is_opaque(one) and type(one) is type(other))
    except Exception:  # what cannot be compared is not the same
        return False
