"""A run that somebody sent, poisoned in every file: continued, reported, opened in every widget.

Nothing that the folder brings is run, nothing of this machine is copied into a page, nothing outside is written.
"""

import json
import os
import pickle
from hashlib import sha256
from html.parser import HTMLParser
from pathlib import Path

import nbformat
import plotly.graph_objects as go
import pytest
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook, new_output

from workbench.display.explore import browse_problems, compare_runs, explore_traces, training_curves
from workbench.display.report import write_comparison, write_report
from workbench.errors import DataError, RunError, WorkbenchError
from workbench.experiments.jobs import run_jobs
from workbench.runs import Run
from workbench.runs.folders import sole_user

XSS = "<script>alert(1)</script><img src=x onerror=alert(2)>"
ACTING = (
    '<meta http-equiv="refresh" content="0;url=//x"><base href="//x"><form action="//x"><input></form>'
    '<iframe src="//x"></iframe><a href="javascript:alert(1)">b</a><b>kept</b>'
)
SECRET = "this machine's own secret"


class Bomb:
    def __init__(self, marker):
        self.marker = marker

    def __reduce__(self):
        return Path.touch, (self.marker,)


def square(number):
    return number * number


def draw(n, folder):
    return run_jobs(square, {f"job-{k}": k for k in range(n)}, folder / "jobs", progress=False)


def make(out):
    """Do what a paper's notebook does; again in the same folder, it continues."""
    run = Run.open("small", out=out, parameters={"seed": 0}, title="A small one")
    numbers = run.step("draw", draw, 3)
    run.record("total", sum(numbers.values()))
    run.figure("numbers", go.Figure(go.Bar(y=list(numbers.values()))), "The numbers")
    run.claim(paper="Nobody 2020", statement="They are drawn", measured=3, supported=True)
    run.finish()
    return numbers


@pytest.fixture
def outside(tmp_path):
    """Hold files of this machine that lie beside the run."""
    place = tmp_path / "home"
    place.mkdir()
    figure = {"data": [{"type": "bar", "x": [SECRET], "y": [1]}], "layout": {"title": {"text": SECRET}}}
    (place / "secret.json").write_text(
        json.dumps({**figure, "parameters": {"key": SECRET}, "profile": SECRET})
    )
    row = {"step": 1, "loss": 0.5, SECRET: 1}
    (place / "secret.jsonl").write_text(json.dumps(row) + "\n")
    return place


@pytest.fixture
def received(tmp_path, outside):
    """Hold a run, poisoned in every file."""
    out = tmp_path / "run"
    make(out)
    paper, marker = out / "small", tmp_path / "marker"
    for file in paper.rglob("*.step"):
        head = json.loads(file.read_bytes().partition(b"\n")[0])
        bomb = pickle.dumps(Bomb(marker), 4)
        head |= {"form": "pickle", "sha256": sha256(bomb).hexdigest()}
        file.write_bytes(json.dumps(head).encode() + b"\n" + bomb)
    for number, file in enumerate(sorted(paper.rglob("*.result"))):
        file.write_bytes(pickle.dumps(Bomb(marker), number))
    assert list(paper.rglob("*.step")) and list(paper.rglob("*.result"))
    results = json.loads((paper / "results.json").read_text())
    figure = {"caption": XSS}
    results |= {
        "title": XSS, "asks": XSS, "parameters": {XSS: XSS, "problems": str(outside / "secret.jsonl"), "data": XSS},
        "figures": {
            "absolute": {**figure, "file": str(outside / "secret.json")},
            "above": {**figure, "file": "../../home/secret.json"},
            "number": {**figure, "file": 3},
            f"x\" onload=\"{XSS}": {**figure, "file": "figures/numbers.json"},
        },
        "tables": {XSS: {"caption": XSS, "columns": [XSS], "rows": [[XSS]]}},
        "claims": [{**results["claims"][0], "statement": XSS, "note": XSS, "measured": XSS}],
    }  # fmt: skip
    (paper / "results.json").write_text(json.dumps(results))
    drawn = {"data": [{"type": "bar", "x": [f"</script>{XSS}"], "y": [1], "name": XSS}], "layout": {}}
    (paper / "figures" / "numbers.json").write_text(json.dumps(drawn))
    steps = {f"draw-{XSS}": {"seconds": 1.0}, "answers-x/../../../../home-0123456789abcdef": {"seconds": 1.0}}
    steps |= {"../../../home": {"seconds": 1.0}, str(outside): {"seconds": 1.0}}
    (paper / "timings.json").write_text(json.dumps({"steps": steps, "seed": XSS}))
    (paper / "state.json").write_text(json.dumps({"status": "failed", "cell": XSS, "error": XSS}))
    (out / "manifest.json").write_text(
        json.dumps({"machine": {"processor": XSS, "gpus": [XSS]}, "packages": {XSS: XSS}})
    )
    acting = (
        f'{XSS}<meta http-equiv="refresh" content="0;url=//x"><base href="//x"><form action="//x">a</form>'
    )
    acting += '<iframe src="//x"></iframe><a href="javascript:alert(1)">b</a><b>kept</b>'
    cell = new_code_cell("1", outputs=[new_output("display_data", {"text/html": XSS + ACTING})])
    notebook = new_notebook(cells=[new_markdown_cell(f"# T\n\n{XSS}{ACTING}\n\n$\\text{{{XSS}}}$"), cell])
    nbformat.write(notebook, paper / "notebook.ipynb")
    (paper / "training_log.jsonl").write_text(f'[1]\n"x"\n{json.dumps({"step": XSS, "loss": 1.0, XSS: 2})}\n')
    return out, marker


