"""Load DS-1000 problems: from a file, from our own suite, or from the Hub.

Source: Lai et al. 2023, "DS-1000: A Natural and Reliable Benchmark for Data Science Code Generation"; the
format is the 'simplified' one of the authors' current release.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

from workbench.core.errors import DataError, SettingsError
from workbench.datasets.coding_problem import BenchmarkProblem, HiddenTest
from workbench.datasets.jsonl import Faults, read_objects
from workbench.datasets.slot import Slot, slot_of_prompt
from workbench.store.location import data_folder

__all__ = [
    "LIBRARIES",
    "MODULES",
    "PERTURBATIONS",
    "Problem",
    "families",
    "load_problems",
    "problems_on",
    "select",
]

MODULES: Mapping[str, str] = {
    "Pandas": "pandas",
    "Numpy": "numpy",
    "Matplotlib": "matplotlib",
    "Sklearn": "sklearn",
    "Scipy": "scipy",
    "Pytorch": "torch",
    "Tensorflow": "tensorflow",
}
"""The module that each of DS-1000's libraries is imported as."""
LIBRARIES = tuple(MODULES)
"""The seven libraries in the order of the paper's tables."""
PERTURBATIONS = ("Origin", "Surface", "Semantic", "Difficult-Rewrite")
"""How a problem differs from the question it was made of, in the order of the paper's tables."""

Chosen = TypeVar("Chosen", bound=BenchmarkProblem)

HUB_NAME, HUB_SPLIT = "xlangai/DS-1000", "test"
TEXTS = ("prompt", "reference_code", "code_context")
METADATA: Mapping[str, type] = {
    "problem_id": int,
    "library": str,
    "library_problem_id": int,
    "perturbation_type": str,
    "perturbation_origin_id": int,
    "test_case_cnt": int,
}
NEEDED = "rows of DS-1000's current format: prompt, reference_code, code_context and metadata, each id once"


@dataclass(frozen=True)
class Problem:
    """One problem of DS-1000, or of a suite in its format."""

    problem_id: int
    """The only key of a problem; a reference code is none, as several problems may share it."""
    library: str
    """The library it asks about; one of `LIBRARIES` in DS-1000."""
    library_problem_id: int
    """Its number among the problems of its library."""
    perturbation_type: str
    """One of `PERTURBATIONS`."""
    perturbation_origin_id: int
    """`library_problem_id` of the problem it varies; an Origin names itself."""
    test_case_cnt: int
    """How many inputs it is tested on."""
    prompt: str
    """What a model sees. It ends where the solution begins."""
    reference_code: str
    """A solution that passes."""
    code_context: str
    """The Python module that tests a solution."""

    @property
    def slot(self) -> Slot:
        """Where in the prompt the solution belongs."""
        return slot_of_prompt(self.prompt)

    @property
    def hidden_tests(self) -> tuple[HiddenTest, ...]:
        """What decides whether a solution is correct."""
        return (HiddenTest(tests=self.code_context),)

    @property
    def language(self) -> str:
        """What the solution is written in."""
        return "python"

    @property
    def has_surface_test(self) -> bool:
        """Whether `code_context` also checks the solution's surface form (an API it must or must not use)."""
        return self.hidden_tests[0].checks_surface


def load_problems(
    source: str | Path,
    *,
    libraries: Collection[str] | None = None,
    perturbations: Collection[str] | None = None,
    problem_ids: Collection[int] | None = None,
) -> list[Problem]:
    """Load problems and keep those asked for.

    Args:
        source: A `.jsonl` or `.jsonl.gz` file; `"suite"`: the workbench's own problems; `"hub"`:
            `xlangai/DS-1000` from the Hugging Face Hub.
        libraries: Keep these libraries only.
        perturbations: Keep these perturbation types only.
        problem_ids: Keep these problems only.

    Returns:
        The problems in the order of the source, each `problem_id` once.

    Raises:
        DataError: The source is missing or empty, has malformed rows (all of them are listed) or an id twice.
        SettingsError: A filter names a library, type or id that the source does not have.
    """
    if str(source) == "hub":
        from workbench.datasets.hub import load_split

        faults = Faults(f"{HUB_NAME} [{HUB_SPLIT}]")
        rows = ((f"row {i}", row) for i, row in enumerate(load_split(HUB_NAME, HUB_SPLIT), start=1))
        problems = _problems(rows, faults)
    else:
        path = (
            data_folder() / "ds1000" / "suite.jsonl" if str(source) == "suite" else Path(source).expanduser()
        )
        faults = Faults(str(path))
        problems = _problems(((f"line {n}", row) for n, row in read_objects(path, faults)), faults)
    return select(problems, libraries=libraries, perturbations=perturbations, problem_ids=problem_ids)


