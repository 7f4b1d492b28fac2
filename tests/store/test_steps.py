"""A step is computed once, and again whenever anything it depends on has changed."""

import json
import pickle
import random
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path

import numpy as np
import pytest

from workbench.core.errors import SettingsError
from workbench.store.fingerprint import unkeyed
from workbench.store.steps import StepStore

calls: list = []


@dataclass(frozen=True)
class Score:
    name: str
    value: float


def double(x, workers=1):
    calls.append(x)
    return 2 * x


def echo(value):
    return value


def draw():
    return random.random()


def unstorable():
    return (i for i in range(3))


def long_work(n, folder):
    """Finish a piece, then fail once: what is in the folder is there at the next try."""
    done = folder / "done.txt"
    if not done.exists():
        done.write_text("first piece")
        raise ConnectionError("interrupted")
    return f"{done.read_text()}, then {n}"


@pytest.fixture
def store(tmp_path):
    calls.clear()
    return StepStore(tmp_path / "steps", seed=0)


def run(store, function, *args, **kwargs):
    return store.run("step", function, args, kwargs)


def test_the_second_time_it_is_read(store):
    first, second = run(store, double, 3), run(store, double, 3)
    assert (first.value, first.cached) == (6, False)
    assert (second.value, second.cached) == (6, True)
    assert calls == [3]


def test_a_changed_argument_is_computed(store):
    assert run(store, double, 3).value == 6
    assert run(store, double, 4).value == 8
    assert calls == [3, 4]


def test_a_changed_seed_is_computed(store):
    run(store, double, 3)
    assert not StepStore(store.folder, seed=1).run("step", double, (3,), {}).cached


def test_an_unkeyed_argument_does_not_count(store):
    run(store, double, 3, workers=unkeyed(1))
    assert run(store, double, 3, workers=unkeyed(8)).cached


@pytest.mark.parametrize("content", [b"", b"{", b'{"key": 1}\n', None])
def test_a_damaged_file_is_computed_again(store, content):
    run(store, double, 3)
    (file,) = store.folder.glob("*.step")
    file.write_bytes(file.read_bytes()[:-1] if content is None else content)
    again = run(store, double, 3)
    assert (again.value, again.cached) == (6, False)
    assert run(store, double, 3).cached


@pytest.mark.parametrize(
    "value", [{"a": [1, 2.5, None]}, (1, 2), {1: "int key"}, Score("x", 0.5), {"s": {1}}, float("inf")]
)
def test_values_come_back_as_what_they_were(store, value):
    first, second = run(store, echo, value), run(store, echo, value)
    assert first.value == second.value == value
    assert type(second.value) is type(value)
    assert second.cached


class Bomb:
    def __init__(self, marker):
        self.marker = marker

    def __reduce__(self):
        return Path.touch, (self.marker,)


def test_a_pickle_in_a_steps_file_is_not_run_and_the_step_is_computed_again(store, tmp_path, capsys):
    """A received folder's steps were unpickled: whoever had made them ran code of theirs."""
    run(store, double, 3)
    (file,) = store.folder.glob("*.step")
    key = json.loads(file.read_bytes().partition(b"\n")[0])["key"]
    bomb = pickle.dumps(Bomb(tmp_path / "marker"))
    head = {"step": "step", "key": key, "form": "pickle", "sha256": sha256(bomb).hexdigest(), "seconds": 1.0}
    file.write_bytes(json.dumps(head).encode() + b"\n" + bomb)
    again = run(store, double, 3)
    assert (again.value, again.cached) == (6, False)
    assert not (tmp_path / "marker").exists()
    assert "computed again: it is a pickle, which could run code of its writer's" in capsys.readouterr().out
    assert run(store, double, 3).cached


def test_half_surrogates_come_back(store):
    """A model may write them; plain text could not be stored."""
    assert run(store, echo, {"a": "\ud83d", "b": "\ud83d\ude00"}).value == {
        "a": "\ud83d",
        "b": "\ud83d\ude00",
    }


def test_arrays_come_back(store):
    run(store, echo, np.eye(2))
    np.testing.assert_array_equal(run(store, echo, np.eye(2)).value, np.eye(2))


def test_an_interrupted_step_finds_its_folder_again(store):
    with pytest.raises(ConnectionError):
        run(store, long_work, 2)
    assert run(store, long_work, 2).value == "first piece, then 2"
    with pytest.raises(ConnectionError):
        run(store, long_work, 3)  # other inputs, another folder


def test_random_numbers_after_a_step_do_not_depend_on_the_cache(store):
    computed, after_computed = run(store, draw).value, random.random()
    read, after_read = run(store, draw).value, random.random()
    assert computed == read
    assert after_computed == after_read != computed


def test_a_result_that_cannot_be_stored_is_refused(store):
    with pytest.raises(SettingsError, match="generator that cannot be stored"):
        run(store, unstorable)


def test_a_name_that_cannot_be_a_files_is_refused(store):
    with pytest.raises(SettingsError, match="a step called"):
        store.run("../x", double, (1,), {})
