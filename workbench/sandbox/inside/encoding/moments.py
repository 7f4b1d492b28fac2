"""Dates, times and spans of the standard library."""

from __future__ import annotations

import datetime
from collections.abc import Callable
from typing import Any

from . import checked, zones
from .checked import whole

__all__ = ["DECODERS", "encoders"]

_WEEK = type(datetime.date(2024, 1, 1).isocalendar())


def _datetime(value: datetime.datetime, out: Any) -> list:
    return ["datetime", [*value.timetuple()[:6], value.microsecond, value.fold], [out.child(value.tzinfo)]]


def _time(value: datetime.time, out: Any) -> list:
    numbers = [value.hour, value.minute, value.second, value.microsecond, value.fold]
    return ["time", numbers, [out.child(value.tzinfo)]]


def encoders() -> dict[type, Callable]:
    """Return the encoders of this family by exact type."""
    return {
        datetime.date: lambda value, out: ["date", [value.year, value.month, value.day], []],
        datetime.datetime: _datetime,
        datetime.time: _time,
        datetime.timedelta: lambda value, out: [
            "timedelta",
            [value.days, value.seconds, value.microseconds],
            [],
        ],
        _WEEK: lambda value, out: ["week date", list(value), []],
        **zones.encoders(),
    }


def _whole_numbers(meta: Any, size: int) -> list[int]:
    return [whole(number) for number in checked.a_list(meta, size)]


def _decode_datetime(reader: Any, meta: Any, parts: list, shell: Any) -> datetime.datetime:
    *numbers, fold = _whole_numbers(meta, 8)
    return datetime.datetime(*numbers, tzinfo=zones.zone(parts), fold=fold)  # type: ignore[misc, arg-type]


def _decode_time(reader: Any, meta: Any, parts: list, shell: Any) -> datetime.time:
    *numbers, fold = _whole_numbers(meta, 5)
    return datetime.time(*numbers, tzinfo=zones.zone(parts), fold=fold)  # type: ignore[misc, arg-type]


DECODERS: dict[str, Callable] = {
    "date": lambda reader, meta, parts, shell: datetime.date(*_whole_numbers(meta, 3)),
    "datetime": _decode_datetime,
    "time": _decode_time,
    "timedelta": lambda reader, meta, parts, shell: datetime.timedelta(*_whole_numbers(meta, 3)),
    "week date": lambda reader, meta, parts, shell: datetime.date.fromisocalendar(
        *_whole_numbers(meta, 3)
    ).isocalendar(),
    **zones.DECODERS,
}
