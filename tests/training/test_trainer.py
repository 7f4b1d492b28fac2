"""HybridRewardTrainer: its losses, what it leaves alone, how it accumulates, and what it refuses."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import pytest
import torch
from tiny_training import ENCODING, load, make_pairs, quick, save_tiny, tokenizer_of, weights
from torch.nn.functional import logsigmoid

from workbench.core.errors import ModelError, SettingsError
from workbench.models import LoraSettings, ModelSettings, RewardModel, collate
from workbench.models.token_logps import sequence_logps
from workbench.training import (
    POLICY_LOSSES,
    EncodedPairs,
    TrainedRewardModel,
    encode_pairs,
    hybrid_loss,
    reference_logps,
    train_reward_model,
)
from workbench.training.arguments import training_arguments
from workbench.training.pairs import collate_pairs
from workbench.training.trainer import HybridRewardTrainer


@pytest.fixture(scope="module")
def tiny(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return save_tiny(tmp_path_factory.mktemp("tiny"))


@pytest.fixture(scope="module")
def encoded(tiny: Path) -> EncodedPairs:
    return encode_pairs(make_pairs(10), tokenizer_of(tiny), ENCODING)


def train(model: Any, tiny: Path, number: int = 10, **changes: Any) -> TrainedRewardModel:
    options = {name: changes.pop(name) for name in ("lora", "eval_pairs", "callbacks") if name in changes}
    settings = quick(**{"epochs": 1} | changes)
    return train_reward_model(model, tokenizer_of(tiny), make_pairs(number), settings, folder=None, **options)


def trainer_of(model: RewardModel, pairs: EncodedPairs, folder: Path, **changes: Any) -> HybridRewardTrainer:
    settings = quick(**changes)
    arguments = training_arguments(settings, folder, model.device, evaluates=False)
    return HybridRewardTrainer(model, settings, pairs, args=arguments)


def test_trainer_alpha_zero_is_the_standard_reward_model_step_by_step(tiny: Path) -> None:
    trained = train(
        load(tiny), tiny, alpha=0.0, batch=10, micro_batch=10, epochs=3, schedule="constant"
    ).model
    model, tokenizer = load(tiny).train(), tokenizer_of(tiny)
    pairs = encode_pairs(make_pairs(10), tokenizer, ENCODING)
    chosen, rejected = (collate([pair[side] for pair in pairs.pairs]) for side in (0, 1))
    optimizer = torch.optim.AdamW(model.parameters(), lr=1e-3, eps=1e-5, weight_decay=0.0)
    for _ in range(3):  # written out: Bradley-Terry on two forward passes
        optimizer.zero_grad()
        scores = [model(batch.input_ids, batch.attention_mask).scores for batch in (chosen, rejected)]
        (-logsigmoid(scores[0] - scores[1]).mean()).backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()
    expected = weights(model)
    for name, value in weights(trained).items():
        torch.testing.assert_close(value, expected[name], rtol=1e-4, atol=2e-6)
    assert torch.equal(trained.lm_head.weight, load(tiny).lm_head.weight)
    assert all(parameter.requires_grad for parameter in trained.parameters()), "as it was given"


def test_trainer_alpha_zero_never_touches_the_lm_head(tiny: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def touched(*_: Any) -> None:
        raise AssertionError

    monkeypatch.setattr("workbench.models.reward_model.label_logps", touched)
    found = train(load(tiny), tiny, alpha=0.0, eval_pairs=make_pairs(3), max_steps=1)
    assert set(found.evaluation) == {"loss", "reward_loss", "accuracy", "margin"}


@pytest.mark.parametrize("policy_loss", POLICY_LOSSES)
def test_trainer_computes_the_hybrid_loss(
    tiny: Path, encoded: EncodedPairs, tmp_path: Path, policy_loss: str
) -> None:
    model = load(tiny)
    # another reference than the model itself, so that it matters
    reference = torch.tensor(reference_logps(load(tiny), encoded, progress=False)) - torch.arange(20) / 7
    known = encoded.with_reference(reference.tolist())
    trainer = trainer_of(model, known, tmp_path, policy_loss=policy_loss, alpha=0.7, simpo_margin=0.3)
    found = trainer.compute_loss(model, collate_pairs(known.pairs)).item()
    rewards, logps = [], []
    for text in encoded.texts():  # each response alone, without padding
        batch = collate([text])
        out = model(*batch)
        rewards.append(out.scores)
        logps.append(sequence_logps(out.token_logps, batch.response_mask, average=policy_loss == "simpo"))
    columns = [torch.cat(rewards), torch.cat(logps), reference.float()]
    split = [part for column in columns for part in (column[::2], column[1::2])]
    expected = hybrid_loss(*split, alpha=0.7, policy_loss=policy_loss, simpo_margin=0.3).total
    assert found == pytest.approx(expected.item(), rel=1e-4)


def test_trainer_takes_the_reference_from_switched_off_adapters_or_from_before(tiny: Path) -> None:
    settings = {"lora": LoraSettings(rank=2), "micro_batch": 4, "eval_pairs": make_pairs(4)}
    model = ModelSettings(str(tiny), device="cpu")
    runs = [train(model, tiny, reference=reference, **settings) for reference in ("before", "adapters-off")]
    assert runs[0].evaluation == pytest.approx(runs[1].evaluation, rel=1e-4)
    expected = weights(runs[0].model)
    for name, value in weights(runs[1].model).items():
        torch.testing.assert_close(value, expected[name], rtol=1e-3, atol=1e-5)


def test_hybrid_trainer_starts_where_policy_and_reference_agree(tiny: Path) -> None:
    first = train(load(tiny), tiny, max_steps=1).log[0]
    assert first["policy_loss"] == pytest.approx(math.log(2), rel=1e-4)
    assert first["implicit_margin"] == pytest.approx(0.0, abs=1e-4)
    assert first["loss"] == pytest.approx(first["reward_loss"] + 0.2 * first["policy_loss"], rel=1e-5)
    assert first["reward_head_grad_norm"] > 0


@pytest.mark.parametrize("micro_batch", [2, 4, 8])
def test_accumulated_steps_weigh_every_pair_the_same(tiny: Path, micro_batch: int) -> None:
    # 13 pairs in steps of 8: the second step has 5, in micro-batches of 2, 2, 1 or of 4, 1
    whole = train(load(tiny), tiny, 13, batch=8, micro_batch=8)
    parts = train(load(tiny), tiny, 13, batch=8, micro_batch=micro_batch)
    expected = weights(whole.model)
    for name, value in weights(parts.model).items():
        torch.testing.assert_close(value, expected[name], rtol=1e-3, atol=2e-6)
    for one, other in zip(whole.log[:2], parts.log[:2], strict=True):
        for name in ("loss", "reward_loss", "policy_loss", "accuracy", "grad_norm"):
            assert one[name] == pytest.approx(other[name], rel=1e-3)


def test_dpo_alone_leaves_the_scalar_head_alone(tiny: Path) -> None:
    model = load(tiny)
    head = model.reward_head.weight.detach().clone()
    found = train(model, tiny, reward_weight=0.0, alpha=1.0, epochs=4)
    assert torch.equal(model.reward_head.weight, head)
    assert found.log[3 * 3]["policy_loss"] < found.log[0]["policy_loss"]
    assert found.log[0]["policy_share"] == pytest.approx(1.0)
    assert "reward_head_grad_norm" not in found.log[0]


def test_losses_that_take_turns(tiny: Path) -> None:
    found = train(load(tiny), tiny, 16, alternate=2, epochs=2)
    on_policy = ["policy_loss" in row for row in found.log[:8]]
    assert on_policy == [False, False, True, True] * 2
    for row in found.log[:8]:
        part = 0.2 * row["policy_loss"] if "policy_loss" in row else row["reward_loss"]
        assert row["loss"] == pytest.approx(part, rel=1e-5)


def test_the_scalar_head_may_have_a_learning_rate_of_its_own(tiny: Path) -> None:
    before = load(tiny).reward_head.weight.detach()
    runs = [train(load(tiny), tiny, max_steps=1, head_learning_rate=rate).model for rate in (None, 0.1)]
    usual, own = ((model.reward_head.weight.detach() - before).abs().max().item() for model in runs)
    assert own == pytest.approx(100 * usual, rel=0.01)
    assert torch.equal(runs[0].lm_head.weight, runs[1].lm_head.weight)


def test_evaluation_is_exact_whatever_the_batches(tiny: Path, encoded: EncodedPairs) -> None:
    model = load(tiny)
    found = train(model, tiny, alpha=0.0, max_steps=1, micro_batch=1, batch=1, eval_pairs=make_pairs(10))
    batch = collate_pairs(encoded.pairs)
    with torch.no_grad():
        chosen, rejected = model(batch["input_ids"], batch["attention_mask"]).scores.chunk(2)
    assert found.evaluation["loss"] == pytest.approx(-logsigmoid(chosen - rejected).mean().item(), rel=1e-5)
    assert found.evaluation["accuracy"] == pytest.approx((chosen > rejected).float().mean().item())


def test_the_best_weights_can_be_kept(tiny: Path, tmp_path: Path) -> None:
    settings = quick(
        max_steps=2, learning_rate=0.1, schedule="constant", evaluate_steps=1, checkpoint_steps=1, keep_best=True,
        best_metric="loss",
    )  # fmt: skip
    found = train_reward_model(
        load(tiny), tokenizer_of(tiny), make_pairs(20), settings, folder=tmp_path, eval_pairs=make_pairs(6)
    )
    losses = [row["eval_loss"] for row in found.log if "eval_loss" in row]
    assert losses[0] < losses[1], "the last step is the best, so this shows nothing"
    assert found.evaluation["loss"] == pytest.approx(min(losses), rel=1e-5)


@pytest.mark.parametrize("quantize", [None, "nf4"])
def test_adapters_and_head_train_and_the_rest_does_not(tiny: Path, quantize: str | None) -> None:
    model = load(tiny, lora=True, quantize=quantize)
    before = weights(model)
    train(model, tiny)
    changed = {name for name, value in weights(model).items() if not torch.equal(value, before[name])}
    assert changed == {name for name in before if "lora_" in name or name == "reward_head.weight"}


def test_a_head_that_gets_no_gradient(tiny: Path) -> None:
    model = load(tiny, lora=True)
    model.reward_head.requires_grad_(False)
    with pytest.raises(
        ModelError, match="the scalar head got no gradient in the first step: it is frozen"
    ) as caught:
        train(model, tiny)
    assert "requires_grad_(True)" in caught.value.fix


def test_a_loss_that_is_no_number_names_step_pairs_and_cause(tiny: Path) -> None:
    model = load(tiny)
    with torch.no_grad():
        model.body.layers[1].mlp.up_proj.weight[0, 0] = math.nan
    with pytest.raises(ModelError) as caught:
        train(model, tiny, batch=2, alpha=0.0)
    assert caught.value.got.startswith("loss nan in step 1, pairs [") and "counted from 0" in caught.value.got
    assert "up_proj" in caught.value.needed and "learning_rate" in caught.value.fix


def test_only_the_pairs_that_broke_the_loss_are_named(
    tiny: Path, encoded: EncodedPairs, tmp_path: Path
) -> None:
    logps = [-5.0] * 20
    logps[2 * 7 + 1] = -math.inf
    model = load(tiny)
    trainer = trainer_of(model, encoded.with_reference(logps), tmp_path)
    with pytest.raises(ModelError, match=r"loss inf in step 1, pairs \[7\]") as caught:
        trainer.compute_loss(model, collate_pairs(encoded.with_reference(logps).pairs))
    assert "these texts, or the loss's settings" in caught.value.needed


def test_a_reference_that_cannot_be_had(tiny: Path, encoded: EncodedPairs, tmp_path: Path) -> None:
    with pytest.raises(ModelError, match="pairs without reference") as caught:
        trainer_of(load(tiny), encoded, tmp_path)
    assert "reference='before'" in caught.value.fix
    trainer_of(load(tiny), encoded, tmp_path, alpha=0.0)
    trainer_of(load(tiny), encoded, tmp_path, policy_loss="simpo")
    with pytest.raises(ModelError, match="a model without adapters"):
        train(load(tiny), tiny, reference="adapters-off")


def test_adapters_for_a_model_that_is_loaded_already(tiny: Path) -> None:
    with pytest.raises(SettingsError, match="lora with a model that is loaded already"):
        train(load(tiny), tiny, lora=LoraSettings())


def test_trainer_writes_nothing_without_a_folder(
    tiny: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    assert train(load(tiny), tiny, log_steps=0, max_steps=1).folder is None
    assert not list(tmp_path.iterdir())
