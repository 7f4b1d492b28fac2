"""The grader process: runs a benchmark's own tests on results that come out of another process.

The tests' `exec` is bound to a call to the solution process, so the comparison, the reference and the expected
values stay here, where no line of the solution ever runs.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

from . import channel, figures, files, inputs
from .cases import MASKED, Cases
from .cells import TooLarge
from .copies import copied
from .encoding import Decoder, ForbiddenResult, libraries
from .pictures import EXPECTED_FILES
from .solution import FILENAME, describe
from .watch import Watch

__all__ = ["grade"]

RESULT_BYTES = 256 << 20
_KEPT_BYTES = 16 << 20  # a larger result is not looked at again
_WANTED = ("result",)


class SolutionEnded(BaseException):
    """The solution process raised, sent something forbidden or is gone: no test can go on.

    Not an `Exception`, so that a comparison's own `except Exception` cannot swallow it.
    """

    def __init__(self, kind: str, message: str, line: int | None = None) -> None:
        super().__init__(message)
        self.kind, self.line = kind, line


class _Solution:
    """The grader's end of the seam."""

    def __init__(self, ends: tuple[int, int], tests_source: str) -> None:
        self._answers, self._requests = ends
        self._tests_source = tests_source
        self._libraries = libraries.imported_by(tests_source)
        self._watch: Watch | None = None
        self._masks_expected = "mask" in tests_source or ".ma." in tests_source
        self._taken: dict[str, bytes] = {}
        self._message: bytearray = bytearray()
        self._results: dict[str, Any] = {}
        self.cases = Cases(self._kept, tests_source)
        self._withheld: set[str] = set()
        self.calls = 0
        self.refused = False
        """Whether a result could not be handed to the tests as it was."""
        self.modules: set[str] = set()

    def _call(self, request: dict) -> tuple[dict, bool]:
        """Send a request; return the reply, and whether it holds masked values."""
        try:
            channel.send(self._requests, inputs.dump(request, reads=request["call"] == "read"))
            if self._watch is None:
                self._watch = Watch(self._tests_source, ".")
                self._watch.start()
            message = channel.receive(self._answers, RESULT_BYTES)
            reader = Decoder(message, self._stand_in, self._libraries)
            reply = reader.decode()
        except channel.ChannelClosed:
            raise SolutionEnded(
                "gone", "the program ended the interpreter before its result was read"
            ) from None
        except (channel.ChannelOverflow, ForbiddenResult) as error:
            self.refused = True
            raise SolutionEnded("forbidden", str(error)) from None
        if type(reply) is not dict:
            raise SolutionEnded("forbidden", "a message that is not of the protocol")
        self.modules.update(name for name in reply.get("modules", ()) if type(name) is str)
        self.refused |= reader.changed or reply.get("refused") is True
        if "error" in reply:
            raise _as_ended(reply["error"])
        if request["call"] == "execute":
            self._message = message if len(message) <= _KEPT_BYTES else bytearray()
        return reply, reader.holds_masked

    def _kept(self, result: Any) -> Callable[[], Any]:
        """Return what reads the latest result once more, where it is this one."""
        message, names = self._message, [name for name in self._results if self._results[name] is result]

        def again() -> Any:
            if not message or not names:
                raise TooLarge(
                    "the result is too large" if names else "the tests compare what they made of the result"
                )
            return Decoder(message, self._stand_in, self._libraries).decode()["results"][names[0]]

        return again

    @property
    def forbidden_step(self) -> str:
        """What was seen that would have run code in this process; empty where nothing was."""
        return self._watch.noted if self._watch is not None else ""

    def why_not_there(self, message: str) -> str:
        """Return what to add to a message that names a file which stayed with the program."""
        names = [name for name in sorted(self._withheld) if name.rsplit("/", maxsplit=1)[-1] in message]
        return (
            f" ({names[0]} is a pickle or a module: only tests in one process can read it)" if names else ""
        )

    def _stand_in(self, number: int, kind: type) -> figures.Drawn:
        return figures.stand_in(number, kind, self._read)

    def _read(self, request: dict) -> Any:
        """Ask for something of an object that was left in the solution process."""
        if request["kind"] == "refused":
            self.refused = True
            return None
        reply, _ = self._call({"call": "read", **request})
        raised = reply.get("raised")
        if type(raised) is list and len(raised) == 2:
            raise figures.as_error(*raised)
        return reply.get("value")

    def execute(self, code: str, environment: dict) -> None:
        """Stand in for `exec(code, environment)`."""
        self.calls += 1
        given = {name: value for name, value in environment.items() if name != "__builtins__"}
        own = files.read_files(self._taken)
        sent = {name: content for name, content in own.items() if name not in EXPECTED_FILES}
        kept = {name: content for name, content in own.items() if name in EXPECTED_FILES}
        request = {"call": "execute", "code": code, "inputs": given, "wanted": _WANTED, "files": sent}
        reply, masked = self._call(request)
        try:
            taken = files.check_files(reply.get("files"), {*kept, *EXPECTED_FILES})
            read = files.named_in(taken, self._tests_source)
            self._withheld.update(taken.keys() - read.keys())
            files.write_files(read)
        except (files.ForbiddenFile, OSError) as error:
            raise SolutionEnded("forbidden", str(error)) from None
        files.write_files(kept)  # after, and never from, what came
        self._taken.update(taken)
        results = reply.get("results")
        if type(results) is not dict:
            raise SolutionEnded("forbidden", "a message that is not of the protocol")
        if masked and not self._masks_expected and not self.cases.compare:
            raise SolutionEnded("failed", MASKED)
        self._results = results
        self.cases.holds_masked |= masked and self.cases.compare
        self.cases.watch()
        environment.update({name: results[name] for name in _WANTED if name in results})
        if reply.get("drawn") is True:
            figures.install_lazily(self._read)


