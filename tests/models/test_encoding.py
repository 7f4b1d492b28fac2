"""Texts as tokens: the boundary between prompt and response, budgets, what was cut, batches."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from tiny_model import make_tiny_model
from transformers import AutoTokenizer

from workbench.core.errors import DataError, ModelError, SettingsError
from workbench.models.encoding import (
    EncodingSettings,
    collate,
    encode,
    load_encoding,
    prompt_text,
    save_encoding,
)

PLAIN = EncodingSettings(
    template="{prompt}", separator="", max_tokens=8, max_prompt_tokens=4, end_token=False
)


@pytest.fixture(scope="module")
def tokenizer(tmp_path_factory: pytest.TempPathFactory) -> Any:
    folder = make_tiny_model(tmp_path_factory.mktemp("tiny"), chat=True, special=["<bos>"])
    return AutoTokenizer.from_pretrained(folder)


@pytest.fixture(scope="module")
def with_bos(tokenizer: Any) -> Any:
    """Return a tokenizer that puts a token before and one after each text, as Llama's can."""
    from copy import deepcopy

    from tokenizers.processors import TemplateProcessing

    copy = deepcopy(tokenizer)
    copy.bos_token = "<bos>"
    ids = [(token, copy.convert_tokens_to_ids(token)) for token in ("<bos>", "<eos>")]
    copy.backend_tokenizer.post_processor = TemplateProcessing(single="<bos> $A <eos>", special_tokens=ids)
    assert copy("x")["input_ids"][0] == copy.bos_token_id
    return copy


def words(tokenizer: Any, ids: Any) -> list[str]:
    return [tokenizer.decode([token]) for token in ids]


def test_the_papers_template_and_budgets(tokenizer: Any) -> None:
    (text,), report = encode([("Why?", "So.")], tokenizer).texts, encode([("Why?", "So.")], tokenizer).report
    assert tokenizer.decode(text.tokens[: text.prompt_tokens]) == "Instruct: Why?\nOutput:"
    assert tokenizer.decode(text.tokens[text.prompt_tokens :]) == " So.<eos>"
    assert "nothing was cut" in str(report)
    assert (EncodingSettings().max_tokens, EncodingSettings().max_prompt_tokens) == (512, 128)


def test_a_prompt_may_lose_its_end_instead_and_the_template_stays(tokenizer: Any) -> None:
    ends = EncodingSettings("<{prompt}>", "", max_tokens=9, max_prompt_tokens=5, end_token=False, cut="end")
    found = encode([("abcdef", "uvwxyz"), ("abc", "uv")], tokenizer, ends)
    assert [tokenizer.decode(text.tokens) for text in found] == ["<abc>uvwx", "<abc>uv"]
    assert (found.report.prompts_cut, found.report.prompt_tokens_cut) == (1, 3)
    assert "1 prompts (50.0%) lost their end, 3 tokens on average" in str(found.report)
    tiny = encode(
        [("abcdef", "u")], tokenizer, EncodingSettings("{prompt}!!", "", max_prompt_tokens=1, cut="end")
    )
    assert tiny[0].prompt_tokens == 1
    with pytest.raises(SettingsError, match="cut 'middle'"):
        EncodingSettings(cut="middle")
    with pytest.raises(SettingsError, match="without a chat template"):
        EncodingSettings(cut="end", chat=True)


def test_a_long_prompt_keeps_its_end_and_a_long_response_its_beginning(tokenizer: Any) -> None:
    found = encode([("abcdef", "uvwxyz"), ("ab", "uvwxyz"), ("ab", "uv")], tokenizer, PLAIN)
    assert [tokenizer.decode(text.tokens) for text in found] == ["cdefuvwx", "abuvwxyz", "abuv"]
    assert [text.prompt_tokens for text in found] == [4, 2, 2]
    report = found.report
    assert (report.texts, report.longest) == (3, 8)
    assert (report.prompts_cut, report.prompt_tokens_cut) == (1, 2)
    assert (report.responses_cut, report.response_tokens_cut) == (1, 2)
    said = str(report)
    assert "1 prompts (33.3%) lost their beginning, 2 tokens on average" in said
    assert "1 responses (33.3%) lost their end, 2 tokens on average" in said


def test_a_response_that_was_cut_has_no_end_token(tokenizer: Any) -> None:
    ends = EncodingSettings(template="{prompt}", separator="", max_tokens=8, max_prompt_tokens=4)
    found = encode([("abcd", "uvw"), ("abcd", "uvwx")], tokenizer, ends)
    assert [tokenizer.decode(text.tokens) for text in found] == ["abcduvw<eos>", "abcduvwx"]
    assert found.report.response_tokens_cut == 1


