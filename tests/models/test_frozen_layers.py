"""Frozen layers computed once for each text: the same states, gradients and trainings, for families of all kinds."""

from __future__ import annotations

import copy
from pathlib import Path
from typing import Any

import pytest
import torch
import transformers
from tiny_configs import CONFIGS, tiny
from tiny_policies import PROMPTS, WholeReward, count_of, language_model, tokenizer
from tiny_policies import quick as quick_ppo
from tiny_training import make_pairs, quick, save_tiny, tokenizer_of
from torch import Tensor, nn

from workbench.models import LoraSettings, ModelSettings, RewardModel, add_lora
from workbench.models import reward_model as reward_models
from workbench.models.frozen_layers import FrozenLayers, StateMemory, compute_frozen_once, compute_in_whole
from workbench.models.reading import body_of
from workbench.training import train_reward_model
from workbench.training.ppo import policy as policies
from workbench.training.ppo import train_policy

DROPS = {"GPT2", "OPT", "XGLM", "BioGpt", "Bart", "Bert", "Roberta"}
"""Families whose layers drop values at random in training."""


def texts(side: str = "right") -> dict[str, Tensor]:
    """Two prompts with two responses each, padded."""
    generator = torch.Generator().manual_seed(3)
    prompts = [torch.randint(3, 96, (size,), generator=generator) for size in (9, 5)]
    ids = torch.zeros(4, 16).long()
    real, response = torch.zeros_like(ids).bool(), torch.zeros_like(ids).bool()
    for row, size in enumerate((7, 2, 4, 6)):
        text = torch.cat([prompts[row % 2], torch.randint(3, 96, (size,), generator=generator)])
        start = 0 if side == "right" else 16 - len(text)
        ids[row, start : start + len(text)] = text
        real[row, start : start + len(text)] = True
        response[row, start + len(text) - size : start + len(text)] = True
    return {"input_ids": ids, "attention_mask": real, "response_mask": response}


def model_of(family: str = "Llama", **options: Any) -> RewardModel:
    """Return a reward model with adapters, which are not zero, on its last layer."""
    adapted = add_lora(tiny(family), LoraSettings(rank=2, layers=1))
    torch.manual_seed(1)
    with torch.no_grad():
        for name, weight in adapted.named_parameters():
            if "lora_B" in name:
                weight.normal_(std=0.3)
    return RewardModel(adapted, init_std=0.5, **options)


def once(model: RewardModel, memory: StateMemory | None = None) -> FrozenLayers:
    said = compute_frozen_once(model.causal_lm, model.body, StateMemory(2**20) if memory is None else memory)
    assert "computed once" in said, said
    assert isinstance(model.body.forward, FrozenLayers)
    return model.body.forward


def learnt(model: RewardModel, given: dict[str, Tensor]) -> list[Tensor]:
    """Return scores, log-probabilities, and the gradients of all that trains."""
    model.zero_grad()
    scores, logps = model(**given)
    assert logps is not None
    (scores.sum() + logps.sum()).backward()
    trained = [weight.grad for weight in model.parameters() if weight.grad is not None]
    return [scores.detach(), logps.detach(), *trained]


def assert_same(found: list[Tensor], expected: list[Tensor]) -> None:
    assert len(found) == len(expected) > 3
    for one, other in zip(found, expected, strict=True):
        torch.testing.assert_close(one, other, rtol=1e-3, atol=1e-3)


@pytest.fixture
def nothing_new(monkeypatch: pytest.MonkeyPatch) -> Any:
    """Return what makes every further computation of a frozen layer fail."""

    def refuse(*_: Any) -> None:
        raise AssertionError("computed again")

    return lambda: monkeypatch.setattr(FrozenLayers, "_computed", refuse)


@pytest.mark.parametrize("family", CONFIGS)
def test_states_and_gradients_are_the_same(family: str, nothing_new: Any) -> None:
    model = model_of(family).eval()
    plain = {side: learnt(model, texts(side)) for side in ("right", "left")}
    frozen = once(model)
    assert frozen.drops == (family in DROPS)
    assert_same(learnt(model, texts()), plain["right"])
    nothing_new()  # the same texts, padded elsewhere and in another order, cost nothing below
    assert_same(learnt(model, texts("left")), plain["left"])
    scores = model(**{name: tensor.flip(0) for name, tensor in texts().items()}).scores
    torch.testing.assert_close(scores.detach().flip(0), plain["right"][0], rtol=1e-3, atol=1e-3)


