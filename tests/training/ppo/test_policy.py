"""Policies of both kinds: their log-probabilities are the model's own, with a cache as without."""

from __future__ import annotations

import pytest
import torch
from tiny_policies import KINDS, PROMPTS, batch_of, language_model, policy_of
from tiny_policy_families import DECODER_ONLY, ENCODER_DECODER, SIZES, model_of

from workbench.core.errors import SettingsError
from workbench.models import LoraSettings, ModelSettings, add_lora
from workbench.models.loading import checkpoint_activations
from workbench.training.ppo import ValuedPolicy
from workbench.training.ppo.sampling import sample

FAMILIES = ENCODER_DECODER | DECODER_ONLY
IDS = torch.tensor([[2, 3, 1, 0], [4, 2, 2, 5]])
MASK = torch.tensor([[True, True, True, False], [True, True, True, True]])


def shaken(policy: ValuedPolicy) -> ValuedPolicy:
    """Give the value head weights: it begins with 0."""
    torch.manual_seed(1)
    torch.nn.init.normal_(policy.value_head.weight)
    return policy


@pytest.mark.parametrize("kind", KINDS)
def test_log_probabilities_are_the_models_own(kind: str) -> None:
    policy = policy_of(kind)
    prompts = batch_of(policy, PROMPTS[:2])
    found = policy(prompts, IDS, MASK)
    for row in range(2):  # one by one, without padding, by the model's own forward
        asked = prompts.ids[row][prompts.mask[row]][None]
        answer = IDS[row][MASK[row]][None]
        if kind == "decoder-only":
            logits = policy.lm(torch.cat([asked, answer], 1)).logits[:, asked.shape[1] - 1 : -1]
        else:
            logits = policy.lm(input_ids=asked, labels=answer).logits
        own = logits.log_softmax(-1).gather(-1, answer[..., None])[0, :, 0]
        torch.testing.assert_close(found.logps[row][MASK[row]], own, rtol=1e-4, atol=1e-5)
    assert not found.logps[~MASK].any() and not found.values.any(), "values begin with 0"


@pytest.mark.parametrize("kind", KINDS)
def test_what_was_kept_at_sampling_is_what_a_whole_pass_gives(kind: str) -> None:
    policy = shaken(policy_of(kind, spread=0.5))
    prompts = batch_of(policy)
    allowed = torch.tensor([False, True, True, True, True, True, False, True, True])
    how = {"allowed": allowed, "temperature": 0.7}
    uniform = torch.rand(len(PROMPTS), 8, dtype=torch.float64, generator=torch.Generator().manual_seed(3))
    written = sample(policy, prompts, uniform, stop_tokens=(1,), **how)
    assert len(set(written.mask.sum(1).tolist())) > 1, "rows end at different places, and leave the batch"
    whole = policy(prompts, written.ids, written.mask, **how)
    torch.testing.assert_close(written.logps, whole.logps, rtol=1e-4, atol=1e-5)
    torch.testing.assert_close(written.values, whole.values, rtol=1e-4, atol=1e-4)


def test_the_start_is_the_policy_with_its_adapters_off() -> None:
    lm = language_model()
    before = ValuedPolicy(lm)(batch_of(ValuedPolicy(lm), PROMPTS[:2]), IDS, MASK).logps
    policy = ValuedPolicy(add_lora(lm, LoraSettings(rank=2, target_modules=("q_proj",))))
    for name, parameter in policy.named_parameters():
        if "lora_B" in name:
            torch.nn.init.ones_(parameter)
    prompts = batch_of(policy, PROMPTS[:2])
    assert not torch.allclose(policy(prompts, IDS, MASK).logps, before)
    with policy.adapters_off():
        torch.testing.assert_close(policy(prompts, IDS, MASK).logps, before)
    trained = {name for name, one in policy.named_parameters() if one.requires_grad}
    assert trained == {name for name, _ in policy.named_parameters() if "lora" in name or "value" in name}


def test_only_the_adapters_dropout_is_on_in_training() -> None:
    lm = language_model("encoder-decoder")
    policy = ValuedPolicy(add_lora(lm, LoraSettings(rank=2, dropout=0.5, target_modules=("q", "v"))))
    policy.train_adapters()
    on = {name for name, one in policy.named_modules() if one.training and isinstance(one, torch.nn.Dropout)}
    assert on and all("lora_dropout" in name for name in on)


@pytest.mark.parametrize("checkpointing", [False, True])
@pytest.mark.parametrize("family", ["Bart", "LED", "Pegasus", "T5", "OPT", "GPT2", "BioGpt"])
def test_the_policy_that_learns_is_the_one_that_sampled(family: str, checkpointing: bool) -> None:
    """Some families drop out by a function that asks the layer's mode, and checkpointing needs that mode."""
    lm = model_of(
        family, FAMILIES.get(family, SIZES) | {"dropout": 0.5, "hidden_dropout_prob": 0.5, "resid_pdrop": 0.5}
    )
    if checkpointing:
        checkpoint_activations(lm)
    policy = ValuedPolicy(lm).eval()
    prompts = batch_of(policy, PROMPTS[:2])
    right = policy(prompts, IDS, MASK).logps
    right.sum().backward()
    wanted = {name: one.grad.clone() for name, one in lm.named_parameters() if one.grad is not None}
    policy.zero_grad()
    policy.train_adapters()
    assert any(one.training for one in policy.modules()) == checkpointing
    found = policy(prompts, IDS, MASK).logps
    torch.testing.assert_close(found, right)
    found.sum().backward()
    for name, parameter in lm.named_parameters():
        if name in wanted:
            torch.testing.assert_close(parameter.grad, wanted[name], msg=name)
    policy.eval()
    assert not any(one.training for one in policy.modules())


def test_quantised_weights_need_adapters() -> None:
    with pytest.raises(SettingsError, match="adapters"):
        ValuedPolicy.load(ModelSettings("any", quantize="nf4"))
