"""Values of every honest kind keep what they are through the encoding: type, values, labels, behaviour."""

from __future__ import annotations

import collections
import datetime
import decimal
import fractions
import zoneinfo
from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd
import pytest

from workbench.sandbox.inside.encoding import decode, encode

_DTYPES = """
? i1 u1 i2 u2 i4 u4 i8 u8 f2 f4 f8 g c8 c16 M8[D] M8[ns] m8[s] S5 U5 >f8 >i4
"""


@pytest.mark.parametrize("dtype", _DTYPES.split())
def test_arrays(dtype: str):
    for array in (
        np.zeros((2, 3), dtype),
        np.asfortranarray(np.ones((2, 2), "i1").astype(dtype)),
        np.zeros((), dtype),
    ):
        back = decode(encode(array))
        assert back.dtype == array.dtype
        np.testing.assert_array_equal(back, array)
    scalar = np.zeros(1, dtype)[0]
    assert type(decode(encode(scalar))) is type(scalar)


ARRAYS = {
    "objects": lambda: np.array([1, "a", None, [2]], dtype=object),
    "objects in a matrix": lambda: np.array([[1, "a"], [None, 2.5]], dtype=object),
    "arrays in an array": lambda: np.array([np.arange(2), np.arange(3)], dtype=object),
    "structured": lambda: np.array([(1, 2.5)], dtype=[("a", "i4"), ("b", "f8")]),
    "records": lambda: np.rec.array([(1, "x")], names="a,b"),
    "masked": lambda: np.ma.array([1, 2, 3], mask=[False, True, False]),
    "matrix": lambda: np.matrix([[1, 2]]),
    "empty": lambda: np.empty((0, 3)),
    "every other": lambda: np.eye(4)[::2, ::2],
}


@pytest.mark.parametrize("make", ARRAYS.values(), ids=ARRAYS.keys())
def test_arrays_of_other_kinds(make: Callable[[], Any]):
    array = make()
    back = decode(encode(array))
    assert (type(back), back.dtype, back.shape) == (type(array), array.dtype, array.shape)
    assert str(back) == str(array)


INDEXES = {
    "numbers": lambda: pd.Index([1.5, 2]),
    "texts": lambda: pd.Index(["a", "b"]),
    "truths": lambda: pd.Index([True, False]),
    "mixed": lambda: pd.Index([1, "a"], dtype=object),
    "range": lambda: pd.RangeIndex(1, 7, 3),
    "dates": lambda: pd.date_range("2024", periods=2, freq="D"),
    "dates of UTC": lambda: pd.date_range("2024", periods=2, tz="UTC"),
    "dates of a zone": lambda: pd.date_range("2024", periods=2, tz="Europe/Berlin"),
    "dates of an offset": lambda: pd.to_datetime(pd.Index(["2024-01-01T00:00:00+02:00"])),
    "periods": lambda: pd.period_range("2024", periods=2, freq="M"),
    "differences": lambda: pd.to_timedelta(["1D", "2h"]),
    "intervals": lambda: pd.interval_range(0, 2),
    "categories": lambda: pd.CategoricalIndex(["a", "b", "a"]),
    "levels": lambda: pd.MultiIndex.from_product([[1, 2], ["a", "b"]], names=["x", "y"]),
}


@pytest.mark.parametrize("make", INDEXES.values(), ids=INDEXES.keys())
def test_indexes(make: Callable[[], pd.Index]):
    index = make()
    pd.testing.assert_index_equal(decode(encode(index)), index)
    frame = pd.DataFrame({"a": range(len(index))}, index=index)
    pd.testing.assert_frame_equal(decode(encode(frame)), frame)
    pd.testing.assert_frame_equal(decode(encode(frame.T)), frame.T)


_EXTENSIONS = """
Int8 Int16 Int32 Int64 UInt8 UInt64 Float32 Float64 boolean string category object
"""


@pytest.mark.parametrize("dtype", _EXTENSIONS.split())
def test_series_with_gaps(dtype: str):
    series = pd.Series(["a", None] if dtype in ("string", "category", "object") else [1, None], dtype=dtype)
    pd.testing.assert_series_equal(decode(encode(series)), series)


VALUES = {
    "timestamp": lambda: pd.Timestamp("2024-05-01 12:00"),
    "timestamp of a zone": lambda: pd.Timestamp("2024-05-01", tz="US/Eastern"),
    "timedelta": lambda: pd.Timedelta("1D"),
    "period": lambda: pd.Period("2024-05"),
    "interval": lambda: pd.Interval(0, 1),
    "offset": lambda: pd.offsets.BusinessDay(2),
    "ordered": lambda: collections.OrderedDict(b=1, a=2),
    "counter": lambda: collections.Counter("aab"),
    "deque": lambda: collections.deque([1, 2], 3),
    "decimal": lambda: decimal.Decimal("1.50"),
    "fraction": lambda: fractions.Fraction(1, 3),
    "datetime": lambda: datetime.datetime(2024, 5, 1, tzinfo=datetime.timezone.utc),  # noqa: UP017
    "zone": lambda: zoneinfo.ZoneInfo("Europe/Berlin"),
    "sets": lambda: [{1, 2}, frozenset([3])],
    "slice": lambda: slice(1, None, 2),
    "complex": lambda: 1 + 2j,
    "classes": lambda: [int, str, np.float64, pd.DataFrame],
    "ellipsis": lambda: [..., NotImplemented],
}


@pytest.mark.parametrize("make", VALUES.values(), ids=VALUES.keys())
def test_values(make: Callable[[], Any]):
    value = make()
    back = decode(encode(value))
    assert type(back) is type(value)
    assert back == value


