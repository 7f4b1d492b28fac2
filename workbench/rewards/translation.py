"""Aspect rewards of a translation that need no model of our own: readability and language confidence."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property
from typing import Any

from workbench.core.errors import SettingsError
from workbench.rewards.spans import Sample, Span, whole

__all__ = ["LanguageConfidence", "Readability"]


class Readability:
    """The Flesch-Kincaid grade of a response: years of school that reading it takes; the higher, the more intricate.

    ALaRM rewards it z-normalised, with mean 11.199 and standard deviation 6.044. By textstat. English.

    Source: Kincaid et al. 1975: `0.39 * words / sentences + 11.8 * syllables / words - 15.59`.
    """

    name = "readability"

    def __call__(self, samples: Sequence[Sample]) -> list[list[Span]]:
        """Return each response's grade as a span of the whole of it; 0 for one without a word."""
        import textstat

        return [[whole(sample, float(textstat.flesch_kincaid_grade(sample.response)))] for sample in samples]


class LanguageConfidence:
    """The probability that a response is in a language, among some (ALaRM, for translations). By lingua.

    Args:
        language: Its name in English, such as `english`.
        among: The languages that are told apart, this one included.

    Raises:
        SettingsError: lingua does not know a language, or there is nothing to tell it from.
    """

    name = "confidence"

    def __init__(self, language: str = "english", among: Sequence[str] = ("english", "spanish")) -> None:
        from lingua import Language

        known = {one.name.lower(): one for one in Language.all()}
        names = [name.lower() for name in (language, *among)]
        unknown = sorted({name for name in names if name not in known})
        if unknown or names[0] not in names[1:] or len(set(names)) < 2:
            raise SettingsError(
                got=f"language {language!r} among {', '.join(among)}"
                + (f"; lingua does not know {', '.join(unknown)}" if unknown else ""),
                needed="two languages or more, by their names in English, the first among them",
                fix=f"choose among {', '.join(sorted(known))}"
                if unknown
                else "add a language to tell it from",
            )
        self._language, self._among = known[names[0]], [known[name] for name in dict.fromkeys(names)]

    @cached_property
    def _detector(self) -> Any:
        from lingua import LanguageDetectorBuilder

        return LanguageDetectorBuilder.from_languages(*self._among).build()

    def __call__(self, samples: Sequence[Sample]) -> list[list[Span]]:
        """Return the probability as a span of each whole response; 0 for one without a letter."""
        texts = [sample.response for sample in samples]
        found = self._detector.compute_language_confidence_in_parallel(texts, self._language)
        return [[whole(one, float(value))] for one, value in zip(samples, found, strict=True)]
