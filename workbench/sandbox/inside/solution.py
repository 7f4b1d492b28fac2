"""The solution process: runs one program and, for a graded one, answers the grader's calls.

It is forked before anything of the tests is loaded, and never holds the reference or an expected value.
"""

from __future__ import annotations

import itertools
import linecache
import os
import sys
import threading
import traceback
import types
from collections.abc import Collection
from pathlib import Path
from typing import Any

from . import channel, figures, transfer

__all__ = ["FILENAME", "describe", "new_modules", "read_files", "run_plain", "serve"]

FILENAME = "<program>"
_MAX_MESSAGE_CHARS = 2_000
_NO_MEMORY = (
    "can't allocate memory",
    "std::bad_alloc",
    "Cannot allocate memory",
    "failed to allocate memory",
)


def describe(error: BaseException) -> dict:
    """Say what went wrong as {kind, message, line}: the last line of the program in the traceback."""
    line = None
    if isinstance(error, SyntaxError) and error.filename == FILENAME:
        line = error.lineno
    for frame, number in traceback.walk_tb(error.__traceback__):
        if frame.f_code.co_filename == FILENAME:
            line = number
    if isinstance(error, SystemExit):
        text = f"the program ended the interpreter early (exit code {error.code!r})"
    else:
        try:
            text = "".join(traceback.format_exception_only(type(error), error)).strip()
        except Exception:  # an exception whose own text raises
            text = type(error).__name__
    lack = any(phrase in text for phrase in _NO_MEMORY)
    kind = "memory" if isinstance(error, MemoryError) or lack else "failed"
    return {"kind": kind, "message": text[:_MAX_MESSAGE_CHARS], "line": line}


def _compile(code: str) -> types.CodeType:
    """Compile a program so that tracebacks and `inspect.getsource` find its text."""
    linecache.cache[FILENAME] = (len(code), None, code.splitlines(keepends=True), FILENAME)
    return compile(code, FILENAME, "exec", dont_inherit=True)


def new_modules(loaded: Collection[str]) -> list[str]:
    """Name the modules imported since `loaded` was taken, the last first.

    From the end: to look at a name is to count a reference, which copies its page, and the old ones are many.
    """
    return list(itertools.takewhile(lambda name: name not in loaded, reversed(sys.modules)))


def _stray_threads() -> list[str]:
    """Name the threads of the program that are still alive: the ones that its own code defined."""
    names = []
    for thread in threading.enumerate():
        target = getattr(thread, "_target", None)
        run = getattr(target, "__code__", None) or getattr(type(thread).run, "__code__", None)
        if thread is not threading.main_thread() and run is not None and run.co_filename == FILENAME:
            names.append(thread.name)
    return names


def run_plain(code: str, report_fd: int, token: str, loaded: Collection[str]) -> None:
    """Run a program that nobody grades and report how it ended, and what it imported beyond `loaded`.

    Only a report that carries `token` counts, so a program that scribbles on the channel has not passed.
    """
    pid = os.getpid()
    module = sys.modules["__main__"] = types.ModuleType("__main__")
    try:
        exec(_compile(code), module.__dict__)
        for thread in threading.enumerate():
            if not thread.daemon and thread is not threading.current_thread():
                thread.join()
        stray = _stray_threads()
        if stray:
            report = {"kind": "failed", "message": f"still running at the end: thread {', '.join(stray)}"}
        else:
            report = {"kind": "passed", "message": ""}
    except BaseException as error:
        report = describe(error)
        if not isinstance(error, SystemExit):
            traceback.print_exception(_from_program(error))
    _flush()
    if os.getpid() != pid:  # a fork of the program came to its end: only the first process is judged
        os._exit(0)
    channel.send_json(report_fd, {**report, "token": token, "modules": new_modules(loaded)})


def _from_program(error: BaseException) -> BaseException:
    """Cut the frames above the program from a traceback."""
    trace = error.__traceback__
    while trace is not None and trace.tb_frame.f_code.co_filename != FILENAME:
        trace = trace.tb_next
    return error.with_traceback(trace)


def _flush() -> None:
    for stream in (sys.stdout, sys.stderr):
        try:
            stream.flush()
        except Exception:  # the program may have closed or replaced it
            pass


def serve(grader_fd: int, loaded: Collection[str]) -> None:
    """Answer the grader's calls until it hangs up: run code on inputs, send back the result.

    Args:
        grader_fd: The socket to the grader.
        loaded: The modules that the zygote has imported.
    """
    pid = os.getpid()
    while True:
        try:
            request = transfer.load_trusted(channel.receive(grader_fd))
        except channel.ChannelClosed:
            return
        if request["call"] == "figures":
            reply: dict[str, Any] = {"figures": figures.collect()}
        else:
            reply = _execute(request)
        _flush()
        if os.getpid() != pid:
            os._exit(0)
        reply["modules"] = new_modules(loaded)
        channel.send(grader_fd, _dump_or_explain(reply))


def _execute(request: dict) -> dict:
    for name, content in request["files"].items():
        path = Path(name)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
    environment = dict(request["inputs"])  # as in the authors' harness: a bare dictionary, no `__main__`
    try:
        exec(_compile(request["code"]), environment)
        results = {name: environment[name] for name in request["wanted"] if name in environment}
        return {"results": results, "files": read_files(request["files"]), "drawn": figures.any_open()}
    except BaseException as error:
        return {"error": describe(error)}


def _dump_or_explain(reply: dict) -> bytes:
    try:
        return transfer.dump(reply)
    except BaseException as error:
        cause = describe(error)
        cause["message"] = f"the result cannot leave the program: {cause['message']}"
        return transfer.dump({"error": cause})


def read_files(known: dict[str, bytes]) -> dict[str, bytes]:
    """Read the regular files below the current folder that are new or changed against `known`."""
    found = {}
    for folder, _, names in os.walk("."):
        for name in names:
            path = os.path.relpath(os.path.join(folder, name))
            if os.path.isfile(path) and not os.path.islink(path):
                content = Path(path).read_bytes()
                if known.get(path) != content:
                    found[path] = content
    return found
