"""All that a run lacks is said at once, before anything is computed; of the papers and of notebooks of one's own."""

from pathlib import Path

import pytest
from click.testing import CliRunner
from small_notebooks import write_notebook

from workbench.cli.main import cli
from workbench.core.errors import RunError
from workbench.runs import Run, running
from workbench.runs.needs import Found, Lack, checking, hub
from workbench.runs.needs.checking import look_at, needs_of, refuse_lacks
from workbench.runs.notebooks import NOTEBOOK_FILE
from workbench.runs.planning import plan
from workbench.runs.running import run_plan

NEEDS = """
from dataclasses import dataclass
from workbench.core.errors import DataError
from workbench.runs.needs import Found, Lack

@dataclass(frozen=True)
class Telescope:
    name: str
    how: str

    def check(self):
        if self.how == "raises":
            raise DataError("no sky", "a sky", "wait for night")
        if self.how == "breaks":
            return {}["lens"]
        return Found("there") if self.how == "there" else Lack("no mirror", "a mirror", "buy one")

def needs(settings):
    kinds = ("there", "lacks", "raises", "breaks")
    return [Telescope(f"telescope {how}", how) for how in kinds] * 2
"""


@pytest.fixture
def own(tmp_path):
    """Return the place of a notebook of one's own, with a folder of its name beside it that declares needs."""
    (tmp_path / "sky").mkdir()
    (tmp_path / "sky" / "needs.py").write_text(NEEDS)
    return tmp_path / "sky.ipynb"


def test_a_folder_of_the_users_declares_needs_and_every_kind_of_lack_is_found(own):
    looked = list(look_at("sky", own, None))
    assert [one.need for one in looked] == [
        f"telescope {how}" for how in ("there", "lacks", "raises", "breaks")
    ]
    there, lacks, raises, breaks = (one.outcome for one in looked)
    assert there == Found("there")
    assert lacks == Lack("no mirror", "a mirror", "buy one")
    assert raises == Lack("no sky", "a sky", "wait for night")
    assert isinstance(breaks, Lack) and "KeyError" in breaks.got and "fault of the workbench" in breaks.needed
    with pytest.raises(RunError) as told:
        refuse_lacks(looked)
    for words in (
        "3 things",
        "sky, telescope lacks: no mirror",
        "fix: buy one",
        "fix: wait for night",
        "KeyError",
    ):
        assert words in str(told.value)
    refuse_lacks(looked[:1])


def test_a_notebook_without_needs_needs_nothing_and_a_broken_file_is_named(own, tmp_path):
    assert needs_of(tmp_path / "other.ipynb", None) == ()
    file = own.with_suffix("") / "needs.py"
    for text, said in (
        ("x = 1", "without a function"),
        ("import nothing_of_that_name", "ModuleNotFoundError"),
    ):
        file.write_text(text)
        (looked,) = look_at("sky", own, None)
        assert said in looked.outcome.got and str(file) in looked.outcome.got


@pytest.fixture
def unplugged(monkeypatch):
    """Nobody answers for the Hub, and nothing of it lies in the cache."""
    monkeypatch.setattr(hub, "hub_fault", lambda: "no network")
    for module in ("models", "data", "memory"):
        monkeypatch.setattr(f"workbench.runs.needs.{module}.hub_fault", lambda: "no network")
        monkeypatch.setattr(f"workbench.runs.needs.{module}.cached_file", lambda *_, **__: None)
    monkeypatch.setattr("workbench.runs.needs.machine.cached_file", lambda *_, **__: None)
    monkeypatch.setattr("workbench.runs.needs.data.HubSplit.is_kept", property(lambda _: False))
    monkeypatch.delenv("OPENAI_API_KEY", raising=False)


LACKS = {
    ("haf_rm", "paper"): {
        "data hh-helpful", "data hh-harmless", "data beavertails-safe", "data alpaca-farm", "data chatbot-arena",
        "backbone", "judge",
    },
    ("haf_rm", "laptop"): {"data hh-harmless", "data hh-helpful", "backbone"},
    ("alarm", "paper"): {
        "QA-Feedback", "policy", "holistic reward", "relevance, factuality", "completeness", "Europarl",
        "policy that translates", "judge",
    },
    ("alarm", "laptop"): {"QA-Feedback", "policy", "holistic reward", "relevance, factuality", "completeness"},
    ("arks", "paper"): {"code model 1"},
    ("arks", "laptop"): {"code model 1"},
    ("ds1000", "paper"): {"problems", "generator 1"},
    ("ds1000", "laptop"): {"problems", "generator 1"},
}  # fmt: skip


@pytest.mark.parametrize(("paper", "profile"), LACKS)
def test_check_lists_all_that_a_profile_lacks_without_a_network_and_starts_nothing(
    paper, profile, unplugged, tmp_path, monkeypatch
):
    monkeypatch.chdir(tmp_path)
    done = CliRunner().invoke(
        cli,
        ["run", paper, "--profile", profile, "--check", "--out", str(tmp_path / "run")],
        terminal_width=200,
    )
    assert done.exit_code == 1, done.output
    lines = [line for line in done.output.splitlines() if "broken" in line]
    for need in LACKS[paper, profile]:
        assert any(f" {need} " in line for line in lines), (need, done.output)
    assert "Nothing was started." in done.output and "fix: " in done.output
    assert not (tmp_path / "run").exists()


def test_pocket_needs_nothing_that_is_not_here():
    done = CliRunner().invoke(cli, ["run", "haf_rm", "alarm", "--check"])
    assert done.exit_code == 0 and "Nothing is known to be needed." in done.output


def test_a_run_refuses_to_start_and_no_check_starts_it(own, tmp_path, monkeypatch):
    write_notebook(tmp_path, "sky")
    monkeypatch.chdir(tmp_path)
    begun = []
    monkeypatch.setattr(running, "execute", lambda planned, folder: begun.append(planned.paper))
    planned = plan([str(own)], "pocket", [], str(tmp_path / "run"))
    with pytest.raises(RunError, match="3 things that this run needs"):
        run_plan(planned)
    assert not begun and not (tmp_path / "run").exists()
    assert run_plan(planned, check=False) == 0 and begun == ["sky"]


def test_a_notebook_that_is_opened_by_itself_looks_too(own, tmp_path, monkeypatch):
    write_notebook(tmp_path, "sky")
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv(NOTEBOOK_FILE, raising=False)
    cell = {"__name__": "__main__", "profile": "pocket", "out": str(tmp_path / "run"), "seed": 0, "n": 3}
    with pytest.raises(RunError, match="WORKBENCH_NO_CHECK=1"):
        Run.open("sky", cell)
    monkeypatch.setenv("WORKBENCH_NO_CHECK", "1")
    assert Run.open("sky", cell).settings.n == 3


def test_the_needs_of_every_paper_are_found_by_its_notebooks_name():
    papers = Path(checking.PACKAGE) / "papers"
    assert {file.parent.name for file in papers.glob("*/needs.py")} == {"alarm", "arks", "ds1000", "haf_rm"}
