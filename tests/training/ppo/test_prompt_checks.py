"""What PPO refuses before training: prompts and policies that do not fit, each with its row and a remedy."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from tiny_policies import PROMPTS, WORDS, WholeReward, language_model, policy_of, quick, tokenizer
from tiny_policy_families import ENCODER_DECODER, SIZES, model_of

from workbench.core.errors import DataError, ModelError, SettingsError
from workbench.models import ModelSettings
from workbench.rewards import Sample
from workbench.training.ppo import ValuedPolicy, train_policy
from workbench.training.ppo.prompt_checks import check_known, check_room, read_prompts
from workbench.training.ppo.prompts import encode_prompts

USER = {"role": "user", "content": "a b"}
PARTS = {"role": "user", "content": [{"type": "text", "text": "a "}, {"type": "text", "text": "b"}]}
REFUSES = (
    "{% if messages[0]['role'] == 'system' %}{{ raise_exception('no system turn') }}{% endif %}"
    "{% for m in messages %}{{ m['content'] }} {% endfor %}"
)


def test_texts_samples_and_messages_are_prompts() -> None:
    given: list[Any] = ["a b", Sample("a b", "unread", {"k": 1}), [USER], USER, [PARTS], Sample([USER], "")]  # type: ignore[arg-type]
    assert [one.prompt for one in read_prompts(given)] == ["a b"] * 6
    assert read_prompts(given)[1] == Sample("a b", "", {"k": 1})
    (asked,) = read_prompts([[{"role": "system", "content": "c"}, USER]])
    assert asked.prompt == "System: c\n\nHuman: a b"


def test_messages_go_through_the_chat_template() -> None:
    words = tokenizer()
    words.chat_template = "{% for m in messages %}{{ m['content'] }} {% endfor %}d"
    turns = [USER, {"role": "assistant", "content": "c"}, {"role": "user", "content": "e"}]
    (found,) = encode_prompts([turns], words, policy_of(), quick(chat=True))
    assert [WORDS[token] for token in found.tokens] == ["a", "b", "c", "e", "d"]


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        (None, "prompt 1 .* is a NoneType"),
        (3, "prompt 1 .* is a int"),
        ({"text": "a"}, "of prompt 1 .* no known role"),
        ([{"role": "user"}], "of prompt 1 .* has no content"),
        ([{"role": "user", "content": [{"type": "image"}]}], "of prompt 1 .* part of type 'image'"),
        ([], "prompt 1 .* is empty"),
        (Sample(7, ""), "prompt 1 .* is a int"),  # type: ignore[arg-type]
    ],
)
def test_what_is_no_prompt_is_refused_with_its_row(wrong: Any, said: str) -> None:
    with pytest.raises(DataError, match=said):
        read_prompts(["a", wrong])


def test_one_text_is_no_list_of_prompts() -> None:
    with pytest.raises(DataError, match="one text as prompts"):
        read_prompts("a b")
    with pytest.raises(DataError, match="no prompts"):
        read_prompts([])


def test_a_template_that_refuses_a_turn_is_named_with_the_row() -> None:
    words = tokenizer()
    words.chat_template = REFUSES
    system = [{"role": "system", "content": "c"}, USER, {"role": "assistant", "content": "c"}, USER]
    with pytest.raises(DataError, match=r"(?s)prompt 1 .*no system turn.*leave these rows out"):
        encode_prompts(["a", system], words, policy_of(), quick(chat=True))


def test_a_token_that_the_policy_does_not_have_is_named_with_its_row() -> None:
    lm = language_model()
    check_known(lm, [[2, 8]])
    with pytest.raises(ModelError, match=r"token 9 in prompt 1 .*a model of 9 tokens"):
        check_known(lm, [[2, 8], [9, 3]])
    words = tokenizer()
    words.add_tokens(["g"])
    with pytest.raises(ModelError, match=r"token 9 in prompt 2"):
        encode_prompts(["a", "b", "a g"], words, policy_of(), quick())


@pytest.mark.parametrize("family", ["Bart", "Marian", "LED"])
def test_an_encoder_has_a_context_of_its_own(family: str) -> None:
    lm = model_of(family, ENCODER_DECODER[family])
    settings = quick(max_prompt_tokens=90, max_new_tokens=64)
    check_room(lm, [[3], [3] * 64], settings)
    with pytest.raises(SettingsError, match=r"(?s)prompt 1 .*65 tokens.*encoder's context of 64.*at most 64"):
        check_room(lm, [[3], [3] * 65], settings)
    with pytest.raises(SettingsError, match=r"(?s)max_new_tokens 65.*max_new_tokens below 64"):
        check_room(lm, [[3]], quick(max_new_tokens=65))


@pytest.mark.parametrize("family", ["T5", "UMT5", "LongT5"])
def test_relative_positions_have_no_limit(family: str) -> None:
    check_room(model_of(family, ENCODER_DECODER[family]), [[3] * 5000], quick(max_new_tokens=5000))


def test_the_longest_prompt_is_named() -> None:
    lm = model_of("Mistral", SIZES)
    with pytest.raises(SettingsError, match=r"(?s)prompt 1 .*of 60 tokens, max_new_tokens 6.*at most 58"):
        check_room(lm, [[3], [3] * 60, [3] * 59], quick())


def test_a_plain_function_trains_as_the_same_reward_does() -> None:
    logs = []
    for reward in (WholeReward(lambda sample: -len(sample.response)), lambda response: -len(response)):
        done = train_policy(policy_of(), tokenizer(), PROMPTS, reward, quick(max_steps=2), folder=None)
        logs.append(done.log)
    assert logs[0] == logs[1]


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"reward": lambda x: 1.0}, "parameters that say"),
        ({"reward": lambda sample: None}, "row 0: None"),
        ({"reward": lambda sample: float("nan")}, "row 0: nan"),
        ({"reward": lambda samples: [1.0]}, "spans for 1 of 8"),
        ({"tokenizer": object()}, "a fast tokenizer"),
        ({"policy": language_model()}, "LlamaForCausalLM as policy"),
        ({"policy": "a/path"}, "a str as policy"),
        ({"prompts": ["a", None]}, "prompt 1"),
        (
            {"eval_prompts": ["a", "a " * 70], "settings": quick(max_prompt_tokens=80)},
            "prompt 1 .* 70 tokens",
        ),
    ],
)
def test_nothing_is_learnt_before_a_refusal(change: dict[str, Any], said: str) -> None:
    policy = policy_of()
    before = [one.clone() for one in policy.parameters()]
    given: dict[str, Any] = {
        "policy": policy, "tokenizer": tokenizer(), "prompts": list(PROMPTS), "reward": lambda sample: 1.0,
        "settings": quick(), "eval_prompts": None,
    }  # fmt: skip
    with pytest.raises((SettingsError, DataError), match=said):
        train_policy(**given | change, folder=None)
    assert all(torch.equal(one, old) for one, old in zip(policy.parameters(), before, strict=True))


def test_a_policy_that_is_refused_is_named_when_it_is_loaded(tmp_path: Any) -> None:
    model_of("Bert", SIZES).save_pretrained(tmp_path)
    with pytest.raises(ModelError, match="BertLMHeadModel"):
        ValuedPolicy.load(ModelSettings(str(tmp_path), device="cpu"))
