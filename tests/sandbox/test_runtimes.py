"""Runtimes: what makes them different, building one, and what is said where something is missing."""

import json
import re
import subprocess
import sys
import threading
import time
import warnings
from dataclasses import replace
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from workbench.core.errors import RuntimeMissingError, SettingsError
from workbench.sandbox import runtime_build, runtimes
from workbench.sandbox.runtime_build import build_runtime
from workbench.sandbox.runtime_data import fetch_data
from workbench.sandbox.runtime_progress import BuildProgress
from workbench.sandbox.runtime_python import find_interpreter
from workbench.sandbox.runtime_recipe import RECIPES, DataFile, Recipe, cache_folder, recipe_called
from workbench.sandbox.runtimes import find_runtime, remove_runtime, states_of
from workbench.store import atomic

THIS = "{}.{}".format(*sys.version_info)
DATA = DataFile("tiny-data", "a.csv", "TINY_DATA", "tiny.load()")


@pytest.fixture(autouse=True)
def cache(tmp_path, monkeypatch):
    """Keep everything below the test's own folder."""
    monkeypatch.setenv("WORKBENCH_CACHE", str(tmp_path / "cache"))
    for variable in ("TINY_DATA", "SEABORN_DATA", "SCIKIT_LEARN_DATA"):
        monkeypatch.delenv(variable, raising=False)
    return tmp_path / "cache"


@pytest.fixture
def tiny(tmp_path):
    """Return a recipe without a single package."""
    pins = tmp_path / "pins.txt"
    pins.write_text("# nothing\n")
    return Recipe("tiny", pins, (THIS,))


def pretend_built(recipe):
    """Lay down what a complete runtime looks like, around this interpreter."""
    folder = recipe.folder(THIS)
    (folder / "bin").mkdir(parents=True)
    (folder / "bin/python").symlink_to(sys.executable)
    (folder / "complete.json").write_text(json.dumps({"base_prefix": sys.base_prefix, "size_bytes": 5}))
    return folder


def fake_python(path, body):
    """Write a program that says it is this version of Python, and does `body` otherwise."""
    path.parent.mkdir(exist_ok=True)
    path.write_text(f'#!/bin/sh\ncase "$3" in *ensurepip*) echo {THIS}; exit 0;; esac\n{body}\n')
    path.chmod(0o755)
    return path


def test_main_is_this_interpreter_and_inherits_nothing(monkeypatch):
    monkeypatch.setenv("API_KEY", "s3cret")
    main = find_runtime("main")
    assert main.python == Path(sys.executable)
    assert {sys.prefix, sys.base_prefix} <= set(main.readable)
    assert main.environment["PATH"] == "/usr/bin:/bin"
    assert "s3cret" not in main.environment.values()


def test_an_unknown_runtime_is_met_with_the_known_ones():
    with pytest.raises(SettingsError, match=r"no runtime 'ds100' \(did you mean 'ds1000'\?\)"):
        find_runtime("ds100")


def test_a_runtime_that_may_not_be_built_names_the_command(cache):
    with pytest.raises(RuntimeMissingError) as fault:
        find_runtime("ds1000", build=False)
    assert fault.value.fix == "workbench runtime build ds1000"
    assert not cache.exists()


def test_pins_and_python_make_the_folder_and_comments_do_not(tiny):
    folder = tiny.folder("3.11")
    assert folder.parent == cache_folder() / "runtimes"
    assert re.fullmatch(r"tiny-[0-9a-f]{12}", folder.name)
    assert tiny.folder("3.10") != folder
    tiny.pins.write_text("# said otherwise\n\n")
    assert tiny.folder("3.11") == folder
    tiny.pins.write_text("six==1.17.0\n")
    assert tiny.folder("3.11") != folder


@pytest.mark.parametrize("recipe", RECIPES, ids=lambda recipe: recipe.name)
def test_every_pin_is_exact(recipe):
    for line in recipe.requirements():
        assert re.fullmatch(r"[a-z0-9-]+==[\w.]+( ; \w+ (>=|<|==) \"[\w.]+\")?", line), line


