"""A run keeps what it is told at once, in files that say the same for the same parameters."""

import json

import numpy as np
import pandas as pd
import plotly.graph_objects as go
import pytest

from workbench.core.errors import RunError, SettingsError
from workbench.runs import Run
from workbench.runs.folders import run_id

SECRET = "abc123-very-secret"


def open_run(out, **changes):
    given = {"parameters": {"samples": 2, "seed": 1}, "out": out} | changes
    return Run.open("ds1000", **given)


def content(run, name="results.json"):
    return json.loads((run.folder / name).read_text())


def tell_all(run):
    run.record("pass@1", {"all": np.float64(0.25), "nan": float("nan")})
    run.table("t", pd.DataFrame({"a": [1, 2]}, index=pd.Index(["x", "y"], name="library")), "A table")
    run.figure("f", go.Figure(go.Bar(y=np.array([1.0, 2.0]))), "A figure")
    run.claim(
        paper="P", statement="S", paper_value=0.4, measured=0.25, interval=(0.1, 0.4), n=8, supported=False
    )


def test_everything_told_is_on_disk_when_the_call_returns(tmp_path):
    run = open_run(tmp_path)
    tell_all(run)
    results = content(run)
    assert results["parameters"]["samples"] == 2
    assert results["parameters"]["timeout_s"] == 60.0  # the profile's
    assert results["numbers"] == {"pass@1": {"all": 0.25, "nan": None}}
    assert results["tables"]["t"] == {
        "caption": "A table",
        "columns": ["library", "a"],
        "rows": [["x", 1], ["y", 2]],
    }
    assert content(run, results["figures"]["f"]["file"])["data"][0]["type"] == "bar"
    assert results["claims"][0]["interval"] == [0.1, 0.4]
    assert results["claims"][0]["supported"] is False


def test_the_same_parameters_give_the_same_bytes(tmp_path):
    for out in ("one", "two"):
        tell_all(open_run(tmp_path / out))
    for name in ("results.json", "figures/f.json"):
        one, two = (tmp_path / out / "ds1000" / name for out in ("one", "two"))
        assert one.read_bytes() == two.read_bytes()


def test_the_manifest_says_with_what_and_on_what(tmp_path, monkeypatch):
    monkeypatch.setenv("OPENAI_API_KEY", SECRET)
    run = open_run(tmp_path, parameters={"problems": f"https://me:{SECRET}@host/file.jsonl", "seed": 5})
    run.step("answer", int, "42")
    manifest = json.loads((tmp_path / "manifest.json").read_text())
    assert manifest["papers"]["ds1000"]["seed"] == 5
    assert manifest["papers"]["ds1000"]["profile"] == "pocket"
    (step,) = manifest["papers"]["ds1000"]["steps"].values()
    assert step["from_cache"] is False
    assert manifest["packages"]["papermill"]
    assert {"processor", "instruction_sets", "cores", "memory_bytes", "gpus", "system", "python"} == set(
        manifest["machine"]
    )
    run.finish()
    written = [file for file in tmp_path.rglob("*") if file.is_file()]
    assert [file for file in written if SECRET.encode() in file.read_bytes()] == []


def test_a_secret_is_refused_as_parameter(tmp_path):
    with pytest.raises(SettingsError, match="a secret as parameter: api_key"):
        open_run(tmp_path, parameters={"api_key": SECRET})
    assert not list(tmp_path.rglob("*.json"))


def test_two_papers_share_a_manifest(tmp_path):
    open_run(tmp_path)
    Run.open("other", parameters={"x": 1}, out=tmp_path)
    assert set(json.loads((tmp_path / "manifest.json").read_text())["papers"]) == {"ds1000", "other"}


def test_without_out_the_parameters_name_the_folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert open_run("", parameters={"seed": None}).folder == tmp_path / "runs/ds1000-pocket/ds1000"
    one = open_run("", parameters={"samples": 2}).folder
    assert one == open_run("", parameters={"samples": 2, "seed": None}).folder
    assert one != open_run("", parameters={"samples": 3}).folder


def test_run_ids_tell_what_was_asked():
    assert run_id([], "pocket", {}) == "pocket"
    assert run_id(["ds1000"], "laptop", {"seed": None}) == "ds1000-laptop"
    assert run_id(["ds1000"], "laptop", {"seed": 1}).startswith("ds1000-laptop-")


def test_fresh_forgets_the_steps(tmp_path, capsys):
    open_run(tmp_path).step("s", int, "1")
    open_run(tmp_path).step("s", int, "1")
    open_run(tmp_path, fresh=True).step("s", int, "1")
    said = [line for line in capsys.readouterr().out.splitlines() if line.startswith("s:")]
    assert [line.split()[1] for line in said] == ["computed", "from", "computed"]


def test_a_folder_that_cannot_be_made_is_named(tmp_path):
    (tmp_path / "file").touch()
    with pytest.raises(RunError, match="cannot be made"):
        open_run(tmp_path / "file")


def test_an_interval_the_wrong_way_round_is_refused(tmp_path):
    with pytest.raises(SettingsError, match="low <= high"):
        open_run(tmp_path).claim(paper="P", statement="S", interval=(2, 1))


def test_a_figure_that_cannot_be_a_file_is_refused(tmp_path):
    with pytest.raises(SettingsError, match="a figure called"):
        open_run(tmp_path).figure("a/b", go.Figure(), "")


def test_what_is_no_data_is_not_recorded(tmp_path):
    with pytest.raises(SettingsError, match="an object of class object"):
        open_run(tmp_path).record("x", object())


def test_tables_have_words_to_the_left_and_numbers_on_one_line_to_the_right() -> None:
    from workbench.runs.showing import _table

    frame = pd.DataFrame(
        {
            "arm": ["a <b>", "c"],
            "rate": [0.12345, float("nan")],
            "gap": ["+0.1 [-0.2, +0.3]", ""],
            "of": ["1 of 3", "2 of 3"],
        }
    )
    heads, first, second = _table(frame).split("<tr>")[1:]
    left, right = 'style="text-align: left"', 'style="text-align: right; white-space: nowrap"'
    assert heads.count("text-align: right") == 3
    assert f"<td {left}>a &lt;b&gt;</td><td {right}>0.123</td><td {right}>+0.1 [-0.2, +0.3]</td>" in first
    assert f"<td {right}></td><td {right}></td><td {right}>2 of 3</td>" in second


def test_the_conclusion_is_of_this_run(tmp_path, capsys):
    run = open_run(tmp_path)
    capsys.readouterr()
    run.conclude()
    assert "No claim was measured." in capsys.readouterr().out
    run.claim(paper="P", statement="It helps", measured=0.2, interval=(0.1, 0.3), seeds=3, supported=True)
    run.claim(paper="P", statement="It is fast", measured=0.2, interval=(-0.1, 0.3), seeds=3)
    capsys.readouterr()
    run.conclude()
    said = capsys.readouterr().out
    assert said.startswith("This run: profile pocket")
    assert "supported: 1 of 2\n  It helps" in said
    assert "undecided: 1 of 2\n  It is fast" in said
