"""Fine-tune a policy on answers that people wrote: what RL starts from."""

from __future__ import annotations

import json
import warnings
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import torch

from workbench.core.errors import DataError, RunError, SettingsError
from workbench.models.chat import turn_end_text
from workbench.models.encoding_settings import CUTS
from workbench.models.loading import ModelSettings
from workbench.models.quiet import late_bars
from workbench.models.tokenizing import chat_parts, tokens_of
from workbench.store.atomic import write_json
from workbench.training.session import Session

if TYPE_CHECKING:
    from transformers import PreTrainedTokenizerBase

    from workbench.training.ppo.policy import ValuedPolicy
    from workbench.training.ppo.prompts import EncodedPrompt

__all__ = ["SupervisedSettings", "fine_tune"]

SCHEDULES = ("constant", "linear", "cosine")
DESCRIPTION = "supervised.json"
"""What the folder holds, written last."""


@dataclass(frozen=True)
class SupervisedSettings:
    """How a policy is fine-tuned. The defaults are those of Wu et al. for T5-large on 1,000 examples of QA-Feedback.

    Raises:
        SettingsError: One or more values cannot be used; all of them are named.
    """

    epochs: int = 10
    """Passes over the examples (paper: 10)."""
    batch: int = 32
    """Examples an optimizer step (paper: 32)."""
    micro_batch: int = 4
    """Examples in memory at once."""
    learning_rate: float = 5e-5
    """Of AdamW (paper: 5e-5)."""
    schedule: str = "constant"
    """How the learning rate goes down, as transformers names it."""
    warmup: float = 0.0
    """Part of the steps in which it goes up first."""
    weight_decay: float = 0.0
    """Of AdamW."""
    chat: bool | None = None
    """Use the tokenizer's chat template, which then ends an answer too. None: where it has one."""
    max_prompt_tokens: int = 1024
    """A longer prompt loses its `cut`."""
    cut: str = "beginning"
    """What it loses, inside what it says: its `beginning`, or its `end`; see `PPOSettings.cut`."""
    max_new_tokens: int = 200
    """A longer answer loses its end."""
    seed: int = 0
    """Of the order of the examples."""
    checkpoint_steps: int = 100
    """Steps between checkpoints, from which an interrupted training goes on; 0: none."""

    def __post_init__(self) -> None:
        counts = ("epochs", "batch", "micro_batch", "max_prompt_tokens", "max_new_tokens")
        faults = [
            (f"{name} {getattr(self, name)}", f"{name}: at least 1")
            for name in counts
            if getattr(self, name) < 1
        ]
        if self.checkpoint_steps < 0:
            faults.append((f"checkpoint_steps {self.checkpoint_steps}", "checkpoint_steps: at least 0"))
        for name in ("warmup", "weight_decay"):
            if not 0 <= getattr(self, name) < 1:
                faults.append((f"{name} {getattr(self, name)}", f"{name}: from 0 to below 1"))
        if self.schedule not in SCHEDULES:
            faults.append((f"schedule {self.schedule!r}", f"schedule: one of {', '.join(SCHEDULES)}"))
        if self.cut not in CUTS:
            faults.append((f"cut {self.cut!r}", f"cut: one of {', '.join(CUTS)}"))
        if not self.learning_rate > 0:
            faults.append((f"learning_rate {self.learning_rate}", "learning_rate: above 0"))
        if faults:
            raise SettingsError.listing(faults)


def fine_tune(
    model: ModelSettings,
    tokenizer: PreTrainedTokenizerBase,
    examples: Sequence[tuple[str, str]],
    settings: SupervisedSettings | None = None,
    *,
    folder: str | Path,
) -> Path:
    """Fine-tune all weights of a language model, of either kind, to write given answers; save it and its tokenizer.

    Called again when it is done, it returns at once; after an interruption, it goes on at the last checkpoint.

    Args:
        model: What to start from; not quantised.
        tokenizer: Its tokenizer.
        examples: Prompts and answers.
        settings: How; the paper's if None.
        folder: Where the model goes: it loads as any checkpoint does.

    Raises:
        DataError: There are no examples.
        RunError: The folder holds a model of other settings, or another process trains there.
        SettingsError: An interrupted training there was begun with other settings, model or examples.
    """
    from workbench.training.ppo.policy import ValuedPolicy
    from workbench.training.ppo.prompts import encode_prompts, uses_chat
    from workbench.training.ppo.settings import PPOSettings

    settings, place = settings or SupervisedSettings(), Path(folder)
    if not examples:
        raise DataError("no examples", "at least one prompt with its answer", "see what they are loaded from")
    digest = sha256(json.dumps(list(examples)).encode()).hexdigest()
    budgets = PPOSettings(
        chat=settings.chat,
        max_prompt_tokens=settings.max_prompt_tokens,
        max_new_tokens=settings.max_new_tokens,
        cut=settings.cut,
    )
    chat = uses_chat(budgets, tokenizer)
    usual = SupervisedSettings()
    later = ("schedule", "warmup", "weight_decay", "cut")  # folders of before do not name them
    said = {
        name: value
        for name, value in asdict(settings).items()
        if name not in ("chat", "checkpoint_steps") and not (name in later and value == getattr(usual, name))
    }
    asked = {"model": model.source, "settings": said | ({"chat": True} if chat else {}), "examples": digest}
    if _is_done(place, asked):
        return place
    with Session(place, description=DESCRIPTION) as session:
        session.claim({**asked, "base": model.source}, {"examples": len(examples)})
        torch.manual_seed(settings.seed)
        policy = ValuedPolicy.load(model)
        prompts = encode_prompts([prompt for prompt, _ in examples], tokenizer, policy, budgets)
        answers = _answers(examples, tokenizer, settings.max_new_tokens, chat=chat)
        _learn(policy, prompts, answers, settings, session)
        with late_bars():
            policy.lm.save_pretrained(place)
        tokenizer.save_pretrained(place)
        write_json(place / DESCRIPTION, asked)
        session.finish({"examples": len(examples), "log": session.log()[-1:]})
    return place


