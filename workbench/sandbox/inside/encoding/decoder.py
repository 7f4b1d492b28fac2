"""Reading: from nodes to a value, depth first without recursion, each by the decoder of its tag.

This is the boundary: whoever wrote the message may wish the reader ill. A decoder gets ``meta`` as JSON gave
it and the children as values that decoders made; what it calls is in its own code, never in the message.
"""

from __future__ import annotations

from collections.abc import Callable, Collection
from typing import Any

from . import (
    arrays,
    arrow,
    checked,
    collected,
    equality,
    figures,
    flow,
    frames,
    objects,
    plain,
    rebuilt,
    registry,
    sparse,
    tensors,
)
from .checked import ForbiddenResult, a_list, whole
from .frame import unpack

__all__ = ["MAX_DEPTH", "Decoder", "decode"]

MAX_DEPTH = 2_000
MAX_ARRAY_DEPTH = 100
"""How many object arrays may lie within each other: numpy compares them by recursion in C, which nothing stops."""
_FAMILIES = (plain, arrays, frames, sparse, tensors, flow, arrow, rebuilt, figures, objects)
_SHELLS: dict[str, Callable] = {tag: make for family in _FAMILIES for tag, make in family.SHELLS.items()}
_FINISHERS: dict[str, Callable] = {tag: make for family in _FAMILIES for tag, make in family.DECODERS.items()}
_SCALARS = frozenset((str, int, float, bool, type(None), list))
_ABSENT: Any = object()


class Decoder:
    """One message under way.

    Args:
        message: What the other process sent.
        drawn: Makes what stands for an object that was left there, of its number and class; None refuses such.
        libraries: Those whose classes and functions the value may hold; None for all that are loaded.
    """

    def __init__(
        self,
        message: bytes | bytearray | memoryview,
        drawn: Callable[[int, type], Any] | None = None,
        libraries: Collection[str] | None = None,
    ) -> None:
        self._root, self._nodes, buffers = unpack(message)
        self._buffers: list[memoryview | None] = list(buffers)
        self.drawn = drawn
        self._libraries = libraries
        self.holds_masked = False
        """Whether any part of the value is masked."""
        self.changed = False
        """Whether any part is of another type here than it was in the program."""
        self.belongs = ""
        """Inside whose objects alone the last part may stand: a library, or a class; empty for any place.

        A class itself belongs to "data", or to the objects of its own kin.
        """
        self.holds: frozenset[str] = frozenset()
        """What the last part, an object, may hold inside: its library and its classes; empty for data."""
        self._inner: dict[int, frozenset[str]] = {}
        self.to_compare: list[Any] = []
        """Objects whose class says itself what they equal."""
        self.kept: list[Any] = []

    def find_class(self, module: Any, name: Any) -> type:
        """Return the class that a library of those that may be here defines under this name."""
        self._check_library(module, name)
        return registry.find_class(module, checked.text(name))

    def find_function(self, module: Any, name: Any) -> Any:
        """Return the function that a library of those that may be here defines under this name."""
        self._check_library(module, name)
        return registry.find_function(module, checked.text(name))

    def _check_library(self, module: Any, name: Any) -> None:
        root = checked.text(module).partition(".")[0]
        if self._libraries is not None and root not in self._libraries:
            raise ForbiddenResult(
                f"a result that holds {module:.100}.{name!s:.100}, of a library that the tests do not import"
            )

    def buffer(self, number: Any, size: int | None = None) -> memoryview:
        """Hand out a buffer, of `size` bytes where that is given, once: bytes cannot be multiplied."""
        data = self._buffers[whole(number, 0, len(self._buffers) - 1)] if self._buffers else None
        if data is None:
            raise ForbiddenResult("bytes that are not there, or are used twice")
        if size is not None and data.nbytes != size:
            raise ForbiddenResult(f"{data.nbytes} bytes in the place of {size}")
        self._buffers[number] = None
        return data

    def decode(self) -> Any:
        """Return the value.

        Raises:
            ForbiddenResult: where the message is malformed, too large or too deep, or holds what may not be.
        """
        try:
            with collected.later():
                value = self._build()
        except ForbiddenResult:
            raise
        except RecursionError as error:
            raise ForbiddenResult("a result that is nested too deeply") from error
        except Exception as error:
            text = f"a result that cannot be read: {type(error).__name__}: {error!s:.200}"
            raise ForbiddenResult(text) from error
        return value

    def _build(self) -> Any:
        nodes = self._nodes
        values: list[Any] = [_ABSENT] * len(nodes)
        heights = [0] * len(nodes)
        opened, done = bytearray(len(nodes)), bytearray(len(nodes))
        arrays_below = [0] * len(nodes)
        above = _Above()
        stack = list(self._places([self._root]))
        while stack:
            place = stack[-1]
            if done[place]:
                stack.pop()
                continue
            tag, meta, children = a_list(nodes[place], 3)
            finish = _FINISHERS.get(tag) if type(tag) is str else None
            if finish is None:
                raise ForbiddenResult(f"a part of the unknown kind {tag!r:.40}")
            if not opened[place]:
                opened[place] = 1
                above.enter(place, tag)
                if tag in _SHELLS:
                    values[place] = _SHELLS[tag](self, meta)
                waiting = [each for each in self._places(a_list(children)) if not opened[each]]
                if waiting:
                    stack.extend(reversed(waiting))
                    continue
            above.leave(place, children, done)
            parts = [values[each[0]] if type(each) is list else each for each in children]
            below = [each[0] for each in children if type(each) is list]
            heights[place] = 1 + max((heights[each] for each in below), default=0)
            arrays_below[place] = (tag == "objects") + max((arrays_below[each] for each in below), default=0)
            _check_depth(heights[place], arrays_below[place])
            if any(part is _ABSENT for part in parts):
                raise ForbiddenResult(f"a {tag} that holds itself")
            self.belongs, self.holds = "", frozenset()
            values[place] = finish(self, meta, parts, values[place] if tag in _SHELLS else None)
            if self._inner or self.belongs:
                self._note_inner(place, children)
            nodes[place] = None  # what is read is not kept
            done[place] = 1
            stack.pop()
        if type(self._root) is not list:
            return self._root
        if not all(map(_is_class, self._inner.get(self._root[0], ()))):
            raise ForbiddenResult("a result that holds what belongs inside an object only")
        for made in self.to_compare:
            equality.check(made)
        return values[self._root[0]]

    def _note_inner(self, place: int, children: list) -> None:
        """Note what a part shows that has its place: inside its library's objects, or, a class, in data only."""
        shown: set[str] = set()
        for each in children:
            if type(each) is list:
                shown |= self._inner.get(each[0], frozenset())
        shown -= self.holds
        if self.holds and any(map(_is_class, shown)):
            raise ForbiddenResult("an object that holds a class, which it could call")
        if self.belongs:
            shown.add(self.belongs)
        if shown:
            self._inner[place] = frozenset(shown)

    def _places(self, children: list) -> list[int]:
        """Return the numbers of the nodes among children, all of which must be scalars or references."""
        kinds = set(map(type, children))
        if not kinds <= _SCALARS:
            raise ForbiddenResult("a part that is neither a scalar nor a reference")
        if list not in kinds:
            return []
        last = len(self._nodes) - 1
        return [whole(a_list(each, 1)[0], 0, last) for each in children if type(each) is list]


