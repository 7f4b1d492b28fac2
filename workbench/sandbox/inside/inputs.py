"""What the grader hands to the solution process: pickles, read by a process that has nothing to lose.

Never the other way round: what comes back is read by `encoding`.
"""

from __future__ import annotations

import copyreg
import io
import pickle
import sys
from collections.abc import Callable
from typing import Any

from . import encoding
from .encoding import arrays, arrow, flow, tensors

__all__ = ["dump", "load"]


class _ReadingPickler(pickle.Pickler):
    """Names what was left in the solution process by its number."""

    def persistent_id(self, value: Any) -> int | None:
        return getattr(type(value), "drawn_number", lambda _: None)(value)


class _Unpickler(pickle.Unpickler):
    def __init__(self, data: bytes | bytearray, drawn: Callable[[int], Any]) -> None:
        super().__init__(io.BytesIO(data))
        self._drawn = drawn

    def persistent_load(self, number: int) -> Any:
        return self._drawn(number)


def dump(value: Any, *, reads: bool = False) -> bytes:
    """Pickle `value`; what has no good pickle of its own travels in the encoding.

    Args:
        value: A request.
        reads: Whether it may name what was left in the solution process: to look for that costs time.
    """
    buffer = io.BytesIO()
    pickler = (_ReadingPickler if reads else pickle.Pickler)(buffer, protocol=4)
    table = dict(copyreg.dispatch_table)
    numpy = sys.modules.get("numpy")
    if numpy is not None:
        table[numpy.ndarray] = _reduce_array
        table.update(dict.fromkeys(arrays.descendants(numpy.dtype), _reduce_dtype))
    for family in (tensors, flow, arrow):
        table.update(dict.fromkeys(family.encoders(), _reduce_encoded))
    pickler.dispatch_table = table
    pickler.dump(value)
    return buffer.getvalue()


def load(data: bytes | bytearray, drawn: Callable[[int], Any]) -> Any:
    """Unpickle what the grader sent; `drawn` finds what was left here by its number."""
    return _Unpickler(data, drawn).load()


def _reduce_encoded(value: Any) -> tuple:
    return encoding.decode, (encoding.encode(value),)


def _reduce_array(array: Any) -> tuple:
    # An object array is made anew with `np.empty` and filled: numpy's own pickles leave another one behind.
    if array.dtype.hasobject or array.dtype.kind == "T":
        return rebuild_object_array, (array.dtype, array.shape, array.ravel().tolist())
    return tuple(array.__reduce__())


def _reduce_dtype(dtype: Any) -> tuple:
    # numpy's own pickles make a dtype of their own for each array: `np.asarray(array, object) is array` is false
    # then, and pandas 1.5.3 takes that for a copy, which it writes into (`astype(str)`, even through `.copy()`).
    import numpy

    plain = dtype.names is None and dtype.subdtype is None and dtype.kind != "T" and not dtype.metadata
    return (numpy.dtype, (dtype.str,)) if plain else tuple(dtype.__reduce__())


def rebuild_object_array(dtype: Any, shape: tuple, values: list) -> Any:
    """Make an array of `shape` that holds objects, from its values in C order."""
    import numpy

    flat = numpy.empty(len(values), dtype=dtype)
    for index, value in enumerate(values):
        flat[index] = value
    array = numpy.empty(shape, dtype=dtype)
    array[...] = flat.reshape(shape)
    return array
