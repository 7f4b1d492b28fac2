"""Questions of the small world: what they are worth, noisy pairs, and what cannot be asked for."""

import json
from pathlib import Path

import pytest

from workbench.core.errors import DataError, SettingsError
from workbench.datasets.preference_pair import PreferencePair
from workbench.papers.alarm.declaration import read_tuning
from workbench.papers.alarm.passages import PassageTask, _noisy, oracle
from workbench.papers.alarm.setup import POCKET_PPO, declare_pocket, tuned_ppo
from workbench.rewards import Normalization, Normalized, OracleReward
from workbench.training.ppo import FixedKL

PROMPT = (
    "mats likes green , visits paris , reads maps . nora fears wolves , drinks milk , sells lamps . "
    "what mats reads , visits ?"
)


@pytest.mark.parametrize(
    ("answer", "worth"),
    [
        ("mats visits paris . mats reads maps .", 1.0),
        ("mats reads maps .", 2 / 3),  # precision 1, recall 1/2
        ("mats reads maps . mats reads maps .", 0.5),  # a repeat is not precise
        ("mats reads news .", 0.0),
        ("", 0.0),
    ],
)
def test_an_answer_is_worth_its_f1(answer, worth):
    assert oracle(PROMPT, answer) == pytest.approx(worth)


def test_each_use_of_a_seed_has_prompts_of_its_own():
    drawn = [PassageTask(POCKET_PPO).prompts(seed, use, 20) for seed in (0, 1) for use in range(4)]
    assert len({prompt for few in drawn for prompt in few}) == 160
    assert PassageTask(POCKET_PPO).prompts(1, 2, 20) == drawn[6]


def test_a_share_of_the_labels_is_turned_round():
    pairs = [PreferencePair(f"p{number}", "good", "bad", "s") for number in range(1000)]
    noisy = _noisy(pairs, 800, 0.2, seed=0)
    assert len({pair.prompt for pair in noisy}) == 800
    assert 0.16 < sum(pair.chosen == "bad" for pair in noisy) / 800 < 0.24
    assert _noisy(pairs, 800, 0.2, seed=0) == noisy != _noisy(pairs, 800, 0.2, seed=1)
    with pytest.raises(SettingsError, match="more pair_prompts"):
        _noisy(pairs, 1001, 0.2, seed=0)


def test_all_faults_of_the_settings_are_named():
    with pytest.raises(SettingsError, match=r"pairs 0.*test_prompts 0.*flipped 0.6"):
        PassageTask(POCKET_PPO, pairs=0, test_prompts=0, flipped=0.6)


def test_what_tuning_chose_is_what_trains(tmp_path):
    chosen = {"learning_rate": 0.125, "kl": 0.5, "threshold": 0.25, "weights": {"hierarchical": 0.3}}
    said = {"command": "c", "seeds": [7], "rows": [], "chosen": chosen, "data": {}}
    (tmp_path / "tuning.json").write_text(json.dumps(said))
    tuning = read_tuning(tmp_path / "tuning.json")
    ppo, declaration = tuned_ppo(tuning), declare_pocket((0, 1), 1, tuning=tuning)
    assert (ppo.learning_rate, ppo.kl, ppo.batch) == (0.125, FixedKL(0.5), POCKET_PPO.batch)
    assert (declaration.threshold, declaration.weight("hierarchical")) == (0.25, 0.3)
    assert declaration.weight("random gate") == 0.3
    (tmp_path / "tuning.json").write_text("[]")
    with pytest.raises(DataError, match="alarm_tuning"):
        read_tuning(tmp_path / "tuning.json")


def test_aspects_are_a_parameter():
    task = PassageTask(POCKET_PPO, aspects=("style", "factuality"))
    assert task.described()["aspect"].tolist() == ["style", "factuality"]
    with pytest.raises(SettingsError, match="aspects: two or more of factuality"):
        PassageTask(POCKET_PPO, aspects=("style",))
    rewards = task.rewards(Path("model"), Normalization(0.0, 1.0), [], seed=0)
    holistic = Normalized(OracleReward(oracle, name="holistic"), Normalization(0.0, 1.0))
    assert list(rewards.beside(holistic).aspects) == ["style", "factuality"]
