"""Packages outside of a runtime's folders: every way that Python finds them works in the sandbox, or is refused."""

from __future__ import annotations

import os
import subprocess
import sys
import sysconfig
import tempfile
import zipfile
from dataclasses import replace
from pathlib import Path

import pytest

from workbench.core.errors import SandboxUnavailableError
from workbench.sandbox import Sandbox
from workbench.sandbox.installed import require_imports, with_installed
from workbench.sandbox.isolation import check
from workbench.sandbox.runtimes import Runtime, find_runtime

DOUBLE = "def double(number):\n    return 2 * number\n"
# what `pip install -e` of setuptools writes where a package's folder is not called like the package
FINDER = """
import sys
from importlib.machinery import PathFinder
from importlib.util import spec_from_file_location

class Finder:
    @classmethod
    def find_spec(cls, fullname, path=None, target=None):
        if fullname == "renamedlib":
            folder = {folder!r}
            return spec_from_file_location(fullname, folder + "/__init__.py", submodule_search_locations=[folder])

sys.meta_path.append(Finder)
"""


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    try:
        check("sandlock")
    except Exception as error:  # the reason is shown with the skip
        pytest.skip(f"programs cannot be isolated here: {error}")
    monkeypatch.setenv("WORKBENCH_CACHE", str(tmp_path / "cache"))


def write(file: Path, text: str) -> Path:
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(text)
    return file


def printed(runtime: Runtime, program: str) -> str:
    with Sandbox(runtime, workers=1) as box:
        verdict = box.run(program)
    assert verdict.passed, verdict
    return verdict.stdout


@pytest.fixture
def environment(tmp_path: Path) -> Runtime:
    """Make an environment of its own that a `.pth` lends the sandbox's own needs: what is installed there is ours."""
    folder = tmp_path / "environment"
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", str(folder)], check=True, timeout=120)
    main = find_runtime("main")
    runtime = replace(
        main, python=folder / "bin" / "python", readable=(*main.readable, str(folder), str(folder.resolve()))
    )
    write(site(runtime) / "lent.pth", sysconfig.get_paths()["purelib"] + "\n")
    return runtime


def site(runtime: Runtime) -> Path:
    return next((runtime.python.parents[1] / "lib").glob("python3*")) / "site-packages"


def test_what_the_runtime_has_itself_changes_nothing() -> None:
    main = find_runtime("main")
    assert with_installed(main, ["numpy", "json", "surely_no_package"]) is main


def test_a_folder_on_the_path_gives_the_package_and_nothing_beside_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write(tmp_path / "source" / "outerlib" / "__init__.py", DOUBLE)
    write(tmp_path / "source" / "notes.txt", "not for programs")
    write(tmp_path / "source" / "otherlib" / "__init__.py", "")
    monkeypatch.syspath_prepend(str(tmp_path / "source"))
    runtime = with_installed("main", ["outerlib"])
    assert printed(runtime, "import outerlib; print(outerlib.double(21))") == "42\n"
    with Sandbox(runtime, workers=1) as box:
        notes = box.run(f"open({str(tmp_path / 'source' / 'notes.txt')!r})")
        other = box.run("import otherlib")
        listed = box.run(f"import os; os.listdir({str(tmp_path / 'source')!r})")
    assert notes.message.startswith("PermissionError")
    assert other.message.startswith("ModuleNotFoundError")
    assert listed.message.startswith("PermissionError")


