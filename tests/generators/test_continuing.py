"""What is written after prompts: the texts of transformers' plain `generate`, row by row, in a batch that changes."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch
from tiny_model import make_tiny_model

from workbench.generators import continuing
from workbench.generators.batching import RunningBatch, can_join
from workbench.generators.continuing import Written, continue_prompts, loaded_model
from workbench.generators.loading import load_model
from workbench.generators.settings import GenerationSettings

GREEDY = GenerationSettings(temperature=0.0, max_new_tokens=40, device="cpu", batch_size=3)
SAMPLED = replace(GREEDY, temperature=1.3, top_p=0.9)
TEXTS = ["sum " * (1 + 7 * (i % 4)) + str(i) for i in range(10)]


@pytest.fixture(scope="module")
def loaded(tmp_path_factory: pytest.TempPathFactory) -> Any:
    return load_model(str(make_tiny_model(tmp_path_factory.mktemp("model"))), GREEDY)


def written(loaded: Any, settings: GenerationSettings, **options: Any) -> list[Written]:
    model, tokenizer = loaded
    ready = loaded_model(model, tokenizer, settings, chat=False)
    prompts = [tokenizer(text)["input_ids"] for text in TEXTS]
    return list(continue_prompts(ready, prompts, range(len(prompts)), **options))


def plain(loaded: Any, text: str, ends: list[int]) -> tuple[str, bool]:
    """Return what `generate` writes after one prompt alone, and whether it reached the limit."""
    model, tokenizer = loaded
    ids = torch.tensor([tokenizer(text)["input_ids"]])
    out = model.generate(ids, max_new_tokens=40, do_sample=False, eos_token_id=ends, pad_token_id=0)
    new = out[0, ids.shape[1] :].tolist()
    return tokenizer.decode([one for one in new if one not in ends], skip_special_tokens=True), (
        new[-1] not in ends
    )


def frequent_tokens(loaded: Any) -> list[int]:
    """Return tokens that some of the texts hold, and others do not."""
    model, tokenizer = loaded
    rows = [
        model.generate(torch.tensor([tokenizer(text)["input_ids"]]), max_new_tokens=40, do_sample=False)[0]
        for text in TEXTS
    ]
    news = [
        set(row[len(tokenizer(text)["input_ids"]) :].tolist()) for row, text in zip(rows, TEXTS, strict=True)
    ]
    counts = {token: sum(token in new for new in news) for new in news for token in new}
    return sorted(counts, key=lambda token: abs(counts[token] - len(TEXTS) // 2))[:2]


@pytest.mark.parametrize("batch_size", [1, 3, 16])
def test_greedy_texts_are_those_of_plain_generate(
    loaded: Any, batch_size: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    ends = frequent_tokens(loaded)
    monkeypatch.setattr(continuing, "stop_token_ids", lambda *_, **__: tuple(ends))
    got = written(loaded, replace(GREEDY, batch_size=batch_size))
    assert {one.row: (one.text, one.cut) for one in got} == {
        row: plain(loaded, text, ends) for row, text in enumerate(TEXTS)
    }
    assert {one.cut for one in got} == {True, False}


def test_a_short_text_does_not_wait_for_a_long_one(loaded: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """Rows leave the batch and others join it: the model makes as many steps as there is work, and no more."""
    ends = frequent_tokens(loaded)
    monkeypatch.setattr(continuing, "stop_token_ids", lambda *_, **__: tuple(ends))
    sizes: list[int] = []
    step = RunningBatch.step
    monkeypatch.setattr(
        RunningBatch, "step", lambda self, tokens: sizes.append(len(tokens)) or step(self, tokens)
    )
    wrote: list[int] = []
    got = written(loaded, GREEDY, tokens_written=wrote.append)
    assert sum(wrote) == sum(sizes) + len(TEXTS)  # the first token of each comes with its prompt
    full = sizes[: len(sizes) - GREEDY.max_new_tokens]
    assert full
    assert set(full) <= {2, 3}  # 2 in the step in which a row's place is taken by a prompt
    assert len(got) == len(TEXTS)


def test_sampled_texts_do_not_depend_on_the_batch(loaded: Any) -> None:
    one, many = (
        {text.row: text for text in written(loaded, replace(SAMPLED, batch_size=size))} for size in (1, 4)
    )
    assert one == many
    assert len({text.text for text in one.values()}) == len(TEXTS)


@pytest.mark.parametrize("settings", [GREEDY, SAMPLED, replace(GREEDY, stop=("df", "s"))])
def test_a_model_whose_batches_cannot_change_writes_the_same(
    loaded: Any, settings: GenerationSettings, monkeypatch: pytest.MonkeyPatch
) -> None:
    changing = {one.row: one for one in written(loaded, settings)}
    monkeypatch.setattr(continuing, "can_join", lambda model: False)
    assert {one.row: one for one in written(loaded, settings)} == changing


@pytest.mark.parametrize("joins", [True, False])
def test_the_checkpoints_own_settings_are_left_aside(
    loaded: Any, joins: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    from transformers import GenerationConfig

    wanted = {one.row: one for one in written(loaded, GREEDY)}
    held = loaded[0].generation_config
    added = GenerationConfig(repetition_penalty=50.0, no_repeat_ngram_size=1, eos_token_id=held.eos_token_id)
    monkeypatch.setattr(loaded[0], "generation_config", added)
    monkeypatch.setattr(continuing, "can_join", lambda model: joins)
    assert {one.row: one for one in written(loaded, GREEDY)} == wanted


def test_which_models_rows_may_join_a_batch() -> None:
    from transformers import GPT2Config, GPT2LMHeadModel, MambaConfig, MambaForCausalLM

    gpt2 = GPT2LMHeadModel(GPT2Config(vocab_size=20, n_positions=16, n_embd=8, n_layer=1, n_head=2))
    mamba = MambaForCausalLM(MambaConfig(vocab_size=20, hidden_size=8, num_hidden_layers=1, state_size=4))
    assert can_join(gpt2)
    assert not can_join(mamba)


def test_a_prompt_without_a_token_is_the_one_that_begins_texts(loaded: Any) -> None:
    ready = loaded_model(*loaded, GREEDY, chat=False)
    start = loaded[1].eos_token_id
    ((empty,), (begun,)) = (list(continue_prompts(ready, [one], [0])) for one in ([], [start]))
    assert empty == begun


def test_other_families_write_as_plain_generate_does(tmp_path: Path) -> None:
    """Learned positions (GPT-2), ALiBi (Bloom), and layers of which some see a window only (Gemma 2)."""
    from transformers import (
        AutoTokenizer,
        BloomConfig,
        BloomForCausalLM,
        Gemma2Config,
        Gemma2ForCausalLM,
        GPT2Config,
        GPT2LMHeadModel,
    )

    tokenizer = AutoTokenizer.from_pretrained(make_tiny_model(tmp_path))
    size = len(tokenizer)
    torch.manual_seed(0)
    models = [
        GPT2LMHeadModel(
            GPT2Config(
                vocab_size=size, n_positions=128, n_embd=16, n_layer=2, n_head=2, initializer_range=0.5
            )
        ),
        BloomForCausalLM(
            BloomConfig(vocab_size=size, hidden_size=16, n_layer=2, n_head=2, initializer_range=0.5)
        ),
        Gemma2ForCausalLM(
            Gemma2Config(
                vocab_size=size,
                hidden_size=16,
                intermediate_size=32,
                num_hidden_layers=2,
                num_attention_heads=2,
                num_key_value_heads=1,
                head_dim=8,
                sliding_window=8,
                initializer_range=0.5,
            )
        ),
    ]
    for model in models:
        model.generation_config.eos_token_id = None
        both = model.eval(), tokenizer
        assert can_join(model)
        ready = loaded_model(*both, GREEDY, chat=False)
        prompts = [tokenizer(text)["input_ids"] for text in TEXTS]
        got = {one.row: (one.text, one.cut) for one in continue_prompts(ready, prompts, [0] * len(prompts))}
        ends = sorted(ready.ends)
        assert got == {row: plain(both, text, ends) for row, text in enumerate(TEXTS)}
