"""Holistic and aspects behind one call: on tokens, as numbers, and inside TRL."""

from __future__ import annotations

import math
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
import torch
from tiny_model import make_tiny_model

from workbench.core.errors import DataError, SettingsError
from workbench.rewards import (
    Cached,
    HierarchicalReward,
    HierarchySettings,
    Reward,
    Sample,
    Span,
    select_aspects,
    sigmoid_shaping,
    whole,
)


class Rule:
    """A reward for tests: `spans(response)`."""

    def __init__(self, name: str, spans: Any) -> None:
        self.name, self.spans, self.calls = name, spans, 0

    def __call__(self, samples: Sequence[Sample]) -> list[list[Span]]:
        self.calls += 1
        return [self.spans(sample.response) for sample in samples]


def holistic() -> Rule:
    return Rule("holistic", lambda text: [Span(0, len(text), text.count("cow") - 1.0)])


def words() -> Rule:
    """Return an aspect of two spans: the first word and the rest."""

    def spans(text: str) -> list[Span]:
        first = len(text.split(" ", maxsplit=1)[0])
        return [Span(0, first, 0.5), Span(first, len(text), -0.5)]

    return Rule("words", spans)


def grammar() -> Rule:
    """Return an aspect that has a value on each token, the last five characters being wrong."""

    def spans(text: str) -> list[Span]:
        return [
            Span(0, len(text), 0.0, on_each=True),
            Span(max(len(text) - 5, 0), len(text), -1.0, on_each=True),
        ]

    return Rule("grammar", spans)


GOOD, BAD = "cow cow moo", "hay is dry"
SETTINGS = HierarchySettings(threshold=0.6, holistic_weight=5.0, aspect_weights={"grammar": 0.5})
HALF, LOW, UP = 0.5, sigmoid_shaping(-1.0), sigmoid_shaping(0.5)


def test_token_rewards_by_hand() -> None:
    """The good answer's h is 1: its aspects count, those on each token at half weight. The bad one's is -1."""
    reward = HierarchicalReward(holistic(), [words(), grammar()], SETTINGS)
    samples = [Sample("p", GOOD), Sample("p", BAD)]
    offsets = torch.tensor([[(0, 3), (3, 7), (7, 11), (11, 11)], [(0, 3), (3, 6), (6, 10), (0, 0)]])
    mask = torch.tensor([[1, 1, 1, 1], [1, 1, 1, 0]]).bool()
    scored = reward.score(samples)
    found = reward.on_tokens(scored, offsets, mask)
    expected = [
        [UP + 0.5 * HALF, 0.5 * LOW, sigmoid_shaping(-0.5) + 0.5 * LOW, 5.0],
        [0.0, 0.0, -5.0, 0.0],
    ]
    torch.testing.assert_close(found, torch.tensor(expected))
    assert scored.holistic.tolist() == [1, -1] and reward.gate_rate(scored, mask) == 0.5
    assert scored.aspect_scores()["words"].tolist() == [0, 0]
    assert scored.aspect_scores()["grammar"].tolist() == pytest.approx([-5 / 11, -0.5])


def test_without_shaping_values_stay_as_they_are() -> None:
    reward = HierarchicalReward(
        holistic(), [words()], HierarchySettings(0.0, 1.0, "aspect_only", shaping=False)
    )
    scored = reward.score([Sample("p", GOOD)])
    offsets, mask = torch.tensor([[(0, 3), (3, 7), (7, 11)]]), torch.ones(1, 3).bool()
    assert reward.on_tokens(scored, offsets, mask).tolist() == [[0.5, 0, -0.5]]


def test_rewards_that_a_mode_does_not_need_are_not_asked() -> None:
    for mode, asked in {"holistic_only": (1, 0), "aspect_only": (0, 1), "weighted_sum": (1, 1)}.items():
        first, second = holistic(), words()
        HierarchicalReward(first, [second], HierarchySettings(mode=mode))(["p"], [GOOD])
        assert (first.calls, second.calls) == asked


