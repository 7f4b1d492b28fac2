"""SciPy's distributions: by the name under which `scipy.stats` shows them, and what they are frozen with."""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import Any

from . import checked
from .checked import ForbiddenResult, an_array

__all__ = ["DECODERS", "encode"]


def _named() -> dict[str, Any]:
    from scipy import stats
    from scipy.stats import _distn_infrastructure as infrastructure

    kinds = (infrastructure.rv_generic, *_multivariate())
    return {name: value for name, value in vars(stats).items() if isinstance(value, kinds)}


def _multivariate() -> tuple[type, ...]:
    module = sys.modules.get("scipy.stats._multivariate")
    return (module.multi_rv_generic,) if module is not None else ()


def encode(value: Any, out: Any) -> list | None:
    """Return the node of a distribution of SciPy's, None for anything else."""
    infrastructure = sys.modules.get("scipy.stats._distn_infrastructure")
    if infrastructure is None:
        return None
    if isinstance(value, infrastructure.rv_frozen) and value.dist.name in _named():
        return ["frozen", value.dist.name, out.children([tuple(value.args), dict(value.kwds)])]
    if isinstance(value, infrastructure.rv_generic):
        for name, named in _named().items():
            if type(named) is type(value) and getattr(value, "name", None) == name:
                return ["distribution", name, []]
    return _of_data(value, out)


def _of_data(value: Any, out: Any) -> list | None:
    """Return the node of a distribution that is made of data, None for anything else."""
    from scipy import stats

    if isinstance(value, stats.rv_discrete) and type(value) is type(stats.rv_discrete(values=((0,), (1,)))):
        return ["discrete", value.name, out.children(map(_numbers, (value.xk, value.pk)))]
    if type(value) is stats.rv_histogram:
        return ["histogram", getattr(value, "_density", None), out.children(map(_numbers, value._histogram))]
    if type(value) is stats.gaussian_kde:
        return ["density", float(value.factor), out.children([value.dataset, value.weights])]
    return None


def _numbers(values: Any) -> Any:
    import numpy

    return numpy.asarray(values)


def _decode_histogram(reader: Any, meta: Any, parts: list, shell: Any) -> Any:
    from scipy import stats

    counts, edges = (an_array(part, kinds="iuf", dimensions=1) for part in parts)
    settings = {} if meta is None else {"density": checked.truth(meta)}
    return stats.rv_histogram((counts, edges), **settings)


def _decode_discrete(reader: Any, meta: Any, parts: list, shell: Any) -> Any:
    from scipy import stats

    places, chances = (an_array(part, kinds="iuf") for part in parts)
    name = None if meta is None else checked.text(meta)
    if name is not None and not name.isidentifier():
        raise ForbiddenResult("a distribution by no name")
    return stats.rv_discrete(name=name, values=(places, chances))


def _decode_density(reader: Any, meta: Any, parts: list, shell: Any) -> Any:
    from scipy import stats

    points, weights = (
        an_array(parts[0], kinds="iuf", dimensions=2),
        an_array(parts[1], kinds="f", dimensions=1),
    )
    if type(meta) is not float:
        raise ForbiddenResult("a density of no width")
    return stats.gaussian_kde(points, bw_method=meta, weights=weights)


def _decode(reader: Any, meta: Any, parts: list, shell: Any) -> Any:
    named = _named()
    return named[checked.one_of(meta, named)]


def _decode_frozen(reader: Any, meta: Any, parts: list, shell: Any) -> Any:
    import numpy

    arguments, settings = parts
    if type(arguments) is not tuple or type(settings) is not dict:
        raise ForbiddenResult("a distribution frozen with nothing")
    for value in (*arguments, *settings.values()):
        if not isinstance(value, (bool, int, float, numpy.generic)) and type(value) not in (
            list,
            numpy.ndarray,
        ):
            raise ForbiddenResult(f"a distribution frozen with a {type(value).__name__}")
    return _decode(reader, meta, [], None)(*arguments, **settings)


DECODERS: dict[str, Callable] = {
    "distribution": _decode,
    "frozen": _decode_frozen,
    "histogram": _decode_histogram,
    "discrete": _decode_discrete,
    "density": _decode_density,
}
