"""Settings of PPO, prompts as tokens, and chance that only depends on seed and step."""

from __future__ import annotations

import json
from typing import Any

import pytest
import torch
from tiny_policies import WORDS, policy_of, quick, tokenizer
from tokenizers import processors

from workbench.core.errors import DataError, SettingsError
from workbench.rewards import Sample
from workbench.training.ppo import PPOSettings
from workbench.training.ppo.prompts import (
    allowed_tokens,
    chance,
    collate_prompts,
    encode_prompts,
    prompt_order,
)


def test_the_defaults_are_the_papers() -> None:
    settings = PPOSettings()
    assert (settings.ppo_epochs, settings.target_kl, settings.temperature, settings.too_short) == (
        4,
        0.1,
        1,
        -10,
    )
    assert (settings.batch, settings.minibatch, settings.micro_batch, settings.learning_rate) == (
        8,
        8,
        4,
        2e-4,
    )
    assert settings.steps(1000) == 250 and settings.steps(1) == 1
    assert PPOSettings(max_steps=7).steps(1000) == 7


@pytest.mark.parametrize(
    "wrong",
    [
        {"batch": 0}, {"batch": 8, "minibatch": 3}, {"temperature": 0.0}, {"gamma": 1.5}, {"lam": -0.1},
        {"target_kl": 0.0}, {"kl": 0.1}, {"schedule": "cosine"}, {"banned_tokens": (-1,)}, {"max_new_tokens": 0.5},
        {"learning_rate": float("nan")}, {"too_short": float("inf")}, {"checkpoints_kept": 1}, {"template": "no"},
    ],
)  # fmt: skip
def test_a_value_that_cannot_be_used_is_named(wrong: dict[str, Any]) -> None:
    with pytest.raises(SettingsError, match=next(iter(wrong))):
        PPOSettings(**wrong)


def test_all_faults_are_named_at_once() -> None:
    with pytest.raises(SettingsError, match=r"(?s)clip.*learning_rate"):
        PPOSettings(clip=0.0, learning_rate=-1.0)


def test_what_shapes_the_weights_is_plain_and_leaves_out_the_rest() -> None:
    said = json.loads(json.dumps(PPOSettings().describe()))
    assert said["kl"] == {"coefficient": 0.2, "target": 6.0, "horizon": 10_000.0, "kind": "AdaptiveKL"}
    assert PPOSettings(progress=False, micro_batch=1).describe() == PPOSettings().describe()
    assert PPOSettings(seed=1).describe() != PPOSettings().describe()


def test_batches_that_do_not_split_over_processes_are_refused() -> None:
    quick(batch=8, minibatch=4).check_processes(2)
    with pytest.raises(SettingsError, match="3 processes"):
        quick(batch=8, minibatch=4).check_processes(3)


def test_prompts_lose_their_beginning_and_are_padded_at_the_left() -> None:
    policy = policy_of()
    found = encode_prompts(
        ["a b c d", Sample("e", "unread", {"k": 1})], tokenizer(), policy, quick(max_prompt_tokens=3)
    )
    assert [one.tokens for one in found] == [(3, 4, 5), (6,)]
    assert found[1].sample == Sample("e", "", {"k": 1})
    batch = collate_prompts(found)
    assert batch.ids.tolist() == [[3, 4, 5], [0, 0, 6]]
    assert batch.mask.tolist() == [[True] * 3, [False, False, True]]
    assert batch.select(torch.tensor([1])).ids.tolist() == [[6]]


@pytest.mark.parametrize(("kind", "tokens"), [("decoder-only", (2, 4, 5)), ("encoder-decoder", (4, 5, 1))])
def test_special_tokens_stay_where_texts_are_cut(kind: str, tokens: tuple[int, ...]) -> None:
    marked = tokenizer()
    if kind == "decoder-only":
        marked.bos_token = "a"
        marked._tokenizer.post_processor = processors.TemplateProcessing(
            single="a $A", special_tokens=[("a", 2)]
        )
    else:
        marked._tokenizer.post_processor = processors.TemplateProcessing(
            single="$A <eos>", special_tokens=[("<eos>", 1)]
        )
    found = encode_prompts(["b b c d"], marked, policy_of(kind), quick(max_prompt_tokens=3))
    assert found[0].tokens == tokens


def test_no_prompts_and_empty_prompts_are_refused() -> None:
    with pytest.raises(DataError, match="no prompts"):
        encode_prompts([], tokenizer(), policy_of(), quick())
    with pytest.raises(DataError, match="prompt 1"):
        encode_prompts(["a", ""], tokenizer(), policy_of(), quick())


def test_a_prompt_that_leaves_no_room_is_refused_but_a_relative_encoder_has_any() -> None:
    settings = quick(max_prompt_tokens=60, max_new_tokens=10)
    with pytest.raises(SettingsError, match=r"(?s)55 tokens.*context of 64.*max_prompt_tokens to at most 54"):
        encode_prompts(["a " * 55], tokenizer(), policy_of(), settings)
    with pytest.raises(SettingsError, match="max_new_tokens below 64"):
        encode_prompts(["a"], tokenizer(), policy_of(), quick(max_new_tokens=64))
    assert len(encode_prompts(["a " * 55], tokenizer(), policy_of("encoder-decoder"), settings)) == 1


def test_banned_tokens_and_those_the_tokenizer_does_not_know_have_no_mass() -> None:
    assert allowed_tokens(policy_of(), tokenizer(), quick()) is None
    found = allowed_tokens(policy_of(rows=3), tokenizer(), quick(banned_tokens=(1, 4)))
    assert found is not None and found.nonzero()[:, 0].tolist() == [0, 2, 3, 5, 6, 7, 8]
    with pytest.raises(SettingsError, match=f"below {len(WORDS)}"):
        allowed_tokens(policy_of(), tokenizer(), quick(banned_tokens=(99,)))


def test_rollouts_take_every_prompt_once_a_pass() -> None:
    settings = quick(batch=4, minibatch=4)
    taken = [number for step in range(5) for number in prompt_order(10, step, settings)]
    assert sorted(taken[:10]) == sorted(taken[10:]) == list(range(10)) and taken[:10] != taken[10:]
    assert prompt_order(10, 3, settings) == taken[12:16], "without the rollouts before it"
    assert prompt_order(10, 0, quick(batch=4, seed=1)) != taken[:4]


def test_chance_depends_on_seed_use_and_step_only() -> None:
    one = chance(quick(), 1, 5, 4)
    assert one.shape == (4, 6) and one.dtype == torch.float64 and bool(((one >= 0) & (one < 1)).all())
    assert torch.equal(one, chance(quick(learning_rate=1.0), 1, 5, 4))
    for other in (chance(quick(), 2, 5, 4), chance(quick(), 1, 6, 4), chance(quick(seed=1), 1, 5, 4)):
        assert not torch.equal(one, other)
