"""Let a reply end at its time limit also where it drips: a client's own limit is for the wait between two bytes."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import openai

__all__ = ["client_with_deadline", "kept_coming"]

_TOO_LONG = "the reply kept coming, and was not complete in time"


def client_with_deadline(timeout_s: float, *, proxies: bool = True) -> openai.DefaultHttpxClient:
    """Return an HTTP client for the `openai` package that gives up a request after some seconds, whatever comes.

    Args:
        timeout_s: From the start of a request to the last byte of its reply, in seconds.
        proxies: Whether those of the environment count.
    """
    import openai

    def started(request: Any) -> None:
        request.extensions["deadline"] = time.monotonic() + timeout_s

    def answered(response: Any) -> None:
        response.stream = _deadlined(response)

    hooks: dict[str, list[Callable[..., Any]]] = {"request": [started], "response": [answered]}
    return openai.DefaultHttpxClient(event_hooks=hooks, trust_env=proxies)


def kept_coming(error: BaseException) -> bool:
    """Tell whether an error of the `openai` package is that of a reply that was cut off while it came."""
    return _TOO_LONG in str(error.__cause__)


def _deadlined(response: Any) -> Any:
    """Return a response's body, to be read until its request's deadline."""
    # httpx, or whatever library of its kind this version of `openai` is built on
    http: Any = sys.modules[type(response).__module__.partition(".")[0]]
    stream, request = response.stream, response.request

    class Deadlined(http.SyncByteStream):
        def __iter__(self) -> Iterator[bytes]:
            for part in stream:
                if time.monotonic() > request.extensions["deadline"]:
                    raise http.ReadTimeout(_TOO_LONG, request=request)
                yield part

        def close(self) -> None:
            stream.close()

    return Deadlined()
