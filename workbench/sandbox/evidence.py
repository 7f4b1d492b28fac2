"""From what a program left behind to a verdict."""

from __future__ import annotations

import json
import os
import signal
from pathlib import Path
from typing import Any, cast

from workbench.sandbox.program import Limits, Program
from workbench.sandbox.verdict import Status, Verdict

__all__ = ["read_verdict"]


def read_verdict(program: Program, folder: Path, answer: dict[str, Any], limits: Limits) -> Verdict:
    """Put the evidence together: limits first, then the report, then how the processes ended.

    Args:
        program: What ran.
        folder: Where its output and its grader's report lie.
        answer: What the zygote saw: {overrun, reason, report, scribbled, word, statuses, seconds,
            peak_memory_bytes}; `word` is the token of a grader that reported to the end.
        limits: What it ran under.

    Raises:
        OSError: if the system refuses to read what is there.
    """
    report = answer["report"]
    if program.tests is not None:
        try:
            report = json.loads((folder / "grader" / "report.json").read_bytes())
        except (FileNotFoundError, ValueError):
            report = {}
        if not isinstance(report, dict) or not answer["word"] or report.get("token") != answer["word"]:
            report = {}  # not of a grader that came to its end
    if not _well_formed(report):
        report, answer = {}, {**answer, "scribbled": True}
    status, message = _status(program, answer, report, limits)
    graded = program.tests is not None and status != "passed"
    return Verdict(
        status=status,
        message=message,
        line=report.get("line") if status == report.get("kind") else None,
        stdout=_text(folder / "stdout", limits.output_bytes),
        stderr=_text(folder / "stderr", limits.output_bytes),
        seconds=answer["seconds"],
        peak_memory_bytes=answer["peak_memory_bytes"],
        stage=report.get("stage", "execution") if graded else None,
        split=program.split,
        refused=status != "passed" and report.get("refused") is True,
        vacuous=status == "passed" and report.get("vacuous") is True,
        vacuous_why=str(report.get("vacuous_why", ""))
        if status == "passed" and program.tests is not None
        else "",
    )


def _well_formed(report: dict[str, Any]) -> bool:
    """Whether a report is one that the reporter could have written: the program may have spoken in its place."""
    if not report:
        return True
    kinds = ("passed", "failed", "memory", "forbidden", "gone")
    line = report.get("line")
    return (
        report.get("kind") in kinds
        and isinstance(report.get("message"), str)
        and (line is None or isinstance(line, int))
    )


def _status(program: Program, answer: dict, report: dict, limits: Limits) -> tuple[Status, str]:
    overrun, statuses, kind = answer["overrun"], answer["statuses"], report.get("kind")
    if overrun:
        return cast(Status, overrun), answer.get("reason") or _overrun_message(overrun, limits)
    if answer["scribbled"]:
        return "forbidden", "the program wrote to the channel by which it is judged"
    if kind is not None and kind != "gone":
        return kind, report["message"]
    if "solution" in statuses and (kind == "gone" or program.tests is None):
        return _how_it_ended(statuses["solution"], limits)
    if program.tests is not None and kind is None:
        status, message = _how_it_ended(statuses.get("grader", 0), limits)
        return ("crashed" if status == "failed" else status), f"while its tests ran: {message}"
    return "failed", report.get("message", "the program hung up on its tests")


def _how_it_ended(status: int, limits: Limits) -> tuple[Status, str]:
    if os.WIFSIGNALED(status):
        number = os.WTERMSIG(status)
        if number == signal.SIGXCPU:
            return "timeout", _overrun_message("timeout", limits)
        return "crashed", f"killed by {signal.Signals(number).name}"
    return "failed", f"the program ended the interpreter early (exit code {os.WEXITSTATUS(status)})"


def _overrun_message(overrun: str, limits: Limits) -> str:
    return {
        "timeout": f"still running after {limits.timeout_s:g} s",
        "memory": f"more than {limits.memory_bytes:,} bytes of memory beyond its libraries",
        "output": f"more than {limits.output_bytes:,} bytes of output or {limits.disk_bytes:,} bytes of files",
    }[overrun]


def _text(path: Path, limit_bytes: int) -> str:
    try:
        with path.open("rb") as file:
            return file.read(limit_bytes).decode(errors="replace")
    except FileNotFoundError:
        return ""
