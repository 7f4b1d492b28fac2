"""The problems that are scored: DS-1000's, our suite's, or those of any other coding benchmark in a file."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from workbench.datasets import load_problems
from workbench.datasets.coding_problem import BenchmarkProblem
from workbench.datasets.jsonl import Faults, read_objects
from workbench.retrieval.problem_files import load_coding_problems

__all__ = ["is_of_coding_problems", "load_benchmark"]

NAMED = ("suite", "hub")


def load_benchmark(source: str | Path) -> Sequence[BenchmarkProblem]:
    """Load problems.

    Args:
        source: `suite`, `hub`, a file in DS-1000's format, or one with the fields of `CodingProblem`, as `workbench
            arks run` takes it.

    Raises:
        DataError: The source is missing or empty, or has malformed rows (all of them are listed).
    """
    return load_coding_problems(source) if is_of_coding_problems(source) else load_problems(source)


def is_of_coding_problems(source: str | Path) -> bool:
    """Tell by its first line whether a file holds the fields of `CodingProblem`."""
    path = Path(source).expanduser()
    if str(source) in NAMED or not path.is_file():
        return False
    first = next(iter(read_objects(path, Faults(str(path)))), None)  # faults are told where it is read
    return first is not None and "question" in first[1] and "metadata" not in first[1]
