"""Samples of a causal language model end at each of its stop tokens, and depend on their seed alone."""

from __future__ import annotations

import torch
from tiny_policies import WORDS, language_model, tokenizer

from workbench.models.sampling import sample_texts

PROMPTS = [[2, 3], [4], [5, 6, 7]]
HOW = {"samples": 8, "max_new_tokens": 12, "progress": False}


def test_samples_end_at_every_stop_token_also_at_an_ordinary_one() -> None:
    model, words = language_model(spread=0.5), tokenizer()
    free = sample_texts(model, words, PROMPTS, seed=0, **HOW)  # type: ignore[arg-type]
    assert any("c" in text.split() for row in free for text in row)
    model.generation_config.eos_token_id = [1, WORDS.index("c")]
    ended = sample_texts(model, words, PROMPTS, seed=0, **HOW)  # type: ignore[arg-type]
    assert [len(row) for row in ended] == [8, 8, 8]
    assert not any("c" in text.split() for row in ended for text in row)
    assert len({len(text.split()) for row in ended for text in row}) > 2


def test_samples_depend_on_their_seed_and_leave_chance_alone() -> None:
    model, words = language_model(spread=0.5), tokenizer()
    torch.manual_seed(3)
    wanted = torch.rand(2)
    torch.manual_seed(3)
    first = sample_texts(model, words, PROMPTS, seed=0, **HOW)  # type: ignore[arg-type]
    assert torch.equal(torch.rand(2), wanted)
    assert sample_texts(model, words, PROMPTS, seed=0, **HOW) == first  # type: ignore[arg-type]
    assert sample_texts(model, words, PROMPTS, seed=1, **HOW) != first  # type: ignore[arg-type]
