"""GRPO by TRL's trainer: what it is told, what comes of it; a killed training goes on with the same weights."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch
from tiny_model import make_tiny_model
from transformers import TrainerCallback, set_seed

from workbench.core.errors import SettingsError
from workbench.models import LoraSettings, ModelSettings, load_tokenizer
from workbench.rewards import OracleReward, Sample
from workbench.training import grpo
from workbench.training.grpo import check_trl, train_by_grpo
from workbench.training.ppo import FixedKL, PPOSettings, TrainedPolicy, ValuedPolicy, load_policy

SETTINGS = PPOSettings(
    template="Q: {prompt}", chat=False, max_new_tokens=4, max_steps=3, batch=4, micro_batch=2, minibatch=4,
    kl=FixedKL(0.1), learning_rate=1e-2, checkpoint_steps=1, bf16=False, progress=False,
)  # fmt: skip
PROMPTS = [Sample(f"question {i}", "") for i in range(6)]
TRL = pytest.mark.bench


class Killed(Exception):
    pass


class KillAfter(TrainerCallback):
    def on_step_begin(self, args: Any, state: Any, control: Any, **_: Any) -> None:
        if state.global_step == 2:
            raise Killed


def weights(policy: ValuedPolicy) -> dict[str, torch.Tensor]:
    return {name: one.detach().clone() for name, one in policy.policy.named_parameters()}


def run(model: Path, folder: Path | None, asked: list[str], *, lora: bool = False) -> TrainedPolicy:
    def vowels(prompt: str, response: str) -> float:
        asked.append(prompt)
        return float(sum(letter in "aeiou" for letter in response))

    set_seed(0)
    settings = ModelSettings(str(model), device="cpu")
    adapters = LoraSettings(rank=2, target_modules=("q_proj",)) if lora else None
    policy = ValuedPolicy.load(settings, lora=adapters)
    reward = OracleReward(vowels, name="vowels")
    return train_by_grpo(policy, load_tokenizer(settings), PROMPTS, reward, SETTINGS, folder=folder, group=2)


def test_without_trl_it_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(grpo, "find_spec", lambda name: None)
    with pytest.raises(SettingsError, match="make bench-setup"):
        check_trl()


@TRL
@pytest.mark.parametrize("lora", [False, True])
def test_killed_it_goes_on_with_the_same_weights(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, lora: bool
) -> None:
    pytest.importorskip("trl", reason="the bench extra is not installed")
    model, asked = make_tiny_model(tmp_path / "model"), list[str]()
    expected = run(model, tmp_path / "whole", asked, lora=lora)
    # a step is 4 responses, two to each of two prompts; the reward is asked about the prompt as it was given
    assert len(asked) == 3 * 4 and set(asked) <= {one.prompt for one in PROMPTS}
    assert [row["step"] for row in expected.log if "reward" in row] == [1, 2, 3]
    assert all({"kl_token", "length"} <= row.keys() for row in expected.log if "reward" in row)
    make = grpo._trainer

    def dying(*given: Any, **how: Any) -> Any:
        trainer = make(*given, **how)
        trainer.add_callback(KillAfter())
        return trainer

    with monkeypatch.context() as patch, pytest.raises(Killed):
        patch.setattr(grpo, "_trainer", dying)
        run(model, tmp_path / "killed", asked, lora=lora)
    found = run(model, tmp_path / "killed", asked, lora=lora)
    trained, whole = weights(found.policy), weights(expected.policy)
    assert all(torch.equal(value, whole[name]) for name, value in trained.items())
    assert found.steps == 3 and not (tmp_path / "killed" / "checkpoints").exists()
    loaded = weights(load_policy(tmp_path / "killed", device="cpu"))
    assert all(torch.equal(value, loaded[name]) for name, value in trained.items())
    again = run(model, tmp_path / "killed", asked, lora=lora)  # done: it is loaded
    assert all(torch.equal(value, trained[name]) for name, value in weights(again.policy).items())


@TRL
def test_a_folder_is_only_continued_with_the_same(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("trl", reason="the bench extra is not installed")
    model = make_tiny_model(tmp_path / "model")
    run(model, tmp_path / "out", [])
    monkeypatch.setitem(run.__globals__, "SETTINGS", replace(SETTINGS, learning_rate=1e-3))
    with pytest.raises(SettingsError, match="learning_rate"):
        run(model, tmp_path / "out", [])
