"""Frames, series, indexes and scalars of pandas, column by column."""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from workbench.store.stored.kinds import Kind, checked

__all__ = ["FRAMES", "frame_tag"]

_INDEXES = ("Index", "DatetimeIndex", "TimedeltaIndex", "CategoricalIndex", "IntervalIndex", "PeriodIndex")
_WITH_FREQUENCY = ("DatetimeIndex", "TimedeltaIndex")
_MASKED = ("IntegerArray", "FloatingArray", "BooleanArray")


def frame_tag(value: Any) -> str | None:
    """Return the tag of a value of pandas; None for anything else, and for what of pandas is not stored."""
    pd = sys.modules.get("pandas")
    if pd is None or type(value).__module__.partition(".")[0] != "pandas":
        return None
    if value is pd.NaT or value is pd.NA:
        return "missing"
    name = type(value).__name__
    if isinstance(value, pd.StringDtype):
        return "strings dtype"
    if isinstance(value, pd.api.extensions.ExtensionArray) and isinstance(value.dtype, pd.StringDtype):
        return "strings"
    if type(value) not in (getattr(pd, name, None), getattr(pd.arrays, name, None)):
        return None
    tag = "masked column" if name in _MASKED else "index" if name in _INDEXES else name
    return tag if tag in FRAMES else None


def _values(column: Any) -> Any:
    """Return a column's or an index's values: a numpy array where it holds one, else pandas' own array."""
    return column.to_numpy() if isinstance(column.dtype, np.dtype) else column.array


def _frame_apart(frame: Any) -> Sequence[Any]:
    columns = [_values(frame.iloc[:, place]) for place in range(frame.shape[1])]
    return frame.columns, frame.index, columns, dict(frame.attrs)


def _frame(columns: Any, index: Any, values: Any, attrs: Any) -> Any:
    import pandas as pd

    checked(index, pd.Index, "an index")
    if len(checked(columns, pd.Index, "the columns")) != len(values):
        raise ValueError(f"{len(values)} columns, {len(columns)} names")
    frame = pd.DataFrame({place: _series_of(one, index) for place, one in enumerate(values)}, index=index)
    frame.columns = columns
    frame.attrs = checked(attrs, dict, "attrs")
    return frame


def _series_of(values: Any, index: Any) -> Any:
    import pandas as pd

    return pd.Series(
        checked(values, np.ndarray | pd.api.extensions.ExtensionArray, "a column"), index, values.dtype
    )


def _series(values: Any, index: Any, name: Any, attrs: Any) -> Any:
    import pandas as pd

    series = _series_of(values, checked(index, pd.Index, "an index")).rename(name)
    series.attrs = checked(attrs, dict, "attrs")
    return series


def _index_apart(index: Any) -> Sequence[Any]:
    frequency = index.freqstr if type(index).__name__ in _WITH_FREQUENCY else None
    return type(index).__name__, _values(index), index.name, frequency


def _index(kind: Any, values: Any, name: Any, frequency: Any) -> Any:
    import pandas as pd

    checked(values, np.ndarray | pd.api.extensions.ExtensionArray, "an index")
    if kind in _WITH_FREQUENCY:
        return getattr(pd, kind)(values, freq=frequency, name=name)
    if kind not in _INDEXES:
        raise TypeError(f"index {kind}")
    index = pd.Index(values, dtype=values.dtype, name=name)
    if type(index).__name__ != kind:
        raise TypeError(f"{kind} of {values.dtype}")
    return index


def _levels_apart(index: Any) -> Sequence[Any]:
    return list(index.levels), [np.asarray(code) for code in index.codes], list(index.names)


def _levels(levels: Any, codes: Any, names: Any) -> Any:
    import pandas as pd

    return pd.MultiIndex(levels=levels, codes=codes, names=names, verify_integrity=True)


def _range(start: Any, stop: Any, step: Any, name: Any) -> Any:
    import pandas as pd

    return pd.RangeIndex(start, stop, step, name=name)


def _categories(codes: Any, categories: Any, ordered: Any) -> Any:
    import pandas as pd

    return pd.Categorical.from_codes(codes, categories=categories, ordered=checked(ordered, bool, "ordered"))


