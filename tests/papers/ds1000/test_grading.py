"""Scoring: judged once, kept at once, summed up as by hand; the whole suite through the real sandbox."""

import json
import os
from collections import Counter
from dataclasses import replace

import pytest
from scored import PlainSandbox, judged, problem

from workbench.core.errors import DataError, SettingsError
from workbench.core.statistics import Estimate
from workbench.datasets import load_problems
from workbench.generators import Answer, make_generator
from workbench.papers.ds1000.claims import ds1000_claims
from workbench.papers.ds1000.examples import failing_answer
from workbench.papers.ds1000.grading import GradingSettings, collect_answers, grade, open_sandbox, score
from workbench.papers.ds1000.judgement import reproducible
from workbench.papers.ds1000.summary import Gap, summarize
from workbench.papers.ds1000.tables import compared, problem_counts, side_by_side, surface_effect, text_table

# ---- summaries of hand-made verdicts -----------------------------------------------------------------------------

ORIGINS = [problem(0), problem(1), problem(2, library="Pandas", surface=True)]
VARIANTS = [
    problem(3, "Surface", origin=0),
    problem(4, "Semantic", origin=0),
    problem(5, "Semantic", origin=1),
    problem(6, "Semantic", origin=2, library="Pandas", surface=True),
]
PROBLEMS = [*ORIGINS, *VARIANTS]
OUTCOMES = ["passed", "passed", "passed", "passed", "failed", "timeout", "failed"]


@pytest.fixture
def summary():
    found = [judged(of, status) for of, status in zip(PROBLEMS, OUTCOMES, strict=True)]
    found[-1] = judged(PROBLEMS[-1], "failed", stage="surface")
    return summarize(PROBLEMS, found)


def test_pass_rates_by_library_and_by_perturbation(summary):
    assert (summary.all.problems, summary.all.passed, summary.all.pass_at_1) == (7, 4, pytest.approx(4 / 7))
    assert {name: (s.problems, s.passed) for name, s in summary.by_library.items()} == {
        "Pandas": (2, 1),
        "Numpy": (5, 3),
    }
    assert {name: s.pass_at_1 for name, s in summary.by_perturbation.items()} == {
        "Origin": 1.0,
        "Surface": 1.0,
        "Semantic": 0.0,
    }
    assert summary.by_library_and_perturbation["Pandas", "Semantic"].passed == 0


def test_execution_and_surface_failures_are_told_apart(summary):
    assert (summary.all.failed_execution, summary.all.failed_surface) == (2, 1)
    assert summary.all.statuses == {"failed": 2, "passed": 4, "timeout": 1}
    assert summary.surface_tested.problems == 2
    assert summary.surface_tested.without_surface == 1.0
    rates = surface_effect({"x": summary}).set_index("graded by")["pass rate"]
    assert rates.to_dict() == {"tests alone": 1.0, "tests and surface form": 0.5}


def test_memorization_gap_is_paired_within_families(summary):
    # families: 0 has variants 3 (passed) and 4; 1 has 5; 2 has 6: 1 - 1/2, 1 - 0, 1 - 0
    gap = summary.gaps["all"]
    assert (gap.families, gap.origin) == (3, 1.0)
    assert gap.variants == pytest.approx(0.5 / 3)
    assert gap.gap.value == pytest.approx(2.5 / 3)
    assert 0.5 <= gap.gap.low < gap.gap.value < gap.gap.high <= 1.0
    assert (summary.gaps["Surface"].families, summary.gaps["Surface"].gap.value) == (1, 0.0)
    assert "Difficult-Rewrite" not in summary.gaps


def test_one_answer_a_problem_has_wilsons_interval(summary):
    # 3 of 5, by hand: z = 1.959964
    low, high = summary.by_library["Numpy"].interval
    assert (low, high) == (pytest.approx(0.23072, abs=1e-5), pytest.approx(0.88238, abs=1e-5))


