"""Says, on standard error, how far the build of a runtime is."""

from __future__ import annotations

import re
import shutil
import sys
import threading
import time
from pathlib import Path
from types import TracebackType

__all__ = ["BuildProgress"]

_TERMINAL_S, _LOG_S = 0.5, 10.0
_FETCHED = re.compile(r"\s*(?:Downloading|Using cached|Processing) (?:\S*/)?(\S+)(?: (\([\d.]+ \w+\)))?")


class BuildProgress:
    """One line that is rewritten in a terminal, and written every ten seconds into a log.

    Args:
        name: The runtime's.
        folder: Where it is built. While pip installs, which it does in silence, packages are counted there.
        packages: How many there will be, about.
    """

    def __init__(self, name: str, folder: Path, packages: int) -> None:
        self._name, self._folder, self._packages = name, folder, packages
        self._begin = time.monotonic()
        self._fetched, self._current, self._installing = 0, "", False
        self._terminal = sys.stderr.isatty()
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._keep_fresh, daemon=True)

    def __enter__(self) -> BuildProgress:
        """Start refreshing."""
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, fault: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Stop refreshing, and leave the cursor on a line of its own."""
        self._stop.set()
        self._thread.join()
        self._clear()

    def say(self, text: str) -> None:
        """Write a line that stays."""
        self._clear()
        print(f"{self._name}: {text}", file=sys.stderr, flush=True)

    def hear(self, line: str) -> None:
        """Take note of a line of pip's output."""
        fetched = _FETCHED.match(line)
        if fetched and not fetched[1].endswith(".metadata"):
            self._fetched += 1
            self._current = f", {fetched[1]} {fetched[2] or ''}".rstrip()
        if line.startswith("Installing collected packages"):
            self._installing = True

    def line(self) -> str:
        """Return where the build stands, in a line."""
        seconds = f"{time.monotonic() - self._begin:.0f} s"
        if self._installing:
            done = len(list(self._folder.glob("lib/python*/site-packages/*.dist-info")))
            done = min(done, self._packages)  # the environment's own pip is there too
            return f"{self._name}: installing {done} of {self._packages} packages, {seconds}"
        if not self._fetched:
            return f"{self._name}: making the environment, {seconds}"
        # what the packages need to be built, pip fetches besides
        fetched = min(self._fetched, self._packages)
        return f"{self._name}: fetching {fetched} of {self._packages} packages{self._current}, {seconds}"

    def _keep_fresh(self) -> None:
        while not self._stop.wait(_TERMINAL_S if self._terminal else _LOG_S):
            if self._terminal:
                width = shutil.get_terminal_size().columns - 1
                sys.stderr.write(f"\r{self.line()[:width]}\x1b[K")
                sys.stderr.flush()
            else:
                print(self.line(), file=sys.stderr, flush=True)

    def _clear(self) -> None:
        if self._terminal:
            sys.stderr.write("\r\x1b[K")
            sys.stderr.flush()
