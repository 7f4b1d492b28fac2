"""The closed list of kinds of values that are stored: how each is taken apart, and put together again."""

from __future__ import annotations

import datetime
import decimal
import fractions
import pathlib
import zoneinfo
from collections import Counter, OrderedDict, defaultdict, deque
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

__all__ = ["PLAIN", "Kind", "checked", "pairs"]


@dataclass(frozen=True)
class Kind:
    """One kind of value."""

    apart: Callable[[Any], Sequence[Any]]
    """Returns the parts that make up a value: values of the closed list themselves."""
    together: Callable[..., Any]
    """Makes the value of its parts, which come from a file: anything but a value that could be may be raised."""


def checked(value: Any, kind: type, what: str) -> Any:
    """Return a part of a value from a file, or raise where it is of another type than it has to be."""
    if not isinstance(value, kind):
        raise TypeError(f"{what} is of type {type(value).__name__}")
    return value


def pairs(parts: Sequence[Any]) -> Iterable[tuple[Any, Any]]:
    """Return a mapping's items from its keys and values in turns."""
    return zip(parts[::2], parts[1::2], strict=True)


def _flat(value: Mapping[Any, Any]) -> list[Any]:
    return [part for item in value.items() for part in item]


def _moment(value: datetime.datetime) -> list[Any]:
    date = [value.year, value.month, value.day]
    return [*date, value.hour, value.minute, value.second, value.microsecond, value.tzinfo, value.fold]


def _clock(value: datetime.time) -> list[Any]:
    return [value.hour, value.minute, value.second, value.microsecond, value.tzinfo, value.fold]


def _counter(*parts: Any) -> Counter[Any]:
    found: Counter[Any] = Counter()
    dict.update(found, pairs(parts))  # Counter's own update adds up, and takes numbers only
    return found


_FACTORIES = {"list": list, "dict": dict, "set": set, "int": int, "float": float, "str": str, "tuple": tuple}


def _factory_name(value: defaultdict[Any, Any]) -> str | None:
    if value.default_factory is None:
        return None
    for name, factory in _FACTORIES.items():
        if value.default_factory is factory:
            return name
    raise TypeError("its default_factory is none of " + ", ".join(_FACTORIES))


def _defaulting(factory: str | None, *parts: Any) -> defaultdict[Any, Any]:
    return defaultdict(None if factory is None else _FACTORIES[factory], pairs(parts))


PLAIN: Mapping[type, tuple[str, Kind]] = {
    list: ("list", Kind(list, lambda *items: list(items))),
    tuple: ("tuple", Kind(list, lambda *items: items)),
    set: ("set", Kind(list, lambda *items: set(items))),
    frozenset: ("frozenset", Kind(list, lambda *items: frozenset(items))),
    deque: ("deque", Kind(lambda d: [d.maxlen, *d], lambda maxlen, *items: deque(items, maxlen))),
    dict: ("dict", Kind(_flat, lambda *parts: dict(pairs(parts)))),
    OrderedDict: ("ordered", Kind(_flat, lambda *parts: OrderedDict(pairs(parts)))),
    Counter: ("counter", Kind(_flat, _counter)),
    defaultdict: ("defaulting", Kind(lambda d: [_factory_name(d), *_flat(d)], _defaulting)),
    bytearray: (
        "bytearray",
        Kind(lambda b: [bytes(b)], lambda b: bytearray(checked(b, bytes, "a bytearray"))),
    ),
    complex: ("complex", Kind(lambda c: [c.real, c.imag], complex)),
    range: ("range", Kind(lambda r: [r.start, r.stop, r.step], range)),
    slice: ("slice", Kind(lambda s: [s.start, s.stop, s.step], slice)),
    type(pathlib.Path()): (
        "path",
        Kind(lambda p: [str(p)], lambda p: pathlib.Path(checked(p, str, "a path"))),
    ),
    datetime.date: ("date", Kind(lambda d: [d.year, d.month, d.day], datetime.date)),
    datetime.time: ("time", Kind(_clock, lambda *c, **k: datetime.time(*c[:5], fold=c[5]))),
    datetime.datetime: ("datetime", Kind(_moment, lambda *m: datetime.datetime(*m[:8], fold=m[8]))),
    datetime.timedelta: (
        "timedelta",
        Kind(lambda d: [d.days, d.seconds, d.microseconds], datetime.timedelta),
    ),
    datetime.timezone: ("timezone", Kind(lambda z: list(z.__getinitargs__()), datetime.timezone)),
    zoneinfo.ZoneInfo: (
        "zone",
        Kind(lambda z: [z.key], lambda key: zoneinfo.ZoneInfo(checked(key, str, "a zone"))),
    ),
    decimal.Decimal: (
        "decimal",
        Kind(lambda d: [str(d)], lambda d: decimal.Decimal(checked(d, str, "a decimal"))),
    ),
    fractions.Fraction: (
        "fraction",
        Kind(lambda f: [f.numerator, f.denominator], fractions.Fraction),
    ),
}
"""By exact type: a subclass may mean more than its parts say."""
