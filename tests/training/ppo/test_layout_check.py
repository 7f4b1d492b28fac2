"""Families of transformers as policies: each is run right, or refused by name, by what is measured on it."""

from __future__ import annotations

from copy import deepcopy
from typing import Any

import pytest
import torch
from tiny_policies import tokenizer
from tiny_policy_families import DECODER_ONLY, ENCODER_DECODER, OWN_LOGITS, REFUSED, SIZES, model_of
from torch import nn

from workbench.core.errors import ModelError
from workbench.models import LoraSettings, add_lora
from workbench.training.ppo import PPOSettings, ValuedPolicy
from workbench.training.ppo.layout_check import check_layout
from workbench.training.ppo.layouts import Contiguous, DecoderOnly, EncoderDecoder, PromptBatch
from workbench.training.ppo.prompts import allowed_tokens
from workbench.training.ppo.sampling import sample

FAMILIES = ENCODER_DECODER | DECODER_ONLY | OWN_LOGITS
LENGTHS = (11, 3, 7, 1, 5, 9)
STOPS = (1, 4, 5, 6, 7, 8, 9)


def prompts_of(lengths: tuple[int, ...] = LENGTHS) -> PromptBatch:
    generator = torch.Generator().manual_seed(1)
    mask = torch.arange(max(lengths)) >= max(lengths) - torch.tensor(lengths)[:, None]
    return PromptBatch(torch.randint(3, 32, mask.shape, generator=generator).where(mask, 0), mask)


def written_by(policy: ValuedPolicy) -> tuple[PromptBatch, Any]:
    prompts = prompts_of()
    uniform = torch.rand(len(LENGTHS), 12, dtype=torch.float64, generator=torch.Generator().manual_seed(3))
    return prompts, sample(policy, prompts, uniform, stop_tokens=STOPS)


@pytest.mark.parametrize("family", FAMILIES)
def test_a_row_alone_in_a_batch_and_as_it_was_sampled_has_the_same_log_probabilities(family: str) -> None:
    """So the KL to the reference policy is 0 before any step, whatever stands beside a prompt."""
    lm = model_of(family, FAMILIES[family])
    policy = ValuedPolicy(lm).eval()
    prompts, written = written_by(policy)
    assert len(set(written.mask.sum(1).tolist())) > 1, "rows end at different places"
    with torch.no_grad():
        whole = policy(prompts, written.ids, written.mask).logps
        torch.testing.assert_close(written.logps, whole, rtol=1e-3, atol=1e-3)
        for row in range(len(LENGTHS)):
            asked, answer = (
                prompts.ids[row][prompts.mask[row]][None],
                written.ids[row][written.mask[row]][None],
            )
            if family in ENCODER_DECODER:
                shifted = nn.functional.pad(answer[:, :-1], (1, 0), value=lm.config.decoder_start_token_id)
                logits = lm(input_ids=asked, decoder_input_ids=shifted).logits
            else:
                logits = lm(torch.cat([asked, answer], 1)).logits[:, asked.shape[1] - 1 : -1]
            own = logits.log_softmax(-1).gather(-1, answer[..., None])[0, :, 0]
            torch.testing.assert_close(whole[row][written.mask[row]], own, rtol=1e-3, atol=1e-3)


@pytest.mark.parametrize("family", REFUSED)
def test_a_family_that_cannot_be_run_right_is_refused_by_name(family: str) -> None:
    sizes, why = REFUSED[family]
    lm = model_of(family, sizes)
    assert str(check_layout(lm)).startswith("refused: ")
    with pytest.raises(ModelError, match=f"{type(lm).__name__}: .*{why}"):
        ValuedPolicy(lm)


@pytest.mark.parametrize(
    ("family", "layout"),
    [
        ("T5", EncoderDecoder(scale=32**-0.5)),
        ("MT5", EncoderDecoder()),
        ("Bart", EncoderDecoder(padded_right=True)),
        ("Llama", DecoderOnly()),
        ("Mamba", Contiguous()),
    ],
)
def test_the_fastest_layout_that_serves_is_taken(family: str, layout: Any) -> None:
    assert check_layout(model_of(family, FAMILIES[family])).layout == layout


@pytest.mark.parametrize("family", ["Llama", "Mistral", "T5", "Bart", "LED", "Lfm2", "Falcon"])
@pytest.mark.parametrize("number", [torch.bfloat16, torch.float64])
def test_numbers_of_another_width_take_the_same_layout(family: str, number: torch.dtype) -> None:
    sizes = FAMILIES.get(family, SIZES)
    found, half = check_layout(model_of(family, sizes)), check_layout(model_of(family, sizes).to(number))
    assert found.layout is not None and half.layout == found.layout
    assert found.reading is None and half.reading is None and half.head is None