def test_one_number_is_the_sum_over_any_tokens() -> None:
    reward = HierarchicalReward(holistic(), [words()])
    (number,) = reward(["p"], [GOOD])
    assert number == pytest.approx(5 + UP + sigmoid_shaping(-0.5))
    offsets = torch.tensor([[(k, k + 1) for k in range(len(GOOD))]])
    on_letters = reward.on_tokens(reward.score([Sample("p", GOOD)]), offsets, torch.ones(1, len(GOOD)).bool())
    assert number == pytest.approx(on_letters.sum().item())


def test_what_is_on_each_token_is_on_each_word() -> None:
    reward = HierarchicalReward(holistic(), [grammar()], HierarchySettings(mode="aspect_only"))
    assert reward(["p"], [GOOD]) == pytest.approx([HALF + 2 * LOW])
    assert reward(["p"], [GOOD], completion_ids=[[0] * 9]) == pytest.approx([HALF + 2 * LOW])


def test_too_short_is_asked_of_the_tokens_where_they_are_known() -> None:
    reward = HierarchicalReward(holistic(), [words()])
    assert reward(["p"], ["cow cow"]) == [-50]
    assert reward(["p"], ["cow cow"], completion_ids=[[1, 2, 3]])[0] > 5
    assert reward(["p"], [GOOD], completion_ids=[[1, 2]]) == [-50]
    assert reward(["p", "p"], ["", ""], completion_ids=[[1], []]) == [-50, 0]
    assert reward([], []) == []


def test_dialogues_and_columns_become_samples() -> None:
    seen: list[Sample] = []

    class Spy(Rule):
        def __call__(self, samples: Sequence[Sample]) -> list[list[Span]]:
            seen.extend(samples)
            return super().__call__(samples)

    prompt = [{"role": "user", "content": "What?"}]
    long = [*prompt, {"role": "assistant", "content": "Hay."}, {"role": "user", "content": "Why?"}]
    HierarchicalReward(Spy("h", lambda text: [Span(0, len(text), 0.0)]), [])(
        [prompt, long],
        [[{"role": "assistant", "content": GOOD}], GOOD],
        question=["a", "b"],
        trainer_state=object(),
    )
    assert seen == [
        Sample("What?", GOOD, {"question": "a"}),
        Sample("Human: What?\n\nAssistant: Hay.\n\nHuman: Why?", GOOD, {"question": "b"}),
    ]


@pytest.mark.parametrize(
    ("completion", "read"),
    [
        ([{"role": "assistant", "content": [{"type": "text", "text": "cow "}, {"text": "hay"}]}], "cow hay"),
        ([{"role": "assistant", "content": None}], ""),
        (
            [{"role": "assistant", "content": "Wait."}, {"role": "tool", "content": "3"}],
            "Assistant: Wait.\n\nTool: 3",
        ),
    ],
)
def test_a_trainers_messages_of_any_kind_are_read_as_text(completion: Any, read: str) -> None:
    seen: list[Sample] = []

    class Spy(Rule):
        def __call__(self, samples: Sequence[Sample]) -> list[list[Span]]:
            seen.extend(samples)
            return super().__call__(samples)

    prompt = [{"role": "developer", "content": "Be brief."}, {"role": "user", "content": "What?"}]
    reward = HierarchicalReward(Spy("h", lambda text: [Span(0, len(text), 0.0)]), [])
    reward([prompt], [completion], completion_ids=[[1, 2, 3, 4]])
    assert seen == [Sample("Developer: Be brief.\n\nHuman: What?", read)]


def test_a_part_that_is_no_text_is_refused_by_row_and_kind() -> None:
    picture = [{"role": "user", "content": [{"type": "image", "url": "x"}]}]
    with pytest.raises(DataError, match="message 1 of prompt 1 has a part of type 'image'"):
        HierarchicalReward(holistic(), [])(["What?", picture], [GOOD, GOOD])


