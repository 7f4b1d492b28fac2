"""Tasks of the world of passages: drawn by a seed, written as prompts, read back exactly."""

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from workbench.core.errors import DataError
from workbench.worlds.passages import SPLITS, Fact, PassageQuestion, draw_task, read_prompt
from workbench.worlds.passages.lexicon import FAMILIAR_VERBS, UNSEEN_VERBS, VALUES

PASSAGE = "ana likes red , plays chess , drinks tea . bo visits rome , sells hats , reads maps ."
PROMPT = f"{PASSAGE} what bo reads , visits ?"
TASK = PassageQuestion(
    facts=(
        Fact("ana", "likes", "red"),
        Fact("ana", "plays", "chess"),
        Fact("ana", "drinks", "tea"),
        Fact("bo", "visits", "rome"),
        Fact("bo", "sells", "hats"),
        Fact("bo", "reads", "maps"),
    ),
    person="bo",
    asked=("reads", "visits"),
)


def test_a_prompt_is_the_passage_and_the_question():
    assert TASK.prompt == PROMPT
    assert read_prompt(PROMPT) == TASK
    assert TASK.truth("reads").sentence == "bo reads maps ."


@given(st.integers(), st.sampled_from(sorted(SPLITS)))
def test_any_task_is_read_back_from_its_prompt(seed, name):
    split = SPLITS[name]
    task = draw_task(split, random.Random(seed))
    assert read_prompt(task.prompt) == task
    assert draw_task(split, random.Random(seed)) == task
    assert {fact.verb for fact in task.facts} <= set(split.verbs)
    assert len({fact.verb for fact in task.facts}) == len(task.facts) == 3 * split.people
    assert 2 <= len(task.asked) <= 3
    assert {task.truth(verb).person for verb in task.asked} == {task.person}
    assert len(task.prompt.split()) <= 40


def test_splits_out_of_distribution_are_what_they_say():
    assert not set(FAMILIAR_VERBS) & set(UNSEEN_VERBS)
    assert set(FAMILIAR_VERBS) | set(UNSEEN_VERBS) == set(VALUES)
    values = [value for options in VALUES.values() for value in options]
    assert len(set(values)) == len(values)
    longer = draw_task(SPLITS["longer"], random.Random(0))
    assert len({fact.person for fact in longer.facts}) == 3
    assert longer.question.startswith(f"tell of {longer.person} : ")


@pytest.mark.parametrize(
    "prompt",
    [
        "",
        "what is love ?",
        PROMPT.replace("what bo", "what ana"),  # asks for what the passage does not say of her
        PROMPT.replace("hats", "rome"),  # a value of another verb
        PROMPT.replace("drinks tea", "plays golf"),  # one verb twice
        PROMPT.replace(" , ", ","),
        PROMPT + " ",
    ],
)
def test_what_is_no_prompt_is_refused(prompt):
    with pytest.raises(DataError, match="draw_task"):
        read_prompt(prompt)
