"""`workbench run` on real notebooks: continued after kill -9, equal to plain papermill, clear on failure."""

import contextlib
import html
import json
import os
import re
import shlex
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from click.testing import CliRunner
from papermill.cli import papermill
from small_notebooks import STEP, write_notebook

from workbench.cli.main import cli
from workbench.core import errors
from workbench.runs.execution import _is_own, note_planned
from workbench.runs.planning import Planned, plan
from workbench.runs.report import render_comparison, render_report

WORKBENCH = [sys.executable, "-m", "workbench.cli.main", "run"]


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
    assert "fault of the workbench" not in failed.stderr, "the notebook is the user's own"
    assert "partial notebook: out/bad/notebook.ipynb" in failed.stderr
    assert "Traceback" not in failed.stderr
    assert "Cell 5 failed" in (tmp_path / "out/index.html").read_text()
    write_notebook(tmp_path, "bad", STEP, "run.record('total', sum(numbers))")
    assert workbench(tmp_path, "bad.ipynb", "--out", "out").exit_code == 0
    timings = json.loads((tmp_path / "out/bad/timings.json").read_text())
    assert [step["from_cache"] for step in timings["steps"].values()] == [True]


@pytest.fixture(scope="module")
def half(tmp_path_factory):
    """Hold a run of a project whose first paper is good, whose second fails, and whose third is not reached."""
    folder = tmp_path_factory.mktemp("half")
    (folder / "workbench").mkdir()
    (folder / "notebooks").mkdir()
    write_notebook(folder / "notebooks", "a_good")
    write_notebook(folder / "notebooks", "b_bad", STEP, 'raise RuntimeError("shape [96, 1]")')
    write_notebook(folder / "notebooks", "c_later", "raise KeyboardInterrupt")
    return folder, workbench(folder, "-p", "n=2", "--out", "out")


def first_lines(page):
    return html.unescape(re.sub(r"<[^>]*>|\s+", " ", page[page.index("<h1>") : page.index("</header>")]))


def test_a_paper_that_fails_is_named_by_the_terminal_with_how_to_go_on(half):
    _, done = half
    assert done.exit_code == 1
    command = "workbench run b_bad --profile pocket -p n=2 --out out"
    said = done.stderr.splitlines()
    assert "b_bad: cell 5 failed: RuntimeError: shape [96, 1]" in said
    report = f"report it at the project's issue tracker, with what `{command} --debug` shows"
    assert f"this is a fault of the workbench: {report}" in said
    place = said.index("2 of 3 papers failed; the report lacks what they had not shown:")
    assert said[place + 1] == f"  b_bad, cell 5: RuntimeError: shape [96, 1]; go on with: {command}"
    assert done.stdout.splitlines()[-1] == "report: out/index.html"


def test_the_first_lines_of_the_page_say_what_failed_and_how_to_go_on(half):
    folder, _ = half
    head = " ".join(first_lines((folder / "out/index.html").read_text()).split())
    assert (
        "b_bad : failed. Cell 5 failed: RuntimeError: shape [96, 1]. This is a fault of the workbench:"
        in head
    )
    assert "To go on: workbench run b_bad --profile pocket -p n=2 --out out" in head
    assert "1 of 3 papers finished, profile pocket." in head
    assert "Claims so far: 1 supported" in head


def test_a_paper_that_never_began_is_missed_by_the_page_and_the_comparison(tmp_path):
    (tmp_path / "workbench").mkdir()
    (tmp_path / "notebooks").mkdir()
    write_notebook(tmp_path / "notebooks", "a_good")
    write_notebook(tmp_path / "notebooks", "b_later")
    assert workbench(tmp_path, "a_good", "--out", "one").exit_code == 0
    chosen = plan_in(tmp_path, "two")
    for planned in chosen.notebooks:
        note_planned(planned, chosen.folder)
    shutil.copytree(tmp_path / "one/a_good", tmp_path / "two/a_good", dirs_exist_ok=True)
    head = first_lines(render_report(tmp_path / "two"))
    assert "b_later" in head and "not begun" in head and "1 of 2 papers finished" in " ".join(head.split())
    assert "To begin:" in head and "a_good" not in head
    compared = render_comparison([tmp_path / "one", tmp_path / "two"], tmp_path)
    assert "b_later (not begun)" in compared and "unknown" not in compared
    assert workbench(tmp_path, "--out", "two").exit_code == 0
    assert (
        "notice"
        not in (tmp_path / "two/index.html").read_text().partition("<header")[2].partition("</header>")[0]
    )


def plan_in(folder, out):
    with contextlib.chdir(folder):
        return plan([], "pocket", [], out)


@pytest.mark.parametrize(
    ("name", "last", "ours", "own"),
    [
        ("RuntimeError", "site-packages/torch/x.py", True, True),
        ("SettingsError", "workbench/x.py", True, False),
        ("FileNotFoundError", "workbench/x.py", True, False),
        ("MemoryError", "workbench/x.py", True, False),
        ("ModuleNotFoundError", "workbench/x.py", True, False),
        ("RuntimeError", "workbench/x.py", False, True),
        ("RuntimeError", "Cell In[3], line 1", False, False),
    ],
)
def test_whose_fault_an_error_is(name, last, ours, own):
    package = Path(errors.__file__).parents[1]
    places = {"workbench/x.py": f"File {package}/x.py:3", "Cell In[3], line 1": "Cell In[3], line 1"}
    traceback = f"Cell In[2], line 1\nFile {package}/y.py:1\n{places.get(last, last)}"
    if last.startswith("Cell"):  # a function of the user's, called by the workbench
        traceback = f"File {package}/y.py:1\n{last}"
    planned = Planned("paper", Path("paper.ipynb"), {}, "key", ours=ours)
    assert _is_own(name, traceback, planned) == own


def test_the_command_to_go_on_hides_secrets_and_is_read_back_as_it_was(tmp_path):
    data = {"data": "http://me:pw@host/a b"}
    injected = {"profile": "laptop", "out": str(tmp_path), "samples": 3, **data}
    command = Planned("paper", tmp_path / "paper.ipynb", injected, "key", ours=False, given=data).command
    assert "pw" not in shlex.split(command)[-3]
    assert shlex.split(command)[:5] == [
        "workbench",
        "run",
        str(tmp_path / "paper.ipynb"),
        "--profile",
        "laptop",
    ]


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