def test_several_answers_a_problem_give_unbiased_pass_at_k_and_a_bootstrap():
    found = [
        judged(PROBLEMS[0], s, i) for i, s in enumerate(["passed", "failed", "failed", "failed", "failed"])
    ]
    found += [judged(PROBLEMS[1], "passed", i) for i in range(5)]
    scored = summarize(PROBLEMS[:2], found).all
    assert (scored.problems, scored.answers, scored.passed) == (2, 10, 6)
    assert scored.pass_at == {1: pytest.approx((0.2 + 1) / 2), 5: 1.0}
    assert scored.interval == (pytest.approx(0.2), 1.0)
    assert summarize(PROBLEMS[:2], found).all == scored


def test_answers_that_all_fail_do_not_make_an_empty_interval():
    found = [judged(of, "failed", i) for of in PROBLEMS[:2] for i in range(2)]
    assert summarize(PROBLEMS[:2], found).all.interval.high > 0.5


def test_skipped_problems_are_neither_failed_nor_passed():
    found = [judged(PROBLEMS[0]), judged(PROBLEMS[1], "skipped")]
    scored = summarize(PROBLEMS[:2], found).all
    assert (scored.problems, scored.skipped, scored.passed, scored.pass_at_1) == (1, 1, 1, 1.0)
    assert scored.failed_execution == 0
    nothing = summarize(PROBLEMS[1:2], found[1:]).all
    assert (nothing.problems, nothing.pass_at_1, nothing.interval) == (0, None, None)


def test_tables_keep_the_papers_order(summary):
    rows = [line.split()[0] for line in text_table(summary).splitlines() if not line.startswith("-")]
    assert rows == ["problems", "Pandas", "Numpy", "all", "Origin", "Surface", "Semantic"]
    wide = side_by_side(compared({"a": summary, "b": summary}, "library"), "library")
    assert wide.columns.tolist() == ["library", "problems", "a", "b"]
    assert wide["library"].tolist() == ["Pandas", "Numpy", "all"]
    assert problem_counts(PROBLEMS).iloc[-1].tolist() == ["all", 3, 1, 3, 0, 7, 2]


def test_claims_follow_from_the_numbers(summary):
    claims = {
        claim.statement: claim for claim in ds1000_claims({"memorizer": summary, "hf:x": summary}, "hub")
    }
    memory = next(claim for statement, claim in claims.items() if "memorization" in statement)
    assert (memory.measured, memory.n) == (pytest.approx(2.5 / 3), 3)
    assert memory.verdict == "undecided: n = 3, fewer than 10"
    surface = next(claim for statement, claim in claims.items() if "constraints" in statement)
    assert (surface.measured, surface.n, surface.supported) == (0.5, 4, True)
    hard = next(claim for statement, claim in claims.items() if "half" in statement)
    assert hard.measured == pytest.approx(4 / 7)
    assert hard.supported is None  # the interval holds one half, and problems are few
    assert "hf:x" in hard.note


@pytest.mark.parametrize(
    ("gap", "verdict"),
    [
        (Estimate(0.5, 0.3, 0.7), "supported"),
        (Estimate(-0.5, -0.7, -0.3), "not supported"),
        (Estimate(0.1, -0.1, 0.3), "undecided: the interval holds 0"),
    ],
)
def test_a_gap_is_decided_by_its_interval(summary, gap, verdict):
    many = replace(summary, gaps={"all": Gap(30, 0.5, 0.0, gap)})
    *_, memory = ds1000_claims({"memorizer": many}, "hub")
    assert (memory.verdict, memory.n, memory.seeds) == (verdict, 30, None)


def test_claims_say_what_was_not_run_and_whose_problems_they_are(summary):
    skipped = summarize(ORIGINS, [judged(of, "skipped") for of in ORIGINS])
    claims = {claim.statement[:8]: claim for claim in ds1000_claims({"hf:x": skipped}, "here/mine.jsonl")}
    assert claims["The best"].note.startswith("No problem that a model answered was run")
    assert claims["Test cas"].note.startswith("No problem that was run has such a check.")
    assert all(claim.supported is None for claim in claims.values())
    assert all(claim.note.endswith("the problems of mine.jsonl.") for claim in claims.values())


