"""One job: sent to another process by its code, and computed to the bytes that are kept of it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from workbench.core.errors import SettingsError
from workbench.store.stored import classes_around, stored

__all__ = ["as_sent", "computed"]


def as_sent(name: str, function: Callable[[Any], Any], job: Any) -> bytes:
    """Return a job as bytes for another process; what a notebook's cells define goes by its code.

    Raises:
        SettingsError: It holds what no other process can be sent.
    """
    import cloudpickle

    try:
        content: bytes = cloudpickle.dumps((function, job))
    except Exception as fault:  # whatever an object's own pickling raises
        raise SettingsError(
            got=f"job {name!r} with what no other process can be sent ({type(fault).__name__}: {fault})",
            needed="functions that read plain values, and open files, models or connections themselves",
            fix="make such objects within the function, or compute in this process: workers=1",
        ) from fault
    return content


def computed(name: str, function: Callable[[Any], Any], job: Any) -> bytes:
    """Do one job, and return what is kept of its result.

    Raises:
        SettingsError: The result is no data.
    """
    content, _ = stored(f"job {name!r}", function(job), classes_around(function))
    return content
