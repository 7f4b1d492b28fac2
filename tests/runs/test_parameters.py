"""A notebook's parameters are read from its cell, and every fault of their values is named at once."""

import nbformat
import pytest
from nbformat.v4 import new_code_cell, new_notebook
from paper_notebooks import notebook
from small_notebooks import write_notebook

from workbench.core.errors import RunError, SettingsError
from workbench.runs.parameters import Parameter, parameters_given, read_parameters, resolve
from workbench.runs.planning import plan

CELL = """profile: str = "pocket"  # the profile
out: str = ""  # the folder
samples: int = 1  # answers a problem; at least 1
timeout_s: float = 60  # seconds; at least 0.1
names: list = ["a", "b"]  # who answers
data: str = "suite"  # where problems come from
lora: bool = False  # train adapters
own = {"any": "value"}
"""


@pytest.fixture
def table(tmp_path):
    return read_parameters(write(tmp_path, CELL))


def write(folder, source):
    cell = new_code_cell(source, metadata={"tags": ["parameters"]})
    about = {"kernelspec": {"name": "python3", "display_name": "Python 3", "language": "python"}}
    nbformat.write(new_notebook(cells=[cell], metadata=about), folder / "mine.ipynb")
    return folder / "mine.ipynb"


def test_a_line_says_kind_default_help_and_limit(table):
    assert list(table) == ["samples", "timeout_s", "names", "data", "lora", "own"]
    assert table["samples"] == Parameter("samples", int, 1, "answers a problem; at least 1", 1.0)
    assert table["timeout_s"] == Parameter("timeout_s", float, 60.0, "seconds; at least 0.1", 0.1)
    assert table["names"] == Parameter("names", tuple, ("a", "b"), "who answers")
    assert table["own"] == Parameter("own", None, {"any": "value"})


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("n: int = 0  # how many; at least 1", "needs at least 1"),
        ("n: int = 1.5", "needs a whole number"),
        ("n: int = None", "needs a whole number"),
        ("n: list = []", "needs a list"),
        ("n: int = f()", "n is f()"),
    ],
)
def test_a_default_that_its_parameter_would_not_take_is_named(tmp_path, line, said):
    with pytest.raises(RunError, match="parameter n") as raised:
        read_parameters(write(tmp_path, line))
    assert said in str(raised.value)


def test_what_is_given_replaces_the_profiles_value_and_that_the_cells(table):
    usual, given = {"samples": 2, "data": "hub"}, {"samples": 3, "lora": None}
    resolved = resolve(table, usual, given)
    assert list(resolved) == list(table)
    assert (resolved["samples"], resolved["data"], resolved["lora"], resolved["timeout_s"]) == (
        3,
        "hub",
        False,
        60.0,
    )


@pytest.mark.parametrize("given", [["a", "b"], ("a", "b"), "a,b", " a , b ", '["a", "b"]'])
def test_lists_may_be_written_in_several_ways(table, given):
    assert resolve(table, {}, {"names": given})["names"] == ("a", "b")


def test_whole_numbers_are_numbers_and_words_of_digits_are_text(table):
    resolved = resolve(table, {}, {"timeout_s": 3, "data": 2024})
    assert (resolved["timeout_s"], resolved["data"]) == (3.0, "2024")


@pytest.mark.parametrize(("word", "value"), [("true", True), ("False", False), (True, True)])
def test_yes_and_no_may_be_written_as_yaml_does(table, word, value):
    assert resolve(table, {}, {"lora": word})["lora"] is value


def test_all_faults_are_named_at_once_with_suggestions(table):
    with pytest.raises(SettingsError) as raised:
        resolve(table, {}, {"sample": 3, "timeout_s": 0, "samples": 1.5, "lora": 1})
    got = raised.value.got
    assert "parameter 'sample' (did you mean 'samples'?)" in got
    assert "timeout_s=0 (needs at least 0.1)" in got
    assert "samples=1.5 (needs a whole number)" in got
    assert "lora=1 (needs True or False)" in got


@pytest.mark.parametrize("value", [float("inf"), float("-inf"), float("nan")])
@pytest.mark.parametrize("name", ["samples", "timeout_s"])
def test_numbers_are_finite(table, name, value):
    with pytest.raises(SettingsError, match="needs a finite number"):
        resolve(table, {}, {name: value})


@pytest.mark.parametrize("value", ["", "[", [], [1]])
def test_a_list_without_names_is_refused(table, value):
    with pytest.raises(SettingsError, match="needs a list"):
        resolve(table, {}, {"names": value})


def test_of_a_notebooks_variables_those_of_its_cell_count():
    variables = {"__name__": "__main__", "samples": 3, "pd": None, "profile": "paper", "_": 1}
    assert parameters_given(variables, {"samples": None, "data": None}) == {"samples": 3}


def test_without_the_notebooks_file_those_that_are_annotated_count():
    variables = {
        "__name__": "__main__",
        "__annotations__": {"n": int, "out": str},
        "n": 3,
        "out": "",
        "pd": None,
    }
    assert parameters_given(variables, None) == {"n": 3}


def test_the_shipped_notebooks_say_a_kind_and_a_help_for_each():
    for name in ("alarm", "arks", "ds1000", "haf_rm"):
        assert all(one.kind and one.help for one in read_parameters(notebook(name)).values())


def test_a_cluster_says_where_and_changes_neither_key_nor_name(tmp_path):
    write_notebook(tmp_path, "small")
    file = str(tmp_path / "small.ipynb")
    here, there = (plan([file], "pocket", ["n=4"], str(tmp_path / "out"), where) for where in ("", "auto"))
    ((one,), (other,)) = here.notebooks, there.notebooks
    assert one.key == other.key
    assert dict(other.parameters) == {**one.parameters, "cluster": "auto"}
    assert other.command == one.command.replace(" --out ", " --cluster auto --out ")
    assert plan([file], "pocket", [], cluster="auto").folder == plan([file], "pocket", []).folder
    with pytest.raises(SettingsError, match="given by --cluster"):
        plan([file], "pocket", ["cluster=auto"])
