"""The trace explorer: the rounds of a real loop on a tiny library, from memory and from disk."""

import json
from dataclasses import asdict
from pathlib import Path
from types import SimpleNamespace

import pytest

from workbench.core.errors import DataError
from workbench.datasets.coding_problem import CodingProblem, HiddenTest
from workbench.explore.trace_explorer import _Explorer, example_problem, explore_traces
from workbench.explore.trace_page import step_page
from workbench.explore.traces import Knowledge, Trace, load_traces
from workbench.retrieval import Item
from workbench.retrieval.assembly import Dropped
from workbench.retrieval.execution import Outcome
from workbench.retrieval.trace import Retrieved, Step

DOCUMENT = Item("lib.rev", "documentation", "rev", "rev: turns round", "lib.rev", provenance="lib.py:3")
PROBLEM = CodingProblem(
    "p0",
    "turn it round <now>",
    (HiddenTest(),),
    library="lib",
    gold_documents=("lib.rev",),
    reference_code="rev(x)",
)


def step(number, problem="p0", *, code="x = rev(x)", ran=True, message="", found=(), grown=(), dropped=()):
    outcome = Outcome(ran, message, None if ran else 1, "")
    shown = tuple(one.id for one in found if one.id not in {drop.piece for drop in dropped})
    return Step(
        number, problem, "code" if number else "question", ("how <b>",), tuple(found), shown, tuple(dropped),
        "documents\ntask", 40, code, 4, code, outcome, tuple(grown),
    )  # fmt: skip


FOUND = (
    Retrieved("documentation", "lib.rev", "lib.rev", "rev", 1.25),
    Retrieved("code_snippets", "code_snippets:1", "code_snippets:1", "rev", None),
)
STEPS = [
    step(0, code="x = reverse(x)", ran=False, message="NameError: reverse", grown=("execution_feedback:1",)),
    step(0, "p1", code="x = other(x)", grown=("code_snippets:1",)),
    step(1, found=FOUND, dropped=(Dropped("code_snippets:1", "over the prompt's budget"),)),
]
RESULTS = {
    "generator": "hf:me",
    "settings": {"prompt_max_length": 100},
    "by_problem": {
        "p0": [{"ran": False, "passed": False}, {"ran": True, "passed": True}],
        "p1": [{"passed": False}],
    },
}


@pytest.fixture
def trace():
    return Trace("a loop", lambda: (STEPS, RESULTS), Knowledge.of([PROBLEM], [DOCUMENT]))


def write(folder):
    folder.mkdir(parents=True)
    (folder / "trace.jsonl").write_text("".join(json.dumps(asdict(one)) + "\n" for one in STEPS))
    (folder / "results.json").write_text(json.dumps(RESULTS))


def test_a_folder_of_arks_run_is_read(tmp_path):
    write(tmp_path / "out")
    (trace,) = load_traces(
        tmp_path / "out", data=SimpleNamespace(problems=[PROBLEM], documentation=[DOCUMENT])
    )
    assert trace.name == "hf:me"
    assert trace.prompt_budget == 100
    assert trace.histories == {"p0": [STEPS[0], STEPS[2]], "p1": [STEPS[1]]}
    assert [trace.passed(one) for one in STEPS] == [False, False, True]
    assert trace.knowledge.items["lib.rev"] is DOCUMENT


def test_a_run_gives_a_trace_for_each_setting_and_model(tmp_path):
    folder = tmp_path / "arks"
    place = folder / "steps" / "loops-1"
    for model in (0, 1):
        write(place / f"model-{model}" / "plain" / "active")
    write(folder / "steps" / "loops-0" / "model-0" / "plain" / "of-other-parameters")
    (folder / "timings.json").write_text(json.dumps({"steps": {"loops-1": {}}}))
    (folder / "results.json").write_text(
        json.dumps({"parameters": {"data": "ScipyM", "models": ["hf:a/b", "hf:c"]}})
    )
    assert [one.name for one in load_traces(tmp_path)] == ["active, b", "active, hf:c"]


def test_a_folder_without_traces_is_refused(tmp_path):
    with pytest.raises(DataError, match=r"no trace\.jsonl in"):
        load_traces(tmp_path)


def test_it_begins_with_a_problem_that_took_long_and_was_solved(trace):
    assert example_problem(trace) == "p0"


def test_a_round_shows_query_finds_prompt_program_and_what_comes_of_it(trace):
    page = step_page(trace, STEPS[2])
    for words in (
        "turn it round &lt;now&gt;", "query: code", "how &lt;b&gt;",
        "in the prompt", "rev: turns round", "lib.py:3", "1.25", "★ a document that the right program needs",
        "over the prompt&#x27;s budget", "given", "problem p1, round 0", "x = other(x)",
        "40 of 100 tokens", "x = rev(x)", "✓ passed", "nothing new",
    ):  # fmt: skip
        assert words in page, words


def test_a_round_that_raised_points_at_its_line_and_feeds_the_soup(trace):
    page = step_page(trace, STEPS[0])
    for words in (
        "▶",
        "NameError: reverse",
        "1 × error of an earlier program",
        "this round does not retrieve",
    ):
        assert words in page, words


def test_a_program_that_ran_and_is_wrong_is_called_silent(trace):
    assert "nothing in the loop can notice" in step_page(trace, STEPS[1])


def test_what_is_not_judged_yet_is_not_called_wrong():
    trace = Trace("t", lambda: (STEPS, {}), Knowledge())
    assert trace.passed(STEPS[1]) is None
    assert "· ran" in step_page(trace, STEPS[1]) or "ran</span>" in step_page(trace, STEPS[1])
    assert "40 tokens" in step_page(trace, STEPS[1])


def test_the_widget_goes_from_problem_to_problem_and_round_to_round(trace):
    made = _Explorer([trace], trace)
    assert made.problem.value == "p0" and made.round.value is STEPS[2]
    made.round.value = STEPS[0]
    assert "NameError: reverse" in made.page.value
    made.problem.value = "p1"
    assert "nothing in the loop can notice" in made.page.value
    made.ending.value = "passed"
    assert [value for _, value in made.problem.options] == ["p0"]
    made.ending.value = "raised"
    assert "No problem ends like that" in made.page.value


def test_in_a_script_it_says_what_it_would_show(tmp_path, capsys):
    write(Path(tmp_path) / "out")
    explore_traces(tmp_path / "out")
    assert "problem p0 in 2 rounds" in capsys.readouterr().out