@pytest.mark.parametrize("attention", ["sdpa", "eager"])
def test_responses_behind_one_prompt(attention: str, nothing_new: Any) -> None:
    model = model_of(share_prompts=True).eval()
    model.causal_lm.set_attn_implementation(attention)
    plain = learnt(model, texts())
    once(model)
    assert_same(learnt(model, texts()), plain)
    nothing_new()
    wider = {name: nn.functional.pad(tensor, (0, 5)) for name, tensor in texts().items()}
    torch.testing.assert_close(model(**wider).scores.detach(), plain[0], rtol=1e-3, atol=1e-3)
    other = texts()
    other["input_ids"] = other["input_ids"].masked_fill(other["response_mask"], 5)
    with pytest.raises(AssertionError, match="computed again"):
        model(**other)


def test_texts_without_padding_are_computed_in_whole() -> None:
    model = model_of(padding_free=True).eval()
    plain, frozen = learnt(model, texts()), once(model)
    assert_same(learnt(model, texts()), plain)
    assert len(frozen.memory) == 0


def test_the_reference_shares_what_is_below(nothing_new: Any) -> None:
    model, given = model_of(), texts()
    expected = model.reference_logps(**given)
    once(model)
    model.train()(**given)
    nothing_new()
    torch.testing.assert_close(model.reference_logps(**given), expected, rtol=1e-3, atol=1e-3)


@pytest.mark.parametrize("family", ["Llama", "GPT2"])
def test_what_is_dropped_at_random_in_training_stays_random(family: str) -> None:
    model = model_of(family)
    once(model)
    model.train()
    first, second = (model(**texts()).scores for _ in range(2))
    assert torch.equal(first, second) == (family not in DROPS)


def test_weights_below_that_change_are_never_taken_for_the_old_ones() -> None:
    model, given = model_of().eval(), texts()
    once(model)
    before = model(**given).scores
    weight = model.body.layers[0].mlp.down_proj.weight  # type: ignore[index,union-attr]
    with torch.no_grad():
        weight += 0.5
    changed = model(**given).scores
    assert not torch.allclose(changed, before)
    compute_in_whole(model.body)
    assert torch.equal(model(**given).scores, changed)
    once(model)
    weight.requires_grad_(True)
    model(**given).scores.sum().backward()
    assert weight.grad is not None and bool(weight.grad.any())


def test_a_cache_and_more_outputs_are_computed_in_whole() -> None:
    model = model_of().eval()
    frozen, ids = once(model), texts()["input_ids"][:1, :9]
    said = model.causal_lm(
        ids, attention_mask=torch.ones_like(ids), output_hidden_states=True, use_cache=False
    )
    assert len(said.hidden_states) == 3 and not torch.equal(*said.hidden_states[:2])
    written = model.causal_lm.generate(ids, max_new_tokens=4, do_sample=False, pad_token_id=0)
    compute_in_whole(model.body)
    assert torch.equal(
        model.causal_lm.generate(ids, max_new_tokens=4, do_sample=False, pad_token_id=0), written
    )
    assert len(frozen.memory) == 0


def test_padding_before_a_text_whose_positions_are_not_told_is_computed_in_whole() -> None:
    model = model_of("GPT2").eval()
    given = {name: tensor for name, tensor in texts("left").items() if name != "response_mask"}
    plain = model.causal_lm(**given, use_cache=False).logits
    frozen = once(model)
    assert torch.equal(model.causal_lm(**given, use_cache=False).logits, plain)
    assert len(frozen.memory) == 0


def test_processes_that_train_together_compute_in_whole(monkeypatch: pytest.MonkeyPatch) -> None:
    model = model_of().eval()
    frozen = once(model)
    monkeypatch.setattr(torch.distributed, "is_initialized", lambda: True)
    model(**texts())
    assert len(frozen.memory) == 0


def test_models_with_the_same_weights_share_and_others_do_not(nothing_new: Any) -> None:
    memory, given = StateMemory(2**20), texts()
    first, second, half = model_of().eval(), model_of().eval(), model_of("Mistral, window").eval()
    for model in (first, second, half):
        once(model, memory)
    expected = first(**given).scores
    with torch.autocast("cpu", torch.bfloat16):
        first(**given)
    assert len(memory) == 8  # four texts, in either arithmetic
    half(**given)
    assert len(memory) == 12
    nothing_new()
    assert torch.equal(second(**given).scores, expected)


def test_a_copy_is_a_model_of_its_own() -> None:
    model, given = model_of().eval(), texts()
    once(model)
    expected, copied = model(**given).scores, copy.deepcopy(model)
    torch.testing.assert_close(copied(**given).scores, expected)
    with torch.no_grad():
        for weight in copied.policy.parameters():
            weight.zero_()
    assert torch.equal(model(**given).scores, expected)
    assert not torch.allclose(copied(**given).scores, expected)


