"""The rounds of the loop, by hand: who goes on, what is asked, what the soup learns; nothing is run."""

from __future__ import annotations

import json
from collections.abc import Sequence

import pytest
from small_library import HEAD, SORT, ScriptedModel, documents

from workbench.generators.completion import Completion
from workbench.retrieval import ActiveRetrievalSettings, Item, KnowledgeSoup, ResumableCompletions
from workbench.retrieval.execution import Outcome
from workbench.retrieval.rounds import Rounds

RIGHT = {"sort": "result = knot.zorp(values)", "head": "result = knot.blim(2, values)"}


class Ran:
    """An executor that runs nothing: a program of `RIGHT` ran, any other raised."""

    def __init__(self) -> None:
        self.ran: list[tuple[str, str]] = []

    def outcomes(self, attempts: Sequence) -> list[Outcome]:
        self.ran += [(problem.problem_id, code) for problem, code in attempts]
        return [
            Outcome(True) if code == RIGHT[problem.problem_id] else Outcome(False, "NameError: no", 1, code)
            for problem, code in attempts
        ]


class Web:
    """One page for every query."""

    def __init__(self) -> None:
        self.asked: list[list[str]] = []

    def items(self, queries: Sequence[str]) -> list[Item]:
        self.asked.append(list(queries))
        return [Item("web_search:page", "web_search", "page", "numbers in increasing order", "A page")]


def later(prompt: str) -> str:
    """Answer wrongly at first, rightly once the error is shown."""
    which = "sort" if "increasing order." in prompt.partition("# Task")[2] else "head"
    return RIGHT[which] if "NameError" in prompt else "result = wrong"


def rounds(model, problems=(SORT, HEAD), *, web=None, **changes):
    executor = Ran()
    settings = ActiveRetrievalSettings(**{"rounds": 3, **changes})
    soup = KnowledgeSoup(items=documents())
    made = Rounds(
        problems, soup, completions=ResumableCompletions(model), executor=executor, settings=settings, web=web
    )
    return made, executor


def test_only_what_raised_goes_on_and_the_loop_ends_when_all_ran():
    def first(prompt):
        return RIGHT["sort"] if "increasing order." in prompt.partition("# Task")[2] else later(prompt)

    made, executor = rounds(ScriptedModel(first))
    steps = made.run(None, progress=False)
    assert [(step.round, step.problem_id, step.outcome.ran) for step in steps] == [
        (0, "sort", True), (0, "head", False), (1, "head", True),
    ]  # fmt: skip
    assert executor.ran == [("sort", RIGHT["sort"]), ("head", "result = wrong"), ("head", RIGHT["head"])]


def test_no_more_rounds_than_asked_for():
    made, _ = rounds(ScriptedModel(lambda prompt: "result = wrong"), [SORT], rounds=2)
    assert [step.round for step in made.run(None, progress=False)] == [0, 1]


@pytest.mark.parametrize(
    ("query", "kind", "texts"),
    [
        ("question", "question", (SORT.question,)),
        ("code", "code", ("result = wrong",)),
        ("execution_feedback", "execution_feedback", ("NameError: no", "result = wrong")),
    ],
)
def test_the_question_is_asked_first_and_then_what_the_settings_say(query, kind, texts):
    made, _ = rounds(ScriptedModel(later), [SORT], query=query)
    first, second = made.run(None, progress=False)
    assert (first.query_kind, first.query) == ("question", (SORT.question,))
    assert (second.query_kind, second.query) == (kind, texts)


def test_without_a_first_retrieval_nothing_is_asked_or_found_in_round_0():
    made, _ = rounds(ScriptedModel(later), [SORT], retrieve_first=False, query="question")
    first, second = made.run(None, progress=False)
    assert (first.query, first.found) == ((), ())
    assert second.found


def test_given_documents_are_the_gold_ones_and_have_no_score():
    made, _ = rounds(ScriptedModel(later), [HEAD], given_documents=True)
    found = [one for one in made.run(None, progress=False)[0].found if one.source == "documentation"]
    assert [(one.parent, one.score) for one in found] == [("knot.blim", None)]


def test_an_error_is_learned_from_a_failure_and_a_snippet_from_what_ran():
    made, _ = rounds(ScriptedModel(later), [SORT])
    failed, ran = made.run(None, progress=False)
    (feedback,) = (made.soup[name] for name in failed.grown)
    assert feedback.source == "execution_feedback"
    assert "NameError: no" in feedback.text
    snippets = [made.soup[name] for name in ran.grown]
    assert [(item.source, item.shown) for item in snippets] == [("code_snippets", RIGHT["sort"])]


def test_what_two_programs_teach_counts_for_the_first():
    twin = SORT.__class__(**{**vars(SORT), "problem_id": "head"})
    model = ScriptedModel(lambda prompt: "result = wrong")
    made, _ = rounds(model, [SORT, twin], rounds=1)
    one, two = made.run(None, progress=False)
    assert one.grown
    assert set(one.grown).isdisjoint(two.grown)
    assert len(made.soup) == 2 + len(one.grown) + len(two.grown)


def test_a_page_of_the_web_is_an_item_of_the_library_that_was_asked_for():
    web = Web()
    made, _ = rounds(ScriptedModel(later), [SORT], web=web, sources=("web_search",), rounds=1)
    (step,) = made.run(None, progress=False)
    assert web.asked == [[f"{SORT.question} knot"]]
    assert step.grown[0] == "web_search:page@knot"
    assert made.soup["web_search:page@knot"].library == "knot"
    assert [one.id for one in step.found] == ["web_search:page@knot"]


def test_a_prompt_that_got_no_answer_goes_on_without_an_attempt():
    class Refusing(ScriptedModel):
        def as_known(self, prompts):
            for place, prompt in enumerate(prompts):
                refused = "increasing order." in prompt.partition("# Task")[2]
                yield place, Completion("", "no answer", "busy") if refused else Completion(later(prompt))

    made, _ = rounds(Refusing(later), rounds=2)
    first, _, again, other = made.run(None, progress=False)
    assert (first.outcome.message, first.grown, first.is_missing) == ("no answer: busy", (), True)
    assert (again.query_kind, again.query, again.is_missing) == ("question", (SORT.question,), True)
    assert (other.query_kind, other.outcome.ran) == ("code", True)


def test_the_trace_is_whole_after_each_round(tmp_path):
    trace = tmp_path / "trace.jsonl"
    seen = []

    def noted(prompt):
        seen.append(len(trace.read_text().splitlines()) if trace.exists() else 0)
        return "result = wrong"

    made, _ = rounds(ScriptedModel(lambda prompt: noted(prompt) + f" {len(seen)}"), [SORT], rounds=3)
    made.run(trace, progress=False)
    assert seen == [0, 1, 2]
    assert [json.loads(line)["round"] for line in trace.read_text().splitlines()] == [0, 1, 2]
