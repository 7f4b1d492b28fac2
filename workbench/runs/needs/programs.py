"""Where model-written programs run: the runtime with its libraries, the problems' own modules, languages' tools."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from workbench.core.errors import RuntimeMissingError
from workbench.datasets.coding_problem import CodingProblem
from workbench.languages.toolchains import with_toolchains
from workbench.retrieval.requirements import modules_of, require_all
from workbench.runs.needs.need import Found, Lack
from workbench.sandbox import Sandbox
from workbench.sandbox.installed import with_installed
from workbench.sandbox.runtimes import find_runtime

__all__ = ["ProgramsNeed", "RuntimeNeed"]


@dataclass(frozen=True)
class RuntimeNeed:
    """A runtime that is built, isolates programs, and has the libraries that they import."""

    runtime: str
    modules: tuple[str, ...] = ()

    @property
    def name(self) -> str:
        """What it is called in the list."""
        return f"runtime {self.runtime}"

    def check(self) -> Found | Lack:
        """Look for it; see `Need`."""
        found = find_runtime(self.runtime, build=False)
        names = list(self.modules)
        with Sandbox(found, workers=1) as box:
            program = "from importlib import util\nprint(*[n for n in {} if util.find_spec(n) is None])"
            verdict = box.run(program.format(repr(names)))
        if not verdict.passed:
            raise RuntimeMissingError(
                got=f"the runtime {self.runtime} runs no program: {verdict.message or verdict.status}",
                needed="a runtime whose interpreter works in the sandbox",
                fix=f"see `workbench doctor`; `workbench runtime build {self.runtime}` builds it again",
            )
        if missing := verdict.stdout.split():
            return Lack(
                got=f"the runtime {self.runtime} lacks {', '.join(missing)}: such problems would be skipped",
                needed="the libraries of all problems",
                fix="workbench runtime build ds1000, then -p runtime=ds1000",
            )
        return Found(f"{found.python}" + (f", with {len(names)} libraries" if names else ""))


@dataclass(frozen=True)
class ProgramsNeed:
    """All that the programs of coding problems need: modules that the problems import, and tools of languages."""

    problems: Callable[[], Sequence[CodingProblem]] = field(compare=False)
    """Loads them."""
    runtime: str = "main"
    what: str = "programs"

    @property
    def name(self) -> str:
        """What it is called in the list."""
        return self.what

    def check(self) -> Found | Lack:
        """Look for it; see `Need`."""
        problems = list(self.problems())
        names, languages = modules_of(problems), list(dict.fromkeys(problem.language for problem in problems))
        runtime = with_installed(find_runtime(self.runtime, build=False), names)
        with Sandbox(with_toolchains(runtime, languages), workers=1) as box:
            require_all(problems, box)
        said = f"{len(problems)} problems in {', '.join(languages)}"
        return Found(said + (f", which import {', '.join(names[:6])}" if names else ""))