def _check_depth(height: int, object_arrays: int) -> None:
    if height > MAX_DEPTH:
        raise ForbiddenResult(f"a result nested more than {MAX_DEPTH} levels deep")
    if object_arrays > MAX_ARRAY_DEPTH:
        raise ForbiddenResult(f"object arrays nested more than {MAX_ARRAY_DEPTH} levels deep")


class _Above:
    """The nodes that are under way, each within the one before it, and which of them are object arrays."""

    def __init__(self) -> None:
        self._depths: dict[int, int] = {}
        self._arrays: list[int] = []

    def enter(self, place: int, tag: str) -> None:
        """Note that a node was opened."""
        if tag == "objects":
            self._arrays.append(len(self._depths))
        self._depths[place] = len(self._depths)

    def leave(self, place: int, children: list, done: bytearray) -> None:
        """Note that all below a node was read.

        Raises:
            ForbiddenResult: where it leads back to one that it lies in, and an object array lies between.
        """
        if self._arrays:
            deepest = self._arrays[-1]
            for each in children:
                if type(each) is list and not done[each[0]] and self._depths[each[0]] <= deepest:
                    raise ForbiddenResult("an object array that holds itself")
        depth = self._depths.pop(place)
        if self._arrays and self._arrays[-1] == depth:
            self._arrays.pop()


def _is_class(label: str) -> bool:
    return label.startswith("data")


def decode(message: bytes | bytearray | memoryview, drawn: Callable[[int, type], Any] | None = None) -> Any:
    """Return the value of a message; see `Decoder`."""
    return Decoder(message, drawn).decode()
