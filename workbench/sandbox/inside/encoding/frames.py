"""pandas: frames and series by columns, every kind of index, and scalars of time."""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import Any

from . import calls, checked, extension, offsets
from .checked import ForbiddenResult, an_array

__all__ = ["DECODERS", "SHELLS", "encoders"]

_PLAIN_INDEXES = ("Index", "Int64Index", "UInt64Index", "Float64Index", "NumericIndex")
_DATED = ("DatetimeIndex", "TimedeltaIndex")


# --- writing ---------------------------------------------------------------------------------------------


def _values(series: Any) -> Any:
    """Return a column as a numpy array where it is one, else as the extension array that it is."""
    array = series.array
    return series.to_numpy() if type(array).__name__ in ("NumpyExtensionArray", "PandasArray") else array


def _series(series: Any, out: Any) -> list:
    parts = [_values(series), series.index, series.name, dict(series.attrs)]
    return ["series", bool(series.flags.allows_duplicate_labels), out.children(parts)]


def _frame(frame: Any, out: Any) -> list:
    kinds = set(frame.dtypes)
    whole = len(kinds) == 1 and type(next(iter(kinds))).__module__.startswith("numpy")
    columns = [frame.to_numpy()] if whole else [_values(frame.iloc[:, i]) for i in range(frame.shape[1])]
    parts = [frame.index, frame.columns, dict(frame.attrs), *columns]
    return ["frame", [whole, bool(frame.flags.allows_duplicate_labels)], out.children(parts)]


def _index(index: Any, out: Any) -> list:
    array = index.array
    plain = type(array).__name__ in ("NumpyExtensionArray", "PandasArray")
    return ["index", None, out.children([index.to_numpy() if plain else array, index.name])]


def _dated_index(index: Any, out: Any) -> list:
    return ["dated index", type(index).__name__, out.children([index.array, index.freq, index.name])]


def _range_index(index: Any, out: Any) -> list:
    return ["range index", None, out.children([index.start, index.stop, index.step, index.name])]


def _levels(index: Any, out: Any) -> list:
    levels, codes, names = list(index.levels), [_codes(each) for each in index.codes], list(index.names)
    return ["levels", len(levels), out.children([*levels, *codes, *names])]


def _codes(codes: Any) -> Any:
    import numpy

    return numpy.asarray(codes)


def encoders() -> dict[type, Callable]:
    """Return pandas's encoders by exact type, where it is loaded."""
    pandas = sys.modules.get("pandas")
    if pandas is None or not hasattr(pandas, "DataFrame"):
        return {}
    numeric = sys.modules.get("pandas.core.indexes.numeric", pandas)
    table: dict[type, Callable] = {
        pandas.DataFrame: _frame,
        pandas.Series: _series,
        pandas.RangeIndex: _range_index,
        pandas.MultiIndex: _levels,
        pandas.PeriodIndex: _index,
        pandas.IntervalIndex: _index,
        pandas.CategoricalIndex: _index,
        **{getattr(pandas, name): _dated_index for name in _DATED},
        **extension.encoders(),
        **offsets.encoders(),
    }
    for name in _PLAIN_INDEXES:
        kind = getattr(pandas, name, None) or getattr(numeric, name, None)
        if kind is not None:
            table[kind] = _index
    frozen = sys.modules.get("pandas.core.indexes.frozen")
    if frozen is not None:
        table[frozen.FrozenList] = lambda value, out: ["frozen list", None, out.children(value)]
    return table


# --- reading ---------------------------------------------------------------------------------------------


def _an_index(value: Any, size: int | None = None) -> Any:
    import pandas

    if not isinstance(value, pandas.Index) or (size is not None and len(value) != size):
        raise ForbiddenResult("a table whose index is none, or of another length")
    return value


def _a_column(value: Any) -> Any:
    import numpy
    import pandas

    if type(value) is numpy.ndarray and value.ndim == 1 and value.dtype.kind in "biufcOMm":
        return value
    if isinstance(value, pandas.api.extensions.ExtensionArray):
        return value
    raise ForbiddenResult(f"a column of {type(value).__name__}")