def test_missing_values_keep_their_identity():
    assert decode(encode(pd.NaT)) is pd.NaT
    assert decode(encode(pd.NA)) is pd.NA


def test_default_dictionary_keeps_its_factory():
    back = decode(encode(collections.defaultdict(list, a=[1])))
    assert (back["a"], back["b"]) == ([1], [])


TORCH_DTYPES = [
    "uint8",
    "int8",
    "int16",
    "int32",
    "int64",
    "bool",
    "float16",
    "bfloat16",
    "float32",
    "float64",
    "complex64",
    "complex128",
]


@pytest.mark.parametrize("dtype", TORCH_DTYPES)
def test_tensors(dtype: str):
    import torch

    tensor = torch.tensor([[0, 1], [1, 0]]).to(getattr(torch, dtype))
    for value in (tensor, tensor.T, tensor[:, 1], tensor[0, 0]):
        back = decode(encode(value))
        assert back.dtype == value.dtype
        torch.testing.assert_close(back, value, rtol=0, atol=0)


def test_tensors_of_other_kinds():
    import torch

    leaf = decode(encode(torch.ones(2, requires_grad=True)))
    assert leaf.requires_grad
    assert isinstance(decode(encode(torch.nn.Parameter(torch.ones(2)))), torch.nn.Parameter)
    sparse = decode(encode(torch.eye(3).to_sparse()))
    assert sparse.is_sparse
    torch.testing.assert_close(sparse.to_dense(), torch.eye(3))
    conjugate = torch.tensor([1 + 2j]).conj()
    torch.testing.assert_close(decode(encode(conjugate)), conjugate.resolve_conj())
    values, indices = decode(encode(torch.tensor([[1.0, 3.0]]).max(1)))
    assert (values.item(), indices.item()) == (3.0, 1)
    module = torch.nn.Sequential(torch.nn.Linear(2, 3), torch.nn.ReLU(), torch.nn.BatchNorm1d(3)).eval()
    torch.testing.assert_close(decode(encode(module))(torch.ones(1, 2)), module(torch.ones(1, 2)))


def _estimators() -> dict[str, Callable[[], Any]]:
    from sklearn import (
        cluster,
        ensemble,
        linear_model,
        model_selection,
        neighbors,
        neural_network,
        pipeline,
        preprocessing,
        svm,
        tree,
    )

    return {
        "linear": linear_model.LinearRegression,
        "logistic": linear_model.LogisticRegression,
        "gradient descent": linear_model.SGDClassifier,
        "tree": tree.DecisionTreeClassifier,
        "forest": lambda: ensemble.RandomForestClassifier(n_estimators=3),
        "boosting": lambda: ensemble.GradientBoostingClassifier(n_estimators=3),
        "histograms": lambda: ensemble.HistGradientBoostingClassifier(max_iter=3),
        "vectors": svm.SVC,
        "neighbours": lambda: neighbors.KNeighborsClassifier(algorithm="kd_tree"),
        "network": lambda: neural_network.MLPClassifier(max_iter=3, early_stopping=True, n_iter_no_change=1),
        "clusters": lambda: cluster.KMeans(2, n_init=1),
        "pipeline": lambda: pipeline.make_pipeline(preprocessing.StandardScaler(), svm.SVC()),
        "search": lambda: model_selection.GridSearchCV(svm.SVC(), {"C": [1, 2]}, cv=2),
    }


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("name", list(_estimators()))
def test_fitted_estimators(name: str):
    generator = np.random.default_rng(0)
    inputs, labels = generator.normal(size=(24, 3)), np.arange(24) % 2
    estimator = _estimators()[name]().fit(inputs, labels)
    back = decode(encode(estimator))
    np.testing.assert_array_equal(back.predict(inputs), estimator.predict(inputs))


SCIPY = {
    "sparse": lambda: __import__("scipy.sparse", fromlist=["x"]).csr_matrix(np.eye(3)),
    "regression": lambda: __import__("scipy.stats", fromlist=["x"]).linregress([1, 2, 3], [2, 4, 7]),
    "correlation": lambda: __import__("scipy.stats", fromlist=["x"]).pearsonr([1, 2, 3], [2, 4, 7]),
    "optimum": lambda: __import__("scipy.optimize", fromlist=["x"]).minimize(
        lambda x: (x[0] - 1) ** 2, [0.0]
    ),
    "solution": lambda: __import__("scipy.integrate", fromlist=["x"]).solve_ivp(
        lambda _, y: -y, (0, 1), [1.0]
    ),
    "hull": lambda: __import__("scipy.spatial", fromlist=["x"]).ConvexHull([[0, 0], [1, 0], [0, 1.0]]),
    "density": lambda: __import__("scipy.stats", fromlist=["x"]).gaussian_kde([1.0, 2, 4]),
    "spline": lambda: __import__("scipy.interpolate", fromlist=["x"]).CubicSpline([0, 1, 2], [0, 1, 4]),
    "interpolation": lambda: __import__("scipy.interpolate", fromlist=["x"]).interp1d([0, 1, 2], [0, 1, 4]),
    "t test": lambda: __import__("scipy.stats", fromlist=["x"]).ttest_ind([1.0, 2, 3], [2.0, 4, 7]),
}


@pytest.mark.parametrize("make", SCIPY.values(), ids=SCIPY.keys())
def test_scipy_results(make: Callable[[], Any]):
    value = make()
    back = decode(encode(value))
    assert type(back) is type(value)
