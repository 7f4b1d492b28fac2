"""Processes that Ctrl-C ends, where the tests themselves are a shell's background job and it does not end them."""

import signal
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def interruptible() -> Iterator[None]:
    """Let processes that are started in a `with` block heed SIGINT: they inherit it where it is ignored."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)
