"""Objects whose arrays are read by compiled code that takes them for granted: they must fit each other."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from .checked import ForbiddenResult, an_array

__all__ = ["check"]


def check(made: Any, kind: type) -> None:
    """Look an object over, where its class or one that it derives from is known to need it.

    Raises:
        ForbiddenResult: where its parts do not fit each other.
    """
    for owner in kind.__mro__:
        sound = _SOUND.get((owner.__module__.partition(".")[0], owner.__qualname__))
        if sound is not None and not sound(made, vars(made)):
            raise ForbiddenResult(f"a {kind.__name__} whose parts do not fit each other")


def _within(indices: Any, low: int, high: int) -> bool:
    an_array(indices, kinds="iu")
    return not indices.size or (low <= int(indices.min()) and int(indices.max()) < high)


def _vectors(made: Any, state: dict) -> bool:
    """libsvm: as many support vectors, coefficients and counts as belong together."""
    if "support_vectors_" not in state:
        return True
    counts, support = an_array(state["_n_support"], dimensions=1), an_array(state["support_"], dimensions=1)
    vectors, coefficients = state["support_vectors_"], state["_dual_coef_"]
    total, classes = len(support), max(len(counts), 2)
    rows = vectors.shape[0]
    pairs = classes * (classes - 1) // 2
    return (
        (rows in (total, 0))  # a precomputed kernel has none
        and bool((counts >= 0).all())
        and (int(counts.sum()) == total or (len(counts) == 2 and int(counts[0]) in (total, 0)))
        and coefficients.shape[1] == total
        and coefficients.shape[0] in (1, classes - 1)
        and len(state["_intercept_"]) in (1, pairs)
        and all(len(state.get(name, ())) in (0, pairs) for name in ("_probA", "_probB"))
    )


def _predictor(made: Any, state: dict) -> bool:
    """Trees of histograms: nodes that lead forward, to nodes that are there."""
    nodes = an_array(state["nodes"], dimensions=1)
    inner = nodes[nodes["is_leaf"] == 0]
    bits = an_array(state["raw_left_cat_bitsets"])
    return bool(
        len(nodes)
        and _within(inner["left"], 1, len(nodes))
        and _within(inner["right"], 1, len(nodes))
        and (inner["left"] > nodes.nonzero()[0][nodes["is_leaf"] == 0]).all()
        and (
            not inner["is_categorical"].any()
            or _within(inner["bitset_idx"][inner["is_categorical"] != 0], 0, len(bits))
        )
    )


def _triangles(made: Any, state: dict) -> bool:
    """Delaunay: corners and neighbours that are there."""
    corners, neighbours = (
        an_array(state["simplices"], dimensions=2),
        an_array(state["neighbors"], dimensions=2),
    )
    points = an_array(state["_points"], kinds="f", dimensions=2)
    equations = an_array(state["equations"], kinds="f", dimensions=2)
    return (
        corners.shape == neighbours.shape
        and corners.shape[1] == points.shape[1] + 1
        and equations.shape == (len(corners), points.shape[1] + 2)
        and _within(corners, 0, len(points))
        and _within(neighbours, -1, len(corners))
    )


def _spline(made: Any, state: dict) -> bool:
    knots, coefficients = an_array(made.t, dimensions=1), an_array(made.c)
    degree = made.k
    return int(degree) >= 0 and len(knots) >= coefficients.shape[0] + int(degree) + 1


def _no_hooks(made: Any, state: dict) -> bool:
    """PyTorch: what is called beside a module's or an optimizer's own work is not there."""
    return all(
        len(value) == 0 for name, value in state.items() if "_hooks" in name and hasattr(value, "__len__")
    )


_SOUND: dict[tuple[str, str], Callable[[Any, dict], bool]] = {
    ("sklearn", "BaseLibSVM"): _vectors,
    ("sklearn", "TreePredictor"): _predictor,
    ("scipy", "Delaunay"): _triangles,
    ("scipy", "BSpline"): _spline,
    ("torch", "Module"): _no_hooks,
    ("torch", "Optimizer"): _no_hooks,
}
