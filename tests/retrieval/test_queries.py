"""Queries, calls and what they are explained by; problems and where code goes in them."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from small_library import HEAD, ScriptedModel, documents

from workbench.core.errors import DataError
from workbench.datasets.coding_problem import CodingProblem, HiddenTest, VisibleRun, inserted
from workbench.languages.hidden_tests import same_output
from workbench.retrieval import Item, KnowledgeSoup
from workbench.retrieval.calls import Call, DocumentedNames, calls_in, documented_name
from workbench.retrieval.execution import Outcome, normalized
from workbench.retrieval.experience import snippet_items
from workbench.retrieval.queries import (
    Attempted,
    code_query,
    documented_explanations,
    explanation_query,
    feedback_query,
    model_explanations,
    question_query,
)


def attempt(code: str, message: str = "E", line: int | None = None) -> Attempted:
    text = code.split("\n")[line - 1] if line else ""
    return Attempted(HEAD, code, Outcome(False, message, line, text))


def test_each_formulation_asks_with_its_own_words():
    last = attempt("x = 1\ny = f(x)", "NameError: f", 2)
    assert (question_query(HEAD).kind, question_query(HEAD).texts) == ("question", ("Keep the first two.",))
    assert (code_query(last).kind, code_query(last).texts) == ("code", ("x = 1\ny = f(x)",))
    assert feedback_query(last).texts == ("NameError: f", "y = f(x)")
    assert explanation_query(last, [" a ", "", "b", "a"]).texts == ("a", "b")


def test_where_a_formulation_has_nothing_to_say_the_next_best_asks():
    assert explanation_query(attempt("x = 1"), []).kind == "code"
    assert feedback_query(attempt("x = 1", "")).kind == "code"
    assert code_query(attempt("\n")).kind == "question"


def explained(code: str, line: int | None = None) -> list[str]:
    soup = KnowledgeSoup(items=documents())
    explain = documented_explanations(soup, DocumentedNames(soup.items))
    return explain([attempt(code, line=line)])[0]


def test_code_is_explained_by_the_documentation_of_its_calls():
    both = ["Arrange the numbers of a list in increasing order, smallest first."]
    assert explained("knot.zorp(values)") == both
    assert explained("knot.zorp(values)\nknot.blim(2, x)", line=1) == both
    assert len(explained("knot.zorp(values)\nknot.blim(2, x)")) == 2
    assert len(explained("knot.zorp(values)\nx = 1\nknot.blim(2, x)", line=2)) == 2  # that line calls nothing


def test_a_made_up_name_is_explained_by_its_words():
    assert explained("knot.sort_list(values)") == ["sort_list sort list"]


def test_a_model_explains_line_by_line():
    model = ScriptedModel(lambda prompt: "1. First.\n\n- Second\n```\n")
    assert model_explanations(model)([attempt("f(x)", line=1)]) == [["1. First.", "Second"]]
    assert "Above all explain this line: f(x)" in model.asked[0]


@pytest.mark.parametrize(
    ("code", "calls"),
    [
        ("import numpy as np\nnp.sort(np.abs(x))", [("numpy.sort", 2), ("numpy.abs", 2)]),
        ("from scipy.stats import zscore as z\nz(a)", [("scipy.stats.zscore", 2)]),
        ("f(1)\nf(2); f(3)", [("f", 1), ("f", 2)]),
        ("df.groupby('a').sum()", [("df.groupby", 1), ("sum", 1)]),
        ("(lambda: 1)()", []),
        ("x = 1", []),
        ("if (knot.zorp(x", [("knot.zorp", 1)]),  # does not parse
    ],
)
def test_python_calls_are_found_with_their_full_names(code, calls):
    found = [(call.name, call.line) for call in calls_in(code)]
    assert sorted(found) == sorted(calls)


def test_imports_of_the_context_count():
    assert calls_in("k.zorp(x)", context="import knot as k\n[insert]") == [Call("knot.zorp", 1)]


@pytest.mark.parametrize(
    ("language", "code", "names"),
    [
        ("ring", "see max(1, 2)\nif (x) ok", ["max"]),
        (
            "pony",
            "let a = Array[I32].init(0, 3)\nenv.out.print(String::from(x))",
            ["init", "env.out.print", "String.from"],
        ),
        ("hy", "(setv x (knot.zorp values))", ["setv", "knot.zorp"]),
    ],
)
def test_calls_of_other_languages_are_told_by_their_looks(language, code, names):
    assert [call.name for call in calls_in(code, language)] == names


@given(st.text(), st.sampled_from(["python", "hy", "ring"]))
def test_any_text_has_some_calls_or_none(code, language):
    for call in calls_in(code, language):
        assert 1 <= call.line <= code.count("\n") + 1


@pytest.mark.parametrize(
    ("title", "name"),
    [
        ("scipy.stats.zscore(a, axis=0)", "scipy.stats.zscore"),
        ("## `zscore`", "zscore"),
        ("zscore: standard scores", "zscore"),
        ("zscore - Returns", "zscore"),
        ("def zscore(a):", "zscore"),
        ("String::from", "String.from"),
        ("Sorting a list", ""),
        ("", ""),
    ],
)
def test_a_title_that_is_a_name_documents_it(title, name):
    assert documented_name(title) == name


def named(*titles: str, library: str = "") -> DocumentedNames:
    return DocumentedNames(
        Item(title, "documentation", title, "x", f"<{title}>", library=library) for title in titles
    )


def test_a_call_is_described_by_its_exact_name_or_by_the_only_one_of_its_last_part():
    names = named("a.sort", "b.sort", "a.find")
    assert names.parent("b.sort") == "<b.sort>"
    assert names.parent("x.find") == names.parent("find") == "<a.find>"
    assert names.parent("sort") is None
    assert names.parent("other") is None
    assert named("a.find", library="L").parent("a.find") is None
    assert named("a.find", library="L").parent("a.find", "L") == "<a.find>"


def test_a_program_of_two_calls_is_one_document_of_two_sections():
    soup = KnowledgeSoup(items=documents())
    code = "x = knot.blim(2, values)\nresult = knot.zorp(x)\nknot.zorp(result)\nprint(result)"
    items = snippet_items(HEAD, 3, code, soup, DocumentedNames(soup.items))
    assert [(item.title, item.section, item.provenance) for item in items] == [
        ("knot.blim", 0, "problem head, round 3, line 1"),
        ("knot.zorp", 1, "problem head, round 3, line 2"),
    ]
    assert len({item.parent for item in items}) == 1
    assert all(item.shown == code and HEAD.question not in item.text for item in items)
    soup.add(items)
    assert len(soup.search("smallest first, the first k", "code_snippets", k=9)) == 1


def test_a_program_without_documented_calls_is_searched_by_its_code():
    (item,) = snippet_items(HEAD, 0, "result = values", KnowledgeSoup(), DocumentedNames())
    assert (item.text, item.content) == ("result = values", "result = values")


def test_code_goes_where_the_mark_is_at_the_marks_indentation():
    assert inserted("a\n[insert]\nb", "x = 1\ny = 2") == "a\nx = 1\ny = 2\nb"
    body = "def f():\n    [insert]\n    return x"
    right = "def f():\n    x = 1\n    if x:\n        x = 2\n    return x"
    assert inserted(body, "x = 1\nif x:\n    x = 2") == right
    assert inserted(body, "    x = 1\n    if x:\n        x = 2") == right
    assert inserted("f([insert])", "1") == "f(1)"


def test_problems_are_checked_when_they_are_made():
    with pytest.raises(DataError) as caught:
        CodingProblem(
            "", "q", (HiddenTest("no mark", tests="x"),), (VisibleRun("[insert][insert]"),), language="hy"
        )
    assert caught.value.got == (
        "problem '': problem_id is empty; 2 context(s) without [insert], or with several; "
        "a test module, which grades Python, for hy"
    )
    with pytest.raises(DataError, match="hidden_tests is empty"):
        CodingProblem("p", "q", ())


def test_outputs_are_equal_but_for_white_space_at_ends():
    assert same_output("1 2 \n3\n\n", "1 2\n3")
    assert not same_output("1  2", "1 2")
    assert not same_output("", "1")
    assert normalized(" <f at 0x7f00aa11bb22> ") == "<f at 0x...>"
