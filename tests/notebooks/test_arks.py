"""notebooks/arks.ipynb: executed on a small world from its parameters to its report."""

import json
import shutil

import pytest
from paper_notebooks import own_figures, results, run, run_file, with_examples

from workbench.papers.arks.settings import ACTIVE, CONTROL, NOTHING, declared

SMALL = {"libraries": 2, "problems": 3, "rounds": 2, "models": "pocket:data/arks/seed-0", "processes": 1}


@pytest.fixture(scope="module")
def small(tmp_path_factory):
    """Hold a run on two small libraries with one model."""
    folder = tmp_path_factory.mktemp("small") / "run"
    done = run("arks", folder, **SMALL)
    assert done.exit_code == 0, done.output
    return folder, done.output


def test_it_answers_its_questions(small):
    folder, printed = small
    found = results("arks", folder)
    assert "report: run/index.html" in printed
    assert (folder / "index.html").is_file()
    figures = ["by-setting", "by-round", "by-tokens", "sources", "queries", "by-size", "stripped", "endings"]
    assert own_figures(found) == figures
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
    claims = results("arks", folder)["claims"]
    assert len(claims) == 8
    assert all(claim["n"] == 6 and claim["seeds"] == 1 for claim in claims)


def test_the_trace_of_every_setting_is_there(small):
    folder, _ = small
    traces = {
        file.parent.name for file in (folder / "arks" / "steps").glob("loops-*/model-0/*/*/trace.jsonl")
    }
    assert traces == {one.file_name for one in declared()}
    assert {CONTROL, ACTIVE} <= {one.name for one in declared()}


def kept_rows(folder):
    """Return what is kept of models' answers and of programs."""
    return {file.name: file.read_bytes() for file in (folder / "arks" / "answers").glob("*.jsonl")}


def test_with_other_settings_only_what_is_new_is_asked_and_run(small, tmp_path):
    folder = tmp_path / "run"
    shutil.copytree(small[0], folder)
    before = kept_rows(folder)
    assert set(before) == {"answers-pocket-data-arks-seed-0.jsonl", "outcomes.jsonl"}
    assert run("arks", folder, **SMALL | {"rounds": 1, "families": "main"}).exit_code == 0
    assert kept_rows(folder) == before, "an answer or a program was there, and was made again"
    assert run("arks", folder, **SMALL | {"rounds": 3}).exit_code == 0
    more = kept_rows(folder)
    for name, rows in before.items():
        assert more[name].startswith(rows)
        assert len(more[name]) > len(rows), "the third round asks and runs something new"


def test_a_reader_adds_a_retriever_and_a_source_in_a_cell_and_only_they_are_run(small):
    """The notebook's own examples, made live."""
    folder, _ = small
    before = results("arks", folder)
    done = run_file(with_examples("arks", folder.parent), folder, **SMALL)
    assert done.exit_code == 0, done.output
    found = results("arks", folder)
    mine = ["active, long documents", "active, with a hint"]
    rows = {row[0]: row for row in found["tables"]["by setting"]["rows"]}
    assert set(rows) == {one.name for one in declared()} | set(mine)
    assert [rows[name] for name in rows if name not in mine] == before["tables"]["by setting"]["rows"]
    timings = json.loads((folder / "arks" / "timings.json").read_text())["steps"]
    assert sorted(step["from_cache"] for step in timings.values()) == [False, True]
    (trace,) = (folder / "arks" / "steps").glob("loops-*/model-0/yours/active-with-a-hint/trace.jsonl")
    assert "Where a number is refused, move it" in trace.read_text()
