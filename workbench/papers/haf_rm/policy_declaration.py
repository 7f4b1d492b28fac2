"""What RLHF with the experiment's reward models compares, declared before anything is run."""

from __future__ import annotations

from dataclasses import dataclass

from workbench.core.errors import SettingsError
from workbench.training.ppo.settings import PPOSettings

__all__ = ["PolicyDeclaration"]

ALGORITHMS = ("ppo", "grpo")


@dataclass(frozen=True)
class PolicyDeclaration:
    """What policies are trained and compared, said before anything is run.

    Metric: the exact utility of one sampled answer to each held-out prompt, where it is known; else a judge's win
    rate with position swap. Comparison: the second arm less the first, paired by seed and prompt. The arms of a seed
    share the initial policy, the prompts and their order, and the sampling noise.

    Raises:
        SettingsError: One or more values cannot be used; all of them are named.
    """

    arms: tuple[str, str]
    """Reward models that policies train on: the standard arm, and the hybrid that stands for all."""
    seeds: tuple[int, ...]
    """Seeds of the reward models, each of whose arms trains a policy."""
    ppo: PPOSettings
    """How; the seed is the reward model's."""
    algorithm: str = "ppo"
    """One of `ALGORITHMS`; `grpo` is TRL's."""
    group: int = 8
    """Responses to each prompt that GRPO compares with each other."""
    test_prompts: int = 64
    """Held-out prompts of each test set to answer."""

    def __post_init__(self) -> None:
        faults = []
        if self.algorithm not in ALGORITHMS:
            faults.append((f"algorithm {self.algorithm!r}", f"algorithm: one of {', '.join(ALGORITHMS)}"))
        if self.test_prompts < 1:
            faults.append((f"test_prompts {self.test_prompts}", "test_prompts: at least 1"))
        if self.algorithm == "grpo" and (self.group < 2 or self.ppo.batch % self.group):
            faults.append(
                (
                    f"group {self.group} with batch {self.ppo.batch}",
                    "group: at least 2, and a part of the batch",
                )
            )
        if faults:
            raise SettingsError.listing(faults)