def _learn(
    policy: ValuedPolicy,
    prompts: Sequence[EncodedPrompt],
    answers: Sequence[Sequence[int]],
    settings: SupervisedSettings,
    session: Session,
) -> None:
    """Train from the last checkpoint on, by the mean loss of a step's tokens."""
    from transformers import get_scheduler

    from workbench.core.bars import Bar
    from workbench.training.ppo.prompts import collate_prompts
    from workbench.training.ppo.saving import read_checkpoint, write_state

    optimizer = torch.optim.AdamW(
        policy.policy.parameters(), lr=settings.learning_rate, weight_decay=settings.weight_decay
    )
    order = np.random.default_rng(settings.seed)
    steps = [
        rows
        for _ in range(settings.epochs)
        for rows in np.array_split(order.permutation(len(answers)), -(-len(answers) // settings.batch))
    ]
    done, state = read_checkpoint(session.checkpoint(), policy, optimizer)
    if state:
        torch.set_rng_state(state["random"].cpu())  # of dropout
    session.rewind(done)
    schedule = get_scheduler(
        settings.schedule,
        optimizer,
        num_warmup_steps=round(settings.warmup * len(steps)),
        num_training_steps=len(steps),
    )
    with (
        warnings.catch_warnings()
    ):  # the rate is a function of the step alone; torch misses the optimizer's steps
        warnings.simplefilter("ignore", UserWarning)
        for _ in range(done):
            schedule.step()
    for number in Bar(range(done, len(steps)), desc="fine-tuning", unit="step", disable=None):
        rows, loss = steps[number], 0.0
        tokens = sum(len(answers[row]) for row in rows)
        optimizer.zero_grad(set_to_none=True)
        for start in range(0, len(rows), settings.micro_batch):
            few = rows[start : start + settings.micro_batch]
            batch = collate_prompts([prompts[row] for row in few]).to(policy.device)
            ids, mask = _padded([answers[row] for row in few], policy)
            part = -policy(batch, ids, mask).logps.sum() / tokens
            part.backward()
            loss += float(part.detach())
        torch.nn.utils.clip_grad_norm_(policy.policy.parameters(), 1.0)
        optimizer.step()
        schedule.step()
        session.write({"step": number + 1, "loss": loss})
        every = settings.checkpoint_steps
        if every and (number + 1) % every == 0 and number + 1 < len(steps):
            write_state(
                session.place.checkpoints,
                number + 1,
                policy,
                optimizer,
                {"random": torch.get_rng_state()},
                kept=1,
            )


def _is_done(place: Path, asked: Mapping[str, object]) -> bool:
    file = place / DESCRIPTION
    if not file.is_file():
        return False
    if json.loads(file.read_text(encoding="utf-8")) != asked:
        raise RunError(
            got=f"{place} holds a model of other settings or examples",
            needed="a folder of its own for each training",
            fix="name another folder, or remove this one",
        )
    return True


def _answers(
    examples: Sequence[tuple[str, str]], tokenizer: PreTrainedTokenizerBase, longest: int, *, chat: bool
) -> list[list[int]]:
    """Return the tokens of answers, each with its end where it fits: the chat template's, else an end token."""
    from workbench.training.ppo.prompts import told_cut

    end = [] if tokenizer.eos_token_id is None else [tokenizer.eos_token_id]
    if chat:
        parts = chat_parts(examples, tokenizer, None, [] if turn_end_text(tokenizer) else end)
        rows = [part.response for part in parts]
    else:
        rows = [[*row, *end] for row in tokens_of([answer for _, answer in examples], tokenizer)]
    if said := told_cut([max(0, len(row) - longest) for row in rows], "end"):
        warnings.warn(f"{len(rows):,} answers{said}", stacklevel=2)
    return [row[:longest] for row in rows]


def _padded(rows: Sequence[Sequence[int]], policy: ValuedPolicy) -> tuple[torch.Tensor, torch.Tensor]:
    """Return answers as a batch, padded at the right, and its mask."""
    width = max(map(len, rows))
    ids = torch.zeros(len(rows), width, dtype=torch.long)
    mask = torch.zeros(len(rows), width, dtype=torch.bool)
    for number, row in enumerate(rows):
        ids[number, : len(row)] = torch.tensor(row)
        mask[number, : len(row)] = True
    return ids.to(policy.device), mask.to(policy.device)
