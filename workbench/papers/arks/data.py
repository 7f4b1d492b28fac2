"""What the ARKS experiment works on: problems with their documentation, and the models that are asked."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING

from workbench.core.errors import DataError, SettingsError
from workbench.datasets.coding_problem import CodingProblem
from workbench.generators.completion import TextGenerator
from workbench.retrieval import Item, PromptTemplate
from workbench.sandbox.runtimes import Runtime, find_runtime
from workbench.store import atomic
from workbench.store.fingerprint import fingerprint
from workbench.store.location import own_path
from workbench.store.reading import read_json

if TYPE_CHECKING:
    from workbench.datasets.ds1000 import Problem
    from workbench.libraries import FreshLibrary

__all__ = ["WORLD_PROBLEMS", "ArksData", "Model", "fresh_problems", "load_arks"]

ALL = "all"
"""EVOR-bench whole."""
_CHECK_S, _CHECK_BYTES = 120.0, 4 * 2**30
"""What a reference may take."""
WORLD_PROBLEMS = 30
"""Problems on each library of the world, where no number is given: there is no end of them."""


@dataclass(frozen=True)
class ArksData:
    """Problems, the documentation to retrieve from, and how prompts on them read."""

    name: str
    problems: tuple[CodingProblem, ...]
    documentation: tuple[Item, ...]
    pocket: bool = False
    """Whether prompts read as the pocket code model's training does, rather than as for any other model."""
    stripped: tuple[Item, ...] | None = None
    """The documentation without the words of the functions' familiar names, where that can be had."""
    operations: Mapping[str, int] | None = None
    """For each problem_id the calls that its right program makes, where that is known."""
    runtime: Runtime | str = "main"
    """The environment that programs run in."""
    left_out: Mapping[str, str] = field(default_factory=dict)
    """By problem_id, why a problem cannot be asked: its reference does not pass here, for example."""
    members: tuple[ArksData, ...] = ()
    """Of a benchmark of several tasks each task: they share neither documents nor programs that ran."""

    @property
    def parts(self) -> tuple[ArksData, ...]:
        """The tasks: these data themselves where there is one."""
        return self.members or (self,)

    @property
    def template(self) -> PromptTemplate:
        """How prompts read."""
        if not self.pocket:
            return PromptTemplate()
        from workbench.worlds.libraries import PocketTemplate

        return PocketTemplate()

    @property
    def bounded(self) -> bool:
        """Whether it is known which documents each problem needs, for the upper bound."""
        return all(problem.gold_documents for problem in self.problems)

    def documents(self, *, stripped: bool = False) -> tuple[Item, ...]:
        """Return the documentation.

        Raises:
            SettingsError: It cannot be had without the familiar words.
        """
        if not stripped:
            return self.documentation
        if self.stripped is None:
            raise SettingsError(
                got=f"{self.name} without the words of the functions' familiar names",
                needed="data whose familiar names are known: the world of libraries",
                fix="leave the control out",
            )
        return self.stripped


def load_arks(
    source: str, *, libraries: int, problems: int, runtime: str, seed: int, folder: Path
) -> ArksData:
    """Load problems and documentation.

    Args:
        source: `world` for fictional libraries; `fresh:PACKAGE` for an installed package under new names, with the
            problems on it (see `fresh_problems`), or `fresh:PACKAGE:FILE` with those of a file in DS-1000's format;
            one of EVOR-bench's tasks, or `TASK:FOLDER` for one in a folder; `all`, or `all:FOLDER`, for the four of
            them.
        libraries: How many libraries the world has.
        problems: How many problems on each library of the world, 0 standing for `WORLD_PROBLEMS`; of other data how
            many of each task, 0 for all there are.
        runtime: The environment that programs run in.
        seed: Where the world and new names come from.
        folder: Where a fresh library is made.

    Raises:
        SettingsError: There is no such source.
        DataError: The data cannot be had or used, or hold no problem.
    """
    data = _load(source, libraries, problems, runtime=runtime, seed=seed, folder=folder)
    if not data.problems:
        raise DataError(
            got=f"no problem in {source}",
            needed="at least one problem to ask",
            fix="name other data; of fresh:PACKAGE, one on which problems can be moved, such as fresh:scipy",
        )
    return data


def _load(source: str, libraries: int, problems: int, *, runtime: str, seed: int, folder: Path) -> ArksData:
    kind, _, rest = source.partition(":")
    if source == "world":
        return _world(libraries, problems or WORLD_PROBLEMS, runtime, seed)
    if kind == "fresh" and rest:
        return _fresh(rest, problems, runtime, seed, folder)
    from workbench.datasets.evor import TASKS

    if kind in TASKS:
        return _evor(kind, rest or "hub", problems, runtime)
    if kind == ALL:
        return _together([_evor(task, rest or "hub", problems, runtime) for task in TASKS])
    raise SettingsError(
        got=f"data {source!r}",
        needed=f"world, fresh:PACKAGE[:FILE], or one of {', '.join(TASKS)}, or {ALL}, with :FOLDER where they are in "
        "one",
        fix="name one of these",
    )


def _together(tasks: Sequence[ArksData]) -> ArksData:
    """Return several tasks as one benchmark; a problem is named by its task too."""
    members = tuple(
        replace(
            task,
            problems=tuple(
                replace(problem, problem_id=f"{task.name}/{problem.problem_id}") for problem in task.problems
            ),
        )
        for task in tasks
    )
    return ArksData(
        name="EVOR-bench",
        problems=tuple(problem for task in members for problem in task.problems),
        documentation=tuple(item for task in members for item in task.documentation),
        members=members,
    )


