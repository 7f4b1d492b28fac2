"""Plots of policies: what is drawn, from small tables."""

import math

import pandas as pd
import pytest

from workbench.core.errors import SettingsError
from workbench.core.statistics import Estimate
from workbench.plots.policies import AnswerView, answer_view, frontier_plot, hacking_plot, win_map
from workbench.policies.frontier import HackingAlarm


def test_a_frontier_has_dots_and_a_line_through_the_means_of_the_weights():
    rows = [("before", math.nan, 0, 0.0, 0.5)]
    rows += [("a", weight, seed, weight + seed, 0.6) for weight in (1.0, 0.1) for seed in (0, 1)]
    figure = frontier_plot(pd.DataFrame(rows, columns=["arm", "weight", "seed", "kl", "oracle"]), y="oracle")
    before_dots, before, dots, means = figure.data
    assert (list(before.x), before.mode, list(before_dots.x)) == ([0.0], "markers", [0.0])
    assert sorted(dots.x) == [0.1, 1.0, 1.1, 2.0]
    assert list(means.x) == pytest.approx([0.6, 1.5])  # in the order of the weights
    assert list(means.text) == [" 0.1", " 1"]
    with pytest.raises(SettingsError, match="no column kl"):
        frontier_plot(pd.DataFrame({"arm": ["a"], "weight": [1.0], "oracle": [1.0]}), y="oracle")
    with pytest.raises(SettingsError, match="no rows"):
        frontier_plot(pd.DataFrame(columns=["arm", "weight", "seed", "kl", "oracle"]), y="oracle")


def test_hacking_is_drawn_with_both_intervals():
    up, down = Estimate(1.0, 0.5, 1.7), Estimate(-0.2, -0.3, -0.1)
    alone = HackingAlarm("b", None, None, 0, 1)
    (point,) = hacking_plot([HackingAlarm("a", up, down, 3, 3), alone]).data
    assert point.name == "a (hacked)"
    assert (point.x[0], point.y[0]) == (1.0, -0.2)
    assert (point.error_x.array[0], point.error_x.arrayminus[0]) == pytest.approx((0.7, 0.5))
    with pytest.raises(SettingsError, match="two seeds"):
        hacking_plot([alone])


def test_a_win_map_has_its_arms_in_one_order_on_both_axes():
    frame = pd.DataFrame(
        {"arm": ["a", "a", "b", "b", "c", "c"], "against": ["b", "c", "a", "c", "a", "b"], "rate": [0.1] * 6}
    )
    (cells,) = win_map(frame).data
    assert list(cells.x) == list(cells.y) == ["a", "b", "c"]
    assert [math.isnan(cells.z[k][k]) for k in range(3)] == [True] * 3
    with pytest.raises(SettingsError, match="no column rate"):
        win_map(frame.drop(columns="rate"))


def test_each_reward_has_a_scale_of_its_own_over_all_answers():
    views = [
        AnswerView("before", ["one <b>."], [[1.0], [None]]),
        AnswerView("after", ["one.", "two."], [[-2.0, 1.0], [0.1, 0.2]]),
    ]
    figure = answer_view(views, ["holistic", "aspect"])
    first, second = figure.data
    assert [list(row) for row in first.z] == [[0.5, None], [None, None]]
    assert [list(row) for row in second.z] == [[-1.0, 0.5], [0.5, 1.0]]
    assert [list(row) for row in second.text] == [["-2.00", "+1.00"], ["+0.10", "+0.20"]]
    assert figure.layout.xaxis.ticktext == ("one &lt;b>.",)
    assert [note.text for note in figure.layout.annotations] == ["before", "after"]


@pytest.mark.parametrize(
    ("views", "rewards"),
    [
        ([], ["a"]),
        ([AnswerView("", ["one."], [[1.0]])], []),
        ([AnswerView("", ["one."], [[1.0, 2.0]])], ["a"]),
    ],
)
def test_what_does_not_fit_is_refused(views, rewards):
    with pytest.raises(SettingsError, match="a row a reward"):
        answer_view(views, rewards)
