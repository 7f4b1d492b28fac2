"""The settings of PPO. The defaults are ALaRM's for long-form questions."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import asdict, dataclass, field
from typing import Any

from workbench.core.errors import SettingsError
from workbench.models.encoding import EncodingSettings
from workbench.models.lora import LoraSettings
from workbench.rewards.hierarchy import TOO_SHORT
from workbench.training.ppo.kl import AdaptiveKL, FixedKL

__all__ = ["PAPER_LORA", "SCHEDULES", "PPOSettings"]

PAPER_LORA = LoraSettings(rank=16, alpha=32.0, dropout=0.05, target_modules=("q", "v"))
"""ALaRM's adapters, on the matrices of T5 and mT5 that peft adapts by default."""
SCHEDULES = ("constant", "linear")
"""How the learning rate goes on: it stays, or falls to 0 at the end."""


@dataclass(frozen=True)
class PPOSettings:
    """How a policy is trained by PPO.

    ALaRM's translation: `max_prompt_tokens=128, max_new_tokens=128, batch=32, minibatch=32, learning_rate=5e-4`.
    Short runs by the hundred: `micro_batch=minibatch, checkpoint_steps=0, progress=False`, and a full fine-tuning
    with `train_policy(..., folder=None)` leave the loop and little else.

    Raises:
        SettingsError: One or more values cannot be used; all of them are named.

    Source: Lai et al. 2024, "ALaRM", section on the experiments; what it does not give are the defaults of TRL's
    PPOTrainer, which it used, or said to be ours.
    """

    template: str = "{prompt}"
    """Text of the prompt, `{prompt}` standing for the words given."""
    chat: bool | None = None
    """Use the tokenizer's chat template instead. None: where it has one, and `template` is left as it is."""
    max_prompt_tokens: int = 1024
    """Longest prompt (paper: 1024; translation 128). A longer one loses its `cut`, inside what it says: what a
    template writes around that stays, headers of a chat template too; see `workbench.models.chat_budget`."""
    cut: str = "beginning"
    """What a prompt that is too long loses: its `beginning`, as in dialogues, whose last turn asks; or its `end`, as
    where a question stands before passages."""
    max_new_tokens: int = 200
    """Longest response (paper: 200; translation 128). One that reaches it is cut off there: no end token is put after
    it, so that it is seen to be truncated, by the value head too (paper: sampling without eos)."""
    temperature: float = 1.0
    """Of sampling (paper: 1), and so of every log-probability."""
    banned_tokens: tuple[int, ...] = ()
    """Never sampled, and without mass in every log-probability. With all stop tokens, all responses are as long."""
    too_short: float | None = TOO_SHORT
    """Reward of answers of fewer than 3 tokens (paper: -10), in place of theirs; None: they are scored as any other.
    A `HierarchicalReward` has its own rule, which is the paper's: -10 in place of the holistic reward."""

    epochs: float = 2.0
    """Passes over the prompts (paper: 2)."""
    max_steps: int | None = None
    """Rollouts; counts instead of `epochs` where given."""
    batch: int = 8
    """Responses a rollout, over all processes (paper: 8; translation 32)."""
    ppo_epochs: int = 4
    """Passes over each rollout (paper: 4)."""
    minibatch: int = 8
    """Responses an optimizer step, over all processes (paper: 8, as 4 accumulated twice)."""
    micro_batch: int = 4
    """Responses in memory at once with their gradients, in each process (paper: 4). It changes nothing else."""
    target_kl: float | None = 0.1
    """The passes over a rollout end once the KL to the policy that sampled it is above 1.5 times this, as in TRL, in
    nats a token (paper: 0.1). None: they never end early."""
    kl: FixedKL | AdaptiveKL = field(default_factory=AdaptiveKL)
    """KL coefficient of the penalty for leaving the reference policy (TRL's: adaptive from 0.2, to 6 nats)."""
    gamma: float = 1.0
    """Discount factor of GAE (TRL's)."""
    lam: float = 0.95
    """lambda of generalized advantage estimation, GAE (TRL's)."""
    clip: float = 0.2
    """epsilon of the clipped surrogate: how far the probability ratio may go from 1 (TRL's)."""
    value_clip: float | None = 0.2
    """How far a value may go from the one at sampling, in units of the reward (TRL's); None: anywhere."""
    value_weight: float = 0.1
    """Weight of the value loss (TRL's)."""

    learning_rate: float = 2e-4
    """Of AdamW (paper: 2e-4; translation 5e-4)."""
    value_learning_rate: float | None = None
    """Of the value head; None: the same."""
    schedule: str = "constant"
    """One of `SCHEDULES` (TRL's: constant)."""
    adam_epsilon: float = 1e-8
    """Of AdamW."""
    weight_decay: float = 0.0
    """Of AdamW (ours)."""
    max_grad_norm: float = 1.0
    """Gradients are clipped to this norm (ours)."""
    bf16: bool | None = None
    """Compute in bfloat16 by autocast. None: where there is a GPU that has it."""

    evaluate_steps: int = 0
    """Rollouts between evaluations, the first one before training; 0: only at the end."""
    evaluation_batch: int = 32
    """Responses sampled at once in evaluations, in each process."""
    greedy_evaluation: bool = False
    """Evaluate greedy responses instead of sampled ones."""
    checkpoint_steps: int = 50
    """Rollouts between checkpoints; 0: none, so an interrupted training starts over."""
    checkpoints_kept: int = 2
    """The newest ones that stay, at least 2: one is always whole. All go when training is done."""
    progress: bool = True
    """Show a progress bar."""
    seed: int = 0
    """Of adapters, order of the prompts, samples, minibatches and dropout."""

    def __post_init__(self) -> None:
        faults = list(self._faults())
        if faults:
            raise SettingsError.listing(faults)
        EncodingSettings(template=self.template, cut=self.cut)  # says what they need

    def steps(self, prompts: int) -> int:
        """Return the rollouts of a training on so many prompts, at least one."""
        return self.max_steps or max(1, round(self.epochs * prompts / self.batch))

    def check_processes(self, processes: int) -> None:
        """Raise a `SettingsError` where rollouts and minibatches do not split over the processes."""
        if self.batch % processes or self.minibatch % processes:
            raise SettingsError(
                got=f"batch {self.batch}, minibatch {self.minibatch}, {processes} processes",
                needed=f"both multiples of {processes}",
                fix="change them, or the number of processes",
            )

    def describe(self) -> dict[str, Any]:
        """Return all that shapes the weights, as plain values."""
        said = asdict(self)
        for name in (
            "micro_batch", "evaluate_steps", "evaluation_batch", "greedy_evaluation", "checkpoint_steps",
            "checkpoints_kept", "progress",
        ):  # fmt: skip
            del said[name]
        del said["cut"]  # the prompts' own tokens tell
        said["kl"]["kind"] = type(self.kl).__name__
        said["chat"] = bool(self.chat)  # what else the prompts' own tokens tell
        said["banned_tokens"] = sorted(set(self.banned_tokens))
        return said

    def _faults(self) -> Iterator[tuple[str, str]]:
        """Yield (what was got, what is needed) for each value that cannot be used."""
        if self.schedule not in SCHEDULES:
            yield f"schedule {self.schedule!r}", f"schedule: one of {', '.join(SCHEDULES)}"
        if not isinstance(self.kl, FixedKL | AdaptiveKL):
            yield f"kl {self.kl!r}", "kl: FixedKL(...) or AdaptiveKL(...)"
        if not all(isinstance(token, int) and token >= 0 for token in self.banned_tokens):
            yield f"banned_tokens {self.banned_tokens!r}", "banned_tokens: ids of tokens"
        whole = {
            "max_prompt_tokens": 1, "max_new_tokens": 1, "batch": 1, "ppo_epochs": 1, "minibatch": 1,
            "micro_batch": 1, "evaluation_batch": 1, "checkpoints_kept": 2, "evaluate_steps": 0,
            "checkpoint_steps": 0, "seed": 0, "max_steps": 1,
        }  # fmt: skip
        for name, least in whole.items():
            value = getattr(self, name)
            if not isinstance(value, int) and not (value is None and name == "max_steps"):
                yield f"{name} {value!r}", f"{name}: a whole number"
            elif value is not None and value < least:
                yield f"{name} {value}", f"{name}: at least {least}"
        above = ("epochs", "temperature", "clip", "learning_rate", "adam_epsilon", "max_grad_norm")
        for name in (*above, "value_clip", "value_learning_rate", "target_kl"):
            value = getattr(self, name)
            if not (value is None and name not in above) and not (math.isfinite(value) and value > 0):
                yield f"{name} {value!r}", f"{name}: above 0"
        for name, highest in (
            ("gamma", 1.0),
            ("lam", 1.0),
            ("value_weight", math.inf),
            ("weight_decay", 1.0),
        ):
            value = getattr(self, name)
            if not (math.isfinite(value) and 0 <= value <= highest):
                yield f"{name} {value!r}", f"{name}: at least 0" + (", at most 1" if highest == 1 else "")
        if self.too_short is not None and not math.isfinite(self.too_short):
            yield f"too_short {self.too_short!r}", "too_short: a number, or None"
        if self.minibatch >= 1 and self.batch % self.minibatch:
            yield f"batch {self.batch} with minibatch {self.minibatch}", "batch: a multiple of minibatch"
