"""The pieces of knowledge that a soup holds, and what a search finds."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass

from workbench.core.errors import SettingsError

__all__ = ["SOURCES", "Hit", "Item", "check_sources", "item_id"]

SOURCES = ("web_search", "documentation", "execution_feedback", "code_snippets")
"""The four sources of the knowledge soup, named as in the paper."""


@dataclass(frozen=True)
class Item:
    """One piece of knowledge: a section of a document, an error, or a program with an explanation."""

    id: str
    """Unique in a soup; the same in every run for the same knowledge."""
    source: str
    """One of `SOURCES`."""
    title: str
    """A heading, a function's name, or what else says in a line what it is about."""
    text: str
    """What is searched, and shown unless `shown` is set."""
    parent: str
    """The document that it is a section of; its own id where it stands alone."""
    section: int = 0
    """Its place among the sections of its document, from 0."""
    provenance: str = ""
    """Where it comes from: a file and line, an object of a package, an address, or a problem and round."""
    library: str = ""
    """The library or language that it is about; only problems of it are shown the item. Empty: all problems."""
    shown: str = ""
    """What a prompt shows of it, where that is not its text: the program of a snippet."""

    @property
    def content(self) -> str:
        """What a prompt shows of it."""
        return self.shown or self.text


@dataclass(frozen=True)
class Hit:
    """One document that a search found."""

    item: Item
    """Its best section."""
    score: float
    """The retriever's score of that section against the best of the queries."""


def item_id(source: str, *parts: str) -> str:
    """Return an id that depends on nothing but its parts: the source and 16 hex digits.

    Args:
        source: One of `SOURCES`.
        parts: What tells the item from all others, such as a path and a section's text.
    """
    digest = hashlib.sha256()
    for part in parts:
        data = part.encode(errors="surrogatepass")
        digest.update(len(data).to_bytes(8, "big") + data)
    return f"{source}:{digest.hexdigest()[:16]}"


def check_sources(sources: tuple[str, ...] | list[str]) -> None:
    """Refuse names that are none of the four sources.

    Raises:
        SettingsError: One or more are unknown; all are named.
    """
    unknown = [name for name in sources if name not in SOURCES]
    if unknown:
        raise SettingsError(
            got=f"sources {', '.join(map(repr, unknown))}",
            needed=f"names among {', '.join(SOURCES)}; none at all for generation without documents",
            fix="correct the names",
        )