def test_libraries_of_others_are_counted_too():
    counts = problem_counts([problem(0, library="Polars"), problem(1)])
    assert counts["library"].tolist() == ["Numpy", "Polars", "all"]
    assert counts["all"].tolist() == [1, 1, 2]


# ---- judging -----------------------------------------------------------------------------------------------------

THREE = [problem(0), problem(1), problem(2, library="Pandas")]


def answers(*codes):
    return [Answer(number, 0, code) for number, code in enumerate(codes)]


def test_judgements_come_in_the_order_of_the_problems_whatever_the_order_of_grading():
    box = PlainSandbox()
    found = score(THREE, reversed(answers("good", "bad", "good")), box)
    assert [(each.problem_id, each.status) for each in found] == [(0, "passed"), (1, "failed"), (2, "passed")]
    assert [program.group for program in box.asked] == ["Pandas", "Numpy", "Numpy"]


def test_programs_are_grouped_by_the_heaviest_library_that_their_tests_import():
    """Two NumPy problems import TensorFlow; in one group with them, all others were forked with it."""
    tests = {1: "import numpy as np", 2: "import tensorflow as tf\nimport numpy", 3: "import copy"}
    problems = [replace(problem(n), code_context=text) for n, text in tests.items()]
    sandbox = PlainSandbox(missing=())
    score(problems, [Answer(n, 0, "import torch") for n in tests], sandbox, progress=False)
    assert {program.tests: program.group for program in sandbox.asked} == {
        tests[1]: "Numpy",
        tests[2]: "Tensorflow",
        tests[3]: "Numpy",  # none of the libraries: the problem's own
    }


def test_the_same_code_for_the_same_tests_is_run_once():
    box = PlainSandbox()
    found = score(THREE[:1], [Answer(0, i, code) for i, code in enumerate(["good", "bad", "good"])], box)
    assert [each.status for each in found] == ["passed", "failed", "passed"]
    assert len(box.asked) == 2


def test_messages_hold_nothing_that_changes_from_run_to_run():
    assert reproducible("<X at 0x7f12345678>") == "<X at 0x...>"
    assert (
        reproducible("no file '/tmp/workbench-sandbox-12-ab_c/7/solution/a.csv'")
        == "no file '<scratch>/solution/a.csv'"
    )
    (found,) = score(THREE[:1], answers("bad"), PlainSandbox())
    assert (found.message, found.line) == ("no bad at 0x...", 1)


def test_problems_of_a_library_that_the_runtime_lacks_are_skipped():
    box = PlainSandbox()
    (found,) = score([problem(0, library="Tensorflow")], answers("good"), box)
    assert (found.status, found.message, box.asked) == ("skipped", "runtime main has no Tensorflow", [])


def test_a_scoring_that_was_cut_off_goes_on_and_leaves_the_same_file(tmp_path):
    given = answers("good", "bad", "good")
    score(THREE, given, PlainSandbox(), verdicts_path=tmp_path / "whole.jsonl")
    cut = tmp_path / "cut.jsonl"
    with pytest.raises(KeyboardInterrupt):
        score(THREE, given, PlainSandbox(stop_after=2), verdicts_path=cut)
    assert len(cut.read_text().splitlines()) == 2
    with cut.open("a") as file:
        file.write('{"problem_id": 2, "samp')  # what a kill leaves behind
    box = PlainSandbox()
    score(THREE, given, box, verdicts_path=cut)
    assert len(box.asked) == 1
    assert cut.read_bytes() == (tmp_path / "whole.jsonl").read_bytes()
    assert [json.loads(line)["problem_id"] for line in cut.read_text().splitlines()] == [0, 1, 2]


