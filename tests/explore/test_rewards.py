"""The reward inspector: how spans cut a text, what hierarchies and models make of it, and a typed answer."""

import re

import pytest
from tiny_model import make_tiny_model

from workbench.core.errors import DataError, SettingsError
from workbench.explore.inspections import (
    Example,
    Inspection,
    Strip,
    cut,
    inspect_by_model,
    inspect_by_rewards,
    of_traces,
)
from workbench.explore.reward_inspector import (
    _Inspector,
    inspect_answers,
    inspect_examples,
)
from workbench.explore.reward_page import example_page
from workbench.models import EncodingSettings, ModelSettings, RewardModel, load_tokenizer
from workbench.rewards import HierarchicalReward, HierarchySettings, Sample, Scorer, ScoringSettings, Span
from workbench.rewards.token_trace import TokenTrace

TEXT = "One. Two is long."
SENTENCES = ((0, 4), (5, 17))


class Sentences:
    """A reward that gives each sentence its number, less one and a half."""

    name = "sentences"

    def __call__(self, samples):
        return [[Span(a, b, k - 0.5) for k, (a, b) in enumerate(SENTENCES)] for _ in samples]


class Whole:
    name = "whole"

    def __call__(self, samples):
        return [[Span(0, len(one.response), 2.0)] for one in samples]


def test_a_text_is_cut_where_spans_begin_and_end():
    pieces = cut(TEXT, [Span(0, 4, 1.0), Span(5, 17, -1.0), Span(5, 8, 0.25)])
    assert pieces == (("One.", 1.0), (" ", None), ("Two", -0.75), (" is long.", -1.0))
    assert "".join(text for text, _ in pieces) == TEXT


def test_of_values_on_each_token_the_last_counts():
    pieces = cut("abcd", [Span(0, 4, -1.0, on_each=True), Span(2, 4, -3.0, on_each=True)])
    assert pieces == (("ab", -1.0), ("cd", -3.0))


def test_an_empty_answer_has_no_pieces():
    assert cut("", [Span(0, 0, 1.0)]) == ()


def test_a_hierarchy_shows_aspects_and_what_they_come_to_word_by_word():
    settings = HierarchySettings(threshold=1.0, holistic_weight=3.0, shaping=False)
    found = inspect_by_rewards(HierarchicalReward(Whole(), [Sentences()], settings))(Sample("q", TEXT))
    assert found.scores == pytest.approx({"whole": 2.0, "sentences": 0.0, "reward, summed": 3.0 * 2.0})
    aspect, combined = found.strips
    assert aspect.pieces == (("One.", -0.5), (" ", None), ("Two is long.", 0.5))
    # on the last word of each sentence its value, and the holistic reward on the last of all
    assert combined.pieces == (("One.", -0.5), ("Two", None), ("is", None), ("long.", 6.5))


def test_below_the_threshold_aspects_do_not_count():
    settings = HierarchySettings(threshold=5.0, holistic_weight=3.0, shaping=False)
    found = inspect_by_rewards(HierarchicalReward(Whole(), [Sentences()], settings))(Sample("q", TEXT))
    assert found.strips[1].pieces[0] == ("One.", None)


def test_rewards_by_themselves_are_shown_side_by_side():
    found = inspect_by_rewards([Whole(), Sentences()])(Sample("q", TEXT))
    assert list(found.scores) == ["whole", "sentences"]
    with pytest.raises(SettingsError, match="no rewards"):
        inspect_by_rewards([])


def test_of_traces_tokens_show_how_the_reward_changes_and_the_policy_moved():
    now = TokenTrace(("a", "b"), (-1.0, -2.0), (0.5, 2.0))
    before = TokenTrace(("a", "b"), (-2.0, -1.5), (0.0, 0.0))
    found = of_traces("a b", now, before, beta=0.1)
    assert found.scores == pytest.approx({"reward": 2.0, "implicit reward": 0.1 * (1.0 - 0.5)})
    assert found.strips[0].pieces == (("a", 0.5), ("b", 1.5))
    assert found.strips[1].pieces == (("a", 1.0), ("b", -0.5))


def test_tokens_of_another_tokenizer_are_not_compared():
    now, before = TokenTrace(("a",), (-1.0,), (0.5,)), TokenTrace(("b",), (-1.0,), (0.5,))
    assert len(of_traces("a", now, before).strips) == 1


def test_a_model_is_looked_into_token_by_token(tmp_path):
    import torch

    settings = ModelSettings(str(make_tiny_model(tmp_path / "tiny")), device="cpu")
    torch.manual_seed(0)
    model, reference = RewardModel.load(settings, init_std=0.5), RewardModel.load(settings)
    with torch.no_grad():
        model.lm_head.weight.mul_(1.5)
    how = ScoringSettings(
        EncodingSettings(template="{prompt}", separator=" ", max_tokens=48, max_prompt_tokens=16)
    )
    scorer = Scorer(model.eval(), load_tokenizer(settings), how, reference.eval())
    sample = Sample("what", "yes no")
    found = inspect_by_model(scorer)(sample)
    measured = scorer.measure(scorer.encode([(sample.prompt, sample.response)]))
    assert found.scores["reward"] == pytest.approx(float(measured["rewards"][0]), abs=1e-5)
    moved = float(measured["policy_logps"][0] - measured["reference_logps"][0])
    assert found.scores["implicit reward"] == pytest.approx(how.beta * moved, abs=1e-4)
    assert sum(value for _, value in found.strips[0].pieces) == pytest.approx(
        found.scores["reward"], abs=1e-5
    )


def inspection(value):
    return Inspection("x", {"reward": value}, (Strip("s", (("x", value), ("y", None))),))


PAIR = Example("1", "a <prompt>", {"chosen": inspection(2.0), "rejected": inspection(-4.0)})


def test_a_page_says_values_as_numbers_and_shares_one_scale():
    page = example_page(PAIR)
    for words in (
        "a &lt;prompt&gt;",
        "chosen",
        "rejected",
        "+2.00",
        "-4.00",
        "prefers the chosen",
        "by 6.000",
    ):
        assert words in page, words
    strengths = [float(one) for one in re.findall(r"rgba\([^)]*, ([\d.]+)\)", page)[:2]]
    assert strengths == [0.04 + 0.5 * 0.5, 0.54]


def test_a_typed_answer_stands_beside_the_others(monkeypatch):
    made = _Inspector([PAIR, Example("2", "other", {"answer": inspection(1.0)})], lambda one: inspection(9.0))
    made.typed.value = "mine"
    made._score(made.example, "mine")
    assert "yours" in made.page.value and "+9.00" in made.page.value
    made.after.click()
    assert "other" in made.page.value and "yours" not in made.page.value
    made.after.click()
    assert made.chosen.value == 0


def test_an_answer_that_cannot_be_scored_says_why():
    def fail(sample):
        raise DataError("a prompt of no world", "one of the world's", "use one")

    made = _Inspector([PAIR], fail)
    made._score(PAIR, "mine")
    assert "a prompt of no world" in made.says.value and not made.score.disabled


def test_without_a_scorer_nothing_can_be_typed():
    made = _Inspector([PAIR], None)
    assert made.typed not in made.whole.children


def test_answers_to_one_prompt_stand_side_by_side(capsys):
    inspect_answers([Sentences()], [Sample("q", TEXT), Sample("q", TEXT), Sample("r", TEXT)])
    assert "Reward inspector: 1: q" in capsys.readouterr().out
    with pytest.raises(DataError, match="no answers"):
        inspect_examples([])
