"""Sentences and sub-sentences: offsets into the text as it is."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from workbench.rewards.sentences import SEGMENTATIONS, sentences, subsentences, whole_text

TEXT = (
    "  Mr. Cow eats green grass, hay, and the leaves of trees, but never meat.\n\nYes!  \N{COW} É sleeps.  "
)


def parts(text: str, kind: str) -> list[str]:
    return [text[start:end] for start, end in SEGMENTATIONS[kind](text)]


def test_sentences_have_no_space_around_them() -> None:
    assert parts(TEXT, "sentence") == [
        "Mr. Cow eats green grass, hay, and the leaves of trees, but never meat.",
        "Yes!",
        "\N{COW} É sleeps.",
    ]


def test_sub_sentences_have_five_words_or_more() -> None:
    """`hay,` goes on to the next comma, `but never meat.` belongs to what is before it."""
    assert parts(TEXT, "subsentence") == [
        "Mr. Cow eats green grass,",
        "hay, and the leaves of trees, but never meat.",
        "Yes!",
        "\N{COW} É sleeps.",
    ]
    assert parts("One two three four five; a b c d e! f g h i j", "subsentence") == [
        "One two three four five;",
        "a b c d e!",
        "f g h i j",
    ]


def test_a_text_without_a_word_has_no_part() -> None:
    for kind in SEGMENTATIONS:
        assert parts("", kind) == parts(" \n\t ", kind) == []


@pytest.mark.parametrize("kind", [sentences, subsentences, whole_text])
@given(text=st.text(st.sampled_from("ab É\N{COW}牛.,;!?\n\t\"'()1"), max_size=60))
def test_parts_are_in_order_and_hold_all_but_space(text: str, kind) -> None:
    left = list(text)
    end = 0
    for start, stop in kind(text):
        assert end <= start < stop <= len(text)
        assert not text[start].isspace() and not text[stop - 1].isspace()
        left[start:stop] = [" "] * (stop - start)
        end = stop
    assert not "".join(left).strip()


@given(st.text(st.sampled_from("ab ,;."), max_size=120))
def test_only_a_short_sentence_has_a_short_part(text: str) -> None:
    whole = sentences(text)
    for start, end in subsentences(text):
        assert len(text[start:end].split()) >= 5 or (start, end) in whole
