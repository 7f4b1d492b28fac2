"""The loop of PPO: roll out, learn, evaluate, write a checkpoint."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch

from workbench.core.bars import Bar
from workbench.training.ppo.policy import ValuedPolicy
from workbench.training.ppo.processes import Processes
from workbench.training.ppo.prompts import EVALUATION, SAMPLES, EncodedPrompt, chance, prompt_order
from workbench.training.ppo.rollout import Collector, Rollout
from workbench.training.ppo.saving import read_checkpoint, save_policy, write_state
from workbench.training.ppo.settings import PPOSettings
from workbench.training.ppo.update import Updater, estimate_advantages
from workbench.training.session import Session
from workbench.training.watching import TrainingStopped, Watcher

if TYPE_CHECKING:
    from transformers import PreTrainedTokenizerBase

__all__ = ["TrainedPolicy", "TrainingLoop", "make_optimizer"]


@dataclass(frozen=True, repr=False)
class TrainedPolicy:
    """A trained policy, and how it was trained."""

    policy: ValuedPolicy
    """In evaluation mode. `.policy.policy` is the language model, for generation."""
    steps: int
    """Rollouts, those before an interruption included."""
    seconds: float
    """Wall time of training in this process; before an interruption not counted."""
    evaluation: dict[str, float]
    """Metrics of the evaluation prompts after training, such as `reward` and `kl`; empty where there were none."""
    speed: dict[str, float]
    """Tokens of responses a second in `rollout` and in `update`, of this process; empty where nothing was trained."""
    log: tuple[dict[str, Any], ...]
    """What was logged, a row a rollout: see `Rollout.metrics` and `Updater`; in evaluations behind `eval_`."""
    folder: Path | None
    """Where the policy lies, for `load_policy`."""

    def __repr__(self) -> str:
        shown = ", ".join(f"{name} {value:.3f}" for name, value in self.evaluation.items())
        return f"<TrainedPolicy {self.steps} steps{', ' + shown if shown else ''}, in {self.folder}>"


class TrainingLoop:
    """Rolls out and learns, step by step; now and then it evaluates, and writes a checkpoint.

    Args:
        collect: Samples and judges; made before the policy was trained.
        prompts: To train on.
        eval_prompts: To evaluate on, or none.
        settings: How.
        processes: That train together.
        session: Where the policy, its log and its checkpoints go.
        watcher: Hears what is logged, and may end the training.
    """

    def __init__(
        self,
        collect: Collector,
        prompts: Sequence[EncodedPrompt],
        eval_prompts: Sequence[EncodedPrompt],
        settings: PPOSettings,
        *,
        processes: Processes,
        session: Session,
        watcher: Watcher | None = None,
    ) -> None:
        policy = collect.policy
        self.policy, self.collect, self.settings = policy, collect, settings
        self.prompts, self.eval_prompts = prompts, eval_prompts
        self.processes, self.session, self.watcher = processes, session, watcher
        self.optimizer = make_optimizer(policy, settings)
        self.update = Updater(
            policy, self.optimizer, settings,
            allowed=collect.allowed, processes=processes, bf16=collect.bf16,
        )  # fmt: skip
        self.controller = settings.kl
        self.steps = settings.steps(len(prompts))
        self.log: list[dict[str, Any]] = []
        self.tokens, self.rollout_s, self.update_s = 0, 0.0, 0.0

    def run(self, tokenizer: PreTrainedTokenizerBase, say: Callable[[str], None]) -> TrainedPolicy:
        """Train from the last checkpoint on, evaluate, and save."""
        step = self._resume()
        if step:
            say(f"going on after step {step}")
        if self.watcher is not None:
            self.watcher.started(step, self.steps)
        started = time.monotonic()
        hidden = not (self.settings.progress and self.processes.first)
        with Bar(total=self.steps, initial=step, desc="PPO", unit="step", disable=hidden) as bar:
            if step == 0 and self.settings.evaluate_steps:
                self._evaluate(0)
            while step < self.steps:
                row = self._step(step)
                step += 1
                self._write({"step": step, **row})
                every = self.settings.evaluate_steps
                if every and step % every == 0 and step < self.steps:
                    self._evaluate(step)
                stops = self.watcher is not None and step < self.steps and self.watcher.stopping()
                self._checkpoint(step, now=stops)
                if stops:
                    raise TrainingStopped(step, self.steps, self.session.folder)
                shown = {name: f"{row[name]:.3g}" for name in ("reward", "kl", "length")}
                speed = self.tokens / (self.rollout_s + self.update_s)
                bar.set_postfix(shown | {"tokens/s": f"{speed:.0f}"})
                bar.update()
        seconds = time.monotonic() - started
        evaluation = self._evaluate(step) if self.eval_prompts else {}
        summary: dict[str, Any] = {
            "steps": step, "seconds": seconds, "evaluation": evaluation, "speed": self._speed(),
        }  # fmt: skip
        if self.session.folder is not None and self.processes.first:
            save_policy(self.policy, self.session.folder, tokenizer=tokenizer)
        self.session.finish(summary)
        return TrainedPolicy(self.policy.eval(), **summary, log=tuple(self.log), folder=self.session.folder)

    def _step(self, step: int) -> dict[str, float]:
        """Sample a rollout, learn from it, and return what is logged of both."""
        settings = self.settings
        started = time.monotonic()
        for group in self.optimizer.param_groups:
            left = 1 - step / self.steps if settings.schedule == "linear" else 1.0
            group["lr"] = group["initial_lr"] * left
        chosen = [self.prompts[number] for number in prompt_order(len(self.prompts), step, settings)]
        rollout = self._rollout(chosen, chance(settings, SAMPLES, step, settings.batch))
        rolled = time.monotonic()
        coefficient = self.controller.coefficient
        advantages = estimate_advantages(rollout, settings, kl_coefficient=coefficient)
        learnt = self.update(rollout, advantages, step)
        measured = rollout.metrics()
        self.controller = self.controller.updated(measured["kl"], samples=settings.batch)
        self.tokens += int(rollout.mask.sum())
        self.rollout_s += rolled - started
        self.update_s += time.monotonic() - rolled
        rate = self.optimizer.param_groups[0]["lr"]
        return measured | {"kl_coefficient": coefficient, "learning_rate": rate} | learnt

    def _rollout(
        self, prompts: Sequence[EncodedPrompt], uniform: torch.Tensor, *, greedy: bool = False
    ) -> Rollout:
        """Return the rollout of all processes, each of which sampled its share."""
        mine = self.processes.share(len(prompts))
        return Rollout.joined(
            self.processes.gather(self.collect(prompts[mine], uniform[mine], greedy=greedy))
        )

    def _evaluate(self, step: int) -> dict[str, float]:
        """Return the metrics of responses to the evaluation prompts, and log them."""
        if not self.eval_prompts:
            return {}
        settings, together = self.settings, self.processes.world_size
        uniform = chance(settings, EVALUATION, 0, len(self.eval_prompts))
        size = settings.evaluation_batch * together
        parts = []
        for start in range(0, len(self.eval_prompts), size):
            rows = slice(start, start + size)
            chosen = self.eval_prompts[rows]
            if len(chosen) % together:  # the last ones do not split: each process samples them all
                parts.append(self.collect(chosen, uniform[rows], greedy=settings.greedy_evaluation))
            else:
                parts.append(self._rollout(chosen, uniform[rows], greedy=settings.greedy_evaluation))
        found = Rollout.joined(parts).metrics()
        self._write({"step": step, **{f"eval_{name}": value for name, value in found.items()}})
        return found

    def _checkpoint(self, step: int, *, now: bool) -> None:
        """Write a checkpoint where one is due, or wanted now, in the first process."""
        every = self.settings.checkpoint_steps
        due = now or (every and step % every == 0 and step < self.steps)
        if self.session.kept and due and self.processes.first:
            write_state(
                self.session.place.checkpoints,
                step,
                self.policy,
                self.optimizer,
                {"controller": asdict(self.controller)},  # all chance is made of the seed and the step
                kept=self.settings.checkpoints_kept,
            )

    def _resume(self) -> int:
        """Go back to the last checkpoint, its log too; return the steps done."""
        step, state = read_checkpoint(self.session.checkpoint(), self.policy, self.optimizer)
        self.controller = replace(self.controller, **state.get("controller", {}))
        self.log = self.session.rewind(step)
        return step

    def _write(self, row: dict[str, Any]) -> None:
        """Log a row. Nothing in it depends on the clock; only who watches hears of the speed, too."""
        self.log.append(row)
        if self.watcher is not None:
            spent = self.rollout_s + self.update_s
            self.watcher.logged({**row, "tokens_per_second": self.tokens / spent} if spent else row)
        self.session.write(row)

    def _speed(self) -> dict[str, float]:
        """Return tokens a second in this process."""
        if not self.tokens:
            return {}
        return {"rollout": self.tokens / self.rollout_s, "update": self.tokens / self.update_s}


def make_optimizer(policy: ValuedPolicy, settings: PPOSettings) -> torch.optim.Optimizer:
    """Return AdamW for what trains, with a learning rate of its own for the value head where one is set."""
    head = list(policy.value_head.parameters())
    own = {id(parameter) for parameter in head}
    body = [one for one in policy.parameters() if one.requires_grad and id(one) not in own]
    rate = settings.learning_rate
    groups = [
        {"params": body, "lr": rate, "initial_lr": rate},
        {"params": head, "lr": settings.value_learning_rate or rate},
    ]
    groups[1]["initial_lr"] = groups[1]["lr"]
    return torch.optim.AdamW(groups, eps=settings.adam_epsilon, weight_decay=settings.weight_decay)
