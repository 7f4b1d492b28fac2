"""What a pass says: whether the tests would accept an empty result, a blank one or an empty figure as well."""

from __future__ import annotations

import signal
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from . import pictures
from .blanks import BLANKS
from .cells import TooLarge, cells, close, is_missing, is_opaque
from .copies import copied

__all__ = ["Case", "Examination", "TimeUp"]

_PATIENCE_S = 5.0
_AGAIN_S = 0.2


class TimeUp(BaseException):
    """The time for looking at a pass is over; not an `Exception`, which tests may swallow."""


@dataclass(frozen=True)
class Case:
    number: int
    fresh: Callable[[], Any]
    """Makes the result anew, as it was before the tests looked at it."""
    expected: Any
    pictures: pictures.Pictures | None


class Examination:
    """Looks at what the tests of one program have passed.

    Args:
        cases: What they compared.
        accepts: Whether they accept a result in a case.
    """

    def __init__(self, cases: list[Case], accepts: Callable[[Any, Case], bool]) -> None:
        self._cases, self._accepts = cases, accepts

    def why_vacuous(self, deadline: float) -> tuple[bool, str]:
        """Say what the pass of all cases is worth.

        Args:
            deadline: When the program must be done, by the monotonic clock.

        Returns:
            Whether the pass says nothing about the result's values, and why, in a line. False with a reason: it could
            not be found out.
        """
        if not self._cases:
            return False, "not examined: the tests compare elsewhere than in `exec_test`"
        patience_s = min(_PATIENCE_S, (deadline - time.monotonic()) / 2)
        if patience_s <= 0:
            return False, "not examined: no time was left"

        def stop(*_: object) -> None:
            raise TimeUp

        usual = signal.signal(signal.SIGALRM, stop)
        try:
            signal.setitimer(
                signal.ITIMER_REAL, patience_s, _AGAIN_S
            )  # again: a bare `except` may swallow one
            try:
                return self._look()
            finally:
                signal.setitimer(signal.ITIMER_REAL, 0)
        except TimeUp:
            return False, "not examined: the tests take too long"
        except (TooLarge, MemoryError, RecursionError) as error:
            return False, f"not examined: {str(error) or type(error).__name__}"
        except Exception as error:  # a result of a kind that cannot be taken apart
            return False, f"not examined: {type(error).__name__}: {error!s:.200}"
        finally:
            signal.setitimer(signal.ITIMER_REAL, 0)
            signal.signal(signal.SIGALRM, usual)

    def _look(self) -> tuple[bool, str]:
        unlike: list[Case] = []
        for case in self._cases:
            found, wanted = cells(case.fresh()), cells(case.expected)
            if not close(found, wanted):
                unlike.append(case)
                hollow = _hollowness(found, wanted)
                if hollow and self._accepts(copied(case.expected), case):
                    return True, f"test {case.number} accepts {hollow}"
        empty = self._accepted_picture()
        if empty:
            return True, f"the tests accept {empty} as well"
        if not unlike:  # the result is the one that is expected, however little the tests ask
            return False, ""
        word = next((word for word, blank in BLANKS.items() if self._accept(blank)), "")
        why = f"the tests accept the result with {word} values as well" if word else ""
        if all(
            case.expected is None for case in unlike
        ):  # then nobody can tell a right result from a blank one
            blank = not word and all(all(map(is_missing, cells(case.fresh()))) for case in unlike)
            why = "the result is blank" if blank else why
            return False, why and f"not examined: the tests hold no expected value to compare with, and {why}"
        return bool(why), why

    def _accepted_picture(self) -> str:
        """Return the name of a figure without content that all cases accept, where theirs is not as expected."""
        unlike = [case for case in self._cases if case.pictures and not case.pictures.are_same()]
        for name, axes in pictures.EMPTY.items() if unlike else ():
            if all(self._accepts_picture(case, axes) for case in unlike):
                return name
        return ""

    def _accepts_picture(self, case: Case, axes: bool) -> bool:
        assert case.pictures is not None
        with case.pictures.blanked(axes):
            return self._accepts(case.fresh(), case)

    def _accept(self, blank: Callable[[Any], Any]) -> bool:
        """Whether every case accepts its blanked result, where blanking changes it, as it must in one at least."""
        changed = False
        for case in self._cases:
            result = case.fresh()
            blanked = blank(result)
            if close(cells(blanked), cells(result)):
                continue
            changed = True
            if not self._accepts(blanked, case):
                return False
        return changed


def _hollowness(found: list[Any], wanted: list[Any]) -> str:
    """Say what a result lacks that the expected one has: its cells are empty, missing, or one for many."""
    some = sum(not is_missing(each) for each in wanted)
    if not found and wanted:
        return f"an empty result in the place of {len(wanted)} values"
    if found and some and all(map(is_missing, found)):
        return f"missing values alone in the place of {some}"
    if len(found) == 1 < len(wanted) and not is_opaque(found[0]):
        return f"one value in the place of {len(wanted)}"
    return ""
