"""Objects with behaviour come back and behave as before: estimators, modules, optimizers, distributions, splines."""

from __future__ import annotations

import collections
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from workbench.sandbox.inside.encoding import ForbiddenResult, decode, encode

pytestmark = pytest.mark.filterwarnings("ignore")

X = np.random.default_rng(0).random((30, 3))
LABELS = (X[:, 0] > 0.5).astype(int)
TARGETS = X @ [1.0, 2.0, 3.0]


def back(value: Any) -> Any:
    made = decode(encode(value))
    assert type(made) is type(value)
    return made


# --- scikit-learn -------------------------------------------------------------------------------------------


def _estimators() -> list[str]:
    discovery = pytest.importorskip("sklearn.utils.discovery", reason="the main runtime has scikit-learn")
    names = [name for name, kind in discovery.all_estimators() if _plain(kind)]
    assert len(names) > 100
    return names


def _plain(kind: type) -> bool:
    """Whether an estimator can be made without arguments and fitted on numbers."""
    import inspect

    needed = [each for each in inspect.signature(kind).parameters.values() if each.default is each.empty]
    return not needed


_OUTSIDE = {"BisectingKMeans"}  # keeps a private function of its module


@pytest.mark.parametrize("name", _estimators())
def test_every_estimator_that_fits_comes_back(name: str):
    from sklearn.utils.discovery import all_estimators

    estimator = dict(all_estimators())[name]()
    for arguments in ((X, LABELS), (X, TARGETS), (X,), (LABELS,)):
        try:
            estimator.fit(*arguments)
            break
        except Exception:  # another kind of estimator
            continue
    if name in _OUTSIDE:
        with pytest.raises(ForbiddenResult, match="may not leave"):
            back(estimator)
        return
    made = back(estimator)
    for method in ("predict", "transform"):
        if hasattr(estimator, method):
            try:
                expected = getattr(estimator, method)(X)
            except Exception:  # not for these inputs
                continue
            got = getattr(made, method)(X)
            if hasattr(expected, "toarray"):
                expected, got = expected.toarray(), got.toarray()
            np.testing.assert_allclose(np.asarray(got, float), np.asarray(expected, float))


def test_composed_estimators_come_back():
    from sklearn.compose import ColumnTransformer
    from sklearn.ensemble import StackingClassifier, VotingClassifier
    from sklearn.model_selection import GridSearchCV
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import FunctionTransformer, StandardScaler
    from sklearn.svm import SVC
    from sklearn.tree import DecisionTreeClassifier

    columns = ColumnTransformer([("a", StandardScaler(), [0, 1]), ("b", FunctionTransformer(np.log1p), [2])])
    inner = [("svc", SVC()), ("tree", DecisionTreeClassifier())]
    for estimator in (
        make_pipeline(columns, SVC()),
        GridSearchCV(SVC(), {"C": [1, 2]}, scoring="f1"),
        VotingClassifier(inner),
        StackingClassifier(inner),
    ):
        estimator.fit(X, LABELS)
        made = back(estimator)
        np.testing.assert_array_equal(made.predict(X), estimator.predict(X))
        assert made.score(X, LABELS) == estimator.score(X, LABELS)


# --- PyTorch ------------------------------------------------------------------------------------------------


def _modules() -> dict[str, Callable[[], Any]]:
    nn = pytest.importorskip("torch").nn
    return {
        "linear": lambda: (nn.Linear(4, 2), 4),
        "sequence": lambda: (nn.Sequential(nn.Linear(4, 3), nn.ReLU(), nn.BatchNorm1d(3), nn.Dropout()), 4),
        "recurrent": lambda: (nn.LSTM(4, 3, 2), 4),
        "gated": lambda: (nn.GRU(4, 3), 4),
        "attention": lambda: (nn.TransformerEncoderLayer(4, 2), 4),
        "norm": lambda: (nn.LayerNorm(4), 4),
    }


@pytest.mark.parametrize("make", _modules().values(), ids=_modules().keys())
def test_modules_come_back(make: Callable[[], Any]):
    import torch

    module, width = make()
    module.eval()
    inputs = torch.rand(5, width)
    expected, got = module(inputs), back(module)(inputs)
    for one, other in zip(_tensors(got), _tensors(expected), strict=True):
        assert torch.equal(one, other)
    assert list(back(module.state_dict())) == list(module.state_dict())


def _tensors(value: Any) -> Iterator[Any]:
    if isinstance(value, tuple):
        for each in value:
            yield from _tensors(each)
    else:
        yield value


OPTIMIZERS = ["SGD", "Adam", "AdamW", "RMSprop", "Adagrad", "Adadelta", "NAdam", "Adamax", "LBFGS"]


