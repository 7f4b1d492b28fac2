"""Every kind of figure that the papers draw can be read back as points, a table and a sentence."""

import json

import numpy as np
import pandas as pd
import plotly.graph_objects as go
import pytest

from workbench.plots import bars, heatmap
from workbench.plots.lines import lines
from workbench.plots.policies import AnswerView, answer_view
from workbench.plots.rewards import best_of_n_plot, forest_plot
from workbench.rewards.best_of_n import BestOfNPoint
from workbench.runs.report.drawn import points_drawn
from workbench.runs.report.figures import description, points_table
from workbench.runs.report.points import points


def plain(figure):
    return json.loads(figure.to_json())


def texts(figure):
    columns, rows = points_table(figure)
    return columns, [[cell.text.replace("\N{NO-BREAK SPACE}", " ") for cell in row] for row in rows]


@pytest.fixture
def grouped():
    frame = pd.DataFrame(
        {
            "library": ["Numpy", "Scipy"] * 2,
            "who": ["a", "a", "b", "b"],
            "pass@1": [0.5, 0.25, 1.0, 0.0],
            "low": [0.25, 0.125, 0.5, 0.0],
            "high": [0.75, 0.5, 1.0, 0.125],
        }
    )
    return plain(bars(frame, x="library", y="pass@1", color="who", low="low", high="high"))


def test_bars_become_a_row_for_each_group(grouped):
    assert texts(grouped) == (
        ["library", "a", "b"],
        [
            ["Numpy", "50.0 % [25.0, 75.0]", "100.0 % [50.0, 100.0]"],
            ["Scipy", "25.0 % [12.5, 50.0]", "0.0 % [0.0, 12.5]"],
        ],
    )
    assert description(grouped).replace("\N{NO-BREAK SPACE}", " ") == (
        "Bar chart of pass@1 over library, 2 series: a; b. Lowest 0.0 % [0.0, 12.5] (b, Scipy), "
        "highest 100.0 % [50.0, 100.0] (b, Numpy)."
    )


def test_numpy_arrays_that_plotly_packs_are_read():
    figure = plain(go.Figure(go.Bar(x=np.array([1, 2]), y=np.array([0.5, np.nan]))))
    assert "bdata" in json.dumps(figure["data"])
    assert [(point.place, point.value) for point in points(figure)] == [(1, 0.5), (2, None)]


def test_a_map_becomes_a_table_of_its_cells():
    frame = pd.DataFrame({"x": ["p", "q", "p"], "y": ["r", "r", "s"], "v": [0.5, 1.0, 0.25]})
    assert texts(plain(heatmap(frame, x="x", y="y", value="v"))) == (
        ["y", "p", "q"],
        [["r", "50.0 %", "100.0 %"], ["s", "25.0 %", "–"]],
    )


def test_words_in_a_map_are_told_in_their_order():
    figure = {
        "data": [{"type": "heatmap", "z": [[0.5, -1.0, None]], "text": [["a", "&lt;end&gt;", ""]]}],
        "layout": {},
    }
    assert [(point.place, point.value) for point in points(figure)] == [("1. a", 0.5), ("2. <end>", -1.0)]


def test_panels_are_named_by_their_titles():
    frame = pd.DataFrame(
        {
            "step": [1, 2] * 2,
            "value": [1.0, 0.5, 0.25, 0.75],
            "arm": "x",
            "panel": ["loss"] * 2 + ["accuracy"] * 2,
        }
    )
    columns, rows = texts(plain(lines(frame, x="step", y="value", color="arm", panel="panel")))
    assert columns == ["panel", "step", "x"]
    assert rows == [
        ["loss", "1", "1"],
        ["loss", "2", "0.500"],
        ["accuracy", "1", "0.250"],
        ["accuracy", "2", "0.750"],
    ]


def test_dots_beside_their_tick_bear_its_name():
    figure = {
        "data": [
            {"type": "scatter", "name": "a", "x": [0.5], "y": [0.1], "error_x": {"array": [0.25]}},
            {"type": "scatter", "name": "b", "x": [0.75], "y": [0.9], "error_x": {"array": [0.25]}},
        ],
        "layout": {
            "yaxis": {"tickvals": [0, 1], "ticktext": ["one", "two"]},
            "xaxis": {"title": {"text": "share"}},
        },
    }
    assert [(p.place, p.value, p.low, p.high) for p in points(figure)] == [
        ("one", 0.5, 0.25, 0.75),
        ("two", 0.75, 0.5, 1.0),
    ]
    assert texts(figure)[0] == ["series", "place", "share"]  # each has a place of its own


def test_an_interval_that_is_told_when_pointed_at_is_read_and_guides_are_not():
    told = "best of %{x}: %{y:.3f} [%{customdata[0]:.3f}, %{customdata[1]:.3f}]"
    curve = {
        "type": "scatter",
        "name": "a",
        "x": [1],
        "y": [0.5],
        "customdata": [[0.4, 0.6]],
        "hovertemplate": told,
    }
    band = {"type": "scatter", "x": [1, 1], "y": [0.4, 0.6], "hoverinfo": "skip"}
    (point,) = points({"data": [band, curve], "layout": {}})
    assert (point.low, point.high) == (0.4, 0.6)


def test_a_figure_without_points_is_only_named():
    assert description({"data": [], "layout": {}}) == "Figure."


@pytest.fixture
def rows():
    return pd.DataFrame(
        {
            "place": ["p", "q", "p", "q"],
            "who": ["a", "a", "b", "b"],
            "value": [0.5, 0.25, 1.0, 0.0],
            "low": [0.25, 0.125, 0.5, 0.0],
            "high": [0.75, 0.5, 1.0, 0.125],
        }
    )


@pytest.mark.parametrize(
    "draw",
    [
        lambda rows: bars(rows, x="place", y="value", color="who", low="low", high="high"),
        lambda rows: bars(rows[:2], x="place", y="value", percent=False),
        lambda rows: heatmap(rows, x="place", y="who", value="value"),
        lambda rows: lines(rows, x="value", y="low", color="place", panel="who"),
        lambda rows: forest_plot(rows, y="place", value="value", color="who"),
    ],
)
def test_what_a_plot_hands_over_is_what_it_draws(draw, rows):
    figure = plain(draw(rows))
    assert figure["layout"]["meta"]["points"]["rows"]
    assert points(figure) == points_drawn(figure)


def test_a_figure_of_another_library_is_read_back_whatever_its_meta_is():
    figure = plain(go.Figure(go.Bar(x=["p"], y=[0.5]), layout={"meta": ["mine"]}))
    assert [(point.place, point.value) for point in points(figure)] == [("p", 0.5)]


def test_numbers_that_are_not_drawn_as_such_are_handed_over():
    view = AnswerView(
        "before", ["one .", "two ."], [[2.0, None]]
    )  # drawn as shares of the largest, 1 and nothing
    (first, second) = points(plain(answer_view([view], ["aspect"])))
    assert (first.panel, first.series, first.place, first.value) == ("before", "aspect", "1. one .", 2.0)
    assert second.value is None
    curve = {"a": [BestOfNPoint(1, 0.5, 0.4, 0.6, 9)]}
    (point,) = points(plain(best_of_n_plot(curve)))
    assert (point.place, point.value, point.low, point.high) == (1, 0.5, 0.4, 0.6)
