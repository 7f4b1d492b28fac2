"""The world's truth in the protocols of rewards and judges."""

import pytest

from workbench.core.errors import SettingsError
from workbench.rewards.baselines import OracleReward
from workbench.rewards.judge import OracleJudge, Preference
from workbench.rewards.scoring import reward_values
from workbench.rewards.spans import Sample, Span
from workbench.worlds.passages import utility
from workbench.worlds.passages.rewards import AspectOracle

PASSAGE = "ana likes red , plays chess , drinks tea . bo visits rome , sells hats , reads maps ."
PROMPT = f"{PASSAGE} what bo reads , visits ?"
ANSWER = "bo reads news . bo sells hats ."  # asked but false; true but not asked


@pytest.mark.parametrize(
    ("aspect", "spans"),
    [
        ("factuality", [Span(0, 15, -0.5), Span(16, 31, 0.5)]),
        ("relevance", [Span(0, 15, 0.5), Span(16, 31, -0.5)]),
        ("completeness", [Span(0, 31, 0.0)]),
    ],
)
def test_each_sentence_gets_its_own_value(aspect, spans):
    assert AspectOracle(aspect, scale=0.5)([Sample(PROMPT, ANSWER)]) == [spans]


def test_completeness_is_the_share_of_what_was_asked():
    assert AspectOracle("completeness", 2.0)([Sample(PROMPT, "bo reads maps .")]) == [[Span(0, 15, 1.0)]]
    assert AspectOracle("factuality")([Sample(PROMPT, "")]) == [[]]


def test_an_unknown_aspect_is_refused():
    with pytest.raises(SettingsError, match="completeness"):
        AspectOracle("style")


def test_utility_is_a_reward_and_a_judge():
    right = "bo reads maps . bo visits rome ."
    assert reward_values(OracleReward(utility), [(PROMPT, right), (PROMPT, ANSWER)]) == pytest.approx(
        [1, 0.375]
    )
    judge = OracleJudge(utility)
    assert judge.compare(PROMPT, right, ANSWER) is Preference.FIRST
    assert judge.compare(PROMPT, "bo reads maps .", "bo visits rome .") is Preference.TIE
