"""What a step of PPO costs, rollout and update apart, against a plain loop on transformers, side by side."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable, Sequence
from copy import deepcopy
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from workbench.core.errors import SettingsError

if TYPE_CHECKING:
    from workbench.rewards.spans import Reward, Sample
    from workbench.training.ppo.settings import PPOSettings

__all__ = ["CASES", "PPOCase", "PPOSpeed", "measure_ppo"]


@dataclass(frozen=True)
class PPOCase:
    """A model, a reward and the batches that both loops get."""

    vocabulary: int
    """Tokens of the policy."""
    width: int
    """Of the policy's states; its blocks are Llama's."""
    layers: int
    """Blocks of the policy."""
    prompt_tokens: tuple[int, int]
    """Shortest and longest prompt."""
    new_tokens: int
    """Longest answer; random weights hardly ever end earlier."""
    batch: int
    """Answers per rollout, and per optimizer step."""
    micro_batch: int
    """Answers in memory at once with their gradients."""
    reward_width: int
    """Of the reward model's states; it has two blocks."""


CASES = {
    "small": PPOCase(4_000, 128, 4, (16, 48), 32, 32, 16, 64),
    "tiny": PPOCase(400, 32, 2, (4, 8), 6, 4, 2, 16),
    "1b": PPOCase(32_000, 2048, 16, (128, 512), 200, 64, 8, 512),
}
"""`small` for a CPU, `1b` for a GPU, `tiny` to see that it works."""


@dataclass(frozen=True)
class PPOSpeed:
    """Seconds of each step, by loop: `workbench` and `plain`."""

    rollout_s: dict[str, list[float]]
    """Of sampling, judging and what comes before the update."""
    update_s: dict[str, list[float]]
    """Of the passes over a rollout."""
    tokens: dict[str, list[int]]
    """Tokens of answers, each step."""
    reward_s: tuple[float, float]
    """Of scoring one rollout's answers: together, and one by one."""

    def tokens_per_s(self, part: str, loop: str) -> float:
        """Return the median rate of `rollout`, `update` or `step`."""
        parts = {
            "rollout": [self.rollout_s],
            "update": [self.update_s],
            "step": [self.rollout_s, self.update_s],
        }[part]
        seconds = [sum(each) for each in zip(*(one[loop] for one in parts), strict=True)]
        return statistics.median(n / s for n, s in zip(self.tokens[loop], seconds, strict=True))

    def ratio(self, part: str) -> float:
        """Return how many times faster the workbench is."""
        return self.tokens_per_s(part, "workbench") / self.tokens_per_s(part, "plain")

    @property
    def reward_ratio(self) -> float:
        """How many times faster answers are scored together than one by one."""
        return self.reward_s[1] / self.reward_s[0]


def measure_ppo(name: str, *, steps: int, threads: int, device: str, say: Callable[[str], None]) -> PPOSpeed:
    """Run both loops in turn, step by step, on the same prompts; the first step does not count.

    Args:
        name: A key of `CASES`.
        steps: Steps that count.
        threads: Of arithmetic, on the CPU.
        device: cpu or cuda.
        say: Told each step.

    Raises:
        SettingsError: There is no such case.
    """
    if name not in CASES:
        raise SettingsError(f"config {name!r}", f"one of {', '.join(CASES)}", "name one of them")
    import torch

    torch.set_num_threads(threads)
    case = CASES[name]
    loops, reward, prompts = _loops(case, device, steps + 1)
    rolled: dict[str, list[float]] = {loop: [] for loop in loops}
    updated: dict[str, list[float]] = {loop: [] for loop in loops}
    tokens: dict[str, list[int]] = {loop: [] for loop in loops}
    for step in range(steps + 1):
        for loop, (roll_out, update) in loops.items():
            started = _now(device)
            rollout = roll_out(prompts[step], step)
            between = _now(device)
            update(rollout, step)
            if step:
                rolled[loop].append(between - started)
                updated[loop].append(_now(device) - between)
                tokens[loop].append(int(rollout[-1].mask.sum()))
                say(
                    f"  step {step}, {loop}: rollout {rolled[loop][-1]:.2f} s, update {updated[loop][-1]:.2f} s"
                )
    return PPOSpeed(rolled, updated, tokens, _reward_seconds(reward, case, device))


