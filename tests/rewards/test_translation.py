"""Readability and language confidence: by hand, and in the right order."""

from __future__ import annotations

import pytest

from workbench.core.errors import SettingsError
from workbench.rewards import LanguageConfidence, Readability, Sample, Span


def test_the_flesch_kincaid_grade_by_hand() -> None:
    """8 words in 2 sentences with 12 syllables: 0.39 * 4 + 11.8 * 12 / 8 - 15.59."""
    text = "The cow eats yellow grass. It moos incredibly."
    (spans,) = Readability()([Sample("p", text)])
    assert [(span.start, span.end) for span in spans] == [(0, len(text))]
    assert spans[0].value == pytest.approx(0.39 * 4 + 11.8 * 12 / 8 - 15.59)
    assert Readability()([Sample("p", "")]) == [[Span(0, 0, 0.0)]]


def test_confidence_tells_english_from_spanish() -> None:
    english, spanish, empty = "The cow eats the green grass.", "La vaca come la hierba verde.", ""
    samples = [Sample("p", text) for text in (english, spanish, empty)]
    reward = LanguageConfidence()
    values = [spans[0].value for spans in reward(samples)]
    assert values[0] > 0.9 and values[1] < 0.3 and values[2] == 0
    reverse = LanguageConfidence("Spanish")
    assert [spans[0].value for spans in reverse(samples[:2])] == pytest.approx([1 - values[0], 1 - values[1]])


@pytest.mark.parametrize(
    ("language", "among", "said"),
    [
        ("klingon", ("english", "spanish"), "lingua does not know klingon"),
        ("french", ("english", "spanish"), "the first among them"),
        ("english", ("english",), "two languages or more"),
    ],
)
def test_languages_are_checked(language: str, among: tuple[str, ...], said: str) -> None:
    with pytest.raises(SettingsError, match=said):
        LanguageConfidence(language, among)
