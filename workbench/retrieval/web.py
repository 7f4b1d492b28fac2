"""Web search as a source: a provider finds pages, their text becomes items, and all of it is kept on disk.

Source: Su et al. 2024, "ARKS: Active Retrieval in Knowledge Soup for Code Generation": two queries a problem, two
pages each, the first 100 lines of text.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import asdict
from pathlib import Path

from workbench.core.errors import SettingsError
from workbench.retrieval.documentation import DocumentationFolder, document_items
from workbench.retrieval.item import Item
from workbench.retrieval.search_provider import SearchProvider, WebPage
from workbench.retrieval.soup import KnowledgeSoup
from workbench.store.journal import Journal, content_key

__all__ = ["FolderProvider", "WebSearch", "make_provider", "page_lines"]

_KINDS = "brave (key in BRAVE_API_KEY) or folder:PATH (saved pages)"
_QUERY_CHARS = 400  # search engines take no more


class WebSearch:
    """A source that has to be asked.

    Args:
        provider: Finds pages.
        path: A JSON-lines file of what was found: the same query is asked once, so that a run that is killed
            goes on with the same pages. None keeps it in memory.
        queries: Most queries of a problem that are asked; the paper: 2.
        pages: Most pages a query; the paper: 2.
        lines: Most lines of text of a page; the paper: 100.

    Raises:
        SettingsError: A number is below 1.
        DataError: The file cannot be used.
    """

    def __init__(
        self,
        provider: SearchProvider,
        path: str | Path | None = None,
        *,
        queries: int = 2,
        pages: int = 2,
        lines: int = 100,
    ) -> None:
        if min(queries, pages, lines) < 1:
            raise SettingsError(
                f"queries={queries}, pages={pages}, lines={lines}", "at least 1 of each", "raise them"
            )
        self._provider, self._journal = provider, Journal(path)
        self._queries, self._pages, self._lines = queries, pages, lines
        self._read: dict[str, WebPage] = {}  # by address: a page counts as it was when it was first read

    @property
    def fingerprint(self) -> str:
        """The provider's, and how much of it is taken."""
        return f"web {self._provider.fingerprint} {self._queries} {self._pages} {self._lines}"

    def items(self, queries: Sequence[str] = ()) -> Iterator[Item]:
        """Yield the sections of the pages found, query by query, each page once. See `KnowledgeSource.items`."""
        seen: set[str] = set()
        for query in queries[: self._queries]:
            for page in self._found(" ".join(query.split())[:_QUERY_CHARS]):
                if page.url not in seen:
                    seen.add(page.url)
                    first = self._read.setdefault(page.url, page)
                    text = page_lines(first.text, self._lines)
                    yield from document_items(
                        page.url, first.title, text, source="web_search", provenance=page.url
                    )

    def _found(self, query: str) -> list[WebPage]:
        key = content_key(self._provider.fingerprint, query, self._pages)
        if key not in self._journal.known:
            pages = self._provider.search(query, self._pages)
            self._journal.add({"key": key, "value": [asdict(page) for page in pages]})
        return [WebPage(**page) for page in self._journal.known[key]["value"]]


class FolderProvider:
    """Saved pages (HTML, Markdown, ...) as an offline web, searched by BM25.

    Args:
        path: The folder.

    Raises:
        DataError: It is no folder, or holds no pages.
    """

    def __init__(self, path: str | Path) -> None:
        self._source = DocumentationFolder(path)
        self._soup = KnowledgeSoup(items=self._source.items())

    @property
    def fingerprint(self) -> str:
        """The pages' content."""
        return f"folder {self._source.fingerprint}"

    def search(self, query: str, count: int) -> list[WebPage]:
        """Return the pages that fit best. See `SearchProvider.search`."""
        pages = []
        for hit in self._soup.search(query, "documentation", k=count):
            sections = self._soup.document("documentation", hit.item.parent)
            text = "\n\n".join(section.text for section in sections)
            pages.append(WebPage(hit.item.parent, sections[0].title, text))
        return pages


def page_lines(text: str, most: int) -> str:
    """Return the first lines of a text that hold a letter or a digit; empty lines between them do not count.

    Args:
        text: A page's text.
        most: Lines that are kept.
    """
    kept: list[str] = []
    count = 0
    for line in text.split("\n"):
        if any(map(str.isalnum, line)):
            count += 1
        if count > most:
            break
        kept.append(line)
    return "\n".join(kept).strip("\n")


def make_provider(spec: str) -> SearchProvider:
    """Make a provider of the words a user types.

    Args:
        spec: `brave` or `folder:PATH`.

    Raises:
        SettingsError: There is no such kind, or its key is missing.
        DataError: The folder is none, or holds no pages.
    """
    kind, _, rest = spec.partition(":")
    if kind == "folder" and rest:
        return FolderProvider(rest)
    if kind == "brave" and not rest:
        from workbench.retrieval.brave import BraveProvider

        return BraveProvider()
    raise SettingsError(f"web {spec!r}", _KINDS, "name one of these")
