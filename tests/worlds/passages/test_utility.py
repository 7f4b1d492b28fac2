"""What an answer is worth: values computed by hand, spans that cut out exactly their sentence."""

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from workbench.worlds.passages import (
    SPLITS,
    AnswerWritingSettings,
    assess,
    draw_task,
    utility,
    vocabulary,
    write_answer,
)

PASSAGE = "ana likes red , plays chess , drinks tea . bo visits rome , sells hats , reads maps ."
PROMPT = f"{PASSAGE} what bo reads , visits ?"


@pytest.mark.parametrize(
    ("response", "marks", "factuality", "relevance", "completeness"),
    [
        ("bo reads maps . bo visits rome .", ["right", "right"], 1, 1, 1),
        ("bo visits rome . bo reads maps .", ["right", "right"], 1, 1, 1),  # any order
        ("bo reads news . bo visits rome .", ["wrong", "right"], 1 / 2, 1, 1 / 2),  # relevant, but false
        ("bo reads maps . bo sells hats . bo visits rome .", ["right", "aside", "right"], 1, 2 / 3, 1),
        ("bo reads maps . ana plays chess .", ["right", "aside"], 1, 1 / 2, 1 / 2),
        ("bo reads maps .", ["right"], 1, 1, 1 / 2),
        ("bo reads maps . bo reads maps .", ["right", "aside"], 1, 1 / 2, 1 / 2),  # repeats pay nothing
        ("bo reads news . bo reads maps .", ["wrong", "aside"], 1 / 2, 1 / 2, 1 / 2),
        ("ana reads maps . bo visits rome .", ["wrong", "right"], 1 / 2, 1 / 2, 1 / 2),
        ("bo bo . bo visits rome", ["wrong", "right"], 1 / 2, 1 / 2, 1 / 2),  # cut off before its full stop
        (". .", ["wrong", "wrong"], 0, 0, 0),
        ("", [], 0, 0, 0),
    ],
)
def test_worth_of_answers_by_hand(response, marks, factuality, relevance, completeness):
    found = assess(PROMPT, response)
    assert [sentence.mark for sentence in found.sentences] == marks
    assert (found.factuality, found.relevance, found.completeness) == (factuality, relevance, completeness)
    assert utility(PROMPT, response) == pytest.approx(
        0.5 * factuality + 0.25 * relevance + 0.25 * completeness
    )


def test_f1_weighs_good_sentences_against_what_was_asked():
    # two of three sentences are factual and relevant, both asked things are told: 2 * (2/3) / (5/3)
    assert assess(PROMPT, "bo reads maps . bo sells hats . bo visits rome .").f1 == pytest.approx(0.8)
    assert assess(PROMPT, "").f1 == 0


@given(st.lists(st.sampled_from(vocabulary()), max_size=30))
def test_spans_are_the_sentences_of_any_text(words):
    response = " ".join(words)
    found = assess(PROMPT, response)
    assert 0 <= found.utility <= 1
    covered = " ".join(response[sentence.start : sentence.end] for sentence in found.sentences)
    assert covered.split() == response.split()
    assert all(response[one.start : one.end].count(".") <= 1 for one in found.sentences)


@given(st.integers(), st.sampled_from(sorted(SPLITS)))
def test_only_an_answer_without_fault_is_worth_1(seed, name):
    source = random.Random(seed)
    task = draw_task(SPLITS[name], source)
    right = [fact.sentence for fact in write_answer(task, source, AnswerWritingSettings(habit=0, slip=0))]
    assert utility(task.prompt, " ".join(right)) == 1
    assert utility(task.prompt, " ".join(right[1:])) < 1
    assert utility(task.prompt, " ".join([*right, right[0]])) < 1
