"""Numbers are written as people read them, and keep what they are sorted by."""

import pytest

from workbench.runs.report.values import Cell, columns_of, interval_text, measured_text, shown


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (None, "–"),
        (True, "yes"),
        (0.123456, "0.1235"),
        (1234567, "1,234,567"),
        (650, "650"),
        (["a", 1], "a, 1"),
        ([], "none"),
        ("", "–"),
    ],
)
def test_values_are_shown_as_people_read_them(value, text):
    assert shown(value) == text


@pytest.mark.parametrize(
    ("column", "texts"),
    [
        ([1.0, 0.4375], ["1.000", "0.438"]),
        ([0.0005, 0.2], ["0.0005", "0.2"]),  # a column that three decimals would make zeros
        ([12.25, 3.0], ["12.2", "3.0"]),
        ([3.0, 12.0], ["3", "12"]),
        ([0.5, None], ["0.500", "–"]),
        ([7, 12000], ["7", "12,000"]),
        (["a", True], ["a", "yes"]),
    ],
)
def test_a_column_has_one_number_of_decimals(column, texts):
    assert [row[0].text for row in columns_of([[value] for value in column])] == texts


def test_cells_keep_their_values_for_sorting():
    assert columns_of([["x", 0.25, None]]) == [[Cell("x", "x"), Cell("0.250", 0.25), Cell("–", None)]]
    assert [cell.numeric for cell in columns_of([["x", 0.25, None]])[0]] == [False, True, False]


@pytest.mark.parametrize(
    ("value", "unit", "text"),
    [
        (0.5, "share", "50.0\N{NO-BREAK SPACE}%"),
        (-0.0001, "points", "0.0\N{NO-BREAK SPACE}points"),  # never a minus zero
        (-0.1, "points", "\N{MINUS SIGN}10.0\N{NO-BREAK SPACE}points"),
        (-0.00123456, "", "\N{MINUS SIGN}0.00123"),
        ("more", "share", "more"),
        (None, "points", "–"),
    ],
)
def test_measurements_bear_their_unit(value, unit, text):
    assert measured_text(value, unit) == text


def test_an_interval_that_is_missing_is_nothing():
    assert interval_text(None) == ""
    assert interval_text((-0.05, 0.125), "points") == "[\N{MINUS SIGN}5.0, +12.5]"
