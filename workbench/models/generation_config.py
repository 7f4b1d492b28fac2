"""What a checkpoint's `generation_config` does to the model's own distribution when it writes by `generate`."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from tempfile import TemporaryDirectory
from typing import Any

from workbench.core.errors import ModelError

__all__ = [
    "check_saves",
    "forced_first_token",
    "language_unsaid",
    "left_aside",
    "never_written",
    "whole_distribution",
]

_NO_MATTER = (
    "token_id", "max_", "stop_strings", "do_sample", "early_stopping", "cache", "output_", "return_", "assistant",
    "compile", "version", "_from_model",
)  # fmt: skip
"""Parts of the names of what says where texts begin and end, or only how they are computed."""


def forced_first_token(lm: Any) -> int | None:
    """Return the token that `generate` puts first into an encoder-decoder's output, such as a language; else None."""
    token = getattr(_config(lm), "forced_bos_token_id", None)
    return int(token) if token is not None and getattr(lm.config, "is_encoder_decoder", False) else None


def language_unsaid(lm: Any, tokenizer: Any) -> str:
    """Return what is missing where a model of many languages has to be told which one to write, and is not.

    Its tokenizer knows a target language (`tgt_lang`: NLLB, M2M100, mBART), and nothing forces that language's token.
    """
    if not (getattr(lm.config, "is_encoder_decoder", False) and hasattr(tokenizer, "tgt_lang")):
        return ""
    if forced_first_token(lm) is not None:
        return ""
    return (
        "nothing says which language to write, so the model chooses one: set forced_bos_token_id in its "
        "generation_config to the language's token"
    )


def never_written(lm: Any) -> tuple[int, ...]:
    """Return the tokens that `generate` never writes, in ascending order: `suppress_tokens`, and bad words of one."""
    config = _config(lm)
    words = [word for word in getattr(config, "bad_words_ids", None) or () if len(word) == 1]
    suppressed = getattr(config, "suppress_tokens", None) or ()
    return tuple(sorted({int(token) for token in (*suppressed, *(word[0] for word in words))}))


def left_aside(lm: Any) -> tuple[str, ...]:
    """Return what else would change the distribution, as `name value`: a policy is sampled without it.

    Whatever differs from transformers' defaults, but for what begins and ends texts, and what only says how they are
    computed.
    """
    config = _config(lm)
    told = dict(config.to_diff_dict()) if config is not None else {}
    told["bad_words_ids"] = [word for word in told.get("bad_words_ids") or () if len(word) > 1]
    told.pop("suppress_tokens", None)
    return tuple(
        f"{name} {value}"
        for name, value in told.items()
        if value and (name == "forced_eos_token_id" or not any(part in name for part in _NO_MATTER))
    )


def check_saves(lm: Any) -> None:
    """Raise a `ModelError` where transformers would refuse to save the `generation_config`, when training is done."""
    config = _config(lm)
    if config is None:
        return
    try:
        with TemporaryDirectory() as folder:
            config.save_pretrained(folder)
    except ValueError as error:
        raise ModelError(
            got="a generation_config that transformers does not save: " + " ".join(str(error).split()),
            needed="settings of generation that fit together",
            fix="correct the model's generation_config: set do_sample=True where it has a temperature, say",
        ) from error


@contextmanager
def whole_distribution(lm: Any) -> Iterator[None]:
    """Within this context `generate` changes nothing that it is not told to.

    transformers fills what a call leaves open from the checkpoint, a repetition penalty say.
    """
    from transformers import GenerationConfig

    held, lm.generation_config = lm.generation_config, GenerationConfig()
    try:
        yield
    finally:
        lm.generation_config = held


def _config(lm: Any) -> Any:
    return getattr(lm, "generation_config", None)