def _as_ended(error: Any) -> SolutionEnded:
    fields = error if isinstance(error, dict) else {}
    kind, line = fields.get("kind"), fields.get("line")
    return SolutionEnded(
        kind if kind in ("failed", "memory") else "failed",
        str(fields.get("message", "unreadable error"))[:2_000],
        line if isinstance(line, int) else None,
    )


def _line_in_solution(line: int | None, tests: dict, code: str) -> int | None:
    """Translate a line of the whole program into one of the solution, where it stands at `[insert]`."""
    context = tests.get("exec_context")
    if line is None or not isinstance(context, str) or "[insert]" not in context:
        return line
    number = line - context.split("[insert]")[0].count("\n")
    keeps: Callable[[str], bool] = tests.get("skip_plt_cmds", lambda text: True)
    kept = [index for index, text in enumerate(code.split("\n"), start=1) if keeps(text)]
    return kept[number - 1] if 1 <= number <= len(kept) else None


def _run_tests(code: str, tests: dict, solution: _Solution, cases: Cases) -> dict:
    stage, line = "execution", None
    try:
        tests["test_execution"](code)
        cases.refuse_left()
        stage = "surface"
        if "test_string" in tests:
            tests["test_string"](code)
        return {"kind": "passed", "message": "", "line": None, "stage": None}
    except SolutionEnded as error:
        line = _line_in_solution(error.line, tests, code)
        return {"kind": error.kind, "message": str(error), "line": line, "stage": stage}
    except AssertionError as error:
        reason = f": {error}" if str(error) else ""
        where = (
            "the surface form is not as asked" if stage == "surface" else f"wrong in test {solution.calls}"
        )
        return {"kind": "failed", "message": (where + reason)[:2_000], "line": None, "stage": stage}
    except KeyError as error:
        text = (
            f"the program leaves no variable {error}"
            if error.args[:1] == ("result",)
            else f"KeyError: {error}"
        )
        return {"kind": "failed", "message": text, "line": None, "stage": stage}
    except BaseException as error:
        text = f"the result cannot be compared: {describe(error)['message']}"
        return {"kind": "failed", "message": text, "line": None, "stage": stage}


def grade(code: str, tests_source: str, ends: tuple[int, int], *, split: bool, deadline: float) -> dict:
    """Run a test module on a solution.

    Args:
        code: The solution.
        tests_source: A module text that defines `test_execution(code)` and perhaps `test_string(code)`.
        ends: Of the pipes from and to the solution process.
        split: Whether the tests' `exec` goes to the solution process. False runs the solution right here,
            beside the expected values: only for problems that cannot be split.
        deadline: When the program must be done, by the monotonic clock.

    Returns:
        {kind, message, line, stage, refused, vacuous, vacuous_why, modules}: `modules` are those that the solution
        imported on its way; `vacuous` and its reason see `cases.Cases.why_vacuous`; `refused`: a result could not be
        handed over as it was.
    """
    solution = _Solution(ends, tests_source)
    tests: dict = {"__name__": "tests", "exec": solution.execute if split else _execute_here}
    try:
        exec(compile(tests_source, "<tests>", "exec", dont_inherit=True), tests)
    except BaseException as error:
        text = f"the tests do not load: {describe(error)['message']}"
        return {"kind": "failed", "message": text, "line": None, "stage": "tests", "modules": []}
    cases = solution.cases if split else Cases(lambda result: partial(copied, copied(result)), tests_source)
    if callable(tests.get("exec_test")):
        tests["exec_test"] = cases.around(tests["exec_test"])
    outcome = _run_tests(code, tests, solution, cases)
    vacuous, why = cases.why_vacuous(deadline) if outcome["kind"] == "passed" else (False, "")
    if solution.forbidden_step:  # whatever a library made of the error
        outcome = {**outcome, "kind": "forbidden", "message": solution.forbidden_step, "line": None}
        vacuous, why = False, ""
    outcome["message"] += solution.why_not_there(outcome["message"])
    said = {"refused": solution.refused, "vacuous": vacuous, "vacuous_why": why}
    return {**outcome, **said, "modules": sorted(solution.modules)}


def _execute_here(code: str, environment: dict) -> None:
    """Run the solution beside the expected values: the authors' way, for problems that cannot be split."""
    try:
        exec(compile(code, FILENAME, "exec", dont_inherit=True), environment)
    except BaseException as error:
        raise _as_ended(describe(error)) from None