@pytest.mark.parametrize("change", ["code", "tests", "timeout", "runtime", "data"])
def test_a_verdict_on_something_else_is_not_taken(tmp_path, change):
    path, box = tmp_path / "verdicts.jsonl", PlainSandbox()
    score(THREE[:1], answers("good"), box, verdicts_path=path)
    again = PlainSandbox()
    problems, given = THREE[:1], answers("bad" if change == "code" else "good")
    if change == "tests":
        problems = [problem(0, surface=True)]
    elif change == "timeout":
        again.limits = type(again.limits)(timeout_s=6.0)
    elif change == "runtime":
        again.runtime.name = "other"
    elif change == "data":
        again.data = [["tips.csv", 9729]]  # without it, a program that loads it fails
    score(problems, given, again, verdicts_path=path)
    assert len(again.asked) == 1
    assert len(path.read_text().splitlines()) == 1


def test_a_skipped_answer_is_run_once_the_library_is_there(tmp_path):
    problems, path = [problem(0, library="Tensorflow")], tmp_path / "verdicts.jsonl"
    score(problems, answers("good"), PlainSandbox(), verdicts_path=path)
    (found,) = score(problems, answers("good"), PlainSandbox(missing=()), verdicts_path=path)
    assert found.passed
    assert json.loads(path.read_text())["status"] == "passed"


def test_answers_that_do_not_fit_the_problems_are_all_named():
    wrong = [Answer(0, 0, "good"), Answer(0, 0, "bad"), Answer(7, 0, "good")]
    with pytest.raises(DataError) as raised:
        score(THREE[:2], wrong, PlainSandbox())
    assert "problem_id 0 has sample 0 twice" in raised.value.got
    assert "an answer to problem_id 7, which is not among the problems" in raised.value.got
    assert "no answer to problem_id 1" in raised.value.got


def test_grading_refuses_a_sandbox_of_another_runtime(tmp_path):
    with pytest.raises(SettingsError, match="a sandbox of runtime main"):
        grade(THREE, [], GradingSettings(runtime="ds1000"), sandbox=PlainSandbox(), folder=tmp_path)


def test_recorded_answers_are_all_taken_where_no_number_is_asked(tmp_path):
    file = tmp_path / "answers.jsonl"
    lines = [{"problem_id": i, "code": f"x = {j}"} for i, n in enumerate([1, 2, 1]) for j in range(n)]
    file.write_text("".join(json.dumps(line) + "\n" for line in lines))
    generator = make_generator(f"recorded:{file}", problems=THREE)
    taken = collect_answers(THREE, generator, "", samples=None, folder=tmp_path / "all")
    assert Counter(answer.problem_id for answer in taken) == {0: 1, 1: 2, 2: 1}
    first = collect_answers(THREE, generator, "", samples=1, folder=tmp_path / "one")
    assert [(answer.problem_id, answer.code) for answer in first] == [
        (0, "x = 0"),
        (1, "x = 0"),
        (2, "x = 0"),
    ]


def test_a_failing_answer_is_shown_with_its_line_marked():
    given = answers("good", "a = 1\nb = a.c", "good")
    shown = str(failing_answer(THREE, given, score(THREE, given, PlainSandbox())))
    assert "Question 1" in shown
    assert ">  1 | a = 1\n   2 | b = a.c" in shown
    assert "verdict: failed (execution, line 1)" in shown
    assert failing_answer(THREE, given, score(THREE, given, PlainSandbox()), "surface") is None


ENDINGS = [
    Answer(0, 0, "good", "length"),
    Answer(1, 0, "", "length"),
    Answer(2, 0, "", "no answer", "too long"),
]


def test_an_answer_that_did_not_come_is_not_run_and_counts_as_not_passed(tmp_path):
    box, path = PlainSandbox(), tmp_path / "verdicts.jsonl"
    found = score(THREE, ENDINGS, box, verdicts_path=path)
    assert [each.status for each in found] == ["passed", "failed", "no answer"]
    assert (found[2].message, found[2].passed, len(box.asked)) == ("too long", False, 2)
    total = summarize(THREE, found).all
    assert (total.answers, total.passed, total.failed_execution, total.no_answer) == (3, 1, 1, 1)
    assert (total.cut, total.empty, total.pass_at_1) == (2, 1, 1 / 3)
    again = PlainSandbox()
    assert score(THREE, ENDINGS, again, verdicts_path=path) == found
    assert again.asked == []
    answered = [*ENDINGS[:2], Answer(2, 0, "good", "stop")]
    assert score(THREE, answered, again, verdicts_path=path)[2].passed


