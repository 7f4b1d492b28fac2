"""Turn work that calls back with its results into an iterator of them."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from queue import SimpleQueue
from typing import Any, Generic, TypeVar

__all__ = ["Outlet", "in_step"]

Item = TypeVar("Item")


class _StoppedError(Exception):
    """Nobody wants further results."""


class Outlet(Generic[Item]):
    """Where work hands its results over; it waits until each was taken, so that only one side runs at a time."""

    def __init__(self) -> None:
        self.handed = SimpleQueue[tuple[str, Any]]()
        self.taken = SimpleQueue[None]()
        self.stopped = threading.Event()

    def put(self, item: Item) -> None:
        """Hand a result over."""
        self.handed.put(("item", item))
        self.taken.get()
        self.check()

    def check(self) -> None:
        """End the work where nobody wants further results; to be called now and then."""
        if self.stopped.is_set():
            raise _StoppedError


def in_step(work: Callable[[Outlet[Item]], None]) -> Iterator[Item]:
    """Yield what work hands over, each result at once; the work runs in a thread, and waits meanwhile.

    Args:
        work: Calls `put` with each result, and `check` now and then. What it raises is raised here.
    """
    outlet = Outlet[Item]()

    def run() -> None:
        try:
            work(outlet)
            outlet.handed.put(("end", None))
        except _StoppedError:
            pass
        except BaseException as error:  # it is raised where the results are wanted
            outlet.handed.put(("error", error))

    thread = threading.Thread(target=run, name="work", daemon=True)
    thread.start()
    try:
        while True:
            kind, value = outlet.handed.get()
            if kind == "end":
                return
            if kind == "error":
                raise value
            yield value
            outlet.taken.put(None)
    finally:
        outlet.stopped.set()
        outlet.taken.put(None)
        thread.join()
