"""Arrow: arrays, scalars, tables and schemas as streams of Arrow's own format, read with full validation."""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import Any

from . import checked
from .checked import ForbiddenResult

__all__ = ["DECODERS", "SHELLS", "encoders"]

_WHAT = ("table", "batch", "chunked", "array", "scalar", "schema", "type")


def _stream(what: str) -> Callable:
    def encode(value: Any, out: Any) -> list:
        import pyarrow

        table = _as_table(what, value)
        sink = pyarrow.BufferOutputStream()
        with pyarrow.ipc.new_stream(sink, table.schema) as stream:
            stream.write_table(table)
        return ["arrow", [what, out.buffer(sink.getvalue().to_pybytes())], []]

    return encode


def _as_table(what: str, value: Any) -> Any:
    import pyarrow

    if what == "table":
        return value
    if what == "batch":
        return pyarrow.Table.from_batches([value])
    if what == "schema":
        return value.empty_table()
    if what == "type":
        return pyarrow.schema([("values", value)]).empty_table()
    if what == "scalar":
        value = pyarrow.array([value.as_py()], value.type)
    return pyarrow.table({"values": value})


def encoders() -> dict[type, Callable]:
    """Return Arrow's encoders by exact type, where it is loaded."""
    arrow = sys.modules.get("pyarrow")
    if arrow is None or not hasattr(arrow, "Table"):
        return {}
    return {
        arrow.Table: _stream("table"),
        arrow.RecordBatch: _stream("batch"),
        arrow.ChunkedArray: _stream("chunked"),
        arrow.Schema: _stream("schema"),
        **dict.fromkeys(_descendants(arrow.Array), _stream("array")),
        **dict.fromkeys(_descendants(arrow.Scalar), _stream("scalar")),
        **dict.fromkeys(_descendants(arrow.DataType), _stream("type")),
    }


def _descendants(kind: type) -> list[type]:
    found = [kind]
    child: type
    for child in type.__subclasses__(kind):
        if child.__module__.partition(".")[0] == "pyarrow":
            found += _descendants(child)
    return found


def _decode(reader: Any, meta: Any, parts: list, shell: Any) -> Any:
    import pyarrow

    what, buffer = checked.a_list(meta, 2)
    checked.one_of(what, _WHAT)
    table = pyarrow.ipc.open_stream(bytes(reader.buffer(buffer))).read_all()
    table.validate(full=True)
    if what == "table":
        return table
    if what == "schema":
        return table.schema
    if what == "batch":
        batches = table.combine_chunks().to_batches()
        return batches[0] if batches else pyarrow.RecordBatch.from_pylist([], schema=table.schema)
    if table.num_columns != 1:
        raise ForbiddenResult("a column of Arrow's that is not alone")
    column = table.column(0)
    if what == "type":
        return column.type
    if what == "chunked":
        return column
    array = pyarrow.concat_arrays(column.chunks) if column.num_chunks else pyarrow.array([], column.type)
    return array[0] if what == "scalar" else array


SHELLS: dict[str, Callable] = {}
DECODERS: dict[str, Callable] = {"arrow": _decode}
