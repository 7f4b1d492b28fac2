"""Train a policy by TRL's GRPO, under the same call as `train_policy`: no value head, answers compared in groups."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import asdict
from hashlib import sha256
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

from transformers import TrainerCallback
from transformers.trainer_callback import PrinterCallback

from workbench.core.errors import SettingsError
from workbench.models.pickles import START_OVER, only_tensors
from workbench.rewards.scoring import reward_values
from workbench.training.callbacks import JsonLog
from workbench.training.checkpoints import mark_complete
from workbench.training.ppo.loop import TrainedPolicy
from workbench.training.ppo.saving import DESCRIPTION, restore_policy, save_policy
from workbench.training.reference import policy_mark
from workbench.training.session import Session

if TYPE_CHECKING:
    from transformers import PreTrainedTokenizerBase

    from workbench.rewards.spans import Reward, Sample
    from workbench.training.ppo.policy import ValuedPolicy
    from workbench.training.ppo.settings import PPOSettings

__all__ = ["check_trl", "train_by_grpo"]

RENAMED = {"completions/mean_length": "length", "kl": "kl_token", "completions/clipped_ratio": "truncated"}
"""What TRL logs, and what a PPO training calls the same."""


def check_trl() -> None:
    """Raise where TRL is not installed.

    Raises:
        SettingsError: It is not.
    """
    if find_spec("trl") is None:
        raise SettingsError(
            got="GRPO without TRL",
            needed="trl, whose trainer it is",
            fix="make bench-setup, or pip install 'trl>=1.0'; or train by ppo, which needs nothing else",
        )


def train_by_grpo(
    policy: ValuedPolicy,
    tokenizer: PreTrainedTokenizerBase,
    prompts: Sequence[Sample],
    reward: Reward,
    settings: PPOSettings,
    *,
    folder: str | Path | None,
    group: int = 8,
) -> TrainedPolicy:
    """Train a policy in place by GRPO. Called again after an interruption, it goes on at the last checkpoint.

    Args:
        policy: What to train. Its value head is not used.
        tokenizer: The policy's.
        prompts: To train on; with their template they must fit the budget.
        reward: What whole responses are worth.
        settings: Budgets, batch, steps, learning rate and seed are taken as PPO takes them; the KL coefficient is
            TRL's beta, on the mean over tokens. What GRPO does not know (passes, clipping, GAE) is TRL's default.
        folder: Where the policy goes, as in `train_policy`; None: nothing is written.
        group: Responses to each prompt, whose advantages are relative to each other.

    Returns:
        The trained policy; in its log `reward`, `kl_token` and `length`.

    Raises:
        SettingsError: TRL is not installed, or the folder was begun with something else.

    Source: Shao et al. 2024, "DeepSeekMath", section 4.1, as TRL's GRPOTrainer has it.
    """
    check_trl()
    with Session(folder, description=DESCRIPTION) as session:
        done = session.claim(_asked(policy, prompts, reward, settings, group), {"prompts": len(prompts)})
        if done is not None:
            restore_policy(policy, session.place.path)
            return TrainedPolicy(policy.eval(), **done, log=_renamed(session.log()), folder=session.folder)
        adapters = _adapters(policy)
        trainer = _trainer(policy, tokenizer, prompts, reward, settings, session=session, group=group)
        checkpoint = session.checkpoint()
        started = time.monotonic()
        where = str(checkpoint) if checkpoint else None
        with only_tensors(str(where), fix=START_OVER):
            trainer.train(resume_from_checkpoint=where)
        _only_adapters(policy, adapters)
        summary: dict[str, Any] = {
            "steps": trainer.state.global_step, "seconds": time.monotonic() - started,
            "evaluation": {}, "speed": {},
        }  # fmt: skip
        if session.folder is not None:
            save_policy(policy, session.folder, tokenizer=tokenizer)
            session.finish(summary)
        log = _renamed(trainer.state.log_history)
        return TrainedPolicy(policy.eval(), **summary, log=log, folder=session.folder)


def _adapters(policy: ValuedPolicy) -> frozenset[str]:
    """Return the names of a policy's adapters."""
    return frozenset(cast(Any, policy.policy).peft_config) if policy.has_adapters else frozenset()


