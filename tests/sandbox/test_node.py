"""What a node of a cluster is asked for: the same packages and data as on the driver's machine, or an error."""

import pytest

from workbench.sandbox import node
from workbench.sandbox.node import Grader, data_folders, holdings
from workbench.sandbox.runtime_recipe import DataFile, Recipe
from workbench.sandbox.runtimes import Runtime, find_runtime


@pytest.fixture
def runtime(tmp_path, monkeypatch):
    """Return a runtime of two packages and a data file, whose folder a variable names."""
    packages = tmp_path / "runtime/lib/python3.11/site-packages"
    for name in ("numpy-1.26.4", "Torch_Geometric-2.8.0+cpu"):
        (packages / f"{name}.dist-info").mkdir(parents=True)
    (tmp_path / "data").mkdir()
    (tmp_path / "data/cars.csv").write_text("a,b\n")
    monkeypatch.setenv("CARS_DATA", str(tmp_path / "data"))
    recipe = Recipe(
        "mine", tmp_path / "pins.txt", ("3.11",), (DataFile("cars", "cars.csv", "CARS_DATA", "x()"),)
    )
    monkeypatch.setattr(node, "recipe_called", {"mine": recipe}.__getitem__)
    return Runtime("mine", tmp_path / "runtime/bin/python", (str(tmp_path / "runtime"),))


def test_what_verdicts_depend_on(runtime, tmp_path):
    (tmp_path / "mylib").mkdir()
    found = holdings(runtime.with_packages(tmp_path / "mylib"))
    assert len(found.pop("the workbench's code")) == 12
    mine = {str(tmp_path / "mylib"): "present"}
    assert found == {"numpy": "1.26.4", "torch-geometric": "2.8.0", "cars.csv": "4 bytes", **mine}


def test_folders_of_data_that_a_variable_names_are_told(runtime, tmp_path, monkeypatch):
    assert data_folders(runtime) == {"CARS_DATA": str(tmp_path / "data")}
    monkeypatch.delenv("CARS_DATA")
    assert data_folders(runtime) == {}


@pytest.mark.parametrize("missing", [0, 7])
def test_a_node_that_lacks_something_judges_nothing_and_says_what(missing):
    here = holdings(find_runtime("main"))
    more = {f"lib{number}": "1.0" for number in range(missing)}
    grader = Grader({"isolation": "none"}, "nowhere", {}, here | more)
    with pytest.warns(UserWarning, match="isolation"):
        verdicts, fault = grader.judge(["print(1)"])
    grader.close()
    if not missing:
        assert [verdict.stdout for verdict in verdicts] == ["1\n"]
    else:
        assert verdicts is None
        assert "lib0 missing (there: 1.0), lib1" in fault.got
        assert fault.got.endswith("and 2 more")
