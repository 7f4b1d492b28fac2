"""A finished run's results are kept as its declaration says, without the places of the machine that measured."""

import json

import pandas as pd
import pytest
import yaml
from click.testing import CliRunner

from workbench.core.errors import DataError
from workbench.plots import bars
from workbench.recipes.keep import kept_of_run, main
from workbench.runs import Run
from workbench.runs.claims import Claim
from workbench.runs.kept import read_kept

DECLARED = {
    "command": "workbench run mine",
    "declared": {"question": "Q", "metric": "a share"},
    "tables": ["t"],
    "figures": ["f"],
}


@pytest.fixture
def folder(tmp_path):
    """Hold RUN/mine of a run that measured a table, a figure and a claim."""
    given = {
        "seed": 0,
        "problems": "/home/me/p.jsonl",
        "data": "fresh:p:/home/me/q.gz",
        "models": ["hf:/home/me/m.gguf@chat", "hf:lab/m"],
    }
    run = Run.open("mine", given, out=tmp_path / "run")
    frame = pd.DataFrame({"kind": ["a", "b"], "share": [1 / 3, 0.5], "low": [0.1, 0.2], "high": [0.5, 0.9]})
    run.table("t", frame, "A table")
    run.figure("f", bars(frame, x="kind", y="share", low="low", high="high"), "A figure")
    run.claim(Claim("S", "P", measured=0.5, interval=(0.25, 2 / 3)))
    return run.folder


def test_what_is_declared_is_taken_and_rounded(folder):
    kept = kept_of_run(folder, DECLARED)
    assert kept.command == "workbench run mine"
    assert "note" not in kept.facts
    assert kept_of_run(folder, DECLARED, "half of it").facts["note"] == "half of it"
    assert kept.tables["t"]["rows"] == [["a", 0.3333, 0.1, 0.5], ["b", 0.5, 0.2, 0.9]]
    assert kept.figures["f"]["points"]["rows"][0] == ["", "", "a", 0.3333, 0.1, 0.5]
    assert kept.claims[0]["interval"] == [0.25, 0.6667]


def test_no_path_of_this_machine_is_kept(folder):
    parameters = kept_of_run(folder, DECLARED).facts["parameters"]
    assert parameters["problems"] == "p.jsonl"
    assert parameters["data"] == "fresh:p:q.gz"
    assert parameters["models"] == ["hf:m.gguf@chat", "hf:lab/m"]
    assert "out" not in parameters


def test_what_the_run_lacks_is_named_at_once(folder):
    more = {"tables": ["t", "other"], "figures": ["more"], "claims": ["S", "T"]}
    with pytest.raises(DataError, match=r"lacks tables 'other', figures 'more', claims 'T'\n"):
        kept_of_run(folder, DECLARED | more)


def test_of_claims_those_that_are_declared_are_kept(folder):
    results = json.loads((folder / "results.json").read_text())
    results["claims"] += [{"statement": "Elsewhere: S"}, {"statement": "So it is"}]
    (folder / "results.json").write_text(json.dumps(results))
    assert len(kept_of_run(folder, DECLARED).claims) == 3
    kept = kept_of_run(folder, DECLARED | {"claims": ["S"]})
    assert [claim["statement"] for claim in kept.claims] == ["S", "So it is"]


def test_the_command_writes_beside_the_declaration(folder, tmp_path, monkeypatch):
    shelf = tmp_path / "data" / "real" / "mine"
    shelf.mkdir(parents=True)
    monkeypatch.setenv("WORKBENCH_DATA", str(tmp_path / "data"))
    missing = CliRunner().invoke(main, [str(folder.parent), "mine"])
    assert missing.exit_code != 0
    assert "no declaration" in missing.output
    (shelf / "declaration.yaml").write_text(yaml.safe_dump(DECLARED))
    done = CliRunner().invoke(main, [str(folder.parent), "mine"])
    assert done.exit_code == 0, done.output
    assert read_kept("mine") == kept_of_run(folder, DECLARED)
    assert json.loads((shelf / "results.json").read_text())["command"] == "workbench run mine"
