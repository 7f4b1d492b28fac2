"""numpy: arrays and scalars, of a dtype that is of the closed grammar and buffers of the exact size."""

from __future__ import annotations

import itertools
import math
import sys
from collections.abc import Callable
from typing import Any

from . import calls, checked, polynomials
from .checked import ForbiddenResult, an_array
from .dtypes import decode_dtype, encode_dtype

__all__ = ["DECODERS", "SHELLS", "descendants", "encoders"]


_MAX_CODE_POINT = 0x10FFFF


# --- writing ---------------------------------------------------------------------------------------------


def _array(array: Any, out: Any) -> list:
    dtype = encode_dtype(array.dtype)
    if array.dtype.hasobject or array.dtype.kind == "T":
        return ["objects", [dtype, list(array.shape)], out.children(array.ravel().tolist())]
    fortran = bool(array.flags.f_contiguous and not array.flags.c_contiguous)
    flat = array.T if fortran else array
    if not flat.flags.c_contiguous:
        flat = flat.copy(order="C")
    data = (
        flat.tobytes() if array.nbytes < 1 << 16 or array.dtype.kind in "mM" else flat.reshape(-1).view("u1")
    )
    return ["array", [dtype, list(array.shape), fortran, out.buffer(data)], []]


def _scalar(scalar: Any, out: Any) -> list:
    import numpy

    array = numpy.array(scalar)
    if array.dtype.hasobject:
        return ["record scalar", None, [out.child(array)]]
    return ["scalar", [encode_dtype(array.dtype), out.buffer(array.tobytes())], []]


def _record(scalar: Any, out: Any) -> list:
    import numpy

    return ["record", None, [out.child(numpy.asarray(scalar))]]


def _masked(array: Any, out: Any) -> list:
    import numpy

    if array is numpy.ma.masked:
        return ["masked", None, []]
    mask = None if array.mask is numpy.ma.nomask else numpy.asarray(array.mask)
    parts = [numpy.asarray(array.data), mask, numpy.asarray(array.fill_value)]
    return ["masked array", bool(array.hardmask), out.children(parts)]


def _viewed(tag: str) -> Callable:
    def encode(array: Any, out: Any) -> list:
        import numpy

        return [tag, None, [out.child(array.view(numpy.ndarray))]]

    return encode


def encoders() -> dict[type, Callable]:
    """Return numpy's encoders by exact type, where it is loaded."""
    numpy = sys.modules.get("numpy")
    if numpy is None or not hasattr(numpy, "ma"):
        return {}
    table: dict[type, Callable] = dict.fromkeys(descendants(numpy.generic), _scalar)
    table.update(
        dict.fromkeys(descendants(numpy.dtype), lambda dtype, out: ["dtype", encode_dtype(dtype), []])
    )
    table[numpy.record] = _record
    table[numpy.ndarray] = _array
    table[numpy.memmap] = lambda array, out: _array(array.view(numpy.ndarray), out)
    table[numpy.recarray] = _viewed("records")
    table[numpy.matrix] = _viewed("matrix")
    table[numpy.char.chararray] = _viewed("characters")
    table[numpy.ma.MaskedArray] = table[type(numpy.ma.masked)] = _masked
    return {**table, **polynomials.encoders()}


def descendants(kind: type) -> list[type]:
    """List numpy's own classes below one of its own: no class of a program."""
    found = [kind]
    child: type
    for child in type.__subclasses__(kind):
        if child.__module__.partition(".")[0] == "numpy":
            found += descendants(child)
    return found


# --- reading ---------------------------------------------------------------------------------------------


def _check_bits(array: Any) -> None:
    """Refuse bytes that are no value of their type: code in C takes them for granted."""
    dtype = array.dtype
    if dtype.names is not None:
        for name in dtype.names:
            _check_bits(array[name])
    elif dtype.kind == "b" and array.size and array.view("u1").max() > 1:
        raise ForbiddenResult("a truth value that is neither")
    elif dtype.kind == "U" and array.size and dtype.itemsize:
        import numpy

        points = numpy.ascontiguousarray(array).view(numpy.dtype("u4").newbyteorder(dtype.byteorder))
        if points.max() > _MAX_CODE_POINT:
            raise ForbiddenResult("a text that is no Unicode")


