"""`workbench completion`: names and options at the press of Tab."""

from __future__ import annotations

from pathlib import Path

import click

_FILES = {
    "bash": "~/.local/share/bash-completion/completions/workbench",
    "zsh": "~/.zfunc/_workbench",
    "fish": "~/.config/fish/completions/workbench.fish",
}
_NEXT = {
    "bash": "open a new shell (it needs the package bash-completion)",
    "zsh": "once, put this into ~/.zshrc, and open a new shell: fpath+=~/.zfunc; autoload -Uz compinit; compinit",
    "fish": "open a new shell",
}


@click.command(epilog="Example: workbench completion bash --install", short_help="Complete words by Tab.")
@click.argument("shell", type=click.Choice(list(_FILES)))
@click.option("--install", is_flag=True, help="Write the script to where the shell looks for it.")
def command(shell: str, install: bool) -> None:
    """Print the script that lets SHELL complete commands, options, papers, parameters and runs.

    \b
    For this shell only:
      bash, zsh   eval "$(workbench completion bash)"
      fish        workbench completion fish | source
    """  # noqa: D301 (the \b is click's: keep these lines as they are)
    from click.shell_completion import BashComplete, FishComplete, ZshComplete

    kind = {"bash": BashComplete, "zsh": ZshComplete, "fish": FishComplete}[shell]
    root = click.get_current_context().find_root().command
    script = kind(root, {}, "workbench", "_WORKBENCH_COMPLETE").source()
    if not install:
        click.echo(script)
        return
    from workbench.store import atomic

    file = Path(_FILES[shell]).expanduser()
    atomic.write_bytes(file, f"{script}\n".encode())
    click.echo(f"written: {file}\nnext: {_NEXT[shell]}")
