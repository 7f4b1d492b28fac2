"""The ALaRM experiment as tables to read: what is compared, hyperparameters, win rates, reward hacking."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from workbench.core.paired import mean_over_seeds
from workbench.core.statistics import Estimate
from workbench.papers.alarm.arms import ASPECT_ONLY, HIERARCHICAL, HOLISTIC_ONLY, RANDOM_GATE
from workbench.papers.alarm.declaration import SWEPT, Declaration
from workbench.papers.alarm.results import Findings, wide_table
from workbench.papers.alarm.task import Prepared
from workbench.policies.comparison import mean_table
from workbench.policies.frontier import HackingAlarm, frontier, hacking_alarm
from workbench.policies.outcomes import BEFORE, HOLISTIC, ORACLE, PolicyOutcome, measures
from workbench.rewards import Selection

if TYPE_CHECKING:
    import pandas as pd

__all__ = [
    "alarm_table",
    "alarms_of",
    "arms_table",
    "consistency_table",
    "facts_table",
    "frontier_table",
    "inconsistency_table",
    "judges",
    "outcome_table",
    "tuning_table",
]


def arms_table(declaration: Declaration) -> pd.DataFrame:
    """Return what is compared: a row for each arm, with weights and threshold."""
    import pandas as pd

    swept = ", ".join(f"{weight:g}" for weight in declaration.weights)
    rows = []
    for name, arm in declaration.main_arms().items():
        gated = {HIERARCHICAL: f"{arm.threshold:g}", RANDOM_GATE: "random, at the same rate"}
        rows.append(
            {
                "arm": name,
                "aspect": ", ".join(arm.aspects) or "none",
                "aspect weight": arm.weight if arm.aspects else 0.0,
                "holistic weight": 0.0 if arm.kind == ASPECT_ONLY else arm.holistic_weight,
                "gate": gated.get(arm.kind, "none"),
                "weights swept": f"{swept} on {declaration.sweep_seeds} seeds"
                if name in SWEPT and declaration.sweep_seeds
                else "",
                "seeds": len(declaration.seeds),
            }
        )
    return pd.DataFrame(rows)


def tuning_table(tuning: Mapping[str, Any]) -> pd.DataFrame:
    """Return all hyperparameters that were tried, in order, the chosen ones marked."""
    import pandas as pd

    chosen = tuning["chosen"]

    def marked(row: Mapping[str, Any]) -> str:
        shared = all(row[name] == chosen[name] for name in ("learning_rate", "kl"))
        if row["arm"] == HOLISTIC_ONLY:
            return "yes" if shared else ""
        return (
            "yes"
            if row["threshold"] == chosen["threshold"] and row["weight"] == chosen["weights"][row["arm"]]
            else ""
        )

    return pd.DataFrame([{**row, "chosen": marked(row)} for row in tuning["rows"]])


def facts_table(prepared: Mapping[int, Prepared]) -> pd.DataFrame:
    """Return what is known of the rewards before a policy is trained: a row for each fact.

    Returns:
        Columns `what` and `mean`, and the first three seeds where seeds have rewards of their own.
    """
    import pandas as pd

    by_seed = {seed: prepared_seed.facts for seed, prepared_seed in prepared.items()}
    first, *others = by_seed.values()
    shown = list(by_seed)[:3] if any(facts != first for facts in others) else []
    rows = []
    for name in first:
        mean = float(np.mean([facts[name] for facts in by_seed.values()]))
        rows.append({"what": name, "mean": mean, **{f"seed {seed}": by_seed[seed][name] for seed in shown}})
    return pd.DataFrame(rows)


def inconsistency_table(prepared: Mapping[int, Prepared], chosen: Sequence[str]) -> pd.DataFrame:
    """Return each aspect's inconsistency with the holistic reward: mean, 95 % interval, and by seed."""
    import pandas as pd

    shares: dict[str, dict[int, float]] = {}
    with_ties: dict[str, list[float]] = {}
    for seed, prepared_seed in prepared.items():
        for row in prepared_seed.pool.selection.table:
            shares.setdefault(row.name, {})[seed] = row.inconsistency
            with_ties.setdefault(row.name, []).append(row.ties_consistent)
    rows: list[dict[str, Any]] = []
    for name, by_seed in shares.items():
        mean = mean_over_seeds(list(by_seed.values()))
        place = {"aspect": name, "chosen": "yes" if name in chosen else "", "inconsistency": mean.value}
        ends = {} if math.isnan(mean.low) else {"low": mean.low, "high": mean.high}
        ends["ties consistent"] = float(np.mean(with_ties[name]))
        rows.append({**place, **ends, **{f"seed {seed}": value for seed, value in list(by_seed.items())[:3]}})
    return pd.DataFrame(rows).sort_values("inconsistency", kind="stable").reset_index(drop=True)