@pytest.mark.parametrize("name", OPTIMIZERS)
def test_optimizers_come_back_with_their_state(name: str):
    import torch

    module = torch.nn.Linear(3, 1)
    optimizer = getattr(torch.optim, name)(module.parameters(), lr=0.1)
    inputs = torch.ones(4, 3)

    def step(model: Any, chosen: Any) -> Any:
        def loss() -> Any:
            chosen.zero_grad()
            value = model(inputs).square().sum()
            value.backward()
            return value

        chosen.step(loss)
        return model.weight.detach().clone()

    step(module, optimizer)
    other, made = back((module, optimizer))
    assert made.param_groups[0]["lr"] == 0.1
    assert made.param_groups[0]["params"][0] is other.weight
    assert torch.equal(step(other, made), step(module, optimizer))


SCHEDULERS: dict[str, dict[str, Any]] = {
    "StepLR": {"step_size": 1},
    "MultiStepLR": {"milestones": [1, 2]},
    "ExponentialLR": {"gamma": 0.9},
    "CosineAnnealingLR": {"T_max": 5},
    "CyclicLR": {"base_lr": 0.1, "max_lr": 0.2},
    "OneCycleLR": {"max_lr": 0.1, "total_steps": 10},
    "LinearLR": {},
    "ReduceLROnPlateau": {"patience": 0},
}


@pytest.mark.parametrize("name", SCHEDULERS)
def test_schedulers_come_back(name: str):
    import torch

    optimizer = torch.optim.SGD([torch.nn.Parameter(torch.ones(1))], lr=1.0, momentum=0.9)
    scheduler = getattr(torch.optim.lr_scheduler, name)(optimizer, **SCHEDULERS[name])
    made = back(scheduler)
    for _ in range(3):
        for each in (scheduler, made):
            each.optimizer.step()
            each.step(*([1.0] if name == "ReduceLROnPlateau" else []))
    assert made.get_last_lr() == scheduler.get_last_lr()


def test_torch_distributions_come_back():
    import torch
    from torch import distributions as laws

    value = torch.tensor([0.5, 1.0])
    for law in (
        laws.Normal(torch.zeros(2), 1.0),
        laws.Gamma(torch.ones(2), 2.0),
        laws.LogNormal(torch.zeros(2), 1.0),
        laws.Independent(laws.Normal(torch.zeros(2), torch.ones(2)), 1),
        laws.MultivariateNormal(torch.zeros(2), torch.eye(2)),
    ):
        assert torch.equal(back(law).log_prob(value), law.log_prob(value))
    assert torch.equal(back(laws.Categorical(torch.tensor([0.25, 0.75]))).probs, torch.tensor([0.25, 0.75]))
    assert torch.equal(
        back(torch.Generator().manual_seed(3)).get_state(), torch.Generator().manual_seed(3).get_state()
    )


# --- SciPy --------------------------------------------------------------------------------------------------

LAWS = {
    "norm": (1.0, 2.0),
    "gamma": (2.0,),
    "beta": (1.0, 2.0),
    "poisson": (3.0,),
    "binom": (5, 0.5),
    "t": (3,),
}


@pytest.mark.parametrize("name", LAWS)
def test_frozen_distributions_come_back(name: str):
    stats = pytest.importorskip("scipy.stats")
    law = getattr(stats, name)(*LAWS[name])
    assert back(law).cdf(0.7) == law.cdf(0.7)
    assert decode(encode(getattr(stats, name))) is getattr(stats, name)


def _curves() -> dict[str, Callable[[], Any]]:
    made = pytest.importorskip("scipy.interpolate")
    points, values = np.arange(6.0), np.array([0.0, 1, 4, 9, 16, 25])
    return {
        "cubic": lambda: made.CubicSpline(points, values),
        "monotone": lambda: made.PchipInterpolator(points, values),
        "akima": lambda: made.Akima1DInterpolator(points, values),
        "linear": lambda: made.interp1d(points, values),
        "by name": lambda: made.interp1d(points, values, kind="cubic"),
        "smoothed": lambda: made.UnivariateSpline(points, values),
        "basis": lambda: made.make_interp_spline(points, values),
        "pieces": lambda: made.PPoly([[1.0], [2.0]], [0.0, 5.0]),
        "barycentric": lambda: made.BarycentricInterpolator(points, values),
    }


@pytest.mark.parametrize("make", _curves().values(), ids=_curves().keys())
def test_curves_come_back(make: Callable[[], Any]):
    curve = make()
    np.testing.assert_array_equal(back(curve)([0.5, 3.25]), curve([0.5, 3.25]))


