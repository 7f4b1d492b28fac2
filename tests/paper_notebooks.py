"""The notebooks that ship: where they are, a run of one, and what it found."""

import contextlib
import json
import os
from pathlib import Path
from types import SimpleNamespace

from click.testing import CliRunner

from workbench.cli.main import cli
from workbench.runs.parameters import read_parameters, resolve

PAPERS = ("alarm", "arks", "ds1000", "haf_rm")
NOTEBOOKS = Path(__file__).resolve().parents[1] / "notebooks"


os.environ["BROWSER_PATH"] = (
    "none"  # a browser a notebook, for pictures that no test here looks at, takes its time
)


def notebook(name):
    return NOTEBOOKS / f"{name}.ipynb"


def cells(name):
    return json.loads(notebook(name).read_text())["cells"]


def run(name, out, /, **parameters):
    """Run a notebook as `workbench run` does, from the folder around its output: away from the project's."""
    return run_file(notebook(name), out, **parameters)


def run_file(file, out, /, **parameters):
    """Run a notebook's file as `run` does."""
    words = [word for key, value in parameters.items() for word in ("-p", f"{key}={value}")]
    with contextlib.chdir(out.parent):
        return CliRunner().invoke(cli, ["run", str(file), "--out", str(out), *words])


def results(name, out):
    return json.loads((out / name / "results.json").read_text())


def own_figures(found):
    """Return the names of the figures that a run measured itself: those that are kept say who made them."""
    return [name for name, about in found["figures"].items() if "kept" not in about]


def settings_of(name, given):
    """Return `Run.settings` of a notebook in the pocket profile, with some parameters given instead."""
    return SimpleNamespace(**resolve(read_parameters(notebook(name)), {}, given))


def with_examples(name, folder, last=None):
    """Write a notebook whose examples of "add your own" are live, as a reader makes them; returns the file.

    They are the comments in the cells after such a text. The cell `last` is the last one that is kept.
    """
    content = json.loads(notebook(name).read_text())
    ids = [cell["id"] for cell in content["cells"]]
    content["cells"] = content["cells"][: ids.index(last) + 1 if last else None]
    asked = False
    for cell in content["cells"]:
        if cell["cell_type"] == "markdown":
            asked = "**Add your own**" in "".join(cell["source"])
        elif asked:
            cell["source"] = [line.removeprefix("# ") for line in cell["source"]]
            asked = False
    file = folder / f"{name}.ipynb"
    file.write_text(json.dumps(content))
    return file
