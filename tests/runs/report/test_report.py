"""The report is one page that holds all it shows, and says it in words."""

import base64
import hashlib
import itertools
import json
import re

import pandas as pd
import plotly.graph_objects as go
import pytest

from workbench.core.errors import RunError
from workbench.core.paired import Effect
from workbench.core.statistics import Estimate
from workbench.runs import Run
from workbench.runs.claims import Claim
from workbench.runs.report import render_report, write_report

TRICKY = "</script><b>bold</b> & 'quotes'"


@pytest.fixture(scope="module")
def page(tmp_path_factory):
    folder = tmp_path_factory.mktemp("run")
    run = Run.open("ds1000", parameters={"seed": 3}, out=folder, title="DS-1000", asks="How good?")
    run.record("pass@1", {"by library": {"Pandas": 0.123456}})
    run.table("t", pd.DataFrame({"library": [TRICKY], "pass@1": [0.5]}), "A table")
    run.figure("f", go.Figure(go.Bar(x=[TRICKY], y=[1])), f"A figure {TRICKY}")
    for statement, supported in (("First", True), ("Second", False), ("Third", None)):
        run.claim(
            paper="P 2022",
            statement=statement,
            measured=0.5,
            interval=(0.25, 0.75),
            n=84,
            seeds=1,
            supported=supported,
        )
    run.claim(paper="P 2022", statement="Fourth", paper_value=0.4)
    return run.finish().read_text()


def test_nothing_is_fetched_from_anywhere(page):
    assert "default-src 'none'" in page
    without_plotly = page[: page.index("plotly.js v")] if "plotly.js v" in page else page
    assert not re.search(r"<(script|img|iframe|audio|video)[^>]*\ssrc=", page)
    assert re.findall(r'<link[^>]*href="([^"]*)"', page) == ["data:,"]
    assert "@import" not in without_plotly


def test_plotly_is_there_once(page):
    assert page.count("plotly.js v") == 1


def test_text_from_results_cannot_become_markup(page):
    assert "</script><b>bold" not in page
    (holder,) = re.findall(r'class="plot".*?<script type="application/json">(.*?)</script>', page, re.S)
    assert json.loads(holder)["data"][0]["x"] == [TRICKY]


def test_only_the_pages_own_scripts_may_run(page):
    scripts = re.findall(r"<script>(.*?)</script>", page, re.S)
    assert len(scripts) == 2
    allowed = {
        f"'sha256-{base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()}'"
        for script in scripts
    }
    (policy,) = re.findall(r"script-src ([^;]*);", page)
    assert set(policy.split()) == allowed


@pytest.mark.parametrize(
    "words",
    ["✓", "1 supported", "1 not supported", "1 undecided", "1 not measured", "[0.25, 0.75]", "n = 84"],
)
def test_verdicts_are_words_beside_their_interval(page, words):
    assert words in page


def test_landmarks_headings_and_labels(page):
    assert page.count("<h1") == 1
    for part in ('<html lang="en">', "<header", "<nav class", "<main", "<footer", 'name="viewport"'):
        assert part in page
    levels = [int(level) for level in re.findall(r"<h([1-6])[ >]", page[: page.index("</main>")])]
    assert all(after - before <= 1 for before, after in itertools.pairwise(levels))
    for named in re.findall(r'aria-labelledby="([^"]*)"', page):
        assert page.count(f'id="{named}"') == 1


def test_every_figure_is_told_in_words_and_set_out_as_a_table(page):
    assert "Bar chart of value. Lowest 1" in page
    assert page.count("Data of this figure") == page.count("<figure") == 1


def test_what_was_asked_parameters_and_numbers_are_shown(page):
    for words in ("How good?", "timeout_s", "pass@1 / by library / Pandas", "0.1235", "papermill"):
        assert words in page


