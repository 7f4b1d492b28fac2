"""What a sentence of the world says, drawn by a seed, and how Spanish and good English say it."""

from __future__ import annotations

import random
from dataclasses import dataclass

from workbench.worlds.translation.lexicon import (
    CONNECTIVES,
    DETERMINERS,
    OF_PEOPLE,
    OF_THINGS,
    PEOPLE,
    THINGS,
    TIMES,
    VERBS,
    Adjective,
    Determiner,
    Noun,
    Particle,
    Verb,
)

__all__ = ["TENSES", "Clause", "Meaning", "Phrase", "draw_meaning", "draw_phrase", "with_article"]

TENSES = ("present", "past", "future")


@dataclass(frozen=True)
class Phrase:
    """A noun with its determiner, and an adjective or none."""

    determiner: Determiner
    noun: Noun
    plural: bool = False
    adjective: Adjective | None = None

    @property
    def spanish(self) -> str:
        """`las casas rojas`: determiner and adjective agree with the noun."""
        gender = {"feminine": self.noun.feminine, "plural": self.plural}
        words = [self.determiner.in_spanish(**gender), self.noun.in_spanish(plural=self.plural)]
        if self.adjective is not None:
            words.append(self.adjective.in_spanish(**gender))
        return " ".join(words)

    @property
    def english(self) -> str:
        """`the red houses`."""
        words = [self.determiner.in_english(plural=self.plural)]
        if self.adjective is not None:
            words.append(self.adjective.english)
        return " ".join(with_article([*words, self.noun.in_english(plural=self.plural)]))


@dataclass(frozen=True)
class Clause:
    """Somebody does something to something, or does not."""

    subject: Phrase
    verb: Verb
    object: Phrase
    tense: str = "present"
    """One of `TENSES`."""
    negated: bool = False

    @property
    def spanish(self) -> str:
        """`la niña no compra un libro`."""
        verb = self.verb.in_spanish(self.tense, plural=self.subject.plural)
        return f"{self.subject.spanish} {'no ' if self.negated else ''}{verb} {self.object.spanish}"

    @property
    def english(self) -> str:
        """`the girl does not buy a book`."""
        return " ".join([self.subject.english, *self.predicate, self.object.english])

    @property
    def predicate(self) -> list[str]:
        """`does not buy`: the English verb is the last word."""
        plural = self.subject.plural
        if self.tense == "future":
            before = ["will"]
        elif self.negated:
            before = ["did" if self.tense == "past" else "do" if plural else "does"]
        else:
            return [self.verb.in_english(self.tense, plural=plural)]
        if self.negated:
            before.append("not")
        return [*before, self.verb.in_english("base", plural=plural)]


@dataclass(frozen=True)
class Meaning:
    """What a sentence says: one clause, or two that are connected."""

    clauses: tuple[Clause, ...]
    connective: Particle | None = None
    """Between two clauses."""
    time: Particle | None = None
    """Of the first clause; it goes with its tense."""

    @property
    def spanish(self) -> str:
        """The sentence to translate: words and signs between single spaces."""
        return self._joined("spanish")

    @property
    def english(self) -> str:
        """The exact translation, in plain words: the reference."""
        return self._joined("english")

    def _joined(self, language: str) -> str:
        before = f"{getattr(self.time, language)} , " if self.time else ""
        between = f" {getattr(self.connective, language)} " if self.connective else ""
        return f"{before}{between.join(getattr(clause, language) for clause in self.clauses)} ."


def draw_meaning(source: random.Random, *, clauses: int | None = None) -> Meaning:
    """Draw what a sentence says. The same state of chance gives the same sentence.

    Args:
        source: Where chance comes from.
        clauses: One or two; as it comes if None.
    """
    drawn = tuple(_clause(source) for _ in range(clauses or source.choice((1, 1, 2))))
    return Meaning(
        drawn,
        connective=source.choice(CONNECTIVES) if len(drawn) == 2 else None,
        time=TIMES[drawn[0].tense] if source.random() < 0.3 else None,
    )


def draw_phrase(source: random.Random, *, people: bool) -> Phrase:
    """Draw a determiner, a noun, and an adjective for every second phrase.

    Args:
        source: Where chance comes from.
        people: Whether it is about those who act, or about what they act upon.
    """
    determiner = source.choice(DETERMINERS)
    return Phrase(
        determiner,
        source.choice(PEOPLE if people else THINGS),
        plural=source.choice(determiner.numbers()),
        adjective=source.choice(OF_PEOPLE if people else OF_THINGS) if source.random() < 0.5 else None,
    )


def with_article(words: list[str]) -> list[str]:
    """Return the words of a phrase, with `a` made `an` before a vowel."""
    return ["an", *words[1:]] if words[0] == "a" and words[1][0] in "aeiouáéíóú" else words


def _clause(source: random.Random) -> Clause:
    return Clause(
        subject=draw_phrase(source, people=True),
        verb=source.choice(VERBS),
        object=draw_phrase(source, people=False),
        tense=source.choice(TENSES),
        negated=source.random() < 0.2,
    )
