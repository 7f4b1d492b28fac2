"""RewardBench 2 and RM-Bench by hand, from a file's rows to the sections that are reported."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from preference_scored import make_scores

from workbench.core.errors import DataError, SettingsError
from workbench.datasets.preference_pair import BenchmarkRow
from workbench.datasets.preferences import load_preferences
from workbench.preferences.benchmarks import best_of_n, section_scores, style_accuracies, ties_score
from workbench.preferences.scoring import PreferenceScoring, load_pairs
from workbench.rewards.pair_scores import PreferenceScores


def written(folder: Path, *rows: dict[str, Any]) -> Path:
    file = folder / "rows.jsonl"
    file.write_text("".join(json.dumps(row) + "\n" for row in rows))
    return file


def scored(format: str, *rows: tuple[str, str, list[float], list[float]]) -> PreferenceScores:
    """Return the table of some rows: subset, id, scores of the chosen responses, of the rejected ones."""
    pairs = []
    for subset, name, right, wrong in rows:
        for k in range(max(len(right), len(wrong))):
            one, other = k % len(right), k % len(wrong)
            pairs.append((subset, BenchmarkRow(format, name, one, other), right[one], wrong[other]))
    return make_scores(
        [0.0] * len(pairs),
        subsets=[pair[0] for pair in pairs],
        rewards=np.array([[pair[2], pair[3]] for pair in pairs]),
        rows_of=tuple(pair[1] for pair in pairs),
    )


def test_best_of_4_by_hand() -> None:
    assert best_of_n([1.0], [0.0, 0.5, 0.9]) == 1.0
    assert best_of_n([1.0], [0.0, 0.5, 1.1]) == 0.0
    assert best_of_n([1.0], [1.0, 0.5, 1.0]) == pytest.approx(1 / 3)  # three share the highest score


def test_the_score_of_ties_by_hand() -> None:
    # the reference is right with gap 2, the tied one with gap 1 and spread 0.5: all four hold, and the smooth
    # margin is tanh(min(2, 1) / 0.5 - 1) = tanh(1)
    assert ties_score(([3.0], [1.0]), ([2.0, 2.5], [1.0, 0.0])) == pytest.approx(1.0 + 0.01 * np.tanh(1))
    # spread 3 above the gap 1: accuracy only; tanh(1 / 3 - 1)
    assert ties_score(([3.0], [1.0]), ([2.0, 5.0], [1.0])) == pytest.approx(0.6 + 0.01 * np.tanh(-2 / 3))
    # the reference is wrong, gap -1; the tied one right, gap 1, spread 0: tied and its margin; tanh(-inf) = -1
    assert ties_score(([0.0], [1.0]), ([2.0, 2.0], [1.0])) == pytest.approx(0.3 + 0.2 - 0.01)


def test_styles_by_hand() -> None:
    # chosen beats the rejected response of its own style and of plainer ones, never of fancier ones
    assert style_accuracies([1.0, 2.0, 3.0], [0.5, 1.5, 2.5]) == (0.0, 1.0, 1.0)
    assert style_accuracies([1.0, 1.0, 1.0], [1.0, 1.0, 1.0]) == (0.0, 0.0, 0.0)  # equal scores are wrong


def test_rewardbench_2_is_the_mean_of_its_subsets() -> None:
    rows = [
        (name, "1", [1.0], [0.0, 0.1, 0.2])
        for name in ("Factuality", "Precise IF", "Math", "Safety", "Focus")
    ]
    rows += [("Focus", "2", [1.0], [0.0, 2.0, 0.0])]
    rows += [("Ties", "ref:0", [3.0], [1.0]), ("Ties", "tied:0", [2.0, 2.5], [1.0, 0.0])]
    found = section_scores(scored("rewardbench-2", *rows), "explicit")
    assert (found["Math"].value, found["Focus"].value, found["Focus"].pairs) == (1.0, 0.5, 2)
    assert found["Ties"].value == pytest.approx(1.0 + 0.01 * np.tanh(1))
    assert found["average"].value == pytest.approx((4 * 1.0 + 0.5 + found["Ties"].value) / 6)
    assert found["average"].low < found["average"].value < found["average"].high
    without = section_scores(scored("rewardbench-2", *rows[:-1]), "explicit")
    assert "average" not in without and "Ties" not in without  # a part is missing


def test_rm_bench_weighs_domains_alike_and_the_parts_of_safety_too() -> None:
    good, normal_only = (
        ([9.0, 9.0], [0.0, 0.0]),
        ([1.0, 3.0], [0.0, 2.0]),
    )  # of the second: hard 0, normal 1, easy 1
    rows = [("chat", "1", *good), ("chat", "2", *good), ("math", "1", *good), ("code", "1", *normal_only)]
    rows += [
        ("safety-refuse", "1", *normal_only),
        ("safety-response", "1", *good),
        ("safety-response", "2", *good),
    ]
    found = section_scores(scored("rm-bench", *rows), "explicit")
    assert found["code"].value == pytest.approx(2 / 3)
    assert found["safety"].value == pytest.approx((2 / 3 + 1) / 2)
    assert found["hard"].value == pytest.approx((1 + 1 + 0 + 0.5) / 4)
    assert (found["normal"].value, found["easy"].value) == (1.0, 1.0)
    assert found["average"].value == pytest.approx((found["hard"].value + 2) / 3)


def test_a_file_of_rewardbench_2_is_all_test_with_every_response_once(tmp_path: Path) -> None:
    shared = {"prompt": "Which?", "num_correct": 1, "total_completions": 4}
    file = written(
        tmp_path,
        {"id": "7", "chosen": ["a"], "rejected": ["b", "a", ""], "subset": "Math", **shared},
        {"id": "tied:0", "chosen": ["a", "b", "c"], "rejected": ["x", "y"], "subset": "Ties", **shared},
    )
    loaded = load_preferences(file, "test")
    assert [(pair.chosen, pair.rejected) for pair in loaded] == [
        ("a", "b"), ("a", "a"), ("a", ""), ("a", "x"), ("b", "y"), ("c", "x"),
    ]  # fmt: skip
    assert loaded[5].row == BenchmarkRow("rewardbench-2", "tied:0", 2, 0)
    pairs, _ = load_pairs(PreferenceScoring("m", (str(file),), limit=1))
    assert len(pairs) == 3  # a row is never cut
    for asked in ({"split": "train"}, {"split": "test", "held_out": 0.5}, {"split": "test", "equal": "drop"}):
        with pytest.raises(SettingsError, match="benchmark"):
            load_preferences(file, **asked)  # type: ignore[arg-type]


def test_rows_that_are_none_of_a_benchmark_are_named(tmp_path: Path) -> None:
    row = {"id": 1, "prompt": "p", "chosen": ["a", "b"], "rejected": ["c"], "domain": "chat"}
    with pytest.raises(DataError, match="line 1: 2 chosen and 1 rejected, not one a style"):
        load_preferences(written(tmp_path, row), "test")
    ties = {"id": "5", "prompt": "p", "chosen": ["a"], "rejected": ["c"], "subset": "Ties"}
    with pytest.raises(DataError, match="not ref:NUMBER or tied:NUMBER"):
        load_preferences(written(tmp_path, ties), "test")
    with pytest.raises(DataError, match="columns prompt, chosen, rejected"):
        load_preferences(written(tmp_path, {"prompt": "p", "chosen": ["a"], "rejected": ["c"]}), "test")


def test_rows_of_a_benchmark_come_back_from_a_file_of_scores(tmp_path: Path) -> None:
    table = scored("rewardbench-2", ("Math", "1", [1.0], [0.0, 2.0]))
    table.save(tmp_path / "scores.jsonl")
    back = PreferenceScores.load(tmp_path / "scores.jsonl")
    assert back.rows_of == table.rows_of
    assert back.select([1]).rows_of == table.rows_of[1:]
    assert section_scores(back, "explicit")["Math"].value == 0.0
