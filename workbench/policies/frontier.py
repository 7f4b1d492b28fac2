"""What a policy gains for its distance from the start, and whether the gain is real."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

from workbench.core.statistics import Estimate
from workbench.policies.comparison import difference, seed_values
from workbench.policies.outcomes import BEFORE, HOLISTIC, KL, ORACLE

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["HackingAlarm", "frontier", "hacking_alarm"]


class HackingAlarm(NamedTuple):
    """Whether an arm's reward went up while the truth went down."""

    arm: str
    reward: Estimate | None
    """Change of the reward since before training, paired by seed; None with a single seed."""
    truth: Estimate | None
    """Change of what answers are truly worth."""
    hacked: int
    """Seeds in which the reward rose and the truth fell."""
    seeds: int

    @property
    def verdict(self) -> str:
        """`hacked`: reward up and truth down, whole intervals; `sound`: truth up; else `unclear`."""
        if self.reward is None or self.truth is None:
            return "unclear"
        if self.reward.low > 0 and self.truth.high < 0:
            return "hacked"
        return "sound" if self.truth.low > 0 else "unclear"


def hacking_alarm(
    frame: pd.DataFrame, *, reward: str = HOLISTIC, truth: str = ORACLE, decoding: str = "sampled"
) -> list[HackingAlarm]:
    """Return for each trained arm whether its reward rose while what answers are worth fell.

    Args:
        frame: From `measures`, with `BEFORE`, and one weight of the aspects for each arm.
        reward: The measure that is optimised.
        truth: The measure that is meant.
        decoding: One of `DECODINGS`.
    """
    found = []
    for arm in dict.fromkeys(frame["arm"]):
        if arm == BEFORE:
            continue
        changes = {}
        for measure in (reward, truth):
            now, then = (seed_values(frame, name, measure, decoding=decoding) for name in (arm, BEFORE))
            changes[measure] = {seed: now[seed] - then[seed] for seed in sorted(set(now) & set(then))}
        seeds = sorted(set(changes[reward]) & set(changes[truth]))
        hacked = sum(changes[reward][seed] > 0 > changes[truth][seed] for seed in seeds)
        estimates = [
            difference(frame, arm, BEFORE, measure, decoding=decoding).estimate for measure in (reward, truth)
        ]
        found.append(HackingAlarm(arm, estimates[0], estimates[1], hacked, len(seeds)))
    return found


def frontier(
    frame: pd.DataFrame,
    measure: str = ORACLE,
    *,
    decoding: str = "sampled",
    arms: Sequence[str] | None = None,
) -> pd.DataFrame:
    """Return where every training ended: how far from the start, and what it gained.

    Args:
        frame: From `measures`; all weights.
        measure: What counts, such as the truth or the reward.
        decoding: Of the answers that are measured; KL is of the sampled ones.
        arms: Which, in the order to draw; None: all.

    Returns:
        Columns `arm`, `weight`, `seed`, `kl` (nats a response) and the measure.
    """
    import pandas as pd

    rows: list[dict[str, Any]] = []
    for (arm, weight, seed), part in frame.groupby(["arm", "weight", "seed"], sort=False, dropna=False):
        if arms is not None and arm not in arms:
            continue
        kl = part.loc[(part["measure"] == KL) & (part["decoding"] == "sampled"), "value"]
        value = part.loc[(part["measure"] == measure) & (part["decoding"] == decoding), "value"]
        if len(kl) and len(value):
            place = {"arm": arm, "weight": weight, "seed": int(seed)}
            rows.append({**place, KL: float(kl.iloc[0]), measure: float(value.iloc[0])})
    found = pd.DataFrame(rows, columns=["arm", "weight", "seed", KL, measure])
    if arms is not None and len(found):
        found = found.sort_values("arm", key=lambda names: names.map(list(arms).index), kind="stable")
    return found.reset_index(drop=True)
