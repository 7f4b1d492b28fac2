"""The two parts of a model, on unlike families: in parts it gives its own log-probabilities, in a batch as alone."""

from __future__ import annotations

import pytest
import torch
from tiny_configs import CONFIGS, tiny
from torch import Tensor

from workbench.core.errors import ModelError
from workbench.models import RewardModel
from workbench.models.reading import OwnLogits, read_model

CHANGED = ("Bert", "Roberta", "Cohere", "Granite", "Gemma2", "FalconH1", "RecurrentGemma")
LENGTHS, RESPONSES = (40, 23, 9), (15, 22, 1)


def texts() -> list[Tensor]:
    generator = torch.Generator().manual_seed(3)
    return [torch.randint(3, 96, (length,), generator=generator) for length in LENGTHS]


def batch(*, left: bool) -> tuple[Tensor, Tensor, Tensor]:
    ids, real, response = torch.zeros(3, 40).long(), torch.zeros(3, 40).bool(), torch.zeros(3, 40).bool()
    for row, (text, answer) in enumerate(zip(texts(), RESPONSES, strict=True)):
        end = 40 if left else len(text)
        ids[row, end - len(text) : end] = text
        real[row, end - len(text) : end], response[row, end - answer : end] = True, True
    return ids, real, response


@torch.no_grad()
@pytest.mark.parametrize("left", [False, True])
@pytest.mark.parametrize("family", CONFIGS)
def test_log_probabilities_in_a_batch_are_the_models_own_of_each_text_alone(family: str, left: bool) -> None:
    lm = tiny(family)
    model = RewardModel(lm, init_std=0.5).eval()
    ids, real, response = batch(left=left)
    found = model(ids, real, response)
    for row, (text, answer) in enumerate(zip(texts(), RESPONSES, strict=True)):
        own = lm(text[None], use_cache=False).logits[0].log_softmax(-1)
        expected = own[:-1].gather(1, text[1:, None])[-answer:, 0]
        torch.testing.assert_close(found.token_logps[row][response[row]], expected, rtol=1e-4, atol=2e-4)
        alone = model(text[None], torch.ones(1, len(text)).bool())
        torch.testing.assert_close(found.scores[row], alone.scores[0], rtol=1e-4, atol=2e-4)


@pytest.mark.parametrize("family", CONFIGS)
def test_the_head_alone_is_applied_where_its_logits_are_the_models_own(family: str) -> None:
    lm = tiny(family)
    reading = read_model(lm)
    assert reading.by_head == (family not in CHANGED)
    assert isinstance(reading.head, OwnLogits) == (family in CHANGED)


@pytest.mark.parametrize("family", ["Gemma2", "Cohere", "Bert"])
def test_gradients_through_the_models_own_logits_are_its_own(family: str) -> None:
    lm = tiny(family)
    model = RewardModel(lm)
    text = texts()[0][None]
    response = torch.arange(40)[None] >= 25
    model(text, torch.ones_like(text).bool(), response).token_logps.sum().backward()
    found = {name: one.grad.clone() for name, one in lm.named_parameters() if one.grad is not None}
    lm.zero_grad()
    logps = lm(text).logits.log_softmax(-1)[:, :-1].gather(2, text[:, 1:, None])[..., 0]
    logps[response[:, 1:]].sum().backward()
    assert found.keys() == {name for name, one in lm.named_parameters() if one.grad is not None}
    for name, one in lm.named_parameters():
        if name in found:
            torch.testing.assert_close(found[name], one.grad, rtol=1e-3, atol=1e-4)


def test_a_cap_that_small_logits_do_not_reach_is_seen() -> None:
    lm = tiny("Gemma2", initializer_range=0.01)
    assert lm(texts()[0][None]).logits.abs().max() < 0.5
    assert not read_model(lm).by_head


def test_a_model_that_looks_ahead_is_refused() -> None:
    with pytest.raises(ModelError, match=r"BertLMHeadModel, whose states change by .* with the tokens after"):
        RewardModel(tiny("Bert", is_decoder=False))


def test_the_model_is_left_as_it_was() -> None:
    lm = tiny("Gemma2").train()
    before = {name: one.clone() for name, one in lm.state_dict().items()}
    state = torch.get_rng_state()
    read_model(lm)
    assert torch.equal(torch.get_rng_state(), state) and lm.training and "forward" not in lm.model.__dict__
    assert all(torch.equal(one, before[name]) for name, one in lm.state_dict().items())
