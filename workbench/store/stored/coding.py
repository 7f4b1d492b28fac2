r"""One typed encoding for all that runs keep: a line of JSON that names everything, then raw buffers.

In the JSON, plain values stand for themselves; everything else is a list: a tag of the closed list and the parts.
Each such list has a number, counted as they end; `["again", number]` is the same object again. Decoding calls
constructors of ours on checked parts. No name in a file is looked up but in `classes.py`, and nothing is run.
"""

from __future__ import annotations

import json
import math
import struct
from typing import Any

from workbench.store.stored.arrays import ARRAYS, array_tag
from workbench.store.stored.classes import Known, class_tag, fields_of, find_class, name_of
from workbench.store.stored.frames import FRAMES, frame_tag
from workbench.store.stored.kinds import PLAIN, Kind, checked

__all__ = ["Damaged", "Unstorable", "decode", "encode"]

_FORMAT = "workbench data 1"
_SHORT = 32
"""Letters up to which a text is written out wherever it occurs."""
_KINDS: dict[str, Kind] = {**dict(PLAIN.values()), **ARRAYS, **FRAMES}


class Unstorable(Exception):
    """A value, or something inside it, is of no kind that is stored; says of which, and where."""


class Damaged(Exception):
    """Bytes that this encoding has not written; says what is wrong with them."""


def encode(value: Any) -> bytes:
    """Write a value down.

    Raises:
        Unstorable: Something in it is of no kind that is stored, or contains itself.
    """
    writer = _Writer()
    try:
        tree = writer.node(value)
        sizes = [len(buffer) for buffer in writer.buffers]
        head = json.dumps(
            {"format": _FORMAT, "buffers": sizes, "tree": tree}, ensure_ascii=False, allow_nan=False
        )
    except RecursionError:
        raise Unstorable(f"a {type(value).__qualname__} that is nested too deeply") from None
    return b"".join([head.encode(errors="surrogatepass"), b"\n", *writer.buffers])


def decode(content: bytes, known: Known | None = None) -> Any:
    """Read a value back.

    Args:
        content: What `encode` wrote; from anywhere.
        known: Classes that it may hold besides the workbench's; see `classes_around`.

    Raises:
        Damaged: It is anything else.
    """
    first, _, rest = content.partition(b"\n")
    if not first.startswith(b'{"format": '):
        pickled = content[:1] == b"\x80" and content[-1:] == b"."
        raise Damaged(
            "a pickle, which could run code of its writer's" if pickled else "no data of the workbench"
        )
    try:
        head = json.loads(first.decode(errors="surrogatepass"))
        if head["format"] != _FORMAT:
            raise Damaged(f"data of another version, {head['format']!r}")
        buffers, place = [], 0
        for size in head["buffers"]:
            buffers.append(rest[place : place + checked(size, int, "a buffer's size")])
            place += size
        if any(size < 0 for size in head["buffers"]) or place != len(rest):
            raise Damaged("cut off, or longer than it was")
        return _Reader(buffers, known or {}).value(head["tree"])
    except Damaged:
        raise
    except Exception as fault:  # whatever a constructor makes of parts that are not what they should be
        raise Damaged(f"{type(fault).__name__}: {fault}") from fault


class _Writer:
    def __init__(self) -> None:
        self.buffers: list[bytes] = []
        self._numbers: dict[int, tuple[int, Any]] = {}
        """By id: an object's number, and the object, which has to stay for its id to mean it."""
        self._above: set[int] = set()
        self._classes: dict[type, tuple[str, ...]] = {}

    def node(self, value: Any) -> Any:
        """Return the JSON of a value."""
        kind = type(value)
        if value is None or kind is bool or (kind is str and len(value) <= _SHORT):
            return value
        if (kind is int and -(2**63) <= value < 2**63) or (kind is float and math.isfinite(value)):
            return value
        if (known := self._numbers.get(id(value))) is not None:
            return ["again", known[0]]
        if id(value) in self._above:
            raise Unstorable(f"a {kind.__qualname__} that contains itself")
        self._above.add(id(value))
        written = self._written(value)
        self._above.discard(id(value))
        self._numbers[id(value)] = (len(self._numbers), value)
        return written

    def _written(self, value: Any) -> list[Any]:
        kind = type(value)
        if kind is str:
            return ["text", value]
        if kind is int:
            return ["int", hex(value)]
        if kind is float:
            return ["float", struct.pack(">d", value).hex()]
        if kind is bytes:
            self.buffers.append(value)
            return ["bytes", len(self.buffers) - 1]
        try:
            tag, parts = self._apart(value)
        except TypeError as fault:
            raise Unstorable(f"a {kind.__qualname__}: {fault}") from fault
        try:
            return [tag, *map(self.node, parts)]
        except Unstorable as fault:
            raise Unstorable(f"{fault}, in a {kind.__qualname__}") from fault.__cause__

    def _apart(self, value: Any) -> tuple[str, Any]:
        kind = type(value)
        if kind in PLAIN:
            return PLAIN[kind][0], PLAIN[kind][1].apart(value)
        if tag := array_tag(value) or frame_tag(value):
            return tag, _KINDS[tag].apart(value)
        tag = class_tag(value)
        if tag == "enum":
            if not value.name or type(value)[value.name] is not value:
                raise TypeError("it is no single member")
            return tag, (self._name(kind), value.name)
        if tag == "named":
            return tag, (self._name(kind), *value)
        if tag == "object":
            return tag, (self._name(kind), *(getattr(value, name) for name in fields_of(kind)))
        raise TypeError("no kind of data")

    def _name(self, kind: type) -> tuple[str, ...]:
        """Return a class's name, with the fields of a data class; the same object each time, so written once."""
        if kind not in self._classes:
            names = fields_of(kind) if "__dataclass_fields__" in vars(kind) else []
            self._classes[kind] = (*name_of(kind), *names)
        return self._classes[kind]


class _Reader:
    def __init__(self, buffers: list[bytes], known: Known) -> None:
        self._buffers, self._known = buffers, known
        self._numbered: list[Any] = []

    def value(self, node: Any) -> Any:
        """Return the value of some JSON."""
        if not isinstance(node, list):
            if isinstance(node, dict):
                raise TypeError("an object of JSON, which is never written")
            return node
        tag, *parts = node
        if tag == "again":
            (number,) = parts
            return self._numbered[checked(number, int, "a number") if number >= 0 else len(self._numbered)]
        made = self._made(tag, parts)
        self._numbered.append(made)
        return made

    def _made(self, tag: Any, parts: list[Any]) -> Any:
        if tag == "text":
            (text,) = parts
            return checked(text, str, "a text")
        if tag == "int":
            (digits,) = parts
            return int(checked(digits, str, "an integer"), 16)
        if tag == "float":
            (digits,) = parts
            return struct.unpack(">d", bytes.fromhex(digits))[0]
        if tag == "bytes":
            (number,) = parts
            return self._buffers[number]
        values = [self.value(part) for part in parts]
        if tag in ("enum", "named", "object"):
            return self._instance(tag, *values)
        return _KINDS[tag].together(*values)

    def _instance(self, tag: str, named: Any, *values: Any) -> Any:
        module, name, *fields = checked(named, tuple, "a class's name")
        kind: Any = find_class((module, name), self._known)
        if tag == "enum":
            (member,) = values
            return kind[member]
        if tag == "named":
            return kind(*values)
        return kind(**dict(zip(fields, values, strict=True)))
