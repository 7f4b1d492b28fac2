"""Options take numbers that can be limits, and no others."""

import click
import pytest
from click.testing import CliRunner

from workbench.cli.option_types import AMOUNT


@click.command()
@click.option("--timeout", type=AMOUNT, default=2.0)
def command(timeout):
    click.echo(repr(timeout))


@pytest.mark.parametrize(("word", "number"), [("3", 3.0), ("0.5", 0.5), ("1e3", 1000.0)])
def test_amounts(word, number):
    assert CliRunner().invoke(command, ["--timeout", word]).output == f"{number!r}\n"


@pytest.mark.parametrize("word", ["nan", "inf", "0", "-1", "soon", ""])
def test_what_is_no_amount_is_refused(word):
    said = CliRunner().invoke(command, [f"--timeout={word}"])
    assert said.exit_code == 2
    assert f"{word!r} is not a number above 0" in said.output
