"""Problems whose results are numpy's: arrays of every kind of type, order and mask, and its scalars."""

# ruff: noqa: E501 (programs stand as they are run)

from __future__ import annotations

from sandbox_families.form import Problem

__all__ = ["ARRAYS"]

_NUMPY = "import numpy as np"
_SAME = """
assert type(result) is type(ans) and result.dtype == ans.dtype and result.shape == ans.shape
np.testing.assert_array_equal(result, ans)
"""
_ALL_SAME = """
assert len(result) == len(ans)
for a, b in zip(result, ans):
    assert type(a) is type(b) and a.dtype == b.dtype and a.shape == b.shape
    np.testing.assert_array_equal(a, b)
"""

ARRAYS = (
    Problem(
        "arrays of every number",
        _NUMPY,
        "result = [np.array(x).astype(kind) for kind in '?bBhHiIlLqQefdgFDG']",
        _ALL_SAME,
        ("result = [np.array(x).astype(float) for kind in '?bBhHiIlLqQefdgFDG']",),
        inputs=("[0, 1, 2]", "[[1], [0]]", "[]"),
    ),
    Problem(
        "scalars of numpy",
        _NUMPY,
        "result = [np.dtype(kind).type(x) for kind in '?bBhHiIlLefdgFD'] + "
        "[np.str_('a'), np.bytes_(b'a'), np.datetime64('2024-01-02', 'D'), np.timedelta64(3, 'h')]",
        _ALL_SAME,
        ("result = [x] * 19",),
        inputs=("1", "0"),
    ),
    Problem(
        "arrays without a dimension",
        _NUMPY,
        "result = [np.array(x), np.array('text'), np.array(None), np.asarray(np.float32(x)), np.empty((0, 3))]",
        _ALL_SAME,
        (
            "result = [np.array([x]), np.array('text'), np.array(None), np.asarray(np.float32(x)), np.empty((0, 3))]",
        ),
        inputs=("2", "-1.5"),
    ),
    Problem(
        "byte orders",
        _NUMPY,
        "result = [x.astype('>i4'), x.astype('>f8'), x.astype('<u2'), x.astype('>U3'), x.astype('>c16')]",
        _ALL_SAME,
        ("result = [x.astype('<i4'), x.astype('>f8'), x.astype('<u2'), x.astype('>U3'), x.astype('>c16')]",),
        inputs=("np.arange(4)",),
    ),
    Problem(
        "orders and strides",
        _NUMPY,
        "result = [np.asfortranarray(x), x.T, x[::-1, ::2], np.broadcast_to(x[0], (3, 4)), x[:, None, :]]",
        _ALL_SAME + "\nassert result[0].flags.f_contiguous",
        ("result = [np.asfortranarray(x), x.T, x[:, ::2], np.broadcast_to(x[0], (3, 4)), x[:, None, :]]",),
        inputs=("np.arange(12.0).reshape(3, 4)", "np.eye(4)"),
    ),
    Problem(
        "structured arrays",
        _NUMPY,
        """
kind = np.dtype([('name', 'U5'), ('at', 'f4', (2,)), ('more', [('n', '>i2'), ('when', 'M8[s]')])], align=True)
result = np.zeros(x, kind)
result['name'] = 'abc'
result['at'][:, 1] = np.arange(x)
result['more']['n'] = 7
""",
        _SAME.replace(
            "np.testing.assert_array_equal(result, ans)", "assert result.tobytes() == ans.tobytes()"
        ),
        ("result = np.zeros(x, [('name', 'U5'), ('at', 'f4', (2,))])",),
        inputs=("3", "0"),
    ),
    Problem(
        "record arrays",
        _NUMPY,
        "result = np.rec.array([(i, i / 2, str(i)) for i in range(x)], dtype=[('a', 'i4'), ('b', 'f8'), ('c', 'U4')])",
        _SAME + "\nassert result.b.tolist() == ans.b.tolist() and result[0].c == ans[0].c",
        (
            "result = np.rec.array([(i, i, str(i)) for i in range(x)], dtype=[('a', 'i4'), ('b', 'f8'), ('c', 'U4')])",
        ),
        inputs=("3", "5"),
    ),
    Problem(
        "a record and a void",
        _NUMPY,
        "table = np.array([(1, 2.5), (x, 4.5)], dtype=[('a', 'i4'), ('b', 'f8')])\nresult = [table[1], np.void(b'abc')]",
        "assert [type(a) for a in result] == [type(a) for a in ans] and result[0] == ans[0] and result[0]['b'] == 4.5\n"
        "assert result[1].tobytes() == b'abc'",
        ("result = [(x, 4.5), b'abc']",),
        inputs=("3",),
    ),
    Problem(
        "arrays of objects",
        _NUMPY,
        "result = np.array([None, 'a', 1, 2.5, [1, 2], {'a': np.arange(3)}, (1,), x], dtype=object)",
        """
        assert type(result) is type(ans) and result.dtype == object and result.shape == ans.shape
        assert [type(a) for a in result] == [type(a) for a in ans]
        assert result[4] == [1, 2] and result[5]['a'].tolist() == [0, 1, 2] and result[7] == ans[7]
        """,
        ("result = np.array([None, 'a', 1, 2.5, [1], {'a': np.arange(3)}, (1,), x], dtype=object)",),
        inputs=("3", "'b'"),
    ),
    Problem(
        "ragged rows",
        _NUMPY,
        "result = np.empty(3, dtype=object)\nfor i in range(3):\n    result[i] = np.arange(i + x)",
        "assert result.dtype == object and [a.tolist() for a in result] == [a.tolist() for a in ans]",
        ("result = np.empty(3, dtype=object)\nfor i in range(3):\n    result[i] = np.arange(i)",),
        inputs=("1", "4"),
    ),
    Problem(
        "masked arrays",
        "import numpy as np\nimport numpy.ma as ma",
        "result = ma.masked_where(x > 2, x, copy=True)\nresult.fill_value = 99",
        """
        assert type(result) is type(ans) and result.dtype == ans.dtype and result.fill_value == 99
        np.testing.assert_array_equal(ma.getmaskarray(result), ma.getmaskarray(ans))
        np.testing.assert_array_equal(result.filled(), ans.filled())
        """,
        (
            "result = ma.masked_where(x > 1, x, copy=True)\nresult.fill_value = 99",
            "result = ma.masked_all(x.shape)\nresult.fill_value = 99",
        ),
        inputs=("np.arange(5)", "np.array([[1.0, 3.0], [2.0, 2.5]])"),
    ),
    Problem(
        "moments and spans",
        _NUMPY,
        "result = [x.astype(f'M8[{unit}]') for unit in ('Y', 'M', 'D', 'h', 's', 'ms', 'us', 'ns', '25s')] + "
        "[x - x[0], np.array(['NaT'], 'm8[ns]'), np.array(['NaT'], 'M8')]",
        _ALL_SAME,
        ("result = [x.astype('M8[ns]')] * 12",),
        inputs=("np.array(['2020-02-29T12:30', '1969-12-31T23:59', 'NaT'], 'M8[m]')",),
    ),
    Problem(
        "arrays of text",
        _NUMPY,
        "result = [np.char.upper(x), x.astype('S8'), np.array([''] * 2), x.astype(object), x.astype('U1')]",
        _ALL_SAME,
        ("result = [x, x.astype('S8'), np.array([''] * 2), x.astype(object), x.astype('U1')]",),
        inputs=("np.array(['ab', 'c'])",),
    ),
    Problem(
        "arrays of texts of any length",
        _NUMPY,
        "result = np.array([x, '', 'z' * 400], dtype=np.dtypes.StringDType())",
        _SAME,
        (
            "result = np.array([x, '', 'z'], dtype=np.dtypes.StringDType())",
            "result = np.array([x, '', 'z' * 400])",
        ),
        inputs=("'grüße'",),
        runtimes=("main",),
    ),
    Problem(
        "a matrix and a polynomial",
        _NUMPY,
        "result = [np.matrix([[1, 2], [3, x]]), np.poly1d([1, -3, x]), np.polynomial.Polynomial([x, 0, 1])]",
        """
        assert [type(a) for a in result] == [type(a) for a in ans]
        assert (result[0] == ans[0]).all() and (result[0] * result[0] == ans[0] * ans[0]).all()
        assert result[1](2) == ans[1](2) and result[1].roots.tolist() == ans[1].roots.tolist()
        assert result[2](3) == ans[2](3) and (result[2].domain == ans[2].domain).all()
        """,
        (
            "result = [np.matrix([[1, 2], [3, 0]]), np.poly1d([1, -3, x]), np.polynomial.Polynomial([x, 0, 1])]",
        ),
        inputs=("2", "5"),
    ),
    Problem(
        "results of linear algebra",
        _NUMPY,
        "result = np.linalg.eigh(x), np.linalg.svd(x), np.linalg.qr(x), np.unique(x, return_counts=True)",
        """
        for a, b in zip(result, ans):
            assert type(a) is type(b) and len(a) == len(b)
            for part, expected in zip(a, b):
                np.testing.assert_allclose(part, expected)
        """,
        (
            "result = np.linalg.eigh(x + 1), np.linalg.svd(x), np.linalg.qr(x), np.unique(x, return_counts=True)",
        ),
        inputs=("np.array([[2.0, 1.0], [1.0, 3.0]])",),
    ),
    Problem(
        "types and generators of numbers",
        _NUMPY,
        "result = [np.dtype('f8'), np.dtype([('a', 'i4'), ('b', 'U3')]), np.dtype(x), np.float32, np.random.default_rng(3)]",
        "assert result[:4] == ans[:4] and result[4].random() == ans[4].random()",
        (
            "result = [np.dtype('f4'), np.dtype([('a', 'i4'), ('b', 'U3')]), np.dtype(x), np.float32, np.random.default_rng(3)]",
        ),
        inputs=("'M8[ns]'",),
    ),
)
