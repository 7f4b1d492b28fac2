"""Training curves: every line in its panel, every name once in the legend."""

import pandas as pd
import pytest

from workbench.core.errors import SettingsError
from workbench.plots.lines import lines
from workbench.plots.theme import COLORS

FRAME = pd.DataFrame(
    [
        ("standard", 1, "reward loss", 0.7),
        ("standard", 2, "reward loss", 0.6),
        ("hybrid", 1, "reward loss", 0.65),
        ("hybrid", 1, "policy loss", 0.69),
    ],
    columns=["arm", "step", "quantity", "value"],
)


def test_every_point_is_drawn_and_every_name_stands_once():
    figure = lines(FRAME, x="step", y="value", color="arm", panel="quantity")
    drawn = {(trace.name, trace.xaxis): (trace.x, trace.y) for trace in figure.data if len(trace.x)}
    assert drawn == {
        ("standard", "x"): ((1, 2), (0.7, 0.6)),
        ("hybrid", "x"): ((1,), (0.65,)),
        ("hybrid", "x2"): ((1,), (0.69,)),
    }
    assert sorted(trace.name for trace in figure.data if trace.showlegend) == ["hybrid", "standard"]
    assert [note.text for note in figure.layout.annotations] == ["reward loss", "policy loss"]
    colours = {(trace.name, trace.line.color) for trace in figure.data}
    assert len(colours) == 2
    # a line of one point is a dot of the same colour
    dots = {(trace.name, trace.marker.color) for trace in figure.data if trace.mode == "markers"}
    assert dots == {(name, color) for name, color in colours if name == "hybrid"} | {
        (trace.name, trace.line.color) for trace in figure.data if not len(trace.x)
    }


@pytest.mark.parametrize("frame", [FRAME, FRAME[:0]])
def test_a_missing_column_is_named(frame):
    with pytest.raises(SettingsError, match="no column seed"):
        lines(frame, x="step", y="value", color="seed", panel="quantity")


def test_nothing_to_draw_is_refused():
    with pytest.raises(SettingsError, match="no rows"):
        lines(FRAME[:0], x="step", y="value", color="arm", panel="quantity")


def test_more_lines_than_colours_are_told_apart_by_dashes():
    names = [f"arm {number}" for number in range(len(COLORS) + 2)]
    rows = [(name, step, "loss", 0.5) for name in names for step in (1, 2)]
    frame = pd.DataFrame(rows, columns=["arm", "step", "quantity", "value"])
    figure = lines(frame, x="step", y="value", color="arm", panel="quantity")
    styles = [(trace.line.color, trace.line.dash) for trace in figure.data]
    assert len(set(styles)) == len(names)
    assert styles[0] == (COLORS[0], "solid")
    assert styles[len(COLORS)] == (COLORS[0], "dash")


def test_a_line_that_the_first_panel_lacks_is_in_the_legend():
    rows = [("standard", 1, "reward loss", 0.7), ("DPO", 1, "policy loss", 0.6)]
    frame = pd.DataFrame(rows, columns=["arm", "step", "quantity", "value"])
    figure = lines(frame, x="step", y="value", color="arm", panel="quantity")
    listed = {trace.name: len(trace.x) for trace in figure.data if trace.showlegend}
    assert listed == {"standard": 1, "DPO": 1}
