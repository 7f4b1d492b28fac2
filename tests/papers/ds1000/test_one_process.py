"""Answers that ran beside the expected values are counted: in summary, files and table."""

from dataclasses import replace

from scored import judged, problem

from workbench.papers.ds1000.judgement import Judgement
from workbench.papers.ds1000.summary import summarize
from workbench.papers.ds1000.tables import text_table

TWO = [problem(0), problem(1)]
FOUND = [replace(judged(TWO[0]), split=False), judged(TWO[1])]


def test_what_ran_in_one_process_is_counted_and_shown():
    summary = summarize(TWO, FOUND)
    assert summary.all.one_process == 1
    assert summary.as_dict()["one_process"] == 1
    assert "one process" in text_table(summary).splitlines()[0]
    assert Judgement.read(FOUND[0].row()).one_process


def test_nothing_is_said_where_all_ran_in_two_and_what_was_not_run_counts_nowhere():
    found = [judged(TWO[0]), replace(judged(TWO[1], "skipped"), split=False)]
    summary = summarize(TWO, found)
    assert summary.all.one_process == 0
    assert "one_process" not in summary.as_dict()
    assert "one process" not in text_table(summary)
