"""The active loop on a small library, in the real sandbox: rounds, feedback, growth, resuming, refusals."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest
from small_library import HEAD, PROBLEMS, SILENT, SORT, ScriptedModel, documents, knot_model

from workbench.core.errors import DataError, GeneratorError, RunError, SettingsError
from workbench.datasets.coding_problem import CodingProblem, HiddenTest, VisibleRun
from workbench.generators.completion import Completion
from workbench.generators.recorded_texts import RecordedText
from workbench.retrieval import (
    ActiveRetrievalSettings,
    Executor,
    KnowledgeSoup,
    ResumableCompletions,
    active_retrieval,
)
from workbench.retrieval.report import recall
from workbench.retrieval.trace import read_steps
from workbench.retrieval.web import FolderProvider, WebSearch
from workbench.sandbox import Sandbox
from workbench.sandbox.isolation import check
from workbench.store import atomic

try:
    check("sandlock")
except Exception as error:  # the reason is shown with every skip
    pytest.skip(f"programs cannot be isolated here: {error}", allow_module_level=True)


@pytest.fixture(scope="module")
def box():
    with Sandbox(workers=1, timeout_s=5) as sandbox:
        yield sandbox


def solve(box, model=None, problems=PROBLEMS, soup=None, **options):
    options = {"progress": False, **options}
    soup = soup or KnowledgeSoup(items=documents())
    return active_retrieval(problems, soup, model or ScriptedModel(knot_model), box, **options)


def test_only_what_raises_goes_on_and_what_runs_is_done_right_or_wrong(box):
    result = solve(box)
    assert [(step.round, step.problem_id, step.outcome.ran) for step in result.steps] == [
        (0, "sort", True), (0, "head", False), (0, "silent", True), (1, "head", True),
    ]  # fmt: skip
    assert result.final() == {"sort": True, "head": True, "silent": False}
    first, second = result.rounds
    assert (first.asked, first.accuracy, first.ran, first.silent) == (
        3, pytest.approx(1 / 3), pytest.approx(2 / 3), pytest.approx(1 / 3),
    )  # fmt: skip
    assert (second.asked, second.accuracy, second.ran, second.silent) == (
        1, pytest.approx(2 / 3), 1.0, pytest.approx(1 / 3),
    )  # fmt: skip
    assert first.recall == first.recall_shown == 1.0
    assert second.prompt_tokens == result.steps[-1].prompt_tokens
    assert result.accuracy == second.accuracy


def test_feedback_is_the_visible_runs_error_and_line_of_the_models_own_code(box):
    step = solve(box).history("head")[0]
    assert step.code == "result = knot.blim(values, 2)"
    assert step.outcome.message == "TypeError: 'int' object is not subscriptable"
    assert (step.outcome.line, step.outcome.code_line) == (1, step.code)  # raised inside the library's source


def test_nothing_of_a_hidden_test_reaches_a_prompt_or_a_query(box):
    model = ScriptedModel(lambda prompt: "result = knot.blim(values, 2)")
    marked = replace(
        HEAD, hidden_tests=(HiddenTest(tests="SECRET = 1\n" + (HEAD.hidden_tests[0].tests or "")),)
    )
    result = solve(box, model, [marked], query="execution_feedback")
    assert len(result.steps) == 4
    assert not any("SECRET" in text or "[5, 3" in text for text in model.asked)
    assert not any("SECRET" in text for step in result.steps for text in step.query)


def test_programs_that_ran_join_the_soup_filed_under_the_function_they_call(box):
    result = solve(box)
    snippet = next(item for item in result.soup.items if item.title == "knot.zorp" and item.shown)
    assert snippet.source == "code_snippets"
    assert snippet.text == (
        "Arrange the numbers of a list in increasing order, smallest first.\nresult = knot.zorp(values)"
    )
    assert (snippet.shown, snippet.library) == ("result = knot.zorp(values)", "knot")
    assert snippet.provenance == "problem sort, round 0, line 1"
    # the second round of the other problem is shown it
    assert snippet.id in result.history("head")[1].shown
    assert "result = knot.zorp(values)" in result.history("head")[1].prompt
    assert [len(step.grown) for step in result.steps] == [1, 1, 1, 1]


def test_the_soup_that_was_given_stays_as_it_is(box):
    soup = KnowledgeSoup(items=documents())
    result = solve(box, soup=soup)
    assert (len(soup), len(result.soup)) == (2, 6)


@pytest.mark.parametrize(
    ("query", "kind", "texts"),
    [
        ("question", "question", ("Keep the first two.",)),
        ("code", "code", ("result = knot.blim(values, 2)",)),
        ("explanation", "explanation", ("Keep the first k numbers of a list and drop the others.",)),
        (
            "execution_feedback",
            "execution_feedback",
            ("TypeError: 'int' object is not subscriptable", "result = knot.blim(values, 2)"),
        ),
    ],
)
def test_later_rounds_ask_as_the_setting_says_and_the_first_by_the_question(box, query, kind, texts):
    first, second = solve(box, problems=[HEAD], query=query).steps
    assert (first.query_kind, first.query) == ("question", ("Keep the first two.",))
    assert (second.query_kind, second.query) == (kind, texts)


def test_sources_decide_what_a_prompt_shows(box):
    def last_prompt(*sources: str) -> str:
        return (
            solve(box, ScriptedModel(lambda _: "knot.none()"), [HEAD], sources=sources, rounds=2)
            .steps[1]
            .prompt
        )

    assert "Keep the first k" in last_prompt("documentation")
    assert "This code is wrong" not in last_prompt("documentation")
    assert "AttributeError" in last_prompt("execution_feedback")
    assert "Keep the first k" not in last_prompt("execution_feedback")
    assert last_prompt().startswith("# Task")
    assert solve(box, problems=[HEAD], sources=(), rounds=1).steps[0].found == ()


def test_the_first_round_may_do_without_retrieval(box):
    first = solve(box, problems=[HEAD], retrieve_first=False).steps[0]
    assert (first.query, first.found, first.shown) == ((), (), ())


def test_given_documents_are_shown_without_a_search(box):
    step = solve(box, problems=[SORT], given_documents=True).steps[0]
    assert [(one.parent, one.score) for one in step.found] == [("knot.zorp", None)]
    assert "Arrange the numbers" in step.prompt


def test_killed_it_goes_on_to_the_same_bytes_and_asks_nothing_twice(box, tmp_path):
    whole = tmp_path / "whole"
    solve(box, folder=whole)

    class Killed(ScriptedModel):
        def complete(self, prompts):
            if any("TypeError" in prompt for prompt in prompts):
                raise KeyboardInterrupt
            return super().complete(prompts)

    half = tmp_path / "half"
    with pytest.raises(KeyboardInterrupt):
        solve(box, Killed(knot_model), folder=half)
    assert [step.round for step in read_steps(half / "trace.jsonl")] == [0, 0, 0]
    with (half / "completions.jsonl").open("ab") as file:
        file.write(b'{"key": "cut off')
    model = ScriptedModel(knot_model)
    result = solve(box, model, folder=half)
    assert len(model.asked) == 1
    for name in ("trace.jsonl", "results.json"):
        assert (half / name).read_bytes() == (whole / name).read_bytes()
    assert read_steps(half / "trace.jsonl") == list(result.steps)


def test_runs_may_share_answers_and_outcomes(box, tmp_path):
    model = ScriptedModel(knot_model)
    with (
        ResumableCompletions(model, tmp_path / "answers.jsonl") as answers,
        Executor(box, tmp_path / "outcomes.jsonl") as executor,
    ):
        solve(executor, answers, folder=tmp_path / "one", rounds=1)
        asked, programs = len(model.asked), len((tmp_path / "outcomes.jsonl").read_text().splitlines())
        again = solve(executor, answers, folder=tmp_path / "two", rounds=1)
        assert (again.spent.generation_s, again.spent.execution_s) == (0, 0)
        result = solve(executor, answers, query="question")
    assert (asked, len(model.asked)) == (3, 4)  # round 0 was known
    assert result.spent.execution_s > 0
    assert len((tmp_path / "outcomes.jsonl").read_text().splitlines()) == programs + 2
    assert not (tmp_path / "two" / "completions.jsonl").exists()


def test_results_hold_no_time_and_the_seconds_lie_apart(box, tmp_path):
    result = solve(box, folder=tmp_path)
    written = json.loads((tmp_path / "results.json").read_text())
    assert written["rounds"][1]["accuracy"] == result.accuracy
    assert written["by_problem"]["head"] == [{"ran": False, "passed": False}, {"ran": True, "passed": True}]
    assert written["settings"]["query"] == "code"
    assert not [name for name in written if "second" in name]
    assert set(json.loads((tmp_path / "seconds.json").read_text())) == {
        "generation_s", "execution_s", "bookkeeping_s",
    }  # fmt: skip


def test_an_answer_without_code_has_not_run(box):
    step = solve(box, ScriptedModel(lambda _: "```\n```"), [SILENT], rounds=1).steps[0]
    assert (step.outcome.ran, step.outcome.message) == (False, "the answer holds no code")


def test_a_model_may_explain_the_code(box):
    def answer(prompt: str) -> str:
        if prompt.startswith("Explain"):
            return "- Keeps the first numbers.\n\n"
        return knot_model(prompt)

    second = solve(box, ScriptedModel(answer), [HEAD], query="explanation", explanations="model").steps[1]
    assert second.query == ("Keeps the first numbers.",)


def test_a_program_may_be_judged_by_what_it_prints(box):
    printing = replace(
        HEAD,
        visible_runs=(VisibleRun("import sys\n[insert]", stdin="1"),),
        hidden_tests=(
            HiddenTest("import sys\n[insert]", "2", "4"),
            HiddenTest("import sys\n[insert]", "3", "6\n"),
        ),
    )
    right, wrong = "print(2 * int(sys.stdin.read()))", "print(4)"
    assert solve(box, ScriptedModel(lambda _: right), [printing]).accuracy == 1
    result = solve(box, ScriptedModel(lambda _: wrong), [printing])
    assert (result.accuracy, result.rounds[0].silent) == (0, 1)


def test_of_several_visible_runs_the_first_failure_is_told(box):
    two = replace(HEAD, visible_runs=(VisibleRun("x = 1\n[insert]"), VisibleRun("x = 0\n[insert]")))
    outcome = solve(box, ScriptedModel(lambda _: "result = 1 / x"), [two], rounds=1).steps[0].outcome
    assert (outcome.message, outcome.line) == ("ZeroDivisionError: division by zero", 1)


def test_a_long_tail_language_goes_through_all_rounds(box):
    pytest.importorskip("hy")
    double = CodingProblem(
        "double",
        "Double x into y.",
        (HiddenTest("(setv x 3)\n[insert]\n(print y)", expected_stdout="6"),),
        (VisibleRun("(setv x 2)\n[insert]"),),
        language="hy",
        library="hy",
    )
    model = ScriptedModel(
        lambda prompt: (
            "```hy\n(setv y (* 2 x))\n```" if "NameError" in prompt else "```hy\n(setv y\n  (dubel x))\n```"
        )
    )
    first, second = solve(box, model, [double], KnowledgeSoup()).steps
    assert first.outcome.message == "NameError: name 'dubel' is not defined"
    assert (first.outcome.line, first.outcome.code_line) == (2, "(dubel x))")
    assert second.prompt.count("```hy") == 1
    assert (second.code, second.outcome.ran) == ("(setv y (* 2 x))", True)
    assert solve(box, model, [double], KnowledgeSoup()).final() == {"double": True}


def test_addresses_of_objects_are_not_part_of_a_message(box):
    outcome = (
        solve(box, ScriptedModel(lambda _: "raise ValueError(object())"), [HEAD], rounds=1).steps[0].outcome
    )
    assert outcome.message == "ValueError: <object object at 0x...>"


def test_pages_of_the_web_join_the_soup_for_their_librarys_problems(box, tmp_path):
    (tmp_path / "page.md").write_text("To keep the first k, knot has blim.")
    web = WebSearch(FolderProvider(tmp_path))
    step = solve(box, problems=[HEAD], sources=("web_search",), web=web, rounds=1).steps[0]
    (found,) = step.found
    assert (found.source, found.parent) == ("web_search", "page.md")
    assert "knot has blim" in step.prompt
    assert step.grown[0] == found.id == step.shown[0]


def test_problems_that_do_not_fit_are_refused(box):
    with pytest.raises(DataError, match="no problems"):
        solve(box, problems=[])
    with pytest.raises(DataError, match="problem_id sort more than once"):
        solve(box, problems=[SORT, SORT])
    with pytest.raises(DataError, match="1 problems whose documents are not known"):
        solve(box, problems=[SORT, replace(HEAD, gold_documents=("knot.none",))], given_documents=True)


def test_settings_that_do_not_fit_are_refused(box, tmp_path):
    with pytest.raises(SettingsError, match="settings querry") as unknown:
        solve(box, querry="code")
    assert "did you mean 'query'?" in unknown.value.fix
    with pytest.raises(SettingsError, match="no web to search"):
        solve(box, sources=("web_search",))
    with pytest.raises(SettingsError) as wrong:
        ActiveRetrievalSettings(
            query="codes", sources=("gossip",), rounds=0, explanations="x", documents=True
        )
    assert wrong.value.got.count(";") == 4


def test_a_folder_is_for_one_process_at_a_time(box, tmp_path):
    import subprocess
    import sys

    program = (
        "import sys; from pathlib import Path; from workbench.store import atomic\n"
        f"with atomic.lock(Path({str(tmp_path / '.lock')!r})): print('held', flush=True); sys.stdin.read()"
    )
    with subprocess.Popen(
        [sys.executable, "-c", program], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as other:
        assert other.stdout is not None
        assert other.stdout.readline() == b"held\n"
        assert atomic.is_locked(tmp_path / ".lock")
        with pytest.raises(RunError, match="another process is at work"):
            solve(box, folder=tmp_path)
        other.communicate(b"")


def test_a_generator_that_loses_answers_is_refused(box):
    model = ScriptedModel(knot_model)
    model.complete = lambda prompts: []  # type: ignore[method-assign]
    with pytest.raises(GeneratorError, match="0 answers of scripted to 3 prompts"):
        solve(box, model)


def test_recall_is_the_share_of_gold_that_was_found():
    assert recall(["a", "b"], ["b", "c"]) == 0.5
    assert recall([], ["b"]) is None


class Refusing(ScriptedModel):
    """An endpoint's model that is refused some prompts; it knows the last answers first."""

    def __init__(self, answer, refuses):
        super().__init__(answer)
        self.refuses = refuses

    def as_known(self, prompts):
        for place in reversed(range(len(prompts))):
            refused = self.refuses(prompts[place])
            self.asked.append(prompts[place])
            yield (
                place,
                (
                    Completion("", "no answer", "too long")
                    if refused
                    else Completion(self.answer(prompts[place]), "length")
                ),
            )


