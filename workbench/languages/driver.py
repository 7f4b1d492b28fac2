"""The Python text that runs a program of another language inside the sandbox."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

__all__ = ["CANNOT_START", "command_driver", "runner_driver"]

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
for name, text in {files!r}.items():
    pathlib.Path(name).write_text(text, encoding="utf-8", errors="surrogatepass")
output_file = {output_file!r}
if "/" in output_file:
    os.mkdir(os.path.dirname(output_file), 0o777)
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
if output_file and os.path.isfile(output_file):
    sys.stdout.write(pathlib.Path(output_file).read_text(encoding="utf-8", errors="replace"))
"""

_IN_PROCESS = """
import pathlib

pathlib.Path({file_name!r}).write_text({source!r}, encoding="utf-8", errors="surrogatepass")
{runner}
"""


def command_driver(files: Mapping[str, str], commands: Sequence[Sequence[str]], output_file: str = "") -> str:
    """Write the Python program that runs a program by commands.

    Args:
        files: What lies in the folder that it runs in: its source, by name.
        commands: Commands in order; the program's input goes to the last.
        output_file: A file whose content is printed in the end, where it is there.
    """
    listed = [list(command) for command in commands]
    return _COMMANDS.format(
        files=dict(files), commands=listed, output_file=output_file, cannot_start=CANNOT_START
    )


def runner_driver(file_name: str, source: str, runner: str) -> str:
    """Write the Python program that runs a program in its own process.

    Args:
        file_name: What the source is saved as, in the program's scratch folder.
        source: The program of the other language.
        runner: Python statements that run the file.
    """
    return _IN_PROCESS.format(file_name=file_name, source=source, runner=runner)
