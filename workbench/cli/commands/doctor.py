"""`workbench doctor`: what this machine has, and the command that fixes what it has not."""

from __future__ import annotations

import os

import click

from workbench.cli.check_rows import MARKS, check_row, terminal_width


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
    width = terminal_width()
    counts = dict.fromkeys(MARKS, 0)
    part = ""
    for check in model_checks(model, device=device) if model else examine():
        if check.part != part:
            click.echo(("\n" if part else "") + click.style(check.part, bold=True))
            part = check.part
        click.echo(check_row(check, width))
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
