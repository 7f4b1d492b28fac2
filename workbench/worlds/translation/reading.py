"""What a text says and where its grammar fails: one walk over its words, which takes any words at all."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType

from workbench.worlds.translation.words import Word, dictionary

__all__ = ["Reading", "Unit", "read"]

Unit = tuple[int, str, str]
"""A part of what is said: the number of its clause, what it is there, and the concept."""

PHRASE = frozenset({"determiner", "adjective", "noun"})
EXPECTED: Mapping[str, frozenset[str]] = MappingProxyType(
    {
        "start": PHRASE | {"time"},
        "time": frozenset({"comma"}),
        "clause": PHRASE,
        "phrase": frozenset({"adjective", "noun"}),
        "subject": frozenset({"verb", "auxiliary"}),
        "auxiliary": frozenset({"not", "verb"}),
        "not": frozenset({"verb"}),
        "verb": PHRASE,
        "object": frozenset({"connective", "stop"}),
    }
)
"""The places in an English sentence, and the categories that can come next."""


@dataclass(frozen=True)
class Reading:
    """What a text says, and its faults of grammar."""

    units: tuple[Unit, ...]
    """From the words of the language that it was read in; the others say nothing."""
    errors: tuple[tuple[int, int], ...]
    """First word and one past the last of each fault, in the order of the text."""


def read(words: Sequence[str], language: str) -> Reading:
    """Read a text of the world, good or bad.

    A word left in the other language has its place in the grammar, but no meaning: it is no fault of grammar.

    Args:
        words: Its words and signs.
        language: `english` or `spanish`. Grammar is the English one: for a Spanish text the errors mean nothing.
    """
    reader = _Reader(words, language)
    for number, text in enumerate(words):
        word = dictionary().get(text)
        if word is None:  # a word of neither language
            reader.errors.add((number, number + 1))
        else:
            reader.step(number, word)
    if reader.place != "start" and words:
        reader.errors.add((len(words) - 1, len(words)))  # it does not come to its end
    return Reading(tuple(reader.units), tuple(sorted(reader.errors)))


@dataclass
class _Phrase:
    """A noun phrase, as far as it is read."""

    start: int
    role: str
    """`subject` or `object`."""
    determiner: Word | None = None
    noun: Word | None = None


class _Reader:
    """Where the walk is, and what was found."""

    def __init__(self, words: Sequence[str], language: str) -> None:
        self.words, self.language = words, language
        self.units: list[Unit] = []
        self.errors: set[tuple[int, int]] = set()
        self.place, self.clause = "start", -1
        self._begin_clause("start")

    def step(self, number: int, word: Word) -> None:
        """Read the next word."""
        category = word.category
        if category == "adjective" and self.phrase is not None and self.phrase.noun is not None:
            self.errors.add((number - 1, number + 1))  # in English it stands before its noun
            self._say(self.phrase.role + " adjective", word)
            return
        if category not in EXPECTED[self.place]:
            self.errors.add((number, number + 1))
        if category in PHRASE:
            self._read_phrase(number, word)
        elif category in ("verb", "auxiliary", "not"):
            self._read_predicate(number, word)
        elif category == "connective":
            self._say("connective", word)
            self._begin_clause("clause")
        elif category == "stop":
            self._begin_clause("start")
        else:
            if category == "time":
                self._say("time", word)
            self.place = "time" if category == "time" else "clause"

    def _begin_clause(self, place: str) -> None:
        self.place, self.clause = place, self.clause + 1
        self.role, self.negated = "subject", False
        self.phrase: _Phrase | None = None
        self.auxiliary: Word | None = None

    def _read_phrase(self, number: int, word: Word) -> None:
        """Read a determiner, an adjective before its noun, or a noun."""
        phrase = self.phrase
        if phrase is None or phrase.noun is not None or word.category == "determiner":
            phrase = self.phrase = _Phrase(number, self.role)
        self.place = "phrase"
        self._say(f"{phrase.role} {word.category}", word)
        if word.category == "determiner":
            phrase.determiner = word
            if not self._article_fits(number):
                self.errors.add((number, number + 2))
        elif word.category == "noun":
            phrase.noun, self.place = word, phrase.role
            self._say(f"{phrase.role} number", word, "many" if word.plural else "one")
            wanted = True if phrase.determiner is None else phrase.determiner.plural  # 'girls' alone is right
            if wanted is not None and wanted != word.plural:
                self.errors.add((phrase.start, number + 1))

    def _read_predicate(self, number: int, word: Word) -> None:
        """Read an auxiliary, a negation or a verb."""
        subject = self.phrase.noun if self.phrase is not None and self.role == "subject" else None
        disagrees = subject is not None and word.plural is not None and word.plural != subject.plural
        if self.auxiliary is None and disagrees:
            self.errors.add((number - 1, number + 1))
        self.place = word.category
        if word.category == "auxiliary":
            self.auxiliary = word
        elif word.category == "not":
            self.negated = self.negated or word.language == self.language
        else:
            if self.auxiliary is not None and not word.base:
                self.errors.add((number, number + 1))
            self._say("verb", word)
            self._say("tense", self.auxiliary or word, (self.auxiliary or word).tense)
            self._say("polarity", word, "no" if self.negated else "yes")
            self.role, self.phrase = "object", None

    def _article_fits(self, number: int) -> bool:
        """Whether `a` or `an` is the one that the next word takes; true of anything else."""
        if self.words[number] not in ("a", "an") or number + 1 == len(self.words):
            return True
        following = dictionary().get(self.words[number + 1])
        if following is None or following.category not in ("adjective", "noun"):
            return True
        return (self.words[number] == "an") == (self.words[number + 1][0] in "aeiouáéíóú")

    def _say(self, what: str, word: Word, concept: str = "") -> None:
        if word.language == self.language:
            self.units.append((self.clause, what, concept or word.concept))
