"""Time zones: of the standard library, of pytz and of dateutil, by name or by offset."""

from __future__ import annotations

import datetime
import functools
import re
import sys
import zoneinfo
from collections.abc import Callable
from typing import Any

from . import checked
from .checked import ForbiddenResult

__all__ = ["DECODERS", "encoders", "zone"]

_NAME = re.compile(r"[A-Za-z0-9_+-]+(/[A-Za-z0-9_+-]+)*", re.ASCII)
_DAY_S = 86_400


def encoders() -> dict[type, Callable]:
    """Return the encoders of the zones that the loaded libraries define."""
    table: dict[type, Callable] = {
        datetime.timezone: lambda value, out: [
            "offset zone",
            [value.utcoffset(None).total_seconds(), value.tzname(None)],
            [],
        ],
        zoneinfo.ZoneInfo: lambda value, out: ["named zone", value.key, []],
    }
    pytz = sys.modules.get("pytz")
    if pytz is not None:
        table[type(pytz.utc)] = lambda value, out: ["pytz", "UTC", []]
        table[pytz._FixedOffset] = lambda value, out: ["pytz minutes", value._minutes, []]
    dateutil = sys.modules.get("dateutil.tz.tz")
    if dateutil is not None:
        table[dateutil.tzfile] = _dateutil_zone
        table[dateutil.tzutc] = lambda value, out: ["dateutil", "tzutc", []]
        table[dateutil.tzlocal] = lambda value, out: ["dateutil", "tzlocal", []]
        table[dateutil.tzoffset] = lambda value, out: [
            "dateutil offset",
            [value._name, value._offset.total_seconds()],
            [],
        ]
    return table


def _dateutil_zone(value: Any, out: Any) -> list:
    """Return the node of a zone of dateutil's by the name that it was read from a file of zones under."""
    name = str(value._filename).rpartition("zoneinfo/")[2]
    if name not in _known():
        raise ForbiddenResult(f"a result that holds the time zone {name:.100}, read from a file of its own")
    return ["dateutil zone", name, []]


def encode_pytz(value: Any, out: Any) -> list | None:
    """Return the node of one of pytz's zones, each of which has a class of its own; None for anything else."""
    tzinfo = sys.modules.get("pytz.tzinfo")
    if tzinfo is None or not isinstance(value, tzinfo.BaseTzInfo) or not isinstance(value.zone, str):
        return None
    return ["pytz", value.zone, []]


def zone(parts: list) -> datetime.tzinfo | None:
    """Return the one child of a time, a zone or None."""
    (value,) = parts
    if value is not None and not isinstance(value, datetime.tzinfo):
        raise ForbiddenResult("a time in no zone")
    return value


def _named(meta: Any) -> str:
    if not _NAME.fullmatch(checked.text(meta)):
        raise ForbiddenResult("no name of a time zone")
    return str(meta)


def _seconds(value: Any) -> datetime.timedelta:
    if type(value) is not float or not -_DAY_S < value < _DAY_S:
        raise ForbiddenResult("no offset of a time zone")
    return datetime.timedelta(seconds=value)


def _offset(reader: Any, meta: Any, parts: list, shell: Any) -> datetime.timezone:
    seconds, name = checked.a_list(meta, 2)
    plain = datetime.timezone(_seconds(seconds))
    return plain if plain.tzname(None) == name else datetime.timezone(_seconds(seconds), checked.text(name))


@functools.cache
def _known() -> frozenset[str]:
    names = zoneinfo.available_timezones()
    return frozenset(
        [*names, *(f"{kind}/{name}" for kind in ("posix", "right") for name in names), "localtime"]
    )


def _zone_info(reader: Any, meta: Any, parts: list, shell: Any) -> zoneinfo.ZoneInfo:
    """Return a zone that this machine knows: for another, `zoneinfo` would look for a package of that name."""
    return zoneinfo.ZoneInfo(checked.one_of(meta, _known()))


def _pytz(reader: Any, meta: Any, parts: list, shell: Any) -> Any:
    import pytz

    return pytz.utc if meta == "UTC" else pytz.timezone(_named(meta))


def _pytz_minutes(reader: Any, meta: Any, parts: list, shell: Any) -> Any:
    import pytz

    return pytz.FixedOffset(checked.whole(meta, -1439, 1439))


def _dateutil(reader: Any, meta: Any, parts: list, shell: Any) -> Any:
    from dateutil import tz

    return tz.tzutc() if checked.one_of(meta, ("tzutc", "tzlocal")) == "tzutc" else tz.tzlocal()


def _decode_dateutil_zone(reader: Any, meta: Any, parts: list, shell: Any) -> Any:
    from dateutil import tz

    return tz.gettz(checked.one_of(meta, _known()))


def _dateutil_offset(reader: Any, meta: Any, parts: list, shell: Any) -> Any:
    from dateutil import tz

    name, seconds = checked.a_list(meta, 2)
    return tz.tzoffset(None if name is None else checked.text(name), _seconds(seconds))


DECODERS: dict[str, Callable] = {
    "offset zone": _offset,
    "named zone": _zone_info,
    "pytz": _pytz,
    "pytz minutes": _pytz_minutes,
    "dateutil": _dateutil,
    "dateutil zone": _decode_dateutil_zone,
    "dateutil offset": _dateutil_offset,
}
