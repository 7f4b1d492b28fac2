"""A language as a value: what its programs are called, how they run in the sandbox, how its errors read."""

from __future__ import annotations

import re
import shutil
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

from workbench.core.errors import RuntimeMissingError, SettingsError
from workbench.languages.driver import CANNOT_START, command_driver, runner_driver
from workbench.sandbox.program import Program
from workbench.sandbox.runtimes import Runtime
from workbench.sandbox.verdict import Verdict

__all__ = ["ErrorLocation", "Language"]

_SHOWN_CHARS = 2_000


@dataclass(frozen=True)
class ErrorLocation:
    """Where a program went wrong, as its language says it."""

    line: int
    """1-based line of the program's text."""
    column: int | None
    """1-based column, where the language names one."""
    message: str
    """What is wrong there, in the language's words."""


@dataclass(frozen=True)
class Language:
    """An adapter. A program runs in the sandbox's interpreter (Python; `runner`), or by a `command` in it.

    Raises:
        SettingsError: A pattern does not compile or has no group `line`, or there are both `runner` and `command`.
    """

    name: str
    """What it is called in problems and settings."""
    fence: str
    """Its name after the three backquotes of a Markdown code block."""
    comment: str
    """What begins a comment that ends with its line."""
    file_name: str
    """What a program's file is called."""
    error: str = ""
    """Pattern of an error in the output; groups `line`, and where there are such `column` and `message`."""
    error_is_last: bool = False
    """Whether the last match tells where it went wrong (tracebacks) rather than the first (compilers)."""
    output_tells: bool = False
    """Whether an error in the output is a failure even where the exit status is 0."""
    runner: str = ""
    """Python statements that run the file `file_name` of the current folder in the same process."""
    module: str = ""
    """The Python package that `runner` needs."""
    build: tuple[str, ...] = ()
    """Command that comes before `command`; what it prints is shown only where it fails."""
    command: tuple[str, ...] = ()
    """Command that runs the program. Its first word, or `build`'s, is the tool that must be there."""
    input_file: str = ""
    """A file that gets a copy of the standard input, for benchmarks whose programs look for it there."""
    output_file: str = ""
    """A file whose content counts as printed after all else, where a program leaves it."""
    install: str = ""
    """How to get the tool or the package."""
    smallest: str = ""
    """A small program that is right: it shows whether the tool does its work where programs run. Empty: none."""

    def __post_init__(self) -> None:
        faults = list(self._faults())
        if faults:
            raise SettingsError.listing(faults)

    def _faults(self) -> Iterator[tuple[str, str]]:
        try:
            if self.error and "line" not in re.compile(self.error).groupindex:
                yield f"{self.name}: error={self.error!r}", "a pattern with a group `line`"
        except re.error as fault:
            yield f"{self.name}: error={self.error!r} ({fault})", "a regular expression"
        if self.runner and self.command:
            yield f"{self.name}: a runner and a command", "one of them"
        if self.build and not self.command:
            yield f"{self.name}: build={self.build!r} alone", "also the command that runs what was built"

    @property
    def tool(self) -> str:
        """The program that has to be on PATH; empty for a language that runs in the interpreter."""
        return next(iter((*self.build, *self.command)), "")

    def tool_path(self) -> Path | None:
        """Return where the tool is, or None where it is not on PATH, or where none is needed."""
        found = shutil.which(self.tool) if self.tool else None
        return Path(found).resolve() if found else None

    def prepare(self, runtime: Runtime) -> Runtime:
        """Return a runtime in whose sandbox programs of this language run: the tool's folder is readable there.

        Args:
            runtime: What the programs would run in, such as `find_runtime("main")`.

        Raises:
            RuntimeMissingError: The tool is not on PATH. (A missing Python package shows when a program runs.)
        """
        if not self.tool:
            return runtime
        home = str(_home(self._found_tool()))
        if home in runtime.readable:
            return runtime
        return replace(runtime, readable=(*runtime.readable, home))

    def program(self, source: str, *, stdin: str = "", group: str = "") -> Program:
        """Make a sandbox's program of a source text.

        Args:
            source: The text of the whole program. Never trusted.
            stdin: What it finds on its standard input.
            group: See `Program.group`.

        Raises:
            RuntimeMissingError: The language's tool is not on PATH.
        """
        if not self.runner and not self.tool:
            return Program(source, stdin=stdin, group=group)
        commands = tuple(command for command in (self.build, self.command) if command)
        if commands:
            tool = str(self._found_tool())
            commands = tuple((tool, *words[1:]) if words[0] == self.tool else words for words in commands)
        if commands:
            copied = {self.input_file: stdin} if self.input_file else {}
            code = command_driver({self.file_name: source, **copied}, commands, self.output_file)
        else:
            code = runner_driver(self.file_name, source, self.runner)
        return Program(code, stdin=stdin, group=group or self.name)

    def judged(self, verdict: Verdict) -> Verdict:
        """Say a sandbox's verdict in the language's terms: its error message, the line in the program's own text.

        Args:
            verdict: Of a program that `program` made.

        Raises:
            RuntimeMissingError: The sandbox could not start the tool, or its interpreter lacks the package:
                nothing was run, so there is no outcome of the program.
        """
        if verdict.passed and not (self.output_tells and self._located(verdict.stdout + verdict.stderr)):
            return verdict
        self._refuse_not_run(verdict)
        location = self.location(verdict)
        status = "failed" if verdict.passed else verdict.status
        if location is None:
            told = verdict.stderr.strip() if self.tool and status == "failed" else ""
            line = verdict.line if self._is_plain else None
            return replace(
                verdict, status=status, line=line, message=(told or verdict.message)[:_SHOWN_CHARS]
            )
        return replace(verdict, status=status, line=location.line, message=location.message)

    def location(self, verdict: Verdict) -> ErrorLocation | None:
        """Find where a program that did not pass went wrong; None where neither message nor output says it."""
        if self._is_plain:
            return None if verdict.line is None else ErrorLocation(verdict.line, None, verdict.message)
        found = self._located(f"{verdict.stdout}\n{verdict.stderr}")
        if found is None or self.tool:
            return found
        # an exception in the sandbox's interpreter: its own last line is the best message
        return replace(found, message=verdict.message.strip().rpartition("\n")[2] or found.message)

    def _located(self, output: str) -> ErrorLocation | None:
        """Find an error in a program's output, whatever that holds."""
        matches = list(re.finditer(self.error, output, re.MULTILINE)) if self.error else []
        if not matches:
            return None
        match = matches[-1 if self.error_is_last else 0]
        groups = match.groupdict()
        column = groups.get("column")
        message = (groups.get("message") or match[0]).strip()
        return ErrorLocation(int(groups["line"]), int(column) if column else None, message[:_SHOWN_CHARS])

    @property
    def _is_plain(self) -> bool:
        """Whether the sandbox runs the text as it is, so that its own lines and messages are the program's."""
        return not self.runner and not self.tool

    def _found_tool(self) -> Path:
        path = self.tool_path()
        if path is None:
            raise RuntimeMissingError(
                got=f"no `{self.tool}` on PATH",
                needed=f"the tool that runs {self.name} programs",
                fix=self.install or f"install {self.tool}",
            )
        return path

    def _refuse_not_run(self, verdict: Verdict) -> None:
        """Raise where the program was never started."""
        if self.tool and CANNOT_START in verdict.message:
            raise RuntimeMissingError(
                got=f"the sandbox cannot start {self.tool}: {verdict.message}",
                needed=f"{self.tool} in a folder that programs may read",
                fix=f"open the sandbox with runtime=find_language({self.name!r}).prepare(find_runtime(...))",
            )
        lacking = f"No module named {self.module.partition('.')[0]!r}"
        # a location in the program means that the program itself asked for it
        if self.module and lacking in verdict.message and self._located(verdict.stderr) is None:
            raise RuntimeMissingError(
                got=f"the sandbox's runtime has no package {self.module}",
                needed=f"the package that runs {self.name} programs",
                fix=self.install,
            )


def _home(tool: Path) -> Path:
    """Return the folder that a tool needs: what `bin/tool` lies in, with its `lib` and `packages`.

    Of `~/bin` and `~/.local/bin` it is that folder alone: what lies beside it are the user's own files.
    """
    around = tool.parent.parent if tool.parent.name == "bin" else tool.parent
    home = Path.home().resolve()
    return tool.parent if home.is_relative_to(around) or around == home / ".local" else around
