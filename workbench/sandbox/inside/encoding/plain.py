"""Python's own values: numbers, texts, containers, and the few classes that results name."""

from __future__ import annotations

import array
import collections
import decimal
import fractions
import itertools
import pathlib
import re
import sys
import uuid
from collections.abc import Callable
from typing import Any

from . import calls, checked, iterators, moments, standard
from .checked import ForbiddenResult, whole

__all__ = ["DECODERS", "SHELLS", "encoders", "is_encodable"]

_MANY = 32
_BUILTINS: dict[str, Any] = {
    kind.__name__: kind
    for kind in (bool, bytearray, bytes, complex, dict, float, frozenset, int, list, object, range, set)
}
_BUILTINS.update({kind.__name__: kind for kind in (slice, str, tuple, type(None))})
_BUILTINS.update({"OrderedDict": collections.OrderedDict, "deque": collections.deque})
_BUILTINS.update({"Counter": collections.Counter, "defaultdict": collections.defaultdict})
_NAMES = {kind: name for name, kind in _BUILTINS.items()}
_CONSTANTS = {"Ellipsis": ..., "NotImplemented": NotImplemented}
_DECIMAL = re.compile(r"-?(\d+(\.\d*)?(E[+-]?\d+)?|Infinity|s?NaN\d*)", re.ASCII)


def is_encodable(text: str) -> bool:
    """Whether a text has no lone surrogates, which JSON would join."""
    if text.isascii():
        return True
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


# --- writing ---------------------------------------------------------------------------------------------


def _list(value: list, out: Any) -> list:
    if len(value) > _MANY:
        kinds = set(map(type, value))
        if kinds == {float}:
            return ["floats", out.buffer(array.array("d", value)), []]
        if kinds == {int}:
            try:
                return ["wholes", out.buffer(array.array("q", value)), []]
            except OverflowError:
                pass
        if kinds == {tuple}:
            widths = set(map(len, value))
            flat = list(itertools.chain.from_iterable(value))
            if len(widths) == 1 and flat and out.are_scalars(flat):
                return ["rows", widths.pop(), flat]
    return ["list", None, out.children(value)]


def _dict(value: Any, out: Any) -> list:
    return ["dict", None, out.children(itertools.chain.from_iterable(value.items()))]


def _named_dict(tag: str) -> Callable:
    return lambda value, out: [tag, None, out.children(itertools.chain.from_iterable(value.items()))]


def _defaultdict(value: Any, out: Any) -> list:
    pairs = itertools.chain.from_iterable(value.items())
    return ["defaultdict", None, [out.child(value.default_factory), *out.children(pairs)]]


def _items(tag: str) -> Callable:
    return lambda value, out: [tag, None, out.children(value)]


def _long_text(value: str, out: Any) -> list:
    return ["text", out.buffer(value.encode("utf-8", "surrogatepass")), []]


def _bytes(tag: str) -> Callable:
    return lambda value, out: [tag, out.buffer(value), []]


def encoders() -> dict[type, Callable]:
    """Return the encoders of this family by exact type."""
    table: dict[type, Callable] = {
        str: _long_text,
        int: lambda value, out: ["int", hex(value), []],
        complex: lambda value, out: ["complex", None, [value.real, value.imag]],
        bytes: _bytes("bytes"),
        bytearray: _bytes("bytearray"),
        list: _list,
        tuple: _items("tuple"),
        dict: _dict,
        set: _items("set"),
        frozenset: _items("frozenset"),
        collections.OrderedDict: _named_dict("ordered"),
        collections.Counter: _named_dict("counter"),
        collections.defaultdict: _defaultdict,
        collections.ChainMap: lambda value, out: ["chain", None, out.children(value.maps)],
        collections.deque: lambda value, out: ["deque", value.maxlen, out.children(value)],
        array.array: lambda value, out: ["array.array", [value.typecode, out.buffer(value)], []],
        range: lambda value, out: ["range", None, out.children([value.start, value.stop, value.step])],
        slice: lambda value, out: ["slice", None, out.children([value.start, value.stop, value.step])],
        type(...): lambda value, out: ["constant", "Ellipsis", []],
        type(NotImplemented): lambda value, out: ["constant", "NotImplemented", []],
        decimal.Decimal: lambda value, out: ["decimal", str(value), []],
        fractions.Fraction: lambda value, out: [
            "fraction",
            None,
            out.children([value.numerator, value.denominator]),
        ],
        uuid.UUID: lambda value, out: ["uuid", value.hex, []],
        type(pathlib.Path()): lambda value, out: ["path", [True, str(value)], []],
        pathlib.PurePosixPath: lambda value, out: ["path", [False, str(value)], []],
        pathlib.PureWindowsPath: lambda value, out: ["windows path", str(value), []],
        re.Pattern: standard.pattern,
        re.Match: standard.match,
        **moments.encoders(),
        **iterators.encoders(),
    }
    return table


def encode_builtin(value: Any) -> list | None:
    """Return the node of one of Python's own classes that a result may name, None for others."""
    name = _NAMES.get(value)
    return None if name is None else ["builtin", name, []]


# --- reading ---------------------------------------------------------------------------------------------


def _fill_list(reader: Any, meta: Any, parts: list, shell: list) -> list:
    shell.extend(parts)
    return shell


def _rows(reader: Any, meta: Any, parts: list, shell: Any) -> list:
    """Cut equal tuples out of their items."""
    width = whole(meta, 1, max(len(parts), 1))
    if len(parts) % width:
        raise ForbiddenResult("rows of unequal length")
    return list(zip(*[iter(parts)] * width, strict=True))


