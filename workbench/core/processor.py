"""The processor: its name, its cores, and the instruction sets that numerical libraries choose their code by."""

from __future__ import annotations

import os
import platform
from pathlib import Path

__all__ = ["cores", "instruction_sets", "processor_name"]

CPUINFO = Path("/proc/cpuinfo")
FAMILIES = ("avx", "amx", "fma", "asimd", "bf16", "i8mm", "sve")
"""How the names of vector and matrix instructions begin, on x86 and Arm; all others choose no kernel."""


def processor_name() -> str:
    """Return the processor's name, as its maker has it where the system tells."""
    return _first("model name") or platform.processor() or platform.machine()


def cores() -> int:
    """Return how many cores this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def instruction_sets() -> list[str]:
    """Return the vector and matrix instructions that the processor has, in order; none where the system is silent.

    Sums of floating numbers differ between them in the last digits.
    """
    flags = (_first("flags") or _first("Features")).split()
    return sorted(flag for flag in flags if flag.startswith(FAMILIES))


def _first(field: str) -> str:
    """Return the first value of a field of the system's list of processors, or nothing."""
    try:
        lines = CPUINFO.read_text().splitlines()
    except OSError:
        return ""
    values = (line.partition(":")[2].strip() for line in lines if line.partition(":")[0].strip() == field)
    return next(values, "")