def test_spatial_objects_come_back():
    spatial = pytest.importorskip("scipy.spatial")
    flat = X[:, :2]
    for kind in (spatial.KDTree, spatial.cKDTree):
        np.testing.assert_array_equal(back(kind(X)).query(X[:3], 2)[1], kind(X).query(X[:3], 2)[1])
    np.testing.assert_array_equal(back(spatial.ConvexHull(flat)).vertices, spatial.ConvexHull(flat).vertices)
    whole = spatial.Delaunay(flat)
    np.testing.assert_array_equal(back(whole).find_simplex(flat), whole.find_simplex(flat))
    turn = spatial.transform.Rotation.from_euler("z", 90, degrees=True)
    np.testing.assert_allclose(back(turn).apply([1, 0, 0]), [0, 1, 0], atol=1e-12)


def test_results_of_scipy_come_back():
    stats, optimize = pytest.importorskip("scipy.stats"), pytest.importorskip("scipy.optimize")
    integrate = pytest.importorskip("scipy.integrate")
    one, other = X[:, 0], X[:, 1]
    for result in (
        stats.ttest_ind(one, other),
        stats.linregress(one, other),
        stats.pearsonr(one, other),
        stats.mannwhitneyu(one, other),
        stats.chi2_contingency([[1, 2], [3, 4]]),
        stats.tukey_hsd(one, other),
        stats.binomtest(3, 5),
        stats.describe(one),
    ):
        made = back(result)
        for name in ("pvalue", "statistic", "slope", "mean"):
            if hasattr(result, name):
                np.testing.assert_array_equal(getattr(made, name), getattr(result, name))
    assert back(optimize.minimize(lambda x: (x[0] - 1) ** 2, [0.0])).success
    assert back(optimize.linprog([1], A_ub=[[-1]], b_ub=[-1])).x == [1.0]
    solved = integrate.solve_ivp(lambda _, y: -y, (0, 1), [1.0], dense_output=True)
    np.testing.assert_array_equal(back(solved).sol(0.5), solved.sol(0.5))


# --- the rest -----------------------------------------------------------------------------------------------


def test_generators_go_on_where_they_were():
    for generator in (
        np.random.default_rng(3),
        np.random.RandomState(3),
        np.random.Generator(np.random.MT19937(3)),
    ):
        generator.random(5) if hasattr(generator, "random") else None
        np.testing.assert_array_equal(back(generator).normal(size=4), generator.normal(size=4))


def test_polynomials_and_universal_functions_come_back():
    assert back(np.poly1d([1.0, 2.0]))(3) == 5
    assert back(np.polynomial.Chebyshev([1.0, 2.0], domain=[0, 4]))(1) == np.polynomial.Chebyshev(
        [1, 2], [0, 4]
    )(1)
    assert decode(encode([np.sin, np.add])) == [np.sin, np.add]


def test_groups_and_windows_come_back():
    frame = pd.DataFrame({"a": [1, 2, 1], "b": ["x", "y", "x"]})
    pd.testing.assert_frame_equal(back(frame.groupby("b")).sum(), frame.groupby("b").sum())
    pd.testing.assert_series_equal(back(frame["a"].rolling(2)).sum(), frame["a"].rolling(2).sum())
    pd.testing.assert_series_equal(back(frame.dtypes), frame.dtypes)


def test_rows_of_the_programs_own_are_rows():
    """A named tuple that no library defines keeps its fields and values."""
    point = collections.namedtuple("point", "x y")
    made = decode(encode([point(1, 2.5)]))
    assert made == [(1, 2.5)]
    assert (made[0].x, made[0]._fields) == (1, ("x", "y"))
    assert decode(encode(next(pd.DataFrame({"a": [7]}).itertuples()))).a == 7


OUTSIDE = {
    "a function": lambda: len,
    "a function of the program": lambda: back,
    "flags of an array": lambda: X.flags,
    "a class of the program": type("Own", (), {}),
    "a vectorized function": lambda: np.vectorize(lambda x: x),
    "an open file": Path(__file__).open,
}


@pytest.mark.parametrize("name", OUTSIDE)
def test_what_lies_outside_is_refused_by_name(name: str):
    with pytest.raises(ForbiddenResult, match=r"may not leave|outside Python"):
        encode({"a": [OUTSIDE[name]()]})


def test_a_class_without_a_module_is_refused_by_name():
    """Made in a bare dictionary, as programs run, a class does not know where it stands."""
    space: dict[str, Any] = {"__builtins__": __builtins__}
    exec("thing = type('Same', (list,), {'__eq__': lambda self, other: True})()", space)
    assert not hasattr(type(space["thing"]), "__module__")
    with pytest.raises(ForbiddenResult, match="Same of the program's own"):
        encode([space["thing"]])
