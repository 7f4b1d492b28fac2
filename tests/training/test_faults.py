"""The likely causes that errors of training name."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from tiny_training import load, save_tiny

from workbench.core.errors import ModelError
from workbench.training import PairOutputs
from workbench.training.faults import check_switchable, not_a_number


@pytest.fixture(scope="module")
def tiny(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return save_tiny(tmp_path_factory.mktemp("tiny"))


def test_a_sharded_model_cannot_be_its_own_reference(tiny: Path) -> None:
    model = load(tiny, lora=True)
    check_switchable(model, sharded=False)
    with pytest.raises(ModelError, match="adapters-off' with FSDP"):
        check_switchable(model, sharded=True)
    with pytest.raises(ModelError, match="a model without adapters"):
        check_switchable(load(tiny), sharded=False)


def test_causes_of_a_loss_that_is_no_number(tiny: Path) -> None:
    outputs = PairOutputs(torch.tensor([1.0, torch.inf, 2.0]), torch.zeros(3))
    rows, loss = torch.tensor([7, 8, 9]), torch.tensor(torch.inf)
    model = load(tiny)
    fault = not_a_number(loss, outputs, rows, model, 3)
    assert fault.got == "loss inf in step 3, pairs [8] (counted from 0)" and "these texts" in fault.needed
    finite = not_a_number(loss, PairOutputs(torch.ones(3), torch.zeros(3)), rows, model, 3)
    assert "pairs [7, 8, 9]" in finite.got, "no pair stands out"
    model.policy.half()
    assert "float16 overflows" in not_a_number(loss, outputs, rows, model, 3).needed
    with torch.no_grad():
        model.reward_head.weight[0, 0] = torch.nan
    assert "reward_head.weight" in not_a_number(loss, outputs, rows, model, 3).needed
