"""The wheel and the sdist: what they hold, and that an installed workbench works away from any checkout."""

import os
import re
import subprocess
import sys
import sysconfig
import venv
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
LARGEST_BYTES = 15 * 10**6


def run(*words, cwd, check=True):
    """Run a command as a user would who has nothing of the workbench's in the environment."""
    ours = ("WORKBENCH_", "PYTHONPATH", "PYTEST_")
    environment = {name: value for name, value in os.environ.items() if not name.startswith(ours)}
    done = subprocess.run(
        [*map(str, words)], cwd=cwd, env=environment, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0 or not check, f"{words}\n{done.stdout}\n{done.stderr}"
    return done


def pip(*words, cwd):
    return run(
        sys.executable,
        "-m",
        "pip",
        "--disable-pip-version-check",
        "--no-input",
        *words,
        "--no-index",
        cwd=cwd,
    )


def wheel_of(source, folder):
    pip("wheel", "--no-deps", "--no-build-isolation", "--wheel-dir", folder, source, cwd=folder.parent)
    (wheel,) = folder.glob("*.whl")
    return wheel


@pytest.fixture(scope="module")
def wheels(tmp_path_factory):
    """Build the wheel of the checkout, and the one of the sdist that was made of it."""
    pytest.importorskip("hatchling", reason="this environment was not made by make: no build backend")
    folder = tmp_path_factory.mktemp("built")
    for name in ("direct", "sdist", "through"):
        (folder / name).mkdir()
    run(sys.executable, "-m", "hatchling", "build", "-t", "sdist", "-d", folder / "sdist", cwd=ROOT)
    (sdist,) = (folder / "sdist").glob("*.tar.gz")
    return wheel_of(ROOT, folder / "direct"), wheel_of(sdist, folder / "through")


@pytest.fixture(scope="module")
def installed(wheels, tmp_path_factory):
    """Make a fresh environment with the wheel, which borrows the packages of this one, but not the checkout."""
    folder = tmp_path_factory.mktemp("away")
    venv.create(folder / "env", symlinks=True)
    python = folder / "env" / "bin" / "python"
    pip("--python", python, "install", "--no-deps", wheels[1], cwd=folder)
    (packages,) = (folder / "env" / "lib").glob("python*/site-packages")
    # a folder that a .pth file adds has its own .pth files left alone: the editable install stays unseen
    (packages / "borrowed.pth").write_text(sysconfig.get_path("purelib") + "\n")
    return folder


def python(installed, code, cwd=None):
    return run(installed / "env" / "bin" / "python", "-c", code, cwd=cwd or installed).stdout


def contents(wheel):
    with zipfile.ZipFile(wheel) as file:
        return {name: file.read(name) for name in file.namelist()}


def test_wheel_holds_the_package_its_data_and_the_notebooks(wheels):
    shipped = {
        f"workbench/{file.relative_to(ROOT)}"
        for top in ("data", "notebooks")
        for file in (ROOT / top).rglob("*")
        if file.is_file()
        and "images" not in file.relative_to(ROOT).parts
        and ".ipynb_checkpoints" not in file.parts
    }
    package = {
        str(file.relative_to(ROOT))
        for file in (ROOT / "workbench").rglob("*")
        if file.is_file() and "__pycache__" not in file.parts
    }
    held = {name for name in contents(wheels[0]) if ".dist-info/" not in name}
    assert held == shipped | package
    assert wheels[0].stat().st_size < LARGEST_BYTES


def test_wheel_of_the_sdist_is_the_same(wheels):
    direct, through = map(contents, wheels)
    assert direct == through


def test_package_is_found_by_its_own_name_too(installed):
    """`pipx run` and `uvx` look for a command that is called as the distribution is."""
    for name in ("workbench", "alignment-workbench"):
        said = run(installed / "env" / "bin" / name, "--version", cwd=installed).stdout
        assert said.startswith("workbench, version ")


def test_checkout_is_not_what_runs(installed):
    where = python(installed, "import workbench, sys; print(workbench.__file__, *sys.path)")
    assert where.startswith(str(installed / "env"))
    assert str(ROOT) not in where.split()
    found = python(
        installed,
        "from workbench.store.location import checkout\n"
        "from workbench.store.manifest import git_state\n"
        "print(checkout(), git_state())",
    )
    assert found.split() == ["None", "None"]


def test_profiles_run_away_from_a_checkout(installed, tmp_path):
    """Of the pocket profile's generators, one names a file of ours by its path in a checkout."""
    command = [installed / "env" / "bin" / "workbench", "run", "ds1000"]
    said = run(*command, "-p", "generators=recorded:data/ds1000/wrong.jsonl", cwd=tmp_path).stdout
    assert re.search(r"report: runs/ds1000-pocket-\w+/index.html$", said.strip())
    assert [path.name for path in tmp_path.iterdir()] == ["runs"]  # nothing beside it, and nothing elsewhere


def test_score_away_from_a_checkout(installed, tmp_path):
    command = [installed / "env" / "bin" / "workbench", "ds1000", "score", "reference"]
    said = run(*command, "--library", "Numpy", "--library", "Scipy", cwd=tmp_path).stdout
    assert "28 of 28 answers passed" in said
    assert (tmp_path / "out" / "ds1000" / "reference" / "summary.json").is_file()


def test_quickstart_of_the_readme_away_from_a_checkout(installed, tmp_path):
    text = (ROOT / "README.md").read_text()
    (code,) = re.findall(r"## In Python\n\n```python\n(.*?)```", text, re.DOTALL)
    said = python(installed, code, tmp_path)
    assert said.startswith("42\n\npass@1 ")


def test_programs_read_neither_the_suite_nor_the_rest_of_the_workbench(installed, tmp_path):
    """Installed, the workbench lies among the libraries, which programs may read: its data hold the solutions."""
    said = python(
        installed,
        """
from workbench.store.location import PACKAGE, data_folder
from workbench.sandbox import Sandbox
places = [data_folder() / "ds1000" / "suite.jsonl", PACKAGE / "core" / "errors.py", PACKAGE / "__init__.py"]
with Sandbox(workers=1, timeout_s=60) as sandbox:
    for place in places:
        print(sandbox.run(f"open({str(place)!r}).read()").message)
    print(sandbox.run("import numpy; print(numpy.arange(3).sum())").stdout)
""",
        tmp_path,
    )
    assert said.count("PermissionError") == 3
    assert said.endswith("\n3\n\n")
