"""Runs are compared by what they have in common, place by place, with their intervals."""

import pandas as pd
import pytest

from workbench.core.errors import RunError, SettingsError
from workbench.plots import bars
from workbench.runs import Run
from workbench.runs.report.alignment import aligned_metrics, table_points
from workbench.runs.report.comparison import differing_parameters, render_comparison, write_comparison
from workbench.runs.report.paper import read_papers


def make(folder, height, **parameters):
    run = Run.open("ds1000", parameters=parameters, out=folder, title="DS-1000")
    frame = pd.DataFrame({"library": ["Numpy", "Scipy"], "p": [height, 0.5], "low": 0.0, "high": 1.0})
    if height == 0.25:
        frame = frame[:1]
    run.figure("by-library", bars(frame, x="library", y="p", low="low", high="high"), "p by library")
    run.table("gaps", frame.assign(kind="x"), "Without a word before its value")
    run.claim(
        paper="P",
        statement="It is more than half",
        measured=height,
        interval=(height - 0.1, height + 0.1),
        unit="share",
        threshold=0.5,
        supported=height > 0.6,
    )
    run.record("pass@1", {"a": height}, show=False)
    return folder


@pytest.fixture(scope="module")
def runs(tmp_path_factory):
    folder = tmp_path_factory.mktemp("runs")
    return [make(folder / "one", 0.25, seed=1), make(folder / "two", 0.75, seed=2)]


def test_parameters_that_differ():
    assert differing_parameters([{"a": 1, "b": 2}, {"a": 1, "b": 3, "c": 4}]) == (
        {"b": [2, 3], "c": [None, 4]},
        {"a": 1},
    )


def test_points_are_aligned_by_their_place(runs):
    papers = [read_papers(folder)[0] for folder in runs]
    metric = aligned_metrics(papers)[0]
    assert (metric.name, metric.caption, metric.places) == ("by-library", "p by library", ("Numpy",))
    assert [point.value for point in metric.rows[0]] == [0.25, 0.75]
    assert metric.percent


@pytest.mark.parametrize(
    ("columns", "rows", "places"),
    [
        (["who", "value", "low", "high"], [["a", 0.5, 0.1, 0.9], ["b", 0.5, 0.1, 0.9]], ["a", "b"]),
        (["who", "round", "value", "low", "high"], [["a", 0, 0.5, 0.1, 0.9], ["a", 1, 0.5, 0.1, 0.9]],
         ["a, round 0", "a, round 1"]),
        (["value", "low", "high"], [[0.5, 0.1, 0.9], [0.5, 0.1, 0.9]], []),
        (["who", "value"], [["a", 0.5]], []),
        (["who", "value", "low", "high"], [["a", None, None, None]], []),
    ],
)  # fmt: skip
def test_rows_with_intervals_are_told_apart_by_words_and_then_by_whole_numbers(columns, rows, places):
    found = table_points({"columns": columns, "rows": rows, "caption": ""})
    assert [point.place for point in found] == places


def test_the_page_shows_what_differs_and_both_measurements(runs):
    page = render_comparison(runs, runs[0].parent)
    assert 'href="one/index.html"' in page
    assert "Parameters that differ" in page
    assert "timeout_s" in page[page.index("that are the same") :]
    for words in ("25.0\N{NO-BREAK SPACE}%", "[65.0, 85.0]", "not supported", "difference", "0.500"):
        assert words in page
    assert page.count("plotly.js v") == 1


def test_runs_of_the_same_name_are_told_apart_by_their_folders(tmp_path):
    runs = [make(tmp_path / "a/pocket", 0.25), make(tmp_path / "b/pocket", 0.75)]
    page = write_comparison(runs, tmp_path / "page.html").read_text()
    assert '<a href="a/pocket/index.html">a/pocket</a>' in page
    assert "All the same." in page


def test_a_paper_that_one_run_lacks_is_said_to_be(tmp_path, runs):
    other = make(tmp_path / "both", 0.75)
    Run.open("arks", parameters={}, out=other, title="ARKS")
    assert "Only both has this paper" in render_comparison([runs[0], other], tmp_path)


def test_one_run_twice_is_refused(runs):
    with pytest.raises(SettingsError, match="2 runs, 1 different"):
        render_comparison([runs[0], runs[0]], runs[0].parent)


def test_a_folder_that_is_no_run_is_refused(runs, tmp_path):
    with pytest.raises(RunError, match="no results in"):
        render_comparison([runs[0], tmp_path], tmp_path)
