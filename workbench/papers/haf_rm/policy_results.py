"""What RLHF with the experiment's reward models found, as tables: utilities, differences, what a judge compares."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from workbench.core.paired import Effect, crossed_effect, long_table, mean_over_seeds, paired_effect
from workbench.papers.haf_rm.data import ExperimentData
from workbench.papers.haf_rm.judged import PickedPair
from workbench.papers.haf_rm.policy_declaration import PolicyDeclaration
from workbench.policies.comparison import by_arm
from workbench.policies.outcomes import BEFORE, HOLISTIC, ORACLE, PolicyOutcome
from workbench.rewards.judge import Comparison

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["Policies", "policy_curves", "policy_differences", "policy_effect", "policy_pairs", "policy_table"]

Policies = Mapping[str, Sequence[PolicyOutcome]]
"""By what the reward models were trained on, the outcomes of all arms and seeds; see `train_policies`."""
CURVES = {"reward": "reward, z-normalised", "kl": "KL, nats per response", "length": "length, tokens"}
CURVES |= {"kl_token": "KL, nats per token"}
"""Logged metrics to draw, and their names in plots."""


def policy_table(trained: Policies, data: ExperimentData) -> pd.DataFrame:
    """Return what policies reach on held-out prompts: a row for each policy and test set.

    Returns:
        Columns `policy` (its reward model's arm), `reward model trained on`, `test set`, `utility` with `low` and
        `high` (95 %, over seeds and prompts; where it is known), `reward` (of its own reward model, z-normalised),
        `KL` (nats per response, over all test sets), `tokens` of an answer, `prompts` and `seeds`.
    """
    import pandas as pd

    rows = []
    for trained_on, outcomes in trained.items():
        for arm, seeds in by_arm(outcomes).items():
            for test, places in _places(next(iter(seeds.values())), data).items():
                row: dict[str, Any] = {"policy": arm, "reward model trained on": trained_on, "test set": test}
                if (utilities := _scores(seeds.values(), ORACLE, places)) is not None:
                    estimate = crossed_effect([utilities]).estimate
                    assert estimate is not None  # there are answers
                    row |= {"utility": estimate.value, "low": estimate.low, "high": estimate.high}
                rewards = _scores(seeds.values(), HOLISTIC, places)
                row |= {
                    "reward": None if rewards is None else float(rewards.mean()),
                    "KL": mean_over_seeds([outcome.kl for outcome in seeds.values()]).value,
                    "tokens": float(np.mean([seed.sampled.tokens[places] for seed in seeds.values()])),
                    "prompts": len(places),
                    "seeds": len(seeds),
                }
                rows.append(row)
    return pd.DataFrame(rows)


def policy_effect(trained: Policies, data: ExperimentData, arm: str, against: str) -> Effect:
    """Return one policy's utility less another's, paired by seed and prompt; all test sets weigh the same."""
    rows = [
        (outcome.arm, outcome.seed, outcome.sampled.prompts[place], ORACLE, value, test)
        for outcomes in trained.values()
        for outcome in outcomes
        if outcome.arm in (arm, against)
        for test, places in _places(outcome, data).items()
        for place, value in zip(places, outcome.sampled.scores[ORACLE][places].tolist(), strict=True)
    ]
    return paired_effect(long_table(rows), arm, against, bounds=(-1.0, 1.0))


def policy_differences(planned: PolicyDeclaration, trained: Policies, data: ExperimentData) -> pd.DataFrame:
    """Return differences of utility over all test sets: columns `policy`, `against`, `difference`, `low`, `high`,
    `prompts` and `seeds`; without rows where no utility is known.
    """
    import pandas as pd

    standard, hybrid = planned.arms
    rows = []
    compared = ((hybrid, standard), (standard, BEFORE), (hybrid, BEFORE)) if data.candidates else ()
    for arm, against in compared:
        effect = policy_effect(trained, data, arm, against)
        if effect.estimate is not None:
            value, low, high = effect.estimate
            row = {"policy": arm, "against": against, "difference": value, "low": low, "high": high}
            rows.append(row | {"prompts": effect.units, "seeds": effect.seeds})
    return pd.DataFrame(rows, columns=["policy", "against", "difference", "low", "high", "prompts", "seeds"])


def policy_curves(trained: Policies) -> pd.DataFrame:
    """Return the training curves, means over seeds: columns `arm`, `step`, `quantity`, `value`."""
    import pandas as pd

    several = len(trained) > 1
    rows = [
        {
            "arm": f"{outcome.arm}, on {trained_on}" if several else outcome.arm,
            "step": entry["step"],
            "quantity": quantity,
            "value": entry[name],
        }
        for trained_on, outcomes in trained.items()
        for outcome in outcomes
        for entry in outcome.log
        for name, quantity in CURVES.items()
        if name in entry and "step" in entry
    ]
    frame = pd.DataFrame(rows, columns=["arm", "step", "quantity", "value"])
    return frame.groupby(["arm", "step", "quantity"], sort=False, as_index=False)["value"].mean()


def policy_pairs(
    planned: PolicyDeclaration, trained: Policies, data: ExperimentData
) -> tuple[PickedPair, ...]:
    """Return the answers that a judge compares: hybrid against standard, and both against the initial policy."""
    standard, hybrid = planned.arms
    pairs: list[PickedPair] = []
    for trained_on, outcomes in trained.items():
        arms = by_arm(outcomes)
        for arm, against in ((hybrid, standard), (standard, BEFORE), (hybrid, BEFORE)):
            for seed, outcome in arms[arm].items():
                rival = arms[against][seed].sampled
                for test, places in _places(outcome, data).items():
                    pairs += [
                        PickedPair(
                            arm, against, trained_on, test, seed,
                            Comparison(rival.prompts[k], outcome.sampled.texts[k].strip(), rival.texts[k].strip()),
                        )
                        for k in places
                    ]  # fmt: skip
    return tuple(pairs)


def _places(outcome: PolicyOutcome, data: ExperimentData) -> dict[str, list[int]]:
    """Return by test set which of a policy's answers are to its prompts."""
    numbers = {prompt: k for k, prompt in enumerate(outcome.sampled.prompts)}
    asked = {test: dict.fromkeys(pair.prompt for pair in pairs) for test, pairs in data.tests.items()}
    found = {
        test: [numbers[prompt] for prompt in prompts if prompt in numbers] for test, prompts in asked.items()
    }
    return {test: places for test, places in found.items() if places}


def _scores(outcomes: Iterator[PolicyOutcome] | Any, name: str, places: Sequence[int]) -> Any:
    """Return a score of some answers, shape [seeds, prompts]; None where they have none."""
    answers = [outcome.sampled for outcome in outcomes]
    if any(name not in answer.scores for answer in answers):
        return None
    return np.array([answer.scores[name][list(places)] for answer in answers])
