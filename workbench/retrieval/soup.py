"""The knowledge soup: items of four sources, searched by source, growing from round to round.

Source: Su et al. 2024, "ARKS: Active Retrieval in Knowledge Soup for Code Generation", section 2.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from workbench.core.errors import DataError, SettingsError
from workbench.retrieval.item import Hit, Item, check_sources
from workbench.retrieval.retriever import QUERY_KINDS, Index, Retriever, Scores

__all__ = ["KnowledgeSoup", "KnowledgeSource", "searched_text"]

_Place = tuple[str, str]
"""A source and a library."""
_PROBLEMS_AT_ONCE = 64  # the scores of all sections are held for this many


class KnowledgeSource(Protocol):
    """Where items come from: a folder of documents, a package, a web search."""

    @property
    def fingerprint(self) -> str:
        """A text that differs whenever its items may differ; it holds no secret."""

    def items(self, queries: Sequence[str] = ()) -> Iterable[Item]:
        """Yield items, in an order that is always the same.

        Args:
            queries: What is looked for; only a source that has to be asked (the web) reads them.
        """


class KnowledgeSoup:
    """Holds items and finds documents among them.

    A document (the items of one `parent`) scores as its best section against the best of the queries. Documents
    of equal score come in the order in which they were added. The same item is held once, with its first
    provenance.

    Each source of each library is a collection of its own: a retriever that weighs words by how rare they are
    counts within it. So what a problem is shown does not depend on which other libraries are in the soup.

    Args:
        retriever: How it is searched; BM25 where None.
        items: What it holds from the start.

    Raises:
        DataError: Two different items have the same id.
    """

    def __init__(self, retriever: Retriever | None = None, items: Iterable[Item] = ()) -> None:
        if retriever is None:
            from workbench.retrieval.bm25 import BM25Retriever

            retriever = BM25Retriever()
        self.retriever = retriever
        self._items: dict[str, Item] = {}
        self._shelves: dict[_Place, _Shelf] = {}
        self._shared: set[_Place] = set()  # shelves that a copy holds too
        self.add(items)

    def __len__(self) -> int:
        return len(self._items)

    def __contains__(self, item_id: str) -> bool:
        return item_id in self._items

    def __getitem__(self, item_id: str) -> Item:
        return self._items[item_id]

    @property
    def items(self) -> tuple[Item, ...]:
        """All items, in the order in which they came."""
        return tuple(self._items.values())

    def copy(self) -> KnowledgeSoup:
        """Return a soup of the same items that grows apart from this one; what neither changes they share."""
        twin = KnowledgeSoup(self.retriever)
        twin._items, twin._shelves = dict(self._items), dict(self._shelves)
        self._shared |= self._shelves.keys()
        twin._shared = set(self._shelves)
        return twin

    def add(self, items: Iterable[Item]) -> list[Item]:
        """Put items into the soup; those it holds already are passed over. What it holds is not read again.

        Returns:
            The items that are new, in order.

        Raises:
            DataError: An item has the id of another one that differs; nothing is added then.
            SettingsError: An item's source is none of the four.
        """
        new: dict[str, Item] = {}
        for item in items:
            known = self._items.get(item.id) or new.get(item.id)
            if known is not None and replace(known, provenance=item.provenance) != item:
                raise DataError(
                    got=f"two different items of id {item.id!r}: {known.title!r} and {item.title!r}",
                    needed="an id for each item of its own",
                    fix="make ids with `item_id` from all that tells items apart",
                )
            new.setdefault(item.id, item)
        fresh = [item for item in new.values() if item.id not in self._items]
        check_sources([item.source for item in fresh])
        for place in dict.fromkeys((item.source, item.library) for item in fresh):
            self._own_shelf(place).add([item for item in fresh if (item.source, item.library) == place])
        self._items.update((item.id, item) for item in fresh)
        return fresh

    def document(self, source: str, parent: str, library: str | None = None) -> list[Item]:
        """Return the sections of a document in their order; none where it is not in the soup.

        Args:
            source: One of the four sources.
            parent: The document.
            library: See `search_many`.
        """
        for shelf in self._open(source, library):
            found = shelf.document(parent)
            if found:
                return found
        return []

    def search(
        self,
        queries: str | Sequence[str],
        source: str,
        *,
        kind: str = "question",
        k: int = 5,
        library: str | None = None,
    ) -> list[Hit]:
        """Find the documents of one source that fit one of the queries best. See `search_many`."""
        asked = [queries] if isinstance(queries, str) else list(queries)
        return self.search_many([asked], source, kind=kind, k=k, library=library)[0]

    def search_many(
        self,
        queries: Sequence[Sequence[str]],
        source: str,
        *,
        kind: str = "question",
        k: int = 5,
        library: str | None = None,
    ) -> list[list[Hit]]:
        """Find documents for several problems at once.

        Args:
            queries: For each problem, its queries; a document scores as its best section against any of them.
            source: One of the four sources.
            kind: What the queries are, for encoders that are told; one of `QUERY_KINDS`.
            k: Most documents a problem.
            library: Look among this library's items and those of no library; None looks among all.

        Returns:
            For each problem its hits, best first. Documents that have nothing in common with the queries are
            left out, so there may be fewer than k.

        Raises:
            SettingsError: There is no such source or kind, or k is below 0.
        """
        check_sources([source])
        if kind not in QUERY_KINDS or k < 0:
            raise SettingsError(
                got=f"kind {kind!r}, k {k}",
                needed=f"a kind among {', '.join(QUERY_KINDS)}, and k of at least 0",
                fix="correct the search",
            )
        found: list[list[Hit]] = [[] for _ in queries]
        for shelf in self._open(source, library) if k else ():
            for hits, more in zip(found, shelf.search(queries, kind, k), strict=True):
                hits.extend(more)
        return [sorted(hits, key=lambda hit: -hit.score)[:k] for hits in found]  # stable

    def _open(self, source: str, library: str | None) -> list[_Shelf]:
        """Return the shelves on which something is looked for: the library's own first."""
        if library is None:
            return [shelf for place, shelf in self._shelves.items() if place[0] == source]
        places = dict.fromkeys([(source, library), (source, "")])
        return [self._shelves[place] for place in places if place in self._shelves]

    def _own_shelf(self, place: _Place) -> _Shelf:
        """Return a shelf for adding to it: a new one where there is none, or where a copy shares it."""
        if place not in self._shelves or place in self._shared:
            shelf = self._shelves[place] = _Shelf(self.retriever.index(place[0]))
            there = [item for item in self._items.values() if (item.source, item.library) == place]
            if there:
                shelf.add(there)
            self._shared.discard(place)
        return self._shelves[place]


