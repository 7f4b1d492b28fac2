"""4-bit layers compute the same whatever the CPU says of itself: every branch is forced, on any machine.

The story: on CPUs with AVX512-BF16 bitsandbytes repacked 4-bit weights in place at the first evaluation pass. Widths
that do not divide by 64 failed; others trained on silently, with gradients far from the right ones.
"""

from __future__ import annotations

import copy
import os
import pickle
import subprocess
import sys
from pathlib import Path
from typing import Any

import bitsandbytes
import pytest
import torch
import transformers
from bitsandbytes.nn import Linear4bit
from tiny_families import FAMILIES, SIZES, batch, load, run, save_tiny_models

from workbench.core.errors import ModelError
from workbench.models import LoraSettings, ModelSettings, RewardModel, add_lora, load_causal_lm
from workbench.models.four_bit import hold_layout
from workbench.models.loading import load_checkpoint
from workbench.training.ppo import ValuedPolicy

NF4 = {"quantize": "nf4", "device": "cpu"}


@pytest.fixture(params=[True, False], ids=["avx512bf16", "none"])
def flag(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> bool:
    """Let new layers believe that the CPU has, or has not, what they repack their weights for."""
    monkeypatch.setattr(bitsandbytes.nn.modules, "has_avx512bf16", lambda: request.param)
    return bool(request.param)


@pytest.fixture(autouse=True)
def repacked(monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    """Note every attempt to repack; no test may leave one."""
    seen: list[Any] = []

    def note(data: Any, state: Any) -> tuple[Any, Any]:
        seen.append(state)
        state.packing_format_for_cpu = True
        return data, state

    monkeypatch.setattr(bitsandbytes.nn.modules, "_convert_weight_packed_for_cpu", note)
    return seen


def save_width(folder: Path, width: int) -> str:
    """Save a Llama whose matrices all have this width."""
    torch.manual_seed(0)
    sizes = SIZES | {"hidden_size": width, "intermediate_size": width, "num_attention_heads": 2}
    transformers.LlamaForCausalLM(transformers.LlamaConfig(**sizes)).save_pretrained(folder)
    return str(folder)


def layers_of(model: torch.nn.Module) -> list[Any]:
    return [layer for layer in model.modules() if isinstance(layer, Linear4bit)]


def gradients(model: RewardModel) -> torch.Tensor:
    """Return the gradient of scores and log-probabilities, of everything that trains, as one vector."""
    model.train().zero_grad(set_to_none=True)
    out = model(**batch())
    assert out.token_logps is not None
    (out.scores.sum() + out.token_logps.sum()).backward()
    trained = [parameter.grad for parameter in model.parameters() if parameter.grad is not None]
    return torch.cat([gradient.flatten() for gradient in trained])


@pytest.mark.parametrize("width", [64, 96, 32])
def test_a_reference_pass_changes_no_gradient(tmp_path: Path, width: int, flag: bool) -> None:
    folder = save_width(tmp_path, width)
    expected = gradients(load(folder, "nf4"))
    model = load(folder, "nf4")
    model.reference_logps(**batch())
    assert expected.abs().max() > 0
    assert torch.equal(gradients(model), expected)


@pytest.mark.parametrize("family", FAMILIES)
def test_no_layer_repacks_and_a_saved_model_scores_the_same(
    tmp_path: Path, family: str, flag: bool, repacked: list[Any]
) -> None:
    folder = save_tiny_models(tmp_path)[family]
    model = load(folder, "nf4")
    before = run(model)
    loaded = RewardModel.from_pretrained(model.save_pretrained(tmp_path / "saved"), device="cpu")
    after = run(loaded)
    assert torch.equal(before.scores, after.scores)
    assert before.token_logps is not None and after.token_logps is not None
    assert torch.equal(before.token_logps, after.token_logps)
    assert layers_of(model) and layers_of(loaded)
    assert repacked == []


@torch.no_grad()
def test_copies_adapters_and_pickles_are_held_too(tmp_path: Path, flag: bool, repacked: list[Any]) -> None:
    model = load_causal_lm(ModelSettings(save_width(tmp_path, 64), **NF4)).model
    adapted = add_lora(copy.deepcopy(model), LoraSettings(rank=2))
    for one in (model, copy.deepcopy(model), adapted, pickle.loads(pickle.dumps(layers_of(model)[0]))):
        assert layers_of(one)
        one.eval()
        one(torch.ones(1, 64) if isinstance(one, Linear4bit) else torch.tensor([[3, 4]]))
    assert repacked == []


@torch.no_grad()
def test_classifiers_are_loaded_the_same_way(tmp_path: Path, flag: bool, repacked: list[Any]) -> None:
    torch.manual_seed(0)
    config = transformers.LlamaConfig(**SIZES, num_labels=1)
    transformers.LlamaForSequenceClassification(config).save_pretrained(tmp_path)
    kind = transformers.AutoModelForSequenceClassification
    model, _ = load_checkpoint(kind, ModelSettings(str(tmp_path), **NF4), "a sequence classifier")
    model(torch.tensor([[3, 4]]))
    assert layers_of(model) and repacked == []


def foreign(folder: str) -> Any:
    """Load a 4-bit model without the workbench."""
    settings = transformers.BitsAndBytesConfig(load_in_4bit=True, bnb_4bit_quant_type="nf4")
    return transformers.AutoModelForCausalLM.from_pretrained(
        folder, quantization_config=settings, device_map={"": "cpu"}, dtype=torch.float32
    )


@torch.no_grad()
def test_a_model_that_others_loaded_is_held_from_when_it_is_handed_over(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, repacked: list[Any]
) -> None:
    monkeypatch.setattr(bitsandbytes.nn.modules, "has_avx512bf16", lambda: True)
    folder = save_width(tmp_path, 64)
    run(RewardModel(foreign(folder)).eval())
    add_lora(foreign(folder), LoraSettings(rank=2)).eval()(torch.tensor([[3, 4]]))
    ValuedPolicy(foreign(folder))  # looks at its own logits
    assert repacked == []
    spent = foreign(folder).eval()
    spent(torch.tensor([[3, 4]]))
    assert len(repacked) == 14, "a model that nobody holds repacks: the force works"
    for hand_over in (RewardModel, ValuedPolicy, lambda model: add_lora(model, LoraSettings(rank=2))):
        with pytest.raises(ModelError, match="14 4-bit layers that bitsandbytes has repacked") as caught:
            hand_over(spent)
        assert "load the model again" in caught.value.fix


def test_models_without_such_layers_pass(monkeypatch: pytest.MonkeyPatch) -> None:
    hold_layout(torch.nn.Linear(2, 2))
    monkeypatch.delitem(sys.modules, "bitsandbytes.nn.modules")
    hold_layout(torch.nn.Linear(2, 2))


QUIET = """
import sys, tempfile, warnings
from pathlib import Path
sys.path.insert(0, {tests!r})
from tiny_model import make_tiny_model
from tiny_training import make_pairs, quick
from transformers.utils import logging
folder = Path(tempfile.mkdtemp())
logging.disable_progress_bar()
make_tiny_model(folder / "tiny")
logging.enable_progress_bar()
from workbench.models import LoraSettings, ModelSettings, RewardModel, load_tokenizer
from workbench.training import train_reward_model
nf4 = ModelSettings(str(folder / "tiny"), device="cpu", quantize="nf4", gradient_checkpointing=True)
tokenizer = load_tokenizer(nf4)
trained = train_reward_model(
    nf4, tokenizer, make_pairs(8), quick(max_steps=2), folder=folder / "rm", lora=LoraSettings(rank=2)
)
RewardModel.from_pretrained(folder / "rm", device="cpu")
trained.model.merge().save_pretrained(folder / "merged")
print("done")
warnings.warn("another library's own", FutureWarning)
"""


def test_loading_training_and_saving_say_nothing_that_nobody_asked_for(tmp_path: Path) -> None:
    program = QUIET.format(tests=str(Path(__file__).parents[1]))
    words = [sys.executable, "-W", "default::FutureWarning", "-c", program]
    environment = {**os.environ, "OMP_NUM_THREADS": "1"}
    done = subprocess.run(words, capture_output=True, text=True, check=True, env=environment, cwd=tmp_path)
    assert done.stdout.splitlines()[-1] == "done"
    shown = [line for line in done.stderr.splitlines() if line.strip()]
    assert "another library's own" in shown.pop(-1 if len(shown) == 1 else 0), done.stderr
    assert [line for line in shown if "warnings.warn(" not in line] == [], done.stderr
