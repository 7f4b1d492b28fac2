"""A profile is a papermill parameter file: it sets parameters, and a run that only bears its name is refused."""

from pathlib import Path

import pytest
import yaml
from paper_notebooks import NOTEBOOKS, PAPERS, notebook

from workbench.core.errors import RunError, SettingsError
from workbench.runs import Run
from workbench.runs.parameters import read_parameters, resolve
from workbench.runs.profiles import PROFILES, profile_file, profile_values

LARGER = PROFILES[1:]


@pytest.mark.parametrize("paper", PAPERS)
@pytest.mark.parametrize("profile", PROFILES)
def test_every_profile_sets_parameters_of_its_notebook_to_values_they_take(paper, profile):
    table = read_parameters(notebook(paper))
    values = profile_values(notebook(paper), profile)
    assert set(values) <= set(table)
    resolved = resolve(table, values, {})
    assert list(resolved) == list(table)
    assert resolve(table, values, resolved) == resolved


@pytest.mark.parametrize("paper", PAPERS)
@pytest.mark.parametrize("profile", LARGER)
def test_a_profiles_file_is_papermills_own(paper, profile):
    file = profile_file(notebook(paper), profile)
    values = yaml.safe_load(file.read_text())
    assert values.pop("profile") == profile
    table = read_parameters(notebook(paper))
    same = [
        name for name, value in values.items() if resolve(table, {name: value}, {}) == resolve(table, {}, {})
    ]
    assert same == []  # what is as in the pocket profile stands in the notebook, and nowhere else


def test_pocket_is_what_the_cell_holds():
    assert profile_values(notebook("ds1000"), "pocket") == {}


def test_an_unknown_profile_is_named():
    with pytest.raises(SettingsError, match=r"profile 'pokcet' \(did you mean 'pocket'\?\)"):
        profile_values(notebook("ds1000"), "pokcet")


def test_a_notebook_of_ones_own_has_its_profiles_in_a_folder_of_its_name(tmp_path):
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "laptop.yaml").write_text("profile: laptop\nn: 7\n")
    assert profile_values(tmp_path / "mine.ipynb", "laptop") == {"n": 7}
    assert profile_values(tmp_path / "mine.ipynb", "paper") == {}


@pytest.mark.parametrize("content", ["- a\n", "profile: paper\n", "a: [\n", ""])
def test_a_file_that_is_no_such_profile_is_named(tmp_path, content):
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "laptop.yaml").write_text(content)
    with pytest.raises(RunError, match=r"laptop\.yaml"):
        profile_values(tmp_path / "mine.ipynb", "laptop")


def variables(paper, profile, **changes):
    """Return a notebook's variables as papermill leaves them: the cell's values, then those injected."""
    table = read_parameters(NOTEBOOKS / f"{paper}.ipynb")
    cell = {name: parameter.default for name, parameter in table.items()}
    return {"__name__": "__main__", "np": None, **cell, "profile": profile, **changes}


def test_the_profiles_name_without_its_values_is_refused(tmp_path):
    with pytest.raises(
        SettingsError, match="profile 'laptop' with the values of the profile 'pocket'"
    ) as raised:
        Run.open("ds1000", variables("ds1000", "laptop", out=str(tmp_path)))
    assert "ds1000/laptop.yaml" in raised.value.fix
    assert not list(tmp_path.rglob("*.json"))


def test_the_profiles_values_are_taken_from_the_notebooks_variables(tmp_path, monkeypatch):
    monkeypatch.setenv("WORKBENCH_NO_CHECK", "1")  # the laptop's models are on the Hub
    values = yaml.safe_load(Path(profile_file(notebook("ds1000"), "laptop")).read_text())
    run = Run.open("ds1000", variables("ds1000", **values, samples=3, out=str(tmp_path)))
    assert (run.settings.problems, run.settings.samples) == ("hub", 3)
    assert run.settings.generators == tuple(values["generators"])
    assert not hasattr(run.settings, "np")


def test_by_name_what_is_left_out_is_the_profiles(tmp_path):
    run = Run.open("ds1000", {"samples": 3}, profile="laptop", out=tmp_path)
    assert (run.settings.problems, run.settings.samples) == ("hub", 3)


def test_a_notebook_without_a_parameters_cell_takes_the_parameters_it_names(tmp_path, monkeypatch):
    """Such as the tour, which opens runs of its own."""
    monkeypatch.chdir(NOTEBOOKS)
    run = Run.open("start_here", {"library": "Numpy"}, out=tmp_path)
    assert run.settings.library == "Numpy"
