"""What a translation is worth: faults of each kind by hand, each told apart from the others; any text at all."""

from __future__ import annotations

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from workbench.core.errors import DataError
from workbench.worlds.translation.meaning import draw_meaning
from workbench.worlds.translation.oracle import assess, english_words, grade, utility
from workbench.worlds.translation.reading import read
from workbench.worlds.translation.words import dictionary

SPANISH = "dos niñas compran una casa roja ."
ENGLISH = "two girls buy a red house ."  # 10 parts of meaning, 7 tokens, 6 words


def faults(text, spanish=SPANISH):
    return [text[start:end] for start, end in assess(spanish, text).errors]


def test_the_reference_is_worth_everything():
    for seed in range(300):
        meaning = draw_meaning(random.Random(seed))
        found = assess(meaning.spanish, meaning.english)
        assert found.errors == ()
        assert found.utility == pytest.approx(1)


def test_what_is_said_is_read_alike_in_both_languages():
    units = {
        (0, "subject determiner", "two"),
        (0, "subject noun", "girl"),
        (0, "subject number", "many"),
        (0, "verb", "buy"),
        (0, "tense", "present"),
        (0, "polarity", "yes"),
        (0, "object determiner", "a"),
        (0, "object adjective", "red"),
        (0, "object noun", "house"),
        (0, "object number", "one"),
    }
    assert set(read(SPANISH.split(), "spanish").units) == units
    assert set(read(ENGLISH.split(), "english").units) == units


@pytest.mark.parametrize(
    ("text", "adequacy", "grammar", "language", "plainness"),
    [
        (ENGLISH, 1, 1, 1, 1),
        ("two girls buy a red table .", 9 / 10, 1, 1, 1),  # a wrong word
        ("two girls buys a red house .", 1, 5 / 7, 1, 1),  # no agreement: 'girls buys'
        ("two girls buy a house red .", 1, 5 / 7, 1, 1),  # order: 'house red'
        ("two girls buy a red casa .", 16 / 18, 1, 5 / 6, 1),  # Spanish: noun and number are not said
        ("two girls purchase a red residence .", 1, 1, 1, 4 / 6),  # heavy
        ("two girls bought a red house .", 9 / 10, 1, 1, 1),  # another tense
        ("two girls do not buy a red house .", 9 / 10, 1, 1, 1),  # the contrary
        ("two girls buy a house .", 18 / 19, 1, 1, 1),  # less
        ("two girls buy a red house and two girls buy a red house .", 20 / 31, 1, 1, 1),  # more
        ("", 0, 0, 0, 0),
    ],
)
def test_each_kind_of_fault_costs_its_own_aspect(text, adequacy, grammar, language, plainness):
    found = assess(SPANISH, text)
    assert (found.adequacy, found.grammar) == pytest.approx((adequacy, grammar))
    assert (found.language, found.plainness) == pytest.approx((language, plainness))
    assert found.utility == pytest.approx(0.5 * adequacy + 0.25 * grammar + 0.15 * language + 0.1 * plainness)
    assert utility(SPANISH, text) == found.utility


@pytest.mark.parametrize(
    ("text", "spans"),
    [
        ("the boy buy a house .", ["boy buy"]),
        ("the boy do not buy a house .", ["boy do"]),
        ("the boy does not buys a house .", ["buys"]),
        ("the boy will bought a house .", ["bought"]),
        ("these boy buy a house .", ["these boy", "boy buy"]),
        ("two apple .", ["two apple", "."]),
        ("the boy buys house .", ["house"]),  # a bare noun in the singular
        ("the boy buys houses .", []),
        ("a egg .", ["a egg", "."]),
        ("the boy buys an red egg .", ["an red"]),
        ("the boy buys a egg .", ["a egg"]),
        ("the the boy buys a house .", ["the"]),
        ("the boy not buys a house .", ["not"]),
        ("the boy a house .", ["a", "."]),  # no verb
        ("the boy buys a house", ["house"]),  # no end
        ("the boy buys a house and .", ["."]),
        ("yesterday the boy bought a house .", ["the"]),  # no comma
        ("the boy buys a house . the girl buys a door .", []),
        ("the boy buys a zebra .", ["zebra", "."]),  # a word of neither language
        (
            "el niño buys una casa roja .",
            ["casa roja"],
        ),  # Spanish words have their places, and its order is wrong
        ("el niño compra a house .", []),
    ],
)
def test_faults_of_grammar_are_found_where_they_are(text, spans):
    assert faults(text) == spans


def test_language_and_grade_by_hand():
    assert english_words("the casa .") == 1 / 2
    assert english_words(". ,") == english_words("") == 0
    # four words, one sentence, five syllables: the | ta ble | is not known, counted alike | red
    assert grade("the table is red .") == pytest.approx(0.39 * 4 + 11.8 * 5 / 4 - 15.59)
    assert grade("") == 0
    assert grade("the physician purchased a residence .") > grade("the doctor bought a house .")
    heavy = [text for text, word in dictionary().items() if word.heavy]
    plain = [text for text, word in dictionary().items() if word.language == "english" and not word.heavy]
    assert sum(map(grade, heavy)) / len(heavy) > 10 + sum(map(grade, plain)) / len(plain)


@given(
    st.lists(st.sampled_from([*dictionary(), "zebra", "<unk>"]), max_size=12), st.sampled_from([" ", "  "])
)
def test_any_words_have_a_worth_and_faults_within_the_text(words, space):
    text = space.join(words)
    found = assess(SPANISH, text)
    assert 0 <= found.utility <= 1
    assert all(0 <= start < end <= len(text) for start, end in found.errors)
    assert all(text[start:end].strip() == text[start:end] for start, end in found.errors)


def test_a_prompt_of_another_world_is_refused():
    with pytest.raises(DataError, match="Spanish sentence of the world"):
        assess("the boy buys a house .", "the boy buys a house .")
