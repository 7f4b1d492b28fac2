"""What the ARKS experiment found, as tables: accuracies with intervals, by round, by size, and their differences."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np

from workbench.evaluation.statistics import Estimate, bootstrap_interval, crossed_t_interval, wilson_interval
from workbench.experiments.arks_settings import ACTIVE, NOTHING, STRIPPED, Setting, letters_of

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["Findings"]


@dataclass(frozen=True)
class Findings:
    """The outcomes of all settings.

    An accuracy's interval is for these models: a problem's score is the mean over them (training seeds), and problems
    are drawn by a bootstrap. The interval of a difference, by which claims are decided, covers models and problems.
    """

    rows: pd.DataFrame
    """As `workbench.experiments.arks.rows_of` lays them out."""
    settings: tuple[Setting, ...]
    operations: Mapping[str, int] | None = None
    """For each problem, how many calls its right program makes."""
    seed: int = 0
    """Of the bootstrap."""

    @property
    def models(self) -> int:
        """How many models answered."""
        return int(self.rows["model"].nunique())

    @property
    def problems(self) -> int:
        """How many problems were asked."""
        return int(self.rows["problem"].nunique())

    @cached_property
    def last(self) -> pd.DataFrame:
        """The rows of each setting's last round."""
        rounds = self.rows.groupby("setting")["round"].transform("max")
        return self.rows[self.rows["round"] == rounds]

    def accuracy(self, setting: str) -> Estimate:
        """Return a setting's execution accuracy with its 95 % interval."""
        return self._estimate(self._scores(self.last, setting))

    def difference(self, setting: str, other: str) -> Estimate:
        """Return by how much a setting's accuracy is above another's; see `_gain`."""
        return self._gain(*(self.last[self.last["setting"] == name] for name in (setting, other)))

    def round_gain(self, setting: str, round_number: int) -> Estimate:
        """Return what a round adds to a setting's accuracy over the round before; see `_gain`."""
        rows = self.rows[self.rows["setting"] == setting]
        return self._gain(*(rows[rows["round"] == number] for number in (round_number, round_number - 1)))

    def accuracies(self, families: Sequence[str] = ()) -> pd.DataFrame:
        """Return the accuracy of every setting, or of those of some families, in the declared order.

        Returns:
            Columns setting, accuracy, low, high, lowest and highest (of the models), ran and silent (share of the
            last programs that run, and that run but are wrong), recall (mean over all queries: a problem counts
            once for each round that it was asked in, so the hard ones count more).
        """
        import pandas as pd

        found = []
        for setting in self._among(families):
            rows = self.last[self.last["setting"] == setting.name]
            by_model = rows.groupby("model")["passed"].mean()
            asked = self.rows[(self.rows["setting"] == setting.name) & self.rows["asked"]]
            found.append(
                {
                    "setting": setting.name,
                    **_named("accuracy", self.accuracy(setting.name)),
                    "lowest": by_model.min(),
                    "highest": by_model.max(),
                    "ran": rows["ran"].mean(),
                    "silent": (rows["ran"] & ~rows["passed"]).mean(),
                    "recall": asked["recall"].astype(float).mean(),
                }
            )
        return pd.DataFrame(found)

    def by_round(self, names: Sequence[str]) -> pd.DataFrame:
        """Return settings' accuracy after each round: columns setting, round, accuracy, low, high, silent, asked."""
        import pandas as pd

        found = []
        for name in names:
            rows = self.rows[self.rows["setting"] == name]
            for number, some in rows.groupby("round"):
                found.append(
                    {
                        "setting": name,
                        "round": number,
                        **_named("accuracy", self._estimate(self._scores(some, name))),
                        "silent": (some["ran"] & ~some["passed"]).mean(),
                        "asked": some["asked"].mean(),
                    }
                )
        return pd.DataFrame(found)

    def by_operations(self, names: Sequence[str]) -> pd.DataFrame:
        """Return settings' accuracy by the calls that the right program makes, where that is known.

        Returns:
            Columns setting, operations, accuracy, low, high; no rows where it is not known.
        """
        import pandas as pd

        found = []
        counts = self.last["problem"].map(dict(self.operations or {}))
        for name in names:
            rows = self.last[self.last["setting"] == name]
            for count, some in rows.groupby(counts.loc[rows.index]):
                estimate = self._estimate(self._scores(some, name))
                found.append({"setting": name, "operations": int(count), **_named("accuracy", estimate)})
        return pd.DataFrame(found, columns=["setting", "operations", "accuracy", "low", "high"])

    def sources(self) -> pd.DataFrame:
        """Return the accuracy with each subset of the sources: columns sources, accuracy, low, high."""
        import pandas as pd

        subsets = [(letters_of(s.changes["sources"]), s.name) for s in self.settings if s.family == "sources"]
        named = [("none", NOTHING), *subsets, ("D+F+S", ACTIVE)]
        return pd.DataFrame(
            [{"sources": letters, **_named("accuracy", self.accuracy(name))} for letters, name in named]
        )

    def stripped(self) -> pd.DataFrame:
        """Return settings with whole documents beside the same without the words of the familiar names.

        Returns:
            Columns setting, documents (whole or stripped), accuracy, low, high; no rows without that control.
        """
        import pandas as pd

        found = []
        for one in self.settings:
            if one.family == "stripped":
                whole = one.name.removesuffix(STRIPPED)
                for documents, name in (("whole", whole), ("stripped", one.name)):
                    estimate = _named("accuracy", self.accuracy(name))
                    found.append({"setting": whole, "documents": documents, **estimate})
        return pd.DataFrame(found)

    def endings(self, names: Sequence[str]) -> pd.DataFrame:
        """Return how each setting's last programs end, as shares of the problems.

        Returns:
            Columns setting, ending, share: right, silent (runs, but wrong), or the kind of error.
        """
        import pandas as pd

        found = []
        for name in names:
            rows = self.last[self.last["setting"] == name]
            kinds = [_ending(*row) for row in rows[["passed", "ran", "message"]].itertuples(index=False)]
            shares = pd.Series(kinds).value_counts(normalize=True)
            found += [
                {"setting": name, "ending": kind, "share": share} for kind, share in sorted(shares.items())
            ]
        return pd.DataFrame(found)

    def _gain(self, one: pd.DataFrame, other: pd.DataFrame) -> Estimate:
        """Return the mean difference of two sets of rows, paired by model and problem, with its 95 % interval.

        It covers other models and other problems, see `crossed_t_interval`; of a single model, problems alone.
        """
        tables = [rows.pivot(index="model", columns="problem", values="passed") for rows in (one, other)]
        differences = tables[0].astype(float) - tables[1].loc[tables[0].index, tables[0].columns]
        by_problem = differences.mean(axis=0)
        if by_problem.nunique() == 1:
            return _alike(float(by_problem.iloc[0]), len(by_problem))
        if len(differences) > 1:
            return crossed_t_interval([differences.to_numpy(dtype=float)])
        found = differences.to_numpy(dtype=float)[0]
        return Estimate(float(found.mean()), *bootstrap_interval(found, seed=self.seed))

    def _among(self, families: Sequence[str]) -> list[Setting]:
        return [one for one in self.settings if not families or one.family in families]

    def _scores(self, rows: pd.DataFrame, setting: str) -> pd.Series:
        """Return each problem's mean over the models, by problem in their order."""
        chosen = rows[rows["setting"] == setting]
        return chosen.groupby("problem", sort=False)["passed"].mean()

    def _estimate(self, scores: pd.Series) -> Estimate:
        values = scores.to_numpy(dtype=float)
        share, count = float(values.mean()), len(values)
        alike = np.ptp(values) == 0  # a bootstrap of equal values is empty
        low, high = (
            wilson_interval(share * count, count) if alike else bootstrap_interval(values, seed=self.seed)
        )
        return Estimate(share, low, high)


def _named(name: str, estimate: Estimate) -> dict[str, float]:
    return {name: estimate.value, "low": estimate.low, "high": estimate.high}


def _alike(difference: float, problems: int) -> Estimate:
    """Return the interval of a mean difference of which all problems show the same, so that no spread is seen.

    Wilson's bound tells what share of all problems may be otherwise: on those it may be anything from -1 to 1.
    """
    share = wilson_interval(problems, problems).low
    low, high = share * difference - (1 - share), share * difference + (1 - share)
    return Estimate(difference, max(low, -1.0), min(high, 1.0))


def _ending(passed: bool, ran: bool, message: str) -> str:
    if passed:
        return "right"
    return "silent" if ran else message.strip().rpartition("\n")[2].partition(":")[0]