def pages(out):
    return {page: page.read_text() for page in out.rglob("*.html")}


class Acting(HTMLParser):
    """Finds what acts in a page: elements, handlers and addresses; scripts, unless they are the report's own."""

    def __init__(self, text):
        super().__init__()
        self.found, self._script = [], False
        self.feed(text)

    def handle_starttag(self, tag, attrs):
        given = {name: value or "" for name, value in attrs}
        self._script = tag == "script" and given.get("type") != "application/json"
        reloads = tag == "meta" and given.get("http-equiv", "").lower() == "refresh"
        if tag in ("form", "base", "iframe", "object", "embed", "input") or reloads:
            self.found.append(tag)
        self.found += [name for name in given if name.startswith("on")]
        if tag == "img" and not given.get("src", "data:").startswith("data:"):
            self.found.append(given["src"])
        if given.get("href", "").strip().lower().startswith(("javascript", "data:text")):
            self.found.append(given["href"])

    def handle_data(self, data):
        if self._script and "alert(" in data:
            self.found.append(data[:80])
        self._script = False


def harmless(text):
    """Tell whether a page shows a poisoned folder and does nothing of its."""
    return SECRET not in text and not Acting(text).found


def test_what_acts_is_found():
    for text in (XSS, ACTING):
        assert not harmless(text)


def test_it_is_continued(received, capsys):
    out, marker = received
    assert make(out) == {"job-0": 0, "job-1": 1, "job-2": 4}
    said = capsys.readouterr()
    assert "and the step is computed again: it is a pickle" in said.out
    assert said.err.count("and the job is done again") == 3
    assert not marker.exists()
    assert all(map(harmless, pages(out).values()))
    capsys.readouterr()
    make(out)
    assert "draw: from cache" in capsys.readouterr().out


def test_it_is_reported(received, tmp_path):
    out, marker = received
    text = write_report(out).read_text()
    assert text.count("Not shown:") == 3
    assert "is not in the paper&#39;s folder" in text
    notebook = (out / "small" / "notebook.html").read_text()
    assert "<b>kept</b>" in notebook
    make(tmp_path / "own")
    write_comparison([out, tmp_path / "own"], tmp_path / "comparison.html")
    assert all(map(harmless, [*pages(out).values(), (tmp_path / "comparison.html").read_text()]))
    assert not marker.exists()


def test_it_is_opened_in_every_widget(received, tmp_path, monkeypatch):
    out, marker = received
    shown: list[str] = []
    monkeypatch.setattr(
        "workbench.display.explore.presence.show_html", lambda markup, text: shown.append(markup)
    )
    compare_runs(out, root=tmp_path)
    training_curves(out)
    for widget in (browse_problems, explore_traces):
        with pytest.raises(
            DataError
        ):  # there is nothing of theirs in the folder, whatever the steps' names say
            widget(out)
    assert len(shown) == 2
    assert all(map(harmless, shown))
    assert not marker.exists()


