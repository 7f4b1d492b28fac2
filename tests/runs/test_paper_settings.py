"""The tables 'the paper's setting / ours': made from the profiles, with a reason for every difference."""

from __future__ import annotations

from types import SimpleNamespace

import pytest

from workbench.papers.alarm import paper_setting as alarm
from workbench.papers.arks import paper_setting as arks
from workbench.papers.ds1000 import paper_setting as ds1000
from workbench.papers.haf_rm import paper_setting as haf_rm
from workbench.runs import paper_settings
from workbench.runs.paper_settings import (
    UNEXPLAINED,
    PaperSetting,
    compared_settings,
    profile_settings,
    shown,
)

PAPERS = {"haf_rm": haf_rm, "arks": arks, "alarm": alarm, "ds1000": ds1000}


def test_a_difference_is_computed_and_has_its_reason(monkeypatch: pytest.MonkeyPatch) -> None:
    profiles = {"paper": SimpleNamespace(rate=0.5, steps=2000, kept=True)}
    monkeypatch.setattr(paper_settings, "profile_settings", lambda paper, profile: profiles[profile])
    stated = (
        PaperSetting("rate", 0.5, "release", "never shown: there is no difference"),
        PaperSetting("steps", 3000, reason="a GPU hour less"),
        PaperSetting("kept", False),
    )
    rows = compared_settings("mine", stated, vars, SimpleNamespace(rate=0.1, steps=10, kept=False))
    assert rows.to_dict("list") == {
        "setting": ["rate", "steps", "kept"],
        "the paper's": ["0.5", "3,000", "no"],
        "said by": ["release", "paper", "paper"],
        "profile paper": ["the same", "2,000", "yes"],
        "because": ["", "a GPU hour less", UNEXPLAINED],
        "this run": ["0.1", "10", "no"],
    }


def test_values_are_shown_alike_whatever_holds_them() -> None:
    assert shown(("a", "b")) == shown(["a", "b"]) == "a, b"
    assert (shown(None), shown(()), shown(3e-5), shown(16.0)) == ("none", "none", "3e-05", "16")


@pytest.mark.parametrize("paper", PAPERS)
def test_the_profile_paper_differs_only_where_a_reason_is_declared(paper: str) -> None:
    """A profile that moves away from its paper must say why, and one that came back must not go on to."""
    module = PAPERS[paper]
    ours = module.our_settings(profile_settings(paper, "paper"))
    assert sorted(ours) == sorted(setting.name for setting in module.PAPER_SETTINGS)
    for setting in module.PAPER_SETTINGS:
        assert bool(setting.reason) == (shown(setting.value) != shown(ours[setting.name])), setting.name


@pytest.mark.parametrize("paper", PAPERS)
@pytest.mark.parametrize("profile", ["pocket", "real", "laptop", "paper"])
def test_every_profile_has_its_table(paper: str, profile: str) -> None:
    settings = profile_settings(paper, profile)
    table = PAPERS[paper].settings_table(settings)
    assert len(table) == len(PAPERS[paper].PAPER_SETTINGS)
    if profile == "paper":
        said = table["profile paper"].where(table["profile paper"] != "the same", table["the paper's"])
        assert said.tolist() == table["this run"].tolist()


@pytest.mark.parametrize(
    ("files", "source", "read"),
    [
        ([], "data", ("train.json", "test.json, 9", "dev_feedback.json")),
        (["a.json"], "a.json", ("a.json, but its last rows", "the last of a.json, 9", "none")),
        (["data/a.json"], "data", ("train_feedback.json", "dev_feedback.json, 9", "dev_feedback.json")),
        (["data/train.json", "data/test.json"], "data", ("train.json", "test.json, 9", "dev_feedback.json")),
    ],
)
def test_alarm_says_which_files_of_questions_it_reads(tmp_path, files, source, read):
    for file in files:
        (tmp_path / file).parent.mkdir(exist_ok=True)
        (tmp_path / file).write_text("[]")
    laptop = vars(profile_settings("alarm", "laptop"))
    ours = alarm.our_settings(SimpleNamespace(**laptop | {"data": str(tmp_path / source), "test_prompts": 9}))
    names = ("prompts of RL", "prompts of the test", "aspect models chosen on")
    assert tuple(ours[f"questions: {name}"] for name in names) == read
