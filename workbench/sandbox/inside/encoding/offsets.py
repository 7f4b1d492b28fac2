"""pandas's scalars: moments, differences, periods, intervals, offsets and the missing values."""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import Any

from . import checked, zones
from .checked import ForbiddenResult

__all__ = ["DECODERS", "encoders"]


# --- writing ---------------------------------------------------------------------------------------------


def _moment(value: Any, out: Any) -> list:
    naive = value if value.tz is None else value.tz_convert("UTC").tz_localize(None)
    return ["moment", [value.fold], out.children([naive.to_datetime64(), value.tz])]


def _difference(value: Any, out: Any) -> list:
    return ["difference", None, [out.child(value.to_timedelta64())]]


def _offset(value: Any, out: Any) -> list:
    settings = {name: each for name, each in value.kwds.items() if name != "calendar"}
    return ["offset", [type(value).__name__, value.n, bool(value.normalize)], [out.child(settings)]]


def encoders() -> dict[type, Callable]:
    """Return the encoders of pandas's scalars by exact type."""
    pandas = sys.modules["pandas"]
    table: dict[type, Callable] = {
        pandas.Timestamp: _moment,
        pandas.Timedelta: _difference,
        pandas.Period: lambda value, out: ["period", None, out.children([value.ordinal, value.freq])],
        pandas.Interval: lambda value, out: [
            "interval",
            value.closed,
            out.children([value.left, value.right]),
        ],
        type(pandas.NaT): lambda value, out: ["missing", "NaT", []],
        type(pandas.NA): lambda value, out: ["missing", "NA", []],
        **dict.fromkeys(_offsets().values(), _offset),
    }
    relative = sys.modules.get("dateutil.relativedelta")
    if relative is not None:
        table[relative.relativedelta] = _relative
    return table


def _offsets() -> dict[str, type]:
    """Return pandas's public offsets by name."""
    from pandas.tseries import offsets

    return {
        kind.__name__: kind
        for kind in vars(offsets).values()
        if isinstance(kind, type) and issubclass(kind, offsets.BaseOffset)
    }


_RELATIVE = ("years", "months", "days", "hours", "minutes", "seconds", "microseconds", "leapdays")
_ABSOLUTE = ("year", "month", "day", "hour", "minute", "second", "microsecond")


def _relative(value: Any, out: Any) -> list:
    if value.weekday is not None:
        raise ForbiddenResult("a relativedelta to a day of the week, which may not leave the program")
    return ["relative", None, out.children([getattr(value, name) for name in (*_RELATIVE, *_ABSOLUTE)])]


# --- reading ---------------------------------------------------------------------------------------------


def _decode_moment(reader: Any, meta: Any, parts: list, shell: Any) -> Any:
    import numpy
    import pandas

    (fold,) = checked.a_list(meta, 1)
    if type(parts[0]) is not numpy.datetime64:
        raise ForbiddenResult("a moment that is no date")
    moment = pandas.Timestamp(parts[0])
    tz = zones.zone(parts[1:])
    moment = moment if tz is None else moment.tz_localize("UTC").tz_convert(tz)
    return moment.replace(fold=1) if checked.whole(fold, 0, 1) and tz is None else moment


def _decode_difference(reader: Any, meta: Any, parts: list, shell: Any) -> Any:
    import numpy
    import pandas

    if type(parts[0]) is not numpy.timedelta64:
        raise ForbiddenResult("a difference that is no time")
    return pandas.Timedelta(parts[0])


def _decode_period(reader: Any, meta: Any, parts: list, shell: Any) -> Any:
    import pandas

    ordinal, freq = parts
    if not isinstance(freq, pandas.tseries.offsets.BaseOffset):
        raise ForbiddenResult("a period without a frequency")
    return pandas.Period(ordinal=checked.whole(ordinal), freq=freq)


def _decode_interval(reader: Any, meta: Any, parts: list, shell: Any) -> Any:
    import pandas

    return pandas.Interval(*parts, closed=checked.one_of(meta, ("left", "right", "both", "neither")))


def _decode_missing(reader: Any, meta: Any, parts: list, shell: Any) -> Any:
    import pandas

    return pandas.NaT if checked.one_of(meta, ("NaT", "NA")) == "NaT" else pandas.NA


_PLAIN_SETTINGS = (int, float, str, bool, type(None))


def _decode_offset(reader: Any, meta: Any, parts: list, shell: Any) -> Any:
    import datetime

    import numpy

    name, n, normalize = checked.a_list(meta, 3)
    kinds = _offsets()
    settings = parts[0]
    if type(settings) is not dict or not all(type(key) is str for key in settings):
        raise ForbiddenResult("an offset whose settings are none")
    allowed = (*_PLAIN_SETTINGS, datetime.time, datetime.timedelta, numpy.datetime64)
    for value in settings.values():
        items = value if type(value) in (tuple, list) else [value]
        if not all(isinstance(item, allowed) for item in items):
            raise ForbiddenResult(f"an offset that is set to {type(value).__name__}")
    kind = kinds[checked.one_of(name, kinds)]
    n, normalize = checked.whole(n), checked.truth(normalize)
    return kind(n, normalize=normalize, **settings) if normalize or settings else kind(n)


def _decode_relative(reader: Any, meta: Any, parts: list, shell: Any) -> Any:
    from dateutil.relativedelta import relativedelta

    if not all(part is None or type(part) in (int, float) for part in parts):
        raise ForbiddenResult("a relativedelta of no numbers")
    names = (*_RELATIVE, *_ABSOLUTE)
    return relativedelta(**dict(zip(names, checked.a_list(parts, len(names)), strict=True)))


DECODERS: dict[str, Callable] = {
    "moment": _decode_moment,
    "difference": _decode_difference,
    "period": _decode_period,
    "interval": _decode_interval,
    "missing": _decode_missing,
    "offset": _decode_offset,
    "relative": _decode_relative,
}
