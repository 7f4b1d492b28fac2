"""What is printed and what results.json holds are the numbers of the table."""

from __future__ import annotations

import json

import pytest
from preference_scored import make_scores

from workbench.preferences.accuracy import pairwise_accuracy, transfer_matrix
from workbench.preferences.comparison import compare_arms
from workbench.preferences.summary import accuracies, summarize_preferences
from workbench.preferences.tables import (
    accuracy_frame,
    accuracy_table,
    agreement_note,
    behaviour_table,
    difference_frame,
    difference_table,
    matrix_frame,
    matrix_table,
)

TABLE = make_scores(
    [1.0, -1.0, 1.0, 0.0],
    implicit=[1.0, 1.0, 1.0, 1.0],
    sources=["a", "a", "a", "b"],
    subsets=["easy", "hard", "", ""],
    characters=[(1, 2), (2, 1), (1, 1), (5, 4)],
)


def test_accuracies_come_by_source_then_subset_then_all() -> None:
    found = accuracies(TABLE, "explicit")
    assert {place: one.value for place, one in found.items()} == pytest.approx(
        {("a", ""): 2 / 3, ("a", "easy"): 1.0, ("a", "hard"): 0.0, ("b", ""): 0.5, ("", ""): 0.625}
    )
    assert list(found) == [("a", ""), ("a", "easy"), ("a", "hard"), ("b", ""), ("", "")]


def test_a_lone_source_has_no_row_of_all() -> None:
    assert list(accuracies(make_scores([1.0]), "explicit")) == [("hh", "")]


def test_the_table_has_intervals_and_the_baselines_beside_them() -> None:
    lines = accuracy_table(TABLE).splitlines()
    assert lines[0].split() == [
        "pairs",
        "explicit",
        "implicit",
        "logp,",
        "sum",
        "logp,",
        "mean",
        "longer",
        "shorter",
    ]
    assert lines[2].split()[:5] == ["a", "3", "0.667", "[0.208,", "0.939]"]
    assert [line.split()[0] for line in (*lines[2:6], lines[7])] == ["a", "easy", "hard", "b", "all"]
    assert lines[7].split()[-2:] == ["0.625", "0.375"]  # longer wins: 0, 1, tie, 1
    assert len({len(line) for line in lines}) == 1


def test_a_model_without_policy_has_fewer_columns() -> None:
    header = accuracy_table(make_scores([1.0])).splitlines()[0]
    assert header.split() == ["pairs", "explicit", "longer", "shorter"]


def test_benchmark_sections_are_rows_of_their_source() -> None:
    table = make_scores([1.0, -1.0], subsets=["donotanswer", "llmbar-natural"])
    lines = accuracy_table(table).splitlines()
    assert [line.split("  ")[1].strip() for line in lines if "section" in line] == [
        "section Chat Hard",
        "section Safety",
    ]


def test_the_frame_repeats_the_table() -> None:
    frame = accuracy_frame(TABLE)
    row = frame[(frame.score == "explicit") & (frame.source == "all")].iloc[0]
    assert (row.accuracy, row.low, row.high, row.pairs, row.ties) == pairwise_accuracy([1, -1, 1, 0])


def test_behaviour_and_agreement_in_words() -> None:
    lines = behaviour_table(TABLE).splitlines()
    assert lines[2].split()[:6] == ["explicit", "1.000", "(1)", "0.250", "(2)", "0.167"]
    assert agreement_note(TABLE) == (
        "explicit and implicit reward order 0.625 of the pairs alike; of the 1 they order oppositely "
        "the explicit one has 0.000 [0.000, 0.793] right"
    )
    assert agreement_note(make_scores([1.0])) is None


@pytest.mark.parametrize("table", [TABLE, make_scores([0.0]), make_scores([1.0], implicit=[0.5])])
def test_the_summary_is_json_for_any_number_of_pairs(table) -> None:
    summary = summarize_preferences(table)
    assert json.loads(json.dumps(summary, allow_nan=False)) == summary
    assert summary["pairs"] == len(table)
    scores = {row["score"] for row in summary["accuracy"]}
    assert scores == set(table.available)


def test_the_summary_compares_each_learnt_score_with_each_baseline() -> None:
    rows = {(row["score"], row["baseline"]): row for row in summarize_preferences(TABLE)["against_baselines"]}
    assert len(rows) == 8
    # implicit right on all; longer wins on 0, 1, tie, 1
    assert rows["implicit", "longer wins"]["difference"] == pytest.approx(1 - 0.625)


def test_differences_and_matrix_as_text_and_frame() -> None:
    arms = {"standard": {0: make_scores([1.0, -1.0])}, "hybrid": {0: make_scores([1.0, 1.0])}}
    rows = compare_arms(arms)
    assert difference_table(rows).splitlines()[2].split()[:6] == [
        "hybrid",
        "standard",
        "hh",
        "1.000",
        "0.500",
        "+0.500",
    ]
    assert difference_frame(rows).difference.tolist() == [0.5]
    assert list(difference_frame([]).columns) == list(difference_frame(rows).columns)
    matrix = transfer_matrix([("x", arms["standard"][0]), ("y", arms["hybrid"][0])])
    assert matrix_table(matrix).splitlines()[2].split() == ["x", "0.500", "[0.095,", "0.905]"]
    assert matrix_frame(matrix)["trained on"].tolist() == ["x", "y"]
