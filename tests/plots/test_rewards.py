"""Plots show the numbers they are given."""

from __future__ import annotations

import pandas as pd
import pytest

from workbench.core.errors import SettingsError
from workbench.plots.reward_tokens import TokenView, token_view
from workbench.plots.rewards import best_of_n_plot, forest_plot, reliability_diagram, transfer_map
from workbench.preferences.accuracy import pairwise_accuracy
from workbench.preferences.calibration import calibrate
from workbench.rewards.best_of_n import best_of_n_curve

FRAME = pd.DataFrame(
    {
        "source": ["hh", "all", "hh", "all"],
        "score": ["explicit", "explicit", "implicit", "implicit"],
        "accuracy": [0.5, 0.625, 0.75, 0.5],
        "low": [0.25, 0.5, 0.5, 0.25],
        "high": [0.75, 0.75, 1.0, 0.75],
    }
)


def test_a_forest_has_a_line_for_each_label_and_whiskers_to_both_ends() -> None:
    figure = forest_plot(FRAME, y="source", color="score")
    explicit, implicit = figure.data
    assert (explicit.name, implicit.name) == ("explicit", "implicit")
    assert list(explicit.x) == [0.5, 0.625]
    assert list(explicit.error_x.array) == [0.25, 0.125]
    assert list(implicit.error_x.arrayminus) == [0.25, 0.25]
    assert list(figure.layout.yaxis.ticktext) == ["hh", "all"]
    assert figure.layout.yaxis.range[0] > figure.layout.yaxis.range[1]  # the first on top
    assert explicit.y[0] < implicit.y[0] < explicit.y[1]
    assert figure.layout.shapes[0].x0 == 0.5
    assert not forest_plot(FRAME, y="source", reference=None).layout.shapes


def test_a_missing_column_is_named() -> None:
    with pytest.raises(SettingsError, match="no column speed"):
        forest_plot(FRAME, y="speed")


def test_the_map_keeps_order_and_leaves_gaps_white() -> None:
    good, bad = pairwise_accuracy([1.0]), pairwise_accuracy([-1.0])
    (cells,) = transfer_map({("a", "x"): good, ("b", "x"): bad, ("b", "y"): good}).data
    assert (list(cells.y), list(cells.x)) == (["a", "b"], ["x", "y"])
    assert [list(row) for row in cells.z] == [[1.0, None], [0.0, 1.0]]
    assert list(cells.customdata[1][0]) == [bad.low, bad.high, 1]


def test_the_diagram_draws_bins_against_the_diagonal() -> None:
    found = calibrate([0.1, 2.0, -2.0, 3.0])
    diagonal, points = reliability_diagram({"explicit": found}).data
    assert list(diagonal.x) == list(diagonal.y)
    assert list(points.x) == [one.confidence for one in found.bins]
    assert list(points.y) == [one.accuracy for one in found.bins]
    assert f"{found.error:.3f}" in points.name


def test_curves_have_a_band_and_the_most_that_can_be_reached() -> None:
    curve = best_of_n_curve([[1.0, 2.0], [2.0, 1.0]], [[0.0, 1.0], [0.5, 1.0]])
    band, line, best = best_of_n_plot({"hybrid": curve}, best=curve).data
    assert list(line.x) == [1, 2]
    assert list(line.y) == [point.value for point in curve]
    assert list(band.y) == [curve[0].high, curve[1].high, curve[1].low, curve[0].low]
    assert (line.name, best.line.dash) == ("hybrid", "dot")


def test_tokens_are_laid_out_in_lines_on_one_scale() -> None:
    chosen = TokenView("chosen", [" yes", "\n", "<b>", *["unbelievably"] * 11], [1.0, -3.0, *[0.0] * 12])
    figure = token_view([chosen, TokenView("rejected", ["no"], [0.5])])
    first, second = figure.data
    assert [len(row) for row in first.z] == [12, 12]
    assert list(first.text[0][:3]) == ["·yes", "⏎", "&lt;b&gt;"]
    assert (first.text[0][3], first.customdata[0][3]) == ("unbeliev…", "unbelievably")
    assert list(first.z[1][2:]) == [None] * 10
    assert list(first.text[1][2:]) == [""] * 10
    assert second.z[0][0] == 0.5
    assert (figure.layout.coloraxis.cmin, figure.layout.coloraxis.cmax) == (-3.0, 3.0)
    assert [one.text for one in figure.layout.annotations] == ["chosen", "rejected"]


@pytest.mark.parametrize(
    "call",
    [
        lambda: transfer_map({}),
        lambda: reliability_diagram({}),
        lambda: best_of_n_plot({}),
        lambda: token_view([]),
        lambda: token_view([TokenView("a", ["x"], [])]),
        lambda: token_view([TokenView("a", [], [])]),
    ],
)
def test_nothing_to_draw_is_an_error(call: object) -> None:
    with pytest.raises(SettingsError):
        call()  # type: ignore[operator]
