"""What the ALaRM experiment found, as tables: selection, arms, curves, frontier."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np

from workbench.core.paired import Effect, mean_over_seeds, paired_effect
from workbench.papers.alarm.arms import HIERARCHICAL
from workbench.papers.alarm.declaration import Declaration
from workbench.papers.alarm.qa import GATE
from workbench.papers.alarm.task import Prepared
from workbench.papers.alarm.trained import Trained
from workbench.policies.comparison import difference, mean_table, seed_values
from workbench.policies.outcomes import (
    BEFORE,
    KL,
    LENGTH,
    ORACLE,
    PolicyOutcome,
    measures,
    scored_answers,
)
from workbench.rewards import inconsistency, pairs_within

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["Findings", "rank_agreement", "wide_table"]

REPEATS = "repeats"


@dataclass(frozen=True)
class Findings(Trained):
    """What was trained, by a declaration and with the aspects that were selected for all seeds."""

    declaration: Declaration
    chosen: tuple[str, ...]
    """The aspects that selection chose."""

    @cached_property
    def main_outcomes(self) -> list[PolicyOutcome]:
        """One outcome of each main arm and seed, at the weight that it is compared at; `BEFORE` comes first."""
        arms = [BEFORE, *self.declaration.main_arms(self.chosen)]
        kept = [outcome for outcome in self.outcomes if outcome.arm in arms and self._at_its_weight(outcome)]
        return sorted(kept, key=lambda outcome: (arms.index(outcome.arm), outcome.seed))

    @cached_property
    def main_frame(self) -> pd.DataFrame:
        """The means of `main_outcomes`."""
        return measures(self.main_outcomes)

    def rewards_table(self) -> pd.DataFrame:
        """Return what each arm reaches by every reward and truth: a row for each arm, `mean ± half an interval`."""
        table = mean_table(self.main_frame)
        shown_elsewhere = {KL, LENGTH, GATE, REPEATS}
        return wide_table(table[~table["measure"].isin(shown_elsewhere)])

    def behaviour_table(self) -> pd.DataFrame:
        """Return how each arm's policy answers: by the measure that counts, sampled and greedily, KL and more."""
        import pandas as pd

        table = mean_table(self.main_frame, [self.judged_by, KL, LENGTH, REPEATS, GATE])
        greedy = mean_table(self.main_frame, [self.judged_by], decoding="greedy")
        greedy["measure"] = f"{self.judged_by}, greedy"
        first = table["measure"] == self.judged_by
        return wide_table(pd.concat([table[first], greedy, table[~first]], ignore_index=True))

    def selection_table(self) -> pd.DataFrame:
        """Return each aspect's inconsistency with the holistic reward, and the result of training with it.

        Returns:
            Columns `aspect`, `chosen`, `inconsistency` with `low` and `high` (95 % t over seeds), `inconsistency
            with the oracle` (where there is one), and what the hierarchy with this aspect reaches.
        """
        import pandas as pd

        rows: list[dict[str, Any]] = []
        for aspect in self.aspects:
            mean = mean_over_seeds([self.inconsistency_of(aspect, seed) for seed in self.prepared])
            row: dict[str, Any] = {"aspect": aspect, "chosen": "yes" if aspect in self.chosen else ""}
            row |= {"inconsistency": mean.value, "low": mean.low, "high": mean.high}
            if self.has_oracle:
                with_truth = [self._with_truth(aspect, seed) for seed in self.prepared.values()]
                row["inconsistency with the oracle"] = float(np.mean(with_truth))
            after = self.after_training(aspect)
            if after:
                row[f"{self.judged_by} after training"] = float(np.mean(list(after.values())))
            rows.append(row)
        return pd.DataFrame(rows).sort_values("inconsistency", kind="stable").reset_index(drop=True)

    def inconsistency_of(self, aspect: str, seed: int) -> float:
        """Return an aspect's inconsistency with the holistic reward in a seed."""
        table = self.prepared[seed].pool.selection.table
        return next(row.inconsistency for row in table if row.name == aspect)

    def after_training(self, aspect: str) -> dict[int, float]:
        """Return, by seed, what the hierarchy with this aspect alone reaches; empty where it was not trained."""
        weight = self.declaration.weight(HIERARCHICAL)
        return seed_values(self.frame, self.arm_with(aspect), self.judged_by, weight=weight)

    def arm_with(self, aspect: str) -> str:
        """Return the name of the hierarchical arm that has this aspect alone."""
        return HIERARCHICAL if (aspect,) == self.chosen else f"{HIERARCHICAL}, {aspect}"

    def aspect_effect(self, aspect: str, other: str) -> Effect:
        """Return what the hierarchy with one aspect reaches, less that with another; by seed and prompt."""
        arms = self.arm_with(aspect), self.arm_with(other)
        weight = self.declaration.weight(HIERARCHICAL)
        trained = [
            outcome
            for outcome in self.outcomes
            if outcome.arm in arms and outcome.weight is not None and np.isclose(outcome.weight, weight)
        ]
        return paired_effect(scored_answers(trained, self.judged_by), *arms)

    def rank_agreements(self) -> list[float]:
        """Return, for each seed, how well inconsistency predicts which aspect trains best; see `rank_agreement`."""
        after = {aspect: self.after_training(aspect) for aspect in self.aspects}
        seeds = [
            seed
            for seed in self.prepared
            if all(seed in reached for reached in after.values())
            and all(np.isfinite(self.inconsistency_of(aspect, seed)) for aspect in self.aspects)
        ]
        return [
            rank_agreement(
                [self.inconsistency_of(aspect, seed) for aspect in self.aspects],
                [after[aspect][seed] for aspect in self.aspects],
            )
            for seed in seeds
        ]

    def difference(
        self, arm: str, other: str, measure: str | None = None, *, decoding: str = "sampled"
    ) -> Effect:
        """Return one main arm less another, paired by seed; by the measure that counts if None."""
        return difference(self.main_frame, arm, other, measure or self.judged_by, decoding=decoding)

    def differences_table(self, against: str) -> pd.DataFrame:
        """Return every main arm less one of them: columns `arm`, `decoding`, `difference`, `low`, `high`, `seeds`."""
        import pandas as pd

        rows = []
        for decoding in ("sampled", "greedy"):
            for arm in dict.fromkeys(outcome.arm for outcome in self.main_outcomes):
                gap = self.difference(arm, against, decoding=decoding)
                if arm != against and gap.estimate is not None:
                    value, low, high = gap.estimate
                    row = {"arm": arm, "decoding": decoding, "difference": value}
                    rows.append({**row, "low": low, "high": high, "seeds": gap.seeds})
        return pd.DataFrame(rows, columns=["arm", "decoding", "difference", "low", "high", "seeds"])

    def quantities(self) -> dict[str, dict[str, str]]:
        """Return what to draw of training, by the name of a picture: names in the log, and what plots call them."""
        oracle = {f"score_{ORACLE}": "oracle"} if self.has_oracle else {}
        chosen = {f"score_{name}": f"{name} (chosen)" for name in self.chosen}
        others = {f"score_{name}": name for name in self.aspects if name not in self.chosen}
        return {
            "rewards": {**oracle, "score_holistic": "holistic reward", **chosen, "kl": "KL, nats"},
            "other-aspects": others,
        }

    def curves(self, quantities: Mapping[str, str]) -> pd.DataFrame:
        """Return the training curves by arm, averaged over seeds: columns `arm`, `step`, `quantity`, `value`.

        Args:
            quantities: Names in the log and what plots call them.
        """
        import pandas as pd

        rows = [
            {"arm": outcome.arm, "step": row["step"], "quantity": quantity, "value": row[name]}
            for outcome in self.main_outcomes
            for row in outcome.log
            for name, quantity in quantities.items()
            if name in row and np.isfinite(row[name])
        ]
        frame = pd.DataFrame(rows, columns=["arm", "step", "quantity", "value"])
        return frame.groupby(["arm", "step", "quantity"], sort=False, as_index=False)["value"].mean()

    def _at_its_weight(self, outcome: PolicyOutcome) -> bool:
        return outcome.weight is None or bool(
            np.isclose(outcome.weight, self.declaration.weight(outcome.arm))
        )

    def _with_truth(self, aspect: str, prepared: Prepared) -> float:
        pool = prepared.pool
        return inconsistency(pool.scores[aspect], pool.scores[ORACLE], pairs_within(pool.prompts))


