"""What the programs of coding problems need on a machine, and how it is told that the machine lacks it.

A module that the benchmark itself needs is missing for every program alike: that is no failure of a model. One that
only an answer needs is its failure.
"""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Callable, Iterable, Sequence
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
_IMPORT = re.compile(r"(ModuleNotFoundError|ImportError)\b")
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


def refuse_lack(
    problem: CodingProblem, verdict: Verdict, sandbox: AnySandbox, program: Callable[[str], Program]
) -> None:
    """Raise where a program ended because the machine lacks a module that the problem itself needs.

    An answer may well lead a library to an optional module that is not there; that is the answer's failure. So the
    problem's reference, or no code at all where none is known, is run in the answer's place: the lack is the
    machine's only if it ends in the same way. Without a reference, what the benchmark's own packages
    (`CodingProblem.modules`) do not find counts as the machine's too.

    Args:
        problem: What the program answers.
        verdict: How it ended.
        sandbox: Where it ran.
        program: Makes the program that was run, of a code.

    Raises:
        RuntimeMissingError: It did: nothing was learnt about the answer.
    """
    lacking = None if problem.language != "python" else _lacking(verdict)
    if lacking is None:
        return
    own = {name.partition(".")[0] for name in problem.modules}
    frames = _FRAME.findall(verdict.stderr)
    within = bool(own & set(re.split(r"[/\\]", frames[-1]))) if frames else False
    needed = within and not problem.reference_code
    if not needed and _lacking(sandbox.run(program(problem.reference_code or "pass"))) != lacking:
        return
    if not lacking.replace(".", "").isidentifier():  # a library's own words, without the module's name
        raise _unusable(problem, lacking, sandbox)
    # one that is there may be closed to answers alone: a fresh library hides the package underneath from them
    if _missing([lacking], sandbox):
        raise _lack([lacking], sandbox)


def _lacking(verdict: Verdict) -> str | None:
    """Return the module that a program did not find, or what was said of it; None where it ended otherwise."""
    if verdict.passed or not _IMPORT.match(verdict.message):
        return None
    named = _LACKING.search(verdict.message) or next(iter(list(_LACKING.finditer(verdict.stderr))[-1:]), None)
    return named[1] if named else verdict.message


def _lack(missing: Sequence[str], sandbox: AnySandbox) -> RuntimeMissingError:
    runtime = sandbox.runtime
    commands = dict.fromkeys(_installing(name.partition(".")[0]) for name in missing)
    return RuntimeMissingError(
        got=f"the runtime {runtime.name} has no module {', '.join(missing)}, which the problems need",
        needed="all that the problems themselves import: without it every program fails, whatever a model writes",
        fix="; ".join(command.format(pip=f"{runtime.python} -m pip install") for command in commands),
    )


def _unusable(problem: CodingProblem, message: str, sandbox: AnySandbox) -> RuntimeMissingError:
    return RuntimeMissingError(
        got=f"in the runtime {sandbox.runtime.name} the reference of problem {problem.problem_id} ends so: {message}",
        needed="a runtime in which the problems' own references import what they need",
        fix=f"install what the message names: {sandbox.runtime.python} -m pip install ...",
    )


def _installing(package: str) -> str:
    return INSTALLATION.get(package, f"{{pip}} {package}")
