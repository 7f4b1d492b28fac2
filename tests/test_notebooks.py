"""The notebooks that ship are made alike, and their parameters are those of the profiles."""

import pytest
from paper_notebooks import cells, notebook

from workbench.profiles import PAPERS
from workbench.runs.notebooks import notebook_parameters

TITLES = {"arks": "ARKS", "ds1000": "DS-1000", "haf_rm": "HaF-RM"}


@pytest.mark.parametrize("name", TITLES)
def test_it_is_made_as_the_house_makes_notebooks(name):
    first, *_ = cells(name)
    code = [cell for cell in cells(name) if cell["cell_type"] == "code"]
    assert first["cell_type"] == "markdown"
    assert "".join(first["source"]).startswith(f"# {TITLES[name]}")
    assert [cell["outputs"] for cell in code if cell["outputs"]] == []
    assert [cell["execution_count"] for cell in code if cell["execution_count"]] == []
    tagged = [cell for cell in code if "parameters" in cell["metadata"].get("tags", [])]
    assert len(tagged) == 1
    long = [cell["source"][0] for cell in code if cell not in tagged and len(cell["source"]) > 10]
    assert long == []
    assert not any(line.startswith(("def ", "class ")) for cell in code for line in cell["source"])


@pytest.mark.parametrize("name", TITLES)
def test_its_parameters_are_those_of_the_profiles(name):
    assert notebook_parameters(notebook(name)) == ["profile", "out", *PAPERS[name]]