def _only_adapters(policy: ValuedPolicy, names: frozenset[str]) -> None:
    """Take away the adapters that TRL added: a copy of the first ones, as its reference."""
    for name in _adapters(policy) - names:
        cast(Any, policy.policy).delete_adapter(name)


def _trainer(
    policy: ValuedPolicy,
    tokenizer: PreTrainedTokenizerBase,
    prompts: Sequence[Sample],
    reward: Reward,
    settings: PPOSettings,
    *,
    session: Session,
    group: int,
) -> Any:
    """Return TRL's trainer of a policy."""
    from datasets import Dataset
    from trl import GRPOConfig, GRPOTrainer

    def scored(completions: list[str], asked: list[str], **_: Any) -> list[float]:
        return [float(value) for value in reward_values(reward, list(zip(asked, completions, strict=True)))]

    saves = session.kept and settings.checkpoint_steps > 0
    arguments = GRPOConfig(
        output_dir=str(session.place.checkpoints),
        per_device_train_batch_size=settings.micro_batch,
        gradient_accumulation_steps=settings.batch // settings.micro_batch,
        num_generations=group,
        max_completion_length=settings.max_new_tokens,
        max_steps=settings.steps(len(prompts)),
        learning_rate=settings.learning_rate,
        lr_scheduler_type=settings.schedule,
        adam_epsilon=settings.adam_epsilon,
        weight_decay=settings.weight_decay,
        max_grad_norm=settings.max_grad_norm,
        beta=settings.kl.coefficient,
        temperature=settings.temperature,
        bf16=bool(settings.bf16),
        gradient_checkpointing=False,
        use_cpu=policy.device.type == "cpu",
        save_strategy="steps" if saves else "no",
        save_steps=settings.checkpoint_steps or 500,
        save_total_limit=settings.checkpoints_kept,
        logging_steps=1,
        report_to=[],
        disable_tqdm=not settings.progress,
        seed=settings.seed,
    )
    rows = [settings.template.replace("{prompt}", prompt.prompt) for prompt in prompts]
    trainer = GRPOTrainer(
        cast(Any, policy.policy),
        reward_funcs=scored,
        args=arguments,
        train_dataset=Dataset.from_dict({"prompt": rows, "asked": [prompt.prompt for prompt in prompts]}),
        processing_class=tokenizer,
        callbacks=[JsonLog(session), _Whole()] if session.kept else [_Whole()],
    )
    trainer.remove_callback(PrinterCallback)
    return trainer


class _Whole(TrainerCallback):
    """Marks a checkpoint of TRL's when it is whole: a kill in the midst of one cannot spoil the training."""

    def on_save(self, args: Any, state: Any, control: Any, **_: Any) -> None:
        mark_complete(Path(args.output_dir) / f"checkpoint-{state.global_step}")


def _asked(
    policy: ValuedPolicy, prompts: Sequence[Sample], reward: Reward, settings: PPOSettings, group: int
) -> dict[str, Any]:
    """Return all that shapes the weights, as plain values."""
    return {
        "algorithm": "grpo",
        "group": group,
        "settings": settings.describe(),
        "model": asdict(policy.origin)["name"] if policy.origin else None,
        "weights": policy_mark(cast(Any, policy), adapters=True),
        "prompts": sha256("\n".join(prompt.prompt for prompt in prompts).encode()).hexdigest(),
        "reward": reward.name,
    }


def _renamed(log: Sequence[dict[str, Any]]) -> tuple[dict[str, Any], ...]:
    """Return a log of TRL's with PPO's names."""
    return tuple({RENAMED.get(name, name): value for name, value in row.items()} for row in log)
