"""What a test may take for a method: a callable that a value shows as an attribute, put there by who made the value.

Tests ask ``result.equals(expected)``. A named tuple, a record, a labelled series or an object whose attributes are
items would answer with any function that is true of everything, `numpy.size` for one. So under the name that a method
of some data type has, a callable must be of that name itself.
"""

from __future__ import annotations

import functools
import re
import sys
from collections.abc import Callable, Iterable, KeysView
from typing import Any

from .checked import ForbiddenResult

__all__ = ["check", "has_encoding", "look_in"]

_WORDS = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+")


_sources: list[Callable[[], KeysView[type]]] = []


def look_in(source: Callable[[], KeysView[type]]) -> None:
    """Say what returns the types that have an encoding of their own: the encoder, which is made of all families."""
    _sources[:] = [source]


def _encoded() -> KeysView[type]:
    return _sources[0]()


def check(owner: str, names: Iterable[Any], values: Iterable[Any]) -> None:
    """Look over what a value shows under its names.

    Raises:
        ForbiddenResult: where a callable stands under the name of a method that it is not.
    """
    for name, value in zip(names, values, strict=False):
        shows = callable(value) and type(name) is str and name in _methods(len(sys.modules))
        if shows and name not in _own_names(value):
            raise ForbiddenResult(f"a {owner} that would call something else in the place of `{name:.60}`")


def _own_names(value: Any) -> set[str]:
    """Return what a callable may be called: a function as it is, an object by its class (`norm`: a LayerNorm)."""
    kind = type(value)
    own = None if hasattr(kind, "__getattr__") else getattr(value, "__name__", None)
    if isinstance(own, str):
        return {own}
    return {kind.__name__.lower(), *(word.lower() for word in _WORDS.findall(kind.__name__))}


@functools.lru_cache(maxsize=10_000)
def has_encoding(kind: type, bases: tuple[type, ...]) -> bool:
    """Whether a class, or one that it derives from, has an encoding of its own; `bases` do not count."""
    return not _encoded().isdisjoint({*kind.__mro__} - {object, *bases})


@functools.lru_cache(maxsize=1)
def _methods(loaded: int) -> frozenset[str]:
    """Return the public names of the methods of all types that have an encoding of their own."""
    return frozenset(
        name
        for kind in _encoded()
        for owner in kind.__mro__
        for name, written in list(vars(owner).items())
        if name[0] != "_" and (callable(written) or isinstance(written, (classmethod, staticmethod)))
    )
