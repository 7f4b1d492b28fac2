"""What rewards know of rows that they were not trained on: by rewards that know everything or nothing."""

import json

import pytest
from qa_feedback_files import feedback_row
from tiny_classifiers import save_classifier

from workbench.datasets.preference_pair import PreferencePair
from workbench.datasets.qa_feedback import load_qa_feedback
from workbench.models import ModelSettings
from workbench.papers.alarm.held_out import held_out_facts, no_better_than_chance, ordered_share
from workbench.rewards import FACTUALITY, OracleReward, SpanClassifierReward

LENGTH = OracleReward(lambda prompt, response: float(len(response)), name="length")


@pytest.fixture
def rows(tmp_path):
    file = tmp_path / "rows.json"
    file.write_text(json.dumps([feedback_row(number, f"question {number}?") for number in range(4)]))
    return load_qa_feedback(file)


def test_pairs_are_ordered_by_the_reward_and_each_text_is_scored_once():
    scored = []
    reward = OracleReward(
        lambda prompt, response: scored.append(response) or float(len(response)), name="length"
    )
    pairs = [
        PreferencePair("p", *texts, "hand")
        for texts in (("aaa", "b"), ("aaa", "cc"), ("b", "cc"), ("dd", "cc"))
    ]
    assert ordered_share(reward, pairs) == 0.5  # a tie is not ordered
    assert sorted(scored) == ["aaa", "b", "cc", "dd"]


def test_a_reward_for_spans_is_told_beside_the_more_frequent_label(rows, tmp_path):
    folder = save_classifier(tmp_path / "spans", labels=("ERR", "O"))
    reward = SpanClassifierReward.load(ModelSettings(str(folder), device="cpu"), FACTUALITY)
    # factuality has a label for both sentences of even rows (unverifiable), for the first of odd ones (irrelevant)
    reward._judge = lambda batch: [[True] * len(one.places) for one in batch]
    facts = held_out_facts({"factuality": reward, "holistic": LENGTH}, rows, tmp_path / "known.json")
    assert facts == {
        "factuality: held-out segments": 6,
        "factuality: held-out accuracy": pytest.approx(4 / 6),
        "factuality: accuracy of the more frequent label": pytest.approx(4 / 6),
        "factuality: held-out F1 of errors": 0.0,
        "holistic: held-out pairs": 20,
        "holistic: held-out accuracy": 0.4,  # by hand: of five preferences the longer answer has two
    }
    # measured once for all seeds
    assert held_out_facts({}, [], tmp_path / "known.json") == facts


def test_a_reward_that_nothing_can_be_said_of_is_told_with_none(tmp_path):
    folder = save_classifier(tmp_path / "spans", labels=("ERR", "O"))
    spans = SpanClassifierReward.load(ModelSettings(str(folder), device="cpu"), FACTUALITY)
    facts = held_out_facts({"factuality": spans, "holistic": LENGTH}, [], tmp_path / "known.json")
    assert facts == {"factuality: held-out segments": 0, "holistic: held-out pairs": 0}
    assert no_better_than_chance(facts) == ["factuality", "holistic"]


@pytest.mark.parametrize(
    ("accuracy", "number", "chance", "beats"),
    [(0.6, 100, None, True), (0.6, 50, None, False), (0.8, 100, 0.75, False), (0.85, 100, 0.75, True)],
)
def test_beating_chance_takes_accuracy_and_numbers(accuracy, number, chance, beats):
    kind = "pairs" if chance is None else "segments"
    facts = {
        "share of prompts that lost passages": 0.0,
        f"r: held-out {kind}": number,
        "r: held-out accuracy": accuracy,
    }
    facts |= {} if chance is None else {"r: accuracy of the more frequent label": chance}
    assert no_better_than_chance(facts) == ([] if beats else ["r"])
