"""What both ALaRM experiments end in: every arm of every seed, and what the seeds had before."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np

from workbench.papers.alarm.task import Prepared
from workbench.policies.outcomes import HOLISTIC, ORACLE, PolicyOutcome, measures
from workbench.rewards import Selection

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["Trained"]


@dataclass(frozen=True)
class Trained:
    """All outcomes, and what their seeds had before any policy was trained."""

    prepared: Mapping[int, Prepared]
    """By seed."""
    outcomes: Sequence[PolicyOutcome]

    @cached_property
    def frame(self) -> pd.DataFrame:
        """All outcomes' means; see `measures`."""
        return measures(self.outcomes)

    @property
    def aspects(self) -> tuple[str, ...]:
        """All aspects, in the order of the task."""
        return next(iter(self.prepared.values())).pool.aspects

    @property
    def selections(self) -> dict[int, Selection]:
        """By seed, the aspects by their inconsistency with its holistic reward."""
        return {seed: prepared_seed.pool.selection for seed, prepared_seed in self.prepared.items()}

    @property
    def mean_facts(self) -> dict[str, float]:
        """Means over seeds of what is known of their holistic rewards, such as `HELD_OUT`; empty where unknown."""
        facts = [prepared_seed.facts for prepared_seed in self.prepared.values()]
        return {name: float(np.mean([known[name] for known in facts])) for name in facts[0]}

    @property
    def has_oracle(self) -> bool:
        """Whether the true quality of answers is known."""
        return all(ORACLE in outcome.sampled.scores for outcome in self.outcomes)

    @property
    def judged_by(self) -> str:
        """The measure that counts: the oracle, or the holistic reward where the true quality is not known."""
        return ORACLE if self.has_oracle else HOLISTIC