def _from_bytes(dtype: Any, shape: tuple[int, ...], fortran: bool, reader: Any, buffer: Any) -> Any:
    import numpy

    if dtype.hasobject or dtype.kind == "T":
        raise ForbiddenResult("an array of objects in the form of bytes")
    if dtype.subdtype is not None:
        raise ForbiddenResult("an array whose items are arrays")
    data = reader.buffer(buffer, math.prod(shape) * dtype.itemsize)
    if not data.nbytes:
        return numpy.zeros(shape, dtype)
    array = numpy.frombuffer(data, dtype).reshape(shape, order="F" if fortran else "C").copy(order="K")
    _check_bits(array)
    return array


def _decode_array(reader: Any, meta: Any, parts: list, shell: Any) -> Any:
    dtype, shape, fortran, buffer = checked.a_list(meta, 4)
    return _from_bytes(decode_dtype(dtype), checked.shape(shape), checked.truth(fortran), reader, buffer)


def _object_shell(reader: Any, meta: Any) -> Any:
    import numpy

    dtype, shape = checked.a_list(meta, 2)
    dtype, size = decode_dtype(dtype), checked.shape(shape)
    if not (dtype.hasobject or dtype.kind == "T") or math.prod(size) > 1 << 26:
        raise ForbiddenResult("an array of objects that is none, or too large")
    return numpy.empty(size, dtype)


def _fill_objects(reader: Any, meta: Any, parts: list, shell: Any) -> Any:
    import numpy

    if len(parts) != shell.size:
        raise ForbiddenResult(f"{len(parts)} items in an array of {shell.size}")
    flat = numpy.empty(len(parts), shell.dtype)
    if shell.dtype.kind == "T" and not all(type(part) is str for part in parts):
        raise ForbiddenResult("an array of texts that holds something else")
    for place, part in enumerate(parts):
        flat[place] = part
    shell[...] = flat.reshape(shell.shape)
    return shell


def _decode_scalar(reader: Any, meta: Any, parts: list, shell: Any) -> Any:
    dtype, buffer = checked.a_list(meta, 2)
    return _from_bytes(decode_dtype(dtype), (1,), False, reader, buffer)[0]


def _decode_masked(reader: Any, meta: Any, parts: list, shell: Any) -> Any:
    import numpy

    data, mask, fill = parts
    an_array(data)
    if mask is not None and an_array(mask).shape != data.shape:
        raise ForbiddenResult("a mask of another shape than its array")
    made = numpy.ma.MaskedArray(
        data, mask=numpy.ma.nomask if mask is None else mask, hard_mask=checked.truth(meta)
    )
    made.set_fill_value(an_array(fill, dimensions=0)[()])
    if mask is not None and bool(numpy.any(mask.tolist() if mask.dtype.names else mask)):
        reader.holds_masked = True
    return made


def _decode_constant(reader: Any, meta: Any, parts: list, shell: Any) -> Any:
    import numpy

    reader.holds_masked = True
    return numpy.ma.masked


def _decode_view(kind: str) -> Callable:
    def decode(reader: Any, meta: Any, parts: list, shell: Any) -> Any:
        import numpy

        for name in an_array(parts[0]).dtype.names or () if parts[0].dtype.hasobject else ():
            calls.check("record", itertools.repeat(name), parts[0][name].ravel().tolist())
        return parts[0].view(getattr(numpy, kind, None) or getattr(numpy.char, kind))

    return decode


SHELLS: dict[str, Callable] = {"objects": _object_shell}
DECODERS: dict[str, Callable] = {
    "array": _decode_array,
    "objects": _fill_objects,
    "scalar": _decode_scalar,
    "record scalar": lambda reader, meta, parts, shell: an_array(parts[0], dimensions=0)[()],
    "record": lambda reader, meta, parts, shell: _decode_view("recarray")(reader, meta, parts, shell)[()],
    "records": _decode_view("recarray"),
    "matrix": _decode_view("matrix"),
    "characters": _decode_view("chararray"),
    "masked array": _decode_masked,
    "masked": _decode_constant,
    "dtype": lambda reader, meta, parts, shell: decode_dtype(meta),
    **polynomials.DECODERS,
}