def _loops(case: PPOCase, device: str, steps: int) -> tuple[dict[str, Any], Reward, list[list[str]]]:
    """Return, by loop, what rolls out and what updates; the reward; and the prompts of each step.

    What rolls out returns a tuple whose last item has the answers' mask; what updates takes it.
    """
    import random

    import torch

    from workbench.benchmarks.ppo_plain import PlainLoop
    from workbench.benchmarks.training import word_tokenizer
    from workbench.models import LoraSettings, add_lora
    from workbench.training.ppo.loop import make_optimizer
    from workbench.training.ppo.policy import ValuedPolicy
    from workbench.training.ppo.processes import Processes
    from workbench.training.ppo.prompts import chance, encode_prompts
    from workbench.training.ppo.rollout import Collector
    from workbench.training.ppo.update import Updater, estimate_advantages

    drawn = random.Random(0)
    prompts = [
        [_words(drawn, case, drawn.randint(*case.prompt_tokens)) for _ in range(case.batch)]
        for _ in range(steps)
    ]
    tokenizer = word_tokenizer(case.vocabulary)
    reward = _reward(case, device)
    settings = _settings(case)
    torch.manual_seed(0)
    lora = LoraSettings(rank=16, alpha=32.0, target_modules=("q_proj", "v_proj"))
    adapted = add_lora(_language_model(case, case.width, case.layers, device), lora)
    plain = PlainLoop(deepcopy(adapted), tokenizer, reward, settings)
    policy = ValuedPolicy(adapted)
    collect = Collector(policy, tokenizer, reward, settings)
    updater = Updater(
        policy, make_optimizer(policy, settings), settings, allowed=collect.allowed, processes=Processes()
    )

    def roll_out(texts: Sequence[str], step: int) -> tuple[Any, Any]:
        encoded = encode_prompts(texts, tokenizer, policy, settings)
        rollout = collect(encoded, chance(settings, 1, step, len(texts)))
        return estimate_advantages(rollout, settings, kl_coefficient=settings.kl.coefficient), rollout

    return (
        {
            "workbench": (roll_out, lambda given, step: updater(given[1], given[0], step)),
            "plain": (
                lambda texts, step: (plain.rollout(texts),),
                lambda given, step: plain.update(given[0]),
            ),
        },
        reward,
        prompts,
    )


def _settings(case: PPOCase) -> PPOSettings:
    from workbench.training.ppo.settings import PPOSettings

    return PPOSettings(
        max_prompt_tokens=case.prompt_tokens[1],
        max_new_tokens=case.new_tokens,
        batch=case.batch,
        minibatch=case.batch,
        micro_batch=case.micro_batch,
        target_kl=None,
        too_short=None,
    )


def _language_model(case: PPOCase, width: int, layers: int, device: str) -> Any:
    """Return a Llama with random weights."""
    import torch
    from transformers import LlamaConfig, LlamaForCausalLM

    config = LlamaConfig(
        vocab_size=case.vocabulary,
        hidden_size=width,
        intermediate_size=width * 8 // 3,
        num_hidden_layers=layers,
        num_attention_heads=max(width // 64, 2),
        max_position_embeddings=2 * (case.prompt_tokens[1] + case.new_tokens),
        tie_word_embeddings=True,
        pad_token_id=0,
        bos_token_id=None,
        eos_token_id=1,
    )
    with torch.device(device):
        return LlamaForCausalLM(config).eval()


def _reward(case: PPOCase, device: str) -> Reward:
    """Return a small reward model with random weights."""
    import torch

    from workbench.benchmarks.training import word_tokenizer
    from workbench.models import EncodingSettings, RewardModel
    from workbench.rewards import SequenceModelReward

    torch.manual_seed(1)
    longest = case.prompt_tokens[1] + case.new_tokens
    model = RewardModel(_language_model(case, case.reward_width, 2, device), init_std=0.1)
    encoding = EncodingSettings(
        "{prompt}", max_tokens=longest + 1, max_prompt_tokens=case.prompt_tokens[1], end_token=True
    )
    return SequenceModelReward(model, word_tokenizer(case.vocabulary), encoding, batch_size=case.batch)


def _reward_seconds(reward: Reward, case: PPOCase, device: str) -> tuple[float, float]:
    """Return the median seconds to score a rollout's answers, together and one by one, of five times each."""
    import random

    from workbench.rewards.spans import Sample

    drawn = random.Random(1)
    samples = [
        Sample(_words(drawn, case, drawn.randint(*case.prompt_tokens)), _words(drawn, case, case.new_tokens))
        for _ in range(case.batch)
    ]

    def alone(given: Sequence[Sample]) -> None:
        for one in given:
            reward([one])

    ways: tuple[Callable[[Sequence[Sample]], object], ...] = (reward, alone)
    taken: tuple[list[float], list[float]] = [], []
    for _ in range(6):
        for way, seconds in zip(ways, taken, strict=True):
            started = _now(device)
            way(samples)
            seconds.append(_now(device) - started)
    together, apart = (statistics.median(seconds[1:]) for seconds in taken)
    return together, apart


def _words(drawn: Any, case: PPOCase, count: int) -> str:
    return " ".join(f"w{drawn.randrange(2, case.vocabulary)}" for _ in range(count))


def _now(device: str) -> float:
    """Return the clock, once the device has done what it was given."""
    if device == "cuda":
        import torch

        torch.cuda.synchronize()
    return time.perf_counter()
