"""Ablation of the hierarchy: a random gate, which separates gating by merit from rewarding aspects less often."""

from __future__ import annotations

import json
from collections.abc import Sequence
from hashlib import sha256

import numpy as np
import torch
from torch import Tensor

from workbench.core.errors import SettingsError
from workbench.rewards.composition import HierarchicalReward, HierarchySettings, Scored
from workbench.rewards.hierarchy import hierarchical_reward
from workbench.rewards.spans import Reward

__all__ = ["RandomGateReward"]


class RandomGateReward(HierarchicalReward):
    """Aspects count for responses drawn at random, whatever their holistic reward.

    A row is paid as `weighted_sum` or as `holistic_only`; the hierarchy is the same two, chosen by merit. Each batch
    of responses draws anew, so that no response always has an open gate; the same batch draws the same, so that a
    training run that was interrupted continues as if it had not been.

    Args:
        holistic: As `HierarchicalReward` takes it.
        aspects: The same.
        settings: The same; its mode and its threshold do not matter.
        rate: Chance that aspects count, such as the rate of the hierarchical gate that it is compared with.
        seed: Of the chance.

    Raises:
        SettingsError: The rate is no chance; or as `HierarchicalReward`.
    """

    def __init__(
        self,
        holistic: Reward,
        aspects: Sequence[Reward],
        settings: HierarchySettings,
        *,
        rate: float,
        seed: int,
        name: str = "random_gate_reward",
    ) -> None:
        if not 0 <= rate <= 1:
            raise SettingsError(f"rate {rate!r}", "a chance from 0 to 1", "correct it")
        super().__init__(holistic, aspects, settings, name=name)
        self.rate, self.seed = rate, seed

    def on_tokens(self, scored: Scored, offsets: Tensor, response_mask: Tensor) -> Tensor:
        """Return the reward of each token; see `HierarchicalReward.on_tokens`."""
        opens = torch.from_numpy(self._dice(scored).random(len(response_mask)) < self.rate).to(offsets.device)
        both = {}
        for mode in ("weighted_sum", "holistic_only"):
            both[mode] = hierarchical_reward(
                self.aspects_on_tokens(scored, offsets, response_mask),
                torch.as_tensor(scored.holistic, dtype=torch.float32, device=offsets.device),
                response_mask,
                threshold=self.settings.threshold,
                holistic_weight=self.settings.holistic_weight,
                mode=mode,
            )
        return torch.where(opens[:, None], both["weighted_sum"], both["holistic_only"])

    def _dice(self, scored: Scored) -> np.random.Generator:
        """Return what a batch is drawn by: made of the seed and of all that is in it."""
        batch = json.dumps([[sample.prompt, sample.response] for sample in scored.samples])
        return np.random.default_rng([self.seed, int.from_bytes(sha256(batch.encode()).digest()[:8])])
