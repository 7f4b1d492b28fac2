"""Prompts: what fits, what is left out and noted, and the code in an answer."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st
from small_library import HEAD

from workbench.retrieval import Hit, Item, PromptTemplate
from workbench.retrieval.assembly import Budgets, Dropped, assemble
from workbench.retrieval.execution import Outcome
from workbench.retrieval.prompts import extract_code
from workbench.retrieval.queries import Attempted

GIVEN = replace(HEAD, code_context="import knot\nvalues = [1]\n[insert]\nprint(result)\n")


def words(text: str) -> int:
    return len(text.split())


class Bare(PromptTemplate):
    """Only the pieces themselves, so that tokens can be counted by eye."""

    def document(self, title, text, problem):
        return text

    def snippet(self, item, problem):
        return item.content

    def attempt(self, attempt):
        return attempt.code

    def task(self, problem):
        return "the task"

    def closing(self, problem):
        return ""

    def prompt(self, documents, snippets, task, attempt, closing):
        return "|".join(part for part in [*documents, *snippets, task, attempt] if part).replace("|", " | ")


def document(name: str, *sections: str) -> tuple[Hit, list[Item]]:
    items = [Item(f"{name}{n}", "documentation", name, text, name, n) for n, text in enumerate(sections)]
    return Hit(items[-1], 1.0), items


def snippet(name: str, code: str) -> Hit:
    return Hit(Item(name, "code_snippets", name, "why", name, shown=code), 1.0)


def filled(**options):
    attempt = options.pop("attempt", None)
    pieces = {name: options.pop(name, ()) for name in ("documents", "pages", "snippets")}
    budgets = Budgets(**{"doc_max_length": 100, "exp_max_length": 100, "prompt_max_length": 100, **options})
    return assemble(HEAD, **pieces, attempt=attempt, budgets=budgets, template=Bare(), count_tokens=words)


def test_pieces_come_best_first_and_whole_where_they_fit():
    prompt = filled(
        documents=[document("a", "a1 a2", "a3"), document("b", "b1")],
        pages=[document("w", "w1")],
        snippets=[snippet("s", "s1 s2")],
        attempt=Attempted(HEAD, "wrong", Outcome(False, "no")),
    )
    assert prompt.text == "a1 a2\n\na3 | b1 | w1 | s1 s2 | the task | wrong"
    assert prompt.tokens == words(prompt.text)
    assert (prompt.shown, prompt.dropped) == (("a1", "b0", "w0", "s"), ())


def test_a_document_that_is_too_long_is_shown_by_its_best_section():
    prompt = filled(documents=[document("a", "long " * 9, "best")], doc_max_length=5)
    assert prompt.text == "best | the task"
    assert prompt.dropped == (Dropped("a1", "only the best section fits"),)


def test_what_does_not_fit_is_passed_over_for_what_does():
    prompt = filled(documents=[document("a", "a " * 6), document("b", "b")], doc_max_length=5)
    assert prompt.shown == ("b0",)
    assert prompt.dropped == (Dropped("a0", "over the source's budget"),)


def test_each_source_has_its_own_budget():
    prompt = filled(
        documents=[document("a", "a1 a2"), document("b", "b1 b2")],
        snippets=[snippet("s", "s1 s2"), snippet("t", "t1")],
        doc_max_length=2,
        exp_max_length=1,
    )
    assert prompt.shown == ("a0", "t")
    assert [one.piece for one in prompt.dropped] == ["b0", "s"]


def test_the_whole_prompts_budget_holds_and_is_named():
    prompt = filled(documents=[document("a", "a1 a2 a3 a4 a5 a6")], prompt_max_length=7)
    assert prompt.text == "the task"
    assert prompt.dropped == (Dropped("a0", "over the prompt's budget"),)


def test_the_seams_between_pieces_count_too():
    # task 2 + documents 3 + 3, which fits into 8, but for the two bars between them
    prompt = filled(documents=[document("a", "a a a"), document("b", "b b b")], prompt_max_length=8)
    assert (prompt.shown, prompt.tokens) == (("a0",), 6)
    assert prompt.dropped == (Dropped("b0", "over the prompt's budget"),)


def test_the_attempt_goes_before_the_task_does():
    attempt = Attempted(HEAD, "a very long attempt of many words", Outcome(False, "no"))
    prompt = filled(attempt=attempt, prompt_max_length=4)
    assert (prompt.text, prompt.dropped) == ("the task", (Dropped("attempt", "over the prompt's budget"),))
    short = filled(prompt_max_length=1)
    assert (short.text, short.dropped) == (
        "the task", (Dropped("task", "over the prompt's budget by itself"),),
    )  # fmt: skip


@given(
    st.lists(st.integers(1, 12), max_size=5), st.lists(st.integers(1, 12), max_size=5), st.integers(2, 40),
    st.integers(0, 20), st.integers(0, 20),
)  # fmt: skip
def test_no_prompt_is_over_its_budget_and_each_piece_is_shown_or_noted(docs, snippets, whole, doc, exp):
    prompt = filled(
        documents=[document(f"d{n}", "x " * size) for n, size in enumerate(docs)],
        snippets=[snippet(f"s{n}", "y " * size) for n, size in enumerate(snippets)],
        doc_max_length=doc,
        exp_max_length=exp,
        prompt_max_length=whole,
    )
    assert prompt.tokens <= whole
    assert prompt.text.count("x") <= doc
    assert prompt.text.count("y") <= exp
    noted = {one.piece for one in prompt.dropped}
    everything = {f"d{n}0" for n in range(len(docs))} | {f"s{n}" for n in range(len(snippets))}
    assert set(prompt.shown) | noted == everything
    assert not set(prompt.shown) & noted


def test_the_usual_wording():
    attempt = Attempted(GIVEN, "result = 1 / 0", Outcome(False, "ZeroDivisionError: x", 1, "result = 1 / 0"))
    prompt = assemble(
        GIVEN,
        documents=[document("knot.blim", "Keeps the head.")],
        snippets=[snippet("s", "result = knot.zorp(values)")],
        attempt=attempt,
        count_tokens=words,
    )
    assert prompt.text == (
        "# Documentation\n\nknot.blim\nKeeps the head.\n\n"
        "# Examples\n\n```python\nresult = knot.zorp(values)\n```\n\n"
        "# Task\n\nKeep the first two.\n\n"
        "```python\nimport knot\nvalues = [1]\n[insert]\nprint(result)\n```\n\n"
        "This code is wrong:\n```python\nresult = 1 / 0\n```\nZeroDivisionError: x\n"
        "The error is in this line: result = 1 / 0\nCorrect it.\n\n"
        "Reply with one Python code block: only the code that belongs at [insert].\n"
    )


@pytest.mark.parametrize(
    ("answer", "code"),
    [
        ("x = 1", "x = 1"),
        ("\n  x = 1\n\n", "  x = 1"),
        ("Sure:\n```python\nx = 1\n```\nIt works.", "x = 1"),
        ("```\r\nx = 1\r\n```", "x = 1"),
        ("```bash\npip install\n```\n```python\nx = 1\n```", "x = 1"),
        ("```python\nx = 1", "x = 1"),
        ("x = 1\n```\nSo it is.", "x = 1"),
        ("```python\nimport knot\nvalues = [1]\nx = 1\nprint(result)\n```", "x = 1"),
        ("", ""),
        ("```", ""),
    ],
)
def test_the_code_is_cut_out_of_an_answer(answer, code):
    assert extract_code(answer, GIVEN) == code


@given(st.text(alphabet="`\n a=pyton"))
def test_any_answer_gives_some_code(answer):
    assert "```python" not in extract_code(answer, GIVEN).split("\n")
