"""The settings of the loop that the ARKS experiment compares, declared before it is run."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import combinations
from pathlib import Path
from typing import Any

from workbench.core.errors import SettingsError
from workbench.retrieval import ActiveRetrievalSettings, Item
from workbench.retrieval.retriever import Retriever

__all__ = [
    "ACTIVE",
    "CONTROL",
    "NOTHING",
    "ONE_SHOT",
    "RIGHT",
    "STRIPPED",
    "Setting",
    "check_names",
    "declared",
    "letters_of",
    "make_retriever",
    "of_families",
]

_LETTERS = {"documentation": "D", "execution_feedback": "F", "code_snippets": "S", "web_search": "W"}
WEB = "web_search"
FAMILIES = ("main", "query", "bound", "sources", "stripped")
ALL = "all"
RETRIEVERS = ("bm25", "dense", "hybrid")
NOTHING, ONE_SHOT, RIGHT = "no documents", "one-shot", "right documents, loop"
CONTROL, ACTIVE = "loop, question as query", "active, code as query"
STRIPPED = ", stripped"
"""Ends the name of a setting whose documents lack the familiar words."""


@dataclass(frozen=True)
class Setting:
    """One setting of the loop: the base with one change."""

    name: str
    family: str
    """What it is compared within: main, query, sources, bound or stripped."""
    changes: Mapping[str, Any] = field(default_factory=dict)
    """What differs from the base, by name of `ActiveRetrievalSettings`."""
    stripped: bool = False
    """Whether the documents lack the words of the functions' familiar names."""
    retriever: Retriever | None = None
    """How the soup is searched; BM25 where None."""
    items: tuple[Item, ...] = ()
    """What the soup holds besides the data's documentation: a source of one's own."""

    def cache_key(self) -> tuple[Any, ...]:
        """Return what the outcome depends on; of the retriever its fingerprint."""
        searched = None if self.retriever is None else self.retriever.fingerprint
        return self.name, self.family, self.changes, self.stripped, searched, self.items

    @property
    def file_name(self) -> str:
        """Its name as a file name."""
        return re.sub(r"[^a-z0-9+]+", "-", self.name.lower())

    def applied(self, base: ActiveRetrievalSettings) -> ActiveRetrievalSettings:
        """Return the loop's settings."""
        return replace(base, **self.changes)


def declared(
    *,
    bounded: bool = True,
    stripped: bool = True,
    web: bool = False,
    retriever: Retriever | None = None,
) -> tuple[Setting, ...]:
    """Return every setting, each once.

    Args:
        bounded: Whether the right documents are known, for the upper bound.
        stripped: Whether the data can be had without the familiar words, for the control.
        web: Whether web pages can be had: alone, and beside the other sources.
        retriever: How the soup is searched in all of them; BM25 where None.
    """
    everything = tuple(name for name in _LETTERS if name != WEB)
    documents = {"sources": ("documentation",), "rounds": 1}
    settings = [
        Setting(NOTHING, "main", {"sources": (), "rounds": 1}),
        Setting(ONE_SHOT, "main", documents),
        Setting(CONTROL, "main", {"query": "question"}),
        Setting(ACTIVE, "main", {"query": "code"}),
        Setting("active, explanation as query", "query", {"query": "explanation"}),
        Setting("active, error as query", "query", {"query": "execution_feedback"}),
    ]
    if bounded:
        settings += [
            Setting("right documents, one-shot", "bound", {**documents, "given_documents": True}),
            Setting(RIGHT, "bound", {"given_documents": True}),
        ]
    subsets = [chosen for size in (1, 2) for chosen in combinations(everything, size)]
    settings += [
        Setting(f"active, {letters_of(chosen)}", "sources", {"query": "code", "sources": chosen})
        for chosen in subsets
    ]
    if web:
        settings += [
            Setting(f"active, {letters_of(chosen)}", "sources", {"query": "code", "sources": chosen})
            for chosen in ((WEB,), (*everything, WEB))
        ]
    if stripped:
        kept = [setting for setting in settings if setting.name in (ONE_SHOT, CONTROL, ACTIVE, RIGHT)]
        settings += [
            Setting(f"{setting.name}{STRIPPED}", "stripped", setting.changes, True) for setting in kept
        ]
    return tuple(settings if retriever is None else (replace(one, retriever=retriever) for one in settings))


def of_families(settings: Sequence[Setting], names: Sequence[str]) -> tuple[Setting, ...]:
    """Return the settings of some families.

    Args:
        settings: As declared.
        names: Of `FAMILIES`, `main` among them: claims compare with its settings. `all` alone leaves all.

    Raises:
        SettingsError: There is no such family, or `main` is left out.
    """
    if list(names) == [ALL]:
        return tuple(settings)
    if "main" not in names or not set(names) <= set(FAMILIES):
        raise SettingsError(
            got=f"families {', '.join(names)}",
            needed=f"{ALL}, or main and others of {', '.join(FAMILIES[1:])}",
            fix="-p families=main,query,bound, for example",
        )
    return tuple(setting for setting in settings if setting.family in names)


def make_retriever(name: str, encoder: str, cache: Path) -> Retriever | None:
    """Return a retriever by its name; None for BM25, the settings' own.

    Args:
        name: `bm25`, `dense` or `hybrid`.
        encoder: A model of `sentence-transformers`; empty for the one that needs no network.
        cache: Keeps the vectors of texts.

    Raises:
        SettingsError: There is no such retriever.
    """
    if name == "bm25":
        return None
    if name not in RETRIEVERS:
        raise SettingsError(f"retriever {name!r}", f"one of {', '.join(RETRIEVERS)}", "correct the name")
    from workbench.retrieval.bm25 import BM25Retriever
    from workbench.retrieval.dense import DenseRetriever
    from workbench.retrieval.hybrid import HybridRetriever

    dense = DenseRetriever(encoder or None, cache=cache)
    return dense if name == "dense" else HybridRetriever((BM25Retriever(), dense))


def check_names(settings: Sequence[Setting]) -> None:
    """Refuse settings that tables or folders could not tell apart.

    Raises:
        SettingsError: Two settings have one name, or names that are one folder's.
    """
    counted = Counter(setting.file_name for setting in settings)
    twice = [setting.name for setting in settings if counted[setting.file_name] > 1]
    if twice:
        raise SettingsError(
            got=f"settings named {', '.join(twice)}",
            needed="names that differ in letters or digits",
            fix="rename one",
        )


def letters_of(sources: Sequence[str]) -> str:
    """Return the short form of the sources that a run may combine, such as `D+F`."""
    return "+".join(_LETTERS[name] for name in sources)
