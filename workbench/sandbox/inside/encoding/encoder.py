"""Writing: from a value to nodes, breadth first, each by the encoder of its exact type."""

from __future__ import annotations

import contextlib
import functools
import sys
from collections.abc import Callable, Iterable, KeysView
from typing import Any

from . import arrays, arrow, calls, collected, flow, frames, objects, plain, rebuilt, sparse, tensors
from .checked import ForbiddenResult
from .frame import MAX_NODES, pack

__all__ = ["Encoder", "encode", "warm"]

_FAMILIES = (plain, arrays, frames, sparse, tensors, flow, arrow, rebuilt)
_PLAIN = frozenset((float, bool, type(None)))
_INLINE = frozenset((float, bool, type(None), int, str))
_LONG_TEXT = 1 << 16
_LOWEST, _HIGHEST = -(1 << 63), (1 << 64) - 1


@functools.lru_cache(maxsize=1)
def _table(loaded: int) -> dict[type, Callable]:
    """Return the encoders by exact type, of the libraries that are loaded by now: `loaded` modules in number."""
    table: dict[type, Callable] = {}
    for family in _FAMILIES:
        with contextlib.suppress(
            AttributeError, ImportError
        ):  # a library that is half loaded, or another's fake
            table.update(family.encoders())
    return table


def _known() -> KeysView[type]:
    return _table(len(sys.modules)).keys()


calls.look_in(_known)


def warm() -> None:
    """Find the encoders of what is loaded by now, for all who are forked from this process."""
    _table(len(sys.modules))


def _are_scalars(values: list) -> bool:
    """Whether all of many values can stand in the tree as they are: one look at all of a kind, not at each."""
    kinds = set(map(type, values))
    if not kinds <= _INLINE:
        return False
    if int in kinds:
        numbers = values if len(kinds) == 1 else [value for value in values if type(value) is int]
        if min(numbers) < _LOWEST or max(numbers) > _HIGHEST:
            return False
    if str in kinds:
        texts = values if len(kinds) == 1 else [value for value in values if type(value) is str]
        return len(max(texts, key=len)) < _LONG_TEXT and plain.is_encodable("".join(texts))
    return True


class Encoder:
    """One message under way.

    Args:
        drawn: Gives the node of a value that is left where it is and read from afar (Matplotlib's objects), or
            None for any other value.
    """

    def __init__(self, drawn: Callable[[Any], list | None] | None = None) -> None:
        self._drawn = drawn
        self._places: dict[int, int] = {}
        self._values: list[Any] = []  # kept alive, so that an id stays its value's
        self._buffers: list[Any] = []
        self._encoders = _table(len(sys.modules))

    def encode(self, value: Any) -> bytes:
        """Return the message that holds `value`.

        Raises:
            ForbiddenResult: where it holds something that may not leave the program.
        """
        with collected.later():
            return self._encode(value)

    def _encode(self, value: Any) -> bytes:
        root = self.child(value)
        nodes: list[list] = []
        while len(nodes) < len(self._values):
            if len(nodes) >= MAX_NODES:
                raise ForbiddenResult(f"a result of more than {MAX_NODES} objects")
            nodes.append(self._node(self._values[len(nodes)]))
        return pack(root, nodes, self._buffers)

    def _node(self, value: Any) -> list:
        encoder = self._encoders.get(type(value))
        if encoder is None:
            if self._drawn is not None:
                node = self._drawn(value)
                if node is not None:
                    return node
            encoder = objects.encode_object
        return encoder(value, self)

    def child(self, value: Any) -> Any:
        """Return how a node refers to a part of its value."""
        kind = type(value)
        if kind in _PLAIN:
            return value
        if kind is int and _LOWEST <= value <= _HIGHEST:
            return value
        if kind is str and len(value) < _LONG_TEXT and plain.is_encodable(value):
            return value
        place = self._places.get(id(value))
        if place is None:
            place = self._places[id(value)] = len(self._values)
            self._values.append(value)
        return [place]

    def children(self, values: Iterable[Any]) -> list:
        """Return how a node refers to several parts."""
        values = list(values)
        if _are_scalars(values):
            return values
        child = self.child
        return [child(value) for value in values]

    @staticmethod
    def are_scalars(values: list) -> bool:
        """Whether all of many values can stand in the tree as they are."""
        return _are_scalars(values)

    def buffer(self, data: Any) -> int:
        """Keep raw bytes beside the tree; return their number."""
        self._buffers.append(data)
        return len(self._buffers) - 1


def encode(value: Any, drawn: Callable[[Any], list | None] | None = None) -> bytes:
    """Return `value` as a message; see `Encoder`."""
    return Encoder(drawn).encode(value)
