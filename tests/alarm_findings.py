"""Outcomes of the ALaRM experiment made by hand: every arm's gain is known."""

from types import SimpleNamespace

import numpy as np

from workbench.papers.alarm.arms import HIERARCHICAL, HOLISTIC_ONLY, WEIGHTED_SUM
from workbench.papers.alarm.declaration import Declaration
from workbench.papers.alarm.results import Findings
from workbench.papers.alarm.task import TaskRewards, measured_pool
from workbench.policies.outcomes import BEFORE, Answers, PolicyOutcome
from workbench.rewards import OracleReward

SEEDS = (0, 1, 2)
GAIN = {BEFORE: 0.0, HOLISTIC_ONLY: 0.1, "aspect_only": 0.05, WEIGHTED_SUM: 0.2, HIERARCHICAL: 0.3}
GAIN |= {"weighted_sum, zero-centred": 0.2, "random gate": 0.15, f"{HIERARCHICAL}, bad": -0.1}


def outcome(arm, seed, weight=1.0):
    """Return an outcome of four prompts that are all worth the same: 0.5 and the arm's gain."""
    worth = np.full(4, 0.5 + GAIN[arm] * weight + 0.01 * seed * GAIN[arm])
    scores = {"oracle": worth, "holistic": worth * 2, "good": worth, "bad": -worth, "upper zone": worth > 0.6}
    scores = {name: np.asarray(values, float) for name, values in scores.items()}
    answers = Answers(tuple(f"{name}{seed}" for name in "pqrs"), ("x.",) * 4, np.full(4, 7), scores)
    log = ({"step": 1, "score_oracle": 0.5, "score_holistic": 1.0, "score_good": 0.1, "kl": 0.2},)
    paid = None if arm in (BEFORE, HOLISTIC_ONLY) else weight
    return PolicyOutcome(
        arm, seed, answers, 2.0, greedy=answers, weight=paid, log=() if arm == BEFORE else log
    )


def make_findings():
    """Return what three seeds of every arm found, with two aspects, a good and a bad one."""
    orders = {"good": 1.0, "bad": -1.0}
    prepared = {}
    for seed in SEEDS:
        aspects = {
            name: OracleReward(lambda prompt, response, sign=sign: sign * float(response), name=name)
            for name, sign in orders.items()
        }
        holistic = OracleReward(lambda prompt, response: float(response), name="holistic")
        truth = {"oracle": OracleReward(lambda prompt, response: float(response), name="oracle")}
        pool = measured_pool(TaskRewards(holistic, aspects, truth), [("p", str(k)) for k in range(5)])
        prepared[seed] = SimpleNamespace(pool=pool)
    outcomes = [outcome(arm, seed) for seed in SEEDS for arm in GAIN]
    outcomes += [outcome(kind, 0, 0.3) for kind in (WEIGHTED_SUM, HIERARCHICAL)]
    return Findings(prepared, outcomes, Declaration(SEEDS, 1, weights=(0.3, 1.0)), ("good",))
