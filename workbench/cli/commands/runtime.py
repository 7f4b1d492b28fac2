"""`workbench runtime`: the environments that programs run in."""

from __future__ import annotations

import click

from workbench.cli.completions import complete_runtimes


@click.group(
    epilog="Example: workbench runtime build ds1000",
    short_help="Build the environments that programs run in.",
)
def command() -> None:
    """List, build and remove the environments that programs run in."""


_name = click.argument("name", default="ds1000", metavar="[NAME]", shell_complete=complete_runtimes)
_exact = click.option("--exact", is_flag=True, help="The very versions of the paper's authors (NAME-exact).")


@command.command("list", epilog="Example: workbench runtime list")
def show() -> None:
    """List every runtime, its state and its interpreter."""
    from workbench.sandbox.runtimes import runtime_states

    for state in runtime_states():
        size = f", {state.size_bytes / 1e9:.1f} GB" if state.size_bytes else ""
        where = state.python or state.folder or f"`workbench runtime build {state.name}`"
        click.echo(f"{state.name:<14} {state.state + size:<20} {where}")
        if state.missing_data and state.python:
            click.echo(f"{'':<14} lacks data: {', '.join(state.missing_data)}")


@command.command(epilog="Example: workbench runtime build ds1000 --python /usr/bin/python3.11")
@_name
@_exact
@click.option("--python", default="", metavar="PATH", help="The Python to build it from; found if not given.")
def build(name: str, exact: bool, python: str) -> None:
    """Build a runtime (ds1000 if not named), and fetch the data files that its programs load.

    Downloads up to 3 GB and takes some minutes, once: from then on it is there. Interrupted, it starts over.
    """
    from workbench.sandbox.runtime_build import build_runtime
    from workbench.sandbox.runtime_folder import built_folder, interpreter
    from workbench.sandbox.runtime_recipe import recipe_called

    recipe = recipe_called(_full(name, exact))
    before = built_folder(recipe)
    folder = build_runtime(recipe, python)
    click.echo(
        f"{recipe.name} {'was there already' if folder == before else 'is ready'}: {interpreter(folder)}"
    )
    missing = [file for file in recipe.data if not file.present]
    if missing:
        click.echo(
            f"it lacks {len(missing)} data files, and programs that load them will fail; put them here:"
        )
        for file in missing:
            click.echo(f"  {file.folder / file.file}")
        variables = " and ".join(dict.fromkeys(file.variable for file in missing))
        click.echo(f"or set {variables} to the folders that have them, or repeat this with a network")


@command.command(epilog="Example: workbench runtime remove ds1000")
@_name
@_exact
def remove(name: str, exact: bool) -> None:
    """Remove a runtime (ds1000 if not named). Data files stay."""
    from workbench.sandbox.runtimes import remove_runtime

    name = _full(name, exact)
    removed = remove_runtime(name)
    for folder in removed:
        click.echo(f"removed {folder}")
    if not removed:
        click.echo(f"{name} is not built; there is nothing to remove")


def _full(name: str, exact: bool) -> str:
    return f"{name}-exact" if exact and not name.endswith("-exact") else name
