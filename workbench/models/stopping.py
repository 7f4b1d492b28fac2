"""Where a model's text ends: end tokens of the tokenizer, of its generation settings and of its chat template."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, NamedTuple

from workbench.datasets.messages import Message
from workbench.models.chat import TemplateRefusal, has_template, render

if TYPE_CHECKING:
    from transformers import PreTrainedModel, PreTrainedTokenizerBase

__all__ = ["TurnEnd", "stop_token_ids", "turn_end"]

_MARK, _NEXT = "WORKBENCHMARK", "WORKBENCHNEXT"
_SHORTEST_END = 4


class TurnEnd(NamedTuple):
    """What a template writes behind an answer, and so a model that was trained with it."""

    tokens: tuple[int, ...] = ()
    """In ascending order."""
    texts: tuple[str, ...] = ()
    """The same as a text, where it is no token of its own."""


def stop_token_ids(
    model: PreTrainedModel, tokenizer: PreTrainedTokenizerBase, *, chat: bool = True
) -> tuple[int, ...]:
    """Return every token after which a model has nothing more to say, in ascending order.

    A checkpoint may name several (`generation_config.eos_token_id` is a number or a list), and an instruct model may
    end its turns with a token that is none of them.

    Args:
        model: A language model, decoder-only or encoder-decoder.
        tokenizer: Its tokenizer.
        chat: Whether it is asked by its chat template, which then says how a turn ends. Without a template nothing
            is added.
    """
    settings = (getattr(model, "generation_config", None), model.config)
    named = [getattr(setting, "eos_token_id", None) for setting in settings]
    ends = {tokenizer.eos_token_id}
    for ids in named:
        ends |= set(ids) if isinstance(ids, (list, tuple)) else {ids}
    if chat:
        ends |= set(turn_end(tokenizer).tokens)
    return tuple(sorted(token for token in ends if token is not None and token >= 0))


def turn_end(tokenizer: PreTrainedTokenizerBase) -> TurnEnd:
    """Return what the template writes behind an answer, be it the tokenizer's end token or not.

    It is measured by rendering a turn at the end of a conversation, and one in its middle: `<|im_end|>` of ChatML,
    `<end_of_turn>` of Gemma, `<|return|>` and `<|end|>` of gpt-oss. Where nothing ends a turn but the next one, it is
    the token that begins that. A template that refuses both tells nothing.
    """
    if not has_template(tokenizer):
        return TurnEnd()
    last = _behind_answer(tokenizer, ("user", "assistant"))
    middle = _behind_answer(tokenizer, ("user", "assistant", "user"))
    tokens = {_mark_token(tokenizer, after) for after in (last, middle) if after} - {None}
    if tokens:
        return TurnEnd(tokens=tuple(sorted(token for token in tokens if token is not None)))
    line = last.partition("\n")[0]
    return TurnEnd(texts=(line,)) if _is_mark(line) else TurnEnd()


def _behind_answer(tokenizer: PreTrainedTokenizerBase, roles: Sequence[str]) -> str:
    """Return what the template writes between an answer and the next content; empty where it takes no such turns."""
    turns = [Message(role, _MARK if role == "assistant" else _NEXT) for role in roles]
    try:
        text = render(tokenizer, turns, prompt=False)
    except TemplateRefusal:
        return ""
    return text.rpartition(_MARK)[2].partition(_NEXT)[0].strip()


def _mark_token(tokenizer: PreTrainedTokenizerBase, after: str) -> int | None:
    """Return the token that a text begins with, where no answer would hold it as a word of its own."""
    first = tokenizer(after, add_special_tokens=False)["input_ids"][:1]
    added = {*tokenizer.all_special_ids, *tokenizer.get_added_vocab().values()}
    # the unknown token is special too, and is not what the text says
    if first and first[0] in added and after.startswith(str(tokenizer.convert_ids_to_tokens(first[0]))):
        return int(first[0])
    word = after.split(maxsplit=1)[0]
    ids = tokenizer(word, add_special_tokens=False)["input_ids"]
    whole = len(ids) == 1 and str(tokenizer.decode(ids)).strip() == word
    return int(ids[0]) if whole and _is_mark(word) else None


def _is_mark(text: str) -> bool:
    """Tell whether a text, such as `</turn>`, is long and odd enough to be no part of an answer."""
    return len(text) >= _SHORTEST_END and not text.isalnum()