def problems_on(package: str, source: str | Path) -> list[Problem]:
    """Load the problems on a package.

    Args:
        package: As it is imported, such as `torch`.
        source: See `load_problems`.

    Raises:
        DataError: See `load_problems`.
        SettingsError: The source has no problem on it.
    """
    named = [name for name, module in MODULES.items() if module == package] or [package]
    found = [problem for problem in load_problems(source) if problem.library in named]
    if not found:
        raise SettingsError(
            got=f"no problem on {package} in {source}",
            needed="problems whose library is the package that the library was made of",
            fix="name another source of problems, or (of the command) their library by --library",
        )
    return found


def select(
    problems: Iterable[Chosen],
    *,
    libraries: Collection[str] | None = None,
    perturbations: Collection[str] | None = None,
    problem_ids: Collection[int | str] | None = None,
) -> list[Chosen]:
    """Keep the problems that pass every filter given, in order; see `load_problems`."""
    kept = list(problems)
    filters: list[tuple[str, Collection[Any] | None]] = [
        ("library", libraries),
        ("perturbation_type", perturbations),
        ("problem_id", problem_ids),
    ]
    faults = []
    for field, wanted in filters:
        there = {getattr(problem, field) for problem in kept}
        unknown = sorted(set(wanted) - there) if wanted is not None else []
        if unknown:
            faults.append(f"no problem has {field} {', '.join(map(repr, unknown))}")
    if faults:
        known = ", ".join(sorted({problem.library for problem in kept}))
        raise SettingsError(
            got="; ".join(faults),
            needed=f"names that occur in the problems: libraries {known}; types {', '.join(PERTURBATIONS)}",
            fix="correct the filter",
        )
    for field, wanted in filters:
        if wanted is not None:
            allowed = set(wanted)
            kept = [problem for problem in kept if getattr(problem, field) in allowed]
    return kept


def family_of(problem: BenchmarkProblem) -> tuple[str, int | str]:
    """Return what an Origin and its variants have in common: the library, and the Origin's number there.

    A problem of a benchmark that was never perturbed is a family of its own.
    """
    if not isinstance(problem, Problem):
        return problem.library, problem.problem_id
    own = problem.perturbation_type == "Origin"
    return problem.library, problem.library_problem_id if own else problem.perturbation_origin_id


def families(problems: Iterable[BenchmarkProblem]) -> dict[BenchmarkProblem, list[BenchmarkProblem]]:
    """Group problems into families: an Origin and the variants that were made of it.

    Args:
        problems: Any problems. Variants whose Origin is not among them are left out.

    Returns:
        For each Origin, in order, its variants of the same library (none, where it was never perturbed).
    """
    listed = list(problems)
    origins = {family_of(p): p for p in listed if p.perturbation_type == "Origin"}
    grouped: dict[BenchmarkProblem, list[BenchmarkProblem]] = {origin: [] for origin in origins.values()}
    for problem in listed:
        origin = origins.get(family_of(problem))
        if problem.perturbation_type != "Origin" and origin is not None:
            grouped[origin].append(problem)
    return grouped


def _problems(rows: Iterator[tuple[str, Mapping[str, Any]]], faults: Faults) -> list[Problem]:
    """Check and convert all rows of a source; raise one error for all its faults."""
    problems: list[Problem] = []
    seen: dict[int, str] = {}
    for where, row in rows:
        wrong = _faults_of(row)
        if wrong:
            faults.add(where, "; ".join(wrong))
            continue
        problem = Problem(
            **{name: row[name] for name in TEXTS}, **{name: row["metadata"][name] for name in METADATA}
        )
        if problem.problem_id in seen:
            faults.add(where, f"problem_id {problem.problem_id} was already on {seen[problem.problem_id]}")
            continue
        seen[problem.problem_id] = where
        problems.append(problem)
    faults.raise_if_any(NEEDED, "correct these rows, or download the file again")
    if not problems:
        raise DataError(f"{faults.source}: no rows", NEEDED, "name a file that holds problems")
    return problems


def _faults_of(row: Mapping[str, Any]) -> list[str]:
    """Return what keeps one row from being a problem; empty where nothing does."""
    faults = [_fault(row, name, str, name) for name in TEXTS]
    metadata = row.get("metadata")
    if not isinstance(metadata, Mapping):
        faults.append(_fault(row, "metadata", dict, "metadata"))
        return [fault for fault in faults if fault]
    faults += [_fault(metadata, name, kind, f"metadata.{name}") for name, kind in METADATA.items()]
    kind = metadata.get("perturbation_type")
    if isinstance(kind, str) and kind not in PERTURBATIONS:
        faults.append(f"metadata.perturbation_type {kind!r} is none of {', '.join(PERTURBATIONS)}")
    return [fault for fault in faults if fault]


def _fault(row: Mapping[str, Any], key: str, kind: type, name: str) -> str:
    """Say that a field is missing or of the wrong type; empty where it is right."""
    if key not in row:
        return f"no {name}"
    value = row[key]
    if isinstance(value, kind) and not isinstance(value, bool):
        return ""
    return f"{name} is a {type(value).__name__}, not a {kind.__name__}"
