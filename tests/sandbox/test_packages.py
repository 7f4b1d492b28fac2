"""Packages beside a runtime's own: importable in both processes of a program, and nothing else opened."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from workbench.core.errors import SettingsError
from workbench.sandbox import Program, Sandbox
from workbench.sandbox.runtimes import find_runtime

LINUX = pytest.mark.skipif(sys.platform != "linux", reason="the sandbox needs Linux")

TESTS = """
import pocketlib

def test_execution(solution):
    environment = {"test_input": 20}
    exec(solution, environment)
    assert environment["result"] == pocketlib.double(20) + 2
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    package = tmp_path / "packages" / "pocketlib"
    package.mkdir(parents=True)
    (package / "__init__.py").write_text("def double(number):\n    return 2 * number\n")
    (tmp_path / "secret.txt").write_text("not for programs")
    return tmp_path / "packages"


@LINUX
def test_solution_and_tests_import_the_package(folder: Path) -> None:
    with Sandbox(runtime=find_runtime("main").with_packages(folder), workers=1) as box:
        plain = box.run("import pocketlib\nprint(pocketlib.double(21))")
        assert plain.stdout == "42\n", plain
        graded = Program("import pocketlib\nresult = pocketlib.double(test_input) + 2", TESTS)
        assert box.run(graded).passed
        assert not box.run(Program("result = 7", TESTS)).passed


@LINUX
def test_package_is_imported_once_for_all_programs(folder: Path) -> None:
    """What the zygote has imported is in `sys.modules` before a program asks for it."""
    with Sandbox(runtime=find_runtime("main").with_packages(folder), workers=1) as box:
        verdict = box.run('import sys\nprint("pocketlib" in sys.modules)\nimport pocketlib')
    assert verdict.stdout == "True\n", verdict


@LINUX
def test_only_the_package_folder_is_opened_and_only_to_read(folder: Path) -> None:
    with Sandbox(runtime=find_runtime("main").with_packages(folder), workers=1) as box:
        read = box.run(f"open({str(folder.parent / 'secret.txt')!r}).read()")
        write = box.run(f"open({str(folder / 'pocketlib' / 'more.py')!r}, 'w')")
    assert "PermissionError" in read.message
    assert "PermissionError" in write.message


@LINUX
def test_package_shadows_nothing_of_the_runtime(folder: Path) -> None:
    (folder / "json.py").write_text("raise SystemExit('shadowed')")
    with Sandbox(runtime=find_runtime("main").with_packages(folder), workers=1) as box:
        assert box.run("import json\nprint(json.dumps([1]))").stdout == "[1]\n"


def test_runtime_itself_is_left_as_it_was(folder: Path) -> None:
    main = find_runtime("main")
    twice = main.with_packages(folder).with_packages(str(folder.parent))
    assert main.packages == ()
    assert twice.packages == (str(folder.resolve()), str(folder.parent.resolve()))


def test_missing_folder_is_named(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match="nowhere"):
        find_runtime("main").with_packages(tmp_path / "nowhere")
