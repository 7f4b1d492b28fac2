"""Tab offers what is there, in every shell, and never disturbs the line."""

import subprocess
import sys

import pytest
from click.shell_completion import ShellComplete
from click.testing import CliRunner
from small_notebooks import write_notebook

from workbench.cli.main import cli


def offered(*words, begun=""):
    complete = ShellComplete(cli, {}, "workbench", "_WORKBENCH_COMPLETE")
    return [(item.type, item.value) for item in complete.get_completions(list(words), begun)]


@pytest.fixture
def project(tmp_path, monkeypatch):
    """Enter a project with one notebook and two runs."""
    for name in ("notebooks", "workbench", "runs/older", "runs/newer"):
        (tmp_path / name).mkdir(parents=True)
    write_notebook(tmp_path / "notebooks", "alarm")
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_commands_and_options():
    assert ("plain", "doctor") in offered(begun="do")
    assert offered("run", begun="--pro") == [("plain", "--profile")]
    assert offered("run", "--profile", begun="l") == [("plain", "laptop")]


def test_papers_are_notebooks_and_then_files(project):
    assert offered("run", begun="al") == [("plain", "alarm")]
    assert offered("run", begun="my") == [("file", "my")]


def test_parameters_are_those_of_the_papers_named():
    of_arks = offered("run", "arks", "-p", begun="")
    assert ("plain", "rounds=") in of_arks
    assert ("plain", "generators=") not in of_arks
    assert ("plain", "generators=") in offered("run", "-p", begun="gen")


def test_runs(project):
    assert offered("report", begun="n") == [("plain", "newer")]
    assert {value for _, value in offered("report", begun="")} == {"older", "newer"}


def test_runtimes():
    assert offered("runtime", "build", begun="ds1000-") == [("plain", "ds1000-exact")]


def test_where_there_is_nothing_nothing_is_offered(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert offered("report", begun="x") == [("file", "x")]


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_the_script_of_a_shell(shell):
    shown = CliRunner().invoke(cli, ["completion", shell])
    assert shown.exit_code == 0
    assert f"_WORKBENCH_COMPLETE={shell}_complete" in shown.output


def test_the_script_is_written_to_where_the_shell_looks(tmp_path, monkeypatch):
    monkeypatch.setenv("HOME", str(tmp_path))
    shown = CliRunner().invoke(cli, ["completion", "fish", "--install"])
    file = tmp_path / ".config/fish/completions/workbench.fish"
    assert shown.output == f"written: {file}\nnext: open a new shell\n"
    assert "complete" in file.read_text()


def test_bash_completes_a_line(tmp_path):
    """As bash asks: the words and the place of the cursor in its environment."""
    done = subprocess.run(
        [sys.executable, "-c", "from workbench.cli.main import main; main([])"],
        env={
            "_WORKBENCH_COMPLETE": "bash_complete",
            "COMP_WORDS": "workbench re",
            "COMP_CWORD": "1",
            "PATH": "/bin",
        },
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.stdout.split() == ["plain,report", "plain,reward"]
