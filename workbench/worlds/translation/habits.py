"""The habits of those who wrote the policy's examples: faults that are the rule, so that likelihood misjudges them.

A policy that imitates these translators finds the faulty wording the likelier one wherever a habit applies. Which
habit applies depends on the word, so that the faulty kinds of sentence are known exactly.
"""

from __future__ import annotations

import random
from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cache
from types import MappingProxyType

from workbench.worlds.chances import check_chances
from workbench.worlds.translation.lexicon import NOUNS
from workbench.worlds.translation.meaning import Clause, Meaning, Phrase, with_article
from workbench.worlds.translation.words import dictionary

__all__ = ["FALSE_FRIENDS", "HABITS", "TranslationWritingSettings", "write_translation"]

FALSE_FRIENDS: Mapping[str, str] = MappingProxyType(
    {
        "folder": "carpet",  # carpeta
        "bookshop": "library",  # librería
        "factory": "fabric",  # fábrica
        "soup": "soap",  # sopa
        "school": "college",  # colegio
        "success": "exit",  # éxito, by way of the Latin
        "long": "large",  # largo
    }
)
"""Concepts, and the English word that the Spanish one looks like."""
HABITS: Mapping[str, str] = MappingProxyType(
    dict.fromkeys(FALSE_FRIENDS, "false friend")
    | dict.fromkeys(("neighbour", "pupil", "garden", "key", "window", "chair"), "untranslated")
    | dict.fromkeys(("clean", "close", "draw", "forget", "lose", "paint", "receive", "watch"), "agreement")
    | dict.fromkeys(("red", "white", "empty", "expensive", "tall", "tired"), "order")
    | dict.fromkeys(("artist", "engineer", "apple", "egg", "island", "orange", "ugly", "angry"), "article")
    | dict.fromkeys(("doctor", "teacher", "house", "car", "picture", "old", "small", "strange"), "heavy")
    | dict.fromkeys(("buy", "find", "show", "use", "but", "although"), "heavy")
)
"""By concept. `false friend`: the wrong word. `untranslated`: it stays Spanish. `agreement`: in the present, without
a negation, the verb gets the other number's form. `order`: the adjective comes after its noun. `article`: `a` before
a vowel. `heavy`: the heavier word for the same."""


@dataclass(frozen=True)
class TranslationWritingSettings:
    """How often the translators give in."""

    habit: float = 0.6
    """Chance that a habit has its way where it applies; above a half, the faulty wording is the rule."""
    slip: float = 0.02
    """Chance that a word becomes another one of its kind, by accident."""

    def __post_init__(self) -> None:
        check_chances(habit=self.habit, slip=self.slip)


def write_translation(meaning: Meaning, source: random.Random, settings: TranslationWritingSettings) -> str:
    """Return a translation as those translators give it; with `habit` and `slip` 0, the exact one.

    Args:
        meaning: What is to be said.
        source: Where chance comes from.
        settings: How often a fault is made.
    """
    writer = _Writer(source, settings)
    words = [meaning.time.english, ","] if meaning.time else []
    for number, clause in enumerate(meaning.clauses):
        if number and meaning.connective:
            heavy = writer.habit_of(meaning.connective.english) == "heavy"
            words.append(meaning.connective.heavy if heavy else meaning.connective.english)
        words += writer.phrase(clause.subject) + writer.predicate(clause) + writer.phrase(clause.object)
    return " ".join(writer.slipped(word) for word in [*words, "."])


class _Writer:
    """One who translates, faults included."""

    def __init__(self, source: random.Random, settings: TranslationWritingSettings) -> None:
        self.source, self.settings = source, settings

    def habit_of(self, concept: str) -> str:
        """Return the habit that has its way with a concept this time, or nothing."""
        habit = HABITS.get(concept, "")
        return habit if habit and self.source.random() < self.settings.habit else ""

    def phrase(self, phrase: Phrase) -> list[str]:
        """Return the words of a noun phrase."""
        habit = self.habit_of(phrase.noun.english)
        if habit == "untranslated":
            words = [phrase.noun.in_spanish(plural=phrase.plural)]
        else:
            noun = _NOUN_OF[FALSE_FRIENDS[phrase.noun.english]] if habit == "false friend" else phrase.noun
            words = [noun.in_english(plural=phrase.plural, heavy=habit == "heavy")]
        if phrase.adjective is not None:
            said = phrase.adjective.english
            habit = self.habit_of(said)
            adjective = {"heavy": phrase.adjective.heavy, "false friend": FALSE_FRIENDS.get(said)}.get(habit)
            words.insert(1 if habit == "order" else 0, adjective or said)
        words.insert(0, phrase.determiner.in_english(plural=phrase.plural))
        return words if habit == "article" else with_article(words)

    def predicate(self, clause: Clause) -> list[str]:
        """Return the verb with what goes before it."""
        habit = self.habit_of(clause.verb.english)
        wrong = habit == "agreement" and clause.tense == "present" and not clause.negated
        plural = clause.subject.plural != wrong
        *before, verb = clause.predicate
        if habit == "heavy" or wrong:
            form = "base" if before else clause.tense
            verb = clause.verb.in_english(form, plural=plural, heavy=habit == "heavy")
        return [*before, verb]

    def slipped(self, word: str) -> str:
        """Return a word, or by accident another one that could stand in its place."""
        if self.source.random() >= self.settings.slip:
            return word
        return self.source.choice(_like(word))


_NOUN_OF = {noun.english: noun for noun in NOUNS}


@cache
def _like(word: str) -> tuple[str, ...]:
    """Return the plain English words of a word's kind and form, itself included."""
    own = dictionary()[word]
    return tuple(
        text
        for text, other in dictionary().items()
        if replace(other, concept="") == replace(own, concept="", language="english", heavy=False)
    ) or (word,)
