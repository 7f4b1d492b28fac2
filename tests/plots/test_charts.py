"""Plots show the numbers they are given."""

import pandas as pd
import pytest

from workbench.core.errors import SettingsError
from workbench.plots.charts import bars, heatmap

FRAME = pd.DataFrame(
    {
        "library": ["Pandas", "Numpy", "Pandas", "Numpy"],
        "generator": ["a", "a", "b", "b"],
        "pass": [0.5, 0.25, 1.0, 0.75],
        "low": [0.25, 0.125, 0.5, 0.5],
        "high": [0.75, 0.5, 1.0, 1.0],
    }
)


def test_bars_have_their_heights_and_whiskers():
    figure = bars(FRAME, x="library", y="pass", color="generator", low="low", high="high")
    assert [bar.name for bar in figure.data] == ["a", "b"]
    assert figure.data[0].y == (0.5, 0.25)
    assert figure.data[0].error_y.array == (0.25, 0.25)
    assert figure.data[1].error_y.arrayminus == (0.5, 0.25)


def test_a_heatmap_keeps_the_order_of_the_rows():
    (cells,) = heatmap(FRAME, x="library", y="generator", value="pass").data
    assert list(cells.x) == ["Pandas", "Numpy"]
    assert cells.z.tolist() == [[0.5, 0.25], [1.0, 0.75]]


def test_a_missing_column_is_named():
    with pytest.raises(SettingsError, match="no column speed in the table"):
        bars(FRAME, x="library", y="speed")
    with pytest.raises(SettingsError, match="no column speed in the table"):
        heatmap(FRAME, x="library", y="generator", value="speed")


def test_half_an_interval_is_refused():
    with pytest.raises(SettingsError, match="both ends of the interval"):
        bars(FRAME, x="library", y="pass", low="low")
