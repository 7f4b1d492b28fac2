"""What HaF-RM's experiment needs on public data: pairs, a backbone, a judge, memory and hours."""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

from workbench.datasets.preference_sources import NAMES
from workbench.datasets.preferences import load_preferences
from workbench.papers.haf_rm.data import WORLD, held_out_part
from workbench.papers.haf_rm.declaration import Declaration
from workbench.papers.haf_rm.policy_declaration import PolicyDeclaration
from workbench.papers.haf_rm.policy_setup import declare_policies
from workbench.papers.haf_rm.setup import data_settings, declare
from workbench.runs.needs import (
    DataNeed,
    DiskNeed,
    Held,
    HoursNeed,
    HubFiles,
    HubSplit,
    MemoryNeed,
    ModelNeed,
    Need,
    Work,
    judge_needs,
)

__all__ = ["needs"]

_FILLED = 0.6
"""About which part of the longest text a text of these data fills."""


def needs(settings: Any) -> tuple[Need, ...]:
    """Return what a run needs. The synthetic world has all that it needs itself.

    Args:
        settings: `Run.settings` of the notebook.

    Raises:
        SettingsError: The settings do not go together.
    """
    declaration = declare(settings)
    rlhf = declare_policies(settings, declaration)
    if settings.data == (WORLD,):
        return ()
    model, asked = declaration.model, data_settings(settings)
    most = max(regime.pairs for regime in declaration.regimes)
    held = Held(
        model,
        tokens=2 * settings.micro_batch * settings.max_tokens,
        trained="lora" if declaration.lora else "all",
        rank=declaration.lora.rank if declaration.lora else 0,
    )
    return (
        *(
            DataNeed(f"data {Path(name).name}", partial(_rows, name, most, asked.held_out), _hub(name))
            for name in asked.names
        ),
        ModelNeed("backbone", model),
        *judge_needs(settings.judge, settings.device),
        DiskNeed((model,)),
        MemoryNeed.of(settings.device, training=(held,), **_beside(rlhf, held)),
        HoursNeed(
            (_work(declaration, settings), *_policy_work(rlhf, declaration, settings)), settings.device
        ),
    )


def _rows(name: str, most: int, asked: float) -> str:
    """Load a data set as the experiment does, and say what there is."""
    part = held_out_part(name, asked)
    train, test = (load_preferences(name, split, held_out=part) for split in ("train", "test"))
    said = f"{len(train):,} pairs to train on, {len(test):,} to test on"
    return said + (f"; the regime of {most:,} takes all" if len(train) < most else "")


def _hub(name: str) -> HubFiles | HubSplit | None:
    source = NAMES.get(name)
    if source is None:
        return None
    return HubFiles(source.hub, tuple(source.files.values())) if source.files else HubSplit(source.hub)


def _beside(rlhf: PolicyDeclaration, held: Held) -> dict[str, tuple[Held, ...]]:
    """Return what RLHF holds: a policy that trains, and its reward model."""
    if not rlhf.seeds:
        return {}
    text = rlhf.ppo.max_prompt_tokens + rlhf.ppo.max_new_tokens
    policy = replace(held, tokens=rlhf.ppo.micro_batch * text)
    return {"RLHF": (policy, replace(held, tokens=rlhf.ppo.batch * text, trained="no"))}


def _policy_work(rlhf: PolicyDeclaration, declaration: Declaration, settings: Any) -> tuple[Work, ...]:
    """Estimate the tokens of RLHF: answers are written, read by reference policy and reward model, and learnt."""
    if not rlhf.seeds:
        return ()
    pools = len(settings.data) + (settings.mixed and len(settings.data) > 1)
    answers = len(rlhf.seeds) * len(rlhf.arms) * pools * settings.rl_steps * rlhf.ppo.batch
    text = _FILLED * (rlhf.ppo.max_prompt_tokens + rlhf.ppo.max_new_tokens)
    return (
        Work(
            "policies",
            declaration.model,
            trained=answers * rlhf.ppo.ppo_epochs * text,
            adapters=settings.lora,
            last_layers=settings.lora_layers,
            read=2 * answers * text,
            written=answers * rlhf.ppo.max_new_tokens,
            rows=rlhf.ppo.batch,
        ),
    )


def _work(declaration: Declaration, settings: Any) -> Work:
    """Estimate the tokens of all trainings, and of scoring what they are tested on."""
    sets = 1 if getattr(settings, "mixed", False) else len(settings.data)
    text = settings.max_tokens * _FILLED
    trained, runs = 0.0, 0
    for regime in declaration.regimes:
        count = len(declaration.arms(regime)) * len(declaration.seeds) * sets
        batch, limit = declaration.training.batch, declaration.training.max_steps
        pairs = limit * batch if limit else declaration.training.epochs * regime.pairs
        trained += count * pairs * 2 * text
        runs += count
    read = runs * len(settings.data) * settings.test_prompts * 2 * text
    written = len(settings.data) * settings.judged_prompts * settings.samples * settings.max_new_tokens
    return Work(
        "trainings",
        declaration.model,
        trained=trained,
        adapters=settings.lora,
        last_layers=settings.lora_layers,
        read=read,
        written=written if settings.judge else 0,
        rows=64,
    )