def test_verdicts_from_before_endings_were_kept_still_count(tmp_path):
    path = tmp_path / "verdicts.jsonl"
    found = score(THREE, answers("good", "bad", "good"), PlainSandbox(), verdicts_path=path)
    rows = [each.row() for each in found]
    path.write_text(
        "".join(json.dumps({k: row[k] for k in row if k not in ("ended", "empty")}) + "\n" for row in rows)
    )
    again = PlainSandbox()
    assert score(THREE, answers("good", "bad", "good"), again, verdicts_path=path) == found
    assert again.asked == []


def test_tables_count_what_befell_answers_and_only_that():
    plain = summarize(THREE, score(THREE, answers("good", "bad", "good"), PlainSandbox()))
    assert text_table(plain).splitlines()[0].split()[-1] == "skipped"
    assert "cut" not in compared({"a": plain}, "library")
    lossy = summarize(THREE, score(THREE, ENDINGS, PlainSandbox()))
    head, _, pandas, numpy, *_ = text_table(lossy).splitlines()
    assert head.split("skipped")[1].split() == ["no", "answer", "cut", "empty"]
    assert (numpy.split()[-3:], pandas.split()[-3:]) == (["0", "2", "1"], ["1", "0", "0"])
    frame = compared({"a": plain, "b": lossy}, "library")
    assert frame["no answer"].tolist() == [0, 0, 0, 1, 0, 1]
    partial = summarize(THREE, score(THREE[:1], ENDINGS[:1], PlainSandbox()))
    assert text_table(partial).splitlines()[0].endswith("cut  unanswered")
    assert (partial.all.problems, partial.all.unanswered, partial.all.pass_at_1) == (1, 2, 1.0)


def test_the_answers_that_are_there_may_be_taken_alone(tmp_path):
    file = tmp_path / "recorded.jsonl"
    file.write_text('{"problem_id": 1, "code": "a"}\n{"problem_id": 1, "code": "b"}\n')
    recorded = make_generator(f"recorded:{file}", problems=THREE)
    options = {"folder": tmp_path, "partial": True}
    assert collect_answers(THREE, recorded, "", samples=None, **options) == [
        Answer(1, 0, "a"),
        Answer(1, 1, "b"),
    ]
    reference = make_generator("reference")
    assert collect_answers(THREE, reference, "", samples=1, **options) == []
    given = collect_answers(THREE[:2], reference, "", samples=1, folder=tmp_path)
    assert collect_answers(THREE, reference, "", samples=1, **options) == given


# ---- in the real sandbox -----------------------------------------------------------------------------------------
# References and wrong answers to the whole suite are run by the notebook's test, which does so anyway.


def test_empty_answers_fail_on_the_suite_and_missing_libraries_are_skipped():
    """On every fourth problem, which meets every library; with WORKBENCH_ALL_PROBLEMS=1 on all of them."""
    problems = load_problems("suite")
    step = 1 if os.environ.get("WORKBENCH_ALL_PROBLEMS") == "1" else 4
    libraries = {of.library for of in problems}
    problems = problems[::step]
    assert {of.library for of in problems} == libraries
    nothing = [Answer(of.problem_id, 0, "") for of in problems]
    with open_sandbox(GradingSettings(), workers=2) as box:
        found = score(problems, nothing, box, progress=False)
    run = [each for each in found if not each.skipped]
    assert {each.status for each in run} == {"failed"}
    assert {each.stage for each in run} == {"execution"}
    assert all(each.split for each in run)
    assert {each.library for each in found if each.skipped} <= {"Tensorflow"}
    assert len(run) >= 87 // step
