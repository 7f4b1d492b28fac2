"""What turns texts into vectors."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from workbench.retrieval.retriever import Scores

__all__ = ["Encoder"]


class Encoder(Protocol):
    """Turns texts into vectors."""

    @property
    def fingerprint(self) -> str:
        """A text that differs whenever a vector may differ."""

    def encode(self, texts: Sequence[str]) -> Scores:
        """Return (texts, dimensions) float32 vectors of length 1."""
