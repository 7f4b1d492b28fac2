"""notebooks/arks.ipynb: well made, and executed on a small world from its parameters to its report."""

import contextlib
import json
from pathlib import Path

import pytest
from click.testing import CliRunner

from workbench.cli import cli
from workbench.experiments.arks_settings import ACTIVE, CONTROL, NOTHING, declared
from workbench.profiles import PAPERS
from workbench.runs.notebooks import notebook_parameters

NOTEBOOK = Path(__file__).resolve().parents[1] / "notebooks" / "arks.ipynb"


def cells():
    return json.loads(NOTEBOOK.read_text())["cells"]


def run(folder, *words):
    with contextlib.chdir(folder):
        return CliRunner().invoke(cli, ["run", str(NOTEBOOK), *map(str, words)])


def results(folder):
    return json.loads((folder / "arks" / "results.json").read_text())


def test_it_is_made_as_the_house_makes_notebooks():
    code = [cell for cell in cells() if cell["cell_type"] == "code"]
    assert "".join(cells()[0]["source"]).startswith("# ARKS")
    assert [cell["outputs"] for cell in code if cell["outputs"]] == []
    assert [cell["execution_count"] for cell in code if cell["execution_count"]] == []
    tagged = [cell for cell in code if "parameters" in cell["metadata"].get("tags", [])]
    assert len(tagged) == 1
    long = [cell["source"][0] for cell in code if cell not in tagged and len(cell["source"]) > 10]
    assert long == []
    assert not any(line.startswith(("def ", "class ")) for cell in code for line in cell["source"])


def test_its_parameters_are_those_of_the_profiles():
    assert notebook_parameters(NOTEBOOK) == ["profile", "out", *PAPERS["arks"]]


@pytest.fixture(scope="module")
def small(tmp_path_factory):
    """Hold a run on two small libraries with one model."""
    folder = tmp_path_factory.mktemp("small")
    chosen = ("libraries=2", "problems=3", "models=pocket:data/arks/seed-0", "processes=1")
    done = run(folder, "--out", folder / "run", *[word for one in chosen for word in ("-p", one)])
    assert done.exit_code == 0, done.output
    return folder / "run", done.output


def test_it_answers_its_questions(small):
    folder, printed = small
    found = results(folder)
    assert "report: run/index.html" in printed
    assert (folder / "index.html").is_file()
    figures = ["by-setting", "by-round", "sources", "queries", "by-size", "stripped", "endings"]
    assert list(found["figures"]) == figures
    assert found["numbers"]["problems"] == 6
    assert found["numbers"]["models"] == 1
    table = found["tables"]["by setting"]
    rows = {row[0]: dict(zip(table["columns"], row, strict=True)) for row in table["rows"]}
    assert set(rows) == {one.name for one in declared()}
    assert rows[NOTHING]["accuracy"] == 0
    assert rows[ACTIVE]["accuracy"] > 0
    assert all(0 <= row["silent"] <= row["ran"] <= 1 for row in rows.values())


def test_claims_say_what_they_rest_on(small):
    folder, _ = small
    claims = results(folder)["claims"]
    assert len(claims) == 8
    assert all(claim["n"] == 6 and claim["seeds"] == 1 for claim in claims)


def test_the_trace_of_every_setting_is_there(small):
    folder, _ = small
    traces = {
        file.parent.name for file in (folder / "arks" / "steps").glob("loops-*/model-0/*/*/trace.jsonl")
    }
    assert traces == {one.word for one in declared()}
    assert {CONTROL, ACTIVE} <= {one.name for one in declared()}


def test_it_is_kept_when_it_is_asked_for_again(small):
    folder, _ = small
    before = (folder / "arks" / "results.json").read_bytes()
    chosen = ("libraries=2", "problems=3", "models=pocket:data/arks/seed-0", "processes=1")
    done = run(folder, "--out", folder, *[word for one in chosen for word in ("-p", one)])
    assert done.exit_code == 0, done.output
    assert (folder / "arks" / "results.json").read_bytes() == before
