"""Fictional libraries whose documentation is all that tells how to use them, and a tiny code model that reads it."""

from workbench.worlds.libraries.coder import PocketCoder
from workbench.worlds.libraries.library import Function, Library, invent_library
from workbench.worlds.libraries.operations import OPERATIONS, Operation
from workbench.worlds.libraries.problems import Benchmark, draw_benchmark
from workbench.worlds.libraries.wording import PocketTemplate

__all__ = [
    "OPERATIONS",
    "Benchmark",
    "Function",
    "Library",
    "Operation",
    "PocketCoder",
    "PocketTemplate",
    "draw_benchmark",
    "invent_library",
]
