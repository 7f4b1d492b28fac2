"""The ALaRM experiment as tables to read: what is compared, what was tuned, who wins, what was hacked."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from workbench.core.statistics import Estimate
from workbench.papers.alarm.arms import ASPECT_ONLY, HIERARCHICAL, HOLISTIC_ONLY, RANDOM_GATE
from workbench.papers.alarm.aspects import ASPECTS
from workbench.papers.alarm.declaration import SWEPT, Declaration
from workbench.papers.alarm.results import Findings, mean_over_seeds, rank_agreement, wide_table
from workbench.papers.alarm.setup import SEEDS_FILE, WORLD, alarm_folder
from workbench.papers.alarm.table import SeedTable, read_table
from workbench.papers.alarm.task import Prepared
from workbench.policies.comparison import difference, mean_table, seed_values
from workbench.policies.frontier import HackingAlarm, frontier, hacking_alarm
from workbench.policies.outcomes import BEFORE, HOLISTIC, ORACLE, PolicyOutcome, measures
from workbench.rewards import Selection

if TYPE_CHECKING:
    import pandas as pd

__all__ = [
    "alarm_table",
    "alarms_of",
    "arms_table",
    "aspects_table",
    "consistency_table",
    "frontier_table",
    "inconsistency_table",
    "judges",
    "kept_table",
    "many_seeds",
    "many_selections",
    "outcome_table",
    "tuning_table",
]


def arms_table(declaration: Declaration) -> pd.DataFrame:
    """Return what is compared: a row for each arm, with weights and threshold."""
    import pandas as pd

    swept = ", ".join(f"{weight:g}" for weight in declaration.weights)
    rows = []
    for name, arm in declaration.main_arms().items():
        gated = {HIERARCHICAL: f"{arm.threshold:g}", RANDOM_GATE: "by chance, at its rate"}
        rows.append(
            {
                "arm": name,
                "aspect": ", ".join(arm.aspects) or "none",
                "its weight": arm.weight if arm.aspects else 0.0,
                "holistic weight": 0.0 if arm.kind == ASPECT_ONLY else arm.holistic_weight,
                "gate": gated.get(arm.kind, "none"),
                "weights swept": f"{swept} on {declaration.sweep_seeds} seeds"
                if name in SWEPT and declaration.sweep_seeds
                else "",
                "seeds": len(declaration.seeds),
            }
        )
    return pd.DataFrame(rows)


def aspects_table() -> pd.DataFrame:
    """Return what our world's aspects look at, and how each is earned without a good answer."""
    import pandas as pd

    return pd.DataFrame(
        [
            {
                "aspect": name,
                "a value for": "each sentence" if rule.each_sentence else "the answer",
                "looks": rule.looks,
                "gamed": rule.gamed,
            }
            for name, rule in ASPECTS.items()
        ]
    )


def tuning_table(tuning: Mapping[str, Any]) -> pd.DataFrame:
    """Return every setting that was tried, in order, the chosen ones marked."""
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


def inconsistency_table(prepared: Mapping[int, Prepared], chosen: Sequence[str]) -> pd.DataFrame:
    """Return each aspect's inconsistency with the holistic reward: mean, 95 % interval, and by seed."""
    import pandas as pd

    shares: dict[str, dict[int, float]] = {}
    for seed, one in prepared.items():
        for row in one.pool.selection.table:
            shares.setdefault(row.name, {})[seed] = row.inconsistency
    rows: list[dict[str, Any]] = []
    for name, by_seed in shares.items():
        found = mean_over_seeds(list(by_seed.values()))
        place = {"aspect": name, "chosen": "yes" if name in chosen else "", "inconsistency": found.value}
        ends = {} if math.isnan(found.low) else {"low": found.low, "high": found.high}
        rows.append({**place, **ends, **{f"seed {seed}": value for seed, value in list(by_seed.items())[:3]}})
    return pd.DataFrame(rows).sort_values("inconsistency", kind="stable").reset_index(drop=True)


def judges(findings: Findings) -> tuple[str, ...]:
    """Return the scores that compare answers: the holistic reward, and the oracle where there is one."""
    return (HOLISTIC, ORACLE) if findings.has_oracle else (HOLISTIC,)


def frontier_table(findings: Findings, measure: str) -> pd.DataFrame:
    """Return where every training of the modes ended; at weight 0 each swept kind is the holistic arm.

    Args:
        findings: Of the experiment.
        measure: What was gained.
    """
    import pandas as pd

    arms = [BEFORE, *findings.declaration.main_arms(findings.chosen)]
    found = frontier(findings.frame, measure, arms=arms)
    if not findings.declaration.sweep_seeds:
        return found
    swept = findings.declaration.seeds[: findings.declaration.sweep_seeds]
    parts = []
    for arm, rows in found.groupby("arm", sort=False):
        if arm not in SWEPT:
            parts.append(rows)
            continue
        at_zero = found[found["arm"] == HOLISTIC_ONLY].assign(arm=arm, weight=0.0)
        both = pd.concat([at_zero, rows])
        parts.append(both[both["seed"].isin(swept)])  # a line of means is of the same seeds throughout
    return pd.concat(parts, ignore_index=True)


