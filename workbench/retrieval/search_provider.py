"""What finds pages on the web."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

__all__ = ["SearchProvider", "WebPage"]


@dataclass(frozen=True)
class WebPage:
    """One page."""

    url: str
    """Its address, or its file."""
    title: str
    text: str
    """What it says, headings marked with `#`."""


class SearchProvider(Protocol):
    """Finds pages."""

    @property
    def fingerprint(self) -> str:
        """A text that differs whenever it may find other pages, as far as that can be known; no secret."""

    def search(self, query: str, count: int) -> list[WebPage]:
        """Return at most `count` pages, best first.

        Raises:
            DataError: The provider refuses or cannot be reached.
        """
