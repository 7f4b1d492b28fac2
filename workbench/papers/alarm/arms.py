"""The arms of the ALaRM experiment: the reward that each trains a policy on, declared before anything is run."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from workbench.core.errors import SettingsError
from workbench.papers.alarm.task import TaskRewards
from workbench.policies.outcomes import BEFORE
from workbench.rewards import (
    HierarchicalReward,
    HierarchySettings,
    RandomGateReward,
    Reward,
    Sample,
    Span,
    mapped,
    sigmoid_shaping,
)

__all__ = [
    "ASPECT_ONLY",
    "BEFORE",
    "CENTRED",
    "CHOSEN",
    "HIERARCHICAL",
    "HOLISTIC_ONLY",
    "KINDS",
    "RANDOM_GATE",
    "WEIGHTED_SUM",
    "Arm",
    "Centred",
    "arm_reward",
]

HOLISTIC_ONLY, ASPECT_ONLY, WEIGHTED_SUM = "holistic_only", "aspect_only", "weighted_sum"
CENTRED, HIERARCHICAL, RANDOM_GATE = "weighted_sum, zero-centred", "hierarchical", "random gate"
KINDS = (HOLISTIC_ONLY, ASPECT_ONLY, WEIGHTED_SUM, CENTRED, HIERARCHICAL, RANDOM_GATE)
"""The paper's four, and two ablations. `CENTRED`: the weighted sum with 0.5 taken off every shaped value, so that one
more sentence is no gain in itself. `RANDOM_GATE`: the hierarchy with a gate that opens at random, as often."""

CHOSEN = "the chosen one"
"""Stands among an arm's aspects for those that selection chooses."""


@dataclass(frozen=True)
class Arm:
    """One way to reward a policy.

    Raises:
        SettingsError: There is no such kind, or it has no aspect and needs one.
    """

    kind: str
    """One of `KINDS`."""
    aspects: tuple[str, ...] = ()
    """Those that pay; none in `HOLISTIC_ONLY`."""
    weight: float = 1.0
    """Of each of them, after shaping."""
    threshold: float = 0.6
    """Of the gate, in standard deviations of the holistic reward."""
    holistic_weight: float = 1.0
    """Of the holistic reward."""
    shaped: bool = True
    """Pass the aspects through a sigmoid, so that reaching the upper zone always pays (paper)."""
    gate_rate: float | None = None
    """Probability that the random gate opens."""

    def __post_init__(self) -> None:
        if self.kind not in KINDS or bool(self.aspects) == (self.kind == HOLISTIC_ONLY):
            raise SettingsError(
                got=f"arm {self.kind!r} with {len(self.aspects)} aspects",
                needed=f"one of {', '.join(KINDS)}; aspects in all but {HOLISTIC_ONLY}",
                fix="correct the arm",
            )


class Centred(Reward):
    """An aspect after sigmoid shaping, less 0.5: the same differences, without a gain for one more sentence.

    Args:
        aspect: As it is, not shaped.
    """

    def __init__(self, aspect: Reward) -> None:
        self.aspect = aspect

    @property
    def name(self) -> str:
        """The aspect's, and that it is centred: the aspect itself is watched beside it."""
        return f"{self.aspect.name}, centred"

    def __call__(self, samples: Sequence[Sample]) -> list[list[Span]]:
        """Return the aspect's spans, shaped and centred."""
        return [mapped(spans, lambda value: sigmoid_shaping(value) - 0.5) for spans in self.aspect(samples)]


def arm_reward(arm: Arm, rewards: TaskRewards, *, seed: int) -> HierarchicalReward:
    """Return the reward of an arm. Unpaid aspects and truths are logged too: their weight is 0.

    So all arms but the hierarchical one are weighted sums: `holistic_only` with every aspect's weight 0,
    `aspect_only` with the holistic reward's.

    Args:
        arm: The arm.
        rewards: Of the task.
        seed: Of the random gate.

    Raises:
        SettingsError: An aspect is none of the task's; the random gate has no rate.
    """
    watched = {**rewards.aspects, **rewards.truths}
    unknown = [name for name in arm.aspects if name not in rewards.aspects]
    if unknown:
        raise SettingsError(
            got=f"aspects {', '.join(unknown)}",
            needed=f"names among {', '.join(rewards.aspects)}",
            fix="correct them",
        )
    paying: list[Reward] = [rewards.aspects[name] for name in arm.aspects]
    if arm.kind == CENTRED:
        paying = [Centred(aspect) for aspect in paying]
    weights = {reward.name: 0.0 for reward in watched.values()} | {
        aspect.name: arm.weight for aspect in paying
    }
    paid = list({reward.name: reward for reward in [*watched.values(), *paying]}.values())
    settings = HierarchySettings(
        threshold=arm.threshold,
        holistic_weight=0.0 if arm.kind == ASPECT_ONLY else arm.holistic_weight,
        mode="hierarchical" if arm.kind == HIERARCHICAL else "weighted_sum",
        shaping=arm.shaped and arm.kind != CENTRED,
        aspect_weights=weights,
    )
    if arm.kind != RANDOM_GATE:
        return HierarchicalReward(rewards.holistic, paid, settings)
    if arm.gate_rate is None:
        raise SettingsError(
            "a random gate without a rate", "gate_rate: that of the hierarchical gate", "give it"
        )
    return RandomGateReward(rewards.holistic, paid, settings, rate=arm.gate_rate, seed=seed)
