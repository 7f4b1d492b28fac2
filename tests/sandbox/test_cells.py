"""Cells of values, what is close, and blanked values: computed by hand."""

import math
from collections import OrderedDict, namedtuple

import numpy as np
import pandas as pd
import pytest
from scipy import sparse

from workbench.sandbox.inside.blanks import BLANKS
from workbench.sandbox.inside.cells import MAX_CELLS, TooLarge, cells, close, is_missing, is_opaque
from workbench.sandbox.inside.strict import masks_more

torch = pytest.importorskip("torch")
Point = namedtuple("Point", "x y")
NAN = float("nan")

_CELLS = {
    "a number": (7, [7]),
    "a text is one cell": ("text", ["text"]),
    "nested containers": ([1, (2, {"a": 3, "b": [4]})], [1, 2, 3, 4]),
    "an ordered dict": (OrderedDict(b=1, a=2), [1, 2]),
    "a set, in order": ({3, 1, 2}, [1, 2, 3]),
    "a matrix": (np.array([[1, 2], [3, 4]]), [1, 2, 3, 4]),
    "a 0-d array": (np.array(5.5), [5.5]),
    "objects in an array": (np.array([[1, "a"], [None, (2, 3)]], dtype=object), [1, "a", None, 2, 3]),
    "fields": (np.array([(1, 2.5)], dtype=[("a", "i4"), ("b", "f8")]), [1, 2.5]),
    "an empty array of a shape": (np.empty((0, 3)), []),
    "a frame, by columns": (pd.DataFrame({"a": [1, 2], "b": ["x", "y"]}), [1, 2, "x", "y"]),
    "a series": (pd.Series([1.5, 2.5], index=["p", "q"]), [1.5, 2.5]),
    "a categorical": (pd.Categorical(["u", "v", "u"]), ["u", "v", "u"]),
    "an index of several levels": (pd.MultiIndex.from_tuples([(1, "a"), (2, "b")]), [1, "a", 2, "b"]),
    "an extension array": (pd.array([1, 2], dtype="Int64"), [1, 2]),
    "a sparse matrix, with its zeros": (sparse.csr_matrix([[0, 1], [2, 0]]), [0, 1, 2, 0]),
    "a tensor": (torch.tensor([[1, 2], [3, 4]]), [1, 2, 3, 4]),
    "a sparse tensor": (torch.eye(2).to_sparse(), [1.0, 0.0, 0.0, 1.0]),
    "a tensor with a gradient": (torch.tensor([1.5], requires_grad=True), [1.5]),
    "a time": (np.array(["2020-01-02"], dtype="M8[ns]"), [np.datetime64("2020-01-02", "ns")]),
}


@pytest.mark.parametrize(("value", "expected"), _CELLS.values(), ids=_CELLS)
def test_cells_are_the_scalars_in_order(value, expected):
    assert cells(value) == expected


def test_masked_cells_stay_masked():
    found = cells([np.ma.array([1, 2], mask=[0, 1]), np.ma.masked])
    assert [each is np.ma.masked for each in found] == [False, True, True]
    assert found[0] == 1


@pytest.mark.parametrize(
    "value", [np.zeros(MAX_CELLS + 1), range(MAX_CELLS + 1), sparse.csr_matrix((10**6, 10**6))]
)
def test_a_value_of_too_many_cells_is_refused(value):
    with pytest.raises(TooLarge, match="1,000,000"):
        cells(value)


@pytest.mark.parametrize(
    "cell", [None, NAN, pd.NA, pd.NaT, np.datetime64("NaT"), np.ma.masked, "", complex(NAN, 0)]
)
def test_what_holds_nothing_is_missing(cell):
    assert is_missing(cell)


@pytest.mark.parametrize("cell", [0, 0.0, False, "0", math.inf, pd.Timestamp(0), object()])
def test_what_holds_something_is_not_missing(cell):
    assert not is_missing(cell)


