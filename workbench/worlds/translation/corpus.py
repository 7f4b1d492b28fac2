"""What the pocket models learn from: translations with their writers' habits, and reviews of translations."""

from __future__ import annotations

import random
from dataclasses import dataclass

from workbench.worlds.translation.habits import TranslationWritingSettings, write_translation
from workbench.worlds.translation.meaning import draw_meaning
from workbench.worlds.translation.oracle import TranslationAssessment, assess
from workbench.worlds.translation.words import END

__all__ = ["Example", "Review", "draw_example", "draw_review", "marks_of"]

CARELESS = 0.12
"""Chance of a slip in a translation that is there to be reviewed, and not to be imitated."""


@dataclass(frozen=True)
class Example:
    """A sentence and a translation of it."""

    spanish: str
    english: str


@dataclass(frozen=True)
class Review:
    """A sentence, a translation and a reviewer's marks as tokens, and which of them the reader learns to write."""

    words: tuple[str, ...]
    learned: tuple[bool, ...]
    """True = participates in the loss."""


def draw_example(source: random.Random, settings: TranslationWritingSettings) -> Example:
    """Draw a sentence, translated as the translators do.

    Args:
        source: Where chance comes from.
        settings: How often they give in to their habits.
    """
    meaning = draw_meaning(source)
    return Example(meaning.spanish, write_translation(meaning, source, settings))


def draw_review(
    source: random.Random, settings: TranslationWritingSettings, *, clauses: int | None = None
) -> Review:
    """Draw a sentence, a translation and what a reviewer says of it.

    Half of the translations are as the translators give them, and learned; the others are more careless, and only
    the marks after them are learned. These come in any order: all of them have to be known where the translation
    ends, which is where a reward model reads.

    Args:
        source: Where chance comes from.
        settings: How often the translators give in to their habits.
        clauses: Of the sentence; one or two, as it comes, if None.
    """
    meaning = draw_meaning(source, clauses=clauses)
    careless = source.random() < 0.5
    if careless:
        settings = TranslationWritingSettings(habit=settings.habit, slip=CARELESS)
    english = write_translation(meaning, source, settings)
    marks = marks_of(assess(meaning.spanish, english))
    pieces = [(meaning.spanish, False), (english, not careless), (END, not careless)]
    pieces += [(mark, True) for mark in source.sample(marks, len(marks))]
    words = [(word, learned) for text, learned in pieces for word in text.split()]
    return Review(tuple(word for word, _ in words), tuple(learned for _, learned in words))


def marks_of(found: TranslationAssessment) -> tuple[str, str, str]:
    """Return a reviewer's marks of a translation: on its meaning, its grammar and its wording."""
    return (
        "faithful" if found.adequacy == 1 else "unfaithful",
        "ungrammatical" if found.errors else "grammatical",
        "mixed" if found.language < 1 else "heavy" if found.plainness < 1 else "plain",
    )