def judges(findings: Findings) -> tuple[str, ...]:
    """Return the scores that compare answers: the holistic reward, and the oracle where there is one."""
    return (HOLISTIC, ORACLE) if findings.has_oracle else (HOLISTIC,)


def frontier_table(findings: Findings, measure: str) -> pd.DataFrame:
    """Return where every training run of the main arms ended; at weight 0 each swept kind is the holistic arm.

    Args:
        findings: Of the experiment.
        measure: What was gained.
    """
    import pandas as pd

    arms = [BEFORE, *findings.declaration.main_arms(findings.chosen)]
    ended = frontier(findings.frame, measure, arms=arms)
    if not findings.declaration.sweep_seeds:
        return ended
    swept = findings.declaration.seeds[: findings.declaration.sweep_seeds]
    parts = []
    for arm, rows in ended.groupby("arm", sort=False):
        if arm not in SWEPT:
            parts.append(rows)
            continue
        at_zero = ended[ended["arm"] == HOLISTIC_ONLY].assign(arm=arm, weight=0.0)
        both = pd.concat([at_zero, rows])
        parts.append(both[both["seed"].isin(swept)])  # a line of means is of the same seeds throughout
    return pd.concat(parts, ignore_index=True)


def alarms_of(findings: Findings) -> list[HackingAlarm]:
    """Return the hacking alarm of each main arm; none where the truth is not known."""
    return hacking_alarm(findings.main_frame) if findings.has_oracle else []


def alarm_table(alarms: Sequence[HackingAlarm]) -> pd.DataFrame:
    """Return alarms as a table."""
    import pandas as pd

    def text(estimate: Estimate | None) -> str:
        return (
            "" if estimate is None else f"{estimate.value:+.3f} [{estimate.low:+.3f}, {estimate.high:+.3f}]"
        )

    return pd.DataFrame(
        [
            {
                "arm": alarm.arm,
                "holistic reward": text(alarm.reward),
                "oracle": text(alarm.truth),
                "seeds with reward up and oracle down": f"{alarm.hacked} of {alarm.seeds}",
                "verdict": alarm.verdict,
            }
            for alarm in alarms
        ]
    )


def outcome_table(outcomes: Sequence[PolicyOutcome]) -> pd.DataFrame:
    """Return the means of each arm by every measure, with 95 % intervals over seeds: a row for each arm."""
    return wide_table(mean_table(measures(outcomes)))


def consistency_table(selections: Mapping[int, Selection]) -> pd.DataFrame:
    """Return each aspect's inconsistency with the holistic reward: by seed, and in the mean.

    Args:
        selections: By seed.
    """
    import pandas as pd

    shares: dict[str, dict[str, float]] = {}
    with_ties: dict[str, list[float]] = {}
    for seed, selection in selections.items():
        for row in selection.table:
            shares.setdefault(row.name, {})[f"seed {seed}"] = row.inconsistency
            with_ties.setdefault(row.name, []).append(row.ties_consistent)
    rows = [
        {
            "aspect": name,
            "inconsistency": float(np.mean(list(by_seed.values()))),
            "ties consistent": float(np.mean(with_ties[name])),
            **by_seed,
        }
        for name, by_seed in shares.items()
    ]
    return pd.DataFrame(rows).sort_values("inconsistency", kind="stable").reset_index(drop=True)
