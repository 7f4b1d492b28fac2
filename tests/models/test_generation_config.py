"""What a checkpoint's generation_config adds to its distribution: forced, never written, left aside."""

from __future__ import annotations

import pytest
from tiny_policies import language_model, tokenizer
from transformers import GenerationConfig

from workbench.core.errors import ModelError
from workbench.models.generation_config import (
    check_saves,
    forced_first_token,
    language_unsaid,
    left_aside,
    never_written,
    whole_distribution,
)
from workbench.models.sampling import sample_texts


def test_forced_suppressed_and_left_aside_are_told_apart() -> None:
    lm = language_model("encoder-decoder")
    assert forced_first_token(lm) is None and never_written(lm) == () and left_aside(lm) == ()
    lm.generation_config = GenerationConfig(
        forced_bos_token_id=4, suppress_tokens=[7, 3], bad_words_ids=[[5], [2, 6]], decoder_start_token_id=0,
        eos_token_id=[1, 2], max_length=20, do_sample=True, temperature=0.7, repetition_penalty=1.1,
        forced_eos_token_id=1, use_cache=True, num_beams=4, early_stopping=True,
    )  # fmt: skip
    assert forced_first_token(lm) == 4 and never_written(lm) == (3, 5, 7)
    assert sorted(left_aside(lm)) == [
        "bad_words_ids [[2, 6]]", "forced_eos_token_id 1", "num_beams 4", "repetition_penalty 1.1", "temperature 0.7",
    ]  # fmt: skip


def test_what_cannot_be_saved_is_told_before() -> None:
    lm = language_model()
    check_saves(lm)
    lm.generation_config.update(temperature=0.7, do_sample=False)
    with pytest.raises(ModelError, match="temperature") as seen:
        check_saves(lm)
    assert "do_sample=True" in seen.value.fix


def test_a_decoder_alone_is_forced_to_no_first_token() -> None:
    lm = language_model()
    lm.generation_config.forced_bos_token_id = 4  # `generate` forces it behind a prompt of one token only
    assert forced_first_token(lm) is None


def test_a_translator_that_is_told_no_language_is_told_of() -> None:
    lm, words = language_model("encoder-decoder"), tokenizer()
    assert language_unsaid(lm, words) == ""  # a tokenizer of one language
    words.tgt_lang = "deu_Latn"
    assert "forced_bos_token_id" in language_unsaid(lm, words)
    assert language_unsaid(language_model(), words) == ""  # a decoder is told in its prompt
    lm.generation_config.forced_bos_token_id = 4
    assert language_unsaid(lm, words) == ""


def test_samples_are_of_the_whole_distribution_whatever_the_checkpoint_adds() -> None:
    lm, words = language_model(spread=0.5), tokenizer()
    how = {"samples": 8, "max_new_tokens": 8, "seed": 0, "progress": False}
    wanted = sample_texts(lm, words, [[2, 3]], **how)  # type: ignore[arg-type]
    added = GenerationConfig(repetition_penalty=9.0, suppress_tokens=[2, 3, 4], min_p=0.5, eos_token_id=1)
    lm.generation_config = added
    assert sample_texts(lm, words, [[2, 3]], **how) == wanted  # type: ignore[arg-type]
    assert lm.generation_config is added


def test_the_generation_config_comes_back_after_an_error() -> None:
    lm = language_model()
    held = lm.generation_config
    with pytest.raises(ZeroDivisionError), whole_distribution(lm):
        assert lm.generation_config is not held
        _ = 1 / 0
    assert lm.generation_config is held
