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
from collections.abc import Callable, Collection
from typing import Any

from . import channel, drawn, encoding, files, inputs

__all__ = ["FILENAME", "describe", "new_modules", "run_plain", "serve"]

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


def serve(requests: int, answers: int, loaded: Collection[str]) -> None:
    """Answer the grader's calls until it hangs up: run code on inputs, send back the result.

    Args:
        requests: Where the grader's words come from.
        answers: Where words to the grader go.
        loaded: The modules that the zygote has imported.
    """
    pid = os.getpid()
    table = drawn.DrawnTable()
    while True:
        try:
            request = inputs.load(channel.receive(requests), table.__getitem__)
        except channel.ChannelClosed:
            return
        reads = request["call"] == "read"
        reply: dict[str, Any] = table.answer(request) if reads else _execute(request)
        _flush()
        if os.getpid() != pid:
            os._exit(0)
        reply["modules"] = new_modules(loaded)
        channel.send(answers, _encode_or_explain(reply, table.node if reads else table.node_of_drawing))


def _execute(request: dict) -> dict:
    files.write_files(request["files"])
    environment = dict(request["inputs"])  # as in the authors' harness: a bare dictionary, no `__main__`
    try:
        exec(_compile(request["code"]), environment)
        results = {name: environment[name] for name in request["wanted"] if name in environment}
        return {
            "results": results,
            "files": files.read_files(request["files"]),
            "drawn": drawn.any_open(),
        }
    except BaseException as error:
        return {"error": describe(error)}


def _encode_or_explain(reply: dict, stays: Callable[[Any], list | None]) -> bytes:
    try:
        return encoding.encode(reply, stays)
    except BaseException as error:
        cause = describe(error)
        text = str(error) if isinstance(error, encoding.ForbiddenResult) else cause["message"]
        told = {**cause, "message": f"the result cannot leave the program: {text}"}
        return encoding.encode({"error": told, "refused": True})