def test_a_package_brings_the_packages_outside_that_it_imports(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write(
        tmp_path / "a" / "firstlib" / "__init__.py",
        "def f():\n    from secondlib.part import g\n    return g()\n",
    )
    write(
        tmp_path / "b" / "secondlib" / "part.py", "import thirdlib\n\ndef g():\n    return thirdlib.VALUE\n"
    )
    write(tmp_path / "b" / "secondlib" / "__init__.py", "")
    write(tmp_path / "b" / "thirdlib.py", "VALUE = 7\n")
    for folder in "ab":
        monkeypatch.syspath_prepend(str(tmp_path / folder))
    runtime = with_installed("main", ["firstlib"])
    assert printed(runtime, "import firstlib; print(firstlib.f())") == "7\n"
    assert [name for name, _ in runtime.modules] == ["firstlib", "secondlib", "thirdlib.py"]


def test_a_namespace_in_several_folders(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write(tmp_path / "a" / "outerspace" / "one.py", "X = 1\n")
    write(tmp_path / "b" / "outerspace" / "two" / "__init__.py", "Y = 2\n")
    (tmp_path / "c" / "outerspace").mkdir(parents=True)  # holds no Python: a folder of that name, no package
    for folder in "abc":
        monkeypatch.syspath_prepend(str(tmp_path / folder))
    runtime = with_installed("main", ["outerspace.one"])
    program = "import outerspace.one, outerspace.two; print(outerspace.one.X, outerspace.two.Y)"
    assert printed(runtime, program) == "1 2\n"
    assert str(tmp_path / "c" / "outerspace") not in runtime.readable


def test_a_zipped_package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with zipfile.ZipFile(tmp_path / "outer.zip", "w") as archive:
        archive.writestr("zippedlib/__init__.py", DOUBLE)
    monkeypatch.syspath_prepend(str(tmp_path / "outer.zip"))
    assert (
        printed(with_installed("main", ["zippedlib"]), "import zippedlib; print(zippedlib.double(1))")
        == "2\n"
    )


def test_a_compiled_module(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import _json

    if not getattr(_json, "__file__", None):
        pytest.skip("this Python has no compiled module in a file of its own to stand for one")
    file = tmp_path / "source" / Path(_json.__file__).name
    file.parent.mkdir()
    file.write_bytes(Path(_json.__file__).read_bytes())
    renamed = file.rename(file.with_name(file.name.replace("_json", "_outerjson")))
    monkeypatch.syspath_prepend(str(file.parent))
    runtime = with_installed("main", ["_outerjson"])
    assert runtime.modules == ((renamed.name, renamed),)
    with Sandbox(runtime, workers=1) as box:  # found and opened, though it calls itself by its old name
        assert "PyInit__outerjson" in box.run("import _outerjson").message


def test_metadata_and_libraries_that_were_installed_with_a_package(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As `pip install --user` leaves them: the sandbox's interpreter does not look there."""
    user = tmp_path / "user"
    init = "from importlib.metadata import version\nfrom pathlib import Path\n__version__ = version('user-lib')\n"
    init += "BESIDE = (Path(__file__).resolve().parent.parent / 'userlib.libs' / 'x.txt').read_text()\n"
    write(user / "userlib" / "__init__.py", init)
    write(user / "userlib.libs" / "x.txt", "beside")
    write(
        user / "user_lib-3.1.dist-info" / "METADATA", "Metadata-Version: 2.1\nName: user-lib\nVersion: 3.1\n"
    )
    record = "userlib/__init__.py,,\nuserlib.libs/x.txt,,\nuser_lib-3.1.dist-info/METADATA,,\n../bin/tool,,\n"
    write(user / "user_lib-3.1.dist-info" / "RECORD", record)
    write(user / "stranger-1.dist-info" / "RECORD", "stranger.py,,\n")
    monkeypatch.syspath_prepend(str(user))
    runtime = with_installed("main", ["userlib"])
    assert printed(runtime, "import userlib; print(userlib.__version__, userlib.BESIDE)") == "3.1 beside\n"
    assert "stranger" not in str(runtime.readable)


def test_editable_by_a_path_file_in_a_src_layout(environment: Runtime, tmp_path: Path) -> None:
    write(tmp_path / "project" / "src" / "editlib" / "__init__.py", DOUBLE)
    write(tmp_path / "project" / "src" / "editlib.egg-info" / "top_level.txt", "editlib\n")
    write(tmp_path / "project" / "src" / "editlib.egg-info" / "PKG-INFO", "Name: editlib\nVersion: 0.4\n")
    write(site(environment) / "__editable__.editlib.pth", f"{tmp_path}/project/src\n")
    runtime = with_installed(environment, ["editlib"])
    program = (
        "import editlib; from importlib.metadata import version; print(editlib.double(2), version('editlib'))"
    )
    assert printed(runtime, program) == "4 0.4\n"


def test_editable_by_an_import_hook(environment: Runtime, tmp_path: Path) -> None:
    write(tmp_path / "project" / "lib" / "__init__.py", DOUBLE)
    write(tmp_path / "project" / "lib" / "deep" / "more.py", "import renamedlib\nZ = renamedlib.double(4)\n")
    finder = FINDER.replace("{folder!r}", repr(f"{tmp_path}/project/lib"))
    write(site(environment) / "__editable___renamed_finder.py", finder)
    write(site(environment) / "__editable__.renamed.pth", "import __editable___renamed_finder\n")
    runtime = with_installed(environment, ["renamedlib"])
    assert printed(runtime, "from renamedlib.deep.more import Z; print(Z)") == "8\n"


def test_an_interpreter_that_a_program_starts_finds_it_too(monkeypatch: pytest.MonkeyPatch) -> None:
    """In a folder open to all: what root's programs start is not root, and pytest's folder is root's alone."""
    with tempfile.TemporaryDirectory() as folder:
        Path(folder).chmod(0o755)
        monkeypatch.setenv("WORKBENCH_CACHE", f"{folder}/cache")
        write(Path(folder) / "source" / "outerlib" / "__init__.py", DOUBLE)
        monkeypatch.syspath_prepend(f"{folder}/source")
        program = "import subprocess, sys\n"
        program += (
            "print(subprocess.run([sys.executable, '-c', 'import outerlib; print(outerlib.double(3))'],"
        )
        program += " capture_output=True, text=True).stdout.strip())"
        assert printed(with_installed("main", ["outerlib"]), program) == "6\n"


def test_the_path_that_comes_first_counts_as_outside_of_the_sandbox(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Another copy of an installed package, found first by the user's interpreter, is what programs import."""
    write(tmp_path / "source" / "tabulate.py", "VERSION = 'mine'\n")
    write(tmp_path / "source" / "click" / "__init__.py", "VERSION = 'mine'\n")
    monkeypatch.syspath_prepend(str(tmp_path / "source"))
    assert printed(with_installed("main", ["click"]), "import click; print(click.VERSION)") == "mine\n"


def test_links_lie_where_they_lay_and_error_messages_do_not_change(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write(tmp_path / "source" / "outerlib" / "__init__.py", DOUBLE)
    monkeypatch.syspath_prepend(str(tmp_path / "source"))
    assert with_installed("main", ["outerlib"]) == with_installed("main", ["outerlib"])


def test_a_home_folder_is_never_given(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    home = tmp_path / "homes" / "ada"
    write(home / "notes.py", "")
    monkeypatch.setenv("HOME", str(home))
    monkeypatch.syspath_prepend(str(tmp_path / "homes"))
    monkeypatch.syspath_prepend(str(tmp_path))
    for name in ("ada", "homes"):
        with pytest.raises(SandboxUnavailableError, match="home folder"):
            with_installed("main", [name])


def test_what_imports_here_and_not_in_the_sandbox_is_refused_at_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    secret = write(tmp_path / "elsewhere" / "data.txt", "read on import")
    write(tmp_path / "source" / "needylib.py", f"open({str(secret)!r}).read()\n")
    monkeypatch.syspath_prepend(str(tmp_path / "source"))
    with (
        Sandbox(with_installed("main", ["needylib"]), workers=1) as box,
        pytest.raises(
            SandboxUnavailableError, match="`import needylib` works here and not in the sandbox"
        ) as caught,
    ):
        require_imports(box, ["needylib"])
    assert "PermissionError" in caught.value.got and "pip install" in caught.value.fix


def test_what_imports_nowhere_is_left_to_whoever_runs_a_program(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write(tmp_path / "source" / "brokenlib.py", "raise RuntimeError('broken')\n")
    monkeypatch.syspath_prepend(str(tmp_path / "source"))
    with Sandbox(with_installed("main", ["brokenlib"]), workers=1) as box:
        require_imports(box, ["brokenlib", "surely_no_package"])


def test_pythonpath_is_followed_by_another_interpreter(
    environment: Runtime, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write(tmp_path / "source" / "outerlib.py", DOUBLE)
    monkeypatch.setenv("PYTHONPATH", str(tmp_path / "source") + os.pathsep)
    assert (
        printed(with_installed(environment, ["outerlib"]), "import outerlib; print(outerlib.double(5))")
        == "10\n"
    )


def test_what_is_given_already_is_not_given_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write(tmp_path / "source" / "outerlib" / "__init__.py", DOUBLE)
    monkeypatch.syspath_prepend(str(tmp_path / "source"))
    runtime = with_installed("main", ["outerlib"])
    assert with_installed(runtime, ["outerlib", "numpy"]) is runtime
