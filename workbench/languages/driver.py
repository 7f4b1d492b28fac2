"""The Python text that runs a program of another language inside the sandbox."""

from __future__ import annotations

from collections.abc import Sequence

__all__ = ["CANNOT_START", "driver"]

CANNOT_START = "cannot start"
"""Begins the message where a command was not there; a program's own failure is an exit status, a number."""

_COMMANDS = """
import os, pathlib, subprocess, sys

# Below root, programs have a real user id of their own, by which compilers and shells ask what they may write:
# they need a folder that is open to it. The C library then takes TMPDIR, though not TMP, from what is started.
os.umask(0)
os.mkdir("work", 0o777)
os.chdir("work")
os.environ["TMP"] = "."
pathlib.Path({file_name!r}).write_text({source!r}, encoding="utf-8", errors="surrogatepass")
commands = {commands!r}
for number, command in enumerate(commands):
    last = number == len(commands) - 1
    if command[0].startswith("./"):  # what was built; the sandbox gives modes at creation only
        with open(os.open("built", os.O_CREAT | os.O_WRONLY, 0o777), "wb") as file:
            file.write(pathlib.Path(command[0]).read_bytes())
        command[0] = "./built"
    output = None if last else subprocess.PIPE
    try:
        done = subprocess.run(command, stdin=0 if last else subprocess.DEVNULL, stdout=output, stderr=output)
    except OSError as error:
        raise SystemExit(f"{cannot_start} {{command[0]}}: {{error}}") from None
    if done.returncode:
        if not last:
            sys.stderr.write((done.stdout + done.stderr).decode(errors="replace"))
        raise SystemExit(done.returncode)
"""

_IN_PROCESS = """
import pathlib

pathlib.Path({file_name!r}).write_text({source!r}, encoding="utf-8", errors="surrogatepass")
{runner}
"""


def driver(file_name: str, source: str, commands: Sequence[Sequence[str]], runner: str) -> str:
    """Write the program that the sandbox runs.

    Args:
        file_name: What the source is saved as, in the program's scratch folder.
        source: The program of the other language.
        commands: Commands in order, where it is run by commands; the program's input goes to the last.
        runner: Python statements, where it is run in the interpreter.
    """
    if commands:
        listed = [list(command) for command in commands]
        return _COMMANDS.format(
            file_name=file_name, source=source, commands=listed, cannot_start=CANNOT_START
        )
    return _IN_PROCESS.format(file_name=file_name, source=source, runner=runner)