def alarms_of(findings: Findings) -> list[HackingAlarm]:
    """Return the hacking alarm of each main arm; none where the truth is not known."""
    return hacking_alarm(findings.main_frame) if findings.has_oracle else []


def alarm_table(alarms: Sequence[HackingAlarm]) -> pd.DataFrame:
    """Return alarms as a table."""
    import pandas as pd

    def told(found: Estimate | None) -> str:
        return "" if found is None else f"{found.value:+.3f} [{found.low:+.3f}, {found.high:+.3f}]"

    return pd.DataFrame(
        [
            {
                "arm": one.arm,
                "holistic reward": told(one.reward),
                "oracle": told(one.truth),
                "seeds with reward up and truth down": f"{one.hacked} of {one.seeds}",
                "verdict": one.verdict,
            }
            for one in alarms
        ]
    )


def kept_table(settings: Any) -> SeedTable | None:
    """Return the table of many seeds that is kept for our world; None for other data, or where there is none."""
    file = alarm_folder() / SEEDS_FILE
    return (
        read_table(file) if settings.data == WORLD and settings.tuning == "world" and file.is_file() else None
    )


def many_seeds(table: SeedTable) -> pd.DataFrame:
    """Return, of many seeds, what each arm reaches, and that less what the hierarchy reaches.

    Returns:
        Columns `arm`, `weight`, `oracle`, `less the hierarchy` (95 % interval), `greedy, less the hierarchy`, `kl`,
        `seeds`.
    """
    import pandas as pd

    frame = table.frame
    rows: list[dict[str, Any]] = []
    base = frame[
        (frame["arm"] == HIERARCHICAL) & np.isclose(frame["weight"], _weight_of(table, HIERARCHICAL))
    ]
    for (arm, weight), part in frame.groupby(["arm", "weight"], sort=False, dropna=False):
        both = pd.concat([part.assign(arm="this"), base])
        row: dict[str, Any] = {"arm": arm, "weight": None if np.isnan(weight) else weight}
        values = part[part["decoding"] == "sampled"].groupby("measure")["value"].mean()
        row |= {"oracle": values[ORACLE], "kl": values["kl"], "length": values["length"]}
        for decoding, name in (("sampled", "less the hierarchy"), ("greedy", "greedy, less the hierarchy")):
            found = difference(both, "this", HIERARCHICAL, ORACLE, decoding=decoding).estimate
            told = "" if found is None else f"{found.value:+.3f} [{found.low:+.3f}, {found.high:+.3f}]"
            row[name] = "0" if part.index.equals(base.index) else told
        rows.append({**row, "seeds": part["seed"].nunique()})
    return pd.DataFrame(rows)


def many_selections(table: SeedTable) -> tuple[pd.DataFrame, Estimate]:
    """Return, of many seeds, each aspect's inconsistency beside what training with it led to.

    Returns:
        Columns `aspect`, `chosen`, `inconsistency`, `low`, `high`, `oracle after training`, `seeds`; and the mean
        over seeds of the rank correlation that `rank_agreement` gives, with its interval.
    """
    import pandas as pd

    weight = _weight_of(table, HIERARCHICAL)
    shares = {int(seed): found for seed, found in table.facts["inconsistency"].items()}
    chosen = table.facts["chosen"]
    after = {}
    for aspect in ASPECTS:
        arm = HIERARCHICAL if [aspect] == chosen else f"{HIERARCHICAL}, {aspect}"
        after[aspect] = seed_values(table.frame, arm, ORACLE, weight=weight)
    rows: list[dict[str, Any]] = []
    for aspect, reached in after.items():
        found = mean_over_seeds([one[aspect] for one in shares.values()])
        row: dict[str, Any] = {"aspect": aspect, "chosen": "yes" if aspect in chosen else ""}
        row |= {"inconsistency": found.value, "low": found.low, "high": found.high}
        row |= {"oracle after training": float(np.mean(list(reached.values()))), "seeds": len(reached)}
        rows.append(row)
    common = [seed for seed in shares if all(seed in reached for reached in after.values())]
    agreements = [
        rank_agreement([shares[seed][one] for one in ASPECTS], [after[one][seed] for one in ASPECTS])
        for seed in common
    ]
    frame = pd.DataFrame(rows).sort_values("inconsistency", kind="stable").reset_index(drop=True)
    return frame, mean_over_seeds(agreements)


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
    for seed, selection in selections.items():
        for row in selection.table:
            shares.setdefault(row.name, {})[f"seed {seed}"] = row.inconsistency
    rows = [
        {"aspect": name, "inconsistency": float(np.mean(list(by_seed.values()))), **by_seed}
        for name, by_seed in shares.items()
    ]
    return pd.DataFrame(rows).sort_values("inconsistency", kind="stable").reset_index(drop=True)


def _weight_of(table: SeedTable, arm: str) -> float:
    """Return the weight at which an arm was trained with the most seeds: the one it is compared at."""
    return float(table.facts["weights"][arm])
