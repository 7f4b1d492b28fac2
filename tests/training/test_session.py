"""One training session: claimed, gone on with, logged, finished; whatever is trained in it."""

import json
from dataclasses import dataclass

import pytest

from workbench.core.errors import RunError, SettingsError
from workbench.training.checkpoints import mark_complete
from workbench.training.session import Session

ASKED = {"seed": 0}


@dataclass
class Second:
    """The second process of a launcher, which never writes."""

    process_index: int = 1
    world_size: int = 1  # nobody to wait for


def finished(folder):
    with Session(folder, description="model.json") as session:
        assert session.claim(ASKED, {"model": "tiny"}) is None
        (session.place.path / "model.json").write_text("{}")
        session.finish({"steps": 3})
    return session


def test_what_is_done_is_told_and_not_done_again(tmp_path):
    session = finished(tmp_path / "run")
    assert session.folder == tmp_path / "run"
    begun = json.loads((session.folder / "training.json").read_text())
    assert (begun["asked"], begun["model"]) == (ASKED, "tiny")
    with Session(tmp_path / "run", description="model.json") as again:
        assert again.claim(ASKED, {}) == {"steps": 3}
    with Session(tmp_path / "run", description="model.json") as fresh:
        assert fresh.claim({"seed": 1}, {}, resume=False) is None


def test_other_settings_are_refused(tmp_path):
    with Session(tmp_path) as session:
        session.claim(ASKED, {})
    with Session(tmp_path) as other, pytest.raises(SettingsError, match="seed was 0, is 1"):
        other.claim({"seed": 1}, {})


def test_an_interrupted_training_goes_on_at_its_whole_checkpoint_and_its_log(tmp_path):
    with Session(tmp_path) as session:
        session.claim(ASKED, {})
        for step in (1, 2, 3):
            session.write({"step": step, "loss": 1 / step})
            (session.place.checkpoints / f"checkpoint-{step}").mkdir(parents=True)
        mark_complete(session.place.checkpoints / "checkpoint-2")
    with Session(tmp_path) as again:
        again.claim(ASKED, {})
        assert again.checkpoint().name == "checkpoint-2"
        assert again.rewind(2) == again.log() == [{"step": 1, "loss": 1.0}, {"step": 2, "loss": 0.5}]
        again.finish({})
    assert not again.place.checkpoints.exists()


def test_without_a_folder_nothing_is_kept(tmp_path):
    with Session(None) as session:
        assert session.claim(ASKED, {}) is None
        session.write({"step": 1})
        session.finish({"steps": 1})
        assert (session.folder, session.checkpoint(), session.log()) == (None, None, [])
    assert not session.place.path.exists()


def test_only_the_first_process_writes(tmp_path):
    finished(tmp_path)
    with Session(tmp_path / "other") as session:
        assert session.claim(ASKED, {}, together=Second()) is None
        session.write({"step": 1})
        session.finish({})
        assert not session.first
    assert not (tmp_path / "other").exists()


def test_a_model_that_was_not_trained_here_is_left_alone(tmp_path):
    (tmp_path / "config.json").write_text("{}")
    with Session(tmp_path) as session, pytest.raises(RunError, match="not trained here"):
        session.claim(ASKED, {})
    assert [file.name for file in tmp_path.iterdir() if file.name != ".lock"] == ["config.json"]
