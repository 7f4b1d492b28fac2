"""`workbench doctor` and `workbench runtime`, as a user meets them."""

import json
import sys
import tomllib
from importlib import metadata
from pathlib import Path

import bitsandbytes
import pytest
import torch
from bitsandbytes.autograd._functions import MatMul4Bit
from click.testing import CliRunner

from workbench import doctor
from workbench.cli.main import cli
from workbench.core import processor
from workbench.doctor import Check, core, extras, network
from workbench.doctor.check import guarded, typed_path
from workbench.doctor.programs import language_checks
from workbench.models import four_bit
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
    monkeypatch.setenv("COLUMNS", "100")  # the terminal's width, whatever ran before
    monkeypatch.setenv("OPENAI_API_KEY", "s3cret")
    monkeypatch.setenv("OPENAI_BASE_URL", "http://me:s3cret@localhost:8000/v1?key=s3cret")
    pretend_built()
    shown = CliRunner().invoke(cli, ["doctor"])
    lines = shown.output.splitlines()
    states = {line[13:34].strip(): line[4:12].strip() for line in lines if line[2:3].strip()}
    needed = {"Python", "torch", "processor", "bitsandbytes", "JupyterLab", "memory", "disk", "isolation"}
    optional = {
        "extra bench",
        "extra encoder",
        "extra languages",
        "extra translation",
        "extra tensorflow",
        "Java",
    }
    assert needed | optional <= set(states)
    assert [line for line in lines if line in ("Core", "Programs", "Network", "Optional")] == [
        "Core",
        "Programs",
        "Network",
        "Optional",
    ]
    assert states["runtime ds1000"] == "ok"
    assert states["runtime ds1000-exact"] == states["data of runtimes"] == "missing"
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
    assert "✕ broken   isolation             no Landlock" in shown.output
    assert "fix: run on Linux 6.12" in shown.output


def test_a_library_that_breaks_in_its_own_way_is_a_row():
    def look():
        raise OSError("libcudart.so.13: cannot open shared object file")

    found = guarded("torch", look)
    assert (found.state, found.detail) == (
        "broken",
        "OSError: libcudart.so.13: cannot open shared object file",
    )
    assert "pip install -r" in found.fix


@pytest.mark.parametrize("address", ["http://user:pa55@host", "http://[", "no address"])
def test_an_endpoint_that_is_none_is_a_note(address, monkeypatch):
    monkeypatch.setenv("HF_ENDPOINT", address)
    monkeypatch.setattr(network, "_HUB_S", 0.2)
    found = network._hub()
    assert found.state == "note"
    assert "pa55" not in found.detail


def test_doctor_lists_languages(monkeypatch, tmp_path):
    tool = tmp_path / "ring"
    tool.write_text("#!/bin/sh\n")
    tool.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path))
    checks = {check.name: check for check in language_checks()}
    assert checks["language python"] == Check("language python", "ok", typed_path(Path(sys.executable)))
    assert checks["language hy"].state == "ok"
    assert checks["language ring"] == Check("language ring", "ok", typed_path(tool.resolve()))
    assert (checks["language pony"].state, "ponyup" in checks["language pony"].fix) == ("missing", True)


def test_the_hub_is_not_asked_where_it_is_forbidden(monkeypatch):
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    found = network._hub()
    assert (found.state, found.fix) == ("note", "unset HF_HUB_OFFLINE")


def test_an_extra_names_what_it_lacks_and_how_to_get_it(monkeypatch):
    asked = ["click>=8.1", "rank-bm25>=0.2; extra == 'bench'", "trl>=1.0; extra == 'bench'"]
    monkeypatch.setattr(metadata, "requires", lambda name: asked)
    monkeypatch.setattr(extras, "_version", {"rank-bm25": "0.2.2", "trl": "0.9"}.get)
    found = extras._extra("bench", "to compare with")
    assert (found.state, found.detail) == ("missing", "no trl: to compare with")
    assert found.fix.endswith("-m pip install 'trl>=1.0'")
    monkeypatch.setattr(extras, "_version", lambda name: "99.0")
    assert extras._extra("bench", "to compare with").detail == "rank-bm25 99.0, trl 99.0: to compare with"
    assert extras._extra("new", "what is new").state == "note"


def test_every_extra_has_a_purpose_here_unless_it_is_the_developers_own():
    project = tomllib.loads((Path(__file__).resolve().parents[3] / "pyproject.toml").read_text())["project"]
    declared = set(project["optional-dependencies"])
    assert set(extras.PURPOSES) == declared - {"test", "dev"}


def test_paths_are_shown_as_they_are_typed(monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HOME", "/home/me")
    assert typed_path(tmp_path / "a/b") == "a/b"
    assert typed_path(Path("/home/me/c")) == "~/c"
    assert typed_path(Path("/usr/d")) == "/usr/d"


def test_a_terminal_that_has_no_signs_is_given_words_alone(monkeypatch):
    monkeypatch.setattr(doctor, "examine", lambda: iter([Check("python", "ok", "3.11", part="Core")]))
    shown = CliRunner(charset="ascii").invoke(cli, ["doctor"])
    assert "✓" not in shown.output
    assert "    ok       python" in shown.output


def test_a_four_bit_layer_is_right_in_evaluation_and_in_the_gradient_after_it():
    found = core._bitsandbytes()
    assert (found.state, "4-bit weights work on" in found.detail) == ("ok", True)


@pytest.mark.skipif(torch.cuda.is_available(), reason="looks at the GPU where there is one")
def test_a_layer_that_repacks_is_found(monkeypatch):
    """As on a CPU with AVX512-BF16, where the check once said that all was well."""

    def repack(data, state):
        return data.flip(0), state

    monkeypatch.setattr(bitsandbytes.nn.modules, "has_avx512bf16", lambda: True)
    monkeypatch.setattr(bitsandbytes.nn.modules, "_convert_weight_packed_for_cpu", repack)
    assert core._bitsandbytes().state == "ok", "layers are held as models' are"
    monkeypatch.setattr(four_bit, "hold_layout", lambda layer: None)
    found = core._bitsandbytes()
    assert (found.state, "4-bit models do not work: an evaluation pass is off by" in found.detail) == (
        "missing",
        True,
    )


@pytest.mark.skipif(torch.cuda.is_available(), reason="looks at the GPU where there is one")
def test_a_gradient_that_an_evaluation_pass_has_changed_is_found(monkeypatch):
    plain = MatMul4Bit.backward
    monkeypatch.setattr(MatMul4Bit, "backward", lambda ctx, grad: (-plain(ctx, grad)[0], *[None] * 4))
    assert "a gradient after an evaluation pass is off by 20" in core._bitsandbytes().detail


def test_the_processor_is_named_with_what_libraries_choose_by(monkeypatch, tmp_path):
    info = tmp_path / "cpuinfo"
    info.write_text("model name\t: Xeon\nflags\t\t: sse avx2 fpu avx512_bf16 amx_tile\n")
    monkeypatch.setattr(processor, "CPUINFO", info)
    assert core._processor().detail.startswith("Xeon; torch computes with ")
    assert core._processor().detail.endswith("; instruction sets: amx_tile avx2 avx512_bf16")
    info.write_text("Features\t: fp asimd sve2 bf16\n")
    assert processor.instruction_sets() == ["asimd", "bf16", "sve2"]
    monkeypatch.setattr(processor, "CPUINFO", tmp_path / "none")
    assert processor.instruction_sets() == []
