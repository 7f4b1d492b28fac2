"""The tokenizer of lexical search: one object reads documents and queries, in prose and in code."""

from __future__ import annotations

import re
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

__all__ = ["CodeTokenizer", "words_of"]

_WORD = re.compile(r"\w+")
# fooBar -> foo Bar; HTTPServer -> HTTP Server; x2y -> x 2 y
_PART = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|\d+")
_PART_BEYOND_ASCII = re.compile(r"[^\W\d_]+|\d+")


def words_of(text: str) -> list[str]:
    """Cut a text into lower-case words; an identifier gives itself, then its parts.

    `linear_sum` gives `linear_sum`, `linear`, `sum`; `cKDTree` gives `ckdtree`, `c`, `kd`, `tree`. So a name is
    found by itself, which is rare and weighs much, and by the words it is made of.

    Args:
        text: Prose, code, or both.
    """
    return [word for raw in _WORD.findall(text) for word in _split(raw)]


def _split(raw: str) -> list[str]:
    whole = raw.lower()
    parts = [part.lower() for part in (_PART if raw.isascii() else _PART_BEYOND_ASCII).findall(raw)]
    return [whole] if parts == [whole] else [whole, *parts]


class CodeTokenizer:
    """Turns texts into numbers, one a word. New words get new numbers, for documents only.

    A retriever has one of these and gives it both documents and queries, as text: they cannot be cut
    differently.
    """

    def __init__(self) -> None:
        self.vocabulary: dict[str, int] = {}
        """Word to number."""
        self._seen: dict[str, tuple[int, ...]] = {}  # how a raw word of documents is cut: most come often

    def document(self, text: str) -> NDArray[np.int32]:
        """Return the (words,) int32 numbers of a document's words; unknown words become known."""
        numbers: list[int] = []
        for raw in _WORD.findall(text):
            known = self._seen.get(raw)
            if known is None:
                known = tuple(self.vocabulary.setdefault(word, len(self.vocabulary)) for word in _split(raw))
                self._seen[raw] = known
            numbers += known
        return np.array(numbers, dtype=np.int32)

    def query(self, text: str) -> NDArray[np.int32]:
        """Return the (words,) int32 numbers of a query's words; words of no document are left out."""
        return np.array(
            [self.vocabulary[word] for word in words_of(text) if word in self.vocabulary], dtype=np.int32
        )

    def documents(self, texts: Sequence[str]) -> list[NDArray[np.int32]]:
        """Return the numbers of several documents, in order."""
        return [self.document(text) for text in texts]
