"""What runs keep comes back as exactly what it was, and reading it runs nothing that a file brings."""

import collections
import dataclasses
import datetime
import decimal
import enum
import fractions
import json
import math
import pathlib
import pickle
import struct
import sys
import zoneinfo
from typing import NamedTuple

import numpy as np
import pandas as pd
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as npst

from workbench.datasets.preference_pair import PreferencePair
from workbench.store.stored import Damaged, Unstorable, classes_around, decode, encode
from workbench.store.stored.classes import find_class


@dataclasses.dataclass(frozen=True)
class Row:
    name: str
    values: object = None


@dataclasses.dataclass(frozen=True)
class Positive:
    number: int

    def __post_init__(self):
        if self.number < 1:
            raise ValueError("not positive")


class Pair(NamedTuple):
    first: object
    second: object


class Colour(enum.Enum):
    RED = 1


def own():
    """Return the classes that this module names, as for a step whose function is defined here."""
    return classes_around(own)


def back(value):
    return decode(encode(value), own())


def same(one, other):  # noqa: PLR0911
    """Tell whether two values are the same bit by bit: types, order, number types, memory order and content."""
    if type(one) is not type(other):
        return False
    if isinstance(one, float):
        return struct.pack(">d", one) == struct.pack(">d", other)
    if type(one) is complex:
        return same((one.real, one.imag), (other.real, other.imag))
    if isinstance(one, np.ndarray):
        alike = one.dtype == other.dtype and one.shape == other.shape
        if one.dtype == object:
            return alike and all(map(same, one.flat, other.flat))
        return alike and one.tobytes() == other.tobytes()
    if isinstance(one, np.generic):
        return one.dtype == other.dtype and one.tobytes() == other.tobytes()
    if isinstance(one, torch.Tensor):
        return one.dtype == other.dtype and one.shape == other.shape and same_bytes(one, other)
    if isinstance(one, list | tuple):
        return len(one) == len(other) and all(map(same, one, other))
    if isinstance(one, dict):
        return same(list(one.items()), list(other.items()))
    if dataclasses.is_dataclass(one):
        return same(vars(one), vars(other))
    return one == other


def same_bytes(one, other):
    first, second = (
        t.detach().reshape(-1).view(torch.uint8).tolist() if t.numel() else [] for t in (one, other)
    )
    return one.requires_grad == other.requires_grad and first == second


texts = st.text(st.characters())  # half surrogates too
numbers = npst.scalar_dtypes().filter(
    lambda dtype: dtype.itemsize and dtype.str[1:] not in ("f16", "c32", "f12")
)
arrays = numbers.flatmap(
    lambda dtype: npst.arrays(dtype, npst.array_shapes(min_dims=0, min_side=0, max_side=4))
)
scalars = st.one_of(
    st.none(), st.booleans(), st.integers(), st.floats(), texts, st.binary(), st.complex_numbers(),
    st.sampled_from([Colour.RED, math.inf, -0.0, 2**5000, pathlib.Path("a/é"), np.str_("a\0"), slice(1, None, 2)]),
    st.dates(), st.times(), st.timedeltas(), st.decimals(allow_nan=False), st.fractions(),
    st.datetimes(timezones=st.none() | st.just(datetime.UTC) | st.timezones(no_cache=True)),
)  # fmt: skip
keys = st.one_of(
    st.none(), st.booleans(), st.integers(), texts, st.tuples(st.integers(), texts), st.just(Colour.RED)
)
values = st.recursive(
    scalars | arrays,
    lambda inner: st.one_of(
        st.lists(inner),
        st.tuples(inner, inner),
        st.dictionaries(keys, inner),
        st.frozensets(keys),
        st.sets(keys),
        st.builds(Row, texts, inner),
        st.builds(Pair, inner, inner),
        st.builds(PreferencePair, texts, texts, texts),
    ),
    max_leaves=12,
)


