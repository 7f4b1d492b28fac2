"""The benchmark of PPO: its ratios by hand, the yardstick's arithmetic, and one short run of both loops."""

from __future__ import annotations

import pytest
import torch
from tiny_policies import WholeReward, count_of, language_model, quick, tokenizer

from workbench.benchmarks.ppo import PPOSpeed, measure_ppo
from workbench.benchmarks.ppo_plain import PlainLoop
from workbench.core.errors import SettingsError
from workbench.models import LoraSettings, add_lora
from workbench.training.ppo import ValuedPolicy
from workbench.training.ppo.layouts import PromptBatch


def test_the_ratios_by_hand() -> None:
    speed = PPOSpeed(
        rollout_s={"workbench": [1.0, 2.0], "plain": [2.0, 4.0]},
        update_s={"workbench": [1.0, 3.0], "plain": [4.0, 3.0]},
        tokens={"workbench": [10, 10], "plain": [10, 30]},
        reward_s=(0.5, 3.0),
    )
    assert speed.tokens_per_s("rollout", "workbench") == 7.5
    assert speed.tokens_per_s("step", "workbench") == 3.5
    assert speed.tokens_per_s("update", "plain") == 6.25
    assert speed.ratio("rollout") == pytest.approx(7.5 / 6.25)
    assert speed.reward_ratio == 6


def test_an_unknown_config_is_named() -> None:
    with pytest.raises(SettingsError, match="small, tiny, 1b"):
        measure_ppo("large", steps=1, threads=1, device="cpu", say=print)


def test_the_yardstick_computes_the_same() -> None:
    lm = add_lora(language_model(spread=0.5), LoraSettings(rank=2, target_modules=("q_proj",)))
    plain = PlainLoop(lm, tokenizer(), WholeReward(count_of("a")), quick())
    found = plain.rollout(["a b c", "d", "e f"])
    start = found.ids.shape[1] - found.mask.shape[1]
    prompts = PromptBatch(found.ids[:, :start], found.attention[:, :start])
    ours = ValuedPolicy(lm)(prompts, found.ids[:, start:], found.mask)
    torch.testing.assert_close(found.logps[found.mask], ours.logps[found.mask], rtol=1e-4, atol=1e-5)
    before = [one.detach().clone() for one in plain.trained]
    plain.update(found)
    assert any(not torch.equal(one, old) for one, old in zip(plain.trained, before, strict=True))


def test_both_loops_run_side_by_side() -> None:
    said: list[str] = []
    speed = measure_ppo("tiny", steps=1, threads=torch.get_num_threads(), device="cpu", say=said.append)
    assert len(said) == 2 and set(speed.tokens) == {"workbench", "plain"}
    assert all(0 < tokens[0] <= 4 * 6 for tokens in speed.tokens.values())
    assert all(
        speed.tokens_per_s(part, loop) > 0 for part in ("rollout", "update", "step") for loop in speed.tokens
    )
    assert speed.reward_ratio > 0
