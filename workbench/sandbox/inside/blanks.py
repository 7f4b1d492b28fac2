"""Blanked values: of the same type and shape as a value, with nothing of what it says."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable
from typing import Any

from .cells import is_missing, is_plain_numpy, kind_of

__all__ = ["BLANKS"]

_NAN = float("nan")


def _missing(value: Any) -> Any:
    """Return a value with each of its cells replaced by a missing one."""
    return _filled(value, zero=False)


def _zero(value: Any) -> Any:
    """Return a value with each of its cells replaced by 0, False or a text of no letter."""
    return _filled(value, zero=True)


def _empty(value: Any) -> Any:
    """Return a value of the same type without any cell; itself where its type has none such."""
    kind = kind_of(value)
    if kind in ("frame", "series"):
        return value.iloc[:0]
    if kind in ("array", "torch", "tensor"):
        return value[:0] if value.ndim else value
    if kind in ("index", "extension"):
        return value[:0]
    if type(value) in (list, tuple, dict, set, frozenset, str, bytes):
        return type(value)()
    return value


BLANKS: dict[str, Callable[[Any], Any]] = {"missing": _missing, "zero": _zero, "no": _empty}
"""Ways to blank a value, by the word for its values then."""


def _filled(value: Any, *, zero: bool) -> Any:
    fill = _FILLED.get(kind_of(value))
    return value if fill is None else fill(value, zero)


def _plain(value: Any, zero: bool) -> Any:
    if value is None:
        return None
    if zero or isinstance(value, (str, bytes)):
        return type(value)()
    return None if isinstance(value, bool) else _NAN


def _array(array: Any, zero: bool) -> Any:
    import numpy

    kind = array.dtype.kind
    if isinstance(array, numpy.ma.MaskedArray):
        return array
    if kind == "O":
        made = numpy.empty(array.shape, dtype=object)
        for place, each in enumerate(array.flat):
            made.flat[place] = _filled(each, zero=zero)
        return made
    if zero or kind in "USV":
        return numpy.zeros_like(array)
    if kind in "mM":
        return numpy.full_like(array, "NaT")
    return numpy.full_like(array, numpy.nan, dtype=array.dtype if kind in "fc" else float)


def _scalar(scalar: Any, zero: bool) -> Any:
    return _array(sys.modules["numpy"].asarray(scalar), zero)[()]


def _extension(array: Any, zero: bool) -> Any:
    if not zero:
        return type(array)._from_sequence([None] * len(array), dtype=array.dtype)
    some = next((each for each in array if not is_missing(each)), None)
    blank = _filled(some, zero=True)
    return type(array)._from_sequence([blank] * len(array), dtype=array.dtype)


def _values(owner: Any, zero: bool) -> Any:
    """Blank what a series or an index holds."""
    array = owner.array
    try:
        return _filled(array.to_numpy() if is_plain_numpy(array) else array, zero=zero)
    except Exception:  # an extension type that has no such value
        return array


def _series(series: Any, zero: bool) -> Any:
    return type(series)(_values(series, zero), index=series.index, name=series.name)


def _index(index: Any, zero: bool) -> Any:
    if sys.modules["pandas"].MultiIndex in type(index).__mro__:
        return index
    return sys.modules["pandas"].Index(_values(index, zero), name=index.name)


def _frame(frame: Any, zero: bool) -> Any:
    pandas = sys.modules["pandas"]
    columns = [_series(frame.iloc[:, place], zero) for place in range(frame.shape[1])]
    if not columns:
        return frame
    made = pandas.concat(columns, axis=1)
    made.columns = frame.columns
    return made


def _torch(tensor: Any, zero: bool) -> Any:
    torch = sys.modules["torch"]
    if zero:
        return torch.zeros_like(tensor)
    floating = tensor.is_floating_point() or tensor.is_complex()
    return torch.full(tensor.shape, _NAN, dtype=tensor.dtype if floating else torch.float32)


def _tensor(tensor: Any, zero: bool) -> Any:
    tensorflow = sys.modules["tensorflow"]
    if zero or not tensor.dtype.is_floating:
        return tensorflow.zeros_like(tensor)
    return tensorflow.fill(tensor.shape, tensorflow.constant(_NAN, dtype=tensor.dtype))


def _sparse(matrix: Any, zero: bool) -> Any:
    return type(matrix)(matrix.shape, dtype=matrix.dtype)


def _list(some: Any, zero: bool) -> Any:
    parts: Iterable[Any] = [_filled(each, zero=zero) for each in some]
    if hasattr(some, "_fields"):  # a named tuple
        return type(some)(*parts)
    return type(some)(parts) if type(some) in (list, tuple) else list(parts)


def _mapping(mapping: Any, zero: bool) -> Any:
    parts = {key: _filled(each, zero=zero) for key, each in mapping.items()}
    return parts if type(mapping) is dict else mapping


_FILLED: dict[str, Callable[[Any, bool], Any]] = {
    "plain": _plain,
    "array": _array,
    "scalar": _scalar,
    "extension": _extension,
    "series": _series,
    "index": _index,
    "frame": _frame,
    "torch": _torch,
    "tensor": _tensor,
    "sparse": _sparse,
    "sparse array": _sparse,
    "list": _list,
    "mapping": _mapping,
}
