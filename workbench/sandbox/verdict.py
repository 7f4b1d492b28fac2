"""How a program ended, as a value."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

__all__ = ["Stage", "Status", "Verdict"]

Status = Literal["passed", "failed", "timeout", "memory", "output", "crashed", "forbidden"]
Stage = Literal["tests", "execution", "surface"]


@dataclass(frozen=True)
class Verdict:
    """The outcome of one program.

    'The sandbox is not available' is not an outcome of a program: that raises `SandboxUnavailableError`.
    """

    status: Status
    """``passed``: ran to its end, and its tests where it has some are met. ``failed``: raised, ended the
    interpreter early, or gave a wrong result. ``timeout``, ``memory``, ``output``: went beyond that limit.
    ``crashed``: died by a signal, or took its sandbox down. ``forbidden``: sent something that may not leave
    a program, or wrote to the channel by which it is judged."""
    message: str = ""
    """What went wrong, in one line where possible; empty when passed."""
    line: int | None = None
    """The 1-based line of the program in which it went wrong, where there is one."""
    stdout: str = ""
    """Standard output, cut at the output limit."""
    stderr: str = ""
    """Standard error, cut at the output limit."""
    seconds: float = 0.0
    """Wall time from the fork to the verdict, in seconds."""
    peak_memory_bytes: int = 0
    """Largest resident set of any of its processes in bytes, loaded libraries included."""
    stage: Stage | None = None
    """For a graded program that did not pass: where. ``surface`` is a surface-form test, reached only when
    the execution tests are met; ``tests`` means that the tests themselves do not load."""
    split: bool = True
    """Whether the program ran apart from the process that held its tests: not where the reference itself returns
    what cannot leave its process, such as a lambda. Then the answer ran beside the expected values."""
    refused: bool = False
    """Whether the result did not pass, and could not be handed to the tests just as it was."""
    vacuous: bool = False
    """For a graded program that passed: whether the pass says nothing about its result's values, since the result is
    empty, missing or one value for many where the expected one is not, or the tests accept it blanked as well.
    A picture is held against an empty figure in its place. A result close to the expected one, or a picture equal to
    it, is never vacuous, however lenient the tests."""
    vacuous_why: str = ""
    """Why the pass is vacuous, in a line; or ``not examined: ...`` where that could not be found out."""

    @property
    def passed(self) -> bool:
        """Whether the status is ``passed``."""
        return self.status == "passed"
