"""Settings of training: the paper's defaults, what is refused, and what becomes of them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch

from workbench.core.errors import SettingsError
from workbench.training import RewardTrainingSettings
from workbench.training.arguments import training_arguments


def test_the_defaults_are_the_papers() -> None:
    settings = RewardTrainingSettings()
    said = (
        settings.alpha,
        settings.beta,
        settings.policy_loss,
        settings.learning_rate,
        settings.adam_epsilon,
    )
    assert said == (0.2, 0.1, "sigmoid", 1e-5, 1e-5)
    assert (settings.max_grad_norm, settings.batch, settings.micro_batch, settings.epochs) == (
        1.0,
        16,
        1,
        2.0,
    )
    assert (settings.encoding.max_tokens, settings.encoding.max_prompt_tokens) == (512, 128)
    assert (settings.pooling, settings.init_std) == ("last", 0.0)


def test_all_faults_are_named_at_once() -> None:
    with pytest.raises(SettingsError) as caught:
        RewardTrainingSettings(
            alpha=-1, beta=0, policy_loss="dpo", epochs=0, batch=6, micro_batch=4, checkpoints_kept=1, pooling="max",
            reference="never", learning_rate=float("nan"), max_steps=0, head_learning_rate=-1.0, keep_best=True,
        )  # fmt: skip
    for name in (
        "alpha -1", "beta 0", "policy_loss 'dpo'", "epochs 0", "batch 6", "checkpoints_kept 1", "pooling 'max'",
        "reference 'never'", "learning_rate nan", "max_steps 0", "head_learning_rate -1.0", "keep_best",
    ):  # fmt: skip
        assert name in caught.value.got


@pytest.mark.parametrize(
    ("changes", "got"),
    [
        ({"alpha": 0.0, "reward_weight": 0.0}, "alpha 0 and reward_weight 0"),
        ({"alternate": 5, "alpha": 0.0}, "alternate 5 with one loss only"),
        ({"alternate": 5, "reward_weight": 0.0}, "alternate 5 with one loss only"),
    ],
)
def test_settings_that_contradict_each_other(changes: dict[str, Any], got: str) -> None:
    with pytest.raises(SettingsError, match=got):
        RewardTrainingSettings(**changes)


def test_the_batch_is_that_of_all_processes() -> None:
    settings = RewardTrainingSettings(batch=16, micro_batch=2)
    assert [settings.accumulation(processes) for processes in (1, 2, 8)] == [8, 4, 1]
    with pytest.raises(SettingsError, match=r"batch 16, micro_batch 2, 3 process\(es\)"):
        settings.accumulation(3)


def test_what_shapes_no_weight_is_not_part_of_the_description() -> None:
    plain = RewardTrainingSettings().describe()
    assert RewardTrainingSettings(progress=False, log_steps=1, checkpoint_steps=7).describe() == plain
    assert RewardTrainingSettings(evaluate_steps=7).describe() == plain
    assert RewardTrainingSettings(seed=1).describe() != plain
    keeps = {"keep_best": True, "checkpoint_steps": 5}
    assert (
        RewardTrainingSettings(evaluate_steps=7, **keeps).describe()
        != RewardTrainingSettings(evaluate_steps=8, **keeps).describe()
    )


def test_the_trainer_gets_what_was_set(tmp_path: Path) -> None:
    settings = RewardTrainingSettings(
        learning_rate=2e-4, batch=8, micro_batch=2, max_steps=9, warmup=0.1, weight_decay=0.3, seed=5,
        checkpoint_steps=30, evaluate_steps=20, keep_best=True, best_metric="loss",
    )  # fmt: skip
    arguments = training_arguments(settings, tmp_path, torch.device("cpu"), evaluates=True)
    found = {
        "learning_rate": 2e-4, "adam_epsilon": 1e-5, "max_grad_norm": 1.0, "weight_decay": 0.3, "max_steps": 9,
        "per_device_train_batch_size": 2, "gradient_accumulation_steps": 4, "warmup_steps": 0.1, "seed": 5,
        "use_cpu": True, "bf16": False, "load_best_model_at_end": True, "metric_for_best_model": "eval_loss",
        "greater_is_better": False, "save_steps": 20, "eval_steps": 20, "num_train_epochs": 2.0,
        "adam_beta1": 0.9, "adam_beta2": 0.999,
    }  # fmt: skip
    assert {name: getattr(arguments, name) for name in found} == found
    assert arguments.lr_scheduler_type == "linear" and arguments.optim.startswith("adamw")
    unwatched = training_arguments(settings, tmp_path, torch.device("cpu"), evaluates=False)
    assert not unwatched.load_best_model_at_end and unwatched.save_steps == 30
