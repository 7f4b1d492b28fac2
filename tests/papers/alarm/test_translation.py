"""The translation experiment: what it declares, what comes of it, and that nothing finished is done again."""

from __future__ import annotations

import json
from dataclasses import replace

import numpy as np
import pytest
from click.testing import CliRunner

from workbench.core.errors import DataError, SettingsError
from workbench.papers.alarm.arms import HIERARCHICAL, HOLISTIC_ONLY, WEIGHTED_SUM
from workbench.papers.alarm.setup import SEEDS_FILE
from workbench.papers.alarm.table import read_table
from workbench.papers.alarm.translation import (
    ARMS,
    WORST,
    TranslationSettings,
    run_translation,
    spans_of,
    training_runs_of,
    tuned_settings,
)
from workbench.papers.alarm.translation_data import (
    FLAWLESS,
    POCKET_PPO,
    TranslationTask,
    models_folder,
)
from workbench.papers.alarm.world_task import HELD_OUT
from workbench.policies.outcomes import BEFORE, ORACLE
from workbench.recipes import alarm_tuning
from workbench.recipes.alarm_seeds import translation_seeds
from workbench.rewards import select_aspects
from workbench.worlds.translation import assess, utility

TASK = TranslationTask(
    ppo=replace(POCKET_PPO, batch=8, minibatch=8), pairs=16, pair_prompts=30, pool_prompts=20
)
SMALL = TranslationSettings(seeds=2, steps=1, prompts=6, task=TASK)


@pytest.fixture(scope="module")
def ran(tmp_path_factory):
    """One run of two seeds, and its folder."""
    folder = tmp_path_factory.mktemp("translation")
    return folder, run_translation(SMALL, folder=folder, progress=False)


def test_every_arm_of_a_seed_answers_the_same_sentences(ran):
    _, results = ran
    arms = [one.arm for one in results.outcomes if one.seed == 0]
    assert arms == [BEFORE, HOLISTIC_ONLY, WEIGHTED_SUM, HIERARCHICAL, WORST]
    for seed in (0, 1):
        asked = {one.sampled.prompts for one in results.outcomes if one.seed == seed}
        assert len(asked) == 1
    zero, one = (next(o.sampled.prompts for o in results.outcomes if o.seed == seed) for seed in (0, 1))
    assert not set(zero) & set(one)
    for outcome in results.outcomes:
        for answers in (outcome.sampled, outcome.greedy):
            assert answers is not None
            truth = [utility(*both) for both in zip(answers.prompts, answers.texts, strict=True)]
            assert answers.scores[ORACLE] == pytest.approx(truth)
            assert answers.scores[FLAWLESS] == pytest.approx([float(value > 1 - 1e-9) for value in truth])
    before, trained = results.outcomes[:2]
    assert before.kl == pytest.approx(0, abs=1e-4)
    assert before.log == ()
    assert [row["step"] for row in trained.log] == [1]
    assert {"score_grammar", "score_confidence", "score_readability", "score_oracle"} <= set(trained.log[0])


def test_each_seed_selects_by_its_own_holistic_reward(ran):
    _, results = ran
    assert set(results.selections) == {0, 1}
    names = {row.name for row in results.selections[0].table}
    assert names == {"grammar", "confidence", "readability"}
    assert 0 <= results.mean_facts[HELD_OUT] <= 1
    holistic = [next(o for o in results.outcomes if o.seed == s).sampled.scores["holistic"] for s in (0, 1)]
    assert not np.allclose(*holistic)


def test_what_is_finished_is_not_done_again(ran):
    folder, results = ran
    files = {file: file.stat().st_mtime_ns for file in folder.rglob("*.result")}
    assert len(files) == 2 + 2 * 5  # a seed's preparation each, and its arms with the start
    again = run_translation(SMALL, folder=folder, progress=False)
    assert {file: file.stat().st_mtime_ns for file in folder.rglob("*.result")} == files
    assert [one.sampled.texts for one in again.outcomes] == [one.sampled.texts for one in results.outcomes]


def test_cells_give_each_arm_its_aspect_and_weight():
    selection = select_aspects({"a": [1, 2, 3], "b": [1, 3, 2], "c": [3, 2, 1]}, [1, 2, 3], keep=1)
    settings = TranslationSettings(sum_weight=0.3, hierarchy_weight=0.1)
    cells = {cell.name: cell.arm for cell in training_runs_of(settings, selection, 0)}
    assert list(cells) == list(ARMS[1:])
    assert cells[HOLISTIC_ONLY].aspects == ()
    assert (cells[WEIGHTED_SUM].aspects, cells[WEIGHTED_SUM].weight) == (("a",), 0.3)
    assert [(cells[name].aspects, cells[name].weight) for name in (HIERARCHICAL, WORST)] == [
        (("a",), 0.1),
        (("c",), 0.1),
    ]
    assert {(arm.threshold, arm.holistic_weight) for arm in cells.values()} == {(0.5, 3.0)}


