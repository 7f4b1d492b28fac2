"""A Trainer of transformers for hybrid reward models: its checkpoints, its launchers, the paper's loss."""

from __future__ import annotations

import gc
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn
from torch.utils.data import Sampler
from transformers import EvalPrediction, PreTrainedTokenizerBase, Trainer, TrainerCallback, TrainingArguments
from transformers.trainer import TRAINER_STATE_NAME
from transformers.trainer_callback import PrinterCallback, TrainerState
from transformers.utils import logging

from workbench.models.pickles import START_OVER, only_tensors
from workbench.models.reward_model import RewardModel
from workbench.models.room import room_to_write
from workbench.models.saving import restore_reward_model
from workbench.models.token_logps import sequence_logps
from workbench.training.callbacks import EpochOrder, HeadGradient
from workbench.training.checkpoints import mark_complete
from workbench.training.faults import check_switchable, not_a_number
from workbench.training.metrics import Objective, PairOutputs, pair_metrics
from workbench.training.pairs import EncodedPairs, PairOrder, collate_pairs
from workbench.training.settings import RewardTrainingSettings

__all__ = ["HybridRewardTrainer"]


class HybridRewardTrainer(Trainer):
    """Trains a `RewardModel` on pairs, by `hybrid_loss`. `train_reward_model` does all around it.

    Chosen and rejected go through the model in one batch. What the objective does not need is not computed: with
    `alpha=0` the LM head is never touched. Checkpoints are the model's own (`save_pretrained`), marked when whole.

    Args:
        model: What is trained.
        settings: How. Those that `args` repeats are read from `args`.
        pairs: To train on. With their reference, where the objective needs one and the model has no adapters.
        args: The Trainer's own; `workbench.training.arguments.training_arguments` makes them of the settings.
        eval_pairs: To evaluate on, or several by name.
        tokenizer: Saved with the model.
        callbacks: More of them.

    Raises:
        ModelError: A reference is needed, but cannot be had.

    Source: HaF-RM: A Hybrid Alignment Framework for Reward Model Training. The loss, and the alternating variant.
    """

    def __init__(
        self,
        model: RewardModel,
        settings: RewardTrainingSettings,
        pairs: EncodedPairs,
        *,
        args: TrainingArguments,
        eval_pairs: EncodedPairs | dict[str, EncodedPairs] | None = None,
        tokenizer: PreTrainedTokenizerBase | None = None,
        callbacks: Sequence[TrainerCallback] = (),
    ) -> None:
        self.settings, self.tokenizer = settings, tokenizer
        self.objective: Objective = settings.objective
        step = args.train_batch_size * args.gradient_accumulation_steps * args.world_size
        self.order = PairOrder(pairs, step, settings.seed, group_by_length=settings.group_by_length)
        super().__init__(
            model=model,
            args=args,
            data_collator=collate_pairs,
            train_dataset=pairs,
            eval_dataset=eval_pairs,
            compute_metrics=self._evaluation_metrics,
            callbacks=[EpochOrder(self.order), *callbacks],
        )
        self.remove_callback(PrinterCallback)
        # the loss is normalised below, over all pairs of a step: a short last micro-batch weighs as much as it holds
        self.model_accepts_loss_kwargs = True
        self.reward_model = model
        self._outputs: list[Tensor] = []
        self._head: HeadGradient | None = None
        # shards of a parameter may be empty on one process, and say nothing
        if settings.reward_weight and not (self.is_fsdp_enabled or self.is_deepspeed_enabled):
            self._head = HeadGradient(model.reward_head)
            self.add_callback(self._head)
        if self.objective.needs_reference and any(pair.reference is None for pair in pairs.pairs):
            check_switchable(model, sharded=self.is_fsdp_enabled)

    def train(self, resume_from_checkpoint: str | bool | None = None, *args: Any, **options: Any) -> Any:
        """Train, as `Trainer.train` does; what the objective does not use is frozen meanwhile."""
        if isinstance(resume_from_checkpoint, str) and self._is_done(resume_from_checkpoint):
            return None
        gc.freeze()  # accelerate collects garbage first: half a second over all that is imported, for nothing
        try:
            with self._unused_frozen(), only_tensors(str(resume_from_checkpoint), fix=START_OVER):
                return super().train(resume_from_checkpoint, *args, **options)
        finally:
            gc.unfreeze()

    def compute_loss(
        self,
        model: nn.Module,
        inputs: dict[str, Any],
        return_outputs: bool = False,
        num_items_in_batch: Tensor | int | None = None,
    ) -> Any:
        """Return the loss of one micro-batch, as its part of the step's mean over pairs.

        Args:
            model: The reward model, as it is wrapped for training.
            inputs: As `collate_pairs` makes them.
            return_outputs: Also return the `PairOutputs`.
            num_items_in_batch: Pairs in the whole step, over all processes; None: this micro-batch is the step.

        Raises:
            ModelError: The loss is no number.
        """
        objective = self._objective_now()
        outputs = self._outputs_of(model, inputs, objective)
        loss = objective.loss(outputs).total
        if not torch.isfinite(loss):
            raise not_a_number(loss, outputs, inputs["rows"], self.reward_model, self.state.global_step + 1)
        if model.training and self.args.logging_strategy != "no":
            self._outputs.append(outputs.stack().detach())
        if num_items_in_batch is not None:  # the processes' gradients are averaged: undo that division
            loss = loss * len(inputs["rows"]) * self.accelerator.num_processes / num_items_in_batch
        return (loss, outputs) if return_outputs else loss

    def prediction_step(
        self,
        model: nn.Module,
        inputs: dict[str, Any],
        prediction_loss_only: bool,
        ignore_keys: list[str] | None = None,
    ) -> tuple[Tensor | None, Tensor | None, Tensor | None]:
        """Return what the model says of some pairs: `PairOutputs.stack`, and the rows of the pairs."""
        inputs = self._prepare_inputs(inputs)
        with torch.no_grad(), self.compute_loss_context_manager():
            outputs = self._outputs_of(model, inputs, self.objective)
        return None, outputs.stack(), inputs["rows"]

    def log(self, logs: dict[str, float], start_time: float | None = None) -> None:
        """Log, with the metrics of the pairs since the last time."""
        if self._outputs and "loss" in logs:
            stacked = torch.cat(self._outputs)
            self._outputs.clear()
            if self.args.world_size > 1:
                stacked = self.accelerator.pad_across_processes(stacked, pad_index=torch.nan)
                stacked = self.accelerator.gather(stacked)
            logs |= self._training_metrics(stacked[~stacked[:, 0].isnan()].cpu())
            if self._head is not None and self._head.norm is not None:
                logs["reward_head_grad_norm"] = self._head.norm
        super().log(logs, start_time)

    def create_optimizer(self, *args: Any, **options: Any) -> torch.optim.Optimizer:
        """Make the optimizer, with a learning rate of its own for the scalar head where one is set."""
        made_before = self.optimizer is not None
        optimizer = super().create_optimizer(*args, **options)
        if self.settings.head_learning_rate is None or made_before:
            return optimizer
        head = list(self.reward_model.reward_head.parameters())
        numbers = {id(parameter) for parameter in head}
        for group in optimizer.param_groups:
            group["params"] = [parameter for parameter in group["params"] if id(parameter) not in numbers]
        optimizer.add_param_group(
            {"params": head, "lr": self.settings.head_learning_rate, "weight_decay": 0.0}
        )
        return optimizer

    def _get_train_sampler(self, *_: Any) -> Sampler[int]:
        return self.order

    def _get_num_items_in_batch(self, batch_samples: list[Any], device: torch.device) -> Tensor | int | None:
        """Return the pairs of a step, over all processes."""
        pairs = sum(len(batch["rows"]) for batch in batch_samples)
        if self.args.world_size == 1:
            return pairs
        return self.accelerator.gather(torch.tensor(pairs, device=device)).sum()

    def _save(self, output_dir: str | None = None, state_dict: dict[str, Any] | None = None) -> None:
        if not self.args.should_save:
            return
        folder = Path(output_dir or str(self.args.output_dir))
        with _without_bars():
            self.reward_model.save_pretrained(folder, tokenizer=self.tokenizer, state_dict=state_dict)

    def _save_checkpoint(self, model: nn.Module, trial: Any) -> None:
        with room_to_write(Path(str(self.args.output_dir))):
            super()._save_checkpoint(model, trial)
        self.accelerator.wait_for_everyone()  # each process writes its own state of randomness
        if self.args.should_save:
            mark_complete(Path(str(self.args.output_dir)) / f"checkpoint-{self.state.global_step}")

    def _load_from_checkpoint(self, resume_from_checkpoint: str, model: nn.Module | None = None) -> None:
        if self.is_fsdp_enabled or self.is_deepspeed_enabled:  # they keep weights in a form of their own
            super()._load_from_checkpoint(resume_from_checkpoint, model)
            return
        with _without_bars():
            restore_reward_model(self.reward_model, Path(resume_from_checkpoint))

    def _load_best_model(self) -> None:
        if self.is_fsdp_enabled or self.is_deepspeed_enabled:
            super()._load_best_model()
        elif self.state.best_model_checkpoint is not None:
            self._load_from_checkpoint(self.state.best_model_checkpoint)

    def _is_done(self, checkpoint: str) -> bool:
        """Tell whether a checkpoint is of the last step, and load it then: transformers would train one step more."""
        state = TrainerState.load_from_json(str(Path(checkpoint) / TRAINER_STATE_NAME))
        if state.global_step < state.max_steps:
            return False
        self.state = state
        self._load_from_checkpoint(checkpoint)
        if self.args.load_best_model_at_end:
            self._load_best_model()
        return True

    def _outputs_of(self, model: nn.Module, inputs: dict[str, Any], objective: Objective) -> PairOutputs:
        """Run the model on a batch of pairs; only what an objective needs is computed."""
        texts = {name: inputs[name] for name in ("input_ids", "attention_mask", "response_mask")}
        scores, token_logps = model(**texts, with_logps=objective.alpha > 0)
        rewards = scores.chunk(2)
        if token_logps is None:
            return PairOutputs(*rewards)
        mask = inputs["response_mask"]
        policy = sequence_logps(token_logps, mask, average=objective.policy_loss == "simpo").chunk(2)
        if not objective.needs_reference:
            return PairOutputs(*rewards, *policy)
        reference = inputs.get("reference_logps")
        if reference is None:
            with self.accelerator.autocast():  # as the policy computes
                reference = sequence_logps(self.reward_model.reference_logps(**texts), mask)
        return PairOutputs(*rewards, *policy, *reference.chunk(2))

    def _objective_now(self) -> Objective:
        """Return the objective of this step: where the losses take turns, one of the two."""
        if not self.settings.alternate:
            return self.objective
        on_policy = (self.state.global_step // self.settings.alternate) % 2 == 1
        return self.objective._replace(reward_weight=0.0) if on_policy else self.objective._replace(alpha=0.0)

    def _training_metrics(self, stacked: Tensor) -> dict[str, float]:
        """Return the metrics of the pairs since the last log; the loss itself the Trainer knows.

        Args:
            stacked: As `PairOutputs.stack`. Where the losses take turns, some rows have no log-probabilities.
        """
        found: dict[str, float] = {}
        with_logps = ~stacked[:, 2].isnan()
        if with_logps.any():
            found |= pair_metrics(PairOutputs.unstack(stacked[with_logps]), self.objective)
        scores_only = PairOutputs(stacked[:, 0], stacked[:, 1])
        found |= pair_metrics(scores_only, Objective(alpha=0.0))
        return {name: value for name, value in found.items() if name != "loss"}

    def _evaluation_metrics(self, predicted: EvalPrediction) -> dict[str, float]:
        """Return the metrics of all pairs that were evaluated."""
        return pair_metrics(PairOutputs.unstack(torch.as_tensor(predicted.predictions)), self.objective)

    @contextmanager
    def _unused_frozen(self) -> Iterator[None]:
        """Freeze what the objective never uses, so that no process waits for its gradient."""
        unused: list[nn.Parameter] = []
        if not self.objective.alpha:
            body = {
                id(parameter) for parameter in self.reward_model.body.parameters()
            }  # tied heads are the body's
            unused += [one for one in self.reward_model.causal_lm.parameters() if id(one) not in body]
        if not self.objective.reward_weight:
            unused += self.reward_model.reward_head.parameters()
        trained = [parameter for parameter in unused if parameter.requires_grad]
        for parameter in trained:
            parameter.requires_grad_(False)
        try:
            yield
        finally:
            for parameter in trained:
                parameter.requires_grad_(True)


@contextmanager
def _without_bars() -> Iterator[None]:
    """Keep transformers from drawing a bar for each file of a checkpoint over the training's own."""
    shown = logging.is_progress_bar_enabled()
    logging.disable_progress_bar()
    try:
        yield
    finally:
        if shown:
            logging.enable_progress_bar()
