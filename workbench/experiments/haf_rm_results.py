"""What the HaF-RM experiment found, as tables: accuracies, differences between arms, training curves."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from workbench.evaluation.preference_accuracy import correctness
from workbench.evaluation.preference_comparison import ArmDifference, compare_arms
from workbench.evaluation.preference_scores import BASELINES, PreferenceScores, pair_ids
from workbench.evaluation.statistics import Estimate, paired_t_interval
from workbench.experiments.haf_rm import Outcome
from workbench.experiments.haf_rm_data import ExperimentData, Regime
from workbench.experiments.haf_rm_declaration import STANDARD, Declaration

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["Findings", "over_seeds"]

Floats = NDArray[np.float64]
Place = tuple[Regime, str, str]
"""Regime, arm, and what it was trained on."""


@dataclass(frozen=True)
class Findings:
    """All outcomes of a declaration, with the test pairs that they are judged by."""

    declaration: Declaration
    data: ExperimentData
    outcomes: Sequence[Outcome]
    reference_logps: Floats
    """Of all texts, before training. Shape [texts]."""

    @cached_property
    def scores(self) -> Mapping[Place, Mapping[int, PreferenceScores]]:
        """By regime, arm and training data, then by seed: the scores of all test pairs; a test set is a source."""
        found: dict[Place, dict[int, PreferenceScores]] = {}
        for one in self.outcomes:
            place = (one.regime, one.arm, one.trained_on)
            found.setdefault(place, {})[one.seed] = self._table(one.rewards, one.policy_logps, one.tokens)
        return found

    @cached_property
    def baselines(self) -> PreferenceScores:
        """The scores that cost nothing: they need no outcome but the number of tokens."""
        missing = np.full(len(self.reference_logps), np.nan)
        return self._table(missing, missing, self.outcomes[0].tokens)

    def score_of(self, arm: str) -> str:
        """Return the score that an arm is judged by."""
        arms = {one.name: one.score for one in self.declaration.arms(self.declaration.main)}
        return arms.get(arm, "explicit")

    def accuracies(self, regime: Regime) -> pd.DataFrame:
        """Return the accuracy of each arm on each test set, over seeds.

        Returns:
            Columns `arm`, `trained on`, `test set`, `accuracy`, `low`, `high` (95 %: Student's t over seeds; of the
            baselines, which have no seeds, the bootstrap over prompts), `sd` over seeds, `seeds`, `pairs`.
        """
        import pandas as pd

        return pd.DataFrame([*self._trained_accuracies(regime), *self._baseline_accuracies()])

    def differences(self, regime: Regime) -> list[ArmDifference]:
        """Return each arm less the standard one, on each test set and all, paired by seed.

        Models trained on one data set are compared with each other only; with several, each has rows of its own
        whose source is `trained on -> test set`.
        """
        rows: list[ArmDifference] = []
        for trained_on in self.data.pools:
            arms = {
                arm: seeds for (r, arm, on), seeds in self.scores.items() if r == regime and on == trained_on
            }
            names = {arm: self.score_of(arm) for arm in arms}
            found = compare_arms(arms, against=STANDARD, score=names)
            several = len(self.data.pools) > 1
            rows += [
                one._replace(source=f"{trained_on} -> {one.source}") if several else one for one in found
            ]
        return rows

    def pooled_difference(
        self, first: str, second: str, regime: Regime, *, inside: bool
    ) -> tuple[Estimate | None, int, int]:
        """Return one arm's accuracy less another's, averaged over test sets, with a t interval over seeds.

        Args:
            first: An arm.
            second: Another.
            regime: What both were trained in.
            inside: Over test sets of the kind trained on; False: over all others.

        Returns:
            The estimate (None without two seeds or such a test set), the seeds, and the pairs of the test sets.
        """
        by_seed: dict[int, list[float]] = {}
        pairs: dict[str, int] = {}
        for trained_on in self.data.pools:
            one, two = (self.scores.get((regime, arm, trained_on), {}) for arm in (first, second))
            for test in self.data.tests:
                if (test == trained_on) is inside:
                    pairs[test] = len(self.data.tests[test])
                    for seed in sorted(set(one) & set(two)):
                        gap = self._accuracy(one[seed], first, test) - self._accuracy(two[seed], second, test)
                        by_seed.setdefault(seed, []).append(gap)
        gaps = [float(np.mean(values)) for _, values in sorted(by_seed.items())]
        return (paired_t_interval(gaps) if len(gaps) > 1 else None), len(gaps), sum(pairs.values())

    def curves(self, regime: Regime) -> pd.DataFrame:
        """Return the training curves, averaged over seeds: columns `arm`, `step`, `quantity`, `value`."""
        import pandas as pd

        rows = [
            {"arm": one.arm, "step": entry["step"], "quantity": name, "value": value}
            for one in self.outcomes
            if one.regime == regime
            for entry in one.log
            for name, value in entry.items()
            if name in CURVES and "step" in entry
        ]
        frame = pd.DataFrame(rows, columns=["arm", "step", "quantity", "value"])
        return frame.groupby(["arm", "step", "quantity"], sort=False, as_index=False)["value"].mean()

    def _table(self, rewards: Floats, policy_logps: Floats, tokens: NDArray[np.int64]) -> PreferenceScores:
        """Set the texts' scores pair by pair."""
        places, ids, sources, characters = self._pairs
        return PreferenceScores(
            ids=ids,
            sources=sources,
            subsets=np.full(len(ids), ""),
            rewards=rewards[places],
            policy_logps=policy_logps[places],
            reference_logps=self.reference_logps[places],
            tokens=tokens[places],
            reference_tokens=tokens[places],
            characters=characters,
            truncated=np.zeros(places.shape, dtype=bool),
            beta=self.declaration.training.beta,
        )

    @cached_property
    def numbers(self) -> dict[tuple[str, str], int]:
        """The number of each text."""
        return {text: number for number, text in enumerate(self.data.texts)}

    @cached_property
    def _pairs(self) -> tuple[NDArray[np.int64], NDArray[np.str_], NDArray[np.str_], NDArray[np.int64]]:
        """The test pairs' texts (shape [pairs, 2]), ids, test sets and lengths in characters."""
        named = [(name, pair) for name, test in self.data.tests.items() for pair in test]
        sides = [[(pair.prompt, pair.chosen), (pair.prompt, pair.rejected)] for _, pair in named]
        places = np.array([[self.numbers[text] for text in both] for both in sides])
        lengths = np.array([[len(response) for _, response in both] for both in sides])
        ids = np.array(pair_ids([pair for _, pair in named]))
        return places, ids, np.array([name for name, _ in named]), lengths

    def outcomes_of(self, regime: Regime, arm: str) -> list[Outcome]:
        """Return an arm's outcomes in a regime, a seed each for every training data set."""
        return [one for one in self.outcomes if (one.regime, one.arm) == (regime, arm)]

    def text_scores(self, outcome: Outcome) -> Floats:
        """Return what a training makes of every text, of DPO the implicit reward over beta. Shape [texts]."""
        implicit = self.score_of(outcome.arm) == "implicit"
        return outcome.policy_logps - self.reference_logps if implicit else outcome.rewards

    def _accuracy(self, table: PreferenceScores, arm: str, test: str) -> float:
        return float(correctness(table.of_source(test).margin(self.score_of(arm))).mean())

    def _trained_accuracies(self, regime: Regime) -> Iterator[dict[str, Any]]:
        for (r, arm, trained_on), seeds in self.scores.items():
            for test, pairs in self.data.tests.items():
                if r == regime:
                    values = [self._accuracy(table, arm, test) for table in seeds.values()]
                    yield {
                        "arm": arm,
                        "trained on": trained_on,
                        "test set": test,
                        **over_seeds("accuracy", values),
                        "seeds": len(values),
                        "pairs": len(pairs),
                    }

    def _baseline_accuracies(self) -> Iterator[dict[str, Any]]:
        for name in BASELINES:
            for test, pairs in self.data.tests.items():
                right = correctness(self.baselines.of_source(test).margin(name))
                by_prompt: dict[str, list[float]] = {}
                for pair, value in zip(pairs, right, strict=True):
                    by_prompt.setdefault(pair.prompt, []).append(float(value))
                low, high = _clustered_interval(list(by_prompt.values()))
                yield {
                    "arm": name,
                    "trained on": "nothing",
                    "test set": test,
                    "accuracy": float(right.mean()),
                    "low": low,
                    "high": high,
                    "sd": None,
                    "seeds": 0,
                    "pairs": len(pairs),
                }


CURVES = ("loss", "reward_loss", "policy_loss", "accuracy", "implicit_accuracy")


def over_seeds(name: str, values: Sequence[float]) -> dict[str, float | None]:
    """Return the mean over seeds, its 95 % t interval, and their spread; of one seed only the value.

    Args:
        name: The value's column.
        values: One a seed.
    """
    if len(values) < 2:
        return {name: float(values[0]), "low": None, "high": None, "sd": None}
    mean, low, high = paired_t_interval(values)  # the interval of a mean, whatever it is of
    return {name: mean, "low": low, "high": high, "sd": float(np.std(values, ddof=1))}


def _clustered_interval(groups: Sequence[Sequence[float]], resamples: int = 2000) -> tuple[float, float]:
    """Return the bootstrap interval of a mean over values that come in groups: whole groups are drawn."""
    sums = np.array([(sum(group), len(group)) for group in groups], dtype=np.float64)
    drawn = np.random.default_rng(0).integers(len(sums), size=(resamples, len(sums)))
    totals = sums[drawn].sum(axis=1)
    low, high = np.quantile(totals[:, 0] / totals[:, 1], [0.025, 0.975])
    return float(low), float(high)