def test_a_cache_whose_rows_cannot_leave_keeps_them(monkeypatch: pytest.MonkeyPatch) -> None:
    from transformers import DynamicCache

    free = written_by(ValuedPolicy(model_of("Llama", FAMILIES["Llama"])).eval())[1]

    def refuse(self: Any, rows: torch.Tensor) -> None:
        raise NotImplementedError

    monkeypatch.setattr(DynamicCache, "reorder_cache", refuse)
    policy = ValuedPolicy(model_of("Llama", FAMILIES["Llama"])).eval()
    assert policy.layout == DecoderOnly(drops=False)
    kept = written_by(policy)[1]
    assert torch.equal(kept.ids, free.ids) and torch.equal(kept.mask, free.mask)
    torch.testing.assert_close(kept.logps, free.logps, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("size", [0.01, 9.0])
def test_a_bias_after_the_head_counts_whatever_its_size(size: float) -> None:
    lm = model_of("Marian", ENCODER_DECODER["Marian"])
    lm.final_logits_bias[0, 5] = size
    policy = ValuedPolicy(lm).eval()
    prompts, written = written_by(policy)
    with torch.no_grad():
        whole = policy(prompts, written.ids, written.mask).logps
        asked, answer = prompts.ids[:1][prompts.mask[:1]][None], written.ids[:1][written.mask[:1]][None]
        own = lm(input_ids=asked, labels=answer).logits.log_softmax(-1).gather(-1, answer[..., None])[..., 0]
    torch.testing.assert_close(written.logps, whole, rtol=1e-3, atol=1e-4)
    torch.testing.assert_close(whole[:1][written.mask[:1]], own[0], rtol=1e-3, atol=1e-4)


@pytest.mark.parametrize("family", OWN_LOGITS)
def test_a_model_with_logits_of_its_own_learns_and_its_reference_stays(family: str) -> None:
    policy = ValuedPolicy(model_of(family, OWN_LOGITS[family])).eval()
    assert policy.reading is not None
    reference = deepcopy(policy)
    prompts, written = written_by(policy)
    before = policy(prompts, written.ids, written.mask).logps
    loss = before.sum()
    loss.backward()
    with torch.no_grad():
        for parameter in policy.lm.parameters():
            if parameter.grad is not None:
                parameter.add_(parameter.grad, alpha=1e-3)
        after = policy(prompts, written.ids, written.mask).logps
        assert float(after.sum()) > float(loss) + 1e-3
        torch.testing.assert_close(reference(prompts, written.ids, written.mask).logps, before)


def test_a_model_that_sees_later_tokens_is_refused() -> None:
    lm = model_of("Llama", FAMILIES["Llama"])
    for layer in lm.model.layers:
        layer.self_attn.is_causal = False
    own = lm.model.forward

    def both_ways(*given: Any, **options: Any) -> Any:
        mask = options.pop("attention_mask", None)
        ids = options.get("input_ids")
        if mask is None or mask.shape != ids.shape:
            mask = torch.ones_like(ids)
        seen = mask[:, None, None, :].bool().expand(-1, 1, ids.shape[1], -1)
        return own(*given, attention_mask=seen, **options)

    lm.model.forward = both_ways
    assert check_layout(lm).layout is None


def test_the_check_leaves_model_and_chance_as_they_are() -> None:
    lm = add_lora(
        model_of("Bart", FAMILIES["Bart"]), LoraSettings(rank=2, target_modules=("q_proj",))
    ).train()
    before = {name: one.clone() for name, one in lm.state_dict().items()}
    torch.manual_seed(5)
    wanted = torch.rand(3)
    torch.manual_seed(5)
    check_layout(lm.get_base_model())
    assert torch.equal(torch.rand(3), wanted)
    assert lm.training and not lm.get_output_embeddings()._forward_hooks
    assert all(torch.equal(value, before[name]) for name, value in lm.state_dict().items())


@pytest.mark.parametrize(("family", "banned"), [("M2M100", 0), ("Bart", None), ("T5", None)])
def test_padding_that_a_cache_misreads_in_a_response_is_never_sampled(
    family: str, banned: int | None
) -> None:
    # M2M100 counts positions by the padding that it sees; Bart and T5 read it as any token
    policy = ValuedPolicy(model_of(family, FAMILIES[family] | {"pad_token_id": 0})).eval()
    assert policy.layout.banned_token == banned
    assert ("padding (0) is never sampled" in str(policy.layout)) == (banned == 0)
    allowed = allowed_tokens(policy, tokenizer([f"t{token}" for token in range(99)]), PPOSettings())
    assert (allowed is not None and not allowed[0]) == (banned == 0)


def test_padding_that_ends_a_response_may_be_sampled() -> None:
    sizes = FAMILIES["M2M100"] | {"pad_token_id": 0, "eos_token_id": 0}
    policy = ValuedPolicy(model_of("M2M100", sizes)).eval()
    words = tokenizer([f"t{token}" for token in range(99)])
    assert policy.layout.banned_token == 0 and allowed_tokens(policy, words, PPOSettings()) is None


@pytest.mark.parametrize("family", ["Bart", "M2M100", "MBart", "Marian", "T5"])
def test_a_forced_first_token_is_a_part_of_the_decoders_start(family: str) -> None:
    lm = model_of(family, FAMILIES[family])
    lm.generation_config.update(forced_bos_token_id=7, forced_eos_token_id=None, eos_token_id=None)
    policy = ValuedPolicy(lm).eval()
    ids = torch.arange(9, 14)[None]
    prompts = PromptBatch(ids, torch.ones_like(ids).bool())
    uniform = torch.zeros(1, 6, dtype=torch.float64)
    given = sample(policy, prompts, uniform, stop_tokens=(), greedy=True)
    start = lm.generation_config.decoder_start_token_id
    written = lm.generate(ids, do_sample=False, num_beams=1, max_new_tokens=7)[0].tolist()
    assert written == [start, 7, *given.ids[0].tolist()]
    with torch.no_grad():
        decoder_ids = torch.tensor([[start, 7, *given.ids[0, :-1].tolist()]])
        logits = lm(input_ids=ids, decoder_input_ids=decoder_ids).logits[0, 1:].log_softmax(-1)
        own = logits.gather(1, given.ids[0][:, None])[:, 0]
        again = policy(prompts, given.ids, given.mask).logps[0]
    torch.testing.assert_close(given.logps[0], own, rtol=0, atol=2e-3)
    torch.testing.assert_close(again, own, rtol=0, atol=2e-3)
