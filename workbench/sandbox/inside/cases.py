"""The test cases of one program, as its grader saw them: what is judged strictly, and what a pass says.

DS-1000's tests compare in `exec_test(result, expected)`, once a case. The grader watches these calls: what the tests
decide stays theirs, but for comparisons that say nothing (`strict`); after they pass, it asks whether the pass means
anything, by calling the same function with the result blanked.
"""

from __future__ import annotations

import copy
import itertools
import signal
import sys
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

from . import pictures
from .blanks import BLANKS
from .cells import TooLarge, cells, close, is_missing, is_opaque
from .strict import TruthWatch, masks_more

__all__ = ["MASKED", "Cases", "copied"]

MASKED = "masked values in the result, which a comparison would pass over"

_PATIENCE_S = 5.0
_AGAIN_S = 0.2
_MAX_RIGHT = 50

Test = Callable[[Any, Any], Any]


class _TimeUp(BaseException):
    """The time for looking at a pass is over; not an `Exception`, which tests may swallow."""


@dataclass(frozen=True)
class _Case:
    number: int
    fresh: Callable[[], Any]
    """Makes the result anew, as it was before the tests looked at it."""
    expected: Any
    pictures: pictures.Pictures | None


class Cases:
    """What the tests of one program compared.

    Args:
        keep: Given a result that the tests hold, returns what makes it anew, as the tests got it.
        tests_source: The text of the tests.
    """

    def __init__(self, keep: Callable[[Any], Callable[[], Any]], tests_source: str) -> None:
        self._watch, self._keep, self._tests_source = TruthWatch(), keep, tests_source
        self._cases: list[_Case] = []
        self.holds_masked = False
        """Whether the latest result holds masked values, which none of the tests has been handed yet."""
        self._test: Test | None = None

    @property
    def compare(self) -> bool:
        """Whether the tests have an `exec_test` that is watched."""
        return self._test is not None

    def around(self, test: Test) -> Test:
        """Return what stands in for the tests' `exec_test`."""
        self._test = test

        def watched(result: Any, expected: Any) -> Any:
            fresh = (lambda: None) if result is None else self._keep(result)
            drawn = pictures.compared(self._tests_source)
            case = _Case(len(self._cases) + 1, fresh, copied(expected), drawn)
            self._cases.append(case)
            if self.holds_masked:
                _refuse_masked(result, expected)
                self.holds_masked = False
            self.watch()
            outcome = test(result, expected)
            if outcome:  # asked here, so that its truth is noted too
                self._refuse_hollow(case, self._watch.take())
            return outcome

        return watched

    def watch(self) -> None:
        """Note from here on what has no truth."""
        self._watch.install()
        self._watch.take()

    def refuse_left(self) -> None:
        """Raise where tests took what has no truth to be true, or left masked values, elsewhere than in `exec_test`.

        Raises:
            AssertionError: They did.
        """
        notes = self._watch.take()
        if self.holds_masked:
            raise AssertionError(MASKED)
        if notes and self._test is None:
            raise AssertionError(notes[0])

    def _refuse_hollow(self, case: _Case, notes: list[str]) -> None:
        """Raise where the comparison said nothing, and says something of a right result: what is expected, or a part.

        Raises:
            AssertionError: It did.
        """
        if notes and any(
            self._meets(copied(right), case) and not self._watch.take() for right in _right(case.expected)
        ):
            raise AssertionError(notes[0])

    def _meets(self, result: Any, case: _Case) -> bool:
        """Whether the tests accept a result in a case."""
        assert self._test is not None
        self._watch.take()
        try:
            return bool(self._test(result, copied(case.expected)))
        except (_TimeUp, MemoryError):
            raise
        except BaseException:  # whatever a test says no by
            return False

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
            raise _TimeUp

        usual = signal.signal(signal.SIGALRM, stop)
        try:
            signal.setitimer(
                signal.ITIMER_REAL, patience_s, _AGAIN_S
            )  # again: a bare `except` may swallow one
            try:
                return self._look()
            finally:
                signal.setitimer(signal.ITIMER_REAL, 0)
        except _TimeUp:
            return False, "not examined: the tests take too long"
        except (TooLarge, MemoryError, RecursionError) as error:
            return False, f"not examined: {str(error) or type(error).__name__}"
        except Exception as error:  # a result of a kind that cannot be taken apart
            return False, f"not examined: {type(error).__name__}: {error!s:.200}"
        finally:
            signal.setitimer(signal.ITIMER_REAL, 0)
            signal.signal(signal.SIGALRM, usual)

    def _look(self) -> tuple[bool, str]:
        unlike: list[_Case] = []
        for case in self._cases:
            found, wanted = cells(case.fresh()), cells(case.expected)
            if not close(found, wanted):
                unlike.append(case)
                hollow = _hollowness(found, wanted)
                if hollow and self._meets(copied(case.expected), case):
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

    def _accepts_picture(self, case: _Case, axes: bool) -> bool:
        assert case.pictures is not None
        with case.pictures.blanked(axes):
            return self._meets(case.fresh(), case)

    def _accept(self, blank: Callable[[Any], Any]) -> bool:
        """Whether every case accepts its blanked result, where blanking changes it, as it must in one at least."""
        changed = False
        for case in self._cases:
            result = case.fresh()
            blanked = blank(result)
            if close(cells(blanked), cells(result)):
                continue
            changed = True
            if not self._meets(blanked, case):
                return False
        return changed


def _right(expected: Any) -> list[Any]:
    """Return what may be a right result: the expected value, or one of several that tests are content with."""
    several: Iterable[Any] = ()
    if isinstance(expected, (list, tuple)):
        several = expected
    elif isinstance(expected, dict):
        several = expected.values()
    return [expected, *itertools.islice(several, _MAX_RIGHT)]


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


def _refuse_masked(result: Any, expected: Any) -> None:
    """Raise where cells are masked that should not be.

    Raises:
        AssertionError: Some are.
    """
    try:
        wanted = cells(expected)
    except TooLarge:  # what has no truth is still noted
        return
    try:
        more = masks_more(cells(result), wanted)
    except TooLarge:
        more = True
    if more:
        raise AssertionError(MASKED)


def _is_drawn(value: Any) -> bool:
    try:
        kinds = {type(each) for each in cells(value) if is_opaque(each)}
    except Exception:  # too large, or of no known form: no figure
        return False
    return any(
        base.__module__.startswith(("matplotlib.", "seaborn.")) for kind in kinds for base in kind.__mro__
    )


def copied(value: Any) -> Any:
    """Return a deep copy of a value that is trusted; itself where it cannot be copied, or is drawn.

    A copied figure becomes pyplot's current one, and tests would look at it.
    """
    if "matplotlib" in sys.modules and _is_drawn(value):
        return value
    try:
        return copy.deepcopy(value)
    except Exception:  # locks, modules: what cannot be copied is not changed by a comparison either
        return value
