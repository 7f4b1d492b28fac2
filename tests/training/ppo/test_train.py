"""The trainer: a bandit whose optimum is known, the bugs that PPO on text is known for, and resuming."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch
from tiny_policies import (
    KINDS,
    PROMPTS,
    WORDS,
    WholeReward,
    batch_of,
    count_of,
    language_model,
    policy_of,
    quick,
    tokenizer,
)

from workbench.core.errors import DataError, ModelError, SettingsError
from workbench.models import LoraSettings, ModelSettings, add_lora
from workbench.rewards import HierarchicalReward, HierarchySettings, Sample, Span
from workbench.training.folder import read_log
from workbench.training.ppo import (
    AdaptiveKL,
    FixedKL,
    PPOSettings,
    TrainedPolicy,
    ValuedPolicy,
    allowed_log_softmax,
    load_policy,
    train_policy,
)
from workbench.training.ppo import rollout as rollouts
from workbench.training.ppo.bodies import start_tokens
from workbench.training.ppo.loop import TrainingLoop
from workbench.training.ppo.prompts import allowed_tokens, chance, encode_prompts
from workbench.training.ppo.rollout import Collector

LORA = LoraSettings(rank=2, dropout=0.3, target_modules=("q_proj", "down_proj"))
A = WORDS.index("a")


def weights(policy: ValuedPolicy) -> dict[str, torch.Tensor]:
    return {name: one.detach().clone() for name, one in policy.named_parameters()}


def train(policy: Any, reward: Any, folder: Path | None = None, **changes: Any) -> TrainedPolicy:
    options = {name: changes.pop(name) for name in ("eval_prompts", "lora", "resume") if name in changes}
    prompts = changes.pop("prompts", PROMPTS)
    return train_policy(policy, tokenizer(), prompts, reward, quick(**changes), folder=folder, **options)


def first_token(policy: ValuedPolicy, settings: PPOSettings) -> torch.Tensor:
    """Return the distribution of the first token after the prompt "a". Shape [vocabulary]."""
    allowed = allowed_tokens(policy, tokenizer(), settings)
    states = policy.start(batch_of(policy, ["a"])).states
    return allowed_log_softmax(policy.lm_head(states), allowed)[0].exp().detach()


BANDIT = {
    "prompts": ["a"], "max_new_tokens": 1, "batch": 64, "minibatch": 64, "micro_batch": 64, "max_steps": 30,
    "ppo_epochs": 3, "learning_rate": 0.01, "kl": FixedKL(1.0), "schedule": "linear",
}  # fmt: skip


@pytest.mark.parametrize("kind", KINDS)
def test_bandit_with_a_known_optimum_is_solved(kind: str) -> None:
    """With a price b of KL the best policy is known: `pi(y) = ref(y) exp(r(y) / b) / Z`."""
    policy = policy_of(kind, spread=0.3)
    settings = quick(**{name: value for name, value in BANDIT.items() if name != "prompts"})
    before = first_token(policy, settings)
    arms = torch.zeros(len(WORDS))
    arms[A], arms[WORDS.index("b")] = 2.0, 1.0
    best = before * arms.exp()
    best = best / best.sum()
    assert (best - before).abs().max() > 0.2, "there is something to learn"
    train(policy, WholeReward(lambda sample: 2 * count_of("a")(sample) + count_of("b")(sample)), **BANDIT)
    found = first_token(policy, settings)
    assert (found - best).abs().max() < 0.08, (found, best)


def test_banned_tokens_give_no_kl_to_farm() -> None:
    """The story: a banned token was left in the log-softmax, and moving mass onto it made the KL negative."""
    policy = policy_of(rows=3)  # three tokens that the tokenizer does not know are banned as well
    done = train(
        policy,
        WholeReward(lambda sample: 0.0),
        banned_tokens=(1, 3),
        kl=FixedKL(5.0),
        max_steps=4,
        ppo_epochs=4,
    )
    assert [row["length"] for row in done.log] == [6] * 4, "the end token is banned"
    assert done.log[0]["kl"] == pytest.approx(0, abs=1e-4)
    assert all(row["kl_token"] >= 0 for row in done.log)
    settings = quick(banned_tokens=(1, 3))
    found = first_token(policy, settings)
    assert found[[1, 3, 9, 10, 11]].tolist() == [0] * 5 and float(found.sum()) == pytest.approx(1)


def test_an_answer_cut_off_gets_no_end_token_and_its_reward_on_what_it_chose() -> None:
    """The story: an end token forced at the limit got the reward, and the gradient of a choice nobody made."""
    seen: list[str] = []

    def value(sample: Sample) -> float:
        seen.append(sample.response)
        return 1.0

    policy = policy_of(spread=0.3)
    settings = quick(max_new_tokens=2, batch=32, minibatch=32, banned_tokens=(0,))
    collect = Collector(policy, tokenizer(), WholeReward(value), settings)
    rollout = collect(encode_prompts(["a"] * 32, tokenizer(), policy, settings), chance(settings, 1, 0, 32))
    assert 0 < rollout.truncated.sum() < 32
    for row in range(32):
        chosen = rollout.ids[row][rollout.mask[row]].tolist()
        assert rollout.truncated[row] == (1 not in chosen), "an end token is there if it was chosen"
        assert rollout.rewards[row].tolist() == [0.0] * (len(chosen) - 1) + [1.0] + [0.0] * (2 - len(chosen))
        assert bool((rollout.logps[row][: len(chosen)] < 0).all())


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("lora", [True, False])
@pytest.mark.parametrize(("dtype", "autocast"), [("bfloat16", False), ("float32", True), ("float32", False)])
def test_a_policy_has_no_kl_to_itself_in_coarse_numbers(
    kind: str, lora: bool, dtype: str, autocast: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What it sampled by, from a cache, may be rounded otherwise than what updates and the reference policy read."""
    model = language_model(kind, spread=0.5).to(getattr(torch, dtype))
    adapters = LoraSettings(rank=2, target_modules=("q",) if kind == "encoder-decoder" else ("q_proj",))
    policy = ValuedPolicy(add_lora(model, adapters) if lora else model)
    settings = quick(batch=32, minibatch=32)
    own = rollouts.sample

    def rounded_otherwise(*given: Any, **how: Any) -> Any:
        found = own(*given, **how)
        return found._replace(logps=found.logps - 0.01 * found.mask, values=found.values + found.mask)

    monkeypatch.setattr(rollouts, "sample", rounded_otherwise)
    collect = Collector(policy, tokenizer(), WholeReward(count_of("a")), settings, bf16=autocast)
    found = collect(
        encode_prompts(list(PROMPTS) * 5, tokenizer(), policy, settings), chance(settings, 1, 0, 30)
    )
    coarse = dtype == "bfloat16" or autocast
    expected = found.reference_logps - (0.0 if coarse else 0.01) * found.mask
    torch.testing.assert_close(found.logps, expected, rtol=0, atol=0.0 if coarse else 1e-4)
    assert found.values.abs().max() == (0 if coarse else 1), "a fresh value head gives 0"


