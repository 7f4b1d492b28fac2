"""One attempt to run a program, and whether its verdict is sure to be the program's own."""

from __future__ import annotations

import itertools
import json
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path

from workbench.sandbox import machine, scratch
from workbench.sandbox.evidence import read_verdict
from workbench.sandbox.process import Zygote, ZygoteDied
from workbench.sandbox.program import Limits, Program
from workbench.sandbox.verdict import Verdict

__all__ = ["START_S", "Attempt", "Attempts"]

START_S = 120.0  # a cold disk may take this long to import a library


@dataclass(frozen=True)
class Attempt:
    """How one attempt ended."""

    verdict: Verdict
    doubt: bool = False
    """Whether something else than the program may have brought it about."""
    killed: bool = False
    """Whether the system killed processes meanwhile that the sandbox needs."""


class Attempts:
    """Runs programs in folders of their own below `root`.

    Args:
        root: The pool's folder.
        limits: What each program may use.
    """

    def __init__(self, root: Path, limits: Limits) -> None:
        self._root, self._limits = root, limits
        self._ids = itertools.count()
        self._oom_kills = machine.oom_kills()

    def make(self, program: Program, turn: AbstractContextManager[Zygote]) -> Attempt:
        """Run a program when its turn comes.

        Raises:
            WorkbenchError: for what is the machine's trouble without a doubt.
            OSError: likewise, where it was this process that was refused.
        """
        oom_kills = self._oom_kills
        number = next(self._ids)
        folder = self._root / str(number)
        request = {
            "id": number,
            "folder": str(folder),
            "graded": program.tests is not None,
            "split": program.split_graded,
            "stdin": bool(program.stdin),
            "imports": program.imports(),
            "timeout_s": self._limits.timeout_s,
        }
        try:
            _lay_out(folder, program)
            with turn as zygote:
                answer = zygote.submit(request).result(START_S + self._limits.timeout_s)
            if answer["trouble"]:
                code, _, words = answer["trouble"].partition(": ")
                raise machine.error_of(int(code), words, self._root, self._limits.disk_bytes)
            verdict = read_verdict(program, folder, answer, self._limits)
            if answer["overrun"] in ("memory", "output") or (verdict.passed and program.tests is not None):
                return Attempt(verdict)
            return self._doubted(verdict, folder, oom_kills)
        except ZygoteDied as died:
            verdict = Verdict("crashed", f"the program took its sandbox down: {died.log}"[:2_000])
            return Attempt(verdict, died.killed or not died.alone, died.killed)
        except TimeoutError:
            zygote.close()
            return Attempt(Verdict("crashed", "the sandbox stopped answering"), True)
        finally:
            scratch.remove(folder)

    def _doubted(self, verdict: Verdict, folder: Path, oom_kills: int) -> Attempt:
        """Ask whether a program failed because the machine did: its disk is full, or it kills for lack of memory.

        One that passed without tests may have lost its output: whoever asked for it compares that.

        Args:
            verdict: How the program ended.
            folder: Its files, still there.
            oom_kills: How many processes the machine had killed when the program started.
        """
        if machine.is_full(folder):
            raise machine.no_room(self._root, self._limits.disk_bytes)
        if verdict.passed:
            return Attempt(verdict)
        self._oom_kills = machine.oom_kills()
        killed = self._oom_kills != oom_kills
        return Attempt(verdict, killed or machine.speaks_of_room(verdict.message, verdict.stderr), killed)


def _lay_out(folder: Path, program: Program) -> None:
    for role in ("solution", "grader"):
        (folder / role).mkdir(parents=True)
    if program.tests is None:
        (folder / "solution.json").write_text(json.dumps({"code": program.code}))
    else:
        (folder / "grader.json").write_text(json.dumps({"code": program.code, "tests": program.tests}))
    if program.stdin:
        (folder / "stdin").write_bytes(program.stdin.encode(errors="surrogatepass"))
