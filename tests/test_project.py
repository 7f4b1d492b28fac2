"""The project's own files agree with each other: ranges, pins, conda's file, make."""

import re
import shutil
import subprocess
import tomllib
from importlib.metadata import PackageNotFoundError, distribution
from pathlib import Path

import pytest
import yaml
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name
from packaging.version import Version

ROOT = Path(__file__).resolve().parents[1]
PINS = ROOT / "workbench" / "sandbox" / "pins" / "main.txt"
# what torch with CUDA brings along is pinned by torch itself, and differs from system to system
TORCHS_OWN = re.compile(r"^(nvidia|cuda)-|^triton$")


def requirements(*extras: str) -> list[Requirement]:
    """Lines of pyproject.toml: of the project itself and of some extras, with the extras that they name."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    waiting, found = [*project["dependencies"]], []
    for extra in extras:
        waiting += project["optional-dependencies"][extra]
    for line in waiting:
        needed = Requirement(line)
        if needed.name == project["name"]:
            waiting += [each for extra in needed.extras for each in project["optional-dependencies"][extra]]
        else:
            found.append(needed)
    return found


def pins(file: Path = PINS) -> dict[str, Requirement]:
    lines = [line.partition("#")[0].strip() for line in file.read_text().splitlines()]
    found = [Requirement(line) for line in lines if line]
    return {canonicalize_name(pin.name): pin for pin in found}


def pinned_version(pin: Requirement) -> Version:
    (only,) = pin.specifier
    assert only.operator == "==", pin
    return Version(only.version)


def closure() -> dict[str, str]:
    """Every installed package that the project needs, directly or not, with its version."""
    build = tomllib.loads((ROOT / "pyproject.toml").read_text())["build-system"]["requires"]
    waiting = [*requirements("test", "dev"), *map(Requirement, build)]
    seen, versions = set(), {}
    while waiting:
        needed = waiting.pop()
        key = (canonicalize_name(needed.name), frozenset(needed.extras))
        if key in seen or TORCHS_OWN.search(key[0]):
            continue
        seen.add(key)
        if needed.marker is not None and not needed.marker.evaluate({"extra": ""}):
            continue
        found = distribution(needed.name)
        versions[key[0]] = found.version.partition("+")[0]
        for line in found.requires or []:
            further = Requirement(line)
            wanted = [{"extra": extra} for extra in ("", *needed.extras)]
            if further.marker is None or any(further.marker.evaluate(environment) for environment in wanted):
                further.marker = None  # it holds for this package with these extras
                waiting.append(further)
    return versions


@pytest.mark.parametrize(
    ("file", "extras"),
    [
        ("main.txt", ("test", "dev")),
        ("bench.txt", ("bench",)),
        ("browser.txt", ("browser",)),
        ("cluster.txt", ("cluster",)),
    ],
    ids=["main", "bench", "browser", "cluster"],
)
def test_pins_lie_within_the_ranges_of_pyproject(file, extras):
    pinned = pins() | pins(PINS.with_name(file))
    outside = [
        str(needed)
        for needed in requirements(*extras)
        if canonicalize_name(needed.name) not in pinned
        or pinned_version(pinned[canonicalize_name(needed.name)]) not in needed.specifier
    ]
    assert not outside, f"no pin in workbench/sandbox/pins/{file} satisfies: {outside}"


def test_pins_are_complete_and_nothing_more():
    try:
        needed = closure()
    except PackageNotFoundError as fault:
        pytest.skip(f"this environment was not made by make: {fault} is missing")
    missing = [f"{name}=={version}" for name, version in sorted(needed.items()) if name not in pins()]
    assert not missing, f"add to workbench/sandbox/pins/main.txt: {missing}"
    current = {name for name, pin in pins().items() if pin.marker is None or pin.marker.evaluate()}
    assert not current - set(needed), "nothing needs these pins"


def test_torch_is_pinned_without_a_local_version():
    assert str(pins()["torch"].specifier) == "==2.13.0"


def test_conda_installs_the_same_versions_and_repeats_none():
    environment = yaml.safe_load((ROOT / "environment.yml").read_text())
    (pip,) = [entry["pip"] for entry in environment["dependencies"] if isinstance(entry, dict)]
    assert pip[0] == f"-r {PINS.relative_to(ROOT)}"
    assert not any("==" in str(entry) for entry in [*environment["dependencies"], *pip])
    asked = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["requires-python"]
    assert f"python {asked}" in environment["dependencies"]


def test_every_package_folder_is_shipped_with_its_data():
    for folder in {file.parent for file in (ROOT / "workbench").rglob("*.py")}:
        assert (folder / "__init__.py").is_file(), f"{folder} is no package"


@pytest.mark.skipif(shutil.which("make") is None, reason="make is not installed")
def test_make_says_when_python_is_too_old(tmp_path):
    shutil.copy(ROOT / "Makefile", tmp_path)
    (tmp_path / "pyproject.toml").touch()
    (tmp_path / "workbench/sandbox/pins").mkdir(parents=True)
    (tmp_path / "workbench/sandbox/pins/main.txt").touch()
    old = tmp_path / "bin"
    old.mkdir()
    for name in ("python3", "python3.11", "python3.12", "python3.13", "python3.14"):
        (old / name).write_text("#!/bin/sh\ncase $1 in --version) echo Python 3.9.2;; *) exit 1;; esac\n")
        (old / name).chmod(0o755)
    path = f"{old}:/usr/bin:/bin"
    done = subprocess.run(
        [shutil.which("make"), "run"],
        cwd=tmp_path,
        env={"PATH": path},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 2
    assert "got: no suitable Python (python3 is Python 3.9.2)" in done.stderr
    assert "needed: Python 3.11 or newer" in done.stderr
