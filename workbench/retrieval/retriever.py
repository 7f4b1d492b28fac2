"""What a retriever is: something that opens an index for each source, and an index that grows."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

__all__ = ["QUERY_KINDS", "Index", "Retriever", "Scores"]

Scores = NDArray[np.float32]

QUERY_KINDS = ("question", "code", "explanation", "execution_feedback")
"""The four query formulations of the paper."""


class Index(Protocol):
    """The searchable texts of one source."""

    def add(self, texts: Sequence[str]) -> None:
        """Append texts. What is there already is not read, cut or encoded again."""

    def scores(self, queries: Sequence[str], kind: str) -> Scores:
        """Score every text against every query.

        Args:
            queries: Texts.
            kind: What the queries are; one of `QUERY_KINDS`.

        Returns:
            (queries, texts) float32, higher is better; -inf where a text has nothing in common with a query.
        """

    def __len__(self) -> int:
        """Return how many texts it holds."""


class Retriever(Protocol):
    """A way to search."""

    @property
    def name(self) -> str:
        """What to call it in a table."""

    @property
    def fingerprint(self) -> str:
        """A text that differs whenever scores may differ."""

    def index(self, source: str) -> Index:
        """Return a new, empty index for the items of a source."""
