"""Where a model's text ends: end tokens of the tokenizer, of its generation settings and of its chat template."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from transformers import PreTrainedModel, PreTrainedTokenizerBase

__all__ = ["TurnEnd", "stop_token_ids", "turn_end"]

_MARK = "WORKBENCHMARK"
_SHORTEST_END = 4


class TurnEnd(NamedTuple):
    """What a template writes behind an answer, and so a model that was trained with it."""

    tokens: tuple[int, ...] = ()
    texts: tuple[str, ...] = ()
    """The same as a text, where it is no token of its own."""


def stop_token_ids(
    model: PreTrainedModel, tokenizer: PreTrainedTokenizerBase, *, chat: bool = True
) -> tuple[int, ...]:
    """Return every token after which a model has nothing more to say, in ascending order.

    A checkpoint may name several (`generation_config.eos_token_id` is a number or a list), and an instruct model may
    end its turns with a token that is none of them.

    Args:
        model: A causal language model.
        tokenizer: Its tokenizer.
        chat: Whether it is asked by its chat template, which then says how a turn ends. Without a template nothing
            is added.
    """
    settings = (getattr(model, "generation_config", None), model.config)
    named = [getattr(one, "eos_token_id", None) for one in settings]
    ends = {tokenizer.eos_token_id}
    for ids in named:
        ends |= set(ids) if isinstance(ids, (list, tuple)) else {ids}
    if chat and getattr(tokenizer, "chat_template", None):
        ends |= set(turn_end(tokenizer).tokens)
    return tuple(sorted(token for token in ends if token is not None))


def turn_end(tokenizer: PreTrainedTokenizerBase) -> TurnEnd:
    """Return what the template writes behind an answer, be it the tokenizer's end token or not.

    It is measured by rendering a turn; a template that refuses one tells nothing.
    """
    from jinja2 import TemplateError

    turns = [{"role": "user", "content": "?"}, {"role": "assistant", "content": _MARK}]
    try:
        text = str(tokenizer.apply_chat_template(turns, tokenize=False))
    except (TemplateError, TypeError, ValueError):
        return TurnEnd()
    after = text.rpartition(_MARK)[2].strip() if _MARK in text else ""
    ids = tokenizer(after, add_special_tokens=False)["input_ids"]
    if not after or not ids:
        return TurnEnd()
    if ids[0] in {*tokenizer.all_special_ids, *tokenizer.get_added_vocab().values()}:
        return TurnEnd(tokens=(ids[0],))
    line = after.partition("\n")[0]
    return TurnEnd(texts=(line,)) if len(line) >= _SHORTEST_END and not line.isalnum() else TurnEnd()
