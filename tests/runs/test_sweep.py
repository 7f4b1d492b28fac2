"""`workbench sweep`: the grid that the words name, runs side by side, continued after an interruption, one page."""

import contextlib
import json
import os
import signal
import subprocess
import sys
import time

import pytest
from click.testing import CliRunner
from small_notebooks import write_notebook

from workbench.cli.main import cli
from workbench.core.errors import SettingsError
from workbench.runs.sweep import estimated_time, plan_sweep

SMALL = 'run.record("total", run.settings.seed + run.settings.n)'


@pytest.fixture
def folder(tmp_path):
    write_notebook(tmp_path, "small", SMALL)
    with contextlib.chdir(tmp_path):
        yield tmp_path


def names(*words):
    assignments = [word for one in words for word in [one]]
    return [run.name for run in plan_sweep("small.ipynb", "pocket", assignments, "out").runs]


def sweep(*words):
    return CliRunner().invoke(cli, ["sweep", "small.ipynb", "--out", "out", *words])


def test_the_grid_is_every_combination_and_the_last_changes_fastest(folder):
    assert names("seed=0..2", "n=3,5") == [
        "seed=0,n=3", "seed=0,n=5", "seed=1,n=3", "seed=1,n=5", "seed=2,n=3", "seed=2,n=5",
    ]  # fmt: skip


def test_a_single_value_holds_for_all_and_is_in_no_name(folder):
    (first, second) = plan_sweep("small.ipynb", "pocket", ["n=4", "seed=1", "seed=2"], "out").runs
    assert (first.name, second.name) == ("seed=1", "seed=2")
    assert first.planned.parameters == {
        "profile": "pocket",
        "out": str(folder / "out/seed=1"),
        "n": 4,
        "seed": 1,
    }


def test_a_list_keeps_its_commas(folder):
    file = folder / "small.ipynb"
    content = json.loads(file.read_text())
    (cell,) = [one for one in content["cells"] if one["metadata"].get("tags")]
    cell["source"] = [*cell["source"], '\narms: list = ["a"]  # what to compare']
    file.write_text(json.dumps(content))
    runs = plan_sweep("small.ipynb", "pocket", ["arms=a,b", "arms=c"], "out").runs
    assert [run.assignments for run in runs] == [("arms=a,b",), ("arms=c",)]


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["seed=0"], "a grid of 1 run"),
        (["seed=0..9999", "n=1,2"], "a grid of 20,000 runs"),
        (["seed=0..99999999999"], "more than 10,000 values"),
        (["seed=0,0"], "the same value twice"),
        (["seed=3..1"], "without a value"),
        (["seed"], "needs the form name=value"),
        (["sead=0,1"], "seed"),
        (["n=1,x"], "n='x' (needs a whole number)"),
        (["out=a,b"], "given by --out"),
    ],
)
def test_what_spans_no_grid_is_refused(folder, words, said):
    with pytest.raises(SettingsError) as caught:
        plan_sweep("small.ipynb", "pocket", words, "out")
    assert said in caught.value.got


def test_names_that_are_no_files_are_told_apart_by_a_digest(folder):
    file = folder / "small.ipynb"
    content = json.loads(file.read_text())
    (cell,) = [one for one in content["cells"] if one["metadata"].get("tags")]
    cell["source"] = [*cell["source"], '\nmodel: str = ""  # a model']
    file.write_text(json.dumps(content))
    found = names("model=org/a,org-a")
    assert len(set(found)) == 2
    assert not any("/" in name for name in found)


def test_the_list_says_what_would_run_and_runs_nothing(folder):
    said = sweep("-p", "seed=0,1", "--list")
    assert said.exit_code == 0, said.output
    assert (
        "seed=0: to run: workbench run small.ipynb --profile pocket -p seed=0 --out out/seed=0" in said.output
    )
    assert "no estimate of time" in said.output
    assert not (folder / "out").exists()


def test_the_estimate_is_the_median_of_finished_runs(folder):
    for number, seconds in enumerate((10, 600, 30)):
        paper = folder / f"runs/r{number}/small"
        paper.mkdir(parents=True)
        (paper / "state.json").write_text(json.dumps({"status": "finished", "seconds": 5}))
        steps = {"a": {"seconds": seconds, "from_cache": True}}
        (paper / "timings.json").write_text(json.dumps({"profile": "pocket", "steps": steps}))
    planned = plan_sweep("small.ipynb", "pocket", ["seed=0..4"], "out")
    assert estimated_time(planned, 5, 2).startswith("about 90 s: 5 runs, 2 at a time, 30 s each")
    laptop = plan_sweep("small.ipynb", "laptop", ["seed=0..4"], "out")
    assert estimated_time(laptop, 5, 2).startswith("no estimate of time")


def test_six_runs_are_interrupted_and_continued_and_compared(tmp_path):
    write_notebook(tmp_path, "small")
    words = ["sweep", "small.ipynb", "-p", "seed=0..2", "-p", "n=2,3", "--out", "out", "--workers", "2"]
    command = [sys.executable, "-m", "workbench.cli.main", *words]
    gate = tmp_path / "gate"
    environment = {**os.environ, "OMP_NUM_THREADS": "1", "BROWSER_PATH": "none"}
    begun = subprocess.Popen(command, cwd=tmp_path, env={**environment, "WAIT_FOR": str(gate)})
    end = time.monotonic() + 120
    while not list(tmp_path.glob("out/*n=3/small/steps/draw-*/1.txt")):  # it waits there, inside a step
        assert time.monotonic() < end
        time.sleep(0.05)
    begun.send_signal(signal.SIGTERM)
    assert begun.wait(60) == 130
    states = {
        file.parents[1].name: json.loads(file.read_text())["status"]
        for file in tmp_path.glob("out/*/*/state.json")
    }
    assert states["seed=0,n=3"] != "finished"
    gate.touch()
    done = subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, text=True, check=True)
    assert done.stdout.splitlines()[-1] == "report: out/index.html"
    totals = {
        file.parents[1].name: json.loads(file.read_text())["numbers"]["total"]
        for file in tmp_path.glob("out/*/small/results.json")
    }
    assert totals == {f"seed={seed},n={n}": {2: 0.5, 3: 1.5}[n] for seed in range(3) for n in (2, 3)}
    (log,) = tmp_path.glob("out/seed=0,n=3/small/steps/draw-*/computed.log")
    assert log.read_text().split() == ["0", "1", "2"]  # each piece once: it went on where it was
    page = (tmp_path / "out/index.html").read_text()
    assert "Parameters that differ" in page and 'href="seed=2,n=3/index.html"' in page
    again = subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, text=True, check=True)
    assert "6 of 6 runs finished before" in again.stdout


def test_a_run_that_fails_is_named_and_the_others_go_on(folder):
    write_notebook(folder, "small", "assert run.settings.seed != 0, 'no zero'", SMALL)
    said = sweep("-p", "seed=0,1", "--workers", "1")
    assert said.exit_code == 1
    assert "seed=0: failed: cell 4: AssertionError: no zero" in said.stderr
    assert "1 of 2 runs failed" in said.stderr
    assert json.loads((folder / "out/seed=1/small/results.json").read_text())["numbers"] == {"total": 4}
