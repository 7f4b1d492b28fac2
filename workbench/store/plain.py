"""Plain JSON values: what results and manifests are made of."""

from __future__ import annotations

import dataclasses
import enum
import math
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from workbench.core.errors import SettingsError

__all__ = ["to_plain"]


def to_plain(value: Any) -> Any:
    """Turn numbers, arrays, frames, dataclasses and containers of them into plain JSON values.

    NaN and infinities become None: JSON has no word for them.

    Raises:
        SettingsError: The value holds something that is no data.
    """
    if isinstance(value, enum.Enum):
        return to_plain(value.value)
    if value is None or isinstance(value, bool | str | int | float):
        return _scalar_to_plain(value)
    if isinstance(value, Mapping):
        return {str(key): to_plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple | set | frozenset):
        return [to_plain(item) for item in (sorted(value) if isinstance(value, set | frozenset) else value)]
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return {field.name: to_plain(getattr(value, field.name)) for field in dataclasses.fields(value)}
    return _foreign_to_plain(value)


def _scalar_to_plain(value: Any) -> Any:
    """Strip what numpy adds to Python's own numbers and text."""
    if isinstance(value, float):
        return float(value) if math.isfinite(value) else None
    return (
        value if value is None or isinstance(value, bool) else (str if isinstance(value, str) else int)(value)
    )


def _foreign_to_plain(value: Any) -> Any:
    """Do the same for numpy and pandas values, which are known by their methods."""
    if isinstance(value, Path):
        return str(value)
    if type(value).__name__ in ("NAType", "NaTType"):
        return None
    if hasattr(value, "to_dict"):  # pandas
        return to_plain(value.to_dict(orient="records") if hasattr(value, "columns") else value.to_dict())
    if hasattr(value, "tolist"):  # numpy arrays and scalars, torch tensors
        return to_plain(value.tolist())
    if hasattr(value, "isoformat"):
        return value.isoformat()
    raise SettingsError(
        got=f"an object of class {type(value).__qualname__} among the results",
        needed="numbers, text, lists, mappings, arrays or frames",
        fix="record the numbers it holds",
    )