def test_what_does_not_fit_is_computed_again_to_the_same_bits() -> None:
    model, given = model_of().eval(), texts()
    frozen = once(model)
    expected = model(**given).scores
    size = frozen.memory.size
    for limit in (0, size // 2, size):
        memory = frozen.memory = StateMemory(limit)
        for _ in range(3):
            assert torch.equal(model(**given).scores, expected)
            assert memory.size <= limit and bool(len(memory)) == bool(limit)


def test_where_layers_are_not_frozen_below_nothing_is_done() -> None:
    every = RewardModel(add_lora(tiny("Llama"), LoraSettings(rank=2)))
    whole, head_only = RewardModel(tiny("Llama")), RewardModel(tiny("Llama").requires_grad_(False))
    assert [compute_frozen_once(one.causal_lm, one.body) for one in (every, whole, head_only)] == [""] * 3
    encoder = transformers.T5ForConditionalGeneration(
        transformers.T5Config(vocab_size=32, d_model=16, d_ff=16, d_kv=8, num_layers=2, num_heads=2)
    )
    adapted: Any = add_lora(encoder, LoraSettings(rank=2, target_modules=("q",), layers=1)).get_base_model()
    assert compute_frozen_once(adapted, body_of(adapted)) == ""


def test_a_model_whose_layers_do_not_follow_each_other_is_left_as_it_is() -> None:
    model = model_of().eval()
    layers: Any = model.body.layers
    given, first = texts(), layers[0]
    plain_forward = layers[1].forward

    def with_the_first(hidden: Tensor, *rest: Any, **told: Any) -> Any:
        again = type(first).forward(first, hidden, *rest, **told)
        return plain_forward(hidden + (again if first.__dict__.get("forward") is None else 0), *rest, **told)

    layers[1].forward = with_the_first  # the second layer runs the first one again, where it is not given
    expected = model(**given).scores
    said = compute_frozen_once(model.causal_lm, model.body)
    assert "computed in every pass: its states would differ by" in said
    assert torch.equal(model(**given).scores, expected)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return save_tiny(tmp_path_factory.mktemp("tiny"))


@pytest.mark.parametrize("share", [False, True])
def test_a_reward_training_is_the_same(folder: Path, monkeypatch: pytest.MonkeyPatch, share: bool) -> None:
    def trained() -> dict[str, Tensor]:
        model = train_reward_model(
            ModelSettings(str(folder), device="cpu", share_prompts=share),
            tokenizer_of(folder),
            make_pairs(12),
            quick(alpha=0.2, epochs=2),
            folder=None,
            lora=LoraSettings(rank=2, dropout=0.3, layers=1, target_modules=("q_proj", "down_proj")),
        ).model
        assert ("computed once" in model.summary) == (model.body.forward.__class__ is FrozenLayers) != plain
        return {name: one.detach() for name, one in model.named_parameters() if "lora" in name}

    plain = False
    found = trained()
    plain = True
    monkeypatch.setattr(reward_models, "compute_frozen_once", lambda *_: "")
    expected = trained()
    assert found.keys() == expected.keys() and len(found) > 3
    for name, weight in expected.items():
        torch.testing.assert_close(found[name], weight, rtol=1e-3, atol=1e-4)


def test_a_ppo_training_is_the_same(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    language_model().save_pretrained(tmp_path / "lm")
    adapters = LoraSettings(rank=2, layers=1, target_modules=("q_proj", "down_proj"))
    counted: list[int] = []
    whole = FrozenLayers._computed
    monkeypatch.setattr(FrozenLayers, "_computed", lambda self, row: counted.append(1) or whole(self, row))

    def trained() -> Any:
        return train_policy(
            ModelSettings(str(tmp_path / "lm"), device="cpu"), tokenizer(), PROMPTS, WholeReward(count_of("a")),
            quick_ppo(), folder=None, lora=adapters,
        )  # fmt: skip

    found = trained()
    assert "computed once" in found.policy.summary
    assert 0 < len(counted) <= 4 + 3 * 8  # where it is tried; then of three rollouts of eight each text once
    monkeypatch.setattr(policies, "compute_frozen_once", lambda *_: "")
    expected = trained()
    assert len(found.log) == len(expected.log) == 3
    for row, right in zip(found.log, expected.log, strict=True):
        measured = {name for name in right if "clip_share" not in name}  # a token may stand at the edge
        assert {name: row[name] for name in measured} == pytest.approx(
            {name: right[name] for name in measured}, rel=1e-3, abs=1e-4
        )
