"""TensorFlow: eager tensors, variables, ragged and sparse tensors."""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import Any

from . import checked
from .checked import ForbiddenResult, an_array

__all__ = ["DECODERS", "SHELLS", "encoders"]

_BRAIN = "bfloat16"


def _dense(variable: bool) -> Callable:
    def encode(value: Any, out: Any) -> list:
        array = value.numpy()
        if value.dtype.name == _BRAIN:  # numpy knows it as bytes only
            array = array.view("u2")
        return ["flow", [variable, value.dtype.name], [out.child(array)]]

    return encode


def _ragged(value: Any, out: Any) -> list:
    return ["flow ragged", None, out.children([value.flat_values, *value.nested_row_splits])]


def _sparse(value: Any, out: Any) -> list:
    return ["flow sparse", None, out.children([value.indices, value.values, value.dense_shape])]


def encoders() -> dict[type, Callable]:
    """Return TensorFlow's encoders by exact type, where it is loaded.

    By name rather than `type(tensorflow.constant(0))`: the first tensor of a process starts its threads.
    """
    tensorflow = sys.modules.get("tensorflow")
    ops = sys.modules.get("tensorflow.python.framework.ops")
    variables = sys.modules.get("tensorflow.python.ops.resource_variable_ops")
    if tensorflow is None or ops is None or variables is None:
        return {}
    return {
        ops.EagerTensor: _dense(False),
        variables.ResourceVariable: _dense(True),
        tensorflow.RaggedTensor: _ragged,
        tensorflow.SparseTensor: _sparse,
        tensorflow.TensorShape: lambda value, out: [
            "flow shape",
            None if value.rank is None else value.as_list(),
            [],
        ],
        tensorflow.DType: lambda value, out: ["flow dtype", value.name, []],
    }


def _dtype(name: Any) -> Any:
    import tensorflow

    found = vars(tensorflow.dtypes).get(checked.text(name))
    if not isinstance(found, tensorflow.DType):
        raise ForbiddenResult(f"a tensor of the unknown type {name!r:.40}")
    return found


def _decode_dense(reader: Any, meta: Any, parts: list, shell: Any) -> Any:
    import numpy
    import tensorflow

    variable, name = checked.a_list(meta, 2)
    value = parts[0]
    if type(value) is bytes:  # a text of no dimensions
        value = numpy.array(value, dtype=object)
    array = numpy.asarray(value) if isinstance(value, numpy.generic) else an_array(value)
    if array.dtype.kind == "O" and not all(type(each) is bytes for each in array.ravel().tolist()):
        raise ForbiddenResult("a tensor of objects")
    make = tensorflow.Variable if checked.truth(variable) else tensorflow.constant
    if name == _BRAIN:
        if array.dtype.kind != "u" or array.dtype.itemsize != 2:
            raise ForbiddenResult("a tensor of bfloat16 in other bytes than its own")
        tensor = tensorflow.bitcast(tensorflow.constant(array), _dtype(name))
        return tensorflow.Variable(tensor) if variable else tensor
    return make(array, dtype=_dtype(name))


def _all_tensors(parts: list) -> list:
    from tensorflow.python.framework import ops

    if not all(isinstance(part, ops.EagerTensor) for part in parts):
        raise ForbiddenResult("a ragged or sparse tensor whose parts are no tensors")
    return parts


def _decode_ragged(reader: Any, meta: Any, parts: list, shell: Any) -> Any:
    import tensorflow

    values, *splits = _all_tensors(parts)
    return tensorflow.RaggedTensor.from_nested_row_splits(values, splits, validate=True)


def _decode_sparse(reader: Any, meta: Any, parts: list, shell: Any) -> Any:
    import numpy
    import tensorflow

    indices, values, shape = _all_tensors(parts)
    places, bounds = indices.numpy(), shape.numpy()
    if places.ndim != 2 or places.shape[1:] != bounds.shape or len(places) != len(values.numpy()):
        raise ForbiddenResult("a sparse tensor whose parts do not fit")
    if places.size and ((places < 0).any() or (places >= bounds[numpy.newaxis]).any()):
        raise ForbiddenResult("a sparse tensor with an index beyond its shape")
    return tensorflow.SparseTensor(indices, values, shape)


def _decode_shape(reader: Any, meta: Any, parts: list, shell: Any) -> Any:
    import tensorflow

    if meta is None:
        return tensorflow.TensorShape(None)
    return tensorflow.TensorShape(
        [None if size is None else checked.whole(size, 0) for size in checked.a_list(meta)]
    )


SHELLS: dict[str, Callable] = {}
DECODERS: dict[str, Callable] = {
    "flow": _decode_dense,
    "flow ragged": _decode_ragged,
    "flow sparse": _decode_sparse,
    "flow shape": _decode_shape,
    "flow dtype": lambda reader, meta, parts, shell: _dtype(meta),
}