def _attributes(made: Any, attributes: Any, unique: bool) -> Any:
    if type(attributes) is not dict:
        raise ForbiddenResult("attributes that are no dictionary")
    if attributes:
        made.attrs = attributes
    if not unique:
        made.flags.allows_duplicate_labels = False
    return made


def _a_series(values: Any, index: Any, name: Any = None) -> Any:
    import pandas

    return pandas.Series(
        values, index=_an_index(index, len(values)), dtype=values.dtype, name=name, copy=False
    )


def _decode_series(reader: Any, meta: Any, parts: list, shell: Any) -> Any:
    values, index, name, attributes = parts
    series = _a_series(_a_column(values), index, name)
    if series.dtype == object:
        calls.check("series", series.index, series.array)
    return _attributes(series, attributes, checked.truth(meta))


def _decode_frame(reader: Any, meta: Any, parts: list, shell: Any) -> Any:
    import numpy
    import pandas

    whole, unique = checked.a_list(meta, 2)
    index, columns, attributes, *values = parts
    _an_index(index), _an_index(columns)
    if checked.truth(whole):
        (table,) = values
        if type(table) is not numpy.ndarray or table.shape != (len(index), len(columns)):
            raise ForbiddenResult("a table of another shape than its labels")
        if table.dtype.kind not in "biufcOMm":
            raise ForbiddenResult("a table of another kind than tables are")
        made = pandas.DataFrame(table, index=index, columns=columns, dtype=table.dtype, copy=False)
    else:
        if len(values) != len(columns):
            raise ForbiddenResult("a table with another number of columns than of labels")
        data = {place: _a_series(_a_column(each), index) for place, each in enumerate(values)}
        made = pandas.DataFrame(data, index=index, copy=False)
        made.columns = columns
    return _attributes(made, attributes, checked.truth(unique))


def _decode_index(reader: Any, meta: Any, parts: list, shell: Any) -> Any:
    import pandas

    array, name = parts
    array = _a_column(array)
    kind = {"PeriodArray": "PeriodIndex", "IntervalArray": "IntervalIndex", "Categorical": "CategoricalIndex"}
    special = kind.get(type(array).__name__)
    if special is not None:
        return getattr(pandas, special)(array, name=name)
    return pandas.Index(array, dtype=array.dtype, name=name, tupleize_cols=False, copy=False)


def _decode_dated(reader: Any, meta: Any, parts: list, shell: Any) -> Any:
    import pandas

    array, freq, name = parts
    kind = getattr(pandas, checked.one_of(meta, _DATED))
    due = pandas.arrays.DatetimeArray if meta == "DatetimeIndex" else pandas.arrays.TimedeltaArray
    if type(array) is not due or not (freq is None or isinstance(freq, pandas.tseries.offsets.BaseOffset)):
        raise ForbiddenResult("an index of dates that holds none")
    return kind(array, freq=freq, name=name)


def _decode_range(reader: Any, meta: Any, parts: list, shell: Any) -> Any:
    import pandas

    start, stop, step, name = parts
    return pandas.RangeIndex(checked.whole(start), checked.whole(stop), checked.whole(step), name=name)


def _decode_levels(reader: Any, meta: Any, parts: list, shell: Any) -> Any:
    import pandas

    count = checked.whole(meta, 1, 1_000)
    if len(parts) != 3 * count:
        raise ForbiddenResult("an index whose levels, codes and names differ in number")
    levels = [_an_index(part) for part in parts[:count]]
    codes = [an_array(part, kinds="i", dimensions=1) for part in parts[count : 2 * count]]
    return pandas.MultiIndex(levels=levels, codes=codes, names=parts[2 * count :], verify_integrity=True)


def _decode_frozen(reader: Any, meta: Any, parts: list, shell: Any) -> Any:
    from pandas.core.indexes.frozen import FrozenList

    return FrozenList(parts)


SHELLS: dict[str, Callable] = {}
DECODERS: dict[str, Callable] = {
    "series": _decode_series,
    "frame": _decode_frame,
    "index": _decode_index,
    "dated index": _decode_dated,
    "range index": _decode_range,
    "levels": _decode_levels,
    "frozen list": _decode_frozen,
    **extension.DECODERS,
    **offsets.DECODERS,
}