def rank_agreement(inconsistencies: Sequence[float], outcomes: Sequence[float]) -> float:
    """Return Spearman's correlation of consistency and outcome: 1 where the most consistent aspect trains best.

    Args:
        inconsistencies: Of each aspect.
        outcomes: The result of training with each, the higher the better.

    Returns:
        From -1 to 1; 0 where one of the two does not vary.
    """
    from scipy.stats import rankdata

    ranks = [rankdata(values) for values in (-np.asarray(inconsistencies), np.asarray(outcomes))]
    if any(np.ptp(rank) == 0 for rank in ranks):
        return 0.0
    return float(np.corrcoef(*ranks)[0, 1])


def wide_table(table: pd.DataFrame) -> pd.DataFrame:
    """Return means as text: a row for each arm, a column for each measure.

    Args:
        table: From `mean_table`, one weight for each arm.
    """
    cells = [_text(row.value, row.high - row.value) for row in table.itertuples()]
    wide = table.assign(cell=cells).pivot_table(
        index="arm", columns="measure", values="cell", aggfunc="first", sort=False
    )
    order = list(dict.fromkeys(table["measure"]))
    return wide[order].reset_index().rename_axis(columns=None)


def _text(value: float, half: float) -> str:
    return f"{value:z.3f}" + ("" if np.isnan(half) else f" ± {half:.3f}")
