"""Chat templates of several kinds: what they take."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from tiny_model import make_tiny_model
from transformers import AutoTokenizer

from workbench.core.errors import GeneratorError
from workbench.generators.templates import chat_text

MESSAGES = [{"role": "system", "content": "Only code."}, {"role": "user", "content": "Double it."}]
TURNS = "{% for m in messages %}<|{{ m['role'] }}|>{{ m['content'] }}<turn_end>\n{% endfor %}"
REFUSES = (
    "{% if messages[0]['role'] == 'system' %}{{ raise_exception('System role not supported') }}{% endif %}"
)
SKIPS = "{% for m in messages if m['role'] != 'system' %}<|{{ m['role'] }}|>{{ m['content'] }}{% endfor %}"


@pytest.fixture(scope="module")
def tokenizer(tmp_path_factory: pytest.TempPathFactory) -> Any:
    special = ["<|user|>", "<|assistant|>", "<|system|>", "<turn_end>"]
    return AutoTokenizer.from_pretrained(
        make_tiny_model(Path(tmp_path_factory.mktemp("model")), chat=True, special=special)
    )


def test_a_system_turn_is_kept_where_the_template_writes_it(tokenizer: Any) -> None:
    tokenizer.chat_template = TURNS
    assert chat_text(tokenizer, MESSAGES) == "<|system|>Only code.<turn_end>\n<|user|>Double it.<turn_end>\n"


@pytest.mark.parametrize("template", [REFUSES + TURNS, SKIPS])
def test_an_instruction_that_would_be_refused_or_lost_stands_in_the_users_turn(
    tokenizer: Any, template: str
) -> None:
    tokenizer.chat_template = template
    assert chat_text(tokenizer, MESSAGES).startswith("<|user|>Only code.\n\nDouble it.")


def test_a_template_that_takes_no_user_either_is_named(tokenizer: Any) -> None:
    tokenizer.chat_template = "{{ raise_exception('no') }}"
    with pytest.raises(GeneratorError, match="refuses a user's turn"):
        chat_text(tokenizer, MESSAGES)
