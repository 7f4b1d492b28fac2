"""A training that was killed ends with the same weights, bit by bit, as one that was not."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch
from tiny_training import LORA, make_pairs, quick, save_tiny, tokenizer_of, weights
from transformers import TrainerCallback

from workbench.core.errors import RunError, SettingsError
from workbench.models import ModelSettings, RewardModel, load_encoding
from workbench.training import TrainedRewardModel, train_reward_model
from workbench.training.checkpoints import last_checkpoint, mark_complete
from workbench.training.folder import TrainingFolder, read_log

# 10 pairs in steps of 4 are 3 steps an epoch, the last one short: 6 in all
STEPS = 6
WAYS: dict[str, dict[str, Any]] = {"full": {}, "lora": {"lora": True}, "alternating": {"alternate": 2}}


class Stopped(Exception):
    pass


class StopAt(TrainerCallback):
    """Ends a training right after a step, before its checkpoint: by an error, or by SIGKILL."""

    def __init__(self, step: int, *, kill: bool = False) -> None:
        self.step, self.kill = step, kill

    def on_step_end(self, args: Any, state: Any, control: Any, **_: Any) -> None:
        if state.global_step == self.step:
            if self.kill:
                os.kill(os.getpid(), signal.SIGKILL)
            raise Stopped


def run(
    model: Path, folder: Path | None, *, lora: bool = False, stop: int = 0, kill: bool = False, **changes: Any
) -> TrainedRewardModel:
    resume = changes.pop("resume", True)
    said = changes.pop("said", [])
    return train_reward_model(
        ModelSettings(str(model), device="cpu"),
        tokenizer_of(model),
        make_pairs(10),
        quick(**{"epochs": 2} | changes),
        folder=folder,
        lora=LORA if lora else None,
        callbacks=[StopAt(stop, kill=kill)] if stop else [],
        resume=resume,
        say=said.append,
    )


@pytest.fixture(scope="module")
def tiny(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return save_tiny(tmp_path_factory.mktemp("tiny"))


@pytest.fixture(scope="module")
def uninterrupted(tiny: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, TrainedRewardModel]:
    return {way: run(tiny, tmp_path_factory.mktemp(way) / "out", **options) for way, options in WAYS.items()}


def same_weights(one: RewardModel, other: RewardModel) -> bool:
    expected = weights(other)
    return all(torch.equal(value, expected[name]) for name, value in weights(one).items())


def lines(folder: Path | None) -> list[tuple[int, float, float]]:
    assert folder is not None
    rows = [row for row in read_log(folder / "training_log.jsonl") if "loss" in row]
    return [(row["step"], row["loss"], row["accuracy"]) for row in rows]


@pytest.mark.parametrize(
    ("way", "steps"),
    [
        ("full", (1, 3)),  # goes on in the first epoch
        ("full", (3, 4)),  # at the end of the first epoch
        ("lora", (2, 5)),  # in the second epoch, with dropout
        ("alternating", (1, 4)),  # in a step of the policy loss
    ],
)
def test_trainer_resumed_ends_with_the_same_weights(
    tiny: Path, tmp_path: Path, uninterrupted: dict[str, TrainedRewardModel], way: str, steps: tuple[int, int]
) -> None:
    every, stop = steps
    with pytest.raises(Stopped):
        run(tiny, tmp_path, stop=stop, checkpoint_steps=every, **WAYS[way])
    said: list[str] = []
    resumed = run(tiny, tmp_path, checkpoint_steps=every, said=said, **WAYS[way])
    assert said[-1] == f"going on at checkpoint {(stop - 1) // every * every}"
    whole = uninterrupted[way]
    assert resumed.steps == whole.steps == STEPS
    assert same_weights(resumed.model, whole.model)
    assert len(lines(whole.folder)) == STEPS and lines(resumed.folder) == lines(whole.folder)


def test_trainer_killed_by_sigkill_goes_on_in_another_process(
    tiny: Path, tmp_path: Path, uninterrupted: dict[str, TrainedRewardModel]
) -> None:
    folder = tmp_path / "out"
    program = (
        "import sys; from pathlib import Path; sys.path[:0] = [sys.argv[1], sys.argv[1] + '/tests'];"
        "import tests.training.test_resume as t;"
        "t.run(Path(sys.argv[2]), Path(sys.argv[3]), stop=4, kill=True, checkpoint_steps=1, lora=True)"
    )
    words = [sys.executable, "-c", program, str(Path(__file__).parents[2]), str(tiny), str(folder)]
    died = subprocess.run(words, capture_output=True, text=True, timeout=200, check=False)
    assert died.returncode == -signal.SIGKILL, died.stderr[-2000:]
    last = last_checkpoint(folder / "checkpoints")
    assert last is not None and last.name == "checkpoint-3"
    assert same_weights(run(tiny, folder, lora=True).model, uninterrupted["lora"].model)


def test_a_half_written_checkpoint_is_skipped(
    tiny: Path, tmp_path: Path, uninterrupted: dict[str, TrainedRewardModel]
) -> None:
    with pytest.raises(Stopped):
        run(tiny, tmp_path, stop=4, checkpoint_steps=1)
    newest = tmp_path / "checkpoints" / "checkpoint-3"
    weight_file = newest / "model.safetensors"
    weight_file.write_bytes(weight_file.read_bytes()[:1000])  # as a full disk or a kill leaves it
    shutil.copytree(newest, newest.with_name("checkpoint-4"))
    (newest.with_name("checkpoint-4") / "complete.json").unlink()
    last = last_checkpoint(tmp_path / "checkpoints")
    assert last is not None and last.name == "checkpoint-2"
    assert same_weights(run(tiny, tmp_path).model, uninterrupted["full"].model)


def test_killed_between_the_last_checkpoint_and_the_saved_model(
    tiny: Path, tmp_path: Path, uninterrupted: dict[str, TrainedRewardModel], monkeypatch: pytest.MonkeyPatch
) -> None:
    def die(*_: Any) -> None:
        raise Stopped

    with monkeypatch.context() as patch, pytest.raises(Stopped):
        patch.setattr(TrainingFolder, "finish", die)
        run(tiny, tmp_path, checkpoint_steps=5, max_steps=5)  # in the midst of an epoch
    resumed = run(tiny, tmp_path, max_steps=5)
    assert resumed.steps == 5
    assert same_weights(resumed.model, run(tiny, None, max_steps=5).model)


def test_a_training_that_is_done_is_loaded(tiny: Path, uninterrupted: dict[str, TrainedRewardModel]) -> None:
    done = uninterrupted["lora"]
    assert done.folder is not None
    files = {file.name: file.stat().st_mtime_ns for file in done.folder.iterdir()}
    said: list[str] = []
    again = run(tiny, done.folder, lora=True, said=said)
    assert "done already" in said[-1]
    assert same_weights(again.model, done.model)
    assert (again.steps, again.evaluation, again.pairs) == (done.steps, done.evaluation, done.pairs)
    assert {file.name: file.stat().st_mtime_ns for file in done.folder.iterdir()} == files
    assert not (done.folder / "checkpoints").exists()
    assert RewardModel.from_pretrained(done.folder, device="cpu").pooling == "last"
    assert load_encoding(done.folder) == replace(quick().encoding, chat=False)  # it has no template


def test_a_changed_setting_never_meets_an_old_checkpoint(tiny: Path, tmp_path: Path) -> None:
    with pytest.raises(Stopped):
        run(tiny, tmp_path, stop=2, checkpoint_steps=1)
    with pytest.raises(SettingsError) as caught:
        run(tiny, tmp_path, alpha=0.5)
    assert "settings.alpha was 0.2, is 0.5" in caught.value.got and "seed" not in caught.value.got
    assert "--fresh" in caught.value.fix
    said: list[str] = []
    fresh = run(tiny, tmp_path, alpha=0.5, resume=False, said=said)
    assert fresh.steps == STEPS and not any("going on" in line for line in said)


def test_checkpoints_of_which_nothing_says_what_they_are_do_not_count(
    tiny: Path, tmp_path: Path, uninterrupted: dict[str, TrainedRewardModel]
) -> None:
    with pytest.raises(Stopped):
        run(tiny, tmp_path, stop=3, checkpoint_steps=1, seed=1)
    (tmp_path / "training.json").unlink()
    assert same_weights(run(tiny, tmp_path).model, uninterrupted["full"].model)


def test_settings_that_shape_no_weight_may_change(tiny: Path, tmp_path: Path) -> None:
    with pytest.raises(Stopped):
        run(tiny, tmp_path, stop=2, checkpoint_steps=1)
    assert run(tiny, tmp_path, log_steps=2, checkpoint_steps=0).steps == STEPS


def test_a_folder_that_holds_another_model_is_refused(tiny: Path) -> None:
    before = sorted(tiny.iterdir())
    with pytest.raises(RunError, match="holds a model that was not trained here"):
        run(tiny, tiny)
    assert [path for path in sorted(tiny.iterdir()) if path.name != ".lock"] == before


def test_one_training_a_folder_at_a_time(tiny: Path, tmp_path: Path) -> None:
    program = (
        "import sys, time; from pathlib import Path; from workbench.store import atomic\n"
        "with atomic.lock(Path(sys.argv[1])): print(1, flush=True); time.sleep(100)"
    )
    other = subprocess.Popen([sys.executable, "-c", program, str(tmp_path / ".lock")], stdout=subprocess.PIPE)
    try:
        assert other.stdout is not None and other.stdout.readline() == b"1\n"
        with pytest.raises(RunError, match="another process trains"):
            run(tiny, tmp_path)
    finally:
        other.kill()
        other.wait()


def test_a_mark_lists_every_file_of_a_checkpoint(tmp_path: Path) -> None:
    for step in (5, 10):
        (tmp_path / f"checkpoint-{step}").mkdir()
        (tmp_path / f"checkpoint-{step}" / "a").write_text("12")
        mark_complete(tmp_path / f"checkpoint-{step}")
    (tmp_path / "checkpoint-x").mkdir()
    newest = tmp_path / "checkpoint-10"
    assert last_checkpoint(tmp_path) == newest
    (newest / "a").write_text("1")
    assert last_checkpoint(tmp_path) == tmp_path / "checkpoint-5"
    (tmp_path / "checkpoint-5" / "a").unlink()
    assert last_checkpoint(tmp_path) is None
    assert last_checkpoint(tmp_path / "nothing") is None
