"""`workbench run` on real notebooks: continued after kill -9, equal to plain papermill, clear on failure."""

import contextlib
import json
import os
import signal
import subprocess
import sys
import time

import pytest
from click.testing import CliRunner
from papermill.cli import papermill
from small_notebooks import STEP, write_notebook

from workbench.cli import cli

WORKBENCH = [sys.executable, "-m", "workbench.cli", "run"]


def environment(**more):
    return {**os.environ, "OMP_NUM_THREADS": "1", **more}


def workbench(folder, *words):
    """Run the command in this process, which has paid for its imports already."""
    with contextlib.chdir(folder):
        return CliRunner().invoke(cli, ["run", *words])


def state(folder):
    return json.loads((folder / "state.json").read_text())


def wait_until(condition, seconds=60):
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "waited in vain"
        time.sleep(0.05)


@pytest.fixture(scope="module")
def finished(tmp_path_factory):
    """Hold a run that was killed inside a step, then continued by the same command."""
    folder = tmp_path_factory.mktemp("finished")
    write_notebook(folder, "small")
    paper = folder / "runs/small-pocket/small"
    command = [*WORKBENCH, "small.ipynb"]
    gate = folder / "gate"
    killed = subprocess.Popen(
        command, cwd=folder, env=environment(WAIT_FOR=str(gate)), stderr=subprocess.DEVNULL
    )
    wait_until(lambda: list(paper.glob("steps/draw-*/1.txt")))
    killed.send_signal(signal.SIGKILL)
    killed.wait()
    partial = json.loads((paper / "notebook.ipynb").read_text())
    interrupted = state(paper)
    time.sleep(2)  # the kernel looks once a second whether its parent is there
    gate.touch()
    done = workbench(folder, "small.ipynb")
    return folder, paper, partial, interrupted, done


def test_killed_inside_a_step_the_partial_notebook_is_whole(finished):
    _, _, partial, interrupted, _ = finished
    executed = [cell["execution_count"] for cell in partial["cells"] if cell["cell_type"] == "code"]
    assert executed[0] == 1
    assert executed[-1] is None
    assert interrupted["status"] == "running"


def test_the_same_command_continues_inside_the_step(finished):
    _, paper, _, _, done = finished
    assert done.exit_code == 0, done.stderr
    assert done.stdout.splitlines()[-1] == "report: runs/small-pocket/index.html"
    assert state(paper)["status"] == "finished"
    (log,) = paper.glob("steps/draw-*/computed.log")
    assert log.read_text().split() == ["0", "1", "2"]  # no piece was computed twice
    assert json.loads((paper / "results.json").read_text())["numbers"] == {"total": 1.5}


def test_a_finished_notebook_is_kept_and_an_altered_result_is_not(finished):
    folder, paper, *_ = finished
    before = (paper / "notebook.ipynb").stat().st_mtime_ns
    again = workbench(folder, "small.ipynb")
    assert "small: finished before, kept" in again.stdout
    assert again.stdout.splitlines()[-1] == "report: runs/small-pocket/index.html"
    assert (paper / "notebook.ipynb").stat().st_mtime_ns == before
    results = paper / "results.json"
    whole = results.read_bytes()
    results.write_bytes(whole.replace(b"1.5", b"9.9"))
    workbench(folder, "small.ipynb")
    assert results.read_bytes() == whole


def test_plain_papermill_gives_the_same_results(finished, tmp_path):
    folder, paper, *_ = finished
    with contextlib.chdir(folder):
        words = ["--no-progress-bar", "small.ipynb", str(tmp_path / "out.ipynb"), "-p", "out", str(tmp_path)]
        assert CliRunner().invoke(papermill, words).exit_code == 0
    for name in ("results.json", "figures/numbers.json"):
        assert (tmp_path / "small" / name).read_bytes() == (paper / name).read_bytes()
    assert (tmp_path / "index.html").is_file()


def test_a_changed_parameter_meets_no_stale_result(finished):
    folder, _, *_ = finished
    done = workbench(folder, "small.ipynb", "-p", "n=2", "--out", "runs/small-pocket")
    assert done.exit_code == 0, done.stderr
    results = json.loads((folder / "runs/small-pocket/small/results.json").read_text())
    assert results["numbers"] == {"total": 0.5}


def test_a_failing_cell_is_named_and_a_mended_notebook_continues(tmp_path):
    write_notebook(tmp_path, "bad", STEP, 'raise ValueError("first line\\nlast line")')
    failed = workbench(tmp_path, "bad.ipynb", "--out", "out")
    assert failed.exit_code == 1
    assert "bad: cell 5 failed: ValueError: last line" in failed.stderr
    assert "partial notebook: out/bad/notebook.ipynb" in failed.stderr
    assert "Traceback" not in failed.stderr
    assert "Cell 5 failed" in (tmp_path / "out/index.html").read_text()
    write_notebook(tmp_path, "bad", STEP, "run.record('total', sum(numbers))")
    assert workbench(tmp_path, "bad.ipynb", "--out", "out").exit_code == 0
    timings = json.loads((tmp_path / "out/bad/timings.json").read_text())
    assert [step["from_cache"] for step in timings["steps"].values()] == [True]


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16"])
def test_a_notebook_with_a_byte_order_mark_is_read(encoding, tmp_path):
    write_notebook(tmp_path, "marked", "run.record('one', 1)")
    file = tmp_path / "marked.ipynb"
    file.write_bytes(file.read_text(encoding="utf-8").encode(encoding))
    done = workbench(tmp_path, "marked.ipynb", "--out", "out", "-p", "n=4")
    assert done.exit_code == 0, done.output
    results = json.loads((tmp_path / "out/marked/results.json").read_text())
    assert results["numbers"] == {"one": 1} and results["parameters"]["n"] == 4


@pytest.mark.parametrize("content", [b"[1]", b'{"cells": [1]}', b'{"cells": "caf\xe9"}', b"no json", b""])
def test_what_is_no_notebook_is_refused(content, tmp_path):
    (tmp_path / "other.ipynb").write_bytes(content)
    done = workbench(tmp_path, "other.ipynb", "--out", "out")
    assert done.exit_code == 2
    assert "other.ipynb cannot be read as a notebook" in done.stderr


def test_names_that_are_no_utf_8(tmp_path):
    name = os.fsdecode(b"caf\xe9")
    write_notebook(tmp_path, "plain", "run.record('one', 1)")
    try:
        (tmp_path / "plain.ipynb").rename(tmp_path / f"{name}.ipynb")
    except OSError as error:
        pytest.skip(f"this file system takes no such name: {error}")
    command = [*WORKBENCH, f"{name}.ipynb", "--out", f"out-{name}"]
    done = subprocess.run(command, cwd=tmp_path, env=environment(), capture_output=True, check=False)
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines()[-1] == rb"report: out-caf\xe9/index.html"
    assert (tmp_path / f"out-{name}" / "index.html").is_file()
