"""Problems whose results are Arrow's."""

# ruff: noqa: E501 (programs stand as they are run)

from __future__ import annotations

from sandbox_families.form import Problem

__all__ = ["TABLES"]

_ARROW = "import datetime\nimport decimal\nimport pyarrow as pa"
_SAME = "assert [type(a) for a in result] == [type(a) for a in ans]\nfor a, b in zip(result, ans):\n    assert a.equals(b)"
_ONLY = {"needs": ("pyarrow",), "runtimes": ("main",)}

TABLES = (
    Problem(
        "Arrow arrays of every type",
        _ARROW,
        "result = [pa.array(x), pa.array([1.5, None]), pa.array(['a', None]), pa.array([[1], None, []]), pa.array([{'a': 1, 'b': 'c'}]), "
        "pa.array([b'x']), pa.array([True, None]), pa.array(['u', 'v', 'u']).dictionary_encode(), pa.array([decimal.Decimal('1.10')]), "
        "pa.array([datetime.datetime(2024, 1, 2)]), pa.nulls(3), pa.array(['s'], pa.large_string()), pa.array([[('k', 1)]], pa.map_(pa.string(), pa.int64()))]",
        _SAME,
        ("result = [pa.array([0])] * 13",),
        inputs=("[1, 2, None]", "[]"),
        **_ONLY,
    ),
    Problem(
        "Arrow tables and batches",
        _ARROW,
        "table = pa.table({'a': x, 'b': [str(v) for v in x]}, metadata={'source': 'sensor'})\n"
        "result = [table, table.to_batches()[0], table.column('a'), table.slice(1), table.schema]",
        _SAME + "\nassert result[0].schema.metadata == ans[0].schema.metadata",
        (
            "table = pa.table({'a': x, 'b': [str(v) for v in x]})\n"
            "result = [table, table.to_batches()[0], table.column('a'), table.slice(1), table.schema]",
            "table = pa.table({'a': x, 'b': x}, metadata={'source': 'sensor'})\n"
            "result = [table, table.to_batches()[0], table.column('a'), table.slice(1), table.schema]",
        ),
        inputs=("[1, 2, 3]",),
        **_ONLY,
    ),
    Problem(
        "Arrow scalars and types",
        _ARROW,
        "result = [pa.scalar(x), pa.scalar('a'), pa.scalar(None), pa.int32(), pa.list_(pa.float64())]",
        "assert [type(a) for a in result] == [type(a) for a in ans]\nfor a, b in zip(result, ans):\n    assert a == b or (a.as_py() is None and b.as_py() is None)",
        ("result = [pa.scalar(x + 1), pa.scalar('a'), pa.scalar(None), pa.int32(), pa.list_(pa.float64())]",),
        inputs=("5",),
        **_ONLY,
    ),
)
