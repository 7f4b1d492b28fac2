"""The tools of the languages that problems are written in: readable where programs run, or refused by name."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from workbench.core.errors import RuntimeMissingError
from workbench.languages.registry import find_language
from workbench.sandbox.runtimes import Runtime

if TYPE_CHECKING:
    from workbench.sandbox import AnySandbox

__all__ = ["require_toolchains", "with_toolchains"]


def with_toolchains(runtime: Runtime, languages: Iterable[str]) -> Runtime:
    """Return a runtime in whose sandbox programs of these languages run, as far as their tools are on this machine.

    Args:
        runtime: What the programs run in.
        languages: Their names; twice the same counts once.

    Raises:
        SettingsError: A name is not known.
    """
    for name in dict.fromkeys(languages):
        language = find_language(name)
        if language.tool_path() is not None:
            runtime = language.prepare(runtime)
    return runtime


def require_toolchains(sandbox: AnySandbox, languages: Iterable[str]) -> None:
    """Let each language's tool do its work in the sandbox, before anything is paid for.

    A tool may start there and still build nothing: a compiler has a linker, which writes files elsewhere.

    Args:
        sandbox: Where programs will run.
        languages: The names of their languages.

    Raises:
        RuntimeMissingError: A tool is not on PATH, the sandbox cannot start it, or the smallest right program does
            not run.
        SettingsError: A name is not known.
    """
    for language in map(find_language, dict.fromkeys(languages)):
        if language.tool or language.module:
            verdict = language.judged(sandbox.run(language.program(language.smallest)))
            # an empty program may well be wrong: only that there is something to say so counts
            if language.smallest and not verdict.passed:
                said = verdict.message or verdict.status
                raise RuntimeMissingError(
                    got=f"{language.tool} starts in the sandbox, and a right {language.name} program does not run: "
                    f"{said}",
                    needed="a tool whose programs are built and run there: without it every answer fails",
                    fix="mend what it says; where it cannot write files, do not start the workbench as root",
                )
