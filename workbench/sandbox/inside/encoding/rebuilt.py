"""Objects whose state lies outside Python, made anew from checked data: trees, rotations, losses."""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import Any

from . import boosters, checked, generators
from .checked import ForbiddenResult, an_array

__all__ = ["DECODERS", "SHELLS", "encoders"]


# --- writing ---------------------------------------------------------------------------------------------


def _tree(tree: Any, out: Any) -> list:
    _, (features, classes, outputs), state = tree.__reduce__()
    parts = [classes, state["nodes"], state["values"]]
    return ["sklearn tree", [int(features), int(outputs), int(state["max_depth"])], out.children(parts)]


def _neighbours(tree: Any, out: Any) -> list:
    state = tree.__getstate__()
    metric, weights = state[-2], state[-1]
    settings = dict(metric.__getstate__()[1:2] and {"p": float(metric.__getstate__()[0])})
    name = type(metric).__name__.removesuffix("64").removesuffix("Distance").lower()
    parts = [state[0], weights]
    return [
        "sklearn neighbours",
        [type(tree).__name__, int(state[4]), name, settings.get("p")],
        out.children(parts),
    ]


def _kd_tree(tree: Any, out: Any) -> list:
    meta = [type(tree).__name__, int(tree.leafsize)]
    return ["kd tree", meta, out.children([tree.data, tree.boxsize])]


def _losses(value: Any, out: Any) -> list:
    kind = type(value)
    made_by, arguments = value.__reduce__()[:2]
    numbers = arguments if made_by is kind else (arguments[-1] or ())  # else Cython's own: class, sum, state
    return ["loss", [kind.__module__, kind.__qualname__], out.children(numbers)]


def encoders() -> dict[type, Callable]:
    """Return the encoders of what the loaded libraries define."""
    table: dict[type, Callable] = {**boosters.encoders(), **generators.encoders()}
    tree = sys.modules.get("sklearn.tree._tree")
    if tree is not None:
        table[tree.Tree] = _tree
    for module, name in (("_kd_tree", "KDTree"), ("_ball_tree", "BallTree")):
        found = sys.modules.get(f"sklearn.neighbors.{module}")
        for each in (name, f"{name}64"):
            if hasattr(found, each):
                table[getattr(found, each)] = _neighbours
    cbook = sys.modules.get("matplotlib.cbook")
    if cbook is not None:  # who listens stays with the program
        table[cbook.CallbackRegistry] = lambda value, out: ["callbacks", None, [out.child(value._signals)]]
    spatial = sys.modules.get("scipy.spatial")
    if spatial is not None:
        table[spatial.KDTree] = table[spatial.cKDTree] = _kd_tree
    rotation = sys.modules.get("scipy.spatial.transform")
    if rotation is not None:
        table[rotation.Rotation] = lambda value, out: ["rotation", None, [out.child(value.as_quat())]]
    for kind in _loss_kinds().values():
        table[kind] = _losses
    return table


def _loss_kinds() -> dict[tuple[str, str], type]:
    """Return scikit-learn's compiled losses: they hold a few numbers each."""
    modules = [sys.modules.get(name) for name in ("sklearn._loss._loss", "sklearn.linear_model._sgd_fast")]
    roots = tuple(
        getattr(module, name)
        for module in modules
        for name in ("CyLossFunction", "LossFunction")
        if hasattr(module, name)
    )
    found: dict[tuple[str, str], type] = {}
    for module in modules:
        for kind in vars(module).values() if module is not None else ():
            if isinstance(kind, type) and issubclass(kind, roots) and kind not in roots:
                found[kind.__module__, kind.__qualname__] = kind
    return found


# --- reading ---------------------------------------------------------------------------------------------