@settings(max_examples=400, deadline=None)
@given(values)
def test_every_value_comes_back_bit_by_bit(value):
    assert same(back(value), value)


@pytest.mark.parametrize(
    "value",
    [
        collections.OrderedDict(b=1, a=2), collections.Counter("hello"), collections.deque([1, 2], 3),
        collections.defaultdict(list, a=[1]), bytearray(b"x"), range(1, 9, 2), decimal.Decimal("1.10"),
        fractions.Fraction(1, 3), zoneinfo.ZoneInfo("Europe/Paris"),
        datetime.timezone(datetime.timedelta(hours=1), "mine"),
        np.dtype("float32"), torch.bfloat16, torch.device("cuda", 1), torch.Size([2, 3]),
    ],
    ids=repr,
)  # fmt: skip
def test_the_rest_of_the_list_comes_back(value):
    assert type(back(value)) is type(value)
    assert back(value) == value


def test_what_a_default_dictionary_defaults_to_comes_back():
    assert back(collections.defaultdict(list))["new"] == []


def test_shared_objects_stay_shared_and_the_order_of_memory_stays():
    shared = [1]
    one, two, text, again = back([shared, shared, "x" * 99, "x" * 99])
    assert one is two
    assert text is again
    wide = np.asfortranarray(np.arange(6.0).reshape(2, 3))
    assert back(wide).flags.f_contiguous
    assert back(wide).flags.writeable
    assert len(encode([["x" * 1000] * 100])) < 3000


@pytest.mark.parametrize("dtype", [torch.bool, torch.int16, torch.bfloat16, torch.float64, torch.complex64])
def test_tensors_come_back(dtype):
    for tensor in (
        torch.arange(6).reshape(2, 3).to(dtype).T,
        torch.empty(0, 3, dtype=dtype),
        torch.tensor(1).to(dtype),
    ):
        assert same(back(tensor), tensor)
    assert back(torch.ones(1, requires_grad=True)).requires_grad


def test_masked_arrays_come_back():
    masked = np.ma.MaskedArray([1.0, 2.0], mask=[True, False], fill_value=7.0)
    found = back(masked)
    assert found.fill_value == 7.0
    assert found.mask.tolist() == [True, False]
    assert found.data.tolist() == [1.0, 2.0]


FRAME = pd.DataFrame(
    {
        "number": [0.1, math.nan, -0.0],
        "whole": pd.array([1, None, 3], dtype="Int64"),
        "yes": pd.array([True, None, False], dtype="boolean"),
        "text": ["a", None, "é"],
        "text with NA": pd.array(["a", None, "b"], dtype=pd.StringDtype("python")),
        "mixed": pd.Series(["a", 1, (2, 3)], dtype=object),
        "kind": pd.Categorical(["b", "a", "b"], categories=["b", "a", "c"], ordered=True),
        "when": pd.to_datetime(["2024-01-01", None, "2024-03-31"]),
        "where": pd.to_datetime(["2024-01-01", None, "2024-07-01"]).tz_localize("Europe/Paris"),
        "long": pd.to_timedelta([1, None, 3], unit="h"),
        "month": pd.period_range("2024-01", periods=3, freq="M"),
        "between": pd.interval_range(0, 3),
        3: np.array([1, 2, 3], dtype=np.int8),
    }
)


@pytest.mark.parametrize(
    "frame",
    [
        FRAME, FRAME.iloc[:0], FRAME[[]], FRAME.set_index("number"), FRAME.set_index(["kind", "where"]),
        pd.DataFrame([[1, 2.5]], columns=["a", "a"]), pd.DataFrame(), FRAME.set_index("month"),
        pd.DataFrame({"a": [1, 2]}, index=pd.date_range("2024", periods=2, freq="D", name="day")),
        pd.DataFrame(np.ones((2, 2)), columns=pd.MultiIndex.from_product([["a"], [1, 2]])),
        FRAME.set_index("between"), FRAME.set_index("text"), FRAME.set_index("mixed"),
    ],
)  # fmt: skip
def test_frames_come_back(frame):
    found = back(frame)
    pd.testing.assert_frame_equal(found, frame, check_exact=True, check_freq=True, check_index_type="exact")
    assert type(found.index) is type(frame.index)
    assert found.dtypes.tolist() == frame.dtypes.tolist()
    for place in range(frame.shape[1]):
        series = frame.iloc[:, place]
        pd.testing.assert_series_equal(back(series), series, check_exact=True)
        assert back(series.array[0] if len(series) else None) is not Ellipsis


