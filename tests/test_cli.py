"""The frame of the command line, and the faults of `workbench run` that are found before anything runs."""

import os
import subprocess
import sys

import pytest
from click.testing import CliRunner
from small_notebooks import write_notebook

from workbench.cli import cli, main
from workbench.errors import SettingsError
from workbench.runs import atomic
from workbench.runs.planning import plan, typed


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """Enter a folder with one small notebook."""
    write_notebook(tmp_path, "small")
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_help_lists_every_command_of_the_folder():
    shown = CliRunner().invoke(cli, ["--help"])
    assert shown.exit_code == 0
    assert "run " in shown.output
    for name in cli.list_commands(None):
        each = CliRunner().invoke(cli, [name, "--help"])
        assert each.exit_code == 0, each.output
        assert "Example" in each.output, f"{name} --help shows no example"


def test_help_loads_nothing_heavy():
    heavy = {
        "torch",
        "transformers",
        "plotly",
        "pandas",
        "numpy",
        "papermill",
        "datasets",
        "sklearn",
        "IPython",
    }
    program = (
        "import sys\nfrom workbench.cli import cli\n"
        "cli.main(['--help'], standalone_mode=False)\n"
        f"print('LOADED', sorted({heavy} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout.splitlines()[-1] == "LOADED []"


def test_an_unknown_command_is_met_with_a_suggestion():
    said = CliRunner().invoke(cli, ["runn"])
    assert said.exit_code == 2
    assert "no command 'runn' (did you mean 'run'?)" in said.output


def test_all_faults_of_a_command_are_named_at_once(folder):
    words = ["-p", "sed=1", "-p", "n", "-p", "api_key=s3cret", "-p", "out=x", "-p", "seed=1", "-p", "seed=2"]
    said = CliRunner().invoke(cli, ["run", "small.ipynb", "other.ipynb", *words])
    assert said.exit_code == 2
    assert "unknown parameter 'sed' (did you mean 'seed'?)" in said.output
    assert "-p n (needs the form name=value)" in said.output
    assert "a secret as -p api_key=..." in said.output
    assert "s3cret" not in said.output
    assert "-p out=... (given by --out)" in said.output
    assert "-p seed=... twice" in said.output
    assert "no notebook at other.ipynb" in said.output
    assert "small has profile, out, seed, n" in said.output
    assert "Traceback" not in said.output
    assert not (folder / "runs").exists()


def test_debug_shows_the_traceback_wherever_it_stands(folder):
    command = [sys.executable, "-m", "workbench.cli", "run", "small.ipynb", "-p", "x=1"]
    plain = subprocess.run(command, capture_output=True, text=True, check=False)
    debug = subprocess.run([*command, "--debug"], capture_output=True, text=True, check=False)
    assert (plain.returncode, "Traceback" in plain.stderr) == (2, False)
    assert "Traceback" in debug.stderr


def test_a_paper_that_does_not_exist_is_named_with_those_that_do(folder, tmp_path):
    (tmp_path / "notebooks").mkdir()
    (tmp_path / "workbench").mkdir()
    write_notebook(tmp_path / "notebooks", "alarm")
    with pytest.raises(SettingsError, match=r"no paper called 'alram' \(did you mean 'alarm'\?\)"):
        plan(["alram"], "pocket", [])


def test_without_names_every_notebook_with_parameters_is_planned(folder, tmp_path):
    (tmp_path / "workbench").mkdir()
    (tmp_path / "notebooks").mkdir()
    write_notebook(tmp_path / "notebooks", "first")
    write_notebook(tmp_path / "notebooks", "second")
    (tmp_path / "notebooks/start_here.ipynb").write_text('{"cells": [], "nbformat": 4}')
    made = plan([], "pocket", ["n=5"])
    assert [planned.paper for planned in made.notebooks] == ["first", "second"]
    assert made.folder.parent == tmp_path / "runs"
    expected = {"profile": "pocket", "out": str(made.folder), "n": 5}
    assert made.notebooks[0].parameters == expected


def test_a_key_changes_with_cells_parameters_and_files_they_name(folder):
    def key(*words):
        return plan(["small.ipynb"], "pocket", words).notebooks[0].key

    (folder / "data.txt").write_text("one")
    assert key() == key()
    assert key() != key("n=4")
    before = key("n=recorded:data.txt")
    (folder / "data.txt").write_text("two")
    assert key("n=recorded:data.txt") != before
    unchanged = key()
    write_notebook(folder, "small", "print(1)")
    assert key() != unchanged


@pytest.mark.parametrize(
    ("text", "value"),
    [("True", True), ("None", None), ("3", 3), ("3.5", 3.5), ("1e-3", 0.001), ("a=b", "a=b"), ("", "")],
)
def test_values_are_read_as_papermill_reads_them(text, value):
    from papermill.cli import _resolve_type

    assert typed(text) == value
    assert typed(text) == _resolve_type(text)
    assert type(typed(text)) is type(value)


@pytest.mark.skipif(os.name != "posix", reason="needs file locks")
def test_a_folder_in_use_is_refused(folder):
    program = (
        "import sys\nfrom pathlib import Path\nfrom workbench.runs import atomic\n"
        "with atomic.lock(Path('out/.lock')):\n    print('held', flush=True)\n    sys.stdin.read()\n"
    )
    with subprocess.Popen(
        [sys.executable, "-c", program], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as holder:
        assert holder.stdout.readline() == "held\n"
        said = CliRunner().invoke(cli, ["run", "small.ipynb", "--out", "out"])
    assert said.exit_code == 2
    assert "another process is running in out" in said.output
    assert not atomic.is_locked(folder / "out/.lock")


def test_a_file_as_out_is_refused(folder):
    (folder / "file").touch()
    with pytest.raises(SystemExit) as stopped:
        main(["run", "small.ipynb", "--out", "file"])
    assert stopped.value.code == 2
