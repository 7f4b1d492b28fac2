"""The notebooks that ship are made alike."""

import ast
import importlib

import pytest
from paper_notebooks import NOTEBOOKS, cells

from workbench.runs.notebooks import find_notebooks

TITLES = {"alarm": "ALaRM", "arks": "ARKS", "ds1000": "DS-1000", "haf_rm": "HaF-RM"}
TOUR = "start_here"


def test_every_notebook_that_ships_is_known_here():
    assert {file.stem for file in NOTEBOOKS.glob("*.ipynb")} == {*TITLES, TOUR}


@pytest.mark.parametrize("name", [*TITLES, TOUR])
def test_it_is_made_as_the_house_makes_notebooks(name):
    first, *_ = cells(name)
    code = [cell for cell in cells(name) if cell["cell_type"] == "code"]
    assert first["cell_type"] == "markdown"
    assert "".join(first["source"]).startswith(f"# {TITLES.get(name, 'Start here')}")
    assert [cell["outputs"] for cell in code if cell["outputs"]] == []
    assert [cell["execution_count"] for cell in code if cell["execution_count"]] == []
    tagged = [cell for cell in code if "parameters" in cell["metadata"].get("tags", [])]
    assert len(tagged) == (name in TITLES)  # the tour has none
    long = [cell["source"][0] for cell in code if cell not in tagged and len(cell["source"]) > 10]
    assert long == []
    assert not any(line.startswith(("def ", "class ")) for cell in code for line in cell["source"])


def test_the_tour_is_no_paper_and_is_not_run_with_them():
    assert set(find_notebooks(NOTEBOOKS)) == set(TITLES)


@pytest.mark.parametrize("name", TITLES)
def test_it_ends_with_the_widgets_on_the_run_just_made(name):
    titles = [cell["source"][0].strip() for cell in cells(name) if cell["cell_type"] == "markdown"]
    assert titles[-1] == "## Explore"
    shown = [line for cell in cells(name) for line in cell["source"] if "workbench.explore" in line]
    assert len(shown) >= 2


@pytest.mark.parametrize("name", [*TITLES, TOUR])
def test_what_it_imports_of_the_workbench_is_there(name):
    code = [cell for cell in cells(name) if cell["cell_type"] == "code"]
    tree = ast.parse("\n".join("".join(cell["source"]).replace("await ", "") for cell in code))
    asked = [
        (node.module, alias.name)
        for node in ast.walk(tree)
        if isinstance(node, ast.ImportFrom) and node.module.startswith("workbench")
        for alias in node.names
    ]
    assert asked
    assert [one for one in asked if not hasattr(importlib.import_module(one[0]), one[1])] == []
