"""What the kept tables of many seeds say: as tables to read, and of a run's claims."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np

from workbench.core.paired import Effect, mean_over_seeds
from workbench.core.statistics import Estimate
from workbench.papers.alarm.arms import HIERARCHICAL
from workbench.papers.alarm.declaration import SWEPT
from workbench.papers.alarm.results import Findings, rank_agreement
from workbench.papers.alarm.setup import SEEDS_FILE, WORLD, alarm_folder, declare_pocket, tuned_ppo
from workbench.papers.alarm.table import SeedTable, read_table
from workbench.papers.alarm.task import Task
from workbench.policies.comparison import difference, seed_values
from workbench.policies.outcomes import ORACLE

if TYPE_CHECKING:
    import pandas as pd

    from workbench.papers.alarm.translation import TranslationSettings

__all__ = [
    "kept_agreements",
    "kept_difference",
    "kept_shares",
    "kept_table",
    "many_seeds",
    "many_selections",
    "same_experiment",
    "same_translation",
]


def kept_table(settings: Any) -> SeedTable | None:
    """Return the table of many seeds that is kept for our world; None for other data, or where there is none."""
    file = alarm_folder() / SEEDS_FILE
    return (
        read_table(file) if settings.data == WORLD and settings.tuning == "world" and file.is_file() else None
    )


def same_experiment(table: SeedTable | None, findings: Findings, task: Task) -> SeedTable | None:
    """Return the table if it is of a run's own experiment, with other seeds; else None.

    It is where task, threshold, weights and aspects are the same. How many prompts pairs and tests are drawn from
    may differ: that makes estimates more or less precise, and no other ones.

    Args:
        table: From `kept_table`.
        findings: Of the run.
        task: Of the run.
    """
    from workbench.papers.alarm.passages import PassageTask

    if table is None or not isinstance(task, PassageTask):
        return None
    own, kept = findings.declaration, PassageTask(ppo=tuned_ppo())
    counts = {name: getattr(kept, name) for name in ("pair_prompts", "pool_prompts", "test_prompts")}
    same = (
        replace(task, **counts) == kept,
        own.threshold == declare_pocket((0,), 0).threshold,
        all(np.isclose(own.weight(kind), table.facts["weights"][kind]) for kind in SWEPT),
        list(findings.chosen) == table.facts["chosen"],
        set(findings.aspects) == set(kept_shares(table)),
    )
    return table if all(same) else None


def same_translation(settings: TranslationSettings) -> SeedTable | None:
    """Return the kept table of translation if it is of these settings, with other seeds; else None.

    Args:
        settings: Of the run.
    """
    from workbench.papers.alarm.translation import tuned_settings
    from workbench.papers.alarm.translation_data import TranslationTask, models_folder

    file = models_folder() / SEEDS_FILE
    if not isinstance(settings.task, TranslationTask) or not file.is_file():
        return None
    kept = tuned_settings(seeds=settings.seeds, prompts=settings.prompts)
    counts = {name: getattr(kept.task, name) for name in ("pair_prompts", "pool_prompts", "test_prompts")}
    return read_table(file) if replace(settings, task=replace(settings.task, **counts)) == kept else None


def kept_difference(table: SeedTable, arm: str, other: str) -> Effect:
    """Return one arm's oracle less another's, by sampled answers at the weights that arms are compared at.

    The interval is over seeds; as each has prompts of its own, it covers these too.
    """
    frame = table.frame
    for kind, weight in table.facts.get("weights", {}).items():
        frame = frame[(frame["arm"] != kind) | np.isclose(frame["weight"], weight)]
    return replace(difference(frame, arm, other, ORACLE), covers_units=True)


def kept_shares(table: SeedTable) -> dict[str, list[float]]:
    """Return the inconsistencies of each aspect, one a seed."""
    by_seed = list(table.facts["inconsistency"].values())
    return {aspect: [shares[aspect] for shares in by_seed] for aspect in by_seed[0]}


def kept_agreements(table: SeedTable) -> list[float]:
    """Return for each seed that has every aspect's hierarchy how well inconsistency predicts which trains best."""
    shares, after = table.facts["inconsistency"], _after_training(table)
    common = [seed for seed in shares if all(int(seed) in reached for reached in after.values())]
    return [
        rank_agreement([shares[seed][name] for name in after], [after[name][int(seed)] for name in after])
        for seed in common
    ]


def many_seeds(table: SeedTable) -> pd.DataFrame:
    """Return, of many seeds, the mean of each arm, and its difference from the hierarchy.

    Returns:
        Columns `arm`, `weight`, `oracle`, `kl`, `length`, `difference from hierarchy` (95 % interval),
        `greedy, difference from hierarchy`, `seeds`.
    """
    import pandas as pd

    frame = table.frame
    rows: list[dict[str, Any]] = []
    weight = table.facts["weights"][HIERARCHICAL]
    base = frame[(frame["arm"] == HIERARCHICAL) & np.isclose(frame["weight"], weight)]
    for (arm, weight), part in frame.groupby(["arm", "weight"], sort=False, dropna=False):
        both = pd.concat([part.assign(arm="this"), base])
        row: dict[str, Any] = {"arm": arm, "weight": None if np.isnan(weight) else weight}
        values = part[part["decoding"] == "sampled"].groupby("measure")["value"].mean()
        row |= {"oracle": values[ORACLE], "kl": values["kl"], "length": values["length"]}
        for decoding, name in (
            ("sampled", "difference from hierarchy"),
            ("greedy", "greedy, difference from hierarchy"),
        ):
            gap = difference(both, "this", HIERARCHICAL, ORACLE, decoding=decoding).estimate
            text = "" if gap is None else f"{gap.value:+.3f} [{gap.low:+.3f}, {gap.high:+.3f}]"
            row[name] = "0" if part.index.equals(base.index) else text
        rows.append({**row, "seeds": part["seed"].nunique()})
    return pd.DataFrame(rows)


def many_selections(table: SeedTable) -> tuple[pd.DataFrame, Estimate]:
    """Return, of many seeds, each aspect's inconsistency beside the oracle after training with it.

    Returns:
        Columns `aspect`, `chosen`, `inconsistency`, `low`, `high`, `oracle after training`, `seeds`; and the mean
        over seeds of the rank correlation that `rank_agreement` gives, with its interval.
    """
    import pandas as pd

    rows: list[dict[str, Any]] = []
    shares = kept_shares(table)
    for aspect, reached in _after_training(table).items():
        mean = mean_over_seeds(shares[aspect])
        row: dict[str, Any] = {"aspect": aspect, "chosen": "yes" if aspect in table.facts["chosen"] else ""}
        row |= {"inconsistency": mean.value, "low": mean.low, "high": mean.high}
        row |= {"oracle after training": float(np.mean(list(reached.values()))), "seeds": len(reached)}
        rows.append(row)
    frame = pd.DataFrame(rows).sort_values("inconsistency", kind="stable").reset_index(drop=True)
    return frame, mean_over_seeds(kept_agreements(table))


def _after_training(table: SeedTable) -> dict[str, dict[int, float]]:
    """Return by aspect and seed the oracle after training by the hierarchy with it."""
    weight = float(table.facts["weights"][HIERARCHICAL])
    arms = {
        aspect: HIERARCHICAL if [aspect] == table.facts["chosen"] else f"{HIERARCHICAL}, {aspect}"
        for aspect in kept_shares(table)
    }
    return {aspect: seed_values(table.frame, arm, ORACLE, weight=weight) for aspect, arm in arms.items()}
