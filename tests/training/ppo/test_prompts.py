"""Prompts as tokens: the chat template where there is one, budgets that keep its headers, rows that it refuses."""

from __future__ import annotations

from typing import Any

import pytest
import transformers
from tiny_classifiers import SIZES
from tiny_templates import CHATML, GEMMA, templated

from workbench.core.errors import DataError, SettingsError
from workbench.models import ModelSettings
from workbench.training.ppo import PPOSettings, ValuedPolicy
from workbench.training.ppo.prompts import encode_prompts


@pytest.fixture(scope="module")
def policy(tmp_path_factory: pytest.TempPathFactory) -> ValuedPolicy:
    folder = tmp_path_factory.mktemp("policy")
    config = transformers.LlamaConfig(**SIZES, vocab_size=len(templated(CHATML)))
    transformers.AutoModelForCausalLM.from_config(config).save_pretrained(folder)
    return ValuedPolicy.load(ModelSettings(str(folder), device="cpu"))


def texts(policy: ValuedPolicy, tokenizer: Any, prompts: list[str], **settings: Any) -> list[str]:
    found = encode_prompts(prompts, tokenizer, policy, PPOSettings(max_new_tokens=8, **settings))
    return [str(tokenizer.decode(one.tokens)) for one in found]


def test_a_chat_template_is_used_where_there_is_one_and_no_other_is_named(policy: ValuedPolicy) -> None:
    chat, base = templated(CHATML), templated("")
    asked = ["<|im_start|>user\nHay?<|im_end|>\n<|im_start|>assistant\n"]
    assert texts(policy, chat, ["Hay?"]) == texts(policy, chat, ["Hay?"], chat=True) == asked
    assert texts(policy, chat, ["Hay?"], chat=False) == texts(policy, base, ["Hay?"]) == ["<s>Hay?"]
    assert texts(policy, chat, ["Hay?"], template="Q: {prompt}") == ["<s>Q: Hay?"]
    with pytest.raises(SettingsError, match="no chat template"):
        texts(policy, base, ["Hay?"], chat=True)


def test_a_long_prompt_keeps_first_token_and_headers_and_tells_what_it_lost(policy: ValuedPolicy) -> None:
    tokenizer = templated(GEMMA)
    settings = PPOSettings(max_new_tokens=8, max_prompt_tokens=30)
    long, short = encode_prompts(["Hay? " * 40, "Hay?"], tokenizer, policy, settings)
    text = tokenizer.decode(long.tokens)
    assert text.startswith("<s><start_of_turn>user\n")
    assert text.endswith("Hay? Hay?<end_of_turn>\n<start_of_turn>model\n")
    (whole,) = encode_prompts(["Hay? " * 40], tokenizer, policy, PPOSettings(max_new_tokens=8))
    assert (long.lost, short.lost) == (len(whole.tokens) - len(long.tokens), 0) and len(long.tokens) <= 30


@pytest.mark.parametrize("template", ["{prompt}", "[INST] {prompt} [/INST]", "Instruct: {prompt}\nOutput:"])
@pytest.mark.parametrize(("cut", "kept"), [("beginning", "hay?"), ("end", "Who")])
def test_a_long_prompt_in_a_plain_template_is_cut_inside_what_it_says(policy, template, cut, kept) -> None:
    tokenizer, said = templated(""), "Who eats" + " grass or" * 60 + " hay?"
    settings = PPOSettings(max_new_tokens=8, max_prompt_tokens=40, template=template, cut=cut)
    with pytest.warns(UserWarning, match=f"2 prompts, of which 1 lost their {cut}, "):
        long, short = encode_prompts([said, "Hay?"], tokenizer, policy, settings)
    before, after = template.split("{prompt}")
    text = tokenizer.decode(long.tokens).removeprefix("<s>")
    assert text.startswith(before) and text.endswith(after)
    words = text.removeprefix(before).removesuffix(after)
    assert words.startswith(kept) if cut == "end" else words.endswith(kept)
    assert len(long.tokens) == 40 and long.lost > 100 and short.lost == 0


def test_where_the_question_stands_first_the_end_of_the_users_turn_goes(policy: ValuedPolicy) -> None:
    tokenizer = templated(GEMMA)
    settings = PPOSettings(max_new_tokens=8, max_prompt_tokens=40, cut="end")
    with pytest.warns(UserWarning, match="lost their end"):
        (long,) = encode_prompts(["Who eats" + " grass" * 60], tokenizer, policy, settings)
    text = tokenizer.decode(long.tokens)
    assert text.startswith("<s><start_of_turn>user\nWho eats") and len(long.tokens) <= 40
    assert text.endswith("<end_of_turn>\n<start_of_turn>model\n")


def test_a_budget_smaller_than_the_template_still_holds(policy: ValuedPolicy) -> None:
    for cut in ("beginning", "end"):
        settings = PPOSettings(
            max_new_tokens=8, max_prompt_tokens=5, template="[INST] {prompt} [/INST]", cut=cut
        )
        with pytest.warns(UserWarning):
            (one,) = encode_prompts(["Who eats hay?"], templated(""), policy, settings)
        assert len(one.tokens) == 5
    with pytest.raises(SettingsError, match="cut 'middle'"):
        PPOSettings(cut="middle")


def test_rows_that_cannot_be_asked_are_named(policy: ValuedPolicy) -> None:
    refused = "System: Be brief.\n\nHuman: Hay?"
    with pytest.raises(DataError, match=r"prompt 1 .*System role not supported"):
        texts(policy, templated(GEMMA), ["Hay?", refused])
    with pytest.raises(DataError, match=r"half a character in prompt 1 "):
        texts(policy, templated(CHATML), ["Hay?", "\ud83c"])
