"""Aspect rewards beside a task's own: plain functions, such as a notebook's cell defines."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any

from workbench.core.errors import SettingsError
from workbench.papers.alarm.task import Prepared, RewardSource, TaskRewards, sample_values
from workbench.rewards import pairs_within, select_aspects
from workbench.rewards.functions import FunctionReward

__all__ = ["AspectFunctions", "WithAspects", "with_aspects"]

AspectFunctions = Mapping[str, Callable[..., Any]]
"""By the aspect's name, functions such as `f(prompt, response)`; see `FunctionReward`. Arms squash their values by a
sigmoid: from -2 to 2 they tell most. They are called in other processes too: what they need beyond the notebook's own
functions and values, they import."""


@dataclass(frozen=True)
class WithAspects:
    """A task's rewards, and more aspects."""

    source: RewardSource
    aspects: AspectFunctions

    def open(self) -> TaskRewards:
        """Load the task's, and put the others beside them."""
        rewards = self.source.open()
        added = {name: FunctionReward(function, name=name) for name, function in self.aspects.items()}
        return replace(rewards, aspects={**rewards.aspects, **added})


def with_aspects(prepared: Mapping[int, Prepared], aspects: AspectFunctions) -> dict[int, Prepared]:
    """Put more aspects beside a task's own, and select among all of them. Nothing is prepared again.

    Args:
        prepared: By seed.
        aspects: What is added. None: what was prepared is returned as it is.

    Raises:
        SettingsError: A name is taken by another reward or truth; a function's parameters do not say what it is to be
            asked, or it returns what is no value.
    """
    return {seed: _widened(known, aspects) if aspects else known for seed, known in prepared.items()}


def _widened(prepared: Prepared, aspects: AspectFunctions) -> Prepared:
    pool = prepared.pool
    taken = [name for name in aspects if name in pool.scores]
    if taken:
        raise SettingsError(
            got=f"an aspect called {', '.join(taken)}",
            needed=f"a name that is none of {', '.join(pool.scores)}",
            fix="rename it",
        )
    added = {
        name: sample_values(FunctionReward(function, name=name), pool.samples)
        for name, function in aspects.items()
    }
    known = {row.name for row in pool.selection.table}
    own = {name: scores for name, scores in pool.scores.items() if name in known}
    selection = select_aspects({**own, **added}, pool.scores["holistic"], pairs_within(pool.prompts))
    task = replace(prepared.task, rewards=WithAspects(prepared.task.rewards, dict(aspects)))
    widened = replace(pool, scores={**pool.scores, **added}, selection=selection)
    return replace(prepared, task=task, pool=widened)