def _masked_apart(column: Any) -> Sequence[Any]:
    return type(column).__name__, column._data, column._mask


def _masked(kind: Any, data: Any, mask: Any) -> Any:
    import pandas as pd

    if kind not in _MASKED:
        raise TypeError(f"column {kind}")
    return getattr(pd.arrays, kind)(data, mask)


def _string_type_apart(dtype: Any) -> Sequence[Any]:
    import pandas as pd

    return dtype.storage, dtype.na_value is pd.NA


def _string_type(storage: Any, with_na: Any) -> Any:
    import pandas as pd

    return pd.StringDtype(storage, na_value=pd.NA if with_na else np.nan)


def _strings_apart(column: Any) -> Sequence[Any]:
    return column.dtype, column.to_numpy(dtype=object, na_value=None)


def _strings(dtype: Any, values: Any) -> Any:
    import pandas as pd

    return pd.array(values, dtype=checked(dtype, pd.StringDtype, "a type of strings"))


def _zoned_apart(column: Any) -> Sequence[Any]:
    return column.tz_convert("UTC").tz_localize(None).to_numpy(), column.tz


def _zoned(moments: Any, zone: Any) -> Any:
    import pandas as pd

    return pd.DatetimeIndex(checked(moments, np.ndarray, "moments")).tz_localize("UTC").tz_convert(zone).array


def _periods(ordinals: Any, frequency: Any) -> Any:
    import pandas as pd

    return pd.PeriodIndex.from_ordinals(checked(ordinals, np.ndarray, "periods"), freq=frequency).array


def _intervals(left: Any, right: Any, closed: Any) -> Any:
    import pandas as pd

    return pd.arrays.IntervalArray.from_arrays(left, right, closed=closed)


def _missing_apart(value: Any) -> Sequence[Any]:
    import pandas as pd

    return ("NA" if value is pd.NA else "NaT",)


def _missing(name: Any) -> Any:
    import pandas as pd

    return {"NA": pd.NA, "NaT": pd.NaT}[name]


def _timestamp_apart(moment: Any) -> Sequence[Any]:
    return moment.to_datetime64(), moment.tz


def _timestamp(moment: Any, zone: Any) -> Any:
    import pandas as pd

    found = pd.Timestamp(checked(moment, np.datetime64, "a moment"))
    return found if zone is None else found.tz_localize("UTC").tz_convert(zone)


def _timedelta(length: Any) -> Any:
    import pandas as pd

    return pd.Timedelta(checked(length, np.timedelta64, "a length of time"))


def _period(ordinal: Any, frequency: Any) -> Any:
    import pandas as pd

    return pd.Period(ordinal=checked(ordinal, int, "a period"), freq=frequency)


def _interval(left: Any, right: Any, closed: Any) -> Any:
    import pandas as pd

    return pd.Interval(left, right, closed)


FRAMES: Mapping[str, Kind] = {
    "DataFrame": Kind(_frame_apart, _frame),
    "Series": Kind(lambda s: (_values(s), s.index, s.name, dict(s.attrs)), _series),
    "index": Kind(_index_apart, _index),
    "MultiIndex": Kind(_levels_apart, _levels),
    "RangeIndex": Kind(lambda i: (i.start, i.stop, i.step, i.name), _range),
    "Categorical": Kind(lambda c: (np.asarray(c.codes), c.categories, bool(c.ordered)), _categories),
    "masked column": Kind(_masked_apart, _masked),
    "strings dtype": Kind(_string_type_apart, _string_type),
    "strings": Kind(_strings_apart, _strings),
    "DatetimeArray": Kind(_zoned_apart, _zoned),
    "PeriodArray": Kind(lambda p: (p.asi8, p.freqstr), _periods),
    "IntervalArray": Kind(lambda i: (i.left, i.right, i.closed), _intervals),
    "missing": Kind(_missing_apart, _missing),
    "Timestamp": Kind(_timestamp_apart, _timestamp),
    "Timedelta": Kind(lambda d: (d.to_timedelta64(),), _timedelta),
    "Period": Kind(lambda p: (p.ordinal, p.freqstr), _period),
    "Interval": Kind(lambda i: (i.left, i.right, i.closed), _interval),
}
