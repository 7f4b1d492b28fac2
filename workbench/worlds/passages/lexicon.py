"""The words of the world of passages, and the tokenizer that knows them all."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import TYPE_CHECKING

from workbench.worlds.words import END, PADDING, UNKNOWN, word_tokenizer

if TYPE_CHECKING:
    from transformers import PreTrainedTokenizerFast

__all__ = [
    "END",
    "FAMILIAR_VERBS",
    "MARKS",
    "NAMES",
    "PADDING",
    "UNSEEN_VERBS",
    "VALUES",
    "make_tokenizer",
    "vocabulary",
]

# fmt: off
NAMES = (
    "ana", "bo", "carl", "dina", "emil", "fay", "gus", "hana", "ivan", "june", "karl", "lena",
    "mats", "nora", "otto", "pia", "quinn", "rosa", "sven", "tess", "uma", "vera", "will", "zoe",
)
# fmt: on
"""The people."""

VALUES: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {
        "likes": ("red", "blue", "green", "gold", "gray", "pink"),
        "plays": ("chess", "golf", "tennis", "piano", "cards", "polo"),
        "drinks": ("tea", "milk", "coffee", "cocoa", "water", "juice"),
        "fears": ("storms", "snakes", "ghosts", "heights", "wolves", "fire"),
        "visits": ("rome", "oslo", "cairo", "lima", "paris", "delhi"),
        "studies": ("law", "music", "physics", "history", "art", "birds"),
        "sells": ("boats", "shoes", "lamps", "hats", "bread", "clocks"),
        "reads": ("poems", "maps", "letters", "news", "tales", "essays"),
        "grows": ("roses", "beans", "corn", "plums", "rice", "figs"),
        "speaks": ("greek", "latin", "danish", "dutch", "thai", "welsh"),
        "owns": ("dogs", "cats", "goats", "parrots", "horses", "bees"),
        "cooks": ("soup", "pasta", "curry", "stew", "eggs", "trout"),
        "wears": ("silk", "wool", "linen", "denim", "velvet", "cotton"),
        "builds": ("towers", "bridges", "kites", "violins", "sheds", "canoes"),
        "paints": ("doors", "walls", "ships", "trees", "faces", "clouds"),
        "hears": ("bells", "drums", "flutes", "waves", "trains", "owls"),
    }
)
"""What one can say of a person: a verb, and the values that it takes. No value belongs to two verbs."""
FAMILIAR_VERBS = tuple(VALUES)[:10]
"""The verbs that preferences are collected on."""
UNSEEN_VERBS = tuple(VALUES)[10:]
"""Verbs that the policy knows well and that no preference is about: they are kept for a test."""

MARKS = ("right", "wrong", "aside")
"""A reviewer's mark after a sentence: true and asked for; false; true but not asked for, or said before."""
STRUCTURE = (".", ",", "?", ":", "what", "tell", "of")


def vocabulary() -> tuple[str, ...]:
    """Return every token of the world in the order of its number."""
    values = (value for options in VALUES.values() for value in options)
    return (PADDING, END, UNKNOWN, *STRUCTURE, *MARKS, *NAMES, *VALUES, *values)


def make_tokenizer() -> PreTrainedTokenizerFast:
    """Return the tokenizer: a word or a sign is a token, and texts are their tokens between single spaces."""
    return word_tokenizer(vocabulary())
