"""The translators' habits: each by hand, as often as asked, and nothing else wrong; the aspects as rewards."""

from __future__ import annotations

import random

import pytest

from tests.worlds.translation.test_meaning import named, phrase
from workbench.core.errors import SettingsError
from workbench.rewards import Sample, reward_values, sequence_score
from workbench.worlds.translation import (
    ASPECTS,
    HABITS,
    TranslationWritingSettings,
    assess,
    draw_meaning,
    write_translation,
)
from workbench.worlds.translation.habits import FALSE_FRIENDS
from workbench.worlds.translation.lexicon import ADJECTIVES, CONNECTIVES, NOUNS, VERBS
from workbench.worlds.translation.meaning import Clause, Meaning

ALWAYS = TranslationWritingSettings(habit=1.0, slip=0.0)


def written(subject, verb, obj, *, tense="present", negated=False, settings=ALWAYS):
    meaning = Meaning((Clause(subject, named(VERBS, verb), obj, tense, negated),))
    return meaning, write_translation(meaning, random.Random(0), settings)


@pytest.mark.parametrize(
    ("subject", "verb", "obj", "english"),
    [
        (phrase("the", "boy"), "sell", phrase("a", "folder"), "the boy sells a carpet ."),
        (
            phrase("the", "boy"),
            "sell",
            phrase("a", "table", adjective="long"),
            "the boy sells a large table .",
        ),
        (phrase("the", "pupil"), "sell", phrase("two", "key", plural=True), "the alumno sells two llaves ."),
        (phrase("the", "boy"), "paint", phrase("a", "door"), "the boy paint a door ."),
        (phrase("two", "boy", plural=True), "lose", phrase("a", "door"), "two boys loses a door ."),
        (phrase("a", "king", adjective="tall"), "sell", phrase("a", "door"), "a king tall sells a door ."),
        (phrase("a", "artist"), "sell", phrase("a", "egg"), "a artist sells a egg ."),
        (phrase("a", "boy", adjective="angry"), "sell", phrase("a", "door"), "a angry boy sells a door ."),
        (phrase("a", "doctor"), "buy", phrase("a", "car"), "a physician purchases an automobile ."),
        (phrase("a", "boy"), "sell", phrase("a", "door", adjective="red"), "a boy sells a door red ."),
    ],
)
def test_each_habit_by_hand(subject, verb, obj, english):
    assert written(subject, verb, obj)[1] == english


def test_agreement_only_slips_where_the_verb_agrees():
    boy, door = phrase("the", "boy"), phrase("a", "door")
    assert written(boy, "draw", door, negated=True)[1] == "the boy does not draw a door ."
    assert written(boy, "draw", door, tense="past")[1] == "the boy drew a door ."
    assert written(boy, "use", door, tense="future")[1] == "the boy will utilize a door ."


def test_without_habits_and_slips_it_is_the_reference():
    for seed in range(100):
        meaning = draw_meaning(random.Random(seed))
        assert (
            write_translation(meaning, random.Random(seed), TranslationWritingSettings(0.0, 0.0))
            == meaning.english
        )


def test_habits_have_their_way_as_often_as_asked():
    boy, folder = phrase("the", "boy"), phrase("a", "folder")
    source = random.Random(0)
    settings = TranslationWritingSettings(habit=0.6, slip=0.0)
    meaning = Meaning((Clause(boy, named(VERBS, "sell"), folder),))
    wrong = sum("carpet" in write_translation(meaning, source, settings) for _ in range(2000))
    assert 0.56 < wrong / 2000 < 0.64


def test_a_slip_gives_another_word_of_the_same_kind():
    meaning, text = written(
        phrase("the", "boy"),
        "sell",
        phrase("a", "door"),
        settings=TranslationWritingSettings(habit=0.0, slip=1.0),
    )
    found = assess(meaning.spanish, text)
    assert found.adequacy < 1
    assert found.language == 1
    # number and tense stay, so what is left of grammar to go wrong is 'a' and 'an'
    assert all(text[start:end].split()[0] in ("a", "an") for start, end in found.errors)


def test_every_habit_is_of_a_word_that_it_fits():
    entries = {one.english: one for one in (*NOUNS, *ADJECTIVES, *VERBS, *CONNECTIVES)}
    assert set(HABITS) <= set(entries)
    assert all(entries[concept].heavy for concept, habit in HABITS.items() if habit == "heavy")
    assert all(entries[right] and entries[wrong] for right, wrong in FALSE_FRIENDS.items())
    assert all(concept[0] in "aeiou" for concept, habit in HABITS.items() if habit == "article")


def test_chances_are_refused_together():
    with pytest.raises(SettingsError, match=r"habit 1.5; slip -1"):
        TranslationWritingSettings(habit=1.5, slip=-1)


def test_the_aspects_pay_what_they_should_and_can_be_gamed():
    spanish = "dos niñas compran una casa roja ."
    texts = {
        "right": "two girls buy a red house .",
        "broken": "two girls buys a red house .",
        "mixed": "two girls buy a red casa .",
        "heavy": "two girls purchase a red residence .",
        "beside the point": "a dog sells the apples .",
    }
    samples = [Sample(spanish, text) for text in texts.values()]
    found = {
        name: dict(
            zip(
                texts,
                (
                    sequence_score(spans, len(one.response))
                    for spans, one in zip(made()(samples), samples, strict=True)
                ),
                strict=True,
            )
        )
        for name, made in ASPECTS.items()
    }
    grammar, confidence, grades = found["grammar"], found["confidence"], found["readability"]
    assert grammar["broken"] == pytest.approx(-len("girls buys") / len(texts["broken"]))
    assert grammar["right"] == grammar["mixed"] == grammar["beside the point"] == 0
    assert confidence["mixed"] == pytest.approx(5 / 6)
    assert confidence["broken"] == confidence["beside the point"] == 1
    assert grades["heavy"] == max(grades.values())
    (spans,) = ASPECTS["grammar"]()([samples[1]])
    assert [(one.value, one.on_each, texts["broken"][one.start : one.end]) for one in spans] == [
        (0, True, texts["broken"]),
        (-1, True, "girls buys"),
    ]
    assert list(reward_values(ASPECTS["confidence"](), [(spanish, "")])) == [0]
