"""The reward model on tiny bodies of five families: padding, both heads, the reference, merging."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
import transformers
from tiny_families import FAMILIES, WIDTH, batch, config_of, load, run, save_tiny_models

from workbench.core.errors import ModelError
from workbench.models import LoraSettings, ModelSettings, RewardModel
from workbench.models.shared_prompts import shared_rows
from workbench.models.token_logps import sequence_logps
from workbench.training import hybrid_loss


@pytest.fixture(scope="module")
def checkpoints(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    return save_tiny_models(tmp_path_factory.mktemp("families"))


@pytest.fixture(scope="module")
def llama(checkpoints: dict[str, str]) -> str:
    return checkpoints["Llama"]


@pytest.mark.parametrize("pooling", ["last", "mean"])
@pytest.mark.parametrize("family", FAMILIES)
def test_padding_on_either_side_gives_the_same_numbers(
    checkpoints: dict[str, str], family: str, pooling: str
) -> None:
    model = load(checkpoints[family], pooling=pooling)
    right, left = batch("right"), batch("left")
    a, b = run(model, **right), run(model, **left)
    assert a.token_logps is not None and b.token_logps is not None
    torch.testing.assert_close(a.scores, b.scores, rtol=1e-5, atol=1e-5)
    torch.testing.assert_close(
        a.token_logps[right["response_mask"]], b.token_logps[left["response_mask"]], rtol=1e-5, atol=1e-5
    )
    for row, length in enumerate([9, 6, 4]):  # and the same as alone, without padding
        alone = run(model, **{name: value[row : row + 1, :length] for name, value in right.items()})
        torch.testing.assert_close(alone.scores, a.scores[row : row + 1], rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize("family", FAMILIES)
def test_log_probabilities_are_those_of_the_causal_language_model(
    checkpoints: dict[str, str], family: str
) -> None:
    given = batch()
    out = run(load(checkpoints[family]), **given)
    plain = transformers.AutoModelForCausalLM.from_pretrained(checkpoints[family]).eval()
    with torch.no_grad():
        logits = plain(given["input_ids"], attention_mask=given["attention_mask"].long()).logits
    expected = torch.zeros(3, 9)
    expected[:, 1:] = logits[:, :-1].log_softmax(-1).gather(2, given["input_ids"][:, 1:, None])[..., 0]
    expected[~given["response_mask"]] = 0
    assert out.token_logps is not None and out.token_logps.dtype == out.scores.dtype == torch.float32
    torch.testing.assert_close(out.token_logps, expected, rtol=1e-5, atol=1e-5)
    assert out.scores.shape == (3,)


def test_scores_are_the_head_on_the_last_real_token_or_the_mean(llama: str) -> None:
    given = batch()
    plain = transformers.AutoModelForCausalLM.from_pretrained(llama).eval()
    with torch.no_grad():
        states = plain.model(
            given["input_ids"], attention_mask=given["attention_mask"].long()
        ).last_hidden_state
    last, mean = load(llama), load(llama, pooling="mean")
    weight = last.reward_head.weight[0].detach()
    expected = torch.stack([states[0, 8], states[1, 5], states[2, 3]]) @ weight
    torch.testing.assert_close(run(last, **given).scores, expected)
    expected = torch.stack([states[0, 5:9].mean(0), states[1, 3:6].mean(0), states[2, 3]]) @ weight
    torch.testing.assert_close(run(mean, **given).scores, expected)


def test_a_fresh_head_scores_zero(llama: str) -> None:
    model = load(llama, init_std=0.0)
    assert run(model).scores.tolist() == [0.0, 0.0, 0.0]
    assert load(llama, init_std=0.5).reward_head.weight.std().item() == pytest.approx(0.5, rel=0.5)


@pytest.mark.parametrize("side", ["left", "right"])
@pytest.mark.parametrize("way", ["full", "lora", "nf4"])
def test_gradients_reach_both_heads_and_what_trains(llama: str, way: str, side: str) -> None:
    model = load(llama, way).train()
    out = model(**batch(side))
    assert out.token_logps is not None
    (out.scores.sum() + out.token_logps.sum()).backward()
    for name, parameter in model.named_parameters():
        if parameter.requires_grad:
            assert parameter.grad is not None, name
            assert torch.isfinite(parameter.grad).all() and parameter.grad.any(), name
    trained = {name for name, parameter in model.named_parameters() if parameter.requires_grad}
    assert "reward_head.weight" in trained
    assert way == "full" or all("lora" in name or "reward_head" in name for name in trained)
    assert way == "full" or all("mlp" in name for name in trained if "lora" in name)


def test_the_whole_chunked_gradient_is_that_of_whole_logits(llama: str) -> None:
    given, model = batch(), load(llama)
    out = model(**given)
    assert out.token_logps is not None
    (out.scores.sum() + out.token_logps.sum()).backward()
    plain = transformers.AutoModelForCausalLM.from_pretrained(llama).eval()
    got = plain(given["input_ids"], attention_mask=given["attention_mask"].long(), output_hidden_states=True)
    logps = got.logits[:, :-1].log_softmax(-1).gather(2, given["input_ids"][:, 1:, None])[..., 0]
    states = got.hidden_states[-1]
    scores = torch.stack([states[0, 8], states[1, 5], states[2, 3]]) @ model.reward_head.weight[0].detach()
    (scores.sum() + logps[given["response_mask"][:, 1:]].sum()).backward()
    theirs = dict(plain.named_parameters())
    for name, parameter in model.policy.named_parameters():
        torch.testing.assert_close(parameter.grad, theirs[name].grad, rtol=1e-4, atol=1e-4)


def test_a_trained_head_moves_under_all_linear_lora_and_stays_float32(llama: str) -> None:
    """A fresh head that peft wraps with everything else stays at its first values: PEFT issue 1070."""
    torch.manual_seed(0)
    lora = LoraSettings(target_modules=("q_proj", "k_proj", "v_proj", "o_proj", "up_proj", "lm_head"))
    model = RewardModel.load(ModelSettings(llama, device="cpu", dtype="bfloat16"), lora=lora).train()
    assert model.reward_head.weight.dtype == torch.float32
    assert type(model.reward_head) is torch.nn.Linear
    optimizer = torch.optim.SGD([p for p in model.parameters() if p.requires_grad], lr=1.0)
    out = model(**batch())
    assert out.scores.dtype == torch.float32 and out.token_logps is not None
    assert out.token_logps.dtype == torch.float32
    (out.scores.sum() + out.token_logps.sum()).backward()
    optimizer.step()
    assert (model.reward_head.weight != 0).sum() > WIDTH // 2
    assert all(p.dtype == torch.float32 for n, p in model.named_parameters() if "lora" in n)


def test_without_marks_the_lm_head_costs_nothing(llama: str, monkeypatch: pytest.MonkeyPatch) -> None:
    model, given = load(llama), batch()
    expected = run(model, **given).scores
    monkeypatch.setattr(model.lm_head, "weight", None)
    out = run(model, input_ids=given["input_ids"], attention_mask=given["attention_mask"])
    assert out.token_logps is None and torch.equal(out.scores, expected)
    with torch.no_grad():
        assert model(**given, with_logps=False).token_logps is None


@pytest.mark.parametrize("way", ["lora", "nf4"])
@pytest.mark.parametrize("family", ["Llama", "GPT2"])
def test_the_reference_is_the_model_without_its_adapters(
    checkpoints: dict[str, str], family: str, way: str
) -> None:
    model = load(checkpoints[family], way)
    before = run(model)
    model.train()  # GPT-2 has dropout: a reference must not
    reference = model.reference_logps(**batch())
    quantize = "nf4" if way == "nf4" else None
    untouched = RewardModel.load(ModelSettings(checkpoints[family], device="cpu", quantize=quantize)).eval()
    expected = run(untouched).token_logps
    assert expected is not None and before.token_logps is not None
    assert torch.equal(reference, expected) and not reference.requires_grad
    assert (before.token_logps - reference).abs().max() > 0.01
    assert model.training and all(p.requires_grad for n, p in model.named_parameters() if "lora" in n)
    after = run(model.eval())
    assert torch.equal(after.scores, before.scores)


def test_the_reference_leaves_modes_and_frozen_adapters_as_they_are(llama: str, tmp_path: Path) -> None:
    folder = load(llama, "lora").save_pretrained(tmp_path)
    model = RewardModel.from_pretrained(folder, device="cpu")
    model.policy.train()
    with pytest.raises(RuntimeError, match="stop"), model.as_reference():
        assert not model.policy.training
        raise RuntimeError("stop")
    assert model.policy.training and not model.training
    assert not any(parameter.requires_grad for parameter in model.parameters())


@pytest.mark.parametrize("family", FAMILIES)
@pytest.mark.parametrize("way", ["lora", "nf4"])
def test_merged_weights_score_as_the_adapters_did(checkpoints: dict[str, str], family: str, way: str) -> None:
    model = load(checkpoints[family], way)
    before, after = run(model), run(model.merge())
    assert not model.has_adapters
    assert not any("lora" in name or "absmax" in name for name in model.state_dict())
    torch.testing.assert_close(after.scores, before.scores, rtol=1e-3, atol=1e-4)
    torch.testing.assert_close(after.token_logps, before.token_logps, rtol=1e-3, atol=1e-3)


@pytest.mark.parametrize("way", ["full", "lora", "nf4"])
def test_a_few_hybrid_steps_lower_both_losses_and_the_result_reloads(
    llama: str, tmp_path: Path, way: str
) -> None:
    torch.manual_seed(1)
    lora = None if way == "full" else LoraSettings(rank=4)
    settings = ModelSettings(llama, device="cpu", quantize="nf4" if way == "nf4" else None)
    model = RewardModel.load(settings, lora=lora)
    given = {
        name: value[[0, 1]] for name, value in batch().items()
    }  # one pair: row 0 is chosen, row 1 rejected
    mask = given["response_mask"]
    reference = sequence_logps(run(model.eval(), **given).token_logps, mask)  # type: ignore[arg-type]
    optimizer = torch.optim.AdamW([p for p in model.parameters() if p.requires_grad], lr=1e-2)
    losses = []
    for _ in range(6):
        out = model(**given)
        logps = sequence_logps(out.token_logps, mask)
        loss = hybrid_loss(*out.scores.split(1), *logps.split(1), *reference.split(1))
        optimizer.zero_grad()
        loss.total.backward()
        optimizer.step()
        losses.append(loss)
    first, last = losses[0], losses[-1]
    assert first.reward.item() == first.policy.item() == pytest.approx(0.6931472)  # nothing is learnt yet
    assert last.reward < first.reward - 0.05 and last.policy < first.policy - 0.01
    model.save_pretrained(tmp_path)
    again = RewardModel.from_pretrained(tmp_path, device="cpu")
    assert torch.equal(run(again, **given).scores, run(model, **given).scores)


def test_gradient_checkpointing_changes_no_number(llama: str) -> None:
    grads = []
    for checkpointing in (False, True):
        torch.manual_seed(1)
        settings = ModelSettings(llama, device="cpu", gradient_checkpointing=checkpointing)
        model = RewardModel.load(settings, lora=LoraSettings(rank=4), init_std=0.5).train()
        layers = [layer for layer in model.causal_lm.modules() if hasattr(layer, "gradient_checkpointing")]
        assert layers and all(layer.gradient_checkpointing == checkpointing for layer in layers)
        model(**batch()).scores.sum().backward()
        grads.append({name: p.grad for name, p in model.named_parameters() if p.grad is not None})
    assert grads[0].keys() == grads[1].keys() and len(grads[0]) == 13
    assert all(torch.equal(grads[0][name], grads[1][name]) for name in grads[0])


def test_scores_are_float32_under_autocast(llama: str) -> None:
    model = load(llama).train()
    with torch.autocast("cpu", dtype=torch.bfloat16):
        out = model(**batch())
    assert out.token_logps is not None
    assert out.scores.dtype == out.token_logps.dtype == torch.float32
    (out.scores.sum() + out.token_logps.sum()).backward()
    assert model.reward_head.weight.grad is not None and model.reward_head.weight.grad.dtype == torch.float32
    torch.testing.assert_close(out.scores, run(model).scores, rtol=0.1, atol=0.2)


def test_models_and_settings_that_do_not_serve() -> None:
    t5 = transformers.T5Config(vocab_size=32, d_model=16, d_kv=8, d_ff=16, num_layers=1, num_heads=2)
    with pytest.raises(ModelError, match="T5ForConditionalGeneration, an encoder-decoder"):
        RewardModel(transformers.T5ForConditionalGeneration(t5))
    plain = transformers.AutoModelForCausalLM.from_config(config_of("Llama"))
    with pytest.raises(ModelError, match="pooling 'first'"):
        RewardModel(plain, pooling="first")
    with pytest.raises(ModelError, match="init_std -1"):
        RewardModel(plain, init_std=-1.0)


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"attention_mask": torch.ones(3, 8)}, r"attention_mask \[3, 8\]"),
        ({"response_mask": torch.ones(2, 9)}, r"response_mask \[2, 9\]"),
        ({"response_mask": torch.ones(3, 9)}, "row 0 .* without a real one before it"),
        (
            {"attention_mask": torch.tensor([[1] * 9, [0] * 9, [1] * 9])},
            "row 1 of the batch has no real token",
        ),
    ],
)
def test_a_batch_that_makes_no_sense(llama: str, change: dict[str, torch.Tensor], says: str) -> None:
    with pytest.raises(ModelError, match=says):
        run(load(llama), **batch() | change)


def test_the_mean_needs_to_know_the_response(llama: str) -> None:
    given = batch()
    with pytest.raises(ModelError, match="no response_mask"):
        run(load(llama, pooling="mean"), input_ids=given["input_ids"], attention_mask=given["attention_mask"])


def outputs_and_gradient(model: RewardModel, given: dict[str, torch.Tensor]) -> tuple[torch.Tensor, ...]:
    """Return scores, log-probabilities and what both together ask of the embeddings."""
    out = model(**given)
    assert out.token_logps is not None
    (out.scores.sum() + out.token_logps.sum()).backward()
    gradient = model.body.get_input_embeddings().weight.grad
    return out.scores, out.token_logps, gradient


@pytest.mark.parametrize("side", ["left", "right"])
@pytest.mark.parametrize("family", FAMILIES)
def test_without_padding_numbers_and_gradients_are_the_same(
    checkpoints: dict[str, str], family: str, side: str
) -> None:
    given = batch(side)
    found = []
    for padding_free in (False, True):
        model = load(checkpoints[family], pooling="mean")
        model.padding_free = padding_free
        found.append(outputs_and_gradient(model, given))
    for padded, packed in zip(*found, strict=True):
        torch.testing.assert_close(packed, padded, rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize("side", ["left", "right"])
@pytest.mark.parametrize("attention", ["sdpa", "eager"])
@pytest.mark.parametrize("family", FAMILIES)
def test_prompts_read_once_give_the_same_numbers_and_gradients(
    checkpoints: dict[str, str], family: str, attention: str, side: str
) -> None:
    given = batch(side)
    # twice the same prompts: the second half has other responses, as the rejected ones of a batch of pairs
    given = {name: torch.cat([values, values]) for name, values in given.items()}
    half = len(given["input_ids"]) // 2
    response = given["response_mask"][half:].bool()
    given["input_ids"][half:][response] = given["input_ids"][half:][response].flip(0)
    rows = shared_rows(*(given[name] for name in ("input_ids", "attention_mask", "response_mask")))
    assert rows is not None and len(rows.input_ids) == half
    found = []
    for share in (False, True):
        settings = ModelSettings(checkpoints[family], device="cpu", attention=attention, share_prompts=share)
        torch.manual_seed(0)
        model = RewardModel.load(settings, pooling="mean", init_std=0.5)
        found.append(outputs_and_gradient(model, given))
    for apart, shared in zip(*found, strict=True):
        torch.testing.assert_close(shared, apart, rtol=1e-4, atol=1e-4)
