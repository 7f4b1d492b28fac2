"""A fifth paper is one notebook and one folder of its name: it runs, reports and is browsed like the four."""

import importlib.util
import sys

import pytest
from click.testing import CliRunner
from small_notebooks import write_notebook

from workbench.cli.main import cli
from workbench.core.errors import SettingsError
from workbench.explore import browsers
from workbench.explore.attempts import load_attempts
from workbench.store.reading import read_json

BROWSE = '''
"""How the runs of this paper are read back."""
from workbench.explore.attempts import Attempt
from workbench.store.reading import read_json

PAPER = "fifth"

def attempts_in(folder, problems, *, own):
    numbers = read_json(folder / "results.json").get("numbers", {})
    total = numbers.get("total")
    if total is None:
        return []
    return [Attempt("1", "me", 0, "Toy", "", "How much?", str(total), "3", "passed" if total == 3 else "failed")]
'''


@pytest.fixture
def paper(tmp_path, monkeypatch):
    write_notebook(tmp_path, "fifth")
    folder = tmp_path / "fifth"
    folder.mkdir()
    (folder / "laptop.yaml").write_text("profile: laptop\nn: 4\n")
    (folder / "browse.py").write_text(BROWSE)
    monkeypatch.setattr(browsers, "_registered", [])
    monkeypatch.chdir(tmp_path)
    return tmp_path


def registered(paper):
    spec = importlib.util.spec_from_file_location("fifth_browse", paper / "fifth" / "browse.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    browsers.register(module)
    return module


def test_it_runs_in_each_of_its_profiles(paper):
    for profile, n in (("pocket", 3), ("laptop", 4)):
        done = CliRunner().invoke(cli, ["run", "fifth.ipynb", "--profile", profile, "--out", profile])
        assert done.exit_code == 0, done.output
        results = read_json(paper / profile / "fifth" / "results.json")
        assert (results["profile"], results["parameters"]["n"]) == (profile, n)
        assert results["numbers"] == {"total": sum(0.5 * i for i in range(n))}
        assert "A small one" in (paper / profile / "index.html").read_text()


def test_its_runs_are_browsed_once_it_is_registered(paper):
    assert (
        CliRunner().invoke(cli, ["run", "fifth.ipynb", "--profile", "laptop", "--out", "out"]).exit_code == 0
    )
    module = registered(paper)
    browsers.register(module)  # twice is once
    (attempt,) = load_attempts(paper / "out")
    assert (attempt.generator, attempt.answer, attempt.passed) == ("me", "3.0", True)


def test_what_cannot_be_browsed_is_refused():
    with pytest.raises(SettingsError, match="a paper to browse"):
        browsers.register(sys)


def test_the_papers_that_ship_are_registered():
    assert {browser.PAPER for browser in browsers.browsers("attempts_in")} == {"arks", "ds1000"}
    assert {browser.PAPER for browser in browsers.browsers("traces_in")} == {"arks"}
