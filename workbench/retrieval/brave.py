"""A real search engine by its API, Brave Search, and the pages that it names."""

from __future__ import annotations

import os
import time
from typing import TYPE_CHECKING, Any

from workbench.core.errors import DataError, SettingsError
from workbench.retrieval.decoding import UndecodableError, decoded
from workbench.retrieval.search_provider import WebPage
from workbench.retrieval.sections import html_sections

if TYPE_CHECKING:
    import httpx

__all__ = ["BraveProvider", "page_text"]

URL = "https://api.search.brave.com/res/v1/web/search"
_TRIED_AGAIN = (429, 500, 502, 503, 504)
_PAGE_BYTES = 2_000_000
_MORE = 3  # results that are asked for beyond those wanted: some pages cannot be read


class BraveProvider:
    """Brave Search (https://brave.com/search/api/), with the key in BRAVE_API_KEY.

    A page that cannot be fetched or is no text is passed over; the next result takes its place. The key is sent
    to the search alone, and never stored or shown.

    Args:
        url: Another address that answers as Brave does.
        retries: Times a search is sent again after 429, 5xx or a broken connection, after waits that double.
        timeout_s: Longest wait for an answer or a page, in seconds.
        wait_s: The first wait, in seconds.

    Raises:
        SettingsError: There is no key.
    """

    def __init__(
        self, url: str = URL, *, retries: int = 4, timeout_s: float = 20.0, wait_s: float = 1.0
    ) -> None:
        self._url, self._retries, self._timeout_s, self._wait_s = url, retries, timeout_s, wait_s
        self._key = os.environ.get("BRAVE_API_KEY", "").strip()
        if not self._key:
            raise SettingsError(
                got="no BRAVE_API_KEY in the environment",
                needed="a key of Brave Search",
                fix="export BRAVE_API_KEY=...; or search saved pages with folder:PATH",
            )

    @property
    def fingerprint(self) -> str:
        """The address; what the web holds cannot be known."""
        return f"brave {self._url}"

    def search(self, query: str, count: int) -> list[WebPage]:
        """Return the text of the best pages. See `SearchProvider.search`."""
        import httpx

        pages: list[WebPage] = []
        with httpx.Client(timeout=self._timeout_s, follow_redirects=True) as client:
            for result in self._results(client, query, count + _MORE):
                if len(pages) == count:
                    break
                text = self._page(client, str(result.get("url", "")))
                if text:
                    pages.append(WebPage(str(result["url"]), str(result.get("title", result["url"])), text))
        return pages

    def _results(self, client: httpx.Client, query: str, count: int) -> list[dict[str, Any]]:
        """Ask the engine, again where it is busy; raise what it says in plain words."""
        import httpx

        headers = {"X-Subscription-Token": self._key, "Accept": "application/json"}
        said = ""
        for attempt in range(self._retries + 1):
            if attempt:
                time.sleep(self._wait_s * 2 ** (attempt - 1))
            try:
                reply = client.get(self._url, params={"q": query, "count": count}, headers=headers)
            except httpx.HTTPError as error:
                said = f"cannot be reached: {type(error).__name__}"
                continue
            if reply.status_code not in _TRIED_AGAIN:
                return self._read(reply)
            said = f"answers {reply.status_code}"
        raise DataError(
            got=f"{self._url} {said}, {self._retries + 1} times",
            needed="a search engine that answers",
            fix="see the network and your plan's limits; or search saved pages with folder:PATH",
        )

    def _read(self, reply: httpx.Response) -> list[dict[str, Any]]:
        if reply.is_success:
            try:
                results = reply.json().get("web", {}).get("results", [])
                return [result for result in results if isinstance(result, dict)]
            except (ValueError, AttributeError):
                said = "something that is no search result"
        else:
            said = f"{reply.status_code} {' '.join(reply.text.replace(self._key, '***').split())[:200]}"
        raise DataError(
            got=f"{self._url} answers {said}",
            needed="an answer of Brave Search's API",
            fix="see that BRAVE_API_KEY is a valid key of it",
        )

    def _page(self, client: httpx.Client, url: str) -> str:
        """Fetch a page's text; empty where that cannot be had."""
        import httpx

        if not url.startswith(("https://", "http://")):
            return ""
        try:
            with client.stream("GET", url) as reply:
                kind = reply.headers.get("content-type", "")
                if not reply.is_success or not kind.startswith(("text/", "application/xhtml")):
                    return ""
                content = b""
                for chunk in reply.iter_bytes():
                    content += chunk
                    if len(content) > _PAGE_BYTES:
                        break
                told = reply.charset_encoding or ""
        except (httpx.HTTPError, httpx.InvalidURL):
            return ""
        content = content[:_PAGE_BYTES]
        try:
            text = decoded(content, markup="html" in kind, told=told, errors="replace")
        except UndecodableError:  # a charset that does not exist
            text = content.decode(errors="replace")
        return page_text(text) if "html" in kind else text


def page_text(html: str) -> str:
    """Return what a page says, without its scripts and navigation, headings marked with `#`."""
    return "\n\n".join(section.text for section in html_sections(html, "")).strip()
