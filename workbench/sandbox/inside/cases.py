"""The test cases of one program, as its grader saw them: what is judged strictly, and what a pass says.

DS-1000's tests compare in `exec_test(result, expected)`, once a case. The grader watches these calls: what the tests
decide stays theirs, but for comparisons that say nothing (`strict`); after they pass, it asks whether the pass means
anything (`examination`), by calling the same function with the result blanked.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterable
from typing import Any

from . import pictures
from .cells import TooLarge, cells
from .copies import copied
from .examination import Case, Examination, TimeUp
from .strict import TruthWatch, masks_more

__all__ = ["MASKED", "Cases"]

MASKED = "masked values in the result, which a comparison would pass over"

_MAX_RIGHT = 50

Test = Callable[[Any, Any], Any]


class Cases:
    """What the tests of one program compared.

    Args:
        keep: Given a result that the tests hold, returns what makes it anew, as the tests got it.
        tests_source: The text of the tests.
    """

    def __init__(self, keep: Callable[[Any], Callable[[], Any]], tests_source: str) -> None:
        self._watch, self._keep, self._tests_source = TruthWatch(), keep, tests_source
        self._cases: list[Case] = []
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
            case = Case(len(self._cases) + 1, fresh, copied(expected), drawn)
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

    def _refuse_hollow(self, case: Case, notes: list[str]) -> None:
        """Raise where the comparison said nothing, and says something of a right result: what is expected, or a part.

        Raises:
            AssertionError: It did.
        """
        if notes and any(
            self._meets(copied(right), case) and not self._watch.take() for right in _right(case.expected)
        ):
            raise AssertionError(notes[0])

    def _meets(self, result: Any, case: Case) -> bool:
        """Whether the tests accept a result in a case."""
        assert self._test is not None
        self._watch.take()
        try:
            return bool(self._test(result, copied(case.expected)))
        except (TimeUp, MemoryError):
            raise
        except BaseException:  # whatever a test says no by
            return False

    def why_vacuous(self, deadline: float) -> tuple[bool, str]:
        """Say what the pass of all cases is worth; see `Examination.why_vacuous`."""
        return Examination(self._cases, self._meets).why_vacuous(deadline)


def _right(expected: Any) -> list[Any]:
    """Return what may be a right result: the expected value, or one of several that tests are content with."""
    several: Iterable[Any] = ()
    if isinstance(expected, (list, tuple)):
        several = expected
    elif isinstance(expected, dict):
        several = expected.values()
    return [expected, *itertools.islice(several, _MAX_RIGHT)]


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
