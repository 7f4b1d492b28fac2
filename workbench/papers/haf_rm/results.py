"""What the HaF-RM experiment found, as tables: accuracies, differences between arms, training curves."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from workbench.core.paired import Effect, long_table, paired_effect
from workbench.core.statistics import (
    clustered_wilson,
    paired_t_interval,
)
from workbench.papers.haf_rm.data import ExperimentData, Regime
from workbench.papers.haf_rm.declaration import Declaration
from workbench.papers.haf_rm.experiment import Outcome
from workbench.preferences.accuracy import correctness
from workbench.preferences.comparison import ArmDifference, compare_arms
from workbench.rewards.pair_scores import BASELINES, PreferenceScores, pair_ids

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["Findings"]

Floats = NDArray[np.float64]
Place = tuple[Regime, str, str]
"""Regime, arm, and what it was trained on."""
CURVES = {
    "explicit": {"reward_loss": "reward loss", "accuracy": "accuracy", "policy_loss": "policy loss"},
    "implicit": {"implicit_accuracy": "accuracy", "policy_loss": "policy loss"},
}
"""Logged metrics to draw, and their names in plots, by the score that an arm is evaluated by."""


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
        scores: dict[Place, dict[int, PreferenceScores]] = {}
        for outcome in self.outcomes:
            by_seed = scores.setdefault((outcome.regime, outcome.arm, outcome.trained_on), {})
            by_seed[outcome.seed] = self._table(outcome.rewards, outcome.policy_logps, outcome.tokens)
        return scores

    @cached_property
    def baselines(self) -> PreferenceScores:
        """The scores of the baselines without training: they need no outcome but the number of tokens."""
        missing = np.full(len(self.reference_logps), np.nan)
        return self._table(missing, missing, self.outcomes[0].tokens)

    def score_of(self, arm: str) -> str:
        """Return the score that an arm is evaluated by."""
        arms = {arm.name: arm.score for arm in self.declaration.arms(self.declaration.main)}
        return arms.get(arm, "explicit")

    def accuracies(self, regime: Regime) -> pd.DataFrame:
        """Return the accuracy of each arm on each test set, over seeds.

        Returns:
            Columns `arm`, `trained on`, `test set`, `accuracy`, `low`, `high` (95 %: Student's t over seeds; of a
            single seed, and of the baselines that have none, Wilson's, by prompts), `sd` over seeds, `pairs`,
            `seeds`.
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
            compared = compare_arms(arms, against=self.declaration.standard, score=names)
            several = len(self.data.pools) > 1
            rows += [
                row._replace(source=f"{trained_on} -> {row.source}") if several else row for row in compared
            ]
        return rows

    def pooled_difference(self, first: str, second: str, regime: Regime, *, inside: bool) -> Effect:
        """Return one arm's accuracy less another's, averaged over test sets, by an interval over seeds and prompts.

        Args:
            first: An arm.
            second: Another.
            regime: What both were trained in.
            inside: Over test sets of the kind trained on; False: over all others.
        """
        rows: list[tuple[object, ...]] = []
        for arm in (first, second):
            for test, pairs in self.data.tests.items():
                trained = [on for on in self.data.pools if self.data.inside(on, test) is inside]
                scores = [self.scores.get((regime, arm, on), {}) for on in trained]
                for seed in sorted(set.intersection(*map(set, scores))) if scores else ():
                    # models of several training sets meet the same prompts: these are one set of prompts
                    right = np.mean([self._correct(by_seed[seed], arm, test) for by_seed in scores], axis=0)
                    rows += [
                        (arm, seed, pair.prompt, "accuracy", float(value), test)
                        for pair, value in zip(pairs, right, strict=True)
                    ]
        return paired_effect(long_table(rows), first, second, bounds=(-1.0, 1.0))

    def curves(self, regime: Regime) -> pd.DataFrame:
        """Return the training curves, averaged over seeds: columns `arm`, `step`, `quantity`, `value`.

        Quantities are `reward loss`, `accuracy` and `policy loss`; accuracy is by the score that an arm is judged
        by, and an arm that does not train its head has no reward loss.
        """
        import pandas as pd

        rows = [
            {"arm": outcome.arm, "step": entry["step"], "quantity": quantity, "value": entry[name]}
            for outcome in self.outcomes
            if outcome.regime == regime
            for entry in outcome.log
            for name, quantity in CURVES[self.score_of(outcome.arm)].items()
            if name in entry and "step" in entry
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
        return [outcome for outcome in self.outcomes if (outcome.regime, outcome.arm) == (regime, arm)]

    def text_scores(self, outcome: Outcome) -> Floats:
        """Return what a training makes of every text, of DPO the implicit reward over beta. Shape [texts]."""
        implicit = self.score_of(outcome.arm) == "implicit"
        return outcome.policy_logps - self.reference_logps if implicit else outcome.rewards

    def _correct(self, table: PreferenceScores, arm: str, test: str) -> Floats:
        """Return of each pair of a test set whether its order is right, a tie one half. Shape [pairs]."""
        return correctness(table.of_source(test).margin(self.score_of(arm)))

    def _trained_accuracies(self, regime: Regime) -> Iterator[dict[str, Any]]:
        for (r, arm, trained_on), seeds in self.scores.items():
            if r == regime:
                for test in self.data.tests:
                    tables = [table.of_source(test) for table in seeds.values()]
                    rights = [correctness(table.margin(self.score_of(arm))) for table in tables]
                    where = {"arm": arm, "trained on": trained_on, "test set": test}
                    yield where | self._spread(test, rights) | {"seeds": len(rights)}

    def _baseline_accuracies(self) -> Iterator[dict[str, Any]]:
        for name in BASELINES:
            for test in self.data.tests:
                rights = [correctness(self.baselines.of_source(test).margin(name))]
                where = {"arm": name, "trained on": "nothing", "test set": test}
                yield where | self._spread(test, rights) | {"seeds": 0}

    def _spread(self, test: str, rights: Sequence[Floats]) -> dict[str, float | int | None]:
        """Return an accuracy with its interval. Takes for each seed what is right, of shape [pairs]."""
        means = [float(right.mean()) for right in rights]
        if len(means) > 1:
            accuracy, low, high = paired_t_interval(means)  # the interval of a mean, whatever it is of
            spread = float(np.std(means, ddof=1))
        else:
            accuracy, spread = means[0], None
            low, high = clustered_wilson(rights[0], [pair.prompt for pair in self.data.tests[test]])
        row: dict[str, float | int | None] = {"accuracy": accuracy, "low": low, "high": high, "sd": spread}
        return row | {"pairs": len(rights[0])}