def test_the_first_token_stays_and_counts(with_bos: Any) -> None:
    (text,) = encode([("abcdef", "uv")], with_bos, PLAIN)
    assert words(with_bos, text.tokens) == ["<bos>", "d", "e", "f", "u", "v"]
    assert text.prompt_tokens == 4


@settings(max_examples=40, deadline=None)
@given(prompt=st.text(max_size=30), response=st.text(min_size=1, max_size=30))
def test_prompts_are_the_same_before_every_response(tokenizer: Any, prompt: str, response: str) -> None:
    one, other = encode([(prompt, response), (prompt, "other")], tokenizer)
    assert one.tokens[: one.prompt_tokens].tolist() == other.tokens[: other.prompt_tokens].tolist()
    alone = tokenizer(prompt_text(prompt, EncodingSettings()), add_special_tokens=False)["input_ids"]
    assert one.tokens[: one.prompt_tokens].tolist() == alone[-128:]
    assert tokenizer.decode(one.tokens[one.prompt_tokens : -1]) == tokenizer.decode(
        tokenizer(" " + response, add_special_tokens=False)["input_ids"]
    )


def test_a_template_may_hold_braces() -> None:
    assert prompt_text("x{y}", EncodingSettings(template='{"ask": "{prompt}"}')) == '{"ask": "x{y}"}'


def test_a_dialogue_in_the_chat_template(tokenizer: Any) -> None:
    chat = EncodingSettings(chat=True)
    (text,) = encode([("Human: a\n\nAssistant: b\n\nHuman: c", "d")], tokenizer, chat)
    assert tokenizer.decode(text.tokens) == "<|user|>a<|assistant|>b<|user|>c<|assistant|>d<eos>"


def test_chat_needs_a_template(tokenizer: Any) -> None:
    from copy import copy

    bare = copy(tokenizer)
    bare.chat_template = None
    with pytest.raises(SettingsError, match="no chat template"):
        encode([("a", "b")], bare, EncodingSettings(chat=True))


def test_a_batch_is_padded_to_its_longest_row(tokenizer: Any) -> None:
    batch = collate(encode([("ab", "uvw"), ("a", "u")], tokenizer, PLAIN).texts)
    assert batch.input_ids.shape == (2, 5) and batch.input_ids.dtype == torch.int64
    assert batch.attention_mask.tolist() == [[True] * 5, [True] * 2 + [False] * 3]
    assert batch.response_mask.tolist() == [
        [False, False, True, True, True],
        [False, True, False, False, False],
    ]
    assert batch.input_ids[1, 2:].tolist() == [0, 0, 0]
    assert tokenizer.decode(batch.input_ids[1, :2]) == "au"
    assert batch.to("cpu").input_ids.equal(batch.input_ids)


def test_many_texts_go_through_in_blocks(tokenizer: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    texts = [(f"p{number}", f"r{number}") for number in range(7)]
    whole = encode(texts, tokenizer, PLAIN)
    monkeypatch.setattr("workbench.models.encoding.BLOCK", 3)
    parts = encode(texts, tokenizer, PLAIN)
    assert [text.tokens.tolist() for text in parts] == [text.tokens.tolist() for text in whole]
    assert parts.report == whole.report


def test_a_response_or_a_prompt_without_tokens(tokenizer: Any) -> None:
    with pytest.raises(DataError, match="the response has no token in text 1, 2") as caught:
        encode([("a", "b"), ("a", ""), ("a", "")], tokenizer, PLAIN)
    assert "end_token=True" in caught.value.fix
    with pytest.raises(DataError, match="the prompt has no token in text 0 "):
        encode([("", "b")], tokenizer, PLAIN)


def test_no_end_token_to_append(tokenizer: Any) -> None:
    from copy import deepcopy

    endless = deepcopy(tokenizer)
    endless.eos_token = None
    with pytest.raises(ModelError, match="has no end token"):
        encode([("a", "b")], endless)


def test_settings_that_cannot_be_used_are_all_named() -> None:
    with pytest.raises(SettingsError) as caught:
        EncodingSettings(template="no slot", max_tokens=0, max_prompt_tokens=0)
    for name in ("template", "max_tokens", "max_prompt_tokens"):
        assert name in caught.value.got


def test_an_encoding_is_kept_beside_its_model(tmp_path: Path) -> None:
    assert load_encoding(tmp_path) is None
    save_encoding(PLAIN, tmp_path)
    assert load_encoding(tmp_path) == PLAIN
    for broken in ("{", '{"templates": "x"}', "[1]"):
        (tmp_path / "encoding.json").write_text(broken)
        with pytest.raises(DataError, match=r"encoding\.json"):
            load_encoding(tmp_path)
