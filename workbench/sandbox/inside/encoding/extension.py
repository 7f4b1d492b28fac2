"""pandas's extension arrays and their dtypes: each from its parts, by the constructor that checks them."""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import Any

from . import checked
from .checked import ForbiddenResult, an_array

__all__ = ["DECODERS", "encoders"]

_MASKED = ("IntegerArray", "FloatingArray", "BooleanArray")


# --- writing ---------------------------------------------------------------------------------------------


def _masked(array: Any, out: Any) -> list:
    return ["masked column", type(array).__name__, out.children([array._data, array._mask])]


def _none_for_missing(array: Any) -> list:
    return [value if type(value) is str else None for value in array.astype(object).tolist()]


def _text_array(array: Any, out: Any) -> list:
    dtype = array.dtype
    is_nan = isinstance(getattr(dtype, "na_value", None), float)
    return ["texts", [dtype.storage, is_nan], out.children(_none_for_missing(array))]


def _categories(array: Any, out: Any) -> list:
    import numpy

    return ["categories", bool(array.ordered), out.children([numpy.asarray(array.codes), array.categories])]


def _dates(array: Any, out: Any) -> list:
    import numpy

    naive = array if array.tz is None else array.tz_convert("UTC").tz_localize(None)
    return ["dates", None, out.children([numpy.asarray(naive), array.tz])]


def _differences(array: Any, out: Any) -> list:
    import numpy

    return ["differences", None, [out.child(numpy.asarray(array))]]


def _periods(array: Any, out: Any) -> list:
    return ["periods", None, out.children([array.asi8, array.freq])]


def _intervals(array: Any, out: Any) -> list:
    return ["intervals", array.closed, out.children([array.left, array.right])]


def _sparse(array: Any, out: Any) -> list:
    index = array.sp_index
    parts = [array.sp_values, index.to_int_index().indices, array.fill_value]
    return ["sparse column", [int(index.length), "Block" in type(index).__name__], out.children(parts)]


def _wrapped(array: Any, out: Any) -> list:
    return ["wrapped column", None, [out.child(array.to_numpy())]]


def _arrow(array: Any, out: Any) -> list:
    return ["arrow column", None, [out.child(array.__arrow_array__())]]


def _dtype(dtype: Any, out: Any) -> list:
    if type(dtype).__name__ == "CategoricalDtype":
        return ["category dtype", dtype.ordered, [out.child(dtype.categories)]]
    return ["column dtype", None, [out.child(dtype.construct_array_type()._from_sequence([], dtype=dtype))]]


def encoders() -> dict[type, Callable]:
    """Return the encoders of the extension arrays and dtypes that pandas itself defines."""
    pandas = sys.modules["pandas"]
    arrays, extensions = pandas.arrays, pandas.api.extensions
    table: dict[type, Callable] = {getattr(arrays, name): _masked for name in _MASKED}
    table.update(
        {
            pandas.Categorical: _categories,
            arrays.DatetimeArray: _dates,
            arrays.TimedeltaArray: _differences,
            arrays.PeriodArray: _periods,
            arrays.IntervalArray: _intervals,
            arrays.SparseArray: _sparse,
        }
    )
    for kind in _descendants(extensions.ExtensionArray):
        if kind.__name__ in ("NumpyExtensionArray", "PandasArray"):
            table[kind] = _wrapped
        elif kind.__name__ == "ArrowExtensionArray":
            table[kind] = _arrow
        elif "String" in kind.__name__:
            table[kind] = _text_array
    table.update(dict.fromkeys(_descendants(extensions.ExtensionDtype), _dtype))
    return table


def _descendants(kind: type) -> list[type]:
    found: list[type] = []
    child: type
    for child in type.__subclasses__(kind):
        if child.__module__.partition(".")[0] == "pandas":
            found += [child, *_descendants(child)]
    return found


# --- reading ---------------------------------------------------------------------------------------------


def _decode_masked(reader: Any, meta: Any, parts: list, shell: Any) -> Any:
    import pandas

    kinds = {"IntegerArray": "iu", "FloatingArray": "f", "BooleanArray": "b"}
    values = an_array(parts[0], kinds=kinds[checked.one_of(meta, kinds)], dimensions=1)
    mask = an_array(parts[1], kinds="b", dimensions=1)
    return getattr(pandas.arrays, meta)(values, mask)


def _decode_texts(reader: Any, meta: Any, parts: list, shell: Any) -> Any:
    import pandas

    storage, is_nan = checked.a_list(meta, 2)
    storage = checked.one_of(storage, ("python", "pyarrow"))
    if checked.truth(is_nan):
        try:
            dtype = pandas.StringDtype(storage, na_value=float("nan"))
        except TypeError:  # pandas 2.1 and 2.2 say it otherwise
            dtype = pandas.StringDtype("pyarrow_numpy")
    else:
        dtype = pandas.StringDtype(storage)
    if not all(part is None or type(part) is str for part in parts):
        raise ForbiddenResult("a column of texts that holds something else")
    return pandas.array(parts, dtype=dtype)


