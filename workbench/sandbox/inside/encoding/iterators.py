"""Iterators, by what they give, and the views of dictionaries."""

from __future__ import annotations

import collections
import itertools
import types
from collections.abc import Callable, Iterator
from typing import Any

from . import checked
from .checked import ForbiddenResult

__all__ = ["DECODERS", "encode", "encoders"]

_MAX_ITERATED = 1_000_000
_RUN = frozenset({"builtins", "itertools", "numpy", "_csv"})
"""Modules of compiled iterators: to run one of them to its end is to know it."""
_VIEWED: dict[str, type] = {"dict": dict, "OrderedDict": collections.OrderedDict}


# --- writing ---------------------------------------------------------------------------------------------


def _iterator(value: Any, out: Any) -> list:
    """Run an iterator to its end: what it gives is its value."""
    items = list(itertools.islice(value, _MAX_ITERATED + 1))
    if len(items) > _MAX_ITERATED:
        raise ForbiddenResult(f"an iterator of more than {_MAX_ITERATED} items")
    return ["iterator", type(value).__name__, out.children(items)]


def encode(value: Any, out: Any) -> list | None:
    """Return the node of one of the iterators of Python's and numpy's compiled code, None for anything else."""
    compiled = getattr(type(value), "__module__", None) in _RUN  # a class made without a module has none
    return _iterator(value, out) if compiled and isinstance(value, Iterator) else None


def _view(kind: str, name: str) -> Callable:
    return lambda value, out: ["view", [kind, name], out.children(value)]


def encoders() -> dict[type, Callable]:
    """Return the encoders of this family by exact type; see `encode` for the other iterators."""
    table: dict[type, Callable] = {
        type(getattr(kind(), name)()): _view(known, name)
        for known, kind in _VIEWED.items()
        for name in ("keys", "values", "items")
    }
    table[types.GeneratorType] = _iterator
    table[types.MappingProxyType] = lambda value, out: ["proxy", None, [out.child(dict(value))]]
    return table


# --- reading ---------------------------------------------------------------------------------------------


def _zip(items: list) -> Any:
    return zip(*zip(*items, strict=True), strict=True)


def _map(items: list) -> Any:
    return map(_itself, items)


def _itself(item: Any) -> Any:
    return item


def _enumerate(items: list) -> Any:
    return enumerate([value for _, value in items], items[0][0] if items else 0)


_MADE: dict[str, Callable[[list], Any]] = {
    "generator": lambda items: (each for each in items),
    "map": _map,
    "filter": lambda items: filter(lambda _: True, items),
    "zip": _zip,
    "enumerate": _enumerate,
    "list_iterator": iter,
    "tuple_iterator": lambda items: iter(tuple(items)),
}


def _decode_iterator(reader: Any, meta: Any, parts: list, shell: Any) -> Any:
    make = _MADE.get(checked.text(meta))
    reader.changed |= make is None
    return make(parts) if make else iter(parts)


def _decode_view(reader: Any, meta: Any, parts: list, shell: Any) -> Any:
    known, name = checked.a_list(meta, 2)
    kind = _VIEWED[checked.one_of(known, _VIEWED)]
    pairs = {
        "keys": lambda: ((part, None) for part in parts),
        "values": lambda: enumerate(parts),
        "items": lambda: parts,
    }
    return getattr(kind(pairs[checked.one_of(name, pairs)]()), name)()


def _decode_proxy(reader: Any, meta: Any, parts: list, shell: Any) -> types.MappingProxyType:
    if type(parts[0]) is not dict:
        raise ForbiddenResult("a proxy of no dictionary")
    return types.MappingProxyType(parts[0])


DECODERS: dict[str, Callable] = {
    "iterator": _decode_iterator,
    "view": _decode_view,
    "proxy": _decode_proxy,
}
