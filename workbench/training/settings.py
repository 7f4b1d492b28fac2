"""The settings of reward-model training. The defaults are HaF-RM's."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import asdict, dataclass, field
from typing import Any

from workbench.core.errors import SettingsError
from workbench.models.encoding import EncodingSettings
from workbench.models.reward_model import POOLINGS
from workbench.training.losses import POLICY_LOSSES
from workbench.training.metrics import Objective

__all__ = ["REFERENCES", "RewardTrainingSettings"]

REFERENCES = ("auto", "before", "adapters-off")
"""Where the reference's log-probabilities come from; see `RewardTrainingSettings.reference`."""


@dataclass(frozen=True)
class RewardTrainingSettings:
    """How a reward model is trained.

    | arm | settings |
    |---|---|
    | hybrid, the paper's | as they are |
    | standard reward model | `alpha=0` |
    | DPO, its implicit reward | `reward_weight=0, alpha=1` |
    | alternating | `alternate=k` |

    Short runs by the hundred: `micro_batch=batch, checkpoint_steps=0, log_steps=0, progress=False`, and
    `train_reward_model(..., folder=None, reference_cache=a folder that all share)` leave the loop and little else.

    Raises:
        SettingsError: One or more values cannot be used; all of them are named.

    Source: HaF-RM, section on the experiments' setting; what it does not give is said to be ours.
    """

    alpha: float = 0.2
    """Weight of the policy loss (paper: 0.2). 0: the standard reward model, at its cost."""
    beta: float = 0.1
    """Strength of the policy's margin (paper: 0.1)."""
    policy_loss: str = "sigmoid"
    """One of `POLICY_LOSSES` (paper: sigmoid, which is DPO). `simpo` gets log-probabilities averaged by length."""
    simpo_margin: float = 0.0
    """Target margin of `simpo`."""
    reward_weight: float = 1.0
    """Weight of the reward loss (paper: 1). 0: the policy loss alone; the scalar head then stays as it is."""
    alternate: int = 0
    """Optimizer steps after which reward and policy loss take turns, the reward loss first. 0: their sum (paper)."""
    epochs: float = 2.0
    """Passes over the pairs (paper: 2)."""
    max_steps: int | None = None
    """Optimizer steps; counts instead of `epochs` where given."""
    batch: int = 16
    """Pairs an optimizer step, over all processes (paper: 16)."""
    micro_batch: int = 1
    """Pairs in memory at once, in each process (paper: 1, accumulated 16 times). More is faster where it fits."""
    learning_rate: float = 1e-5
    """Of AdamW (paper: 1e-5)."""
    head_learning_rate: float | None = None
    """Of the scalar head; None: the same."""
    adam_epsilon: float = 1e-5
    """Of AdamW (paper: 1e-5)."""
    weight_decay: float = 0.0
    """Of AdamW (ours; the paper gives none)."""
    max_grad_norm: float = 1.0
    """Gradients are clipped to this norm (paper: 1.0)."""
    schedule: str = "linear"
    """How the learning rate goes down, as transformers names it (ours; the paper gives none)."""
    warmup: float = 0.0
    """Part of the steps in which the learning rate goes up first (ours)."""
    bf16: bool | None = None
    """Compute in bfloat16 by autocast (paper: bf16). None: where there is a GPU that has it."""
    pooling: str = "last"
    """What the scalar head sees, one of `POOLINGS` (paper: the last token)."""
    init_std: float = 0.0
    """Spread of the scalar head's first weights (paper: 0)."""
    encoding: EncodingSettings = field(default_factory=EncodingSettings)
    """Template and budgets (paper: at most 512 tokens, 128 for the prompt)."""
    reference: str = "auto"
    """`before`: one pass over the pairs before training, kept on disk. `adapters-off`: the same weights without
    their adapters, at every step. `auto`: `before`, but `adapters-off` where a model with adapters will not see all
    pairs even once."""
    group_by_length: bool = False
    """Let a step hold pairs of like lengths: less padding, but steps are no random samples. See `PairOrder`."""
    checkpoint_steps: int = 200
    """Optimizer steps between checkpoints; 0: none, so an interrupted training starts over."""
    checkpoints_kept: int = 2
    """The newest ones that stay, at least 2: one is always whole. All go when training is done."""
    evaluate_steps: int = 0
    """Optimizer steps between evaluations; 0: only at the end."""
    keep_best: bool = False
    """Return the checkpoint of the best `best_metric` instead of the last weights."""
    best_metric: str = "accuracy"
    """What `keep_best` compares: `accuracy`, `implicit_accuracy` or `loss`."""
    log_steps: int = 10
    """Optimizer steps between lines of the log; 0: only the end."""
    progress: bool = True
    """Show a progress bar."""
    report_to: tuple[str, ...] = ()
    """Further logs, as transformers names them: `tensorboard`, `wandb`, ..."""
    seed: int = 0
    """Of the first weights, the order of the pairs, and dropout."""

    def __post_init__(self) -> None:
        faults = list(self._faults())
        if faults:
            raise SettingsError.listing(faults)

    @property
    def objective(self) -> Objective:
        """What is minimised."""
        return Objective(self.alpha, self.beta, self.policy_loss, self.simpo_margin, self.reward_weight)

    def accumulation(self, processes: int) -> int:
        """Return the micro-batches that make a step.

        Raises:
            SettingsError: The batch cannot be split so.
        """
        if self.batch % (self.micro_batch * processes):
            raise SettingsError(
                got=f"batch {self.batch}, micro_batch {self.micro_batch}, {processes} process(es)",
                needed=f"a batch that {self.micro_batch} x {processes} divides",
                fix="change batch or micro_batch",
            )
        return self.batch // (self.micro_batch * processes)

    def describe(self) -> dict[str, Any]:
        """Return all that shapes the weights, as plain values: without progress, logs and checkpoints."""
        said = asdict(self)
        # how often weights are looked at does not shape them, unless the best of the looks is kept
        unshaping = ["checkpoint_steps", "checkpoints_kept", "log_steps", "progress", "report_to"]
        for name in unshaping if self.keep_best else [*unshaping, "evaluate_steps", "best_metric"]:
            del said[name]
        return said

    def _faults(self) -> Iterator[tuple[str, str]]:
        """Yield (what was got, what is needed) for each value that cannot be used."""
        for name, values in (
            ("policy_loss", POLICY_LOSSES),
            ("pooling", POOLINGS),
            ("reference", REFERENCES),
            ("best_metric", ("accuracy", "implicit_accuracy", "loss")),
        ):
            if getattr(self, name) not in values:
                yield f"{name} {getattr(self, name)!r}", f"{name}: one of {', '.join(values)}"
        least = {
            "alpha": 0, "reward_weight": 0, "weight_decay": 0, "max_grad_norm": 0, "warmup": 0, "init_std": 0,
            "alternate": 0, "checkpoint_steps": 0, "evaluate_steps": 0, "log_steps": 0, "seed": 0,
            "batch": 1, "micro_batch": 1, "checkpoints_kept": 2,
        }  # fmt: skip
        for name, lowest in least.items():
            if not (math.isfinite(getattr(self, name)) and getattr(self, name) >= lowest):
                yield f"{name} {getattr(self, name)!r}", f"{name}: at least {lowest}"
        for name in ("beta", "learning_rate", "adam_epsilon", "epochs", "head_learning_rate", "max_steps"):
            value = getattr(self, name)
            optional = name in {"head_learning_rate", "max_steps"}
            if not (value is None and optional) and not (
                isinstance(value, int | float) and math.isfinite(value) and value > 0
            ):
                yield f"{name} {value!r}", f"{name}: above 0"
        if self.alpha == 0 and self.reward_weight == 0:
            yield "alpha 0 and reward_weight 0", "one of them above 0"
        if self.alternate and (self.alpha == 0 or self.reward_weight == 0):
            yield f"alternate {self.alternate} with one loss only", "alpha and reward_weight above 0"
        if self.batch % max(self.micro_batch, 1):
            yield (
                f"batch {self.batch} with micro_batch {self.micro_batch}",
                "batch: a multiple of micro_batch",
            )
        if self.keep_best and not (self.evaluate_steps and self.checkpoint_steps):
            yield (
                "keep_best without evaluations or checkpoints",
                "evaluate_steps and checkpoint_steps above 0",
            )
