"""Lessons: the ideal reader's program for hand-made evidence, and that lessons are what they say."""

from random import Random

import pytest

from workbench.worlds.libraries.lessons import Attempt, Evidence, Lesson, ideal_attempt, lesson
from workbench.worlds.libraries.library import Function
from workbench.worlds.libraries.operations import OPERATIONS
from workbench.worlds.libraries.tasks import Step, Task
from workbench.worlds.libraries.tokenizer import make_tokenizer

FLIP = Function("zumi", OPERATIONS["reverse"], "none", "reverse the order")
ADD = Function("koba", OPERATIONS["increase"], "first", "increase by a positive offset")
CUT = Function("luvi", OPERATIONS["cap"], "by", "cap with a ceiling")
QUESTION = "flip the list around, then add 2 to all, then let none exceed 5"
TASK = Task(QUESTION, (Step(FLIP, None), Step(ADD, 2), Step(CUT, 5)))


def written(evidence):
    attempt = ideal_attempt(TASK, evidence)
    return attempt.program(TASK).split("\n"), attempt.error


def test_what_no_document_names_gets_its_familiar_name_and_an_honest_name_error():
    assert written(Evidence([])) == (
        ["x = reverse(x)", "x = increase(x, 2)", "x = cap(x, 5)"],
        "NameError: name 'reverse' is not defined",
    )


def test_documents_give_names_but_no_conventions():
    lines, error = written(Evidence([CUT, ADD, FLIP]))
    assert lines == ["x = zumi(x)", "x = koba(x, 2)", "x = luvi(x, 5)"]
    assert error == "TypeError: koba takes the number first"


def test_working_calls_give_names_and_conventions():
    assert written(Evidence([FLIP], examples=[ADD, CUT])) == (
        ["x = zumi(x)", "x = koba(2, x)", "x = luvi(x, by=5)"],
        "",
    )


def test_an_error_puts_the_number_right_and_what_ran_stays():
    first = ideal_attempt(TASK, Evidence([FLIP, ADD, CUT]))
    second = ideal_attempt(TASK, Evidence([], attempt=first))
    assert second.program(TASK).split("\n") == ["x = zumi(x)", "x = koba(2, x)", "x = luvi(x, 5)"]
    assert second.error == "TypeError: luvi takes the number as by"
    third = ideal_attempt(TASK, Evidence([], attempt=second))
    assert third == Attempt((("zumi", "none"), ("koba", "first"), ("luvi", "by")), "", 3)
    assert third.program(TASK) == TASK.program


def test_a_name_that_a_new_document_tells_replaces_the_familiar_one():
    first = ideal_attempt(TASK, Evidence([FLIP]))
    assert first.error == "NameError: name 'increase' is not defined"
    lines, _ = written(Evidence([ADD], attempt=first))
    assert lines == ["x = zumi(x)", "x = koba(x, 2)", "x = cap(x, 5)"]


@pytest.mark.parametrize(
    "plan",
    [
        Lesson((1,), (0, 0), tasks=10, quoted=0.2),
        Lesson((1,), (2, 5), tasks=8, documented=0.75, quoted=0.3),
        Lesson((1, 2, 3), (3, 6), documented=0.8, exampled=0.3, examples=3, attempted=0.8),
    ],
)
def test_a_lesson_has_no_unknown_word_and_comes_again_from_its_seed(plan):
    tokenizer = make_tokenizer()
    for seed in range(40):
        parts = lesson(Random(seed), plan)
        assert parts == lesson(Random(seed), plan)
        assert [learned for _, learned in parts].count(True) == plan.tasks
        ids = tokenizer("".join(text for text, _ in parts))["input_ids"]
        assert tokenizer.unk_token_id not in ids


def test_attempts_shown_in_lessons_did_fail():
    plan = Lesson((3,), (3, 6), documented=0.8, exampled=0.3, examples=3, attempted=1.0)
    texts = [lesson(Random(seed), plan)[0][0] for seed in range(60)]
    shown = [text for text in texts if "tried\n" in text]
    assert len(shown) > 40
    assert all("error NameError: name '" in text or "error TypeError: " in text for text in shown)
