"""What is run: a program, and the limits it runs under."""

from __future__ import annotations

import math
import re
from dataclasses import dataclass, fields

from workbench.core.errors import SettingsError

__all__ = ["Limits", "Program"]

_IMPORT = re.compile(
    r"^[ \t]*(?:from[ \t]+([A-Za-z_][\w.]*)[ \t]+import\b|import[ \t]+([^#\n;]+))", re.MULTILINE
)

_MAX_IMPORTS = 1_000  # more are no program's need, and each costs the zygote a look


@dataclass(frozen=True)
class Program:
    """A Python program, and perhaps the tests that grade it."""

    code: str
    """The source text. Never trusted."""
    tests: str | None = None
    """A module text that defines `test_execution(code)` and perhaps `test_string(code)`, in DS-1000's form: it
    runs the solution by calling `exec(program_text, environment)` and looks at ``environment["result"]``.
    Trusted: it comes with the benchmark."""
    stdin: str = ""
    """What the program finds on its standard input."""
    group: str = ""
    """Programs of one group share a zygote, and with it the libraries that it has imported. Group by what
    programs import: a zygote with everything in it forks several times slower than a lean one."""
    split: bool = True
    """Whether solution and tests run in two processes. False only for tests that cannot be split."""
    reference: str = ""
    """A solution that is known to be right. Where a result is refused, and this one's is refused too but passes in
    one process, the program is graded in one process, and its verdict says so. Never run beside the program."""

    @property
    def split_graded(self) -> bool:
        """Whether a grader of its own compares what the program comes to."""
        return self.split and self.tests is not None

    def imports(self) -> list[str]:
        """List the modules that the text imports by name, program and tests alike, in order of appearance."""
        names: dict[str, None] = {}
        for text in (self.code, self.tests or ""):
            for module, several in _IMPORT.findall(text):
                for name in [module] if module else several.split(","):
                    words = name.split()
                    if words and re.fullmatch(r"[A-Za-z_][\w.]*", words[0]):
                        names[words[0]] = None
        return list(names)[:_MAX_IMPORTS]


@dataclass(frozen=True)
class Limits:
    """What one program may use; beyond any of them it is killed and the verdict names the limit."""

    timeout_s: float = 10.0
    """Wall time in seconds; processor time is limited to about the same."""
    memory_bytes: int = 2**30
    """Memory in bytes beyond what its zygote has loaded, over all its processes."""
    output_bytes: int = 2**20
    """Bytes of standard output and error together."""
    disk_bytes: int = 2**28
    """Bytes of files in the scratch folder."""
    processes: int = 64
    """Processes and threads at a time, the first included. Starting one more fails."""
    open_files: int = 256
    """Open file descriptors."""

    def __post_init__(self) -> None:
        wrong = {field.name: getattr(self, field.name) for field in fields(self)}
        wrong = {name: value for name, value in wrong.items() if not _positive(value)}
        if wrong:
            got = ", ".join(f"{name}={value!r}" for name, value in wrong.items())
            raise SettingsError(
                got, "positive numbers for every limit of the sandbox", f"correct {', '.join(wrong)}"
            )


def _positive(value: object) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool) and 0 < value < math.inf
