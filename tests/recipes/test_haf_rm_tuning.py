"""Tuning: every arm alike, the best setting chosen, and what was tried kept."""

import json
from dataclasses import asdict, replace

import numpy as np
import pytest

from workbench.core.errors import DataError
from workbench.datasets.preference_pair import PreferencePair
from workbench.models import ModelSettings
from workbench.papers.haf_rm.data import DataSettings, ExperimentData, Regime
from workbench.papers.haf_rm.declaration import Declaration
from workbench.papers.haf_rm.experiment import Outcome, Untrained
from workbench.papers.haf_rm.tables import tuning_table
from workbench.papers.haf_rm.tuning import read_tuning
from workbench.recipes import haf_rm_tuning
from workbench.recipes.haf_rm_tuning import GRIDS, tune

DECLARED = Declaration(
    ModelSettings("backbone"), alphas=(0.2,), regimes=(Regime(2),), seeds=(1000, 1001), quantized_seeds=1
)
PAIRS = [PreferencePair(f"q{i}", "good", "bad", "in") for i in range(4)]
DATA = ExperimentData({"in": PAIRS}, {"in": PAIRS, "out": PAIRS[:1]})


def right(job):
    """Pretend that training is the better the nearer its settings are to 0.003 and 0.1."""
    settings = job.training
    second = settings.init_std if settings.reward_weight else settings.beta
    miss = (settings.learning_rate != 3e-3) + (second != 0.1)
    return 4 - miss


def pretended(job):
    """Order as many of the four pairs right as `right` says."""
    margins = np.where(np.arange(4) < right(job), 1.0, -1.0)
    scores = np.array([[margin, 0.0] for margin in margins]).ravel()
    rewards = scores if job.training.reward_weight else np.full(8, np.nan)
    return Outcome(job.arm, job.regime, job.trained_on, job.seed, (), rewards, scores, np.full(8, 2))


@pytest.fixture
def found(monkeypatch, tmp_path):
    monkeypatch.setattr(haf_rm_tuning, "prepare_data", lambda settings, model: DATA)
    monkeypatch.setattr(haf_rm_tuning, "untrained", lambda declaration, data: Untrained(np.zeros(8), ()))
    monkeypatch.setattr(haf_rm_tuning, "run_job", pretended)
    return tune(DECLARED, DataSettings(seed=1000), tmp_path, command="make it")


def test_every_arm_is_tried_with_as_many_settings_and_the_best_is_chosen(found):
    arms = ["standard", "hybrid 0.2", "DPO", "hybrid 0.2, NF4 + LoRA"]
    tried = {arm: [row for row in found.rows if row["arm"] == arm] for arm in arms}
    assert {len(rows) for rows in tried.values()} == {6}
    assert found.tried == 24
    assert found.rows[0]["arm"] == "standard"
    assert found.chosen["standard"] == found.chosen["hybrid 0.2"] == {"learning_rate": 3e-3, "init_std": 0.1}
    assert found.chosen["DPO"] == {"learning_rate": 3e-3, "beta": 0.1}
    best = {
        row["accuracy"] for row in tried["standard"] if (row["learning_rate"], row["init_std"]) == (3e-3, 0.1)
    }
    assert best == {1.0}
    assert {row["accuracy"] for row in tried["standard"]} == {0.5, 0.75, 1.0}
    assert len({np.prod([len(values) for values in grid.values()]) for grid in GRIDS.values()}) == 1


@pytest.mark.parametrize(
    ("changes", "arms"),
    [
        ({}, {"standard, mean pooling", "hybrid 0.2, mean pooling"}),
        ({"seeds": (1000, 1002)}, None),
        ({"regimes": (Regime(3),)}, None),
        ({"data": DataSettings(seed=1001)}, None),
    ],
)
def test_what_a_file_holds_of_the_same_tuning_is_not_tuned_again(found, monkeypatch, tmp_path, changes, arms):
    seen = set()

    def watched(job):
        seen.add(job.arm)
        return pretended(job)

    monkeypatch.setattr(haf_rm_tuning, "run_job", watched)
    data = changes.pop("data", DataSettings(seed=1000))
    more = replace(DECLARED, poolings=("last", "mean"), **changes)
    again = tune(more, data, tmp_path / "again", known=found)
    names = [arm.name for arm in [*more.arms(more.main), more.quantized]]
    assert list(dict.fromkeys(row["arm"] for row in again.rows)) == list(again.chosen) == names
    assert seen == (arms or set(names))
    if arms:
        assert [row for row in again.rows if row["arm"] not in arms] == list(found.rows)


def test_an_arm_is_tuned_again_where_its_grid_has_changed(found, monkeypatch, tmp_path):
    monkeypatch.setitem(GRIDS, "implicit", {"learning_rate": (1e-3, 3e-3), "beta": (0.1, 0.3, 2.0)})
    again = tune(DECLARED, DataSettings(seed=1000), tmp_path / "again", known=found)
    assert {row["beta"] for row in again.rows if row["arm"] == "DPO"} == {0.1, 0.3, 2.0}
    assert again.tried == found.tried


def test_what_was_tried_is_kept_and_shown(found, tmp_path):
    (tmp_path / "tuning.json").write_text(json.dumps(asdict(found)))
    again = read_tuning(tmp_path / "tuning.json")
    assert replace(again, data={}) == replace(found, data={})
    table = tuning_table(again)
    row = table[table["arm"] == "standard"].iloc[0]
    assert row["tried"] == "learning_rate, init_std"
    assert row["chosen"] == "0.003, 0.1"
    assert row["0.003, 0.1"] == 1.0


@pytest.mark.parametrize("text", [None, "{", '{"rows": []}'])
def test_a_file_that_is_none_is_refused(tmp_path, text):
    file = tmp_path / "tuning.json"
    if text is not None:
        file.write_text(text)
    with pytest.raises(DataError, match="haf_rm_tuning"):
        read_tuning(file)