def test_the_executed_notebook_is_linked_where_there_is_one(tmp_path):
    Run.open("ds1000", parameters={}, out=tmp_path)
    assert "notebook.ipynb" not in render_report(tmp_path)
    (tmp_path / "ds1000/notebook.ipynb").write_text('{"cells": [], "metadata": {}}')
    page = write_report(tmp_path).read_text()
    for name in ("ds1000/notebook.ipynb", "ds1000/notebook.html"):
        assert f'href="{name}"' in page
        assert (tmp_path / name).is_file()


def test_several_papers_begin_with_all_their_claims(tmp_path):
    for paper in ("ds1000", "arks"):
        run = Run.open(paper, parameters={}, out=tmp_path)
        run.claim(paper="P", statement=f"Claim of {paper}", measured=0.1, interval=(0.05, 0.2), unit="points")
    page = render_report(tmp_path)
    assert page.index("All claims") < page.index('id="arks"') < page.index('id="ds1000"')
    overview = page[: page.index('class="paper"')]
    for paper in ("ds1000", "arks"):
        assert f'<a href="#{paper}-claim-1">Claim of {paper}</a>' in overview
    assert "+10.0\N{NO-BREAK SPACE}points" in overview


def test_an_unfinished_notebook_is_said_to_be(tmp_path):
    Run.open("ds1000", parameters={}, out=tmp_path)
    (tmp_path / "ds1000/state.json").write_text(
        '{"status": "failed", "cell": "4", "error": "ValueError: no"}'
    )
    assert "Cell 4 failed: ValueError: no" in render_report(tmp_path)


def test_a_folder_without_results_is_refused(tmp_path):
    with pytest.raises(RunError, match="no results in"):
        write_report(tmp_path)
    (tmp_path / "scored").mkdir()
    (tmp_path / "scored/results.json").write_text('{"accuracy": [], "model": "m"}')  # of `reward score`
    with pytest.raises(RunError, match="no results in"):
        write_report(tmp_path)
    assert [file.name for file in tmp_path.iterdir()] == ["scored"]


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ("{", "Expecting"),
        ("[]", "no JSON object"),
        (
            '{"profile": "pocket", "claims": 3, "tables": []}',
            "'claims' is int, not list; 'tables' is list, not dict",
        ),
    ],
)
def test_damaged_results_are_named(tmp_path, content, said):
    Run.open("ds1000", parameters={}, out=tmp_path)
    (tmp_path / "ds1000/results.json").write_text(content)
    with pytest.raises(RunError) as raised:
        write_report(tmp_path)
    assert "ds1000/results.json" in raised.value.got
    assert said in raised.value.got


def test_a_run_without_its_manifest_is_not_said_to_be_of_this_machine(tmp_path):
    Run.open("ds1000", parameters={}, out=tmp_path)
    (tmp_path / "manifest.json").unlink()
    page = write_report(tmp_path).read_text()
    assert "Not known: the run has no" in page
    assert "processor" not in page
    assert not (tmp_path / "manifest.json").exists()


def test_a_kept_tables_verdict_stands_beside_the_runs(tmp_path, capsys):
    wide, narrow = (
        Effect(Estimate(0.1, 0.1 - half, 0.1 + half), seeds=seeds, units=40)
        for half, seeds in ((0.3, 3), (0.05, 9))
    )
    run = Run.open("ds1000", parameters={"seed": 3}, out=tmp_path, title="DS-1000", asks="How good?")
    run.claim(Claim.of(wide, statement="First", paper="P").beside(narrow, "make it"))
    run.claim(Claim.of(wide, statement="Second", paper="P"))
    run.conclude()
    said = capsys.readouterr().out
    assert "undecided: 2 of 2" in said
    assert "Otherwise by kept tables" in said
    assert "supported: First" in said
    words = re.sub(r"<[^>]*>|\s+", " ", run.finish().read_text())
    assert "Kept table: 0.1 [0.05, 0.15], 9 seeds" in words
    assert "Believe the kept table: 9 seeds, here 3" in words
    assert "With the kept tables of more seeds" in words
