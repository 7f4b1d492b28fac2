"""The README's recipes run as they are written, on small files that lie where the recipes look for them."""

import itertools
import json
import re
import shlex
from pathlib import Path

import pytest
from click.testing import CliRunner
from tiny_model import make_tiny_model

from workbench.cli.main import cli
from workbench.runs import Run
from workbench.runs.report import write_comparison
from workbench.runs.sweep import plan_sweep
from workbench.sandbox.isolation import check

ROOT = Path(__file__).resolve().parents[1]
TEXT = (ROOT / "README.md").read_text(encoding="utf-8").partition("\n## Cookbook\n")[2].partition("\n## ")[0]
RECIPES = re.findall(r"^\*\*(.+?)[.,]?\*\*(.*?)(?=^\*\*|\Z)", TEXT, re.DOTALL | re.MULTILINE)
LIBRARY = 'def double(number):\n    """Return twice a number."""\n    return 2 * number\n'

pytestmark = pytest.mark.skipif(not RECIPES, reason="the README has no cookbook")


def blocks(title, language):
    """Return the code of a recipe, of one language."""
    ((_, recipe),) = [found for found in RECIPES if found[0].startswith(title)]
    found = re.findall(rf"^```{language}\n(.*?)^```", recipe, re.DOTALL | re.MULTILINE)
    assert found, f"no {language} in the recipe {title!r}"
    return found


@pytest.fixture(scope="module")
def kitchen(tmp_path_factory):
    """Lay out what the recipes name: a model, pairs, a library."""
    folder = tmp_path_factory.mktemp("kitchen")
    make_tiny_model(folder / "my-model", context=8192)
    rows = [
        {"prompt": f"q{n}", "chosen": "yes " + "a" * (n % 5), "rejected": "no " + "b" * (n % 3)}
        for n in range(40)
    ]
    (folder / "pairs.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    (folder / "my_library.py").write_text(LIBRARY)
    return folder


@pytest.fixture(autouse=True)
def inside(request, monkeypatch):
    if RECIPES:
        kitchen = request.getfixturevalue("kitchen")
        monkeypatch.chdir(kitchen)
        monkeypatch.syspath_prepend(kitchen)


def cook(code):
    """Run the commands of a block in this process, as a shell would one by one; return what the last one said."""
    said = None
    for line in code.replace("\\\n", " ").splitlines():
        program, *words = shlex.split(line, comments=True) or [None]
        if program is not None:
            assert program == "workbench", line
            said = CliRunner().invoke(cli, words)
            assert said.exit_code == 0, f"{line}\n{said.output}"
    return said.output


def need_isolation():
    try:
        check("sandlock")
    except Exception as fault:  # the reason is shown with the skip
        pytest.skip(f"programs cannot be isolated here: {fault}")


def test_every_recipe_is_tested():
    words = {"Score my model", "Train a reward model", "Use my reward", "ARKS on my library", "Run a sweep"}
    assert all(any(title.startswith(word) for word in words) for title, _ in RECIPES)
    assert len(RECIPES) == len(words)


def test_score_my_model():
    need_isolation()
    (code,) = blocks("Score my model", "bash")
    assert re.search(r"0 of \d+ answers passed", cook(code))  # its weights are random


def train():
    """Train the reward model that two recipes need, once."""
    (code,) = blocks("Train a reward model", "bash")
    if not Path("out/rm-scored/results.json").is_file():
        assert "accuracy" in cook(code)


def test_train_a_reward_model():
    train()
    assert Path("out/rm-scored/scores.jsonl").is_file()


@pytest.mark.bench
def test_use_my_reward_in_trl():
    pytest.importorskip("trl", reason="the bench extra is not installed")
    train()
    (code,) = blocks("Use my reward", "python")
    names = {}
    exec(compile(code, "cookbook", "exec"), names)
    logged = [row for row in names["trainer"].state.log_history if "train_runtime" in row]
    assert len(logged) == 1


def test_arks_on_my_library():
    need_isolation()
    (problem,) = blocks("ARKS on my library", "json")
    Path("problems.jsonl").write_text(problem)
    (code,) = blocks("ARKS on my library", "bash")
    assert "1 problems, 1 sections of documentation" in cook(code)
    assert len(Path("out/arks/trace.jsonl").read_text().splitlines()) >= 1


def test_run_a_sweep():
    """Plan the runs, which take minutes to do, and compare others in their place."""
    (code,) = blocks("Run a sweep", "bash")
    listing, command = (shlex.split(line, comments=True) for line in code.splitlines())
    assert listing == [*command, "--list"]
    notebook = str(ROOT / "notebooks" / f"{command[2]}.ipynb")
    said = cook(shlex.join([*listing[:2], notebook, *listing[3:]]))
    assert said.count("to run") == 4
    assignments = [word for before, word in itertools.pairwise(command) if before == "-p"]
    runs = plan_sweep(notebook, "pocket", assignments, command[command.index("--out") + 1]).runs
    for run in runs:
        Run.open("ds1000", parameters={"samples": run.planned.parameters["samples"]}, out=run.folder)
    page = write_comparison([run.folder for run in runs], Path("runs/sweep/index.html"))
    assert "Parameters that differ" in page.read_text()
