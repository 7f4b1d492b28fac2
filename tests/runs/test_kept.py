"""Results with real models are kept in files, and shown beside a run's own in another form."""

import json
import re
from dataclasses import replace

import pytest
import yaml
from paper_notebooks import NOTEBOOKS

from workbench.core.errors import DataError
from workbench.runs import Run, show_kept
from workbench.runs.kept import KeptResults, kept_folder, read_kept, write_kept

KEPT = KeptResults(
    command="make answers",
    declared={"metric": "pass@1"},
    facts={"machine": "one core"},
    tables={"gap": {"caption": "The gap", "columns": ["model", "gap"], "rows": [["a", 0.25], ["ö", None]]}},
    figures={
        "by-kind": {
            "caption": "By kind",
            "points": {
                "columns": ["panel", "series", "place", "value", "low", "high"],
                "rows": [["", "a", "Origin", 0.5, 0.4, 0.6], ["", "a", "Surface", 0.25, 0.1, 0.4]],
                "along": "kind",
                "value": "pass@1",
                "percent": True,
            },
        }
    },
    claims=[
        {"statement": "S", "paper_value": 0.4, "measured": 0.25, "interval": [0.1, 0.4], "supported": True}
    ],
)


@pytest.fixture
def shelf(tmp_path, monkeypatch):
    """Stand for the repository's `data` folder."""
    monkeypatch.setenv("WORKBENCH_DATA", str(tmp_path / "data"))
    (tmp_path / "data").mkdir()
    return tmp_path


def shown_run(shelf):
    run = Run.open("mine", {"seed": 0}, out=shelf / "run")
    show_kept(run)
    return run, json.loads((run.folder / "results.json").read_text())


def test_what_is_written_is_read_again_and_a_row_is_a_line(shelf):
    file = kept_folder("mine") / "results.json"
    write_kept(file, KEPT)
    assert read_kept("mine") == KEPT
    assert '["ö", null]' in file.read_text().splitlines()


def test_a_run_takes_them_over_marked_with_the_command_that_made_them(shelf, capsys):
    write_kept(kept_folder("mine") / "results.json", KEPT)
    run, found = shown_run(shelf)
    assert {table["kept"] for table in found["tables"].values()} == {"make answers"}
    assert found["tables"]["real: gap"]["rows"] == [["a", 0.25], ["ö", None]]
    assert found["tables"]["real: claims"]["rows"][0][:4] == ["S", "0.4", "0.25 [0.1, 0.4]", "supported"]
    assert found["figures"]["real-by-kind"]["kept"] == "make answers"
    assert found["claims"] == []  # those are of this run
    drawn = json.loads((run.folder / "figures" / "real-by-kind.json").read_text())
    assert drawn["data"][0]["y"] == [0.5, 0.25]
    assert "pass@1" in capsys.readouterr().out


def test_the_report_sets_them_apart(shelf):
    write_kept(kept_folder("mine") / "results.json", KEPT)
    run, _ = shown_run(shelf)
    page = run.finish().read_text()
    part = page[page.index('id="mine-real"') :]
    assert "real model</span>" in part
    assert "make answers" in part
    assert "The gap" in part
    assert "The gap" not in page[: page.index('id="mine-real"')]


def test_a_figure_without_intervals_is_drawn_too(shelf):
    figure = KEPT.figures["by-kind"]
    rows = [[*row[:4], None, None] for row in figure["points"]["rows"]]
    bare = {"by-kind": {**figure, "points": {**figure["points"], "rows": rows}}}
    write_kept(kept_folder("mine") / "results.json", replace(KEPT, figures=bare))
    run, _ = shown_run(shelf)
    drawn = json.loads((run.folder / "figures" / "real-by-kind.json").read_text())
    assert "error_y" not in drawn["data"][0]


@pytest.mark.parametrize(("name", "legend"), [("", False), ("a", True)])
def test_one_group_without_a_name_has_no_legend(shelf, name, legend):
    figure = KEPT.figures["by-kind"]
    rows = [["", name, *row[2:]] for row in figure["points"]["rows"]]
    bare = {"by-kind": {**figure, "points": {**figure["points"], "rows": rows}}}
    write_kept(kept_folder("mine") / "results.json", replace(KEPT, figures=bare))
    run, _ = shown_run(shelf)
    drawn = json.loads((run.folder / "figures" / "real-by-kind.json").read_text())
    assert drawn["layout"]["showlegend"] is legend
    assert drawn["data"][0]["y"] == [0.5, 0.25]


def test_where_none_is_kept_that_is_said(shelf, capsys):
    _, found = shown_run(shelf)
    assert found["tables"] == {}
    assert "No result with a real model is kept for this paper." in capsys.readouterr().out


def test_what_is_declared_and_not_measured_yet_is_told_with_its_command(shelf, capsys):
    kept_folder("mine").mkdir(parents=True)
    (kept_folder("mine") / "declaration.yaml").write_text(
        'command: make it\ndeclared: {question: "Why?"}\ntables: []\nfigures: []\n'
    )
    shown_run(shelf)
    assert "yet. What is declared: Why? To measure it: make it" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ("command: c\ndeclared:\n  rates: fixed: 1\n", "line 3, column 15"),
        ("", "no command, declared, tables, figures"),
        ("[]", "no command"),
        ("command: c\ndeclared: {question: Q}\ntables: []\n", "no figures"),
        ("command: c\ndeclared: {data: D}\ntables: []\nfigures: []\n", "no question in declared"),
        ("command: c\ndeclared:\ntables: []\nfigures: []\n", "no question in declared"),
    ],
)
def test_a_declaration_that_cannot_be_used_is_named(shelf, text, fault):
    kept_folder("mine").mkdir(parents=True)
    (kept_folder("mine") / "declaration.yaml").write_text(text)
    with pytest.raises(DataError, match=rf"declaration\.yaml: .*{fault}"):
        shown_run(shelf)


@pytest.mark.parametrize("paper", ["ds1000", "haf_rm", "alarm", "arks"])
def test_every_paper_has_a_declaration_that_names_what_its_notebook_shows(paper):
    declared = yaml.safe_load((kept_folder(paper) / "declaration.yaml").read_text())
    assert set(declared) - {"claims"} == {"command", "declared", "tables", "figures"}
    assert {"question", "compared", "data", "seeds", "metric", "interval"} <= set(declared["declared"])
    text = (NOTEBOOKS / f"{paper}.ipynb").read_text()
    for kind in ("table", "figure"):
        called = re.findall(rf'run\.{kind}\(f?\\"(.+?)\\"', text)
        shown = "|".join(re.sub(r"\\?\{.+?\\?\}", ".+", re.escape(name)) for name in called)
        assert [name for name in declared[f"{kind}s"] if not re.fullmatch(shown, name)] == []


@pytest.mark.parametrize("content", ["", "[]", "{}", '{"command": 1}', '{"nothing": 2}'])
def test_a_file_that_holds_something_else_is_named(shelf, content):
    file = kept_folder("mine") / "results.json"
    file.parent.mkdir(parents=True)
    file.write_text(content)
    with pytest.raises(DataError, match=r"results\.json"):
        read_kept("mine")
