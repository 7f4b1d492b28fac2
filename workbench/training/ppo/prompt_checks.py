"""What PPO takes as prompts, and whether a policy can read them: known before training, with the row at fault."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from workbench.core.errors import DataError, ModelError, SettingsError
from workbench.datasets.messages import MalformedMessage, Message, prompt_of, read_messages
from workbench.rewards.spans import Sample
from workbench.training.ppo.bodies import start_tokens
from workbench.training.ppo.settings import PPOSettings

__all__ = ["Prompt", "check_known", "check_room", "read_prompts"]

Prompt = str | Sample | Sequence[Mapping[str, Any] | Message]
"""A text; or a sample, whose metadata the reward gets, and whose response is not looked at; or a list of messages."""


def read_prompts(prompts: Sequence[Prompt]) -> list[Sample]:
    """Return prompts as samples with an empty response; a list of messages becomes the transcript of `prompt_of`.

    Raises:
        DataError: There are none, or one is no text and no messages; its row is named.
    """
    if isinstance(prompts, str) or not len(prompts):
        raise DataError(
            got="one text as prompts" if isinstance(prompts, str) and prompts else "no prompts",
            needed="a list of at least one",
            fix="put it into a list" if prompts else "see what they are loaded from",
        )
    return [_sample(row, one) for row, one in enumerate(prompts)]


def check_known(lm: Any, encoded: Sequence[Sequence[int]]) -> None:
    """Raise a `ModelError` where a prompt holds a token that a language model has no embedding of."""
    rows = lm.get_input_embeddings().weight.shape[0]
    for row, tokens in enumerate(encoded):
        if tokens and max(tokens) >= rows:
            raise ModelError(
                got=f"token {max(tokens)} in prompt {row} (counted from 0), and a model of {rows} tokens",
                needed="the model's own tokenizer, or a row of embeddings for each of its tokens",
                fix="load the tokenizer that belongs to it, or call model.resize_token_embeddings(len(tokenizer))",
            )


def check_room(lm: Any, encoded: Sequence[Sequence[int]], settings: PPOSettings) -> None:
    """Raise a `SettingsError` unless prompts and whole responses fit into the language model's context.

    An encoder-decoder has a context for each of both; one whose positions are relative, in buckets, has no limit.
    """
    row = max(range(len(encoded)), key=lambda number: len(encoded[number]))
    longest, written = len(encoded[row]), settings.max_new_tokens
    if getattr(lm.config, "is_encoder_decoder", False):
        if hasattr(lm.config, "relative_attention_num_buckets"):
            return
        for_prompts, for_responses = _context(lm.config, "encoder"), _context(lm.config, "decoder")
        if for_prompts is not None and longest > for_prompts:
            raise SettingsError(
                got=f"prompt {row} (counted from 0) of {longest} tokens",
                needed=f"prompts within the encoder's context of {for_prompts} tokens",
                fix=f"set max_prompt_tokens to at most {for_prompts}",
            )
        longest, context = 0, for_responses
        if context is not None:
            context -= len(start_tokens(lm)) - 1
    else:
        context = _context(lm.config, "decoder")
    if context is not None and longest + written > context:
        named = f"prompt {row} (counted from 0) of {longest} tokens, " if longest else ""
        raise SettingsError(
            got=f"{named}max_new_tokens {written}",
            needed=f"both within the policy's context of {context} tokens",
            fix=f"set max_prompt_tokens to at most {context - written}"
            if longest and context > written
            else f"set max_new_tokens below {context}",
        )


def _context(config: Any, part: str) -> int | None:
    """Return how many positions a part of a model has, by its configuration; None: it does not say."""
    own = config.get_text_config(**{part: True})
    for name in (f"max_{part}_position_embeddings", "max_position_embeddings", "n_positions"):
        value = getattr(own, name, None)
        if value is not None:
            return int(value)
    return None


def _sample(row: int, one: Any) -> Sample:
    """Return one prompt as a sample."""
    said = one.prompt if isinstance(one, Sample) else one
    name = f"prompt {row} (counted from 0)"
    got = f"{name} is a {type(said).__name__}"
    if isinstance(said, list | tuple | Mapping):
        try:
            said = prompt_of(read_messages(said, name))
        except MalformedMessage as error:
            got = str(error)
    if isinstance(said, str):
        return replace(one, prompt=said, response="") if isinstance(one, Sample) else Sample(said, "")
    raise DataError(
        got=got,
        needed="a text, a list of messages such as {'role': 'user', 'content': 'a text'}, or a Sample of one",
        fix="correct the row, or leave it out",
    )
