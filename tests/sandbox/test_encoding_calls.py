"""A callable that a value shows as an attribute is no method of another name."""

from __future__ import annotations

import collections
from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd
import pytest

from workbench.sandbox.inside.encoding import ForbiddenResult, decode, encode, frame

torch = pytest.importorskip("torch")
optimize = pytest.importorskip("scipy.optimize")
interpolate = pytest.importorskip("scipy.interpolate")


def _row(**fields: Any) -> Any:
    return collections.namedtuple("Row", fields)(**fields)  # type: ignore[misc]


def _with(made: Any, name: str, value: Any) -> Any:
    made.__dict__[name] = value
    return made


def _module(place: str, name: str, value: Any) -> Any:
    module = torch.nn.Linear(1, 1)
    getattr(module, place)[name] = value
    return module


_SPLINE = ([0, 1], [0, 0])
TAKEN = {
    "a field": lambda: _row(equals=np.size),
    "a field that is a class": lambda: _row(equals=str),
    "a name that is part of the function's": lambda: _row(ne=np.isneginf),
    "a name that the class ends with": lambda: _row(ne=interpolate.CubicSpline(*_SPLINE)),
    "a label": lambda: pd.Series({"strip": np.size}),
    "a record": lambda: np.rec.array([(np.size,)], dtype=[("equals", "O")])[0],
    "records": lambda: np.rec.array([(np.size,)], dtype=[("equals", "O")]),
    "an item": lambda: optimize.OptimizeResult(equals=np.size),
    "an entry": lambda: {"equals": np.size},
    "an ordered entry": lambda: collections.OrderedDict(equals=np.size),
    "an attribute": lambda: _with(interpolate.PPoly([[1.0]], [0.0, 1.0]), "equals", np.size),
    "a buffer": lambda: _module("_buffers", "equal", np.size),
    "a part": lambda: _module("_modules", "equal", torch.nn.LSTM(2, 1)),
}


@pytest.mark.parametrize("make", TAKEN.values(), ids=TAKEN.keys())
def test_a_callable_by_the_name_of_another_method_is_refused(make: Callable[[], Any]):
    with pytest.raises(ForbiddenResult, match="would call something else in the place of"):
        decode(encode([make()]))


def test_a_name_that_a_module_gives_itself_does_not_count():
    part = _module("_buffers", "__name__", "equal")
    with pytest.raises(ForbiddenResult):
        decode(encode(_module("_modules", "equal", part)))


OWN = {
    "a function under its own name": lambda: {"mean": np.mean, "size": np.size},
    "a function that is no method": lambda: {"my_loss": np.size, "Equals": np.size},
    "a module under a word of its class": lambda: torch.nn.Sequential(
        collections.OrderedDict(relu=torch.nn.ReLU(), norm=torch.nn.LayerNorm(2), first=torch.nn.Linear(2, 2))
    ),
    "what a solver found": lambda: optimize.OptimizeResult(sol=interpolate.CubicSpline(*_SPLINE), fun=1.0),
    "data under the name of a method": lambda: _row(equals=7, count=2, mean=np.ones(2)),
    "classes in a series": lambda: pd.Series([int, str]),
}


@pytest.mark.parametrize("make", OWN.values(), ids=OWN.keys())
def test_what_is_called_so_comes_back(make: Callable[[], Any]):
    decode(encode(make()))


@pytest.mark.parametrize(
    ("module", "name"), [("pandas", "DataFrame"), ("pandas", "Series"), ("pandas", "Index")]
)
def test_what_has_an_encoding_of_its_own_comes_by_that_alone(module: str, name: str):
    message = frame.pack([0], [["object", [module, name, ["_mgr"]], [None]]], ())
    with pytest.raises(ForbiddenResult, match=r"another form than its own|may not leave"):
        decode(message)
