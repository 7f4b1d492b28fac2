"""Where a model's text ends: tokens that the checkpoint names, in whatever form, and the template's end of turn."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from tiny_model import make_tiny_model
from transformers import AutoTokenizer

from workbench.models.stopping import TurnEnd, stop_token_ids, turn_end

TURNS = "{% for m in messages %}<|{{ m['role'] }}|>{{ m['content'] }}<turn_end>\n{% endfor %}"


@pytest.fixture
def tokenizer(tmp_path: Path) -> Any:
    special = ["<|user|>", "<|assistant|>", "<turn_end>", "<over>", "<out>"]
    return AutoTokenizer.from_pretrained(make_tiny_model(tmp_path, special=special))


def model(of_generation: Any, of_config: Any = None) -> Any:
    return SimpleNamespace(
        generation_config=SimpleNamespace(eos_token_id=of_generation),
        config=SimpleNamespace(eos_token_id=of_config),
    )


def test_all_end_tokens_that_a_checkpoint_names_count(tokenizer: Any) -> None:
    eos, over, out = (tokenizer.convert_tokens_to_ids(one) for one in ("<eos>", "<over>", "<out>"))
    assert stop_token_ids(model(over), tokenizer) == (eos, over)
    assert stop_token_ids(model([over, eos]), tokenizer) == (eos, over)
    assert stop_token_ids(model((over,), [out]), tokenizer) == (eos, over, out)
    assert stop_token_ids(model(None), tokenizer) == (eos,)
    assert stop_token_ids(SimpleNamespace(config=SimpleNamespace(eos_token_id=out)), tokenizer) == (eos, out)
    tokenizer.eos_token = None
    assert stop_token_ids(model(None), tokenizer) == ()


def test_a_template_adds_its_end_of_turn_where_it_is_asked_by(tokenizer: Any) -> None:
    eos, end = (tokenizer.convert_tokens_to_ids(one) for one in ("<eos>", "<turn_end>"))
    assert stop_token_ids(model(None), tokenizer) == (eos,)  # no template
    tokenizer.chat_template = TURNS
    assert stop_token_ids(model(None), tokenizer) == (eos, end)
    assert stop_token_ids(model(None), tokenizer, chat=False) == (eos,)


def test_the_end_of_a_turn_is_a_token_or_a_text_or_nothing(tokenizer: Any) -> None:
    tokenizer.chat_template = TURNS
    assert turn_end(tokenizer) == TurnEnd(tokens=(tokenizer.convert_tokens_to_ids("<turn_end>"),))
    tokenizer.chat_template = TURNS.replace("<turn_end>", " [/ANSWER] ")
    assert turn_end(tokenizer) == TurnEnd(texts=("[/ANSWER]",))
    tokenizer.chat_template = TURNS.replace("<turn_end>", "")
    assert turn_end(tokenizer) == TurnEnd()
    tokenizer.chat_template = "{{ raise_exception('no') }}"
    assert turn_end(tokenizer) == TurnEnd()
