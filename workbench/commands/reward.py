"""`workbench reward`: train, score and compare reward models."""

from __future__ import annotations

import click


@click.group(
    epilog="Example: workbench reward train --data hh-harmless --model Qwen/Qwen2.5-0.5B --out out/rm"
)
def command() -> None:
    """Train reward models on preference pairs, and evaluate them."""
