"""Chat templates of the kinds that models come with, and a tokenizer that knows their marks."""

from __future__ import annotations

from typing import Any

import transformers
from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers

CHATML = (
    "{% for m in messages %}<|im_start|>{{ m['role'] }}\n{{ m['content'] }}<|im_end|>\n{% endfor %}"
    "{% if add_generation_prompt %}<|im_start|>assistant\n{% endif %}"
)
_BY_TURNS = (
    "{% if messages[0]['role'] == 'system' %}{{ raise_exception('System role not supported') }}{% endif %}"
    "{% for m in messages %}{% if (m['role'] == 'user') != (loop.index0 % 2 == 0) %}"
    "{{ raise_exception('Conversation roles must alternate user/assistant/user/assistant/...') }}{% endif %}"
)
GEMMA = (
    "{{ bos_token }}"
    + _BY_TURNS
    + "<start_of_turn>{{ 'model' if m['role'] == 'assistant' else m['role'] }}\n"
    "{{ m['content'] | trim }}<end_of_turn>\n{% endfor %}"
    "{% if add_generation_prompt %}<start_of_turn>model\n{% endif %}"
)
LLAMA = (
    "{{ bos_token }}" + _BY_TURNS + "{% if m['role'] == 'user' %}[INST] {{ m['content'] }} [/INST]"
    "{% else %} {{ m['content'] | trim }} {{ eos_token }}{% endif %}{% endfor %}"
)
THINKS = (  # what is to be written begins with a thought, what was written does not show it
    "{{ bos_token }}{% for m in messages %}<|{{ m['role'] }}|>"
    "{{ m['content'].split('</think>')[-1] }}{{ eos_token if m['role'] == 'assistant' }}{% endfor %}"
    "{% if add_generation_prompt %}<|assistant|><think>\n{% endif %}"
)
PARTS = CHATML.replace(
    "{{ m['content'] }}",
    "{% for part in m['content'] if part['type'] == 'text' %}{{ part['text'] }}{% endfor %}",
)
ENDLESS = "{% for m in messages %}<|{{ m['role'] }}|>{{ m['content'] }}{% endfor %}" + (
    "{% if add_generation_prompt %}<|assistant|>{% endif %}"
)
TEMPLATES = {
    "ChatML": CHATML,
    "Gemma": GEMMA,
    "Llama 2": LLAMA,
    "thinks": THINKS,
    "parts": PARTS,
    "endless": ENDLESS,
}
MARKS = (
    "<|im_start|>", "<|im_end|>", "<start_of_turn>", "<end_of_turn>", "<|user|>", "<|assistant|>", "<|system|>",
)  # fmt: skip


def templated(template: str, *, pad: str = "<pad>") -> transformers.PreTrainedTokenizerFast:
    """Return a byte-level tokenizer with a chat template; it puts `<s>` before plain texts, as Llama's does."""
    from tokenizers import processors

    made = Tokenizer(models.BPE())
    made.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    made.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=340,
        special_tokens=["<pad>", "<s>", "</s>", *MARKS],
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
        show_progress=False,
    )
    made.train_from_iterator(["The cow eats grass. Hay is dried grass, and cows moo."], trainer)
    made.post_processor = processors.TemplateProcessing(single="<s> $A", special_tokens=[("<s>", 1)])
    names: dict[str, Any] = {"bos_token": "<s>", "eos_token": "</s>", "pad_token": pad}
    found = transformers.PreTrainedTokenizerFast(tokenizer_object=made, **names)
    found.chat_template = template
    return found
