"""How the tuning chooses: each step by the oracle of sampled answers, on what the steps before it chose."""

from types import SimpleNamespace

import numpy as np
import pytest

from workbench.models.loading import ModelSettings
from workbench.papers.alarm.arms import CENTRED, HIERARCHICAL, HOLISTIC_ONLY, WEIGHTED_SUM
from workbench.papers.alarm.tables import tuning_table
from workbench.papers.alarm.task import SeedTask, TaskRewards, measured_pool
from workbench.policies.outcomes import BEFORE, Answers, PolicyOutcome
from workbench.recipes import alarm_tuning
from workbench.rewards import OracleReward


def worth(arm, ppo):
    """Best at rate 5e-4, price 0.3, threshold 0; at weight 0.3 for the hierarchy, 1 and 0.1 for the sums."""
    best = {WEIGHTED_SUM: 1.0, CENTRED: 0.1, HIERARCHICAL: 0.3}
    value = 0.5 + 0.1 * (ppo.learning_rate == 5e-4) + 0.1 * (ppo.kl.coefficient == 0.3)
    value += 0.05 * (arm.weight == best.get(arm.kind, 1.0))
    return value + 0.05 * (arm.kind == HIERARCHICAL and arm.threshold == 0.0)


@pytest.fixture
def tuned(monkeypatch, tmp_path):
    holistic = OracleReward(lambda prompt, response: float(response), name="holistic")
    aspects = {"far": OracleReward(lambda prompt, response: -float(response), name="far"), "near": holistic}
    pool = measured_pool(TaskRewards(holistic, aspects), [("p", "1"), ("p", "2")])

    def prepare_seeds(settings, seeds, **_):
        model = ModelSettings("nothing")
        task = SeedTask(0, model, None, (), (), SimpleNamespace(open=None), settings.ppo)
        from workbench.papers.alarm.task import Prepared

        return {seed: Prepared(task, pool) for seed in seeds}

    def train_all(training_runs, prepared, **_):
        def outcome(planned):
            value = worth(planned.arm, prepared[planned.seed].task.ppo)
            answers = Answers(("p",), ("a",), np.array([3]), {"oracle": np.array([value])})
            return PolicyOutcome(planned.name, planned.seed, answers, 1.0, greedy=answers, log=({"step": 1},))

        nothing = Answers(("p",), ("a",), np.array([3]), {"oracle": np.array([0.0])})
        return [*map(outcome, training_runs), PolicyOutcome(BEFORE, 0, nothing, 0.0, greedy=nothing)]

    monkeypatch.setattr(alarm_tuning, "prepare_seeds", prepare_seeds)
    monkeypatch.setattr(alarm_tuning, "train_all", train_all)
    return alarm_tuning.tune(alarm_tuning.passages(), (5, 6), tmp_path, workers=1)


def test_each_step_chooses_on_what_was_chosen_before(tuned):
    assert tuned["chosen"] == {
        "learning_rate": 5e-4,
        "kl": 0.3,
        "threshold": 0.0,
        "weights": {WEIGHTED_SUM: 1.0, CENTRED: 0.1, HIERARCHICAL: 0.3},
        "aspects": ["near"],
    }
    assert [row["arm"] for row in tuned["rows"][:4]] == [HOLISTIC_ONLY] * 4
    # every kind gets as many weights; the hierarchy two thresholds besides
    kinds = [row["arm"] for row in tuned["rows"][4:]]
    assert {kind: kinds.count(kind) for kind in kinds} == {HIERARCHICAL: 5, WEIGHTED_SUM: 3, CENTRED: 3}
    assert tuned["rows"][0]["sampled"] == pytest.approx(0.65)  # the start is no part of the mean


def test_the_table_marks_what_was_chosen(tuned):
    table = tuning_table(tuned)
    marked = table[table["chosen"] == "yes"]
    assert len(marked[marked["arm"] == HOLISTIC_ONLY]) == 1
    assert marked[marked["arm"] == WEIGHTED_SUM]["weight"].tolist() == [1.0]
    # tried for its threshold first, then for its weight
    assert set(marked[marked["arm"] == HIERARCHICAL]["weight"]) == {0.3}
