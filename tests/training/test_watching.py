"""A training that is watched: it is told from the first step to the last, and ends early without losing anything."""

from pathlib import Path
from typing import Any

import pytest
import torch
from tiny_policies import PROMPTS, WholeReward, count_of, language_model
from tiny_policies import quick as quick_ppo
from tiny_policies import tokenizer as policy_tokenizer
from tiny_training import load, make_pairs, quick, save_tiny, tokenizer_of

from workbench.models import ModelSettings
from workbench.training import train_reward_model
from workbench.training.ppo import train_policy
from workbench.training.watching import TrainingStopped

STEPS = 4


class Notes:
    """A watcher that writes down what it hears, and stops after so many steps."""

    def __init__(self, stop_after: int | None = None) -> None:
        self.stop_after, self.asked, self.begun, self.rows = stop_after, 0, [], []

    def started(self, done: int, steps: int) -> None:
        self.begun.append((done, steps))

    def logged(self, row: Any) -> None:
        self.rows.append(dict(row))

    def stopping(self) -> bool:
        self.asked += 1  # once a step
        return self.stop_after is not None and self.asked >= self.stop_after


@pytest.fixture(scope="module")
def trainings(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    tiny = save_tiny(tmp_path_factory.mktemp("tiny"))
    base = tmp_path_factory.mktemp("base")
    language_model(spread=0.5).save_pretrained(base)

    def reward_model(folder: Path, watcher: Notes | None = None) -> Any:
        pairs, tokenizer = make_pairs(4 * STEPS), tokenizer_of(tiny)
        return train_reward_model(
            load(tiny), tokenizer, pairs, quick(epochs=1), folder=folder, watcher=watcher
        ).model

    def policy(folder: Path, watcher: Notes | None = None) -> Any:
        start = ModelSettings(str(base), device="cpu")
        reward, settings = WholeReward(count_of("a")), quick_ppo(max_steps=STEPS)
        return train_policy(
            start, policy_tokenizer(), PROMPTS, reward, settings, folder=folder, watcher=watcher
        ).policy

    return {"reward model": reward_model, "policy": policy}


@pytest.mark.parametrize("kind", ["reward model", "policy"])
def test_stopped_after_two_steps_it_goes_on_to_the_same_weights(
    kind: str, trainings: dict[str, Any], tmp_path: Path
) -> None:
    train = trainings[kind]
    straight = train(tmp_path / "straight")
    notes = Notes(stop_after=2)
    with pytest.raises(TrainingStopped, match=f"stopped after step 2 of {STEPS}; the same call goes on from"):
        train(tmp_path / "stopped", notes)
    assert notes.begun == [(0, STEPS)]
    assert {row["step"] for row in notes.rows} == {1, 2}
    assert (tmp_path / "stopped" / "checkpoints" / "checkpoint-2").is_dir()
    rest = Notes()
    resumed = train(tmp_path / "stopped", rest)
    assert rest.begun == [(2, STEPS)]
    assert {row["step"] for row in rest.rows} == {3, 4}
    expected = dict(straight.named_parameters())
    assert all(torch.equal(value, expected[name]) for name, value in resumed.named_parameters())


def test_who_watches_hears_of_losses_and_speed(trainings: dict[str, Any], tmp_path: Path) -> None:
    pairs, rollouts = Notes(), Notes()
    trainings["reward model"](tmp_path / "pairs", pairs)
    trainings["policy"](tmp_path / "rollouts", rollouts)
    assert all({"loss", "accuracy"} <= row.keys() for row in pairs.rows if "loss" in row)
    assert all({"reward", "kl", "tokens_per_second"} <= row.keys() for row in rollouts.rows)


def test_a_stop_after_the_last_step_is_none(trainings: dict[str, Any], tmp_path: Path) -> None:
    for kind, train in trainings.items():
        train(tmp_path / kind, Notes(stop_after=STEPS))
        assert not (tmp_path / kind / "checkpoints").exists(), kind
