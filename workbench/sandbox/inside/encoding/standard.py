"""Enumerations, named tuples and patterns of the standard library: by where they stand in it, and their values."""

from __future__ import annotations

import enum
import re
import sys
import types
from collections.abc import Callable
from typing import Any

from . import checked
from .checked import ForbiddenResult

__all__ = ["DECODERS", "encode", "match", "pattern"]

_COMPARISONS = frozenset(
    "__eq__ __ne__ __lt__ __le__ __gt__ __ge__ __bool__ __getattr__ __getattribute__".split()
)


def _find(module: str, name: str, kind: type) -> Any:
    """Return a class of the standard library's that derives from `kind`, of a module that is loaded."""
    found: Any = sys.modules.get(module) if module.partition(".")[0] in sys.stdlib_module_names else None
    for part in name.split("."):
        found = vars(found).get(part) if isinstance(found, (types.ModuleType, type)) else None
    if not (isinstance(found, type) and issubclass(found, kind)) or found.__module__ != module:
        raise ForbiddenResult(
            f"a result that holds {module:.100}.{name:.100}, which may not leave the program"
        )
    return found


def encode(value: Any, out: Any) -> list | None:
    """Return the node of a member or of a named tuple of the standard library's, None for anything else."""
    kind = type(value)
    base = enum.Enum if issubclass(kind, enum.Enum) else tuple if issubclass(kind, tuple) else None
    if base is None or str(kind.__module__).partition(".")[0] not in sys.stdlib_module_names:
        return None
    try:
        found = _find(kind.__module__, kind.__qualname__, base)
    except ForbiddenResult:  # of the program's own, which says to be of no module
        return None
    if found is not kind:
        return None
    place = [kind.__module__, kind.__qualname__]
    if base is tuple:
        return ["standard tuple", place, out.children(tuple.__iter__(value))]
    plain = int(value._value_) if isinstance(value._value_, int) else value._value_
    return ["standard member", place, [out.child(plain)]]


def pattern(value: re.Pattern, out: Any) -> list:
    """Return the node of a compiled pattern."""
    return ["pattern", value.flags, [out.child(value.pattern)]]


def _decode_member(reader: Any, meta: Any, parts: list, shell: Any) -> enum.Enum:
    module, name = (checked.text(each) for each in checked.a_list(meta, 2))
    (value,) = parts
    if type(value) not in (int, str):
        raise ForbiddenResult(f"a member of {name} that is no number and no text")
    member: enum.Enum = _find(module, name, enum.Enum)(value)
    return member


def _decode_tuple(reader: Any, meta: Any, parts: list, shell: Any) -> tuple:
    module, name = (checked.text(each) for each in checked.a_list(meta, 2))
    kind = _find(module, name, tuple)
    if any(_COMPARISONS.intersection(vars(owner)) for owner in kind.__mro__ if owner not in (object, tuple)):
        raise ForbiddenResult(f"a {name} that compares by its own means")
    fields = vars(kind).get("_fields") or getattr(kind.__mro__[1], "_fields", None)
    if isinstance(fields, tuple) and len(fields) == len(parts):
        made: tuple = tuple.__new__(kind, parts)
        return made
    if getattr(kind, "n_sequence_fields", None) == len(parts):
        return kind(parts)
    raise ForbiddenResult(f"a {name} of {len(parts)} fields")


def _decode_pattern(reader: Any, meta: Any, parts: list, shell: Any) -> re.Pattern:
    (text,) = parts
    if type(text) not in (str, bytes):
        raise ForbiddenResult("a pattern that is no text")
    return re.compile(text, checked.whole(meta, 0, 1 << 16))


def match(value: re.Match, out: Any) -> list:
    """Return the node of what a pattern found: pattern, text and place, and all that it caught, to compare."""
    spans = [list(span) for span in value.regs]
    return ["match", [value.pos, value.endpos, spans], out.children([value.re, value.string])]


def _decode_match(reader: Any, meta: Any, parts: list, shell: Any) -> re.Match:
    begin, end, spans = checked.a_list(meta, 3)
    expression, text = parts
    if type(expression) is not re.Pattern or type(text) not in (str, bytes):
        raise ForbiddenResult("a match of no pattern in a text")
    at = checked.whole(checked.a_list(checked.a_list(spans)[0], 2)[0], 0, len(text))
    limits = (checked.whole(begin, 0, len(text)), checked.whole(end, 0, len(text)))
    for found in (expression.search(text, *limits), expression.match(text, at, limits[1])):
        if found is not None and [list(span) for span in found.regs] == spans:
            reader.changed |= found.pos != begin
            return found
    raise ForbiddenResult("a match that its pattern does not find")


DECODERS: dict[str, Callable] = {
    "standard member": _decode_member,
    "standard tuple": _decode_tuple,
    "pattern": _decode_pattern,
    "match": _decode_match,
}
