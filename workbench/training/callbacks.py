"""What watches a training: the order of its pairs, the scalar head's gradient, the log on disk, the bar, a person."""

from __future__ import annotations

from typing import Any

from torch import nn
from transformers import TrainerCallback, TrainerControl, TrainerState, TrainingArguments

from workbench.core.bars import Bar
from workbench.core.errors import ModelError
from workbench.training.pairs import PairOrder
from workbench.training.session import Session
from workbench.training.watching import Watcher

__all__ = ["EpochOrder", "HeadGradient", "JsonLog", "ProgressBar", "WatchCallback"]


class EpochOrder(TrainerCallback):
    """Tells the order of the pairs which epoch it is, a resumed one too."""

    def __init__(self, order: PairOrder) -> None:
        self.order = order

    def on_epoch_begin(
        self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **_: Any
    ) -> None:
        self.order.set_epoch(int(state.epoch or 0))


class HeadGradient(TrainerCallback):
    """Checks at the first step that the scalar head learns, and keeps its gradient's norm for the log.

    A head without gradient trains to nothing, and silently: the trap of LoRA that covers all linear layers.

    Args:
        head: The scalar head.
    """

    def __init__(self, head: nn.Module) -> None:
        self.head = head
        self.norm: float | None = None
        """Norm of the head's gradient at the last step, after clipping."""

    def on_pre_optimizer_step(
        self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **_: Any
    ) -> None:
        gradients = [parameter.grad for parameter in self.head.parameters()]
        self.norm = sum(float(grad.float().square().sum()) for grad in gradients if grad is not None) ** 0.5
        if state.global_step == 0 and not self.norm:
            frozen = not all(parameter.requires_grad for parameter in self.head.parameters())
            raise ModelError(
                got="the scalar head got no gradient in the first step"
                + (": it is frozen (requires_grad=False)" if frozen else ""),
                needed="a head that learns: its scores would stay as they are",
                fix="call model.reward_head.requires_grad_(True)"
                if frozen
                else "see that the head is the model's own, and not replaced or wrapped by an adapter",
            )


class JsonLog(TrainerCallback):
    """Writes what is logged to a file, a line each, as it comes. Resumed, it drops what is computed again.

    Args:
        session: Whose log it is.
    """

    def __init__(self, session: Session) -> None:
        self.session = session

    def on_train_begin(
        self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **_: Any
    ) -> None:
        self.session.rewind(state.global_step)

    def on_log(
        self,
        args: TrainingArguments,
        state: TrainerState,
        control: TrainerControl,
        logs: dict[str, Any] | None = None,
        **_: Any,
    ) -> None:
        if logs:
            self.session.write({"step": state.global_step, **logs})


class ProgressBar(TrainerCallback):
    """One bar over all steps, with the last loss and accuracy beside it."""

    def __init__(self) -> None:
        self.bar: Bar | None = None

    def on_train_begin(
        self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **_: Any
    ) -> None:
        if state.is_world_process_zero:
            self.bar = Bar(total=state.max_steps, initial=state.global_step, desc="training", unit="step")

    def on_step_end(
        self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **_: Any
    ) -> None:
        if self.bar is not None:
            self.bar.update(state.global_step - self.bar.n)

    def on_log(
        self,
        args: TrainingArguments,
        state: TrainerState,
        control: TrainerControl,
        logs: dict[str, Any] | None = None,
        **_: Any,
    ) -> None:
        shown = {name: f"{logs[name]:.3f}" for name in ("loss", "accuracy") if logs and name in logs}
        if self.bar is not None and shown:
            self.bar.set_postfix(shown)

    def on_train_end(
        self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **_: Any
    ) -> None:
        if self.bar is not None:
            self.bar.close()


class WatchCallback(TrainerCallback):
    """Tells a watcher what any Trainer does, and ends training, with a checkpoint, when the watcher says so.

    Args:
        watcher: Who is told.
        saves: Whether there is a place for the checkpoint.
    """

    def __init__(self, watcher: Watcher, *, saves: bool = True) -> None:
        self.watcher, self.saves = watcher, saves

    def on_train_begin(
        self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **_: Any
    ) -> None:
        self.watcher.started(state.global_step, state.max_steps)

    def on_log(
        self,
        args: TrainingArguments,
        state: TrainerState,
        control: TrainerControl,
        logs: dict[str, Any] | None = None,
        **_: Any,
    ) -> None:
        self.watcher.logged({"step": state.global_step, **(logs or {})})

    def on_step_end(
        self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **_: Any
    ) -> None:
        if self.watcher.stopping():
            control.should_training_stop = True
            control.should_save = self.saves
