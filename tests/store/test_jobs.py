"""Jobs: every result on disk as it comes, and none computed twice."""

import os
import pickle
import threading
import time
from pathlib import Path

import pytest

from workbench.core.errors import SettingsError
from workbench.store.jobs import run_jobs


def square(number):
    return number * number


def note_and_square(job):
    folder, number = Path(job[0]), job[1]
    (folder / f"did-{number}-{os.getpid()}").touch()
    if number == 3 and not (folder / "mended").exists():
        raise ValueError("three is broken")
    return number * number


def done(folder):
    return sorted(file.name.split("-")[1] for file in folder.glob("did-*"))


def forget_done(folder):
    for file in folder.glob("did-*"):
        file.unlink()


def test_results_come_in_the_order_of_the_jobs(tmp_path):
    assert run_jobs(square, {"b": 2, "a": 1}, tmp_path, progress=False) == {"b": 4, "a": 1}


def test_what_was_done_before_a_failure_is_kept(tmp_path):
    jobs = {str(number): (tmp_path, number) for number in (1, 2, 3, 4)}
    with pytest.raises(ValueError, match="three is broken"):
        run_jobs(note_and_square, jobs, tmp_path / "kept", progress=False)
    assert done(tmp_path) == ["1", "2", "3"]
    (tmp_path / "mended").touch()
    for file in tmp_path.glob("did-*"):
        file.unlink()
    assert list(run_jobs(note_and_square, jobs, tmp_path / "kept", progress=False).values()) == [1, 4, 9, 16]
    assert done(tmp_path) == ["3", "4"]


def test_several_processes_give_the_same(tmp_path):
    jobs = {str(number): (tmp_path, number) for number in (1, 2)}
    assert run_jobs(note_and_square, jobs, tmp_path / "kept", workers=2, progress=False) == {"1": 1, "2": 4}
    workers = {file.name.split("-")[2] for file in Path(tmp_path).glob("did-*")}
    assert str(os.getpid()) not in workers


class Bomb:
    def __init__(self, marker):
        self.marker = marker

    def __reduce__(self):
        return Path.touch, (self.marker,)


def test_a_pickle_in_the_folder_is_not_run_and_the_job_is_done_again(tmp_path, capsys):
    (tmp_path / "a.result").write_bytes(pickle.dumps(Bomb(tmp_path / "marker")))
    (tmp_path / "b.result").write_bytes(b"half a fi")
    assert run_jobs(square, {"a": 2, "b": 3}, tmp_path, progress=False) == {"a": 4, "b": 9}
    assert not (tmp_path / "marker").exists()
    said = capsys.readouterr().err
    assert "a.result is not read, and the job is done again: it is a pickle" in said
    assert "b.result is not read" in said


def test_a_result_that_is_no_data_is_refused(tmp_path):
    with pytest.raises(SettingsError, match="job 'a' returned a lock"):
        run_jobs(locked, {"a": 1}, tmp_path, progress=False)


def locked(_):
    return threading.Lock()


def test_what_another_call_has_done_is_not_done_again(tmp_path):
    # the folder as text: a path is known by what lies there, which changes here
    few, more = (
        {str(number): (str(tmp_path), number) for number in numbers} for numbers in ((1, 2), (2, 4, 1))
    )
    run_jobs(note_and_square, few, tmp_path / "few", shared=tmp_path / "shared", progress=False)
    forget_done(tmp_path)
    found = run_jobs(note_and_square, more, tmp_path / "more", shared=tmp_path / "shared", progress=False)
    assert found == {"2": 4, "4": 16, "1": 1}
    assert done(tmp_path) == ["4"]
    forget_done(tmp_path)
    run_jobs(doubled, {"1": few["1"]}, tmp_path / "other", shared=tmp_path / "shared", progress=False)
    assert done(tmp_path) == ["1"]  # of another function


def break_after(job):
    """Square a number as `note_and_square` does; break at three, as soon as some files are there."""
    folder, number, awaited = job
    while number == 3 and not all(Path(folder, name).is_file() for name in awaited):
        time.sleep(0.01)
    return note_and_square((folder, number))


@pytest.mark.parametrize(("workers", "before"), [(1, ["one"]), (2, ["one", "two"])])
def test_what_a_stopped_call_had_done_is_shared_too(tmp_path, workers, before):
    awaited = tuple(f"stopped/{name}.result" for name in before)
    jobs = {name: (str(tmp_path), number, awaited) for name, number in (("one", 1), ("three", 3), ("two", 2))}
    how = {"shared": tmp_path / "shared", "progress": False}
    with pytest.raises(ValueError, match="three is broken"):
        run_jobs(break_after, jobs, tmp_path / "stopped", workers=workers, **how)
    forget_done(tmp_path)
    few = {name: jobs[name] for name in ("one", "two")}
    assert run_jobs(break_after, few, tmp_path / "few", **how) == {"one": 1, "two": 4}
    assert done(tmp_path) == [str(jobs[name][1]) for name in few if name not in before]


def test_a_damaged_result_of_another_call_is_not_read(tmp_path):
    run_jobs(square, {"a": 3}, tmp_path / "first", shared=tmp_path / "shared", progress=False)
    (file,) = (tmp_path / "shared").iterdir()
    file.write_bytes(b"half a fi")
    assert run_jobs(square, {"a": 3}, tmp_path / "second", shared=tmp_path / "shared", progress=False) == {
        "a": 9
    }


def doubled(job):
    return 2 * note_and_square(job)


def test_functions_of_a_notebooks_cell_reach_other_processes(tmp_path):
    jobs = {str(number): (in_a_cell(number), number) for number in (2, 3)}
    assert run_jobs(applied, jobs, tmp_path, workers=2, progress=False) == {"2": 20, "3": 30}


def in_a_cell(number):
    """Return a function as a notebook's cell defines it: in __main__, reading a global."""
    space = {"__name__": "__main__", "factor": 10}
    exec("def scaled(x):\n    return factor * x\n", space)
    return space["scaled"]


def applied(job):
    function, number = job
    return function(number)


def test_what_no_other_process_can_be_sent_is_said(tmp_path):
    jobs = {name: (square, threading.Lock()) for name in "ab"}
    with pytest.raises(SettingsError, match="workers=1"):
        run_jobs(applied, jobs, tmp_path, workers=2, progress=False)