def _fill_set(reader: Any, meta: Any, parts: list, shell: set) -> set:
    shell.update(parts)
    return shell


def _fill_dict(reader: Any, meta: Any, parts: list, shell: dict) -> dict:
    if len(parts) % 2:
        raise ForbiddenResult("a key without a value")
    calls.check("dictionary", parts[::2], parts[1::2])
    for key, value in zip(parts[::2], parts[1::2], strict=True):
        dict.__setitem__(shell, key, value)
    return shell


def _fill_defaultdict(reader: Any, meta: Any, parts: list, shell: Any) -> Any:
    factory, *pairs = parts
    if factory is not None and not (isinstance(factory, type) and factory in _NAMES):
        raise ForbiddenResult("a dictionary with a factory that is no class of Python's own")
    shell.default_factory = factory
    return _fill_dict(reader, meta, pairs, shell)


def _numbers(typecode: str) -> Callable:
    def decode(reader: Any, meta: Any, parts: list, shell: Any) -> list:
        values = array.array(typecode)
        values.frombytes(reader.buffer(meta))
        return values.tolist()

    return decode


def _array(reader: Any, meta: Any, parts: list, shell: Any) -> array.array:
    typecode, buffer = checked.a_list(meta, 2)
    values: array.array = array.array(checked.one_of(typecode, "bBhHiIlLqQfd"))
    values.frombytes(reader.buffer(buffer))
    return values


def _whole(reader: Any, meta: Any, parts: list, shell: Any) -> int:
    return int(checked.text(meta), 16)


def _complex(reader: Any, meta: Any, parts: list, shell: Any) -> complex:
    real, imaginary = parts
    if type(real) is not float or type(imaginary) is not float:
        raise ForbiddenResult("a complex number of no floats")
    return complex(real, imaginary)


def _range(reader: Any, meta: Any, parts: list, shell: Any) -> range:
    return range(*(whole(part, -sys.maxsize - 1, sys.maxsize) for part in parts))


def _decimal(reader: Any, meta: Any, parts: list, shell: Any) -> decimal.Decimal:
    if not _DECIMAL.fullmatch(checked.text(meta)):
        raise ForbiddenResult("no decimal number")
    return decimal.Decimal(meta)


def _fraction(reader: Any, meta: Any, parts: list, shell: Any) -> fractions.Fraction:
    above, below = parts
    if type(above) is not int or type(below) is not int:
        raise ForbiddenResult("a fraction of no whole numbers")
    return fractions.Fraction(above, below)


def _path(reader: Any, meta: Any, parts: list, shell: Any) -> pathlib.PurePath:
    concrete, text = checked.a_list(meta, 2)
    return (pathlib.Path if checked.truth(concrete) else pathlib.PurePosixPath)(checked.text(text))


def _chain(reader: Any, meta: Any, parts: list, shell: Any) -> collections.ChainMap:
    if not all(type(part) is dict for part in parts):
        raise ForbiddenResult("a chain of no dictionaries")
    return collections.ChainMap(*parts)


SHELLS: dict[str, Callable] = {
    "list": lambda reader, meta: [],
    "dict": lambda reader, meta: {},
    "set": lambda reader, meta: set(),
    "ordered": lambda reader, meta: collections.OrderedDict(),
    "counter": lambda reader, meta: collections.Counter(),
    "defaultdict": lambda reader, meta: collections.defaultdict(),
    "deque": lambda reader, meta: collections.deque(
        maxlen=None if meta is None else whole(meta, 0, sys.maxsize)
    ),
}
DECODERS: dict[str, Callable] = {
    "list": _fill_list,
    "deque": _fill_list,
    "dict": _fill_dict,
    "counter": _fill_dict,
    "ordered": lambda reader, meta, parts, shell: _fill_ordered(parts, shell),
    "defaultdict": _fill_defaultdict,
    "set": _fill_set,
    "frozenset": lambda reader, meta, parts, shell: frozenset(parts),
    "tuple": lambda reader, meta, parts, shell: tuple(parts),
    "chain": _chain,
    "rows": _rows,
    "floats": _numbers("d"),
    "wholes": _numbers("q"),
    "array.array": _array,
    "text": lambda reader, meta, parts, shell: bytes(reader.buffer(meta)).decode("utf-8", "surrogatepass"),
    "bytes": lambda reader, meta, parts, shell: bytes(reader.buffer(meta)),
    "bytearray": lambda reader, meta, parts, shell: bytearray(reader.buffer(meta)),
    "int": _whole,
    "complex": _complex,
    "range": _range,
    "slice": lambda reader, meta, parts, shell: slice(*parts),
    "constant": lambda reader, meta, parts, shell: _CONSTANTS[checked.one_of(meta, _CONSTANTS)],
    "builtin": lambda reader, meta, parts, shell: _BUILTINS[checked.one_of(meta, _BUILTINS)],
    "decimal": _decimal,
    "fraction": _fraction,
    "uuid": lambda reader, meta, parts, shell: uuid.UUID(hex=checked.text(meta)),
    "path": _path,
    "windows path": lambda reader, meta, parts, shell: pathlib.PureWindowsPath(checked.text(meta)),
    **moments.DECODERS,
    **iterators.DECODERS,
}


def _fill_ordered(parts: list, shell: collections.OrderedDict) -> collections.OrderedDict:
    """Fill one by its own means: it keeps its order beside the dictionary that it is."""
    if len(parts) % 2:
        raise ForbiddenResult("a key without a value")
    calls.check("dictionary", parts[::2], parts[1::2])
    shell.update(zip(parts[::2], parts[1::2], strict=True))
    return shell