@pytest.mark.parametrize(
    "value",
    [pd.Timestamp("2024-10-27 01:30", tz="UTC").tz_convert("Europe/Paris"), pd.Timestamp("2024"),
     pd.Timedelta(5, "s"),
     pd.Period("2024-01", "M"), pd.Interval(0, 1, "both"), pd.RangeIndex(1, 9, 2, name="n")],
    ids=repr,
)  # fmt: skip
def test_scalars_of_pandas_come_back(value):
    found = back(value)
    assert type(found) is type(value)
    assert np.all(found == value)
    assert getattr(found, "unit", None) == getattr(value, "unit", None)


def test_missing_values_are_the_same_objects():
    assert back([pd.NA, pd.NaT])[0] is pd.NA
    assert back([pd.NA, pd.NaT])[1] is pd.NaT


class Odd:
    pass


class Words(list):
    """Means more than its items, perhaps."""


@pytest.mark.parametrize(
    ("value", "said"),
    [
        (Odd(), "Odd: no kind of data"),
        ([1, {"a": (Odd(),)}], "Odd: no kind of data, in a tuple, in a dict, in a list"),
        (Words(), "Words"), (len, "builtin_function"), (Odd, "type"), (np.array([(1, 2)], "i4,i4"), "number type"),
        (torch.nn.Parameter(torch.ones(1)), "Parameter"), (torch.eye(2).to_sparse(), "sparse"),
        (collections.defaultdict(lambda: 1), "default_factory"), (Row("x", Odd()), "in a Row"),
    ],
)  # fmt: skip
def test_what_is_no_data_is_named_with_its_place(value, said):
    with pytest.raises(Unstorable, match=said):
        encode(value)


def test_a_value_that_contains_itself_is_refused():
    loop: list = []
    loop.append(loop)
    with pytest.raises(Unstorable, match="contains itself"):
        encode(loop)
    deep: list = []
    for _ in range(5000):
        deep = [deep]
    with pytest.raises(Unstorable, match="nested too deeply"):
        encode(deep)


# ---- files of others ----


def written(tree, *buffers):
    head = {"format": "workbench data 1", "buffers": [len(one) for one in buffers], "tree": tree}
    return json.dumps(head).encode() + b"\n" + b"".join(buffers)


class Bomb:
    def __init__(self, marker):
        self.marker = marker

    def __reduce__(self):
        return pathlib.Path.touch, (self.marker,)


@pytest.mark.parametrize("protocol", range(pickle.HIGHEST_PROTOCOL + 1))
def test_a_pickle_is_refused_and_not_run(tmp_path, protocol):
    bomb = pickle.dumps(Bomb(tmp_path / "marker"), protocol)
    with pytest.raises(Damaged, match="a pickle" if protocol > 1 else "no data of the workbench"):
        decode(bomb)
    assert not (tmp_path / "marker").exists()
    pickle.loads(bomb)  # so it is one
    assert (tmp_path / "marker").exists()


