"""Objects whose state lies outside Python, made anew from checked data: trees, generators, rotations, images."""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import Any

from . import boosters, checked
from .arrays import an_array
from .checked import ForbiddenResult

__all__ = ["DECODERS", "SHELLS", "encode_image", "encoders"]

_MODES = frozenset("1 L LA La P PA RGB RGBA RGBa RGBX CMYK YCbCr LAB HSV I F I;16".split())
_BIT_GENERATORS = ("MT19937", "PCG64", "PCG64DXSM", "Philox", "SFC64")


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


def _generator(tag: str) -> Callable:
    def encode(value: Any, out: Any) -> list:
        bits = value.bit_generator if tag == "generator" else value
        return [tag, None, [out.child(bits.state)]]

    return encode


def _random_state(value: Any, out: Any) -> list:
    return ["random state", None, [out.child(value.get_state(legacy=False))]]


def _losses(value: Any, out: Any) -> list:
    kind = type(value)
    made_by, arguments = value.__reduce__()[:2]
    numbers = arguments if made_by is kind else (arguments[-1] or ())  # else Cython's own: class, sum, state
    return ["loss", [kind.__module__, kind.__qualname__], out.children(numbers)]


def encode_image(value: Any, out: Any) -> list | None:
    """Return the node of an image of Pillow's, read from a file or not, None for anything else."""
    pillow = sys.modules.get("PIL.Image")
    if pillow is None or not hasattr(pillow, "Image") or not isinstance(value, pillow.Image):
        return None
    data = value.tobytes()  # loads what lies in a file yet
    palette = value.getpalette("RGBA") if value.mode in ("P", "PA") else None
    meta = [value.mode, list(value.size), out.buffer(data), palette, type(value) is pillow.Image]
    return ["image", meta, []]


def encoders() -> dict[type, Callable]:
    """Return the encoders of what the loaded libraries define."""
    table: dict[type, Callable] = dict(boosters.encoders())
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
    random = sys.modules.get("numpy.random")
    if random is not None:
        table[random.Generator] = _generator("generator")
        table[random.RandomState] = _random_state
        table.update({getattr(random, name): _generator("bits") for name in _BIT_GENERATORS})
    torch = sys.modules.get("torch")
    if torch is not None and hasattr(torch, "Generator"):
        table[torch.Generator] = lambda value, out: ["torch generator", None, [out.child(value.get_state())]]
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


def _bits(state: Any) -> Any:
    """Make a bit generator from its state, whose numbers its own code takes for granted."""
    import numpy

    if type(state) is not dict:
        raise ForbiddenResult("a random generator without a state")
    name = checked.one_of(state.get("bit_generator"), _BIT_GENERATORS)
    inner = state.get("state")
    if type(inner) is not dict:
        raise ForbiddenResult("a random generator without a state")
    if name == "MT19937":
        key = an_array(inner.get("key"), kinds="u", dimensions=1)
        if len(key) != 624 or key.dtype.itemsize != 4:
            raise ForbiddenResult("a random generator with another key than its own")
        checked.whole(inner.get("pos"), 0, 624)
    elif name == "Philox":
        checked.whole(state.get("buffer_pos"), 0, 4)
        sizes = {"counter": (inner, 4), "key": (inner, 2), "buffer": (state, 4)}
        if any(
            an_array(where.get(each), kinds="u").shape != (size,) for each, (where, size) in sizes.items()
        ):
            raise ForbiddenResult("a random generator with another key than its own")
    made = getattr(numpy.random, name)(0)
    made.state = state
    return made


def _decode_generator(reader: Any, meta: Any, parts: list, shell: Any) -> Any:
    import numpy

    return numpy.random.Generator(_bits(parts[0]))


def _decode_random_state(reader: Any, meta: Any, parts: list, shell: Any) -> Any:
    import numpy

    state = dict(parts[0]) if type(parts[0]) is dict else None
    _bits(state)
    if state is None or state["bit_generator"] != "MT19937":
        raise ForbiddenResult("a random generator without a state")
    made = numpy.random.RandomState(0)
    made.set_state({**state, "has_gauss": checked.whole(state.get("has_gauss"), 0, 1)})
    return made


def _decode_torch_generator(reader: Any, meta: Any, parts: list, shell: Any) -> Any:
    import torch

    made = torch.Generator()
    state = parts[0]
    if type(state) is not torch.Tensor or state.dtype != torch.uint8 or state.shape != made.get_state().shape:
        raise ForbiddenResult("a random generator with another state than its own")
    return made.set_state(state)


def _decode_loss(reader: Any, meta: Any, parts: list, shell: Any) -> Any:
    module, name = checked.a_list(meta, 2)
    kind = _loss_kinds().get((checked.text(module), checked.text(name)))
    if kind is None or not all(type(part) in (int, float) for part in parts):
        raise ForbiddenResult(f"a loss of the unknown kind {name!r:.40}")
    reader.belongs = "sklearn"
    return kind(*parts)


def _decode_image(reader: Any, meta: Any, parts: list, shell: Any) -> Any:
    mode, size, buffer, palette, exact = checked.a_list(meta, 5)
    reader.find_class("PIL.Image", "Image")
    from PIL import Image

    width, height = checked.shape(checked.a_list(size, 2))
    data = reader.buffer(buffer)
    if width * height > 8 * max(len(data), 1):  # at least a bit a pixel
        raise ForbiddenResult("an image of fewer bytes than pixels")
    image = Image.frombytes(checked.one_of(mode, _MODES), (width, height), bytes(data))
    if palette is not None:
        if mode not in ("P", "PA"):
            raise ForbiddenResult("an image with a palette that it has no use for")
        image.putpalette([checked.whole(each, 0, 255) for each in checked.a_list(palette)], "RGBA")
    reader.changed |= not checked.truth(exact)
    return image


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
    "generator": _decode_generator,
    "bits": lambda reader, meta, parts, shell: _bits(parts[0]),
    "random state": _decode_random_state,
    "torch generator": _decode_torch_generator,
    "loss": _decode_loss,
    "callbacks": _decode_callbacks,
    "image": _decode_image,
    **boosters.DECODERS,
}