def test_answers_of_a_folder_name_no_problems_elsewhere(received, outside):
    out, _ = received
    paper = out / "small"
    (paper / "verdicts.jsonl").write_text("{}\n")
    (paper / "summary.json").write_text(
        json.dumps({"problem_set": {"source": str(outside / "secret.jsonl")}})
    )
    with pytest.raises(DataError, match="outside of"):
        browse_problems(paper)
    (paper / "summary.json").write_text(json.dumps({"problem_set": {"source": "suite"}}))
    with pytest.raises(DataError, match="answers, verdicts and results as a run left them"):
        browse_problems(paper)


LINKED = [
    "results.json",
    "timings.json",
    "state.json",
    "notebook.ipynb",
    "figures/numbers.json",
    "training_log.jsonl",
]


@pytest.mark.parametrize("name", [*LINKED, "steps", "../manifest.json"])
def test_a_link_that_leads_out_is_refused(received, outside, name, tmp_path):
    """A report copied what the link led to; a journal would have been written there."""
    out, _ = received
    place = out / "small" / name
    if place.is_dir():
        place.rename(tmp_path / "moved")
        place.symlink_to(outside)
    else:
        place.unlink()
        place.symlink_to(outside / "secret.json")
    before = {file: file.read_bytes() for file in outside.iterdir()}
    acts = [write_report, compare_runs, browse_problems, training_curves]
    if not name.startswith(".."):  # a paper's own part
        acts += [make, explore_traces]
    for act in acts:
        with pytest.raises(RunError, match="out of the folder"):
            act(out / "small" if act is explore_traces else out)
    assert {file: file.read_bytes() for file in outside.iterdir()} == before


def test_a_link_out_of_a_folder_that_answers_are_scored_into_is_refused(tmp_path, outside):
    """A journal appends to its file, wherever a link leads."""
    (tmp_path / "scores").mkdir()
    (tmp_path / "scores" / "verdicts.jsonl").symlink_to(outside / "secret.jsonl")
    with (
        pytest.raises(RunError, match="out of the folder"),
        sole_user(tmp_path / "scores", "is scoring into", "--out DIR"),
    ):
        pass


def test_a_pipe_is_refused(tmp_path):
    """Reading it would wait for ever."""
    make(tmp_path / "run")
    (tmp_path / "run" / "small" / "results.json").unlink()
    os.mkfifo(tmp_path / "run" / "small" / "results.json")
    with pytest.raises(RunError, match="neither a file nor a folder"):
        write_report(tmp_path / "run")


def test_a_link_inside_of_the_folder_stays_one(tmp_path):
    make(tmp_path / "run")
    file = tmp_path / "run" / "small" / "figures" / "numbers.json"
    file.rename(file.with_name("moved.json"))
    file.symlink_to("moved.json")
    assert "Not shown" not in write_report(tmp_path / "run").read_text()


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("results.json", {"profile": "x", "claims": [{}]}), ("results.json", {"profile": "x", "claims": [3]}),
        ("results.json", {"profile": "x", "figures": {"a": 3}}),
        ("results.json", {"profile": "x", "tables": {"a": []}}),
        ("results.json", {"profile": "x", "tables": {"a": {"caption": "", "columns": ["b"], "rows": [[1, 2]]}}}),
        ("timings.json", {"steps": {"a": 3}}), ("timings.json", {"steps": {"a-b": {"seconds": "x"}}}),
        ("state.json", {"status": "finished", "seconds": "x"}), ("notebook.ipynb", {"cells": [3]}),
        ("notebook.ipynb", {"cells": [], "metadata": 3}), ("figures/numbers.json", {"data": 3}),
        ("figures/numbers.json", {"data": [{"type": "bar", "x": 3, "y": {"a": 1}}], "layout": []}),
        ("../manifest.json", {"machine": {"memory_bytes": "x"}, "packages": 3}),
    ],
)  # fmt: skip
def test_what_no_run_writes_is_shown_or_one_error(tmp_path, name, content):
    out = tmp_path / "run"
    make(out)
    (out / "small" / "notebook.ipynb").write_text('{"cells": [], "metadata": {}}')
    (out / "small" / name).write_text(json.dumps(content))
    try:
        write_report(out)
    except WorkbenchError as error:
        assert error.fix