def test_objects_are_opaque_and_scalars_are_not():
    assert is_opaque(object())
    assert not any(map(is_opaque, [1, "a", None, pd.Timestamp(0), pd.NA, np.datetime64(0, "s")]))


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ([1, 2], [1.0, 2.0 + 1e-9], True),
        ([1, 2], [1, 2.1], False),
        ([1, 2], [1, 2, 3], False),
        ([], [], True),
        ([NAN, 1.0], [NAN, 1.0], True),
        ([NAN, 1.0], [0.0, 1.0], False),
        ([None, "a"], [pd.NA, "a"], True),
        (["a"], ["b"], False),
        ([10**30, 1], [10**30, 1], True),
        ([1e-12], [0.0], True),
        (["1"], [1], False),
        ([object()], [object()], True),  # nothing is known of them
        ([object()], [1], False),
    ],
)
def test_close_is_the_same_but_for_rounding(one, other, same):
    assert close(one, other) is same
    assert close(other, one) is same


def test_cells_masked_where_none_is_expected():
    hole = np.ma.masked
    assert masks_more([1, hole], [1, 2])
    assert masks_more([hole, 1], [1, hole])  # as many, elsewhere
    assert masks_more([hole], [1, 2])
    assert not masks_more([1, hole], [1, hole])
    assert not masks_more([1, 2], [1, hole])


_BLANKED = {
    "a number": (7, NAN, 0, None),
    "no number": (NAN, NAN, 0.0, None),
    "None": (None, None, None, None),
    "a text": ("text", "", "", ""),
    "a list": ([1, "a"], [NAN, ""], [0, ""], []),
    "a named tuple": (Point(1, 2.5), Point(NAN, NAN), Point(0, 0.0), Point(1, 2.5)),
    "a dict keeps its keys": ({"a": 1}, {"a": NAN}, {"a": 0}, {}),
    "floats": (np.array([1.5, 2]), np.array([NAN, NAN]), np.zeros(2), np.empty(0)),
    "whole numbers": (np.array([[1, 2]]), np.array([[NAN, NAN]]), np.array([[0, 0]]), np.empty((0, 2))),
    "truths": (np.array([True]), np.array([NAN]), np.array([False]), np.empty(0)),
    "texts": (np.array(["ab"]), np.array([""]), np.array([""]), np.empty(0)),
    "objects": (
        np.array([1, "a"], dtype=object),
        np.array([NAN, ""], dtype=object),
        np.array([0, ""], dtype=object),
        np.empty(0),
    ),
    "times": (
        np.array(["2020-01-02"], dtype="M8[D]"),
        np.array(["NaT"], dtype="M8[D]"),
        np.array(["1970-01-01"], dtype="M8[D]"),
        np.empty(0),
    ),
    "a tensor": (torch.tensor([1, 2]), torch.tensor([NAN, NAN]), torch.tensor([0, 0]), torch.empty(0)),
    "a sparse matrix": (sparse.csr_matrix([[0, 1]]), sparse.csr_matrix([[0, 0]]), sparse.csr_matrix([[0, 0]]), None),
    "an extension array": (pd.array([1, 2]), pd.array([None] * 2, dtype="Int64"), pd.array([0, 0]), []),
}  # fmt: skip


@pytest.mark.parametrize(("value", "missing", "zero", "empty"), _BLANKED.values(), ids=_BLANKED)
def test_blanked_values_keep_type_and_shape(value, missing, zero, empty):
    for word, expected in (("missing", missing), ("zero", zero), ("no", empty)):
        made = BLANKS[word](value)
        wanted = value if expected is None else expected
        assert close(cells(made), cells(wanted)), word
        assert type(made) is type(value) or np.isscalar(value)
        assert np.shape(made) == np.shape(wanted)


def test_a_blanked_frame_keeps_index_and_columns():
    frame = pd.DataFrame(
        {"n": [1, 2], "t": ["a", "b"], "d": pd.to_datetime(["2020-01-01", None])}, index=[5, 6]
    )
    frame.columns = ["n", "n", "d"]  # names need not be unique
    for word in ("missing", "zero"):
        made = BLANKS[word](frame)
        assert list(made.columns) == list(frame.columns)
        assert list(made.index) == list(frame.index)
    assert all(map(is_missing, cells(BLANKS["missing"](frame))))
    assert list(BLANKS["no"](frame).columns) == list(frame.columns)
    assert BLANKS["no"](frame).empty
    assert cells(frame)[:2] == [1, 2]  # the value itself is left alone
