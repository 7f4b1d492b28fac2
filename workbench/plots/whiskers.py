"""The whisker of every figure: an interval as plotly draws it."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

__all__ = ["whiskers"]


def whiskers(
    values: Iterable[float], lows: Iterable[float], highs: Iterable[float], *, color: str | None = None
) -> dict[str, Any]:
    """Return the error bars of some values, for `error_x` or `error_y`.

    Args:
        values: Of the points.
        lows: Lower ends of their intervals, in the unit of the values.
        highs: Upper ends.
        color: Of the whiskers; the template's if None.
    """
    rows = list(zip(values, lows, highs, strict=True))
    drawn: dict[str, Any] = {
        "type": "data",
        "symmetric": False,
        "array": [high - value for value, _, high in rows],
        "arrayminus": [value - low for value, low, _ in rows],
    }
    return drawn | ({} if color is None else {"color": color, "thickness": 1.2, "width": 3})
