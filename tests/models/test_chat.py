"""Chat templates of several kinds: one text for training, scoring and judging, which begins and ends as they do."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tiny_templates import CHATML, ENDLESS, GEMMA, LLAMA, TEMPLATES, THINKS, templated

from workbench.core.errors import DataError, GeneratorError, SettingsError
from workbench.datasets import PreferencePair
from workbench.datasets.messages import Message, prompt_of
from workbench.models.chat import asked_part, chat_text, prompt_part, render
from workbench.models.encoding import EncodingSettings, described, encode, settled
from workbench.models.tokenizing import chat_prompts
from workbench.training.pairs import encode_pairs

CHAT = EncodingSettings(chat=True, max_tokens=400, max_prompt_tokens=200)
LONG = [Message("user", "The cow. " * 30), Message("assistant", "Moo. " * 30), Message("user", "Hay? " * 30)]


@pytest.fixture(scope="module", params=TEMPLATES)
def tokenizer(request: pytest.FixtureRequest) -> Any:
    return templated(TEMPLATES[request.param])


EVERY = "{% for m in messages"


def plain(tokenizer: Any, turns: list[Message], response: str) -> list[int]:
    """Return what transformers makes of a conversation, and so what a model is trained on."""
    messages: list[Any] = [{"role": one.role, "content": one.content} for one in turns]
    messages.append({"role": "assistant", "content": response})
    if "part" in tokenizer.chat_template:
        for one in messages:
            one["content"] = [{"type": "text", "text": one["content"]}]
    ids: list[int] = tokenizer.apply_chat_template(messages, tokenize=True, return_dict=False)
    return ids


def wholly(tokenizer: Any, turns: list[Message], response: str, how: EncodingSettings = CHAT) -> str:
    (text,) = encode([(prompt_of(turns), response)], tokenizer, how)
    return str(tokenizer.decode(text.tokens))


@pytest.mark.parametrize(
    "turns", [LONG[2:], [Message("user", "a"), Message("assistant", "b"), Message("user", "c")]]
)
@pytest.mark.parametrize("response", ["So.", " Two words\n", "Grass 🌾."])
def test_the_tokens_are_those_of_transformers(tokenizer: Any, turns: list[Message], response: str) -> None:
    (text,) = encode([(prompt_of(turns), response)], tokenizer, settled(None, tokenizer))
    assert text.tokens.tolist() == plain(tokenizer, turns, response)
    assert response.strip() in tokenizer.decode(text.tokens[text.prompt_tokens :])


@settings(max_examples=30, deadline=None)
@given(response=st.text(alphabet=st.characters(exclude_categories=["C"]), min_size=1, max_size=20))
def test_a_prompt_is_the_same_before_every_response(tokenizer: Any, response: str) -> None:
    texts = encode([("Why?", "So."), ("Why?", response)], tokenizer, CHAT)
    one, other = (text.tokens[: text.prompt_tokens].tolist() for text in texts)
    assert one == other and len(texts[1].tokens) > len(other)


@pytest.mark.parametrize(
    ("template", "end"),
    [
        (CHATML, "<|im_end|>\n"),
        (GEMMA, "<end_of_turn>\n"),
        (LLAMA, " </s>"),
        (THINKS, "</s>"),
        (ENDLESS, "</s>"),  # the template writes no end: the policy has to learn one
    ],
)
def test_a_text_ends_where_the_template_ends_a_turn(template: str, end: str) -> None:
    turns = [Message("user", "Why?")]
    assert wholly(templated(template), turns, "So.").endswith("So." + end)
    without = wholly(templated(template), turns, "So.", EncodingSettings(chat=True, end_token=False))
    assert without.endswith("So.")


def test_three_models() -> None:
    """The table of `workbench.models.chat`."""
    base = templated("")
    assert base.decode(encode([("Why?", "So.")], base, EncodingSettings())[0].tokens) == (
        "<s>Instruct: Why?\nOutput: So.</s>"
    )
    turns = [Message("user", "Why?")]
    begun = "<|im_start|>user\nWhy?<|im_end|>\n<|im_start|>assistant\n"
    assert wholly(templated(CHATML), turns, "So.") == begun + "So.<|im_end|>\n"
    begun = "<s><start_of_turn>user\nWhy?<end_of_turn>\n<start_of_turn>model\n"
    assert wholly(templated(GEMMA), turns, "So.") == begun + "So.<end_of_turn>\n"


def test_the_template_is_used_where_there_is_one_and_no_other_is_named() -> None:
    chat, base = templated(CHATML), templated("")
    assert settled(EncodingSettings(), chat).chat is True and settled(EncodingSettings(), base).chat is False
    assert settled(EncodingSettings(template="{prompt}"), chat).chat is False
    assert settled(EncodingSettings(chat=False), chat).chat is False
    assert "by the tokenizer's chat template" in described(EncodingSettings(), chat)
    assert "is not used (--chat does)" in described(EncodingSettings(template="{prompt}"), chat)
    assert described(EncodingSettings(), base).startswith(
        "texts: 'Instruct: {prompt}\\nOutput: ', then the response"
    )
    with pytest.raises(SettingsError, match="no chat template"):
        settled(EncodingSettings(chat=True), base)


@pytest.mark.parametrize("turns", [LONG, LONG[2:]], ids=["dialogue", "one turn"])
@pytest.mark.parametrize("room", [30, 50])
def test_a_long_prompt_is_cut_inside_what_was_said(tokenizer: Any, turns: list[Message], room: int) -> None:
    how = EncodingSettings(chat=True, max_tokens=400, max_prompt_tokens=room)
    texts = [(prompt_of(turns), "So."), ("Hay?", "So.")]
    long, short = found = encode(texts, tokenizer, how)
    assert found.report.prompts_cut == 1 and found.cut == (True, False)
    whole = encode(texts, tokenizer, EncodingSettings(chat=True, max_tokens=4000, max_prompt_tokens=2000))[0]
    assert found.report.prompt_tokens_cut == whole.prompt_tokens - long.prompt_tokens > 0
    assert room - 3 <= long.prompt_tokens <= room  # nothing is cut for nothing
    prompt, other = (str(tokenizer.decode(one.tokens[: one.prompt_tokens])) for one in (long, short))
    before, after = other.split("Hay?")
    assert prompt.startswith(before) and prompt.endswith(after)  # the first token, and both headers
    assert "Hay? Hay?" in prompt
    assert long.tokens[long.prompt_tokens :].tolist() == short.tokens[short.prompt_tokens :].tolist()


def test_instructions_and_the_newest_turns_stay_longest() -> None:
    tokenizer = templated(CHATML)
    turns = [Message("system", "Be brief."), *LONG]
    kept = wholly(tokenizer, turns, "So.", EncodingSettings(chat=True, max_tokens=400, max_prompt_tokens=95))
    assert kept.startswith("<|im_start|>system\nBe brief.<|im_end|>\n<|im_start|>user\n")
    assert "Moo" not in kept and "cow" not in kept and "Hay? Hay? <|im_end|>" in kept
    turns = [Message("system", "The cow. " * 60), Message("user", "Hay? " * 30)]
    kept = wholly(tokenizer, turns, "So.", EncodingSettings(chat=True, max_tokens=400, max_prompt_tokens=90))
    assert "The cow. <|im_end|>\n<|im_start|>user\n" in kept and 5 < kept.count("Hay?") < 30


def test_a_budget_that_headers_alone_exceed_is_refused() -> None:
    how = EncodingSettings(chat=True, max_prompt_tokens=5)
    with pytest.raises(SettingsError, match=r"max_prompt_tokens 5: the chat template alone takes \d+"):
        encode([("a", "b")], templated(CHATML), how)


@pytest.mark.parametrize("template", [GEMMA, LLAMA])
@pytest.mark.parametrize(
    ("turns", "said"),
    [
        ([Message("system", "Be brief."), Message("user", "Hay?")], "System role not supported"),
        ([Message("user", "Hay?"), Message("user", "Grass?")], "roles must alternate"),
    ],
)
def test_turns_that_the_template_refuses_are_named_by_row(
    template: str, turns: list[Message], said: str
) -> None:
    tokenizer = templated(template)
    with pytest.raises(DataError, match=f"text 1, 2 .*{said}") as caught:
        encode([("Hay?", "So."), *[(prompt_of(turns), "So.")] * 2], tokenizer, CHAT)
    assert "--no-chat" in caught.value.fix
    pairs = [PreferencePair("Hay?", "Yes.", "No.", "x"), PreferencePair(prompt_of(turns), "Yes.", "No.", "x")]
    with pytest.raises(DataError, match=f"pair 1 .*{said}"):
        encode_pairs(pairs, tokenizer, CHAT)


def test_a_turn_that_the_template_leaves_out_is_refused() -> None:
    tokenizer = templated(
        CHATML.replace("{% for m in messages %}", "{% for m in messages if m['role'] != 'system' %}")
    )
    with pytest.raises(DataError, match=r"text 0 .*leaves out what the system's turn says"):
        encode([("System: Be brief.\n\nHuman: Hay?", "So.")], tokenizer, CHAT)


MESSAGES = [{"role": "system", "content": "Only code."}, {"role": "user", "content": "Double it."}]


@pytest.mark.parametrize("template", [GEMMA, CHATML.replace(EVERY, EVERY + " if m['role'] != 'system'")])
def test_an_instruction_of_ours_that_would_be_refused_or_lost_stands_in_the_users_turn(template: str) -> None:
    assert "user\nOnly code.\n\nDouble it." in chat_text(templated(template), MESSAGES)


def test_an_instruction_of_ours_is_kept_where_the_template_writes_it() -> None:
    text = chat_text(templated(CHATML), MESSAGES)
    assert text.startswith("<|im_start|>system\nOnly code.<|im_end|>\n<|im_start|>user\nDouble it.")


def test_a_template_that_takes_no_user_either_is_named() -> None:
    with pytest.raises(GeneratorError, match="refuses a user's turn"):
        chat_text(templated("{{ raise_exception('no') }}"), MESSAGES)


@pytest.mark.parametrize("how", [CHAT, EncodingSettings(chat=False)], ids=["chat", "plain"])
def test_half_an_emoji_is_named_by_row(how: EncodingSettings) -> None:
    tokenizer, half = templated(CHATML), "\U0001f33e".encode("utf-16", "surrogatepass").decode("utf-16")[:1]
    assert encode([(half, half)], tokenizer, how)  # a whole one is fine
    for text in (("Hay?", "Grass \ud83c"), ("\udf3e?", "So.")):
        with pytest.raises(DataError, match=r"half a character in text 1 \(counted from 0\)"):
            encode([("Hay?", "So."), text], tokenizer, how)
    with pytest.raises(DataError, match="half a character in pair 1 "):
        encode_pairs(
            [PreferencePair("a", "b", "c", "x"), PreferencePair("a", "\ud83c", "c", "x")], tokenizer, how
        )


HEADERLESS = "{% for m in messages %}<|im_start|>{{ m['role'] }}\n{{ m['content'] }}<|im_end|>\n{% endfor %}"


def test_a_template_that_begins_no_turn_is_given_the_header_that_it_writes_before_a_response() -> None:
    bare, whole = templated(HEADERLESS), templated(CHATML)
    turns = [Message("user", "Why?")]
    assert render(bare, turns, prompt=True) == "<|im_start|>user\nWhy?<|im_end|>\n"
    asked = "<|im_start|>user\nWhy?<|im_end|>\n<|im_start|>assistant\n"
    assert asked_part(bare, turns) == asked_part(whole, turns) == prompt_part(bare, turns) == asked
    assert chat_text(bare, [{"role": "user", "content": "Why?"}]) == asked
    assert chat_prompts(["Why?"], bare, 99) == chat_prompts(["Why?"], whole, 99)
    (one,), (other,) = (encode([("Why?", "So.")], each, CHAT) for each in (bare, whole))
    assert one.tokens.tolist() == other.tokens.tolist() and one.prompt_tokens == other.prompt_tokens
    llama = templated(LLAMA)  # a space alone is no header
    assert asked_part(llama, turns) == render(llama, turns, prompt=True)


def test_a_template_that_writes_what_was_said_otherwise_once_it_is_answered_is_refused() -> None:
    counts = templated("{{ messages | length }} turns\n" + CHATML)
    with pytest.raises(DataError, match=r"text 0 .* in another way once there is a response"):
        encode([("Why?", "So.")], counts, CHAT)
