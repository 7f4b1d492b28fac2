"""Which tests can be met by no result that comes out of another process: measured on their reference.

A lambda, a generator of the program's own class or a compiled formula is no data, so a right answer that returns
one would be refused. Whether that is the problem's doing or the answer's is for the reference to say, never for the
answer: it would ask for one process only to look at the expected values.
"""

from __future__ import annotations

import hashlib
import threading
from collections.abc import Callable
from dataclasses import replace

from workbench.sandbox.program import Program
from workbench.sandbox.verdict import Verdict

__all__ = ["Splitting"]


class Splitting:
    """Finds out, once for each tests, whether their reference passes in one process only.

    Args:
        run: Runs a program and waits for its verdict.
    """

    def __init__(self, run: Callable[[Program], Verdict]) -> None:
        self._run = run
        self._lock = threading.Lock()
        self._locks: dict[str, threading.Lock] = {}
        self._one_process: dict[str, bool] = {}

    def again(self, program: Program, verdict: Verdict) -> Verdict:
        """Return the verdict of one process where a program was refused, and its problem's reference is so too.

        Args:
            program: What ran.
            verdict: How it ended.
        """
        if not (verdict.refused and program.split and program.reference and self._needs_one(program)):
            return verdict
        return self._run(replace(program, reference="", split=False))

    def _needs_one(self, program: Program) -> bool:
        texts = f"{program.reference}\0{program.tests}"
        key = hashlib.sha256(texts.encode("utf-8", "surrogatepass")).hexdigest()
        with self._lock:
            lock = self._locks.setdefault(key, threading.Lock())
        with lock:  # others of the same problem wait for what the first finds out
            if key not in self._one_process:
                reference = replace(program, code=program.reference, reference="")
                # refused, and not merely failed: what a busy machine stops in time says nothing of the problem
                self._one_process[key] = (
                    self._run(reference).refused and self._run(replace(reference, split=False)).passed
                )
            return self._one_process[key]
