"""Every word of the world, what it is, and the tokenizer that knows them all."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cache
from types import MappingProxyType
from typing import TYPE_CHECKING

from workbench.worlds.translation.lexicon import (
    ADJECTIVES,
    CONNECTIVES,
    DETERMINERS,
    NOUNS,
    TIMES,
    VERBS,
)
from workbench.worlds.words import END, PADDING, UNKNOWN, word_tokenizer

if TYPE_CHECKING:
    from transformers import PreTrainedTokenizerFast

__all__ = ["END", "MARKS", "PADDING", "Word", "dictionary", "entries", "make_tokenizer", "vocabulary"]

MARKS = ("faithful", "unfaithful", "grammatical", "ungrammatical", "plain", "heavy", "mixed")
"""A reviewer's marks after a translation, which only the reader learns: meaning, grammar, wording."""


@dataclass(frozen=True)
class Word:
    """What a form is. No form is two things."""

    category: str
    """`determiner`, `adjective`, `noun`, `verb`, `auxiliary`, `not`, `connective`, `time`, `comma` or `stop`."""
    language: str
    """`english` or `spanish`; empty for signs."""
    concept: str = ""
    """What it means, by the plain English word."""
    plural: bool | None = None
    """Its number, or that of the subject it goes with; None: either."""
    tense: str = ""
    """Of verbs and auxiliaries: one of `TENSES`."""
    base: bool = False
    """Whether it is the form of an English verb that follows an auxiliary."""
    heavy: bool = False
    """Whether a plainer word says the same."""


@cache
def dictionary() -> Mapping[str, Word]:
    """Return what each word and sign of both languages is, in the order of their numbers."""
    found: dict[str, Word] = {",": Word("comma", ""), ".": Word("stop", "")}
    found.update(entries())
    return MappingProxyType(found)


def entries() -> list[tuple[str, Word]]:
    """Return all forms of the lexicon with what they are; a form may come again, as the same."""
    return [*_determiners(), *_nouns(), *_adjectives(), *_verbs(), *_particles()]


def vocabulary() -> tuple[str, ...]:
    """Return every token of the world in the order of its number."""
    return (PADDING, END, UNKNOWN, *MARKS, *dictionary())


def make_tokenizer() -> PreTrainedTokenizerFast:
    """Return the tokenizer of both languages: a word or a sign is a token, single spaces between them."""
    return word_tokenizer(vocabulary())


_Entries = list[tuple[str, Word]]


def _determiners() -> _Entries:
    found: _Entries = []
    for one in DETERMINERS:
        numbers = one.numbers()
        for plural in numbers:
            # `my` goes with both numbers; `these` only with one, though `this` is the same concept
            either = len(numbers) == 2 and not one.english_plural
            form = one.in_english(plural=plural)
            found.append((form, Word("determiner", "english", one.english, None if either else plural)))
            found += [
                (
                    one.in_spanish(feminine=feminine, plural=plural),
                    Word("determiner", "spanish", one.english, plural),
                )
                for feminine in (False, True)
            ]
    found.append(("an", Word("determiner", "english", "a", plural=False)))
    return found


def _nouns() -> _Entries:
    found: _Entries = []
    for one in NOUNS:
        for plural in (False, True):
            noun = Word("noun", "english", one.english, plural)
            found.append((one.in_english(plural=plural), noun))
            if one.heavy:
                heavy = Word("noun", "english", one.english, plural, heavy=True)
                found.append((one.in_english(plural=plural, heavy=True), heavy))
            found.append((one.in_spanish(plural=plural), Word("noun", "spanish", one.english, plural)))
    return found


def _adjectives() -> _Entries:
    found: _Entries = []
    for one in ADJECTIVES:
        found.append((one.english, Word("adjective", "english", one.english)))
        if one.heavy:
            found.append((one.heavy, Word("adjective", "english", one.english, heavy=True)))
        for plural in (False, True):
            for feminine in (False, True):
                form = one.in_spanish(feminine=feminine, plural=plural)
                found.append((form, Word("adjective", "spanish", one.english, plural)))
    return found


def _verbs() -> _Entries:
    found: _Entries = [
        ("do", Word("auxiliary", "english", plural=True, tense="present")),
        ("does", Word("auxiliary", "english", plural=False, tense="present")),
        ("did", Word("auxiliary", "english", tense="past")),
        ("will", Word("auxiliary", "english", tense="future")),
        ("not", Word("not", "english")),
        ("no", Word("not", "spanish")),
    ]
    for one in VERBS:
        for heavy in (False, True) if one.heavy else (False,):
            singular = one.in_english("present", plural=False, heavy=heavy)
            base = one.in_english("base", plural=True, heavy=heavy)
            past = one.in_english("past", plural=True, heavy=heavy)
            common = Word("verb", "english", one.english, heavy=heavy)
            found += [
                (singular, replace(common, plural=False, tense="present")),
                (base, replace(common, plural=True, tense="present", base=True)),
                (past, replace(common, tense="past")),
            ]
        found += [
            (
                one.in_spanish(tense, plural=plural),
                Word("verb", "spanish", one.english, plural, tense),
            )
            for tense in ("present", "past", "future")
            for plural in (False, True)
        ]
    return found


def _particles() -> _Entries:
    found: _Entries = []
    for category, particles in (("connective", CONNECTIVES), ("time", tuple(TIMES.values()))):
        for particle in particles:
            found.append((particle.english, Word(category, "english", particle.english)))
            if particle.heavy:
                found.append((particle.heavy, Word(category, "english", particle.english, heavy=True)))
            found.append((particle.spanish, Word(category, "spanish", particle.english)))
    return found
