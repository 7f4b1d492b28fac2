"""The notebooks that ship: where they are, a run of one, and what it found."""

import contextlib
import json
from pathlib import Path
from types import SimpleNamespace

from click.testing import CliRunner

from workbench.cli.main import cli
from workbench.runs.parameters import read_parameters, resolve

PAPERS = ("alarm", "arks", "ds1000", "haf_rm")
NOTEBOOKS = Path(__file__).resolve().parents[1] / "notebooks"


def notebook(name):
    return NOTEBOOKS / f"{name}.ipynb"


def cells(name):
    return json.loads(notebook(name).read_text())["cells"]


def run(name, out, /, **parameters):
    """Run a notebook as `workbench run` does, from the folder around its output: away from the project's."""
    words = [word for key, value in parameters.items() for word in ("-p", f"{key}={value}")]
    with contextlib.chdir(out.parent):
        return CliRunner().invoke(cli, ["run", str(notebook(name)), "--out", str(out), *words])


def results(name, out):
    return json.loads((out / name / "results.json").read_text())


def settings_of(name, given):
    """Return `Run.settings` of a notebook in the pocket profile, with some parameters given instead."""
    return SimpleNamespace(**resolve(read_parameters(notebook(name)), {}, given))
