"""numpy's dtypes, in a closed grammar."""

from __future__ import annotations

import re
from typing import Any

from . import checked
from .checked import ForbiddenResult

__all__ = ["decode_dtype", "encode_dtype"]

_UNIT = r"(\[\d{0,9}(Y|M|W|D|h|m|s|ms|us|μs|ns|ps|fs|as)\])?"
_DTYPE = re.compile(
    rf"[<>|=](b1|[iu][1248]|f(2|4|8|12|16)|c(8|16|24|32)|[mM]8{_UNIT}|[SUV]\d{{1,9}})", re.ASCII
)
_MAX_FIELDS = 10_000


def encode_dtype(dtype: Any) -> Any:
    """Describe a dtype: a text, ["fields", names, dtypes, offsets, itemsize, titles] or ["sub", dtype, shape]."""
    if dtype.kind in "OT":
        return dtype.kind
    if dtype.subdtype is not None:
        return ["sub", encode_dtype(dtype.subdtype[0]), list(dtype.subdtype[1])]
    if dtype.names is None:
        return dtype.str
    parts = [dtype.fields[name] for name in dtype.names]
    return [
        "fields",
        list(dtype.names),
        [encode_dtype(part[0]) for part in parts],
        [part[1] for part in parts],
        dtype.itemsize,
        [part[2] if len(part) == 3 and type(part[2]) is str else None for part in parts],
    ]


def decode_dtype(description: Any, depth: int = 0) -> Any:
    """Return the numpy dtype that `encode_dtype` described."""
    import numpy

    if depth > 8:
        raise ForbiddenResult("an array of structures within structures")
    if type(description) is str:
        if description == "O":
            return numpy.dtype(object)
        if description == "T":
            return numpy.dtypes.StringDType()
        if not _DTYPE.fullmatch(description):
            raise ForbiddenResult(f"an array of the unknown type {description!r:.40}")
        return numpy.dtype(description)
    kind = checked.one_of(checked.a_list(description)[0], ("sub", "fields"))
    if kind == "sub":
        _, base, shape = checked.a_list(description, 3)
        return numpy.dtype((decode_dtype(base, depth + 1), checked.shape(shape)))
    _, names, formats, offsets, itemsize, titles = checked.a_list(description, 6)
    names = [checked.text(name) for name in checked.a_list(names)]
    if len(names) > _MAX_FIELDS:
        raise ForbiddenResult("an array of too many fields")
    layout: Any = {
        "names": names,
        "formats": [decode_dtype(each, depth + 1) for each in checked.a_list(formats, len(names))],
        "offsets": [checked.whole(each, 0, 1 << 30) for each in checked.a_list(offsets, len(names))],
        "itemsize": checked.whole(itemsize, 0, 1 << 30),
    }
    if any(title is not None for title in checked.a_list(titles, len(names))):
        layout["titles"] = [None if title is None else checked.text(title) for title in titles]
    return numpy.dtype(layout)
