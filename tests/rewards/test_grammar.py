"""Grammar: a server that answers as LanguageTool does, the real one where it is, and what is missing."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs

import pytest
import torch

from workbench.core.errors import RuntimeMissingError
from workbench.rewards import GrammarReward, Sample, Span, grammar, grammar_available, place_on_tokens

pytest.importorskip("language_tool_python", reason="the extra for grammar is not installed")


def match_of(text: str, wrong: str) -> dict[str, Any]:
    """Return what LanguageTool says of a wrong word; it counts an emoji as two characters."""
    offset = len(text[: text.index(wrong)].encode("utf-16-le")) // 2
    return {
        "message": "wrong",
        "replacements": [{"value": "right"}],
        "offset": offset,
        "length": len(wrong),
        "context": {"text": text, "offset": offset, "length": len(wrong)},
        "sentence": text,
        "rule": {"id": "R", "category": {"id": "C", "name": "C"}, "issueType": "grammar"},
        "type": {"typeName": "Other"},
    }


class LanguageTool(BaseHTTPRequestHandler):
    """Finds the word 'eat' wrong, wherever it stands."""

    def do_GET(self) -> None:
        self.answer([{"name": "English", "code": "en", "longCode": "en-US"}])

    def do_POST(self) -> None:
        body = parse_qs(self.rfile.read(int(self.headers["Content-Length"])).decode())
        (text,) = body["text"]
        if "crash" in text:
            self.send_error(500)
        else:
            self.answer({"matches": [match_of(text, "eat")] if "eat" in text else []})

    def answer(self, value: object) -> None:
        content = json.dumps(value).encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, *_: object) -> None:
        """Say nothing."""


@pytest.fixture
def server() -> Iterator[str]:
    service = ThreadingHTTPServer(("127.0.0.1", 0), LanguageTool)
    thread = threading.Thread(target=service.serve_forever)
    thread.start()
    yield f"http://127.0.0.1:{service.server_port}"
    service.shutdown()
    thread.join()
    service.server_close()


def test_errors_lie_over_the_whole_response(server: str) -> None:
    samples = [Sample("p", text) for text in ("The cow eat.", "Fine.", "", "\N{COW} It eat.")]
    with GrammarReward(server=server) as reward:
        assert reward(samples) == [
            [Span(0, 12, 0.0, on_each=True), Span(8, 11, -1.0, on_each=True)],
            [Span(0, 5, 0.0, on_each=True)],
            [Span(0, 0, 0.0, on_each=True)],
            [Span(0, 9, 0.0, on_each=True), Span(5, 8, -1.0, on_each=True)],
        ]
        assert reward([]) == []


def test_every_token_of_an_error_is_wrong_and_the_others_are_right(server: str) -> None:
    with GrammarReward(server=server, correct=0.5, wrong=0.27) as reward:
        spans = reward([Sample("p", "The cow eat.")])
    offsets = torch.tensor([[(0, 3), (3, 7), (7, 9), (9, 11), (11, 12), (12, 12)]])
    placed = place_on_tokens(spans, offsets, torch.ones(1, 6).bool())
    torch.testing.assert_close(placed, torch.tensor([[0.5, 0.5, 0.27, 0.27, 0.5, 0.0]]))


def test_a_server_that_stops_to_answer_is_said(server: str) -> None:
    with (
        GrammarReward(server=server) as reward,
        pytest.raises(RuntimeMissingError, match="stopped to answer"),
    ):
        reward([Sample("p", "crash")])
    with pytest.raises(RuntimeMissingError, match="see that the server runs"):
        GrammarReward(server="http://127.0.0.1:1")([Sample("p", "Fine.")])


def java(folder: Path, monkeypatch: pytest.MonkeyPatch, says: str, status: int) -> None:
    """Put a java on PATH that says something."""
    (folder / "java").write_text(f"#!/bin/sh\necho '{says}' >&2\nexit {status}\n")
    (folder / "java").chmod(0o755)
    monkeypatch.setenv("PATH", f"{folder}:/usr/bin:/bin")


@pytest.mark.parametrize(
    ("answer", "available", "detail"),
    [
        (('openjdk version "21.0.1" 2023-10-17', 0), True, "Java 21 at"),
        (('openjdk version "11.0.2" 2019-01-15', 0), False, "is Java 11"),
        (('java version "1.8.0_292"', 0), False, "is Java 8"),
        (("No Java runtime present", 1), False, "does not run"),
    ],
)
def test_the_state_of_java_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, answer: tuple[str, int], available: bool, detail: str
) -> None:
    java(tmp_path, monkeypatch, *answer)
    state = grammar_available()
    assert state.available == available and detail in state.detail and bool(state.fix) != available
    if not available:
        with pytest.raises(RuntimeMissingError) as caught:
            GrammarReward()([Sample("p", "Fine.")])
        assert detail in caught.value.got and "install Java 17" in caught.value.fix


def test_nothing_on_path_and_no_package(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    assert grammar_available().detail == "no java on PATH"
    monkeypatch.setattr(grammar.importlib.util, "find_spec", lambda _: None)
    assert "pip install" in grammar_available().fix
    with pytest.raises(RuntimeMissingError, match="no package language_tool_python"):
        GrammarReward(server="http://127.0.0.1:1")([Sample("p", "Fine.")])


def test_a_download_that_fails_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    import language_tool_python

    def offline(*_: object, **__: object) -> None:
        raise OSError("Failed to resolve 'github.com'\nand more")

    monkeypatch.setattr(
        grammar, "grammar_available", lambda: grammar.GrammarAvailability(True, "Java 21", "")
    )
    monkeypatch.setattr(language_tool_python, "LanguageTool", offline)
    with pytest.raises(RuntimeMissingError) as caught:
        GrammarReward()([Sample("p", "Fine.")])
    assert caught.value.got == "Failed to resolve 'github.com'" and "LTP_JAR_DIR_PATH" in caught.value.fix


def installed() -> bool:
    """Tell whether LanguageTool itself is on this machine: a test downloads nothing."""
    if not grammar_available().available:
        return False
    from language_tool_python.download_lt import LocalLanguageTool

    return LocalLanguageTool.get_latest_installed_version() is not None


@pytest.mark.skipif(not installed(), reason="no LanguageTool on this machine")
def test_the_real_one_finds_a_real_error() -> None:
    with GrammarReward() as reward:
        wrong, right = reward([Sample("p", "The cows eats grass."), Sample("p", "The cows eat grass.")])
    assert len(right) == 1 and any(span.value == -1 for span in wrong)
