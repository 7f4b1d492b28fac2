"""What looks are made of is no part of a cached step's key; what a step computes with is."""

import ast
import shutil
from pathlib import Path

import pytest
from paper_notebooks import PAPERS, cells

from workbench.store import code_version
from workbench.store.code_version import source_version

PACKAGE = Path(__file__).resolve().parents[2] / "workbench"
LOOKS = ("plots", "runs", "explore", "cli", "doctor", "benchmarks", "recipes")


def steps(paper):
    """Return what each step of a paper's notebook calls, as (name, module), read from its cells."""
    code = [cell for cell in cells(paper) if cell["cell_type"] == "code"]
    tree = ast.parse("\n".join("".join(cell["source"]) for cell in code))
    homes = {
        alias.asname or alias.name: node.module
        for node in ast.walk(tree)
        if isinstance(node, ast.ImportFrom)
        for alias in node.names
    }
    calls = [node for node in ast.walk(tree) if isinstance(node, ast.Call)]
    asked = [call for call in calls if ast.unparse(call.func) == "run.step"]
    return {(call.args[1].id, homes[call.args[1].id]) for call in asked}


@pytest.fixture
def package(tmp_path, monkeypatch):
    """Stand in for the package: a copy that a test may change."""
    copy = tmp_path / "workbench"
    shutil.copytree(PACKAGE, copy, ignore=shutil.ignore_patterns("__pycache__"))
    monkeypatch.setattr(code_version, "__file__", str(copy / "store" / "code_version.py"))
    return copy


def versions(package, papers=PAPERS):
    """Return the version of the code of every step, by paper and function."""
    return {
        (paper, name): source_version(
            package.parent.joinpath(*module.split(".")).with_suffix(".py").read_text(), module
        )
        for paper in papers
        for name, module in sorted(steps(paper))
    }


def change(file):
    """Change what a module does, as an edit would."""
    file.write_text(file.read_text() + "\nCHANGED = 1\n")


def test_every_paper_has_steps():
    assert all(steps(paper) for paper in PAPERS)


def test_a_colour_a_caption_or_a_widget_leaves_every_step_as_it_was(package):
    before = versions(package)
    theme = package / "plots" / "theme.py"
    assert "BLUE = " in theme.read_text()
    theme.write_text(theme.read_text().replace("BLUE = ", "BLUE = '#000001' or "))
    for folder in LOOKS:
        for file in sorted((package / folder).rglob("*.py")):
            change(file)
    for file in sorted((package / "papers").rglob("*.py")):
        if file.stem in ("browse", "claims", "figures", "story", "tables"):
            change(file)
    assert versions(package) == before


def test_the_loss_counts_where_it_is_used(package):
    before = versions(package)
    change(package / "training" / "losses.py")
    after = versions(package)
    changed = {paper for paper, name in before if after[paper, name] != before[paper, name]}
    assert "haf_rm" in changed and "ds1000" not in changed
    assert after["haf_rm", "run_declared"] != before["haf_rm", "run_declared"]


def test_what_a_name_of_a_face_stands_for_counts_and_its_neighbours_do_not(package):
    source = "from workbench.models import LoraSettings\n"
    before = source_version(source)
    change(package / "models" / "shared_prompts.py")
    assert source_version(source) == before
    change(package / "models" / "lora.py")
    assert source_version(source) != before


@pytest.mark.parametrize("source", ["import workbench.rewards\n", "from workbench import rewards\n"])
def test_a_package_that_is_imported_whole_counts_whole(package, source):
    before = source_version(source)
    change(package / "rewards" / "selection.py")
    assert source_version(source) != before
