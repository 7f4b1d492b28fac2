"""What a translation is worth: meaning, grammar, language and wording, all exact."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from types import MappingProxyType

from workbench.core.errors import DataError
from workbench.worlds.translation.reading import Unit, read
from workbench.worlds.translation.words import dictionary

__all__ = ["WEIGHTS", "TranslationAssessment", "assess", "english_words", "grade", "utility"]

WEIGHTS: Mapping[str, float] = MappingProxyType(
    {"adequacy": 0.5, "grammar": 0.25, "language": 0.15, "plainness": 0.1}
)
"""What each aspect counts in the utility."""
_WORD = re.compile(r"\S+")
_SYLLABLE = re.compile(r"[aeiouyáéíóúü]+")


@dataclass(frozen=True)
class TranslationAssessment:
    """A translation's worth. Every share is 0 for a translation without words."""

    errors: tuple[tuple[int, int], ...]
    """First character, and the one after the last, of each fault of grammar."""
    adequacy: float
    """How much of the meaning is there and nothing else: F1 of the parts that source and translation say."""
    grammar: float
    """Share of its words and signs that no fault of grammar touches."""
    language: float
    """Share of its words that are English."""
    plainness: float
    """Share of its words that no plainer word could replace."""

    @property
    def utility(self) -> float:
        """The weighted sum of the four, from 0 to 1; 1 for the exact translation in plain words."""
        return sum(weight * getattr(self, aspect) for aspect, weight in WEIGHTS.items())


@lru_cache(maxsize=65536)
def assess(prompt: str, response: str) -> TranslationAssessment:
    """Return what a translation is worth.

    Args:
        prompt: A Spanish sentence of the world.
        response: Any text; its words are what stands between spaces.

    Raises:
        DataError: The prompt is no Spanish of this world.
    """
    said = _meaning_of(prompt)
    places = [found.span() for found in _WORD.finditer(response)]
    words = [response[start:end] for start, end in places]
    reading = read(words, "english")
    faulty = {number for first, end in reading.errors for number in range(first, end)}
    known = [dictionary().get(word) for word in words]
    spoken = [word for word in known if word is None or word.language]
    count = max(len(spoken), 1)
    return TranslationAssessment(
        errors=tuple((places[first][0], places[end - 1][1]) for first, end in reading.errors),
        adequacy=_f1(Counter(said), Counter(reading.units)),
        grammar=1 - len(faulty) / len(words) if words else 0.0,
        language=sum(word is not None and word.language == "english" for word in spoken) / count,
        plainness=sum(word is None or not word.heavy for word in spoken) / count,
    )


def utility(prompt: str, response: str) -> float:
    """Return a translation's utility, from 0 to 1. See `TranslationAssessment.utility`."""
    return assess(prompt, response).utility


def english_words(text: str) -> float:
    """Return the share of a text's words that are English; 0 without words."""
    known = [dictionary().get(word) for word in text.split()]
    spoken = [word for word in known if word is None or word.language]
    return sum(word is not None and word.language == "english" for word in spoken) / max(len(spoken), 1)


def grade(text: str) -> float:
    """Return a text's Flesch-Kincaid grade, its syllables counted by groups of vowels; 0 without words.

    Source: Kincaid et al. 1975: `0.39 * words / sentences + 11.8 * syllables / words - 15.59`.
    """
    words = [word for word in text.split() if word not in (".", ",")]
    if not words:
        return 0.0
    sentences = max(text.split().count("."), 1)
    syllables = sum(map(_syllables, words))
    return 0.39 * len(words) / sentences + 11.8 * syllables / len(words) - 15.59


def _syllables(word: str) -> int:
    """Count groups of vowels, but for a silent `e` at the end."""
    groups = len(_SYLLABLE.findall(word))
    silent = word.endswith("e") and not word.endswith(("le", "ee")) and groups > 1
    return max(groups - silent, 1)


@lru_cache(maxsize=65536)
def _meaning_of(prompt: str) -> tuple[Unit, ...]:
    words: Sequence[str] = prompt.split(" ")
    known = [dictionary().get(word) for word in words]
    if not all(word is not None and word.language in ("spanish", "") for word in known):
        raise DataError(
            got=f"the prompt {prompt!r}",
            needed="a Spanish sentence of the world of translation, words and signs between single spaces",
            fix="make prompts with workbench.worlds.translation.draw_meaning(...).spanish",
        )
    return read(words, "spanish").units


def _f1(said: Counter[Unit], found: Counter[Unit]) -> float:
    both = sum((said & found).values())
    return 2 * both / (sum(said.values()) + sum(found.values())) if both else 0.0