class _Shelf:
    """The items of one source and library, their index, and which document each is a section of."""

    def __init__(self, index: Index) -> None:
        self._index = index
        self._items: list[Item] = []
        self._documents: dict[str, list[int]] = {}  # by parent: the places of its sections
        self._parents: list[str] = []  # the documents in their order, and the number of each
        self._numbers: dict[str, int] = {}
        self._document_of: NDArray[np.int64] = np.zeros(0, dtype=np.int64)

    def add(self, items: Sequence[Item]) -> None:
        belongs = []
        for place, item in enumerate(items, start=len(self._items)):
            if item.parent not in self._documents:
                self._documents[item.parent] = []
                self._numbers[item.parent] = len(self._parents)
                self._parents.append(item.parent)
            self._documents[item.parent].append(place)
            belongs.append(self._numbers[item.parent])
        self._items += items
        self._document_of = np.append(self._document_of, belongs).astype(np.int64)
        self._index.add([searched_text(item) for item in items])

    def document(self, parent: str) -> list[Item]:
        found = [self._items[place] for place in self._documents.get(parent, [])]
        return sorted(found, key=lambda item: item.section)

    def search(self, queries: Sequence[Sequence[str]], kind: str, k: int) -> list[list[Hit]]:
        found: list[list[Hit]] = []
        for first in range(0, len(queries), _PROBLEMS_AT_ONCE):
            some = queries[first : first + _PROBLEMS_AT_ONCE]
            row = {
                text: number for number, text in enumerate(dict.fromkeys(t for texts in some for t in texts))
            }
            scores = self._index.scores(list(row), kind)
            for texts in some:
                own = scores[[row[text] for text in texts]]
                found.append(self._best(own.max(axis=0), k) if texts else [])
        return found

    def _best(self, scores: Scores, k: int) -> list[Hit]:
        """Return the k best documents by their best sections, given (sections,) scores."""
        best = np.full(len(self._documents), -np.inf, dtype=np.float32)
        np.maximum.at(best, self._document_of, scores)
        matched = np.flatnonzero(best > -np.inf)
        if len(matched) > k:  # keep all that are as good as the k-th: their order decides among them
            least = np.partition(best[matched], len(matched) - k)[len(matched) - k]
            matched = matched[best[matched] >= least]
        chosen = matched[np.argsort(-best[matched], kind="stable")][:k]
        parents = [self._parents[number] for number in chosen.tolist()]
        return [self._hit(parent, scores) for parent in parents]

    def _hit(self, parent: str, scores: Scores) -> Hit:
        place = max(self._documents[parent], key=lambda place: scores[place])  # the first of equal ones
        return Hit(self._items[place], float(scores[place]))


def searched_text(item: Item) -> str:
    """Return what a search reads of an item: its title, and its text where that does not begin with it."""
    return item.text if item.text.lstrip("#=`* ").startswith(item.title) else f"{item.title}\n{item.text}"
