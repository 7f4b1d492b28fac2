"""The run comparer and the launcher: runs on disk side by side, and one that is started and followed to its end."""

import contextlib
import json
import time

import pandas as pd
import pytest
from small_notebooks import STEP, write_notebook

from workbench.core.errors import RunError, SettingsError
from workbench.explore import launcher as launcher_module
from workbench.explore.launcher import _Launcher, launch, launcher_page, progress_page
from workbench.explore.launching import Launched, RunProgress, check_values, fields_of, launch_run
from workbench.explore.run_comparer import (
    _read,
    compare_runs,
    comparison_page,
    find_runs,
    run_comparer,
)
from workbench.runs import Run
from workbench.runs.notebooks import find_notebooks


@pytest.fixture
def runs(tmp_path):
    """Return two runs that differ in a parameter and in what they measured."""
    for name, rate in (("one", 0.5), ("two", 0.7)):
        run = Run.open("own", parameters={"seed": 0, "name": name}, out=tmp_path / name, title="Own <title>")
        row = {"library": ["Numpy"], "pass@1": [rate], "low": [rate - 0.1], "high": [rate + 0.1]}
        run.table("by library", pd.DataFrame(row), "pass@1 by library")
        run.claim(
            paper="A 2023", statement="It is so", measured=rate, interval=(0.4, 0.8), supported=rate > 0.6
        )
    return {name: tmp_path / name for name in ("one", "two")}


def test_parameters_that_differ_claims_and_metrics_stand_side_by_side(runs):
    page = comparison_page(_read(runs, list(runs)))
    assert "Own &lt;title&gt;" in page
    for words in ("Parameters that differ", "one", "two", "2 parameters are the same", "It is so", "Numpy"):
        assert words in page, words
    assert "✓ supported" in page and "✗ not supported" in page
    assert "0.500 [0.400, 0.600]" in page and "0.700 [0.600, 0.800]" in page
    assert page.count("data:image/svg") == 2


def test_one_run_alone_shows_its_claims(runs):
    page = comparison_page(_read(runs, ["one"]))
    assert "Parameters that differ" not in page and "It is so" in page


def test_runs_are_found_the_newest_first(runs, tmp_path):
    import os

    os.utime(runs["one"] / "own" / "results.json", (time.time() + 60,) * 2)
    assert find_runs(tmp_path) == [runs["one"], runs["two"]]
    assert find_runs(tmp_path / "none") == []


def test_the_widget_compares_what_is_chosen(runs):
    made = run_comparer(runs, ["one"])
    box, _, page = made.children
    chosen, paper = box.children
    assert "Parameters that differ" not in page.value
    chosen.value = ("one", "two")
    assert "Parameters that differ" in page.value
    assert list(paper.options) == ["all", "own"] and paper.value == "all"
    chosen.value = ()
    assert "Choose runs to compare" in page.value


def test_in_a_script_it_says_which_runs_it_would_show(runs, tmp_path, capsys):
    compare_runs(runs["two"], root=tmp_path)
    assert capsys.readouterr().out == "Run comparer: two\n"


def test_a_folder_without_runs_is_refused(tmp_path):
    with pytest.raises(RunError, match="no runs in"):
        compare_runs(root=tmp_path)


def test_fields_are_those_of_papermills_inspection(tmp_path):
    notebook = write_notebook(tmp_path, "small_one")
    fields = {one.name: one for one in fields_of(notebook)}
    assert list(fields) == ["seed", "n"]
    assert (fields["n"].kind, fields["n"].help) == ("int", "how many numbers")
    assert fields["n"].usual == {"pocket": 3, "real": 3, "laptop": 3, "paper": 3}  # its own default


def test_a_papers_fields_say_what_each_profile_makes_of_them():
    from workbench.runs.notebooks import notebooks_folder

    fields = {one.name: one for one in fields_of(notebooks_folder() / "ds1000.ipynb")}
    assert fields["samples"].usual == {"pocket": 1, "real": 1, "laptop": 1, "paper": 40}
    page = launcher_page("ds1000", list(fields.values()))
    assert "sampled answers per problem" in page and ">40<" in page


def test_values_of_the_wrong_kind_are_all_named(tmp_path):
    fields = fields_of(write_notebook(tmp_path, "small_one"))
    check_values(fields, {"n": "3", "seed": ""})
    with pytest.raises(SettingsError, match=r"(?s)seed 'x'.*n '1\.5'"):
        check_values(fields, {"seed": "x", "n": "1.5"})


