"""How far a model is with many texts: a bar of answers, with tokens a second and the time that is left."""

from __future__ import annotations

import time
from types import TracebackType
from typing import Any

from workbench.core.terminal import short

__all__ = ["AnswerBar"]

_REFRESH_S = 0.5


class AnswerBar:
    """A bar on a terminal's stderr; nothing elsewhere.

    Args:
        name: Who answers.
        total: Answers in all.
        shown: Whether there is a bar at all.
        clock: Seconds from anywhere on, for tests.
    """

    def __init__(self, name: str, total: int, *, shown: bool = True, clock: Any = time.monotonic) -> None:
        from workbench.core.bars import Bar

        # None hides it where stderr is no terminal
        self._bar = Bar(
            total=total, desc=short(name), unit="answer", disable=None if shown else True, mininterval=0.1
        )
        self._clock, self._begin = clock, clock()
        self._drawn, self.tokens = self._begin, 0

    def __enter__(self) -> AnswerBar:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._bar.set_postfix_str(self.rate(), refresh=False)
        self._bar.close()

    def wrote(self, tokens: int) -> None:
        """Count tokens; the bar moves now and then while no answer ends."""
        self.tokens += tokens
        if self._clock() - self._drawn >= _REFRESH_S:
            self._drawn = self._clock()
            self._bar.set_postfix_str(self.rate())

    def answered(self) -> None:
        """Count an answer."""
        self._bar.update()

    def rate(self) -> str:
        """Return tokens a second in words; empty before the first."""
        seconds = self._clock() - self._begin
        return f"{self.tokens / seconds:,.0f} tokens/s" if self.tokens and seconds > 0 else ""