def _decode_tree(reader: Any, meta: Any, parts: list, shell: Any) -> Any:
    import numpy
    from sklearn.tree import _tree

    features, outputs, depth = (checked.whole(each, 0, 1 << 31) for each in checked.a_list(meta, 3))
    classes, nodes, values = parts
    an_array(classes, kinds="i", dimensions=1)
    an_array(nodes, dimensions=1)
    an_array(values, kinds="f", dimensions=3)
    count = len(nodes)
    if nodes.dtype != _tree.NODE_DTYPE or values.shape[:2] != (count, outputs) or len(classes) != outputs:
        raise ForbiddenResult("a tree whose parts do not fit each other")
    if not count or not outputs or values.shape[2] != int(classes.max()) or int(classes.min()) < 1:
        raise ForbiddenResult("a tree whose parts do not fit each other")
    places = numpy.arange(count)
    inner = nodes["left_child"] != -1
    for child in (nodes["left_child"][inner], nodes["right_child"][inner]):
        if (child <= places[inner]).any() or (child >= count).any():
            raise ForbiddenResult("a tree that leads nowhere")
    chosen = nodes["feature"][inner]
    if chosen.size and not (int(chosen.min()) >= 0 and int(chosen.max()) < features):
        raise ForbiddenResult("a tree that asks for a feature that is not there")
    tree = _tree.Tree(features, classes.astype(numpy.intp), outputs)
    nodes = numpy.ascontiguousarray(nodes, dtype=_tree.NODE_DTYPE)
    tree.__setstate__(
        {"max_depth": depth, "node_count": count, "nodes": nodes, "values": numpy.ascontiguousarray(values)}
    )
    return tree


def _decode_neighbours(reader: Any, meta: Any, parts: list, shell: Any) -> Any:
    from sklearn import neighbors

    name, leaves, metric, power = checked.a_list(meta, 4)
    kind = getattr(neighbors, checked.one_of(name.removesuffix("64"), ("KDTree", "BallTree")))
    points = an_array(parts[0], kinds="f", dimensions=2)
    settings = {"p": power} if metric == "minkowski" and type(power) is float else {}
    weights = {} if parts[1] is None else {"sample_weight": an_array(parts[1], kinds="f", dimensions=1)}
    return kind(
        points,
        leaf_size=checked.whole(leaves, 1, 1 << 31),
        metric=checked.text(metric),
        **settings,
        **weights,
    )


def _decode_kd_tree(reader: Any, meta: Any, parts: list, shell: Any) -> Any:
    from scipy import spatial

    name, leaves = checked.a_list(meta, 2)
    kind = getattr(spatial, checked.one_of(name, ("KDTree", "cKDTree")))
    points = an_array(parts[0], kinds="f", dimensions=2)
    box = None if parts[1] is None else an_array(parts[1], kinds="f")
    return kind(points, leafsize=checked.whole(leaves, 1, 1 << 31), boxsize=box)


def _decode_rotation(reader: Any, meta: Any, parts: list, shell: Any) -> Any:
    from scipy.spatial.transform import Rotation

    return Rotation.from_quat(an_array(parts[0], kinds="f"))


def _decode_loss(reader: Any, meta: Any, parts: list, shell: Any) -> Any:
    module, name = checked.a_list(meta, 2)
    kind = _loss_kinds().get((checked.text(module), checked.text(name)))
    if kind is None or not all(type(part) in (int, float) for part in parts):
        raise ForbiddenResult(f"a loss of the unknown kind {name!r:.40}")
    reader.belongs = "sklearn"
    return kind(*parts)


def _decode_callbacks(reader: Any, meta: Any, parts: list, shell: Any) -> Any:
    from matplotlib.cbook import CallbackRegistry

    (signals,) = parts
    if signals is not None and not (type(signals) is list and all(type(each) is str for each in signals)):
        raise ForbiddenResult("a registry of no signals")
    return CallbackRegistry(signals=signals)


SHELLS: dict[str, Callable] = {}
DECODERS: dict[str, Callable] = {
    "sklearn tree": _decode_tree,
    "sklearn neighbours": _decode_neighbours,
    "kd tree": _decode_kd_tree,
    "rotation": _decode_rotation,
    "loss": _decode_loss,
    "callbacks": _decode_callbacks,
    **boosters.DECODERS,
    **generators.DECODERS,
}