def test_spans_of_a_translation_say_where_its_faults_are():
    spanish, text = "dos niñas compran una casa roja .", "two girls buys a red casa ."
    found = spans_of(spanish, text)
    assert [text[one.start : one.end] for one in found["grammar"]] == [text, "girls buys"]
    assert [one.value for one in found["confidence"]] == [5 / 6]
    assert assess(spanish, text).errors == ((4, 14),)


def test_settings_are_refused_all_at_once():
    with pytest.raises(SettingsError, match=r"seeds 0; steps 0; learning_rate -1; sum_weight 0"):
        TranslationSettings(seeds=0, steps=0, learning_rate=-1, sum_weight=0)
    with pytest.raises(SettingsError, match=r"pairs 0; flipped 0.7"):
        TranslationTask(pairs=0, flipped=0.7)


def test_tuning_tries_equally_many_weights_and_its_file_is_read_back(tmp_path, monkeypatch):
    tried = []

    class Tried(alarm_tuning.Tuner):
        def tried(self, arm, *, learning_rate, kl):
            tried.append((arm.kind, arm.weight, learning_rate, kl))
            return {"holistic_only": learning_rate - kl}.get(arm.kind, -abs(arm.weight - 0.3))

    monkeypatch.setattr(alarm_tuning, "Tuner", Tried)
    monkeypatch.setattr(alarm_tuning, "TranslationSettings", lambda: SMALL)
    grid = alarm_tuning.translation()
    monkeypatch.setattr(alarm_tuning, "TUNING_SEEDS", (1000,))
    done = CliRunner().invoke(
        alarm_tuning.main, ["--task", "translation", "--out", str(tmp_path), "--workers", "1"]
    )
    assert done.exit_code == 0, done.output
    assert [one[:2] for one in tried[4:]] == [
        (kind, weight) for kind in (WEIGHTED_SUM, HIERARCHICAL) for weight in grid.weights
    ]
    assert {one[2:] for one in tried[4:]} == {(max(grid.rates), 0.3)}
    monkeypatch.undo()
    settings = tuned_settings(tmp_path / "tuning.json", seeds=3)
    assert (settings.seeds, settings.learning_rate, settings.kl_coefficient) == (3, max(grid.rates), 0.3)
    assert (settings.sum_weight, settings.hierarchy_weight) == (0.3, 0.3)
    assert [file.name for file in tmp_path.iterdir()] == ["tuning.json"]
    with pytest.raises(DataError, match="the file of a tuning"):
        tuned_settings(tmp_path / "none.json")


def test_the_long_table_holds_every_outcome(ran, tmp_path):
    folder, results = ran
    file = tmp_path / "seeds.json"
    table = translation_seeds(SMALL, folder, file, workers=1, command="made by hand")
    assert (table.command, table.facts["seeds"]) == ("made by hand", 2)
    frame = read_table(file).frame
    assert set(frame["arm"]) == {one.arm for one in results.outcomes}
    row = frame[(frame.arm == BEFORE) & (frame.seed == 1) & (frame.decoding == "greedy")]
    before = next(one for one in results.outcomes if (one.arm, one.seed) == (BEFORE, 1))
    assert before.greedy is not None
    assert float(row[row.measure == ORACLE].value.iloc[0]) == pytest.approx(
        before.greedy.scores[ORACLE].mean(), abs=1e-4
    )
    assert set(table.facts["inconsistency"]["0"]) == {"grammar", "confidence", "readability"}


def test_the_kept_tuning_is_of_seeds_that_are_not_reported():
    kept = json.loads((models_folder() / "tuning.json").read_text())
    assert set(kept["seeds"]).isdisjoint(range(100))
    assert tuned_settings().learning_rate == kept["chosen"]["learning_rate"]
    grid = alarm_tuning.translation()
    tried = [(row["learning_rate"], row["kl"]) for row in kept["rows"] if row["arm"] == HOLISTIC_ONLY]
    assert sorted(tried) == [(rate, kl) for rate in grid.rates for kl in grid.kl_coefficients]


def test_the_kept_table_is_of_whole_seeds():
    table = read_table(models_folder() / SEEDS_FILE)
    assert table.command.endswith(f"alarm_seeds --task translation --seeds {table.facts['seeds']}")
    whole = {(arm, seed) for arm in ARMS for seed in range(table.facts["seeds"])}
    assert set(zip(table.frame["arm"], table.frame["seed"], strict=True)) == whole


def test_a_tunings_file_of_before_says_kl_price(tmp_path):
    (tmp_path / "tuning.json").write_text(
        '{"command": "", "seeds": [1], "rows": [], "chosen": {"learning_rate": 2e-4, "kl_price": 0.7}}'
    )
    assert tuned_settings(tmp_path / "tuning.json").kl_coefficient == 0.7