def test_a_refused_prompt_costs_one_answer_and_teaches_nothing(box, tmp_path):
    model = Refusing(lambda prompt: "result = knot.zorp(values)", lambda prompt: SORT.question in prompt)
    result = solve(box, model, rounds=2, folder=tmp_path)
    first, second = result.history("sort")
    assert (first.ended, first.said, first.code, first.outcome.message) == (
        "no answer", "too long", "", "no answer: too long",
    )  # fmt: skip
    assert (first.grown, second.query_kind) == ((), "question")
    assert "This code is wrong" not in second.prompt
    assert not result.final()["sort"]
    assert (result.rounds[0].no_answer, result.rounds[0].cut, result.rounds[0].empty) == (1, 2, 0)
    assert read_steps(tmp_path / "trace.jsonl") == list(result.steps)
    asked = len(model.asked)
    solve(box, model, rounds=2, folder=tmp_path)
    assert len(model.asked) == asked
    model.refuses = lambda prompt: False
    assert solve(box, model, rounds=2, folder=tmp_path, retry_failed=True).final()["sort"]


def test_a_trace_that_would_be_written_over_is_refused_as_an_input(box, tmp_path):
    solve(box, folder=tmp_path, rounds=1)
    recorded = RecordedText(tmp_path / "trace.jsonl")
    with pytest.raises(SettingsError, match="as an input, into which results would be written"):
        solve(box, recorded, folder=tmp_path, rounds=1)
