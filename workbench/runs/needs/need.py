"""A need as a value: what it is called, and whether this machine has it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from workbench.core.errors import WorkbenchError

__all__ = ["Found", "Lack", "Need"]


@dataclass(frozen=True)
class Found:
    """What was needed is there."""

    detail: str
    """What was found, in a few words; never a secret."""


@dataclass(frozen=True)
class Lack:
    """What was needed is not there, in the words of the error that it would become later."""

    got: str
    needed: str
    fix: str

    @classmethod
    def of(cls, error: WorkbenchError) -> Lack:
        """Return what an error of the workbench says."""
        return cls(error.got, error.needed, error.fix)


class Need(Protocol):
    """One thing that a run needs. A frozen dataclass, so that the same need of two parts is looked at once."""

    @property
    def name(self) -> str:
        """What it is called in the list."""

    def check(self) -> Found | Lack:
        """Look for it, in seconds.

        Raises:
            WorkbenchError: It is not there; the same as a `Lack`.
        """
