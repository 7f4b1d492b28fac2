"""`workbench report`, as a user meets it."""

import pytest
from click.testing import CliRunner

from workbench.cli.main import cli
from workbench.runs import Run


@pytest.fixture(autouse=True)
def project(tmp_path, monkeypatch):
    """Enter a folder with two runs below runs/."""
    monkeypatch.chdir(tmp_path)
    for name in ("first", "second"):
        Run.open("ds1000", parameters={}, out=tmp_path / "runs" / name)
    return tmp_path


def report(*words):
    return CliRunner().invoke(cli, ["report", *words])


def test_a_single_run_gets_its_page_again(project):
    said = report("first")
    assert said.output == "report: runs/first/index.html\n"
    assert (project / "runs/first/index.html").is_file()


def test_several_are_compared_beside_the_first(project):
    assert (
        report("first", str(project / "runs/second")).output == "report: runs/comparison-first-second.html\n"
    )
    page = (project / "runs/comparison-first-second.html").read_text()
    assert 'href="second/index.html"' in page


def test_the_page_may_be_elsewhere(project):
    assert report("first", "second", "--out", "sub/page.html").output == "report: sub/page.html\n"
    assert 'href="../runs/first/index.html"' in (project / "sub/page.html").read_text()


def test_a_run_that_is_not_there_is_named_with_those_that_are():
    said = report("frist", "second")
    assert said.exit_code == 2
    assert "no run 'frist' (did you mean 'first'?)" in said.output
    assert "(first, second)" in said.output


def test_what_makes_no_sense_is_refused():
    assert "1 different" in report("first", "first").output
    assert "no run ''" in report("").output
    assert "--out is for several runs" in report("first", "--out", "x.html").output
    assert report().exit_code == 2
