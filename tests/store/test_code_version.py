"""A code version changes with the code, and with nothing else."""

import pytest

from workbench.store import code_version
from workbench.store.code_version import source_version

PLAIN = "def double(x):\n    return 2 * x\n"


def test_comments_docstrings_and_layout_do_not_count():
    described = '"""Module."""\n\n\ndef double( x ):\n    """Twice."""\n    # twice\n    return 2*x\n'
    assert source_version(PLAIN) == source_version(described)


def test_code_counts():
    assert source_version(PLAIN) != source_version(PLAIN.replace("2", "3"))


@pytest.fixture
def package(tmp_path, monkeypatch):
    """Stand in for workbench/: one.py imports two.py inside a function, and two.py three.py."""
    root = tmp_path / "workbench"
    (root / "deep").mkdir(parents=True)
    (root / "runs").mkdir()
    (root / "__init__.py").write_text("")
    (root / "deep" / "__init__.py").write_text("")
    (root / "one.py").write_text("def f():\n    from workbench.deep import two\n    return two.g()\n")
    (root / "deep" / "two.py").write_text("from . import three\n\ndef g():\n    return three.H\n")
    (root / "deep" / "three.py").write_text("H = 1\n")
    (root / "deep" / "stranger.py").write_text("X = 1\n")
    monkeypatch.setattr(code_version, "__file__", str(root / "runs" / "code_version.py"))
    return root


def version_of_one(package):
    return source_version((package / "one.py").read_text(), "workbench.one")


def test_imports_are_followed_through_functions_and_relative_names(package):
    before = version_of_one(package)
    (package / "deep" / "three.py").write_text("H = 2\n")
    assert version_of_one(package) != before


def test_modules_that_are_not_imported_do_not_count(package):
    before = version_of_one(package)
    (package / "deep" / "stranger.py").write_text("X = 2\n")
    assert version_of_one(package) == before


def test_a_package_init_on_the_way_counts(package):
    before = version_of_one(package)
    (package / "deep" / "__init__.py").write_text("import os\nos.environ['A'] = '1'\n")
    assert version_of_one(package) != before


def test_versions_of_imported_packages_count(monkeypatch):
    source = "import numpy\n"
    before = source_version(source)
    monkeypatch.setattr(code_version, "_distribution_version", lambda top: "0.0.1")
    assert source_version(source) != before
