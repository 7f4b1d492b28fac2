"""Sentences of the world of translation: agreement in Spanish, auxiliaries and articles in English, one tokenizer."""

from __future__ import annotations

import random

import pytest

from workbench.worlds.translation.lexicon import (
    ADJECTIVES,
    CONNECTIVES,
    DETERMINERS,
    NOUNS,
    OF_PEOPLE,
    OF_THINGS,
    TIMES,
    VERBS,
)
from workbench.worlds.translation.meaning import Clause, Meaning, Phrase, draw_meaning
from workbench.worlds.translation.words import dictionary, entries, make_tokenizer, vocabulary


def named(entries, english):
    return next(entry for entry in entries if entry.english == english)


def phrase(determiner, noun, *, plural=False, adjective=None):
    return Phrase(
        named(DETERMINERS, determiner),
        named(NOUNS, noun),
        plural,
        named(ADJECTIVES, adjective) if adjective else None,
    )


@pytest.mark.parametrize(
    ("said", "spanish", "english"),
    [
        (phrase("the", "house", plural=True, adjective="red"), "las casas rojas", "the red houses"),
        (phrase("a", "egg"), "un huevo", "an egg"),
        (phrase("a", "island", adjective="new"), "una isla nueva", "a new island"),
        (phrase("a", "house", adjective="ugly"), "una casa fea", "an ugly house"),
        (phrase("this", "garden", plural=True), "estos jardines", "these gardens"),
        (phrase("my", "judge", plural=True, adjective="kind"), "mis jueces amables", "my kind judges"),
        (phrase("many", "library", plural=True), "muchas bibliotecas", "many libraries"),
        (phrase("our", "success", plural=True), "nuestros éxitos", "our successes"),
        (phrase("two", "soap", plural=True, adjective="large"), "dos jabones grandes", "two large soaps"),
    ],
)
def test_phrases_agree_in_spanish_and_stand_in_english_order(said, spanish, english):
    assert (said.spanish, said.english) == (spanish, english)


@pytest.mark.parametrize(
    ("said", "plural", "spanish", "english"),
    [
        ({"verb": "finish"}, False, "termina", "finishes"),
        ({"verb": "close"}, True, "cierran", "close"),  # the stem changes
        ({"verb": "close", "tense": "past"}, True, "cerraron", "closed"),
        ({"verb": "break", "tense": "past"}, False, "rompió", "broke"),
        ({"verb": "break", "tense": "past", "negated": True}, False, "no rompió", "did not break"),
        ({"verb": "buy", "negated": True}, False, "no compra", "does not buy"),
        ({"verb": "buy", "negated": True}, True, "no compran", "do not buy"),
        ({"verb": "receive", "tense": "future"}, True, "recibirán", "will receive"),
        ({"verb": "open", "tense": "future", "negated": True}, False, "no abrirá", "will not open"),
    ],
)
def test_verbs_agree_with_their_subject_in_every_tense(said, plural, spanish, english):
    noun = phrase("the", "boy", plural=plural)
    clause = Clause(noun, object=phrase("the", "door"), **{**said, "verb": named(VERBS, said["verb"])})
    assert clause.spanish == f"{noun.spanish} {spanish} la puerta"
    assert clause.english == f"{noun.english} {english} the door"


def test_a_sentence_joins_its_clauses_and_may_begin_with_a_time():
    first = Clause(phrase("the", "king"), named(VERBS, "lose"), phrase("a", "key"), "past")
    second = Clause(phrase("the", "cat"), named(VERBS, "find"), phrase("a", "shoe"))
    meaning = Meaning((first, second), named(CONNECTIVES, "although"), TIMES["past"])
    assert meaning.spanish == "ayer , el rey perdió una llave aunque el gato encuentra un zapato ."
    assert meaning.english == "yesterday , the king lost a key although the cat finds a shoe ."


def test_no_form_is_two_things():
    known = {}
    for form, word in entries():
        assert known.setdefault(form, word) == word, form
    assert {word.category for word in dictionary().values()} >= {"noun", "verb", "stop"}


def test_the_same_chance_gives_the_same_sentence_of_known_words():
    drawn = [draw_meaning(random.Random(seed)) for seed in range(300)]
    assert drawn == [draw_meaning(random.Random(seed)) for seed in range(300)]
    words = {word for one in drawn for text in (one.spanish, one.english) for word in text.split()}
    assert words <= set(dictionary())
    assert {len(one.clauses) for one in drawn} == {1, 2}
    assert all(len(draw_meaning(random.Random(seed), clauses=1).clauses) == 1 for seed in range(9))
    assert all(one.time is None or TIMES[one.clauses[0].tense] == one.time for one in drawn)
    people = {one.clauses[0].subject.adjective for one in drawn} - {None}
    assert people <= set(OF_PEOPLE)
    assert {one.clauses[0].object.adjective for one in drawn} - {None} <= set(OF_THINGS)


def test_the_tokenizer_knows_every_word_as_one_token():
    tokenizer = make_tokenizer()
    text = "ayer , la niña perdió tres llaves . yesterday , the girl lost three keys ."
    ids = tokenizer(text)["input_ids"]
    assert len(ids) == len(text.split())
    assert tokenizer.unk_token_id not in ids
    assert tokenizer.decode(ids) == text
    assert len(vocabulary()) == len(set(vocabulary())) == len(tokenizer)
