"""Rewards that cost nothing to train: the yardsticks that a trained one has to beat."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from workbench.core.errors import SettingsError
from workbench.rewards.pair_scores import BASELINES
from workbench.rewards.spans import Reward, Sample, Span, whole

if TYPE_CHECKING:
    from workbench.rewards.scorer import Scorer

__all__ = ["LengthReward", "OracleReward", "free_baselines"]


class LengthReward:
    """The length of a response in characters, or the reverse.

    Args:
        prefer: `longer` or `shorter`.

    Raises:
        SettingsError: Anything else.
    """

    def __init__(self, prefer: str = "longer") -> None:
        if prefer not in ("longer", "shorter"):
            raise SettingsError(f"prefer {prefer!r}", "'longer' or 'shorter'", "correct it")
        self.name = f"{prefer} wins"
        self._sign = 1 if prefer == "longer" else -1

    def __call__(self, samples: Sequence[Sample]) -> list[list[Span]]:
        """Return each response's length, or less it, as a span of the whole response."""
        return [[whole(sample, float(self._sign * len(sample.response)))] for sample in samples]


class OracleReward:
    """The exact utility of a response, where a task knows it.

    Args:
        utility: From prompt and response to a number, the higher the better.
        name: What tables call it.
    """

    def __init__(self, utility: Callable[[str, str], float], *, name: str = "oracle") -> None:
        self.utility, self.name = utility, name

    def __call__(self, samples: Sequence[Sample]) -> list[list[Span]]:
        """Return each response's utility as a span of the whole response."""
        return [[whole(sample, float(self.utility(sample.prompt, sample.response)))] for sample in samples]


def free_baselines(untrained: Scorer | None = None) -> dict[str, Reward]:
    """Return the baselines by their names in `BASELINES`.

    Args:
        untrained: The model before any training on preferences; without it the log-probabilities are left out.
    """
    found: dict[str, Reward] = {}
    if untrained is not None:
        from workbench.rewards.scoring import ModelReward

        total, mean = BASELINES[:2]
        # its own policy's: it has no reference besides itself
        found[total] = ModelReward(untrained, "policy logp, sum", name=total)
        found[mean] = ModelReward(untrained, "policy logp, mean", name=mean)
    lengths = [LengthReward(prefer) for prefer in ("longer", "shorter")]
    return found | {reward.name: reward for reward in lengths}