def _world(libraries: int, problems: int, runtime: str, seed: int) -> ArksData:
    from workbench.worlds.libraries import draw_benchmark

    drawn = draw_benchmark(seed, libraries=libraries, problems=problems)
    ids = (problem.problem_id for problem in drawn.problems)
    return ArksData(
        name="world",
        problems=drawn.problems,
        documentation=tuple(drawn.documentation()),
        pocket=True,
        stripped=tuple(drawn.documentation(stripped=True)),
        operations=dict(zip(ids, drawn.operations, strict=True)),
        runtime=find_runtime(runtime),
    )


def fresh_problems(rest: str, runtime: str) -> tuple[str, str]:
    """Return the package of `fresh:PACKAGE` or `fresh:PACKAGE:FILE`, and where the problems on it come from.

    Without a file they are our suite's in the main environment, whose packages they were written for, and DS-1000's
    from the Hub in any other.
    """
    package, _, file = rest.partition(":")
    return package, file or ("suite" if runtime == "main" else "hub")


def _fresh(rest: str, problems: int, runtime: str, seed: int, folder: Path) -> ArksData:
    from workbench.datasets.ds1000 import problems_on
    from workbench.libraries import NotRewritten, make_library
    from workbench.libraries.coding import fresh_coding_problem
    from workbench.retrieval.documentation import DocumentationFile

    package, source = fresh_problems(rest, runtime)
    known = problems_on(package, source)
    library = make_library(package, seed=seed, out=folder / f"fresh-{package}", runtime=runtime)
    faults = _faults(known, library, runtime)
    moved = [fresh_coding_problem(one, library) for one in known if str(one.problem_id) not in faults]
    asked = [problem for problem in moved if not isinstance(problem, NotRewritten)]
    return ArksData(
        name=f"fresh:{package}",
        problems=tuple(asked[: problems or None]),
        documentation=tuple(DocumentationFile(library.folder / "documents.jsonl").items()),
        runtime=library.runtime(runtime),
        left_out=faults,
    )


def _faults(known: Sequence[Problem], library: FreshLibrary, runtime: str) -> dict[str, str]:
    """Return which problems cannot be asked of a library, and why; kept beside it, as programs are run for it.

    A problem is asked whose renamed reference passes and whose original one fails: of another, a right answer would
    count as a wrong one, or the library could be done without.
    """
    from workbench.libraries import check_library
    from workbench.sandbox import Sandbox

    faults = {
        str(problem.problem_id): "its solution is a function's body"
        for problem in known
        if problem.slot.function
    }
    left = [problem for problem in known if str(problem.problem_id) not in faults]
    file = library.folder.with_suffix(".checked.json")
    mark = fingerprint([check_library, left, library.name, runtime])
    kept = read_json(file)
    if kept.get("mark") != mark:
        with Sandbox(library.runtime(runtime), timeout_s=_CHECK_S, memory_bytes=_CHECK_BYTES) as sandbox:
            check = check_library(left, library, sandbox)
        found = {
            str(one.problem.problem_id): one.fault.splitlines()[0] for one in check.problems if one.fault
        }
        kept = {"mark": mark, "faults": found}
        atomic.write_bytes(file, json.dumps(kept, indent=1).encode())
    return faults | kept["faults"]


def _evor(task: str, source: str, problems: int, runtime: str) -> ArksData:
    from workbench.datasets.evor import load_evor
    from workbench.languages.toolchains import with_toolchains
    from workbench.retrieval.documentation import document_items
    from workbench.retrieval.requirements import modules_of
    from workbench.sandbox.installed import with_installed

    loaded = load_evor(task, source)
    asked = loaded.problems[: problems or None]
    readable = with_installed(find_runtime(runtime), modules_of(asked))
    items = (item for page in loaded.documents for item in document_items(page.id, page.id, page.text))
    return ArksData(
        name=task,
        problems=asked,
        documentation=tuple(items),
        runtime=with_toolchains(readable, (problem.language for problem in asked)),
    )


@dataclass(frozen=True)
class Model:
    """Who writes the code, and how it is asked."""

    spec: str
    """`pocket:FOLDER`, or any for the active loop: `hf:NAME`, `served:MODEL`, `openai:MODEL`, `recorded:FILE`."""
    max_new_tokens: int = 512
    """Longest answer of a public model, in tokens."""
    quantize: str = "none"
    """How a public model on this machine is held: none or nf4."""
    dtype: str = "auto"
    """Number type of a public model on this machine; see `GenerationSettings`."""
    fingerprint: str = ""
    """What its answers depend on; see `identified`."""

    def open(self) -> TextGenerator:
        """Open it; a public model is loaded with its first answer."""
        kind, _, rest = self.spec.partition(":")
        if kind == "pocket":
            from workbench.worlds.libraries import PocketCoder

            return PocketCoder(own_path(rest))
        from workbench.generators import GenerationSettings
        from workbench.retrieval.coding import make_coder

        held = {"none": None, "nf4": "4bit"}
        if self.quantize not in held:
            raise SettingsError(f"quantize {self.quantize!r}", "none or nf4", "use one of these")
        settings = GenerationSettings(
            max_new_tokens=self.max_new_tokens, quantize=held[self.quantize], dtype=self.dtype
        )
        return make_coder(self.spec, settings)

    def identified(self) -> Model:
        """Return it with its fingerprint, by which a cached result knows whether it is of this model."""
        return replace(self, fingerprint=self.open().fingerprint)