def test_answers_of_padding_only_do_not_crash() -> None:
    policy = policy_of()
    with torch.no_grad():  # it always ends at once
        policy.lm_head.weight.zero_()
    banned = tuple(token for token in range(len(WORDS)) if token != 1)
    done = train(policy, WholeReward(lambda sample: 1.0), banned_tokens=banned, max_steps=2, too_short=-10.0)
    assert [(row["reward"], row["length"], row["entropy"]) for row in done.log] == [(-10, 1, 0)] * 2
    assert all(torch.isfinite(one).all() for one in policy.parameters())


class Interrupted(RuntimeError):
    """What a test puts in place of kill -9."""


@pytest.mark.parametrize("lora", [True, False])
def test_a_killed_training_goes_on_to_the_same_curve(
    lora: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    base = tmp_path / "base"
    language_model(spread=0.5).save_pretrained(base)
    settings = {
        "max_steps": 4, "checkpoint_steps": 1, "evaluate_steps": 2, "eval_prompts": PROMPTS[:3],
        "kl": AdaptiveKL(horizon=50.0),
        "lora": LORA if lora else None,
    }  # fmt: skip
    start, reward = ModelSettings(str(base), device="cpu"), WholeReward(count_of("a"))
    straight = train(start, reward, tmp_path / "straight", **settings)

    own = TrainingLoop._step

    def cut(self: TrainingLoop, step: int) -> dict[str, float]:
        if step == 3:
            raise Interrupted
        return own(self, step)

    folder = tmp_path / "killed"
    monkeypatch.setattr(TrainingLoop, "_step", cut)
    with pytest.raises(Interrupted):
        train(start, reward, folder, **settings)
    monkeypatch.undo()
    # the newest checkpoint was being written: it does not count
    (folder / "checkpoints" / "checkpoint-3" / "state.pt").write_bytes(b"half")
    resumed = train(start, reward, folder, **settings)

    assert resumed.steps == straight.steps == 4
    assert list(resumed.log) == list(straight.log) == read_log(folder / "training_log.jsonl")
    assert [row["step"] for row in straight.log] == [0, 1, 2, 2, 3, 4, 4], "evaluations in between"
    for name, value in weights(straight.policy).items():
        assert torch.equal(value, weights(resumed.policy)[name]), name
    assert not (folder / "checkpoints").exists(), "gone when done"
    again = train(start, reward, folder, **settings)
    assert again.evaluation == straight.evaluation and list(again.log) == list(straight.log)
    loaded = load_policy(folder, device="cpu")
    ids = torch.tensor([[2, 3]])
    for policy in (again.policy, loaded):
        given = policy(batch_of(policy, ["a"]), ids, ids > 0)
        wanted = straight.policy(batch_of(policy, ["a"]), ids, ids > 0)
        assert torch.equal(given.logps, wanted.logps) and torch.equal(given.values, wanted.values)
    with pytest.raises(SettingsError, match="learning_rate"):
        train(start, reward, folder, **settings, learning_rate=1e-4)
    fresh = train(
        start, WholeReward(count_of("b"), "other"), folder, **settings | {"max_steps": 1}, resume=False
    )
    assert fresh.steps == 1


def test_what_generation_config_adds_is_said_and_a_forced_language_comes_back(tmp_path: Path) -> None:
    base = language_model("encoder-decoder")
    base.save_pretrained(tmp_path / "base")
    lora = LoraSettings(rank=2, target_modules=("q", "v"))
    policy = ValuedPolicy.load(ModelSettings(str(tmp_path / "base"), device="cpu"), lora=lora)
    policy.lm.generation_config.update(forced_bos_token_id=A, suppress_tokens=[5], repetition_penalty=1.3)
    said: list[str] = []
    reward, settings = WholeReward(count_of("b")), quick(max_steps=1)
    train_policy(policy, tokenizer(), PROMPTS, reward, settings, folder=tmp_path / "p", say=said.append)
    assert f"each response begins behind token {A} (forced_bos_token_id)" in said[0]
    assert "sampled without what generation_config adds (repetition_penalty 1.3)" in said[0]
    loaded = load_policy(tmp_path / "p", device="cpu")
    assert start_tokens(loaded.lm) == (0, A)
    allowed = allowed_tokens(loaded, tokenizer(), settings)
    assert allowed is not None and allowed.tolist() == [place != 5 for place in range(len(WORDS))]


def test_dense_rewards_reach_the_log_by_aspect() -> None:
    class Letters:
        name = "letters"

        def __call__(self, samples: Sequence[Sample]) -> list[list[Span]]:
            return [[Span(k, k + 1, 1.0) for k, one in enumerate(s.response) if one == "a"] for s in samples]

    reward = HierarchicalReward(
        WholeReward(count_of("b"), "b"), [Letters()], HierarchySettings(threshold=0.5)
    )
    done = train(policy_of("encoder-decoder"), reward, max_steps=1)
    said = {"score_holistic", "score_letters", "gate_rate", "reward", "kl", "length", "entropy", "value_loss"}
    assert said | {"clip_share", "update_kl", "truncated"} <= set(done.log[0])
    assert not any("second" in name or "speed" in name for name in done.log[0]), "the log is reproducible"
    assert set(done.speed) == {"rollout", "update"}


def test_micro_batches_add_up_to_their_minibatch() -> None:
    found = []
    for size in (1, 4):
        policy = policy_of(spread=0.5)
        train(policy, WholeReward(count_of("a")), micro_batch=size, max_steps=2)
        found.append(weights(policy))
    for name, value in found[0].items():
        torch.testing.assert_close(value, found[1][name], rtol=1e-3, atol=2e-5)


def test_passes_end_at_the_kl_target() -> None:
    free, kept = (
        train(
            policy_of(),
            WholeReward(count_of("a")),
            max_steps=1,
            ppo_epochs=4,
            learning_rate=0.1,
            target_kl=target,
        )
        for target in (None, 1e-3)
    )
    assert free.log[0]["minibatches"] == 8
    assert kept.log[0]["minibatches"] == 1 and kept.log[0]["update_kl"] > 1.5e-3


def test_a_linear_schedule_and_a_rate_of_the_value_heads_own() -> None:
    done = train(policy_of(), WholeReward(count_of("a")), max_steps=2, schedule="linear", learning_rate=0.1)
    assert [row["learning_rate"] for row in done.log] == pytest.approx([0.1, 0.05])
    policy = policy_of()
    before = weights(policy)
    train(policy, WholeReward(lambda sample: 1.0), max_steps=1, learning_rate=1e-9, value_learning_rate=0.1)
    moved = {name for name, one in weights(policy).items() if (one - before[name]).abs().max() > 1e-3}
    assert moved and all(name.startswith("value_head") for name in moved)


def test_what_cannot_be_trained_is_refused(tmp_path: Path) -> None:
    reward = WholeReward(count_of("a"))
    with pytest.raises(DataError, match="no prompts"):
        train(policy_of(), reward, prompts=[])
    with pytest.raises(SettingsError, match="within the policy's context"):
        train(policy_of(), reward, max_new_tokens=63)
    with pytest.raises(SettingsError, match="loaded already"):
        train(policy_of(), reward, lora=LORA)
    with pytest.raises(ModelError, match="nothing trains"):
        train(policy_of().requires_grad_(False), reward)
    with pytest.raises(ModelError, match="unknown origin"):  # before training, not after it
        train(ValuedPolicy(add_lora(language_model(), replace(LORA, dropout=0.0))), reward, tmp_path / "out")
    assert reward.calls == 0
    with pytest.raises(ModelError, match="no number in step 1"):
        policy = policy_of()
        policy.value_head.weight.data.fill_(float("nan"))
        train(policy, reward)
    (tmp_path / "broken").mkdir()
    (tmp_path / "broken" / "policy.json").write_text(json.dumps({"format": 99}))
    with pytest.raises(ModelError, match="another format"):
        load_policy(tmp_path / "broken")
    with pytest.raises(ModelError, match=r"no readable policy\.json"):
        load_policy(tmp_path)