def test_ds1000_has_the_authors_versions_but_for_torch():
    authors = recipe_called("ds1000-exact").requirements()
    ours = recipe_called("ds1000").requirements()
    assert [line for line in authors if line not in ours] == ["torch==2.2.0"]
    assert "torch==2.13.0" in ours


def test_an_interrupted_build_is_redone_and_two_at_once_build_it_once(tiny):
    folder = tiny.folder(THIS)
    (folder / "bin").mkdir(parents=True)
    (folder / "half").touch()
    assert [state.state for state in states_of(tiny)] == ["incomplete"]
    program = (
        "import sys\nfrom pathlib import Path\n"
        "from workbench.sandbox.runtime_build import build_runtime\n"
        "from workbench.sandbox.runtime_recipe import Recipe\n"
        f"print(build_runtime(Recipe('tiny', Path(sys.argv[1]), ({THIS!r},))))"
    )
    both = [
        subprocess.Popen(
            [sys.executable, "-c", program, str(tiny.pins)],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        for _ in range(2)
    ]
    ends = [process.communicate(timeout=120) for process in both]
    assert [out.strip() for out, _ in ends] == [str(folder)] * 2, ends
    assert sum("building in" in err for _, err in ends) == 1
    assert not (folder / "half").exists()
    (state,) = states_of(tiny)
    assert (state.state, state.python) == ("ready", folder / "bin/python")
    assert state.size_bytes > 0

    runtime = find_runtime(tiny, build=False)
    said = subprocess.run(
        [runtime.python, "-I", "-c", "import sys; print(sys.prefix)"],
        capture_output=True,
        text=True,
        check=True,
    )
    assert said.stdout.strip() == str(folder)
    assert {str(folder), sys.base_prefix} <= set(runtime.readable)


def test_a_runtime_that_is_there_is_not_built_again(tiny, capsys):
    folder = pretend_built(tiny)
    assert build_runtime(tiny) == folder
    assert find_runtime(tiny).python == folder / "bin/python"
    assert capsys.readouterr().err == ""


def test_a_runtime_whose_python_is_gone_is_incomplete(tiny):
    folder = pretend_built(tiny)
    (folder / "bin/python").unlink()
    (folder / "bin/python").symlink_to("/no/such/python")
    assert [state.state for state in states_of(tiny)] == ["incomplete"]
    with pytest.raises(RuntimeMissingError):
        find_runtime(tiny, build=False)


def test_other_pins_leave_an_outdated_runtime(tiny):
    folder = pretend_built(tiny)
    tiny.pins.write_text("six==1.17.0\n")
    states = states_of(tiny)
    assert [(state.state, state.folder) for state in states] == [("not built", None), ("outdated", folder)]


def test_a_failed_build_says_what_failed_and_where_to_read_on(tiny, tmp_path):
    python = fake_python(tmp_path / "bin/python", "echo 'Error: no room for ensurepip' >&2; exit 1")
    with pytest.raises(RuntimeMissingError, match="Error: no room for ensurepip") as fault:
        build_runtime(tiny, str(python))
    log = tiny.folder(THIS) / "build.log"
    assert str(log) in fault.value.fix
    assert log.read_text() == "Error: no room for ensurepip\n"
    assert [state.state for state in states_of(tiny)] == ["incomplete"]


@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere a killed build leaves its pip running")
def test_what_a_killed_build_has_started_ends_with_it(tiny, tmp_path):
    python = fake_python(tmp_path / "bin/python", "echo $$ > $0.pid; exec sleep 60")
    program = (
        "import sys\nfrom pathlib import Path\n"
        "from workbench.sandbox.runtime_build import build_runtime\n"
        "from workbench.sandbox.runtime_recipe import Recipe\n"
        f"build_runtime(Recipe('tiny', Path(sys.argv[1]), ({THIS!r},)), sys.argv[2])"
    )
    builder = subprocess.Popen(
        [sys.executable, "-c", program, str(tiny.pins), str(python)], stderr=subprocess.DEVNULL
    )
    note = Path(f"{python}.pid")
    while not (note.exists() and note.read_text().strip()):
        assert builder.poll() is None
        time.sleep(0.05)
    builder.kill()
    builder.wait()
    child = Path("/proc") / note.read_text().strip() / "cmdline"
    deadline = time.monotonic() + 20
    while child.exists() and child.read_bytes():  # a zombie has no command line
        assert time.monotonic() < deadline
        time.sleep(0.05)
    assert [state.state for state in states_of(tiny)] == ["incomplete"]


def test_too_little_disk_space_is_said_before_anything_is_fetched(tiny):
    with pytest.raises(RuntimeMissingError, match="WORKBENCH_CACHE"):
        build_runtime(replace(tiny, disk_bytes=2**60))


def test_a_python_that_does_not_run_is_passed_over(tiny, tmp_path, monkeypatch):
    shim = tmp_path / "shims/python3.99"
    shim.parent.mkdir()
    shim.write_text("#!/bin/sh\necho 'pyenv: python3.99: command not found' >&2; exit 127\n")
    shim.chmod(0o755)
    monkeypatch.setenv("PATH", f"{shim.parent}:{tmp_path / 'real'}")
    monkeypatch.setenv("HOME", str(tmp_path))
    wanted = replace(tiny, versions=("3.99",))
    with pytest.raises(RuntimeMissingError) as fault:
        find_interpreter(wanted)
    assert f"{shim} (does not run, or lacks venv)" in fault.value.got
    assert "--python /path/to/python3.99" in fault.value.fix
    real = tmp_path / "real/python3.99"
    real.parent.mkdir()
    real.write_text("#!/bin/sh\necho 3.99\n")
    real.chmod(0o755)
    assert find_interpreter(wanted).path == real


def test_a_python_of_another_version_is_refused(tiny):
    with pytest.raises(RuntimeMissingError, match=re.escape(f"{sys.executable} (Python {THIS})")):
        find_interpreter(replace(tiny, versions=("3.99",)), sys.executable)


def test_missing_data_are_named_and_the_variable_is_believed(tiny, tmp_path, monkeypatch, cache):
    recipe = replace(tiny, data=(DATA,))
    pretend_built(recipe)
    with pytest.warns(UserWarning, match=r"tiny lacks a\.csv.*workbench runtime build tiny.*TINY_DATA"):
        runtime = find_runtime(recipe)
    assert runtime.environment["TINY_DATA"] == str(cache / "data/tiny_data")
    assert states_of(recipe)[0].missing_data == ("a.csv",)

    monkeypatch.setenv("TINY_DATA", str(tmp_path))
    (tmp_path / "a.csv").touch()
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        runtime = find_runtime(recipe)
    assert runtime.environment["TINY_DATA"] == str(tmp_path)
    assert str(tmp_path) in runtime.readable
    assert states_of(recipe)[0].missing_data == ()


def test_data_are_fetched_whole_or_not_at_all(tiny, tmp_path, capsys):
    recipe = replace(tiny, data=(DATA,))
    cut_off = 'echo half > "$TINY_DATA/a.csv"; echo "URLError: no network" >&2; exit 1'
    fetch_data(recipe, fake_python(tmp_path / "bin/cut", cut_off))
    assert "not fetched: URLError: no network" in capsys.readouterr().err
    assert list(DATA.folder.iterdir()) == []

    fetch_data(recipe, fake_python(tmp_path / "bin/whole", 'echo whole > "$TINY_DATA/a.csv"'))
    assert (DATA.folder / "a.csv").read_text() == "whole\n"
    assert [entry.name for entry in DATA.folder.parent.iterdir()] == ["tiny_data"]


def test_a_named_data_folder_is_left_as_it_is(tiny, tmp_path, monkeypatch, capsys):
    monkeypatch.setenv("TINY_DATA", str(tmp_path / "mine"))
    fetch_data(replace(tiny, data=(DATA,)), Path("/no/such/python"))
    assert not (tmp_path / "mine").exists()
    assert capsys.readouterr().err == ""


def test_remove_says_what_it_removed_and_leaves_data(tiny, monkeypatch, cache):
    monkeypatch.setattr(runtimes, "recipe_called", lambda name: tiny)
    old = pretend_built(tiny)
    tiny.pins.write_text("six==1.17.0\n")
    new = pretend_built(tiny)
    (cache / "data").mkdir()
    assert sorted(remove_runtime("tiny")) == sorted([old, new])
    assert not old.exists()
    assert not new.exists()
    assert (cache / "data").exists()
    assert remove_runtime("tiny") == []


def test_main_is_not_removed():
    with pytest.raises(SettingsError, match="the environment that this command runs in"):
        remove_runtime("main")


def test_a_runtime_that_is_being_built_is_not_removed(tiny, monkeypatch):
    monkeypatch.setattr(runtimes, "recipe_called", lambda name: tiny)
    folder = tiny.folder(THIS)
    folder.mkdir(parents=True)
    program = (
        "import sys\nfrom pathlib import Path\nfrom workbench.store import atomic\n"
        "with atomic.lock(Path(sys.argv[1])):\n    print('held', flush=True)\n    sys.stdin.read()\n"
    )
    with subprocess.Popen(
        [sys.executable, "-c", program, str(runtimes.lock_file(folder))],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as holder:
        assert holder.stdout.readline() == "held\n"
        assert [state.state for state in states_of(tiny)] == ["building"]
        with pytest.raises(RuntimeMissingError, match="being built by another process"):
            remove_runtime("tiny")
    assert folder.exists()
    assert not atomic.is_locked(runtimes.lock_file(folder))


def test_progress_follows_pip(tmp_path):
    progress = BuildProgress("tiny", tmp_path, 2)
    assert progress.line().startswith("tiny: making the environment")
    progress.hear("Collecting torch==2.13.0 (from -r pins.txt (line 2))\n")
    progress.hear("  Downloading torch-2.13.0-cp311-linux.whl.metadata (30 kB)\n")
    assert progress.line().startswith("tiny: making the environment")
    progress.hear("Processing /wheels/six-1.17.0-py3-none-any.whl (from -r pins.txt (line 1))\n")
    progress.hear("  Downloading torch-2.13.0-cp311-linux.whl (187.2 MB)\n")
    assert "fetching 2 of 2 packages, torch-2.13.0-cp311-linux.whl (187.2 MB)" in progress.line()
    progress.hear("Installing collected packages: six, torch\n")
    (tmp_path / "lib/python3.11/site-packages/six-1.17.0.dist-info").mkdir(parents=True)
    assert "installing 1 of 2 packages" in progress.line()


@pytest.mark.skipif(sys.platform != "linux", reason="only on Linux is torch with CUDA the default")
def test_an_extra_index_is_asked_only_where_it_answers(tiny, tmp_path):
    (tmp_path / "torch").mkdir()
    handler = partial(SimpleHTTPRequestHandler, directory=str(tmp_path))
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        here = replace(tiny, extra_index=f"http://127.0.0.1:{server.server_port}")
        assert runtime_build._index_options(here) == ["--extra-index-url", here.extra_index]
        assert runtime_build._index_options(replace(here, extra_index=f"{here.extra_index}/gone")) == []
        server.shutdown()
    assert runtime_build._index_options(here) == []
    assert runtime_build._index_options(tiny) == []


def test_main_has_the_packages_that_are_installed_outside_its_prefixes(tmp_path, monkeypatch):
    """Those of `pip install --user`, and of a .pth file; a source tree on the path is none."""
    user, source = tmp_path / "python" / "site-packages", tmp_path / "source"
    own = f"{sys.prefix}/lib/python{THIS}/site-packages"
    monkeypatch.setattr(sys, "path", [str(source), own, str(user), str(user)])
    assert find_runtime("main").packages == (str(user),)
