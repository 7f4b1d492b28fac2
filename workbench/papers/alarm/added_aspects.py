"""Aspect rewards beside a task's own: plain functions, such as a notebook's cell defines."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from workbench.core.errors import SettingsError
from workbench.papers.alarm.task import Prepared, RewardSource, TaskRewards, sample_values
from workbench.rewards import Reward, Sample, Span, pairs_within, select_aspects
from workbench.rewards.spans import whole

__all__ = ["AspectFunction", "WithAspects", "with_aspects"]


@dataclass(frozen=True)
class AspectFunction(Reward):
    """An aspect reward made of a function. Arms squash its values by a sigmoid: from -2 to 2 they tell most."""

    function: Callable[[str, str], Any]
    """From prompt and answer to a number for the whole answer; or to spans (`workbench.rewards.Span`), such as one
    for each sentence. The same answer always gets the same. It may be called in other processes: what it needs beyond
    the notebook's own functions and values, it imports."""
    title: str
    """The aspect's name."""

    @property
    def name(self) -> str:
        """What tables and plots call it."""
        return self.title

    def __call__(self, samples: Sequence[Sample]) -> list[list[Span]]:
        """Return the spans of each sample.

        Raises:
            SettingsError: The function raises, or returns neither a finite number nor spans.
        """
        return [self._spans(sample) for sample in samples]

    def _spans(self, sample: Sample) -> list[Span]:
        try:
            value = self.function(sample.prompt, sample.response)
        except Exception as fault:  # a reader's function may raise anything
            raise self._fault(f"raised {type(fault).__name__}: {fault}", sample) from fault
        if isinstance(value, list | tuple) and all(isinstance(one, Span) for one in value):
            return list(value)
        try:
            number = float(value)
        except (TypeError, ValueError):
            number = math.nan
        if not math.isfinite(number):
            raise self._fault(f"returned {value!r}", sample)
        return [whole(sample, number)]

    def _fault(self, what: str, sample: Sample) -> SettingsError:
        return SettingsError(
            got=f"the aspect {self.title!r} {what}, for the answer {sample.response[:60]!r}",
            needed="a finite number for every answer, the empty one too, or a list of spans",
            fix="correct the function; it is called with the prompt and the answer",
        )


@dataclass(frozen=True)
class WithAspects:
    """A task's rewards, and more aspects."""

    source: RewardSource
    aspects: Mapping[str, Callable[[str, str], Any]]
    """By name; see `AspectFunction`."""

    def open(self) -> TaskRewards:
        """Load the task's, and put the others beside them."""
        rewards = self.source.open()
        added = {name: AspectFunction(function, name) for name, function in self.aspects.items()}
        return replace(rewards, aspects={**rewards.aspects, **added})


def with_aspects(
    prepared: Mapping[int, Prepared], aspects: Mapping[str, Callable[[str, str], Any]]
) -> dict[int, Prepared]:
    """Put more aspects beside a task's own, and select among all of them. Nothing is prepared again.

    Args:
        prepared: By seed.
        aspects: By name; see `AspectFunction`. None: what was prepared is returned as it is.

    Raises:
        SettingsError: A name is taken by another reward or truth, or see `AspectFunction`.
    """
    return {seed: _widened(one, aspects) if aspects else one for seed, one in prepared.items()}


def _widened(prepared: Prepared, aspects: Mapping[str, Callable[[str, str], Any]]) -> Prepared:
    pool = prepared.pool
    taken = [name for name in aspects if name in pool.scores]
    if taken:
        raise SettingsError(
            got=f"an aspect called {', '.join(taken)}",
            needed=f"a name that is none of {', '.join(pool.scores)}",
            fix="rename it",
        )
    added = {
        name: sample_values(AspectFunction(function, name), pool.samples)
        for name, function in aspects.items()
    }
    known = {row.name for row in pool.selection.table}
    own = {name: scores for name, scores in pool.scores.items() if name in known}
    selection = select_aspects({**own, **added}, pool.scores["holistic"], pairs_within(pool.prompts))
    task = replace(prepared.task, rewards=WithAspects(prepared.task.rewards, dict(aspects)))
    widened = replace(pool, scores={**pool.scores, **added}, selection=selection)
    return replace(prepared, task=task, pool=widened)