def _decode_categories(reader: Any, meta: Any, parts: list, shell: Any) -> Any:
    import pandas

    codes = an_array(parts[0], kinds="i", dimensions=1)
    if not isinstance(parts[1], pandas.Index):
        raise ForbiddenResult("categories that are no index")
    return pandas.Categorical.from_codes(codes, parts[1], ordered=checked.truth(meta))


def _decode_dates(reader: Any, meta: Any, parts: list, shell: Any) -> Any:
    import pandas

    from .zones import zone

    index = pandas.DatetimeIndex(an_array(parts[0], kinds="M", dimensions=1))
    tz = zone(parts[1:])
    return (index if tz is None else index.tz_localize("UTC").tz_convert(tz)).array


def _decode_differences(reader: Any, meta: Any, parts: list, shell: Any) -> Any:
    import pandas

    return pandas.TimedeltaIndex(an_array(parts[0], kinds="m", dimensions=1)).array


def _decode_periods(reader: Any, meta: Any, parts: list, shell: Any) -> Any:
    import pandas

    ordinals, freq = parts
    an_array(ordinals, kinds="i", dimensions=1)
    if not isinstance(freq, pandas.tseries.offsets.BaseOffset) or ordinals.dtype.itemsize != 8:
        raise ForbiddenResult("periods without a frequency")
    return pandas.arrays.PeriodArray(ordinals, dtype=pandas.PeriodDtype(freq))


def _decode_intervals(reader: Any, meta: Any, parts: list, shell: Any) -> Any:
    import pandas

    left, right = parts
    if not isinstance(left, pandas.Index) or not isinstance(right, pandas.Index):
        raise ForbiddenResult("intervals whose bounds are no indexes")
    closed = checked.one_of(meta, ("left", "right", "both", "neither"))
    return pandas.arrays.IntervalArray.from_arrays(left, right, closed=closed)


def _decode_sparse(reader: Any, meta: Any, parts: list, shell: Any) -> Any:
    import numpy
    import pandas

    length, blocks = checked.a_list(meta, 2)
    values, indices, fill = parts
    an_array(values, kinds="biufc", dimensions=1)
    an_array(indices, kinds="i", dimensions=1)
    length = checked.whole(length, 0, 1 << 31)
    if len(indices) != len(values) or (len(indices) and (numpy.diff(indices) <= 0).any()):
        raise ForbiddenResult("a sparse column out of order")
    if len(indices) and not (int(indices[0]) >= 0 and int(indices[-1]) < length):
        raise ForbiddenResult("a sparse column beyond its length")
    if not isinstance(fill, (bool, int, float, complex, numpy.generic)):
        raise ForbiddenResult("a sparse column filled with no number")
    index = pandas._libs.sparse.IntIndex(length, indices.astype("i4"))
    index = index.to_block_index() if checked.truth(blocks) else index
    return pandas.arrays.SparseArray(values, sparse_index=index, fill_value=fill)


def _decode_wrapped(reader: Any, meta: Any, parts: list, shell: Any) -> Any:
    import pandas

    kind = getattr(pandas.arrays, "NumpyExtensionArray", None) or pandas.arrays.PandasArray
    return kind(an_array(parts[0], dimensions=1))


def _decode_arrow(reader: Any, meta: Any, parts: list, shell: Any) -> Any:
    import pandas
    import pyarrow

    if not isinstance(parts[0], (pyarrow.Array, pyarrow.ChunkedArray)):
        raise ForbiddenResult("a column of Arrow's that holds something else")
    return pandas.arrays.ArrowExtensionArray(parts[0])


def _decode_category_dtype(reader: Any, meta: Any, parts: list, shell: Any) -> Any:
    import pandas

    if parts[0] is not None and not isinstance(parts[0], pandas.Index):
        raise ForbiddenResult("categories that are no index")
    return pandas.CategoricalDtype(parts[0], ordered=None if meta is None else checked.truth(meta))


def _decode_dtype(reader: Any, meta: Any, parts: list, shell: Any) -> Any:
    import pandas

    if not isinstance(parts[0], pandas.api.extensions.ExtensionArray):
        raise ForbiddenResult("the dtype of no column")
    return parts[0].dtype


DECODERS: dict[str, Callable] = {
    "masked column": _decode_masked,
    "texts": _decode_texts,
    "categories": _decode_categories,
    "dates": _decode_dates,
    "differences": _decode_differences,
    "periods": _decode_periods,
    "intervals": _decode_intervals,
    "sparse column": _decode_sparse,
    "wrapped column": _decode_wrapped,
    "arrow column": _decode_arrow,
    "category dtype": _decode_category_dtype,
    "column dtype": _decode_dtype,
}
