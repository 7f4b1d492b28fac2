"""Vacuous passes in judgements, summaries, tables and files: both ways to count, by hand-made verdicts."""

import json
from dataclasses import replace

import pytest
from scored import PlainSandbox, judged, problem

from workbench.generators import Answer
from workbench.papers.ds1000.grading import score
from workbench.papers.ds1000.judgement import Judgement
from workbench.papers.ds1000.summary import summarize
from workbench.papers.ds1000.tables import compared, text_table, vacuous_passes
from workbench.sandbox import Verdict

THREE = [problem(0), problem(1), problem(2)]
WHY = "test 1 accepts an empty result in the place of 3 values"
FOUND = [
    judged(THREE[0]),
    replace(judged(THREE[0], sample=1), vacuous=True, vacuous_why=WHY),
    judged(THREE[1], "failed"),
    judged(THREE[1], "failed", sample=1),
    replace(judged(THREE[2]), vacuous_why="not examined: the tests take too long"),
    judged(THREE[2], sample=1),
]


class LenientSandbox(PlainSandbox):
    """Passes `good` as the other does, and `nothing` vacuously."""

    def as_judged(self, programs):
        for position, program in enumerate(programs):
            if program.code == "nothing":
                self.asked.append(program)
                yield position, Verdict("passed", vacuous=True, vacuous_why=WHY + " at 0x7f00deadbeef")
            else:
                yield from ((position, verdict) for _, verdict in super().as_judged([program]))


def test_pass_at_1_is_there_both_ways_however_passes_are_counted():
    """Shares of the problems: leniently 2/2, 0/2, 2/2; strictly 1/2, 0/2, 2/2."""
    lenient, strict = summarize(THREE, FOUND), summarize(THREE, FOUND, strict=True)
    for summary in (lenient, strict):
        total = summary.all
        assert (total.vacuous, total.unexamined) == (1, 1)
        assert (total.lenient_pass_at_1, total.strict_pass_at_1) == (
            pytest.approx(2 / 3),
            pytest.approx(1 / 2),
        )
    assert (lenient.all.passed, lenient.all.pass_at_1) == (4, pytest.approx(2 / 3))
    assert (strict.all.passed, strict.all.pass_at_1) == (3, pytest.approx(1 / 2))
    assert (lenient.all.failed_execution, strict.all.failed_execution) == (2, 3)
    assert strict.all.statuses == {"failed": 3, "passed": 3}
    assert strict.by_library["Numpy"].passed == 3


def test_a_vacuous_pass_counted_as_failed_says_why_and_is_counted_once():
    strict = FOUND[1].strictly()
    assert (strict.status, strict.stage, strict.message) == ("failed", "execution", f"vacuous: {WHY}")
    assert strict.vacuous
    assert strict.met_tests
    assert strict.strictly() == strict
    assert FOUND[0].strictly() is FOUND[0]
    assert FOUND[4].strictly() is FOUND[4]  # what is not known is no failure


def test_nothing_scored_has_no_rate():
    skipped = summarize(THREE, [judged(of, "skipped") for of in THREE]).all
    assert (skipped.vacuous, skipped.lenient_pass_at_1, skipped.strict_pass_at_1) == (0, None, None)


def test_summaries_hold_both_rates_and_the_counts():
    row = summarize(THREE, FOUND, strict=True).as_dict()
    assert {
        name: row[name] for name in ("pass@1", "lenient_pass@1", "strict_pass@1", "vacuous", "unexamined")
    } == {
        "pass@1": pytest.approx(0.5),
        "lenient_pass@1": pytest.approx(2 / 3),
        "strict_pass@1": pytest.approx(0.5),
        "vacuous": 1,
        "unexamined": 1,
    }
    assert row["by_library"]["Numpy"]["vacuous"] == 1


def test_tables_have_columns_for_it_where_there_is_any():
    head, _, numpy, *_ = text_table(summarize(THREE, FOUND)).splitlines()
    assert head.endswith("skipped  vacuous  unexamined  lenient pass@1  strict pass@1")
    assert numpy.split()[-4:] == ["1", "1", "0.667", "0.500"]
    plain = summarize(THREE, [judged(of) for of in THREE])
    assert "vacuous" not in text_table(plain)
    assert "vacuous" not in compared({"a": plain}, "library")
    assert compared({"a": summarize(THREE, FOUND)}, "library")["vacuous"].tolist() == [1, 1]


def test_the_table_of_vacuous_passes_has_a_row_for_every_generator():
    frame = vacuous_passes(
        {"a": summarize(THREE, FOUND), "b": summarize(THREE, [judged(of) for of in THREE])}
    )
    assert frame.to_dict("records") == [
        {
            "generator": "a",
            "answers": 6,
            "vacuous": 1,
            "unexamined": 1,
            "pass@1 by the tests alone": pytest.approx(2 / 3),
            "pass@1 without vacuous passes": pytest.approx(1 / 2),
        },
        {
            "generator": "b",
            "answers": 3,
            "vacuous": 0,
            "unexamined": 0,
            "pass@1 by the tests alone": 1.0,
            "pass@1 without vacuous passes": 1.0,
        },
    ]


def answers(*codes):
    return [Answer(number, 0, code) for number, code in enumerate(codes)]


def test_verdicts_on_disk_keep_the_flag_and_come_back_with_it(tmp_path):
    path = tmp_path / "verdicts.jsonl"
    found = score(THREE, answers("good", "nothing", "bad"), LenientSandbox(), verdicts_path=path)
    rows = [json.loads(line) for line in path.read_text().splitlines()]
    assert [row["vacuous"] for row in rows] == [False, True, False]
    assert rows[1]["vacuous_why"] == WHY + " at 0x..."  # equal runs write equal files
    again = LenientSandbox()
    assert score(THREE, answers("good", "nothing", "bad"), again, verdicts_path=path) == found
    assert again.asked == []
    assert [Judgement(**row) for row in rows] == found


def test_passes_from_before_anybody_looked_are_read_and_said_to_be_unexamined(tmp_path):
    path = tmp_path / "verdicts.jsonl"
    found = score(THREE, answers("good", "bad", "good"), PlainSandbox(), verdicts_path=path)
    old = [{k: v for k, v in each.row().items() if not k.startswith("vacuous")} for each in found]
    path.write_text("".join(json.dumps(row) + "\n" for row in old))
    again = PlainSandbox()
    read = score(THREE, answers("good", "bad", "good"), again, verdicts_path=path)
    assert again.asked == []
    assert [each.status for each in read] == ["passed", "failed", "passed"]
    assert [each.vacuous for each in read] == [False, False, False]
    assert [each.unexamined for each in read] == [True, False, True]
