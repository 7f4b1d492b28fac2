"""The training of tiny models: the loss falls, a seed decides everything, and a kill changes nothing."""

import json
from dataclasses import replace

import pytest
import torch
from transformers import AutoModelForCausalLM

from workbench.core.errors import DataError, SettingsError
from workbench.worlds.libraries.drills import Drill
from workbench.worlds.libraries.lessons import Lesson
from workbench.worlds.libraries.pretrain import LibraryPretrainingSettings, Stage, pretrain
from workbench.worlds.pretraining import CHECKPOINT, Rates

ECHO = Stage(steps=24, texts=4, lessons=(Drill("echo", (2, 3), times=3),))
READ = Stage(steps=4, texts=4, lessons=(Lesson((1,), (1, 2)),))
SMALL = LibraryPretrainingSettings(
    seed=3, curriculum=(ECHO, READ), rates=Rates(warmup=4), width=32, layers=2, heads=2, mlp=32
)


def weights(folder):
    return AutoModelForCausalLM.from_pretrained(folder).state_dict()


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    folder = tmp_path_factory.mktemp("trained")
    return folder, pretrain(SMALL, folder, progress=False)


def test_the_loss_falls(trained):
    _, losses = trained
    assert len(losses) == 28
    assert sum(losses[20:24]) < sum(losses[:4]) - 1


def test_the_same_seed_gives_the_same_weights(trained, tmp_path):
    folder, losses = trained
    assert pretrain(SMALL, tmp_path, progress=False) == losses
    first, second = weights(folder), weights(tmp_path)
    assert all(torch.equal(first[name], second[name]) for name in first)


def train_until_killed(monkeypatch, folder, steps):
    """Train, and be killed in the middle of a step."""
    left, real = iter(range(steps)), torch.nn.functional.cross_entropy

    def loss(*given):
        if next(left, None) is None:
            raise KeyboardInterrupt
        return real(*given)

    with monkeypatch.context() as patch:
        patch.setattr(torch.nn.functional, "cross_entropy", loss)
        with pytest.raises(KeyboardInterrupt):
            pretrain(SMALL, folder, save_every=5, progress=False)
    assert (folder / CHECKPOINT).is_file()


def test_a_killed_training_ends_with_the_same_weights(trained, tmp_path, monkeypatch):
    folder, losses = trained
    train_until_killed(monkeypatch, tmp_path, 13)
    assert pretrain(SMALL, tmp_path, progress=False) == losses
    first, second = weights(folder), weights(tmp_path)
    assert all(torch.equal(first[name], second[name]) for name in first)
    assert not (tmp_path / CHECKPOINT).exists()


def test_the_recipe_stands_beside_the_weights(trained):
    folder, losses = trained
    recipe = json.loads((folder / "recipe.json").read_text())
    assert recipe["command"].endswith("--seed 3")
    assert recipe["settings"]["curriculum"][0]["steps"] == 24
    assert recipe["final_loss"] == round(sum(losses) / 28, 4)


def test_a_checkpoint_of_another_recipe_is_refused(tmp_path, monkeypatch):
    train_until_killed(monkeypatch, tmp_path, 7)
    with pytest.raises(DataError, match="checkpoint of another recipe"):
        pretrain(replace(SMALL, seed=4), tmp_path, progress=False)


def test_all_faults_of_a_recipe_are_told_at_once():
    with pytest.raises(SettingsError, match=r"layers 0.*width 30, heads 4"):
        LibraryPretrainingSettings(layers=0, width=30)
