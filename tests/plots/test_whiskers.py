"""An interval as plotly draws it."""

import pytest

from workbench.plots.whiskers import whiskers


def test_ends_are_told_by_their_distance_from_the_value():
    drawn = whiskers([0.5, 0.25], [0.25, 0.0], [1.0, 0.5])
    assert drawn == {"type": "data", "symmetric": False, "array": [0.5, 0.25], "arrayminus": [0.25, 0.25]}
    assert whiskers([1.0], [0.0], [3.0], color="#123456")["color"] == "#123456"


def test_every_value_needs_both_ends():
    with pytest.raises(ValueError, match="argument 3"):
        whiskers([0.5, 0.25], [0.25, 0.0], [1.0])
