"""The frame of the command line, and the faults of `workbench run` that are found before anything runs."""

import errno
import os
import re
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import click
import pytest
from click.testing import CliRunner
from small_notebooks import write_notebook

from workbench import doctor
from workbench.cli.main import cli, main
from workbench.core import errors
from workbench.core.errors import FileError, SettingsError
from workbench.runs.planning import plan, typed
from workbench.store import atomic


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


def every_command(group=cli, words=()):
    """Yield the words of every command, groups and their members."""
    for name in group.list_commands(None):
        command = group.get_command(click.Context(group), name)
        yield (*words, name)
        if isinstance(command, click.Group):
            yield from every_command(command, (*words, name))


@pytest.mark.parametrize("words", [(), *every_command()], ids=" ".join)
def test_help_fits_on_a_screen_and_shows_an_example(words):
    shown = CliRunner().invoke(cli, [*words, "--help"], terminal_width=80)
    assert shown.exit_code == 0
    assert len(shown.output.splitlines()) <= 40
    assert shown.output.count("Example: workbench") == 1


@pytest.mark.parametrize("words", [("reward", "train"), ("ds1000", "score"), ("arks", "run")], ids=" ".join)
def test_the_long_help_shows_what_the_short_one_leaves_out(words):
    short, long = (CliRunner().invoke(cli, [*words, option]).output for option in ("--help", "--help-all"))
    command = cli
    for word in words:
        command = command.get_command(click.Context(command), word)
    named = [max(option.opts, key=len) for option in command.params if isinstance(option, click.Option)]
    assert all(name in long for name in named)
    assert any(name not in short for name in named)


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
        "import sys\nfrom workbench.cli.main import cli\n"
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
    assert "small has seed, n" in said.output
    assert "Traceback" not in said.output
    assert not (folder / "runs").exists()


def test_debug_shows_the_traceback_wherever_it_stands():
    command = [sys.executable, "-m", "workbench.cli.main", "runtime", "build", "nope"]
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
    (folder / "small.ipynb").write_text(
        (folder / "small.ipynb").read_text().replace("n: int = 3", "n: str = 'none'")
    )
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
        "import sys\nfrom pathlib import Path\nfrom workbench.store import atomic\n"
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


@pytest.fixture
def failing(monkeypatch):
    """Make `workbench doctor` fail in the way that is asked for."""

    def fail(fault):
        def examine():
            raise fault

        monkeypatch.setattr(doctor, "examine", examine)
        return CliRunner().invoke(cli, ["doctor"])

    return fail


@pytest.mark.parametrize(
    ("number", "said"),
    [
        (errno.ENOSPC, "needed: room on the disk"),
        (errno.EACCES, "needed: permission to read and write there"),
        (errno.EROFS, "needed: a disk that can be written"),
        (errno.EEXIST, "needed: a folder, where a file has that name"),
        (errno.ELOOP, "needed: a file or folder that can be used so"),
    ],
    ids=errno.errorcode.get,
)
def test_what_the_system_refuses_is_said_in_three_lines(failing, number, said):
    shown = failing(OSError(number, os.strerror(number), "out/x.json"))
    assert shown.exit_code == 2
    assert shown.output.startswith(f"got: out/x.json: {os.strerror(number)}\n{said}\nfix: ")
    assert isinstance(shown.exception, SystemExit)


def test_a_missing_package_is_named(failing):
    shown = failing(ModuleNotFoundError("No module named 'trl'", name="trl.experimental"))
    assert (shown.exit_code, "got: no package trl in this environment" in shown.output) == (2, True)


@pytest.mark.parametrize("fault", [ValueError("ours"), ModuleNotFoundError("ours", name="workbench.nothing")])
def test_a_fault_of_ours_is_called_so_with_where_to_report_it(failing, fault):
    shown = failing(fault)
    kind = type(fault).__name__
    lines = shown.output.splitlines()
    assert (shown.exit_code, len(lines)) == (1, 3)
    assert re.fullmatch(rf"got: {kind}: ours \(workbench/\S+\.py:\d+\)", lines[0])
    assert lines[1] == "needed: nothing of you: this is a fault of the workbench"
    assert lines[2] == (
        "fix: report it at the project's issue tracker, with what `workbench --debug doctor ...` shows"
    )
    assert isinstance(shown.exception, SystemExit)


def test_a_tracker_that_the_package_names_is_named(monkeypatch):
    urls = ["Homepage, https://example.org", "Issues, https://example.org/issues"]
    monkeypatch.setattr(errors.metadata, "metadata", lambda name: SimpleNamespace(get_all=lambda field: urls))
    assert "report it at https://example.org/issues, with" in errors.InternalError.report("x")


def test_too_little_memory_is_no_fault_of_the_workbench(failing):
    class OutOfMemoryError(RuntimeError):
        """As torch calls it."""

    for fault in (MemoryError(), OutOfMemoryError("CUDA out of memory. Tried to allocate\nmore")):
        shown = failing(fault)
        assert shown.exit_code == 2
        assert "needed: more memory than is free" in shown.output
        assert "fault of the workbench" not in shown.output


def test_what_click_says_itself_is_left_to_it(failing):
    assert "Usage: " in failing(click.UsageError("so not")).output
    assert failing(click.exceptions.Exit(3)).exit_code == 3


def test_ctrl_c_ends_with_the_status_that_shells_know(failing):
    shown = failing(KeyboardInterrupt())
    assert (shown.exit_code, shown.output) == (130, "interrupted\n")


def test_debug_shows_the_traceback_of_what_the_system_refuses(monkeypatch):
    def examine():
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(doctor, "examine", examine)
    assert isinstance(CliRunner().invoke(cli, ["--debug", "doctor"]).exception, OSError)


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs /dev/full")
@pytest.mark.parametrize("words", [["--help"], ["runtime", "list"]], ids=" ".join)
def test_an_output_that_takes_nothing_more_is_no_traceback(words):
    with Path("/dev/full").open("w") as full:
        done = subprocess.run(
            [sys.executable, "-m", "workbench.cli.main", *words],
            stdout=full,
            stderr=subprocess.PIPE,
            text=True,
            check=False,
        )
    assert done.returncode != 0
    assert "Traceback" not in done.stderr
    assert "needed: room on the disk" in done.stderr


def test_a_reader_that_has_had_enough_is_no_fault():
    command = f"{sys.executable} -m workbench.cli.main runtime list | head -n 1 >/dev/null"
    done = subprocess.run(["bash", "-c", command], stderr=subprocess.PIPE, text=True, check=False)
    assert done.stderr == ""


def test_a_system_fault_without_a_file_is_said_too():
    assert FileError.of(OSError("odd")).got == "odd"
    assert FileError.of(TimeoutError()).got == "TimeoutError"
    assert FileError.of(OSError(errno.EXDEV, "Cross-device link", "a", None, "b")).got.startswith("a -> b: ")
