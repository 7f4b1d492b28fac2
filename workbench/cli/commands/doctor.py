"""`workbench doctor`: what this machine has, and the command that fixes what it has not."""

from __future__ import annotations

import os
import shutil
import sys
import textwrap
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from workbench.doctor import Check

_NAME_WIDTH = 21
_NARROWEST, _WIDEST = 60, 110
_MARKS = {"ok": "✓", "missing": "○", "note": "!", "broken": "✕"}
_COLOURS = {"ok": "green", "missing": "bright_black", "note": "yellow", "broken": "red"}


@click.command(epilog="Example: workbench doctor --model Qwen/Qwen2.5-0.5B-Instruct")
@click.option(
    "--model", metavar="DIR|NAME", help="Instead, try all that can be done with this language model."
)
@click.option("--device", default="auto", show_default=True, help="Where to try it.")
def command(model: str | None, device: str) -> None:
    """Say what this machine has, and how to get what it lacks.

    Looks at Python, torch and GPUs, 4-bit weights, JupyterLab, memory and disk; isolation and the sandbox, runtimes,
    languages; the Hub (HF_ENDPOINT, HF_HUB_OFFLINE) and an endpoint; optional packages and Java. With --model it
    tries one language model instead: its chat template, stop tokens and memory, and whether reward training, PPO,
    adapters, 4-bit weights and saving are right with it, or refused and why. Exit status 1 where something is broken.
    """
    from workbench.doctor import examine, model_checks

    if model:
        _spare_threads()
    width = min(max(shutil.get_terminal_size((100, 24)).columns, _NARROWEST), _WIDEST)
    counts = dict.fromkeys(_MARKS, 0)
    part = ""
    for check in model_checks(model, device=device) if model else examine():
        if check.part != part:
            click.echo(("\n" if part else "") + click.style(check.part, bold=True))
            part = check.part
        click.echo(_row(check, width))
        counts[check.state] += 1
    told = {"ok": "ok", "missing": "optional and not there", "note": "to note", "broken": "broken"}
    click.echo(
        "\n" + ", ".join(f"{counts[state]} {words}" for state, words in told.items() if counts[state]) + "."
    )
    if model and counts["broken"]:
        click.echo("What is broken gives wrong numbers or fails with this model: do not rely on it.")
        raise SystemExit(1)
    if model:
        click.echo(
            "What is refused is an error before anything is computed; all else is right with this model."
        )
        return
    if counts["broken"]:
        click.echo("Programs cannot be run, or models not loaded, until what is broken is fixed.")
        raise SystemExit(1)
    click.echo("The core works. What is not there is needed only by the parts that name it.")


def _spare_threads() -> None:
    """Compute on idle cores only: in passes this short, threads that wait for a busy one cost ten times as much."""
    import torch

    if "OMP_NUM_THREADS" not in os.environ and hasattr(os, "getloadavg"):
        busy = round(os.getloadavg()[0])
        torch.set_num_threads(max(1, torch.get_num_threads() - busy))


def _row(check: Check, width: int) -> str:
    """Lay out a check in columns: state, name, what was found, and below it what to do."""
    state = f"{_mark(check.state)} {check.state:<8}"
    left = f"  {state} {check.name:<{_NAME_WIDTH}} "
    margin = " " * len(left)

    def wrapped(text: str, first: str, further: str) -> str:
        return textwrap.fill(
            text, width, initial_indent=first, subsequent_indent=further,
            break_long_words=False, break_on_hyphens=False,
        )  # fmt: skip

    rows = [wrapped(" ".join(check.detail.split()), left, margin)]
    if check.fix:
        rows.append(wrapped(check.fix, f"{margin}fix: ", f"{margin}     "))
    text = "\n".join(rows)
    return "  " + click.style(state, fg=_COLOURS[check.state]) + text[2 + len(state) :]


def _mark(state: str) -> str:
    """Return the sign of a state; none where the terminal cannot show it, for the word says the same."""
    mark = _MARKS[state]
    try:
        mark.encode(getattr(sys.stdout, "encoding", None) or "ascii")
    except (UnicodeEncodeError, LookupError):
        return " "
    return mark
