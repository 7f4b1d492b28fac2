"""The grammar reward: LanguageTool's matches, each a penalty on its tokens (ALaRM, for translations)."""

from __future__ import annotations

import importlib.util
import re
import shutil
import subprocess
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from types import TracebackType
from typing import Any, NamedTuple

from workbench.core.errors import RuntimeMissingError
from workbench.rewards.spans import Sample, Span

__all__ = ["GrammarAvailability", "GrammarReward", "grammar_available"]

JAVA = 17
"""Oldest Java that LanguageTool 6.8 runs on."""


class GrammarAvailability(NamedTuple):
    """Whether grammar can be checked on this machine."""

    available: bool
    """Whether Java and the package are there. LanguageTool itself is downloaded on first use, 250 MB."""
    detail: str
    """What was found, or what is missing."""
    fix: str
    """The next thing to do; empty where nothing is missing."""


def grammar_available() -> GrammarAvailability:
    """Tell whether `GrammarReward` can start a server of its own here. One of elsewhere needs the package only."""
    if importlib.util.find_spec("language_tool_python") is None:
        return GrammarAvailability(
            False, "no package language_tool_python", "pip install 'language_tool_python>=3.0'"
        )
    java = shutil.which("java")
    install = f"install Java {JAVA} or newer (Debian, Ubuntu: apt install default-jre-headless)"
    if java is None:
        return GrammarAvailability(False, "no java on PATH", install)
    try:
        done = subprocess.run(
            [java, "-version"],
            capture_output=True,
            text=True,
            stdin=subprocess.DEVNULL,
            check=False,
            timeout=30,
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        return GrammarAvailability(False, f"{java}: {error}", install)
    said = (done.stderr or done.stdout).strip()
    version = re.search(r'version "(?:1\.)?(\d+)', said)
    if done.returncode or version is None:  # macOS has a `java` that only says where to get one
        return GrammarAvailability(False, f"{java} does not run", install)
    if int(version[1]) < JAVA:
        return GrammarAvailability(False, f"{java} is Java {version[1]}", install)
    return GrammarAvailability(True, f"Java {version[1]} at {java}", "")


class GrammarReward:
    """A value on each token of a response: that of an error where LanguageTool finds one.

    The server is started, or asked, at the first use; `close` it, or use it in a `with` block.

    Args:
        language: As LanguageTool names it, such as `en-US`.
        correct: Value of a token without an error.
        wrong: Value of a token of an error.
        server: Address of a LanguageTool server that runs already; None: one of our own, which needs Java.
        threads: Responses checked at a time.

    Raises:
        RuntimeMissingError: Later, at the first use: Java, the package or the server is missing.
    """

    name = "grammar"

    def __init__(
        self,
        language: str = "en-US",
        *,
        correct: float = 0.0,
        wrong: float = -1.0,
        server: str | None = None,
        threads: int = 8,
    ) -> None:
        self.language, self.correct, self.wrong = language, correct, wrong
        self.server, self.threads = server, threads
        self._tool: Any = None

    def __enter__(self) -> GrammarReward:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Stop the server, if it is our own."""
        if self._tool is not None:
            self._tool.close()
            self._tool = None

    def __call__(self, samples: Sequence[Sample]) -> list[list[Span]]:
        """Return spans whose values count on each token: the whole response, and the errors over it.

        Raises:
            RuntimeMissingError: There is no LanguageTool to ask, or it stopped to answer.
        """
        if not samples:
            return []
        self._start()
        with ThreadPoolExecutor(self.threads) as pool:
            return list(pool.map(self._spans, samples))

    def _spans(self, sample: Sample) -> list[Span]:
        text = sample.response
        found = [Span(0, len(text), self.correct, on_each=True)]
        if text.strip():
            for match in self._check(text):
                end = min(match.offset + match.error_length, len(text))
                if match.offset < end:
                    found.append(Span(match.offset, end, self.wrong, on_each=True))
        return found

    def _check(self, text: str) -> list[Any]:
        from language_tool_python.exceptions import LanguageToolError

        try:
            return list(self._tool.check(text))
        except (LanguageToolError, OSError) as error:
            raise self._missing(f"LanguageTool stopped to answer: {error}") from error

    def _start(self) -> None:
        """Start or find the server, once."""
        if self._tool is not None:
            return
        state = grammar_available()
        if not state.available and (self.server is None or "package" in state.detail):
            raise RuntimeMissingError(
                got=state.detail, needed="Java and LanguageTool, or a server's address", fix=state.fix
            )
        import language_tool_python
        from language_tool_python.exceptions import LanguageToolError

        try:
            self._tool = language_tool_python.LanguageTool(self.language, remote_server=self.server)
        except (LanguageToolError, OSError, ValueError) as error:
            raise self._missing(str(error)) from error

    def _missing(self, got: str) -> RuntimeMissingError:
        if self.server is not None:
            fix = "see that the server runs, and its address"
        else:
            fix = "LanguageTool is downloaded on first use: check the connection, or set LTP_JAR_DIR_PATH to a copy"
        first = got.strip().splitlines()[0] if got.strip() else "no answer"
        return RuntimeMissingError(got=first, needed="a LanguageTool server that answers", fix=fix)
