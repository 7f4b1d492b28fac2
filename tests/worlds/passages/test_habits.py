"""The writers' habits: each fault where it belongs, as often as was asked for."""

import random

import pytest

from workbench.core.errors import SettingsError
from workbench.worlds.passages import HABITS, SPLITS, AnswerWritingSettings, assess, draw_task, write_answer
from workbench.worlds.passages.habits import stereotype
from workbench.worlds.passages.lexicon import FAMILIAR_VERBS, UNSEEN_VERBS

ALWAYS = AnswerWritingSettings(habit=1, slip=0)


def told(task, answer):
    return [
        fact.value
        for fact in answer
        if (fact.person, fact.verb) in {(task.person, verb) for verb in task.asked}
    ]


def test_a_habit_always_given_in_to_has_its_fault_and_no_other():
    source = random.Random(0)
    for _ in range(300):
        task = draw_task(SPLITS["familiar"], source)
        answer = write_answer(task, source, ALWAYS)
        habits = [HABITS.get(verb) for verb in task.asked]
        expected = [
            stereotype(verb) if habit == "stereotype" else task.truth(verb).value
            for verb, habit in zip(task.asked, habits, strict=True)
            if habit != "skip"
        ]
        if set(habits) == {"skip"}:  # an answer says something: the last is told
            expected = [task.truth(task.asked[-1]).value]
        assert told(task, answer) == expected
        asides = [fact for fact in answer if fact.verb not in task.asked]
        assert len(asides) == habits.count("aside")
        assert set(asides) <= set(task.facts)
        assert len(set(asides)) == len(asides)


def test_habits_apply_to_verbs_of_both_kinds_and_some_verbs_have_none():
    for verbs in (FAMILIAR_VERBS, UNSEEN_VERBS):
        assert {HABITS.get(verb) for verb in verbs} == {"stereotype", "aside", "skip", None}


def test_faults_come_as_often_as_asked_for():
    source = random.Random(1)
    settings = AnswerWritingSettings(habit=0, slip=0.2)
    tasks = [draw_task(SPLITS["longer"], source) for _ in range(1000)]
    sentences = [
        sentence.factual
        for task in tasks
        for sentence in assess(
            task.prompt, " ".join(fact.sentence for fact in write_answer(task, source, settings))
        ).sentences
    ]
    assert sum(sentences) / len(sentences) == pytest.approx(0.8, abs=0.03)  # four standard errors


def test_chances_beyond_1_are_refused_all_at_once():
    with pytest.raises(SettingsError, match=r"habit 1.5; slip -1"):
        AnswerWritingSettings(habit=1.5, slip=-1)
