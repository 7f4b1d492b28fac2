"""The table of scores: what each score is, names of pairs, and the file."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from preference_scored import make_scores

from workbench.core.errors import DataError, SettingsError
from workbench.datasets.preference_pair import PreferencePair
from workbench.rewards.pair_scores import SCORES, PreferenceScores, pair_ids

ONE = make_scores(
    [2.0],
    policy_logps=np.array([[-6.0, -9.0]]),
    reference_logps=np.array([[-8.0, -4.0]]),
    tokens=np.array([[3, 9]]),
    reference_tokens=np.array([[4, 8]]),
    characters=[(12, 30)],
    beta=0.5,
)


@pytest.mark.parametrize(
    ("name", "chosen", "rejected"),
    [
        ("explicit", 2.0, 0.0),
        ("implicit", 1.0, -2.5),  # 0.5 * (-6 + 8), 0.5 * (-9 + 4)
        ("policy logp, sum", -6.0, -9.0),
        ("policy logp, mean", -2.0, -1.0),
        ("untrained logp, sum", -8.0, -4.0),
        ("untrained logp, mean", -2.0, -0.5),
        ("longer wins", 12.0, 30.0),
        ("shorter wins", -12.0, -30.0),
    ],
)
def test_each_score_by_hand(name: str, chosen: float, rejected: float) -> None:
    assert ONE.score(name).tolist() == [[chosen, rejected]]
    assert ONE.margin(name).tolist() == [chosen - rejected]


def test_a_score_that_a_model_lacks_is_not_available() -> None:
    assert ONE.available == SCORES
    assert make_scores([1.0, 2.0]).available == ("explicit", "longer wins", "shorter wins")
    assert "explicit" not in make_scores([1.0, np.nan], implicit=[1.0, 1.0]).available
    assert repr(make_scores([1.0])) == "<PreferenceScores of 1 pairs: explicit, longer wins, shorter wins>"


def test_an_empty_response_has_the_mean_zero() -> None:
    table = make_scores([1.0], implicit=[0.0], tokens=np.array([[0, 2]]))
    assert table.score("policy logp, mean").tolist() == [[0.0, 0.0]]


def test_an_unknown_score_names_those_there_are() -> None:
    with pytest.raises(SettingsError, match="score 'luck'") as caught:
        ONE.score("luck")
    assert "implicit" in caught.value.needed


def test_faults_of_the_arrays_are_listed_together() -> None:
    with pytest.raises(SettingsError) as caught:
        make_scores([1.0, 2.0], ids=["a", "a"], sources=["x"], tokens=np.zeros(2, int), beta=0.0)
    said = caught.value.got
    assert all(part in said for part in ("sources [1]", "tokens [2]", "beta 0.0", "id 'a' twice"))


def test_the_file_gives_back_the_table(tmp_path: Path) -> None:
    table = make_scores([1.5, -0.1], implicit=[0.3, 1 / 3], subsets=["easy", ""], sources=["a", "b"])
    table.save(tmp_path / "scores.jsonl")
    again = PreferenceScores.load(tmp_path / "scores.jsonl")
    for name, values in vars(table).items():
        assert np.array_equal(getattr(again, name), values), name
    lines = (tmp_path / "scores.jsonl").read_text().splitlines()
    assert json.loads(lines[0])["rewards"] == [1.5, 0.0]


def test_missing_scores_survive_the_file(tmp_path: Path) -> None:
    make_scores([1.0]).save(tmp_path / "scores.jsonl")
    assert "NaN" not in (tmp_path / "scores.jsonl").read_text()
    assert not PreferenceScores.load(tmp_path / "scores.jsonl").has("implicit")


@pytest.mark.parametrize("content", ["", '{"id": "a"}\n', "not json\n", "[]\n"])
def test_another_file_is_refused_by_name(tmp_path: Path, content: str) -> None:
    (tmp_path / "scores.jsonl").write_text(content)
    with pytest.raises(DataError, match=r"scores\.jsonl"):
        PreferenceScores.load(tmp_path / "scores.jsonl")


def test_null_is_no_pairs_name(tmp_path: Path) -> None:
    """It was read as a pair called None."""
    file = tmp_path / "scores.jsonl"
    make_scores([1.0, 2.0]).save(file)
    rows = [json.loads(line) for line in file.read_text().splitlines()]
    file.write_text("".join(json.dumps(row) + "\n" for row in [rows[0], rows[1] | {"id": None}]))
    with pytest.raises(DataError, match=r"scores\.jsonl, line 2: id is null, not a text"):
        PreferenceScores.load(file)


def test_a_part_keeps_its_rows() -> None:
    table = make_scores([1.0, 2.0, 3.0], sources=["a", "b", "a"])
    assert table.of_source("a").margin("explicit").tolist() == [1.0, 3.0]
    assert table.select([2, 0]).ids.tolist() == ["pair-002", "pair-000"]


def test_ids_depend_on_texts_and_source_and_number_repeats() -> None:
    pair = PreferencePair("p", "good", "bad", "hh")
    swapped = PreferencePair("p", "bad", "good", "hh")
    elsewhere = PreferencePair("p", "good", "bad", "other", "subset")
    first, second, third, fourth = pair_ids([pair, swapped, elsewhere, pair])
    assert len({first, second, third, fourth}) == 4
    assert fourth == f"{first}-2"
    assert pair_ids([pair, elsewhere]) == [first, third]
