"""`workbench doctor` and `workbench runtime`, as a user meets them."""

import json
import sys

import pytest
from click.testing import CliRunner

from workbench import doctor
from workbench.cli import cli
from workbench.doctor import Check
from workbench.sandbox.runtime_recipe import recipe_called


@pytest.fixture(autouse=True)
def cache(tmp_path, monkeypatch):
    """Look into an empty cache, and at no network."""
    monkeypatch.setenv("WORKBENCH_CACHE", str(tmp_path))
    monkeypatch.setenv("HF_ENDPOINT", "http://user:pa55@127.0.0.1:9")
    monkeypatch.delenv("HF_HUB_OFFLINE", raising=False)
    for variable in ("SEABORN_DATA", "SCIKIT_LEARN_DATA", "OPENAI_BASE_URL", "OPENAI_API_KEY"):
        monkeypatch.delenv(variable, raising=False)
    return tmp_path


def pretend_built():
    folder = recipe_called("ds1000").folder("3.11")
    (folder / "bin").mkdir(parents=True)
    (folder / "bin/python").symlink_to(sys.executable)
    (folder / "complete.json").write_text(json.dumps({"base_prefix": sys.base_prefix, "size_bytes": 31e8}))
    return folder


def test_list_shows_name_state_and_interpreter():
    folder = pretend_built()
    shown = CliRunner().invoke(cli, ["runtime", "list"])
    assert shown.exit_code == 0
    rows = [line.split() for line in shown.output.splitlines()]
    assert rows[0] == ["main", "ready", sys.executable]
    assert rows[1] == ["ds1000", "ready,", "3.1", "GB", str(folder / "bin/python")]
    assert "lacks data: penguins.csv" in shown.output
    assert rows[-1][:3] == ["ds1000-exact", "not", "built"]


def test_build_says_that_it_is_there_already(cache, monkeypatch):
    folder = pretend_built()
    for variable in ("SEABORN_DATA", "SCIKIT_LEARN_DATA"):
        monkeypatch.setenv(variable, str(cache))
    said = CliRunner().invoke(cli, ["runtime", "build"])
    assert said.exit_code == 0
    assert f"ds1000 was there already: {folder / 'bin/python'}" in said.output
    assert str(cache / "penguins.csv") in said.output


def test_remove_says_what_it_did():
    folder = pretend_built()
    exact = CliRunner().invoke(cli, ["runtime", "remove", "--exact"])
    assert "ds1000-exact is not built" in exact.output
    assert CliRunner().invoke(cli, ["runtime", "remove"]).output == f"removed {folder}\n"
    assert CliRunner().invoke(cli, ["runtime", "remove", "main"]).exit_code == 2


def test_doctor_shows_every_part_and_no_secret(monkeypatch):
    monkeypatch.setenv("OPENAI_API_KEY", "s3cret")
    monkeypatch.setenv("OPENAI_BASE_URL", "http://me:s3cret@localhost:8000/v1?key=s3cret")
    pretend_built()
    shown = CliRunner().invoke(cli, ["doctor"])
    lines = shown.output.splitlines()
    states = {line[9:30].strip(): line[:8].strip() for line in lines if line[:1].strip()}
    assert {"python", "torch", "bitsandbytes", "isolation", "disk", "memory", "tensorflow"} <= set(states)
    assert states["runtime ds1000"] == "ok"
    assert states["runtime ds1000-exact"] == states["runtimes' data"] == "missing"
    assert states["Hub"] == "note"
    assert states["OpenAI endpoint"] == "ok"
    assert "http://localhost:8000/v1, OPENAI_API_KEY is set" in shown.output
    assert "s3cret" not in shown.output
    assert "pa55" not in shown.output
    assert all(len(line) <= 100 for line in lines if "/" not in line)  # a path is not broken
    assert shown.exit_code == (1 if "broken" in states.values() else 0), shown.output


def test_a_broken_core_is_the_exit_status(monkeypatch):
    checks = [Check("python", "ok", "3.11"), Check("isolation", "broken", "no Landlock", "run on Linux 6.12")]
    monkeypatch.setattr(doctor, "examine", lambda: iter(checks))
    shown = CliRunner().invoke(cli, ["doctor"])
    assert shown.exit_code == 1
    assert "broken   isolation             no Landlock" in shown.output
    assert "fix: run on Linux 6.12" in shown.output


def test_a_library_that_breaks_in_its_own_way_is_a_row():
    def look():
        raise OSError("libcudart.so.13: cannot open shared object file")

    found = doctor._guarded("torch", look)
    assert (found.state, found.detail) == (
        "broken",
        "OSError: libcudart.so.13: cannot open shared object file",
    )
    assert "pip install -r" in found.fix


@pytest.mark.parametrize("address", ["http://user:pa55@host", "http://[", "no address"])
def test_an_endpoint_that_is_none_is_a_note(address, monkeypatch):
    monkeypatch.setenv("HF_ENDPOINT", address)
    monkeypatch.setattr(doctor, "_HUB_S", 0.2)
    found = doctor._hub()
    assert found.state == "note"
    assert "pa55" not in found.detail


def test_doctor_lists_languages(monkeypatch, tmp_path):
    tool = tmp_path / "ring"
    tool.write_text("#!/bin/sh\n")
    tool.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path))
    checks = {check.name: check for check in doctor._languages()}
    assert checks["language python"] == Check("language python", "ok", sys.executable)
    assert checks["language hy"].state == "ok"
    assert checks["language ring"] == Check("language ring", "ok", str(tool.resolve()))
    assert (checks["language pony"].state, "ponyup" in checks["language pony"].fix) == ("missing", True)
