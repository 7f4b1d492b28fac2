"""Special tokens stand where the tokenizer itself puts them, whatever they are called."""

from __future__ import annotations

from typing import Any

import pytest
from tiny_policies import WORDS, policy_of, quick
from tiny_policies import tokenizer as word_level
from tiny_templates import templated
from tokenizers import processors

from workbench.generators.completion import Prompt
from workbench.generators.huggingface import HuggingFaceText
from workbench.models.encoding import EncodingSettings, encode
from workbench.models.tokenizing import around_tokens
from workbench.rewards import Sample
from workbench.rewards.span_encoding import SpanSettings, encode_segments
from workbench.training.ppo.prompts import allowed_tokens, encode_prompts

PLACES = {
    "Llama": ("<s> $A", "<s>", ["<s>"], []),
    "OPT": ("</s> $A", "</s>", ["</s>"], []),  # begins and ends texts by the same token
    "T5": ("$A </s>", None, [], ["</s>"]),
    "T5, begin and end the same": ("$A </s>", "</s>", [], ["</s>"]),
    "BERT": ("<s> $A </s>", None, ["<s>"], ["</s>"]),  # its special tokens are neither begin nor end
    "mBART": ("$A </s> <|user|>", None, [], ["</s>", "<|user|>"]),  # a language behind the end
    "NLLB": ("<|user|> $A </s>", None, ["<|user|>"], ["</s>"]),
    "ChatGLM": ("<|user|> <|system|> $A", None, ["<|user|>", "<|system|>"], []),
    "GPT-2": ("$A", "</s>", [], []),
}


def placing(name: str) -> tuple[Any, list[str], list[str]]:
    """Return a tokenizer, and what it puts before and behind each text."""
    single, begin, before, after = PLACES[name]
    tokenizer = templated("")
    tokenizer.chat_template = None
    named = [(token, tokenizer.convert_tokens_to_ids(token)) for token in single.split() if token != "$A"]
    processor = processors.TemplateProcessing(single=single, special_tokens=named)
    tokenizer.backend_tokenizer.post_processor = processor
    tokenizer.bos_token = begin
    return tokenizer, before, after


@pytest.mark.parametrize("name", PLACES)
def test_special_tokens_stand_where_the_tokenizer_puts_them(name: str) -> None:
    tokenizer, before, after = placing(name)
    found = [tokenizer.convert_ids_to_tokens(part) for part in around_tokens(tokenizer)]
    assert found == [before, after]
    text = ["W", "h", "y", "?"]
    (encoded,) = encode(
        [("Why?", "So")],
        tokenizer,
        EncodingSettings(template="{prompt}", separator="", max_tokens=32, max_prompt_tokens=9),
    )
    tokens = tokenizer.convert_ids_to_tokens(encoded.tokens.tolist())
    assert tokens == [*before, *text, "S", "o", "</s>"]  # the response's own end
    (span,) = encode_segments(
        [Sample("Why?", "So")], [[(0, 2)]], tokenizer, SpanSettings(template="{prompt}")
    )
    spanned = tokenizer.convert_ids_to_tokens(span.tokens)
    assert spanned == [*before, "Ġ", *text, "Ġ", "S", "o", *after]
    generator = HuggingFaceText("none")
    generator._tokenizer = tokenizer
    asked = generator._encoded(Prompt("Why?"), "completion", None)
    assert tokenizer.convert_ids_to_tokens(asked) == [*before, *text]  # nothing ends what is to be continued


@pytest.mark.parametrize("name", PLACES)
@pytest.mark.parametrize("kind", ["decoder-only", "encoder-decoder"])
def test_a_policy_reads_a_prompt_as_its_tokenizer_writes_it(name: str, kind: str) -> None:
    tokenizer, before, after = placing(name)
    policy = policy_of(kind, rows=len(tokenizer))
    (prompt,) = encode_prompts(["Why?"], tokenizer, policy, quick())
    after = after if kind == "encoder-decoder" else []
    assert tokenizer.convert_ids_to_tokens(prompt.tokens) == [*before, "W", "h", "y", "?", *after]


def test_tokens_that_the_tokenizer_has_not_are_never_sampled_wherever_they_stand() -> None:
    tokenizer = word_level([*WORDS[:-1], "z", "."])
    tokenizer.backend_tokenizer.model = type(tokenizer.backend_tokenizer.model)(
        {**{word: place for place, word in enumerate(WORDS[:-1])}, ".": 10}, unk_token="<pad>"
    )
    policy = policy_of(rows=4)
    allowed = allowed_tokens(policy, tokenizer, quick())
    assert allowed is not None and allowed.tolist() == [True] * 8 + [False, False, True, False, False]
