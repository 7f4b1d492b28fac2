"""What the ARKS experiment found, as tables: accuracies with intervals, by round, by size, and their differences."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np

from workbench.core.paired import Effect, long_table, paired_effect
from workbench.core.statistics import Estimate, bootstrap_interval, wilson_interval
from workbench.papers.arks.settings import ACTIVE, NOTHING, STRIPPED, Setting, letters_of

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
    """As `workbench.papers.arks.experiment.rows_of` lays them out."""
    settings: tuple[Setting, ...]
    operations: Mapping[str, int] | None = None
    """For each problem, how many calls its right program makes."""
    seed: int = 0
    """Of the bootstrap."""

    @property
    def models(self) -> int:
        """Number of models."""
        return int(self.rows["model"].nunique())

    @property
    def problems(self) -> int:
        """Number of problems."""
        return int(self.rows["problem"].nunique())

    @cached_property
    def last(self) -> pd.DataFrame:
        """The rows of each setting's last round."""
        rounds = self.rows.groupby("setting")["round"].transform("max")
        return self.rows[self.rows["round"] == rounds]

    def accuracy(self, setting: str) -> Estimate:
        """Return a setting's execution accuracy with its 95 % interval."""
        return self._estimate(self._scores(self.last, setting))

    def difference(self, setting: str, other: str) -> Effect:
        """Return by how much a setting's accuracy is above another's, paired by model and problem."""
        return self._gain((setting, self._last(setting)), (other, self._last(other)))

    def round_gain(self, setting: str, number: int) -> Effect:
        """Return what a round adds to a setting's accuracy over the round before, paired likewise."""
        return self._gain((setting, number), (setting, number - 1))

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

    def by_tokens(self, names: Sequence[str]) -> pd.DataFrame:
        """Return settings' accuracy against the tokens that were read and written until each round's end.

        Returns:
            Columns setting, round, tokens (mean a problem, over models), accuracy, low, high.
        """
        import pandas as pd

        found = []
        for name in names:
            rows = self.rows[self.rows["setting"] == name]
            spent = rows.groupby("round")["tokens"].sum().cumsum() / (self.problems * self.models)
            for number, some in rows.groupby("round"):
                estimate = _named("accuracy", self._estimate(self._scores(some, name)))
                found.append({"setting": name, "round": number, "tokens": float(spent[number]), **estimate})
        return pd.DataFrame(found, columns=["setting", "round", "tokens", "accuracy", "low", "high"])

    def by_library(self, names: Sequence[str]) -> pd.DataFrame:
        """Return settings' accuracy on each library or task.

        Returns:
            Columns library, setting, accuracy, low, high, problems.
        """
        import pandas as pd

        found = []
        for (library, name), rows in self.last.groupby(["library", "setting"], sort=False):
            if name in names:
                estimate = _named("accuracy", self._estimate(self._scores(rows, name)))
                place = {"library": library, "setting": name}
                found.append({**place, **estimate, "problems": int(rows["problem"].nunique())})
        return pd.DataFrame(found, columns=["library", "setting", "accuracy", "low", "high", "problems"])

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
        """Return the accuracy with each subset of the sources that was run: columns sources, accuracy, low, high."""
        import pandas as pd

        subsets = [(letters_of(s.changes["sources"]), s.name) for s in self.settings if s.family == "sources"]
        without_web = [subset for subset in subsets if "W" not in subset[0]]
        with_web = [subset for subset in subsets if "W" in subset[0]]
        named = [("none", NOTHING), *without_web, ("D+F+S", ACTIVE), *with_web]  # the two are always run
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
        for setting in self.settings:
            if setting.family == "stripped":
                whole = setting.name.removesuffix(STRIPPED)
                for documents, name in (("whole", whole), ("stripped", setting.name)):
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

    def _gain(self, first: tuple[str, int], second: tuple[str, int]) -> Effect:
        """Return the difference of two settings' rounds. A public model that is the only one is no seed of many."""
        effect = paired_effect(
            self._long(first, second), "first", "second", bounds=(-1.0, 1.0), seed=self.seed
        )
        alone = self.models == 1 and not str(self.rows["model"].iloc[0]).startswith("pocket:")
        return replace(effect, seeds=None) if alone else effect

    def _long(self, *places: tuple[str, int]) -> pd.DataFrame:
        """Return the outcomes of two settings' rounds as a long table of the arms `first` and `second`."""
        rows = []
        for arm, (setting, number) in zip(("first", "second"), places, strict=True):
            chosen = self.rows[(self.rows["setting"] == setting) & (self.rows["round"] == number)]
            cells = chosen[["model", "problem", "passed"]].itertuples(index=False)
            rows += [(arm, model, problem, "passed", float(passed)) for model, problem, passed in cells]
        return long_table(rows)

    def _last(self, setting: str) -> int:
        return int(self.rows.loc[self.rows["setting"] == setting, "round"].max())

    def _among(self, families: Sequence[str]) -> list[Setting]:
        return [setting for setting in self.settings if not families or setting.family in families]

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


def _ending(passed: bool, ran: bool, message: str) -> str:
    if passed:
        return "right"
    return "silent" if ran else message.strip().rpartition("\n")[2].partition(":")[0]
