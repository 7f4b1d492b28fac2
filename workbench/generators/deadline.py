"""Let a reply end at its time limit also where it drips: a client's own limit is for the wait between two bytes."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any

import httpx

if TYPE_CHECKING:
    import openai

__all__ = ["TooLong", "client_with_deadline"]


class TooLong(httpx.ReadTimeout):
    """A reply that kept coming, and was not there in time."""


class _Deadlined(httpx.SyncByteStream):
    """A body that is read until a moment of the monotonic clock."""

    def __init__(self, stream: httpx.SyncByteStream, end: float, request: httpx.Request) -> None:
        self._stream, self._end, self._request = stream, end, request

    def __iter__(self) -> Iterator[bytes]:
        for part in self._stream:
            if time.monotonic() > self._end:
                raise TooLong("the reply was not complete in time", request=self._request)
            yield part

    def close(self) -> None:
        self._stream.close()


def client_with_deadline(timeout_s: float) -> openai.DefaultHttpxClient:
    """Return an HTTP client for the `openai` package that gives up a request after some seconds, whatever comes.

    Args:
        timeout_s: From the start of a request to the last byte of its reply, in seconds.
    """
    import openai

    def started(request: httpx.Request) -> None:
        request.extensions["deadline"] = time.monotonic() + timeout_s

    def answered(response: httpx.Response) -> None:
        end = response.request.extensions["deadline"]
        if isinstance(response.stream, httpx.SyncByteStream):
            response.stream = _Deadlined(response.stream, end, response.request)

    hooks: dict[str, list[Callable[..., Any]]] = {"request": [started], "response": [answered]}
    return openai.DefaultHttpxClient(event_hooks=hooks)
