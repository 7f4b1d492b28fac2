"""numpy: arrays, scalars and dtypes, from a closed grammar of dtypes and buffers of the exact size."""

from __future__ import annotations

import math
import re
import sys
from collections.abc import Callable
from typing import Any

from . import checked
from .checked import ForbiddenResult

__all__ = ["DECODERS", "SHELLS", "an_array", "decode_dtype", "descendants", "encode_dtype", "encoders"]

_UNIT = r"(\[\d{0,9}(Y|M|W|D|h|m|s|ms|us|μs|ns|ps|fs|as)\])?"
_DTYPE = re.compile(
    rf"[<>|=](b1|[iu][1248]|f(2|4|8|12|16)|c(8|16|24|32)|[mM]8{_UNIT}|[SUV]\d{{1,9}})", re.ASCII
)
_MAX_FIELDS = 10_000
_MAX_CODE_POINT = 0x10FFFF


# --- writing ---------------------------------------------------------------------------------------------


def encode_dtype(dtype: Any) -> Any:
    """Describe a dtype: a text, ["fields", names, dtypes, offsets, itemsize, titles] or ["sub", dtype, shape]."""
    if dtype.kind in "OT":
        return dtype.kind
    if dtype.subdtype is not None:
        return ["sub", encode_dtype(dtype.subdtype[0]), list(dtype.subdtype[1])]
    if dtype.names is None:
        return dtype.str
    parts = [dtype.fields[name] for name in dtype.names]
    return [
        "fields",
        list(dtype.names),
        [encode_dtype(part[0]) for part in parts],
        [part[1] for part in parts],
        dtype.itemsize,
        [part[2] if len(part) == 3 and type(part[2]) is str else None for part in parts],
    ]


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
    table[numpy.poly1d] = lambda value, out: ["poly1d", value.variable, [out.child(value.coeffs)]]
    for kind in _polynomials(numpy).values():
        table[kind] = _series
    return table


def _series(value: Any, out: Any) -> list:
    parts = [value.coef, value.domain, value.window]
    symbol = getattr(value, "symbol", "x")
    return ["polynomial", [type(value).__name__, symbol], out.children(parts)]


def _polynomials(numpy: Any) -> dict[str, type]:
    names = ("Polynomial", "Chebyshev", "Legendre", "Hermite", "HermiteE", "Laguerre")
    return {name: getattr(numpy.polynomial, name) for name in names}


def descendants(kind: type) -> list[type]:
    """List numpy's own classes below one of its own: no class of a program."""
    found = [kind]
    child: type
    for child in type.__subclasses__(kind):
        if child.__module__.partition(".")[0] == "numpy":
            found += descendants(child)
    return found


# --- reading ---------------------------------------------------------------------------------------------


def decode_dtype(description: Any, depth: int = 0) -> Any:
    """Return the numpy dtype that `encode_dtype` described."""
    import numpy

    if depth > 8:
        raise ForbiddenResult("an array of structures within structures")
    if type(description) is str:
        if description == "O":
            return numpy.dtype(object)
        if description == "T":
            return numpy.dtypes.StringDType()
        if not _DTYPE.fullmatch(description):
            raise ForbiddenResult(f"an array of the unknown type {description!r:.40}")
        return numpy.dtype(description)
    kind = checked.one_of(checked.a_list(description)[0], ("sub", "fields"))
    if kind == "sub":
        _, base, shape = checked.a_list(description, 3)
        return numpy.dtype((decode_dtype(base, depth + 1), checked.shape(shape)))
    _, names, formats, offsets, itemsize, titles = checked.a_list(description, 6)
    names = [checked.text(name) for name in checked.a_list(names)]
    if len(names) > _MAX_FIELDS:
        raise ForbiddenResult("an array of too many fields")
    layout: Any = {
        "names": names,
        "formats": [decode_dtype(each, depth + 1) for each in checked.a_list(formats, len(names))],
        "offsets": [checked.whole(each, 0, 1 << 30) for each in checked.a_list(offsets, len(names))],
        "itemsize": checked.whole(itemsize, 0, 1 << 30),
    }
    if any(title is not None for title in checked.a_list(titles, len(names))):
        layout["titles"] = [None if title is None else checked.text(title) for title in titles]
    return numpy.dtype(layout)


def an_array(value: Any, *, kinds: str = "", dimensions: int | None = None) -> Any:
    """Return a part that must be a plain numpy array, of one of these kinds and so many dimensions."""
    import numpy

    if type(value) is not numpy.ndarray or (kinds and value.dtype.kind not in kinds):
        raise ForbiddenResult(f"no array of the kind that is due: {type(value).__name__}")
    if dimensions is not None and value.ndim != dimensions:
        raise ForbiddenResult(f"an array of {value.ndim} dimensions in place of {dimensions}")
    return value


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

        return an_array(parts[0]).view(getattr(numpy, kind, None) or getattr(numpy.char, kind))

    return decode


def _decode_polynomial(reader: Any, meta: Any, parts: list, shell: Any) -> Any:
    import numpy

    name, symbol = checked.a_list(meta, 2)
    kinds = _polynomials(numpy)
    coefficients, domain, window = (an_array(part, dimensions=1) for part in parts)
    made = kinds[checked.one_of(name, kinds)](coefficients, domain=domain, window=window)
    if symbol != "x":
        made._symbol = checked.text(symbol)
    return made


def _decode_poly1d(reader: Any, meta: Any, parts: list, shell: Any) -> Any:
    import numpy

    return numpy.poly1d(an_array(parts[0], dimensions=1), variable=checked.text(meta))


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
    "polynomial": _decode_polynomial,
    "poly1d": _decode_poly1d,
}