def test_a_run_is_started_in_the_background_followed_and_stopped(tmp_path, monkeypatch):
    papers = tmp_path / "papers"
    papers.mkdir()
    monkeypatch.setenv("WAIT_FOR", str(tmp_path / "never"))
    notebook = write_notebook(papers, "small_one", STEP)
    run = launch_run(str(notebook), "pocket", {"n": "4", "seed": ""}, str(tmp_path / "out"))
    for _ in range(1000):
        if "draw" in run.progress().step:
            break
        time.sleep(0.1)
    found = run.progress()
    assert (found.state, found.cells, found.of) == ("running", 3, 4)  # papermill's own among them
    assert "running" in progress_page(found, run.folder) and run.report is None
    assert json.loads((tmp_path / "out/small_one/results.json").read_text())["parameters"]["n"] == 4
    run.stop()
    run.process.wait(60)
    assert run.progress().state == "stopped"
    run.stop()  # once more does nothing


def test_what_the_command_would_refuse_is_refused_before_it_starts(tmp_path):
    notebook = write_notebook(tmp_path, "small_one")
    with pytest.raises(SettingsError, match="unknown parameter 'm'"):
        launch_run(str(notebook), "pocket", {"m": "1"}, str(tmp_path / "out"))
    assert not (tmp_path / "out").exists()


class Process:
    """Stands for a process that has ended with a status."""

    pid = 0

    def __init__(self, status):
        self.status = status

    def poll(self):
        return self.status


@pytest.mark.parametrize(
    ("status", "state"), [(0, "finished"), (1, "failed"), (130, "stopped"), (None, "waiting")]
)
def test_the_state_is_that_of_the_process(tmp_path, status, state):
    assert Launched(tmp_path, Process(status)).progress().state == state


def test_of_a_progress_bar_the_log_keeps_the_last_state(tmp_path):
    (tmp_path / "launch.log").write_text("a: 10%\ra: 50%\ra: 90%\ndone\n")
    run = Launched(tmp_path, Process(0))
    assert run.log() == "a: 90%\ndone\n"
    assert run.progress().says == "done"


@pytest.fixture
def form(tmp_path):
    for name in ("first_one", "second_one"):
        write_notebook(tmp_path, name)
    return _Launcher(find_notebooks(tmp_path), str(tmp_path / "out"))


def test_a_form_that_is_wrong_starts_nothing(form, tmp_path):
    form.boxes["n"].value = "many"
    form.start.click()
    assert "n: a whole number" in form.page.value and "not started" in form.says.value
    assert form.run is None and not (tmp_path / "out").exists()


def test_another_paper_has_another_form(form):
    form.boxes["n"].value = "7"
    form.paper.value = "second_one"
    assert form.boxes["n"].value == ""


def test_a_run_is_followed_until_its_report_can_be_shown(form, tmp_path, monkeypatch):
    page = tmp_path / "index.html"
    page.touch()

    class Ended(Launched):
        def progress(self):
            return RunProgress("finished", 3, 3, "", "report: here")

    monkeypatch.setattr(launcher_module, "launch_run", lambda *words: Ended(tmp_path, Process(0)))
    monkeypatch.setattr(launcher_module.threading, "Thread", Inline)
    form.start.click()
    assert "3 of 3 cells" in form.page.value
    assert not form.report.disabled and not form.start.disabled and form.stop.disabled
    form.report.click()
    assert f"The report is {page}" in form.page.value  # nothing serves it here
    assert 'src="/files/a%20b.html"' in launcher_module.report_page(page, "/files/a%20b.html")


class Inline:
    """Stands for a thread: works at once."""

    def __init__(self, target, args, daemon):
        self.start = lambda: target(*args)


def test_in_a_script_the_launcher_says_what_it_is(tmp_path, capsys):
    write_notebook(tmp_path, "small_one")
    with contextlib.chdir(tmp_path):
        launch(tmp_path)
    assert "Launcher of small_one" in capsys.readouterr().out


def test_a_file_has_an_address_below_the_folder_of_the_notebooks_server(tmp_path, monkeypatch):
    import os

    from jupyter_server import serverapp

    from workbench.explore.served import served_address

    here = {"pid": os.getppid(), "root_dir": str(tmp_path), "base_url": "/user/me/"}
    monkeypatch.setattr(
        serverapp, "list_running_servers", lambda: [{**here, "pid": -1, "base_url": "/"}, here]
    )
    assert served_address(tmp_path / "a b" / "index.html") == "/user/me/files/a%20b/index.html"
    assert served_address(tmp_path.parent / "index.html") is None
