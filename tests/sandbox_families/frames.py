"""Problems whose results are pandas': frames, series, every kind of index and of extension type."""

# ruff: noqa: E501 (programs stand as they are run)

from __future__ import annotations

from sandbox_families.form import Problem

__all__ = ["FRAMES"]

_PANDAS = "import numpy as np\nimport pandas as pd"
_FRAME = "pd.testing.assert_frame_equal(result, ans)"
_SERIES = "pd.testing.assert_series_equal(result, ans)"
_INDEXES = """
assert len(result) == len(ans)
for a, b in zip(result, ans):
    pd.testing.assert_index_equal(a, b, exact=True)
    assert getattr(a, 'freq', None) == getattr(b, 'freq', None) and a.names == b.names
"""
_ARRAYS = """
assert len(result) == len(ans)
for a, b in zip(result, ans):
    assert type(a) is type(b) and a.dtype == b.dtype
    pd.testing.assert_extension_array_equal(a, b)
"""

FRAMES = (
    Problem(
        "a frame of many columns",
        _PANDAS,
        "result = x.assign(b=x.a * 2.5, c=[str(v) for v in x.a], d=x.a > 1, e=pd.Timestamp('2024-01-01'), f=None)",
        _FRAME,
        (
            "result = x.assign(b=x.a * 2, c=[str(v) for v in x.a], d=x.a > 1, e=pd.Timestamp('2024-01-01'), f=None)",
            "result = x.assign(b=x.a * 2.5)",
        ),
        inputs=("pd.DataFrame({'a': [1, 2, 3]})", "pd.DataFrame({'a': [5]}, index=['z'])"),
    ),
    Problem(
        "groups with two levels",
        _PANDAS,
        "result = x.groupby(['g', 'h']).agg({'v': ['sum', 'mean'], 'w': 'max'})",
        _FRAME + "\nassert result.index.names == ['g', 'h'] and result.columns.nlevels == 2",
        ("result = x.groupby(['g', 'h']).agg({'v': ['sum', 'max'], 'w': 'max'})",),
        inputs=("pd.DataFrame({'g': list('aab'), 'h': [1, 2, 1], 'v': [1.0, 2.0, 4.0], 'w': [3, 1, 2]})",),
        uses="groupby",
    ),
    Problem(
        "indexes of numbers and texts",
        _PANDAS,
        "result = [pd.RangeIndex(2, 9, 3, name='r'), pd.Index([3, 1, 1], dtype='int8' if False else 'int64'), "
        "pd.Index([0.5, np.nan]), pd.Index(list('ab'), name=x), pd.Index([True, False]), pd.Index([1, 'a', None])]",
        _INDEXES,
        ("result = [pd.Index([2, 5, 8], name='r')] * 6",),
        inputs=("'n'", "('a', 1)"),
    ),
    Problem(
        "indexes of time",
        _PANDAS,
        "result = [pd.date_range('2024-02-28', periods=x, freq='D', tz='Europe/Berlin'), "
        "pd.date_range('2024', periods=x, freq='MS'), pd.date_range('2024', periods=x, freq='W-SUN'), "
        "pd.timedelta_range('1D', periods=x, freq='6h' if False else '6T' if False else '2D'), "
        "pd.period_range('2024-01', periods=x, freq='M'), pd.period_range('2024', periods=x, freq='Q-NOV'), "
        "pd.DatetimeIndex(['2024-01-01', 'NaT']), pd.date_range('2024', periods=x, freq='B')]",
        _INDEXES,
        (
            "result = [pd.date_range('2024-02-28', periods=x, freq='D')] * 8",
            "result = [pd.date_range('2024-02-28', periods=x, freq='D', tz='UTC')] * 8",
        ),
        inputs=("3", "1"),
    ),
    Problem(
        "indexes of intervals, categories and levels",
        _PANDAS,
        "result = [pd.interval_range(0, x, closed='left'), pd.IntervalIndex.from_breaks([0.5, 1.5, 4.0]), "
        "pd.CategoricalIndex(list('aba'), categories=['b', 'a', 'z'], ordered=True), "
        "pd.MultiIndex.from_product([['a', 'b'], [1, 2]], names=['l', None]), "
        "pd.MultiIndex.from_tuples([('a', pd.NaT), ('b', pd.Timestamp('2024'))])]",
        _INDEXES,
        (
            "result = [pd.interval_range(0, x, closed='right'), pd.IntervalIndex.from_breaks([0.5, 1.5, 4.0]), "
            "pd.CategoricalIndex(list('aba'), categories=['b', 'a', 'z'], ordered=True), "
            "pd.MultiIndex.from_product([['a', 'b'], [1, 2]], names=['l', None]), "
            "pd.MultiIndex.from_tuples([('a', pd.NaT), ('b', pd.Timestamp('2024'))])]",
        ),
        inputs=("3", "5"),
    ),
    Problem(
        "categories",
        _PANDAS,
        "result = pd.Series(pd.Categorical(x, categories=['lo', 'mid', 'hi'], ordered=True), name='level')",
        _SERIES + "\nassert result.cat.ordered and result.min() == ans.min()",
        (
            "result = pd.Series(x, name='level')",
            "result = pd.Series(pd.Categorical(x, categories=['lo', 'mid', 'hi']), name='level')",
        ),
        inputs=("['lo', 'hi', 'lo', None]",),
    ),
    Problem(
        "nullable types",
        _PANDAS,
        "result = [pd.array([1, None, 3], dtype=kind) for kind in ('Int8', 'Int64', 'UInt16', 'Float32', 'Float64')] + "
        "[pd.array([True, None], dtype='boolean'), pd.array(['a', None, x], dtype='string[python]')]",
        _ARRAYS,
        (
            "result = [pd.array([1, 2, 3], dtype=kind) for kind in ('Int8', 'Int64', 'UInt16', 'Float32', 'Float64')] + "
            "[pd.array([True, None], dtype='boolean'), pd.array(['a', None, x], dtype='string[python]')]",
        ),
        inputs=("'z'",),
    ),
    Problem(
        "periods, intervals and sparse values",
        _PANDAS,
        "result = [pd.array(pd.period_range('2024-01', periods=2, freq='M')), pd.arrays.IntervalArray.from_breaks([0, 1, x]), "
        "pd.arrays.SparseArray([0, 0, x, 0]), pd.arrays.SparseArray([np.nan, 1.5]), "
        "pd.array(pd.date_range('2024', periods=2, tz='UTC')), pd.array(pd.to_timedelta([1, None], unit='D'))]",
        _ARRAYS,
        (
            "result = [pd.array(pd.period_range('2024-01', periods=2, freq='Y' if False else 'Q')), "
            "pd.arrays.IntervalArray.from_breaks([0, 1, x]), "
            "pd.arrays.SparseArray([0, 0, x, 0]), pd.arrays.SparseArray([np.nan, 1.5]), "
            "pd.array(pd.date_range('2024', periods=2, tz='UTC')), pd.array(pd.to_timedelta([1, None], unit='D'))]",
        ),
        inputs=("2", "7"),
    ),
    Problem(
        "texts kept by Arrow",
        _PANDAS,
        "result = pd.DataFrame({'s': pd.array(x, dtype='string[pyarrow]'), 'n': pd.array([1, None], dtype='int64[pyarrow]'), "
        "'t': pd.array([1.5, 2], dtype='double[pyarrow]')})",
        _FRAME + "\nassert result.s.str.upper().tolist() == ans.s.str.upper().tolist()",
        ("result = pd.DataFrame({'s': pd.array(x, dtype='string[pyarrow]')})",),
        inputs=("['a', None]", "['é', '']"),
        needs=("pyarrow",),
        runtimes=("main",),
    ),
    Problem(
        "scalars of pandas",
        _PANDAS,
        "result = [pd.Timestamp(x, tz='Asia/Kolkata'), pd.Timedelta('1D 2h 3ns'), pd.Period('2024-03', 'M'), pd.NA, pd.NaT, "
        "pd.Interval(0, 1.5, closed='both'), pd.offsets.MonthEnd(2), pd.offsets.BusinessDay(), pd.DateOffset(months=1, days=2)]",
        "assert [type(a) for a in result] == [type(a) for a in ans]\n"
        "for a, b in zip(result, ans):\n    assert a is b or a == b",
        (
            "result = [pd.Timestamp(x, tz='UTC'), pd.Timedelta('1D 2h'), pd.Period('2024-03', 'M'), pd.NA, pd.NaT, "
            "pd.Interval(0, 1.5, closed='both'), pd.offsets.MonthEnd(2), pd.offsets.BusinessDay(), pd.DateOffset(months=1, days=2)]",
        ),
        inputs=("'2024-02-29 12:00:00.000001'",),
    ),
    Problem(
        "cells of any kind",
        _PANDAS,
        "result = pd.DataFrame({'a': [[1, 2], (3,), {'k': x}], 'b': [None, np.arange(2), 'text']}, index=[(0, 1), 'i', 2.5])",
        """
        assert result.shape == ans.shape and list(result.index) == list(ans.index)
        assert result.a.tolist() == ans.a.tolist() and result.b[2.5] == 'text' and (result.b['i'] == ans.b['i']).all()
        """,
        (
            "result = pd.DataFrame({'a': [[1, 2], (3,), {'k': 0}], 'b': [None, np.arange(2), 'text']}, index=[(0, 1), 'i', 2.5])",
        ),
        inputs=("1", "'v'"),
    ),
    Problem(
        "notes on a frame",
        _PANDAS,
        "result = x.copy()\nresult.attrs['source'] = {'name': 'sensor', 'parts': [1, 2]}\nresult.flags.allows_duplicate_labels = False",
        _FRAME + "\nassert result.attrs == ans.attrs and not result.flags.allows_duplicate_labels",
        ("result = x.copy()", "result = x.copy()\nresult.attrs['source'] = 'sensor'"),
        inputs=("pd.DataFrame({'a': [1, 2]})",),
    ),
    Problem(
        "labels given twice",
        _PANDAS,
        "result = pd.DataFrame(x, columns=['a', 'a', None], index=[0, 0])",
        _FRAME,
        ("result = pd.DataFrame(x, columns=['a', 'b', None], index=[0, 0])",),
        inputs=("[[1, 2.5, 'c'], [4, 5.5, 'd']]",),
    ),
    Problem(
        "empty frames",
        _PANDAS,
        "result = [x.iloc[:0], x[[]], pd.DataFrame(), pd.Series(dtype='M8[ns]'), pd.DataFrame(index=pd.RangeIndex(3))]",
        """
        assert [type(a) for a in result] == [type(a) for a in ans] and [a.shape for a in result] == [a.shape for a in ans]
        pd.testing.assert_frame_equal(result[0], ans[0])
        pd.testing.assert_series_equal(result[3], ans[3])
        """,
        (
            "result = [x, x[[]], pd.DataFrame(), pd.Series(dtype='M8[ns]'), pd.DataFrame(index=pd.RangeIndex(3))]",
        ),
        inputs=("pd.DataFrame({'a': [1, 2], 'b': ['x', 'y']})",),
    ),
    Problem(
        "groups by name",
        _PANDAS,
        "result = {name: part for name, part in x.groupby('g')}",
        "assert list(result) == list(ans)\nfor name in ans:\n    pd.testing.assert_frame_equal(result[name], ans[name])",
        ("result = {name: part.reset_index(drop=True) for name, part in x.groupby('g')}",),
        inputs=("pd.DataFrame({'g': list('aba'), 'v': [1, 2, 3]})",),
    ),
    Problem(
        "rows as named tuples",
        _PANDAS,
        "result = list(x.itertuples(index=False))",
        "assert [tuple(row) for row in result] == [tuple(row) for row in ans] and result[0].v == ans[0].v",
        ("result = list(x.itertuples())",),
        inputs=("pd.DataFrame({'g': list('ab'), 'v': [1, 2]})",),
    ),
    Problem(
        "groups, windows and samples not yet computed",
        _PANDAS,
        "result = [x.groupby('g'), x.groupby('g')['v'], x.v.rolling(2), x.v.expanding()]",
        """
        assert [type(a) for a in result] == [type(a) for a in ans]
        for a, b in zip(result, ans):
            pd.testing.assert_series_equal(a.sum() if a is not result[0] else a.v.sum(), b.sum() if b is not ans[0] else b.v.sum())
        """,
        ("result = [x.groupby('v'), x.groupby('v')['g'], x.v.rolling(1), x.v.expanding()]",),
        inputs=("pd.DataFrame({'g': list('aba'), 'v': [1, 2, 3]})",),
    ),
    Problem(
        "a styled frame",
        _PANDAS,
        "result = x.style.format('{:.1f}').highlight_max()",
        "assert type(result) is type(ans) and result.set_uuid('u').to_html() == ans.set_uuid('u').to_html()",
        ("result = x.style.format('{:.2f}').highlight_max()", "result = x.style"),
        inputs=("pd.DataFrame({'a': [1.25, 2.5]})",),
        unsplit="a Styler holds functions",
    ),
    Problem(
        "types of a frame's columns",
        _PANDAS,
        "result = x.astype({'b': 'category'}).dtypes",
        "assert list(result.index) == list(ans.index) and result.tolist() == ans.tolist()",
        ("result = x.dtypes",),
        inputs=("pd.DataFrame({'a': [1], 'b': ['z'], 'c': [pd.Timestamp('2024')]})",),
    ),
)
