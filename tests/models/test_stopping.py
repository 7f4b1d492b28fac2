"""Stop tokens: of the configurations, and of the turns that a template writes, by rendering it."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from tiny_model import make_tiny_model
from tokenizers import Tokenizer, models, pre_tokenizers
from transformers import AutoTokenizer, LlamaConfig, LlamaForCausalLM, PreTrainedTokenizerFast, T5Config
from transformers import T5ForConditionalGeneration as T5

from workbench.models.stopping import TurnEnd, stop_token_ids, turn_end

PLAIN = ("<pad>", "<eos>", "a", "b")
ADDED = (
    "<|im_start|>",
    "<|im_end|>",
    "<end_of_turn>",
    "<|return|>",
    "<|user|>",
    "<|assistant|>",
    "<s>",
    "</s>",
)
CHATML = (
    "{% for m in messages %}<|im_start|>{{ m['role'] }}\n{{ m['content'] }}<|im_end|>\n{% endfor %}"
    "{% if add_generation_prompt %}<|im_start|>assistant\n{% endif %}"
)
GEMMA = (
    "{% if messages[0]['role'] == 'system' %}{{ raise_exception('System role not supported') }}{% endif %}"
    "{% for m in messages %}<|user|>{{ m['content'] | trim }}<end_of_turn>\n{% endfor %}"
)
LLAMA2 = (
    "{% for m in messages %}{% if m['role'] == 'user' %}<s>[INST] {{ m['content'] }} [/INST]"
    "{% else %} {{ m['content'] }} </s>{% endif %}{% endfor %}"
)
GLM = "{% for m in messages %}<|{{ m['role'] }}|>\n{{ m['content'] }}{% endfor %}"
HARMONY = (
    "{% for m in messages %}<|im_start|>{{ m['role'] }}{{ m['content'] }}"
    "{% if loop.last and m['role'] == 'assistant' %}<|return|>{% else %}<|im_end|>{% endif %}{% endfor %}"
)
PARTS = (
    "{% for m in messages %}{% if m['content'] is string %}{{ raise_exception('parts!') }}{% endif %}"
    "{% for part in m['content'] %}{{ part['text'] }}{% endfor %}<end_of_turn>\n{% endfor %}"
)
VICUNA = "{% for m in messages %}{{ m['role'] | upper }}: {{ m['content'] }}\n{% endfor %}"


def tokenizer(template: str | None = None, *, words: tuple[str, ...] = (), eos: str | None = "<eos>") -> Any:
    """Make a tokenizer of words; `words` are of its plain vocabulary, neither special nor added."""
    vocabulary = {word: number for number, word in enumerate((*PLAIN, *words))}
    made = Tokenizer(models.WordLevel(vocabulary, unk_token="<pad>"))
    made.pre_tokenizer = pre_tokenizers.WhitespaceSplit()
    fast = PreTrainedTokenizerFast(tokenizer_object=made, pad_token="<pad>", unk_token="<pad>", eos_token=eos)
    if not words:
        fast.add_tokens(list(ADDED), special_tokens=True)
    fast.chat_template = template
    return fast


def model(ends: Any, own: int | None = 1) -> Any:
    config = LlamaConfig(
        vocab_size=16, hidden_size=8, intermediate_size=8, num_hidden_layers=1, num_attention_heads=1,
        pad_token_id=0, bos_token_id=None, eos_token_id=own,
    )  # fmt: skip
    made = LlamaForCausalLM(config)
    made.generation_config.eos_token_id = ends
    return made


def named(tokens: tuple[int, ...], words: Any) -> list[str]:
    return [str(words.convert_ids_to_tokens(token)) for token in tokens]


@pytest.mark.parametrize(
    ("template", "ends"),
    [
        (CHATML, ["<|im_end|>"]),
        (GEMMA, ["<end_of_turn>"]),
        (LLAMA2, ["</s>"]),
        (GLM, ["<|user|>"]),  # nothing ends a turn but the next one
        (HARMONY, ["<|im_end|>", "<|return|>"]),  # in the middle, and at the end
        (PARTS, ["<end_of_turn>"]),
        (VICUNA, []),  # by text: no token
        ("{{ raise_exception('never') }}", []),
        ("{{ messages[9]['content'].strip() }}", []),
        ("{% if %}", []),  # no template at all
        (None, []),
    ],
)
def test_the_end_of_a_turn_is_what_the_template_writes(template: str | None, ends: list[str]) -> None:
    words = tokenizer(template)
    assert named(turn_end(words).tokens, words) == ends


def test_a_turn_may_end_by_a_mark_of_the_plain_vocabulary_but_not_by_a_word() -> None:
    marked = tokenizer(
        "{% for m in messages %}{{ m['content'] }} </turn> {% endfor %}", words=("</turn>", "over")
    )
    assert named(turn_end(marked).tokens, marked) == ["</turn>"]
    marked.chat_template = "{% for m in messages %}{{ m['content'] }} over {% endfor %}"
    assert turn_end(marked).tokens == ()
    marked.chat_template = "{% for m in messages %}{{ m['content'] }} <unknown> {% endfor %}"
    assert turn_end(marked).tokens == (), "the unknown token ends nothing"


def test_all_that_configurations_name_ends_a_response() -> None:
    words = tokenizer(CHATML)
    assert stop_token_ids(model([1, 9]), words) == (1, words.convert_tokens_to_ids("<|im_end|>"), 9)
    assert stop_token_ids(model(7), tokenizer()) == (1, 7)
    assert stop_token_ids(model(None, own=6), tokenizer()) == (1, 6), (
        "no generation settings: the configuration's"
    )
    assert stop_token_ids(model(-1, own=None), tokenizer(eos=None)) == ()


def test_encoder_decoders_end_as_well() -> None:
    config = T5Config(vocab_size=16, d_model=8, d_kv=4, d_ff=8, num_layers=1, num_heads=2, eos_token_id=3)
    assert stop_token_ids(T5(config), tokenizer()) == (1, 3)


TURNS = "{% for m in messages %}<|{{ m['role'] }}|>{{ m['content'] }}<turn_end>\n{% endfor %}"


@pytest.fixture
def bytes_tokenizer(tmp_path: Path) -> Any:
    special = ["<|user|>", "<|assistant|>", "<turn_end>", "<over>", "<out>"]
    return AutoTokenizer.from_pretrained(make_tiny_model(tmp_path, special=special))


def stub(of_generation: Any, of_config: Any = None) -> Any:
    return SimpleNamespace(
        generation_config=SimpleNamespace(eos_token_id=of_generation),
        config=SimpleNamespace(eos_token_id=of_config),
    )


def test_all_end_tokens_that_a_checkpoint_names_count(bytes_tokenizer: Any) -> None:
    eos, over, out = (bytes_tokenizer.convert_tokens_to_ids(one) for one in ("<eos>", "<over>", "<out>"))
    assert stop_token_ids(stub(over), bytes_tokenizer) == (eos, over)
    assert stop_token_ids(stub([over, eos]), bytes_tokenizer) == (eos, over)
    assert stop_token_ids(stub((over,), [out]), bytes_tokenizer) == (eos, over, out)
    assert stop_token_ids(stub(None), bytes_tokenizer) == (eos,)
    assert stop_token_ids(SimpleNamespace(config=SimpleNamespace(eos_token_id=out)), bytes_tokenizer) == (
        eos,
        out,
    )
    bytes_tokenizer.eos_token = None
    assert stop_token_ids(stub(None), bytes_tokenizer) == ()


def test_a_template_adds_its_end_of_turn_where_it_is_asked_by(bytes_tokenizer: Any) -> None:
    eos, end = (bytes_tokenizer.convert_tokens_to_ids(one) for one in ("<eos>", "<turn_end>"))
    assert stop_token_ids(stub(None), bytes_tokenizer) == (eos,)  # no template
    bytes_tokenizer.chat_template = TURNS
    assert stop_token_ids(stub(None), bytes_tokenizer) == (eos, end)
    assert stop_token_ids(stub(None), bytes_tokenizer, chat=False) == (eos,)


def test_the_end_of_a_turn_is_a_token_or_a_text_or_nothing(bytes_tokenizer: Any) -> None:
    bytes_tokenizer.chat_template = TURNS
    assert turn_end(bytes_tokenizer) == TurnEnd(tokens=(bytes_tokenizer.convert_tokens_to_ids("<turn_end>"),))
    bytes_tokenizer.chat_template = TURNS.replace("<turn_end>", " [/ANSWER] ")
    assert turn_end(bytes_tokenizer) == TurnEnd(texts=("[/ANSWER]",))
    bytes_tokenizer.chat_template = TURNS.replace("<turn_end>", "")
    (following,) = turn_end(bytes_tokenizer).tokens  # the next turn's start
    assert following == bytes_tokenizer.convert_tokens_to_ids("<|user|>")
    bytes_tokenizer.chat_template = "{{ raise_exception('no') }}"
    assert turn_end(bytes_tokenizer) == TurnEnd()
