"""The whole examination, part by part."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace

from workbench.doctor.check import Check
from workbench.doctor.core import core_checks
from workbench.doctor.extras import extra_checks
from workbench.doctor.network import network_checks
from workbench.doctor.programs import program_checks

__all__ = ["examine"]

PARTS: tuple[tuple[str, Callable[[], Iterator[Check]]], ...] = (
    ("Core", core_checks),
    ("Programs", program_checks),
    ("Network", network_checks),
    ("Optional", extra_checks),
)


def examine() -> Iterator[Check]:
    """Look at everything, the core first; each check is given as soon as it is known."""
    for part, checks in PARTS:
        for check in checks():
            yield replace(check, part=part)