@pytest.mark.parametrize(
    "name",
    [
        ("os", "system"), ("builtins", "eval"), ("subprocess", "Popen"), ("pathlib", "Path"),
        ("workbench.runs.run", "Run"), ("workbench.store.atomic", "write_bytes"), ("workbench.runs", "run.Run"),
        ("workbench.sandbox", "Sandbox"), ("workbench..os", "x"), ("workbench./../x", "y"), ("workbench", "x"),
        ("workbench.training.__main__", "x"), ("workbench.store.steps", "Any"), ("tests.test_runs_stored", "Odd"),
        ("workbench.datasets.preference_pair", "Missing"), ("tests.test_runs_stored", "Row"), (1, 2),
    ],
)  # fmt: skip
def test_only_classes_of_data_can_be_named(name):
    for tag in ("object", "named", "enum"):
        with pytest.raises(Damaged):
            decode(written([tag, ["tuple", *name], "x"]))


def test_a_module_is_not_imported_to_see_what_it_defines(monkeypatch):
    monkeypatch.delitem(sys.modules, "workbench.benchmarks.plain_runner", raising=False)
    with pytest.raises(LookupError):
        find_class(("workbench.benchmarks.plain_runner", "main"), {})
    assert "workbench.benchmarks.plain_runner" not in sys.modules
    found = find_class(("workbench.datasets.preference_pair", "PreferencePair"), {})
    assert found is PreferencePair


def test_a_class_checks_its_fields_as_ever():
    tree = json.loads(encode(Positive(1)).partition(b"\n")[0])["tree"]
    assert decode(written(tree), own()) == Positive(1)
    with pytest.raises(Damaged, match="not positive"):
        decode(written([*tree[:-1], 0]), own())
    with pytest.raises(Damaged, match="unexpected keyword"):
        name, *_ = tree[1][1:]
        decode(written(["object", ["tuple", name, "Row", "name", "__class__"], "x", 1]), own())


@pytest.mark.parametrize(
    "content",
    [
        b"", b"{", b"null\n", b'{"format": "workbench data 1"}\n', b'{"format": "other"}\n', written(["unknown"]),
        written({"a": 1}), written(["again", 0]), written(["list", ["again", -1]]), written(["bytes", 3]),
        written(["array", "<f8", ["tuple", 10**12], "C", ["bytes", 0]], b"12345678"),
        written(["array", "O", ["tuple", 1], "C", ["bytes", 0]], b"12345678"),
        written(["array", "<f8,<f8", ["tuple", 1], "C", ["bytes", 0]], b"12345678"),
        written(["array", "<f8", ["tuple", -1, -1], "C", ["bytes", 0]], b"12345678"),
        written(["tensor", "load", ["tuple", 1], False, ["bytes", 0]], b"12345678"),
        written(["set", ["list"]]), written(["int", "__import__('os')"]), written(["zone", "../../../etc/passwd"]),
        written(1, b"cut")[:-1], written(1) + b"more", b'{"format": ' + b"[" * 100_000 + b"\n",
        written(["DataFrame", ["list"], ["list"], ["list"], ["dict"]]), written(["Series", "x", 1, 2, 3]),
    ],
)  # fmt: skip
def test_anything_else_is_one_error(content):
    with pytest.raises(Damaged):
        decode(content, own())


json_like = st.recursive(
    st.none()
    | st.integers(-2, 9)
    | st.floats()
    | st.sampled_from(["<f8", "C", "x", "workbench.runs.run", "Run"]),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.builds(
            lambda tag, parts: [tag, *parts],
            st.sampled_from(
                [
                    "list",
                    "tuple",
                    "dict",
                    "set",
                    "array",
                    "objects",
                    "tensor",
                    "Series",
                    "DataFrame",
                    "object",
                    "again",
                ]
            ),
            st.lists(inner, max_size=5),
        )
    ),
    max_leaves=10,
)


@settings(max_examples=300, deadline=None)
@given(json_like, st.binary(max_size=16))
def test_whatever_is_written_gives_a_value_or_one_error(tree, buffer):
    modules = {name for name in sys.modules if name.startswith("workbench")}
    try:
        decode(written(tree, buffer), own())
    except Damaged:
        pass
    assert {name for name in sys.modules if name.startswith("workbench")} == modules
