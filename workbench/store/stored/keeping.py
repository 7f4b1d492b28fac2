"""Writing what a step or a job returned, with one clear error where it is no data."""

from __future__ import annotations

from typing import Any

from workbench.core.errors import SettingsError
from workbench.store.stored.classes import Known
from workbench.store.stored.coding import Damaged, Unstorable, decode, encode

__all__ = ["stored"]


def stored(who: str, value: Any, known: Known) -> tuple[bytes, Any]:
    """Write a value down and read it back, so that a first run sees what a continued one will see.

    Args:
        who: What returned it, for the error, such as `step 'loops'`.
        value: Any.
        known: Classes that it may hold besides the workbench's; see `classes_around`.

    Returns:
        What goes to the disk, and the value read back from it.

    Raises:
        SettingsError: The value, or something in it, is no data.
    """
    try:
        content = encode(value)
        return content, decode(content, known)
    except (Unstorable, Damaged) as fault:
        # not read back: a class that nobody would find again, or one that refuses its own fields
        cannot = "read back" if isinstance(fault, Damaged) else "stored"
        raise SettingsError(
            got=f"{who} returned a {type(value).__qualname__} that cannot be {cannot}: {fault}",
            needed="data: plain values, containers, data classes and named tuples at the top of a module that the "
            "function's own module names, numpy arrays, pandas frames, torch tensors, paths, dates",
            fix="return data; write anything else into the `folder` that it is given, and return the path",
        ) from fault
