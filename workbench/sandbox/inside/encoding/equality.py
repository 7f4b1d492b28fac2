"""Objects that decide themselves what they equal: one that equals things that differ from each other is refused."""

from __future__ import annotations

from typing import Any

from .checked import ForbiddenResult

__all__ = ["check"]

_PROBES = (12_345.678, -98_765.25, "neither this", ("nor", "that"), object())


def check(made: Any) -> None:
    """Compare an object with values that it has nothing to do with.

    Raises:
        ForbiddenResult: where it equals any of them.
    """
    for probe in _PROBES:
        for compare in (lambda: made == probe, lambda: probe == made, lambda: not (made != probe)):  # noqa: B023, SIM202
            try:
                equal = compare()
                equal = equal is not NotImplemented and bool(equal)
            except Exception:  # what cannot be compared passes no test by it
                continue
            if equal:
                raise ForbiddenResult(f"a {type(made).__name__} that equals anything")
