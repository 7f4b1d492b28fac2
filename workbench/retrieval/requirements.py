"""What the programs of coding problems need on a machine, and how it is told that the machine lacks it.

A module that the benchmark itself imports is missing for every program alike: that is no failure of a model.
"""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

from workbench.core.errors import RuntimeMissingError
from workbench.datasets.coding_problem import CodingProblem
from workbench.datasets.evor import INSTALLATION
from workbench.languages.toolchains import require_toolchains
from workbench.sandbox.program import Program
from workbench.sandbox.verdict import Verdict

if TYPE_CHECKING:
    from workbench.sandbox import AnySandbox

__all__ = ["modules_of", "refuse_lack", "require_all"]

_LACKING = re.compile(r"No module named '([\w.]+)'")
_FRAME = re.compile(r'^\s*File "([^"\n]+)"', re.MULTILINE)
_PROGRAM = """
import json
from importlib import util
missing = []
for name in NAMES:
    try:
        found = util.find_spec(name) is not None
    except Exception:
        found = False
    if not found:
        missing.append(name)
print(json.dumps(missing))
"""


def modules_of(problems: Iterable[CodingProblem]) -> list[str]:
    """Return the modules, beyond Python's own, that problems import whatever a model answers."""
    names: dict[str, None] = {}
    for problem in problems:
        if problem.language != "python":
            continue
        runs = [run.context for run in problem.visible_runs] + [test.context for test in problem.hidden_tests]
        tests = [test.tests or "" for test in problem.hidden_tests]
        for text in (*runs, *tests, problem.code_context):
            names |= dict.fromkeys(Program(text).imports())
        names |= dict.fromkeys(problem.modules)
    return [name for name in names if name.partition(".")[0] not in sys.stdlib_module_names]


def require_all(problems: Sequence[CodingProblem], sandbox: AnySandbox) -> None:
    """Raise where a sandbox lacks what problems need, before a model is asked.

    Args:
        problems: What will be run.
        sandbox: Where.

    Raises:
        RuntimeMissingError: Modules that the problems import are not there (all are named), or a language's tool is
            not, or cannot be started.
    """
    require_toolchains(sandbox, (problem.language for problem in problems))
    missing = _missing(modules_of(problems), sandbox)
    if missing:
        raise _lack(missing, sandbox)


def _missing(names: Sequence[str], sandbox: AnySandbox) -> list[str]:
    """Return those modules that a program of the sandbox does not find."""
    if not names:
        return []
    verdict = sandbox.run(f"NAMES = {list(names)!r}\n{_PROGRAM}")
    return list(json.loads(verdict.stdout)) if verdict.passed else []


def refuse_lack(problem: CodingProblem, verdict: Verdict, sandbox: AnySandbox) -> None:
    """Raise where a program ended because the machine lacks a module of the benchmark's own.

    That is one which the problem imports itself, or which a package of the problem's imports in turn.

    Args:
        problem: What the program answers.
        verdict: How it ended.
        sandbox: Where it ran.

    Raises:
        RuntimeMissingError: It did: nothing was learnt about the answer.
    """
    found = None if verdict.passed or problem.language != "python" else _LACKING.search(verdict.message)
    if found is None:
        return
    own = modules_of([problem])
    tops = {name.partition(".")[0] for name in own}
    frames = _FRAME.findall(verdict.stderr)
    within = set(re.split(r"[/\\]", frames[-1])) if frames else set()
    benchmarks = found[1] in own or found[1] in tops or bool(tops & within)
    # one that is there may be closed to answers alone: a fresh library hides the package underneath from them
    if benchmarks and _missing([found[1]], sandbox):
        raise _lack([found[1]], sandbox)


def _lack(missing: Sequence[str], sandbox: AnySandbox) -> RuntimeMissingError:
    runtime = sandbox.runtime
    commands = dict.fromkeys(_installing(name.partition(".")[0]) for name in missing)
    return RuntimeMissingError(
        got=f"the runtime {runtime.name} has no module {', '.join(missing)}, which the problems import",
        needed="all that the problems themselves import: without it every program fails, whatever a model writes",
        fix="; ".join(command.format(pip=f"{runtime.python} -m pip install") for command in commands),
    )


def _installing(package: str) -> str:
    return INSTALLATION.get(package, f"{{pip}} {package}")
