"""Running an answer again after an edit, and drawing the figures that an answer makes, in the sandbox."""

from __future__ import annotations

import base64
import re
import threading
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from workbench.datasets.coding_problem import BenchmarkProblem, CodingProblem
from workbench.languages.hidden_tests import graded_program, imports_of_tests, whole_verdict

if TYPE_CHECKING:
    from workbench.sandbox import Sandbox
    from workbench.sandbox.runtimes import Runtime

__all__ = ["Rerun", "Workshop", "drawing_program", "figures_in"]

_FIGURE = re.compile(r"^workbench figure ([A-Za-z0-9+/=]+)$", re.MULTILINE)
MEMORY_BYTES = 4 * 2**30

# runs the problem's own context with the answer in it, on the first test's input, and prints what was drawn
_DRAWING = """
def _draw(answer):
    import base64, io
    import matplotlib.pyplot as plt
    test_input = generate_test_case(1)[0]
    plt.close("all")
    kept = [line for line in answer.split("\\n") if not any(word in line for word in ("plt.show()", "plt.close("))]
    exec(exec_context.replace("[insert]", "\\n".join(kept)), {"test_input": test_input})
    for number in plt.get_fignums():
        stream = io.BytesIO()
        plt.figure(number).savefig(stream, format="png", dpi=64, bbox_inches="tight")
        print("workbench figure " + base64.b64encode(stream.getvalue()).decode())
"""


@dataclass(frozen=True)
class Rerun:
    """What came of running an answer again."""

    status: str
    """As `Attempt.status`."""
    stage: str = ""
    message: str = ""
    line: int | None = None


class Workshop:
    """A sandbox that is opened when it is first needed, again after it was closed too.

    Args:
        runtime: Environment that programs run in.
        timeout_s: Wall time of one program, in seconds.
        open_sandbox: Makes the sandbox, for tests.
    """

    def __init__(
        self,
        runtime: str = "main",
        timeout_s: float = 60.0,
        open_sandbox: Callable[[], Sandbox] | None = None,
    ) -> None:
        self._runtime: str | Runtime = runtime
        self._timeout_s = timeout_s
        self._imported: set[str] = set()  # what the runtime was looked through for
        self._make = open_sandbox or self._open
        self._sandbox: Sandbox | None = None
        self._lock = threading.Lock()
        self._drawn: dict[str, list[bytes]] = {}

    def run(self, problem: BenchmarkProblem, code: str) -> Rerun:
        """Run an answer against its problem's tests.

        Args:
            problem: Of DS-1000 or ARKS.
            code: The answer.

        Raises:
            SandboxUnavailableError: This machine cannot isolate programs.
        """
        if isinstance(problem, CodingProblem):
            return self._run_coding(problem, code)
        sandbox = self._opened(imports_of_tests(problem))  # not the answer's: nobody vouches for those
        programs = [graded_program(problem, test, code, problem.library) for test in problem.hidden_tests]
        verdict = whole_verdict(problem, [sandbox.run(program) for program in programs])
        return Rerun(verdict.status, verdict.stage or "", verdict.message, verdict.line)

    def figures(self, problem: BenchmarkProblem, code: str) -> list[bytes]:
        """Return the Matplotlib figures that an answer draws, as PNG files; none where it fails."""
        from workbench.sandbox import Program

        if isinstance(problem, CodingProblem) or not code.strip():
            return []
        program = drawing_program(problem, code)
        if program not in self._drawn:  # the same reference stands beside every answer
            sandbox = self._opened(imports_of_tests(problem))
            self._drawn[program] = figures_in(sandbox.run(Program(program, group=problem.library)).stdout)
        return self._drawn[program]

    def close(self) -> None:
        """End the sandbox; it opens again when it is needed."""
        with self._lock:
            if self._sandbox is not None:
                self._sandbox.close()
            self._sandbox = None

    def _run_coding(self, problem: CodingProblem, code: str) -> Rerun:
        from workbench.retrieval.execution import Executor, imported_modules

        executor = Executor(self._opened(imported_modules([problem]), problem.language))
        (outcome,) = executor.outcomes([(problem, code)])
        if not outcome.ran:
            return Rerun("failed", "execution", outcome.message, outcome.line)
        if all(executor.passed([(problem, code)])):
            return Rerun("passed")
        return Rerun("silent", "tests", "ran without an error; a hidden test is not met")

    def _opened(self, imported: Iterable[str], language: str = "python") -> Sandbox:
        """Return the sandbox; a new one where a problem imports packages that the last one cannot read."""
        from workbench.languages.toolchains import with_toolchains
        from workbench.sandbox.installed import with_installed

        with self._lock:
            new = set(imported) - self._imported
            runtime = with_toolchains(with_installed(self._runtime, new), [language])
            if self._sandbox is not None and runtime is not self._runtime:
                self._sandbox.close()
                self._sandbox = None
            self._runtime = runtime
            self._imported |= new
            if self._sandbox is None:
                self._sandbox = self._make()
            return self._sandbox

    def _open(self) -> Sandbox:
        from workbench.sandbox import Sandbox

        return Sandbox(self._runtime, workers=1, timeout_s=self._timeout_s, memory_bytes=MEMORY_BYTES)


def drawing_program(problem: BenchmarkProblem, code: str) -> str:
    """Return a program that runs an answer on its problem's first input and prints the figures it made.

    Args:
        problem: A problem whose first hidden test is in DS-1000's form.
        code: The answer.
    """
    return f"{problem.hidden_tests[0].tests}\n{_DRAWING}\n_draw({code!r})\n"


def figures_in(printed: str) -> list[bytes]:
    """Return the PNG files that a drawing program printed."""
    return [base64.b64decode(found) for found in _FIGURE.findall(printed)]
