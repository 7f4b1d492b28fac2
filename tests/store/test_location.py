"""Where the workbench's own files lie: in a checkout, installed, and where a variable says so."""

from pathlib import Path

import pytest

from workbench.core.errors import DataError
from workbench.store import location
from workbench.store.location import checkout, data_folder, home, own_path

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(autouse=True)
def no_variable(monkeypatch):
    monkeypatch.delenv("WORKBENCH_DATA", raising=False)


def test_in_a_checkout_they_lie_beside_the_package():
    assert home() == checkout() == ROOT
    assert data_folder() == ROOT / "data"


def test_installed_they_lie_inside_the_package(tmp_path, monkeypatch):
    (tmp_path / "workbench" / "data").mkdir(parents=True)
    monkeypatch.setattr(location, "PACKAGE", tmp_path / "workbench")
    assert home() == tmp_path / "workbench"
    assert checkout() is None
    assert data_folder() == tmp_path / "workbench" / "data"


def test_a_variable_names_another_folder_of_data(tmp_path, monkeypatch):
    monkeypatch.setenv("WORKBENCH_DATA", str(tmp_path / "mine"))
    with pytest.raises(DataError, match="correct WORKBENCH_DATA"):
        data_folder()
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "file").touch()
    assert data_folder() == tmp_path / "mine"
    assert own_path("data/file") == tmp_path / "mine" / "file"


def test_files_of_ours_are_found_from_anywhere_and_never_before_the_users(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert own_path("data/ds1000/wrong.jsonl") == ROOT / "data" / "ds1000" / "wrong.jsonl"
    for name in ("data/none", "wrong.jsonl", "notebooks/ds1000.ipynb", "/data/ds1000"):
        assert own_path(name) == Path(name)
    (tmp_path / "data" / "ds1000").mkdir(parents=True)
    (tmp_path / "data" / "ds1000" / "wrong.jsonl").touch()
    assert own_path("data/ds1000/wrong.jsonl") == Path("data/ds1000/wrong.jsonl")


def test_data_that_are_gone_are_named(tmp_path, monkeypatch):
    monkeypatch.setattr(location, "PACKAGE", tmp_path / "workbench")
    with pytest.raises(DataError, match="install the workbench again"):
        data_folder()
