"""Folders of scores as arms and seeds."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from preference_scored import make_scores

from workbench.core.errors import DataError, SettingsError
from workbench.preferences.runs import arms_of, matrix_labels, read_runs, scores_of


def scored(folder: Path, name: str, **results: object) -> str:
    make_scores([1.0, -1.0]).save(folder / name / "scores.jsonl")
    if results:
        (folder / name / "results.json").write_text(json.dumps(results))
    return str(folder / name)


def test_a_folder_names_its_arm_and_its_seed(tmp_path: Path) -> None:
    words = [
        scored(tmp_path, name)
        for name in ("hybrid-seed1", "hybrid-seed12-scored", "standard_seed_1", "seedless")
    ]
    runs = read_runs(words)
    assert [(run.arm, run.seed) for run in runs] == [
        ("hybrid", 1),
        ("hybrid", 12),
        ("standard", 1),
        ("seedless", None),
    ]
    assert len(runs[0].table) == 2


def test_a_name_before_the_folder_counts(tmp_path: Path) -> None:
    (run,) = read_runs([f"mine={scored(tmp_path, 'a-seed3')}"])
    assert (run.arm, run.seed, run.trained_on) == ("mine", 3, "mine")


def test_results_tell_the_seed_and_the_data(tmp_path: Path) -> None:
    (run,) = read_runs([scored(tmp_path, "a", seed=5, trained_on=["hh-harmless", "hh-helpful"])])
    assert (run.arm, run.seed, run.trained_on) == ("a", 5, "hh-harmless, hh-helpful")


def test_seeds_pair_arms_where_they_are_known(tmp_path: Path) -> None:
    words = [f"{arm}={scored(tmp_path, f'{arm}-{k}', seed=k)}" for arm in ("x", "y") for k in (4, 7)]
    assert {arm: list(tables) for arm, tables in arms_of(read_runs(words)).items()} == {
        "x": [4, 7],
        "y": [4, 7],
    }


def test_else_their_order_does(tmp_path: Path) -> None:
    words = [f"{arm}={scored(tmp_path, f'{arm}{k}')}" for arm in ("x", "y") for k in "ab"]
    assert {arm: list(tables) for arm, tables in arms_of(read_runs(words)).items()} == {
        "x": [0, 1],
        "y": [0, 1],
    }


def test_single_runs_are_compared_whatever_their_seeds(tmp_path: Path) -> None:
    arms = arms_of(read_runs([scored(tmp_path, "x-seed1"), scored(tmp_path, "y-seed2")]))
    assert {arm: list(tables) for arm, tables in arms.items()} == {"x": [0], "y": [0]}


def test_the_same_seed_twice_is_refused(tmp_path: Path) -> None:
    words = [f"x={scored(tmp_path, 'a-seed1')}", f"x={scored(tmp_path, 'b-seed1')}"]
    with pytest.raises(SettingsError, match="x with seed 1 more than once"):
        arms_of(read_runs(words))


def test_an_arm_is_read_by_its_explicit_score_or_by_what_is_asked() -> None:
    arms = {
        "dpo": {0: make_scores([float("nan")], implicit=[1.0])},
        "hybrid": {0: make_scores([1.0], implicit=[1.0])},
    }
    assert scores_of(arms) == {"dpo": "implicit", "hybrid": "explicit"}
    assert scores_of(arms, ["hybrid=longer wins", "implicit"]) == {"dpo": "implicit", "hybrid": "longer wins"}
    for wrong in ("luck", "nobody=implicit"):
        with pytest.raises(SettingsError, match=f"score '{wrong}'"):
            scores_of(arms, [wrong])


def test_a_folder_without_scores_is_named(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"nothing', where no scores\.jsonl is"):
        read_runs([str(tmp_path / "nothing")])


def test_results_that_cannot_be_read_are_named(tmp_path: Path) -> None:
    folder = scored(tmp_path, "a")
    (tmp_path / "a" / "results.json").write_text("{")
    with pytest.raises(DataError, match=r"results\.json"):
        read_runs([folder])


def test_arms_of_the_same_data_have_rows_of_their_own(tmp_path: Path) -> None:
    words = [scored(tmp_path, name, trained_on=["hh"]) for name in ("x-seed1", "x-seed2")]
    assert matrix_labels(read_runs(words)) == ["hh", "hh"]
    words.append(scored(tmp_path, "y", trained_on=["hh"]))
    assert matrix_labels(read_runs(words)) == ["x: hh", "x: hh", "y: hh"]
