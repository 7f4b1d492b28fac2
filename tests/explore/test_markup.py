"""The pieces that widgets are made of: text stays text, and nothing needs a script."""

import re

import pytest

from workbench.explore.differences import marked_differences, side_by_side
from workbench.explore.markup import badge, bar, card, escape, listing, table
from workbench.explore.presence import SESSION, is_session, is_watched, picture_with_widget, present

EVIL = "<script>alert('x')</script>"


@pytest.mark.parametrize(
    "markup",
    [
        card("", title=EVIL), badge(EVIL), listing([escape(EVIL)]), table([EVIL], []), bar({EVIL: 1}, 2, EVIL),
        side_by_side(EVIL, "x"), picture_with_widget(EVIL, "", "name"),
    ],
)  # fmt: skip
def test_texts_cannot_become_markup(markup):
    assert "<script" not in markup and "alert(" in markup


def test_only_the_words_that_differ_are_marked():
    mine, theirs = marked_differences("a = 1\nb = sum(a)", "a = 1\nb = max(a)")
    assert mine[0] == theirs[0] == "a = 1"
    assert [re.findall(r"<mark[^>]*>(.*?)</mark>", one) for one in (mine[1], theirs[1])] == [["sum"], ["max"]]
    assert re.sub(r"</?mark[^>]*>", "", mine[1]) == "b = sum(a)"


def test_a_line_that_only_one_has_is_marked_as_a_whole():
    mine, theirs = marked_differences("a = 1\n  print(a)\nb = 2", "a = 1\nb = 2")
    assert theirs == ["a = 1", "b = 2"]
    assert re.sub(r"</?mark[^>]*>", "", mine[1]) == "  print(a)"
    assert mine[1].startswith("  <mark"), "the space before it is no difference"


def test_without_a_reference_nothing_is_marked():
    assert "<mark" not in side_by_side("a = 1", "")


def test_the_line_that_went_wrong_is_pointed_at():
    lines = re.findall(r">(▶|\d)</span>", listing(["a", "b"], marked=2))
    assert lines == ["1", "▶"]


def test_a_budget_is_drawn_and_said():
    drawn = bar({"documents": 30, "task": 20}, 200, "tokens")
    assert re.findall(r"width: ([\d.]+)%", drawn) == ["15.00", "10.00"]
    assert drawn.count("50 of 200 tokens: documents 30, task 20") == 2  # for eyes and for ears


def test_a_budget_that_is_overdrawn_stays_in_its_frame():
    assert re.findall(r"width: ([\d.]+)%", bar({"a": 300}, 200, "tokens")) == ["100.00"]


def test_where_nobody_watches_no_widget_is_built(capsys):
    def make():
        raise AssertionError

    assert not is_watched()
    present("Title", "<b>picture</b>", make, text="in words")
    assert capsys.readouterr().out == "in words\n"


@pytest.mark.parametrize(
    ("own", "around", "watched"),
    [({SESSION: "a.ipynb"}, {}, True), ({SESSION: "a.ipynb"}, {SESSION: "a.ipynb"}, False), ({}, {}, False)],
    ids=["a notebook that is open", "a run started from inside one", "papermill in a terminal"],
)
def test_a_kernel_is_watched_where_its_notebook_is_open(own, around, watched):
    assert is_session(own, around) == watched