def test_aspects_are_chosen_by_what_was_scored() -> None:
    longer = Rule("longer", lambda text: [Span(0, len(text), float(len(text)))])
    shorter = Rule("shorter", lambda text: [Span(0, len(text), -float(len(text)))])
    texts = ["cow", "cow cow", "cow cow cow"]
    scored = HierarchicalReward(holistic(), [shorter, longer]).score([Sample("p", text) for text in texts])
    assert select_aspects(scored.aspect_scores(), scored.holistic).chosen == ("longer",)


def test_a_cached_reward_fits_in() -> None:
    inner = holistic()
    reward = HierarchicalReward(Cached(inner), [words()])
    assert reward(["p", "p"], [GOOD, GOOD])[0] == reward(["p"], [GOOD])[0]
    assert inner.calls == 1


def test_names_and_weights_are_checked() -> None:
    with pytest.raises(SettingsError, match="aspects of different names"):
        HierarchicalReward(holistic(), [words(), words()])
    with pytest.raises(SettingsError, match="weights for grammer"):
        HierarchicalReward(holistic(), [grammar()], HierarchySettings(aspect_weights={"grammer": 1.0}))


def test_spans_are_checked() -> None:
    long: Reward = Rule("long", lambda text: [Span(0, len(text.encode()), 1.0)])
    with pytest.raises(DataError, match="count characters"):
        HierarchicalReward(long, [])(["p"], ["é é é"])

    class Few(Rule):
        def __call__(self, samples: Sequence[Sample]) -> list[list[Span]]:
            return [[whole(samples[0], 0.0)]]

    with pytest.raises(SettingsError, match="'few' gave spans for 1 of 2"):
        HierarchicalReward(Few("few", None), [])(["p", "p"], [GOOD, BAD])


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"mode": "best", "holistic_weight": -1.0}, "mode 'best'; holistic_weight -1.0"),
        ({"threshold": math.nan}, "threshold nan"),
        ({"aspect_weights": {"a": math.inf}}, "a inf"),
    ],
)
def test_settings_are_checked(options: dict[str, Any], said: str) -> None:
    with pytest.raises(SettingsError) as caught:
        HierarchySettings(**options)
    assert caught.value.got == said


@pytest.mark.bench
def test_trl_takes_it_as_a_reward_function(tmp_path: Path) -> None:
    """Two steps of GRPO with a tiny model: called as TRL calls, its values in TRL's log under its name."""
    trl = pytest.importorskip("trl", reason="the bench extra is not installed")
    from datasets import Dataset
    from transformers import AutoModelForCausalLM, AutoTokenizer

    folder = make_tiny_model(tmp_path / "model")
    questions: list[str] = []

    class Asked(Rule):
        def __call__(self, samples: Sequence[Sample]) -> list[list[Span]]:
            questions.extend(sample.metadata["question"] for sample in samples)
            return super().__call__(samples)

    vowels = Asked(
        "vowels", lambda text: [Span(0, len(text), float(sum(letter in "aeiou" for letter in text)))]
    )
    reward = HierarchicalReward(vowels, [words()], name="vowels_first")
    trainer = trl.GRPOTrainer(
        AutoModelForCausalLM.from_pretrained(folder),
        reward_funcs=reward,
        args=trl.GRPOConfig(
            output_dir=str(tmp_path / "out"),
            max_steps=2,
            per_device_train_batch_size=4,
            num_generations=2,
            max_completion_length=6,
            logging_steps=1,
            report_to=[],
            use_cpu=True,
            save_strategy="no",
            disable_tqdm=True,
        ),
        train_dataset=Dataset.from_dict({"prompt": ["a = ", "plt."] * 4, "question": ["a?", "plt?"] * 4}),
        processing_class=AutoTokenizer.from_pretrained(folder),
    )
    trainer.train()
    logged = [row["rewards/vowels_first/mean"] for row in trainer.state.log_history if "reward" in row]
    assert len(logged) == 2 and all(math.isfinite(value) for value in logged)
    assert len(questions) == 8 and set(questions) == {"a?", "plt?"}
