"""Results are yielded one by one, and work that nobody wants any more ends."""

from __future__ import annotations

import threading

import pytest

from workbench.generators.in_step import Outlet, in_step


def test_each_result_is_yielded_before_the_next_is_made() -> None:
    made: list[int] = []

    def work(outlet: Outlet[int]) -> None:
        for number in range(3):
            made.append(number)
            outlet.put(number)

    seen = [(number, list(made)) for number in in_step(work)]
    assert seen == [(0, [0]), (1, [0, 1]), (2, [0, 1, 2])]


def test_work_ends_where_its_caller_stops() -> None:
    ended = threading.Event()

    def work(outlet: Outlet[int]) -> None:
        try:
            outlet.put(1)
            while True:
                outlet.check()
        finally:
            ended.set()

    results = in_step(work)
    assert next(results) == 1
    results.close()  # type: ignore[attr-defined]
    assert ended.is_set()


def test_an_error_of_the_work_comes_after_its_results() -> None:
    def work(outlet: Outlet[int]) -> None:
        outlet.put(1)
        raise MemoryError("full")

    results = in_step(work)
    assert next(results) == 1
    with pytest.raises(MemoryError, match="full"):
        next(results)
