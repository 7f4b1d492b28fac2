"""Fingerprints are equal exactly where the inputs of a step are equal."""

import linecache
import subprocess
import sys
from dataclasses import dataclass

import numpy as np
import pandas as pd
import pytest

from workbench.core.errors import SettingsError
from workbench.store.fingerprint import fingerprint, unkeyed


@dataclass(frozen=True)
class Point:
    x: int
    y: float = 0.0


CELL = """import dataclasses
@dataclasses.dataclass(frozen=True)
class Brief:
    limit: int
    rate = 2
    @property
    def double(self):
        return self.rate * self.limit
    def __call__(self, prompt, answer):
        return self.double if len(answer) > 3 else Brief(self.limit)
"""


class Model:
    """Holds something that cannot be compared."""


class Named(Model):
    def cache_key(self):
        return "named"


def plus(a, b=1):
    return a + b


EQUAL = [
    ({"a": 1, "b": [2, None]}, {"b": [2, None], "a": 1}),
    ({"x", "y", "z"}, {"z", "y", "x"}),
    (Point(1), Point(1, 0.0)),
    (np.arange(3), np.arange(3)),
    (pd.DataFrame({"a": [1, 2]}), pd.DataFrame({"a": [1, 2]})),
    (float("nan"), float("nan")),
    (unkeyed(1), unkeyed(2)),
    (Named(), Named()),
    (plus, plus),
]
DIFFERENT = [
    (1, 1.0),
    (1, True),
    ("1", 1),
    ("a", b"a"),
    ([1, 2], (1, 2)),
    ([1, [2]], [[1], 2]),
    (["ab", "c"], ["a", "bc"]),
    ({"a": None}, {}),
    (Point(1), Point(2)),
    (np.arange(3), np.arange(3.0)),
    (np.arange(4), np.arange(4).reshape(2, 2)),
    (pd.DataFrame({"a": [1, 2]}), pd.DataFrame({"b": [1, 2]})),
    (pd.Series([1, 2]), pd.Series([1, 2], index=[1, 2])),
    (plus, fingerprint),
]


@pytest.mark.parametrize(("one", "other"), EQUAL)
def test_equal_inputs(one, other):
    assert fingerprint(one) == fingerprint(other)


@pytest.mark.parametrize(("one", "other"), DIFFERENT)
def test_different_inputs(one, other):
    assert fingerprint(one) != fingerprint(other)


def test_a_path_stands_for_its_content(tmp_path):
    (tmp_path / "a").write_text("same")
    (tmp_path / "b").write_text("same")
    before = fingerprint(tmp_path / "a")
    assert before == fingerprint(tmp_path / "b")
    (tmp_path / "a").write_text("other")
    assert fingerprint(tmp_path / "a") != before


def test_other_processes_agree():
    program = (
        "from workbench.store.fingerprint import fingerprint; print(fingerprint([{'a', 'b', 'c'}, 1.5]))"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == fingerprint([{"a", "b", "c"}, 1.5])


def test_what_cannot_be_compared_is_refused():
    with pytest.raises(SettingsError) as raised:
        fingerprint([1, Model()])
    assert "Model" in raised.value.got
    assert "cache_key" in raised.value.fix


def test_what_contains_itself_is_refused():
    loop: list = []
    loop.append(loop)
    with pytest.raises(SettingsError, match="contains itself"):
        fingerprint(loop)


def in_a_notebook(source, name, **variables):
    """Return what a notebook's cell of this source defines under a name."""
    space = {"__name__": "__main__", **variables}
    cell = f"<cell {hash(source)}>"
    linecache.cache[cell] = (len(source), None, source.splitlines(keepends=True), cell)
    exec(compile(source, cell, "exec"), space)
    return space[name]


def test_a_notebooks_function_counts_with_the_variables_it_reads():
    source = "def scaled(x):\n    return factor * x\n"
    two, again, three = (in_a_notebook(source, "scaled", factor=factor) for factor in (2, 2, 3))
    assert fingerprint(two) == fingerprint(again)
    assert fingerprint(two) != fingerprint(three)


@pytest.mark.parametrize(
    "changed",
    [
        CELL.replace("> 3", "> 4"),
        CELL.replace("rate = 2", "rate = 1"),
        CELL.replace("limit: int", "most: int").replace("self.limit", "self.most"),
        CELL.replace("len(answer)", "size(answer)").replace("import", "def size(text): return 1\nimport"),
    ],
)
def test_a_notebooks_class_counts_with_its_methods_and_what_they_read(changed):
    first, again, other = (in_a_notebook(source, "Brief") for source in (CELL, CELL, changed))
    assert fingerprint(first(1)) == fingerprint(again(1))
    assert fingerprint(first(1)) != fingerprint(first(2))
    assert fingerprint(first(1)) != fingerprint(other(1))
    assert fingerprint(first) != fingerprint(other)
