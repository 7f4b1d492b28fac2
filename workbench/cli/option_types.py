"""Command-line options beyond click's own: amounts, and options that only the long help shows."""

from __future__ import annotations

import functools
import math
from typing import Any

import click

__all__ = ["AMOUNT", "cluster_option", "further_option", "help_all"]

_ALL = "workbench.help_all"


class _Amount(click.ParamType):
    """A number above 0; click's own takes `nan` and `inf` too, which no limit can be."""

    name = "number"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> float:
        try:
            number = float(value)
        except ValueError:
            number = math.nan
        if not 0 < number < math.inf:
            self.fail(f"{value!r} is not a number above 0.", param, ctx)
        return number


AMOUNT = _Amount()
"""Of seconds, of GiB: finite and above 0."""


class _Further(click.Option):
    def get_help_record(self, ctx: click.Context) -> tuple[str, str] | None:
        return super().get_help_record(ctx) if ctx.meta.get(_ALL) else None


further_option = functools.partial(click.option, cls=_Further)
"""As click.option; `--help` leaves it out, so that it fits on a screen, and `--help-all` shows it."""


def _show_all(ctx: click.Context, param: click.Parameter, asked: bool) -> None:
    if asked and not ctx.resilient_parsing:
        ctx.meta[_ALL] = True
        click.echo(ctx.get_help(), color=ctx.color)
        ctx.exit()


help_all = click.option(
    "--help-all",
    is_flag=True,
    is_eager=True,
    expose_value=False,
    callback=_show_all,
    help="Show every option and exit.",
)
"""For commands that have options made by `further_option`."""


cluster_option = click.option(
    "--cluster",
    default="",
    metavar="ADDRESS",
    help="Ray cluster that jobs run on: auto, or HOST:PORT of its head; without, processes of this machine.",
)
"""For commands whose jobs or programs a cluster can run."""
