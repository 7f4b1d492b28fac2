"""Web search: saved pages, a search engine on this machine that does all that goes wrong, and the cache."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, urlsplit

import pytest

from workbench.core.errors import DataError, SettingsError
from workbench.retrieval.brave import BraveProvider, page_text
from workbench.retrieval.search_provider import WebPage
from workbench.retrieval.web import FolderProvider, WebSearch, make_provider, page_lines

KEY = "brave-very-secret"
PAGES = {
    "/sort": ("text/html", "<html><nav>menu</nav><main><h1>Sort</h1><p>zorp sorts.</p></main></html>"),
    "/plain": ("text/plain; charset=nonsense", "plain words"),
    "/picture": ("image/png", "no text"),
}


Answer = Callable[[str, int, "Engine"], tuple[int, object]]


class Engine:
    """Answers searches by a function of the query, the number of the search and itself; serves PAGES."""

    def __init__(self, answer: Answer) -> None:
        self.searches: list[tuple[str, str | None]] = []
        self.fetched: list[str | None] = []
        engine = self

        class Handler(BaseHTTPRequestHandler):
            def log_message(self, *_: object) -> None:
                pass

            def do_GET(self) -> None:
                parts = urlsplit(self.path)
                if parts.path == "/search":
                    query = parse_qs(parts.query)["q"][0]
                    engine.searches.append((query, self.headers.get("X-Subscription-Token")))
                    status, content = answer(query, len(engine.searches), engine)
                    kind = "application/json"
                    text = content if isinstance(content, str) else json.dumps(content)
                else:
                    engine.fetched.append(self.headers.get("X-Subscription-Token"))
                    status = 200 if parts.path in PAGES else 404
                    kind, text = PAGES.get(parts.path, ("text/html", "gone"))
                self.send_response(status)
                self.send_header("Content-Type", kind)
                self.send_header("Content-Length", str(len(text.encode())))
                self.end_headers()
                self.wfile.write(text.encode())

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        threading.Thread(target=self.server.serve_forever, args=(0.05,), daemon=True).start()
        self.url = f"http://127.0.0.1:{self.server.server_port}"

    def results(self, *paths: str) -> dict[str, object]:
        return {"web": {"results": [{"url": f"{self.url}{path}", "title": path[1:]} for path in paths]}}


@pytest.fixture
def start(monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[..., tuple[Engine, BraveProvider]]]:
    monkeypatch.setenv("BRAVE_API_KEY", KEY)
    started: list[Engine] = []

    def begin(answer: Answer) -> tuple[Engine, BraveProvider]:
        started.append(Engine(answer))
        return started[-1], BraveProvider(f"{started[-1].url}/search", retries=2, timeout_s=5, wait_s=0.001)

    yield begin
    for engine in started:
        engine.server.shutdown()
        engine.server.server_close()


def test_pages_that_cannot_be_read_give_way_to_the_next(start):
    paths = ("/none", "/picture", "/sort", "/plain", "/sort")
    engine, provider = start(lambda query, n, engine: (200, engine.results(*paths)))
    found = provider.search("sort a list", 2)
    assert found == [
        WebPage(f"{engine.url}/sort", "sort", "# Sort\n\nzorp sorts."),
        WebPage(f"{engine.url}/plain", "plain", "plain words"),
    ]
    assert engine.searches == [("sort a list", KEY)]
    assert set(engine.fetched) == {None}  # the key is for the engine alone


def test_a_busy_engine_is_asked_again(start):
    engine, provider = start(lambda query, n, engine: (429, {}) if n < 3 else (200, engine.results("/sort")))
    assert len(provider.search("x", 1)) == 1
    assert len(engine.searches) == 3


@pytest.mark.parametrize(
    ("status", "content", "says"),
    [
        (503, {}, "answers 503, 3 times"),
        (401, f"bad key {KEY}", r"answers 401 bad key \*\*\*"),
        (200, "no json", "something that is no search result"),
        (200, [], "something that is no search result"),
    ],
)
def test_what_goes_wrong_is_said_in_plain_words_without_the_key(start, status, content, says):
    _, provider = start(lambda query, n, engine: (status, content))
    with pytest.raises(DataError, match=says) as caught:
        provider.search("x", 1)
    assert KEY not in str(caught.value)
    assert KEY not in provider.fingerprint


def test_an_engine_that_cannot_be_reached_is_said_to_be(monkeypatch):
    monkeypatch.setenv("BRAVE_API_KEY", KEY)
    with pytest.raises(DataError, match="cannot be reached: ConnectError, 1 times"):
        BraveProvider("http://127.0.0.1:9/search", retries=0).search("x", 1)


def test_a_key_is_needed(monkeypatch):
    monkeypatch.delenv("BRAVE_API_KEY", raising=False)
    with pytest.raises(SettingsError, match="no BRAVE_API_KEY"):
        make_provider("brave")


class Counting:
    fingerprint = "counting"

    def __init__(self) -> None:
        self.asked: list[tuple[str, int]] = []

    def search(self, query: str, count: int) -> list[WebPage]:
        self.asked.append((query, count))
        return [
            WebPage("https://same", "Same", "one\n\ntwo\n---\nthree"),
            WebPage(f"https://{query}", "T", query),
        ]


def test_a_problem_has_two_queries_of_two_pages_each_and_a_page_comes_once():
    provider = Counting()
    items = list(WebSearch(provider, lines=2).items(["first\n query", "second", "third"]))
    assert provider.asked == [("first query", 2), ("second", 2)]
    assert [item.parent for item in items] == ["https://same", "https://first query", "https://second"]
    assert (items[0].text, items[0].source, items[0].provenance) == (
        "one\n\ntwo\n---", "web_search", "https://same:1",
    )  # fmt: skip


def test_what_was_found_once_is_kept_for_later_runs(tmp_path):
    path = tmp_path / "web.jsonl"
    first = list(WebSearch(Counting(), path).items(["a"]))
    provider = Counting()
    assert list(WebSearch(provider, path).items(["a"])) == first
    assert provider.asked == []


def test_saved_pages_are_an_offline_web(tmp_path):
    (tmp_path / "sort.html").write_text("<h1>Sorting</h1><p>zorp puts a list in order</p>")
    (tmp_path / "other.md").write_text("# Other\n\nblim keeps the head")
    provider = make_provider(f"folder:{tmp_path}")
    assert isinstance(provider, FolderProvider)
    (page,) = provider.search("list in order", 2)
    assert (page.url, page.text) == ("sort.html", "# Sorting\n\nzorp puts a list in order")
    assert [item.title for item in WebSearch(provider).items(["zorp", "blim"])] == ["sort", "other"]


@pytest.mark.parametrize("spec", ["google", "folder:", "brave:x", ""])
def test_words_that_name_no_provider_are_refused(spec):
    with pytest.raises(SettingsError, match="brave"):
        make_provider(spec)


def test_numbers_below_one_are_refused():
    with pytest.raises(SettingsError, match="pages=0"):
        WebSearch(Counting(), pages=0)


def test_only_lines_with_words_count():
    assert page_lines("a\n\n***\nb\nc", 2) == "a\n\n***\nb"


def test_a_pages_text_keeps_code_and_leaves_scripts_out():
    html = "<script>x()</script><h2>Use <b>it</b> ¶</h2><pre>a = 1\n  b</pre><footer>f</footer>"
    assert page_text(html) == "## Use it\n\na = 1\n  b"
