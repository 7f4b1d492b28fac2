"""SciPy's sparse arrays and matrices, with every index checked before anything is made of them."""

from __future__ import annotations

import math
import sys
from collections.abc import Callable
from typing import Any

from . import checked
from .checked import ForbiddenResult, an_array

__all__ = ["DECODERS", "SHELLS", "encoders"]

_KINDS = {
    f"{form}_{flavour}" for form in "csr csc bsr coo dia dok lil".split() for flavour in ("matrix", "array")
}


def _compressed(value: Any, out: Any) -> list:
    parts = [value.data, value.indices, value.indptr]
    return ["sparse compressed", [type(value).__name__, list(map(int, value.shape))], out.children(parts)]


def _coordinates(value: Any, out: Any) -> list:
    flat = value.tocoo()
    coordinates = list(flat.coords) if hasattr(flat, "coords") else [flat.row, flat.col]
    return [
        "sparse coordinates",
        [type(value).__name__, list(map(int, value.shape))],
        out.children([flat.data, *coordinates]),
    ]


def _diagonals(value: Any, out: Any) -> list:
    return [
        "sparse diagonals",
        [type(value).__name__, list(map(int, value.shape))],
        out.children([value.data, value.offsets]),
    ]


def encoders() -> dict[type, Callable]:
    """Return the encoders of SciPy's sparse classes, where they are loaded."""
    sparse = sys.modules.get("scipy.sparse")
    table: dict[type, Callable] = {}
    for name in _KINDS:
        kind = getattr(sparse, name, None)
        if kind is not None:
            form = name[:3]
            table[kind] = (
                _compressed
                if form in ("csr", "csc", "bsr")
                else _diagonals
                if form == "dia"
                else _coordinates
            )
    return table


def _kind(meta: Any, forms: tuple[str, ...]) -> tuple[type, str, tuple[int, ...]]:
    from scipy import sparse

    name, shape = checked.a_list(meta, 2)
    allowed = [kind for kind in _KINDS if kind[:3] in forms and hasattr(sparse, kind)]
    return getattr(sparse, checked.one_of(name, allowed)), name[:3], checked.shape(shape)


def _numbers(value: Any, dimensions: int) -> Any:
    return an_array(value, kinds="biufc", dimensions=dimensions)


def _within(indices: Any, size: int) -> Any:
    an_array(indices, kinds="i", dimensions=1)
    if indices.dtype.itemsize not in (4, 8):
        raise ForbiddenResult("a sparse array whose indices are of an odd size")
    if len(indices) and not (int(indices.min()) >= 0 and int(indices.max()) < size):
        raise ForbiddenResult("a sparse array with an index beyond its shape")
    return indices


def _decode_compressed(reader: Any, meta: Any, parts: list, shell: Any) -> Any:
    import numpy

    make, form, shape = _kind(meta, ("csr", "csc", "bsr"))
    data, indices, pointers = parts
    _numbers(data, 3 if form == "bsr" else 1)
    if len(shape) not in ((1, 2) if form == "csr" else (2,)):
        raise ForbiddenResult("a sparse array of no two dimensions")
    block = data.shape[1:] if form == "bsr" else (1, 1)
    if 0 in block or (form == "bsr" and any(size % part for size, part in zip(shape, block, strict=True))):
        raise ForbiddenResult("a sparse array whose blocks do not fit")
    rows, columns = (1, *shape)[-2] // block[0], shape[-1] // block[1]
    major, minor = (columns, rows) if form == "csc" else (rows, columns)
    _within(indices, minor)
    an_array(pointers, kinds="i", dimensions=1)
    if len(pointers) != major + 1 or len(indices) != len(data):
        raise ForbiddenResult("a sparse array whose parts differ in length")
    if int(pointers[0]) != 0 or int(pointers[-1]) != len(indices) or (numpy.diff(pointers) < 0).any():
        raise ForbiddenResult("a sparse array whose rows are out of order")
    if pointers.dtype != indices.dtype:
        raise ForbiddenResult("a sparse array whose indices are of two kinds")
    return make((data, indices, pointers), shape=shape)


def _decode_coordinates(reader: Any, meta: Any, parts: list, shell: Any) -> Any:
    from scipy import sparse

    make, form, shape = _kind(meta, ("coo", "dok", "lil"))
    data, *coordinates = parts
    _numbers(data, 1)
    if len(coordinates) != len(shape) or not shape:
        raise ForbiddenResult("a sparse array with indices of other dimensions than its own")
    for indices, size in zip(coordinates, shape, strict=True):
        if len(_within(indices, size)) != len(data):
            raise ForbiddenResult("a sparse array whose parts differ in length")
    if form != "coo" and math.prod(shape[:1]) > 1 << 24:
        raise ForbiddenResult("a sparse array of too many lists")
    flavour = (
        make if form == "coo" else sparse.coo_array if make.__name__.endswith("array") else sparse.coo_matrix
    )
    flat = flavour((data, tuple(coordinates)), shape=shape)
    return flat if form == "coo" else flat.asformat(form)


def _decode_diagonals(reader: Any, meta: Any, parts: list, shell: Any) -> Any:
    import numpy

    make, _, shape = _kind(meta, ("dia",))
    data, offsets = _numbers(parts[0], 2), an_array(parts[1], kinds="i", dimensions=1)
    if len(shape) != 2 or len(data) != len(offsets) or len(numpy.unique(offsets)) != len(offsets):
        raise ForbiddenResult("a sparse array whose diagonals do not fit")
    return make((data, offsets), shape=shape)


SHELLS: dict[str, Callable] = {}
DECODERS: dict[str, Callable] = {
    "sparse compressed": _decode_compressed,
    "sparse coordinates": _decode_coordinates,
    "sparse diagonals": _decode_diagonals,
}
