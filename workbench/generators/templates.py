"""What a model's chat template takes and how it ends a turn, measured by rendering it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, NamedTuple

from workbench.core.errors import GeneratorError
from workbench.generators.manners import without_system

if TYPE_CHECKING:
    from transformers import PreTrainedTokenizerBase

__all__ = ["TurnEnd", "chat_text", "turn_end"]

_MARK = "WORKBENCHMARK"
_SHORTEST_END = 4


class TurnEnd(NamedTuple):
    """What a template writes behind an answer, and so a model that was trained with it."""

    tokens: tuple[int, ...] = ()
    texts: tuple[str, ...] = ()
    """The same as a text, where it is no token of its own."""


def chat_text(tokenizer: PreTrainedTokenizerBase, messages: Sequence[dict[str, str]]) -> str:
    """Return a conversation as the model reads it, up to where its answer begins.

    Where the template refuses a system turn, or leaves out what it says, that stands in the user's turn.

    Args:
        tokenizer: The model's, with a chat template.
        messages: `role` and `content` of each turn.

    Raises:
        GeneratorError: The template takes no such conversation.
    """
    said = [message["content"].strip() for message in messages if message["role"] == "system"]
    text = _rendered(tokenizer, messages)
    if isinstance(text, str) and all(one in text for one in said):
        return text
    moved = _rendered(tokenizer, without_system(list(messages))) if said else text
    if isinstance(moved, str):
        return moved
    raise GeneratorError(
        got=f"a chat template that refuses a user's turn: {moved}",
        needed="a model that answers one",
        fix="set style='completion', or correct the tokenizer's chat_template",
    )


def turn_end(tokenizer: PreTrainedTokenizerBase) -> TurnEnd:
    """Return what the template writes behind an answer, be it the tokenizer's end token or not."""
    turns = [{"role": "user", "content": "?"}, {"role": "assistant", "content": _MARK}]
    text = _rendered(tokenizer, turns, answered=True)
    if not isinstance(text, str) or _MARK not in text:
        return TurnEnd()
    after = text.rpartition(_MARK)[2].strip()
    ids = tokenizer(after, add_special_tokens=False)["input_ids"]
    if not after or not ids:
        return TurnEnd()
    if ids[0] in {*tokenizer.all_special_ids, *tokenizer.get_added_vocab().values()}:
        return TurnEnd(tokens=(ids[0],))
    line = after.partition("\n")[0]
    return TurnEnd(texts=(line,)) if len(line) >= _SHORTEST_END and not line.isalnum() else TurnEnd()


def _rendered(
    tokenizer: PreTrainedTokenizerBase, messages: Sequence[dict[str, str]], *, answered: bool = False
) -> str | Exception:
    """Return a rendered conversation, or what the template raises."""
    from jinja2 import TemplateError

    try:
        text = tokenizer.apply_chat_template(
            list(messages), tokenize=False, add_generation_prompt=not answered
        )
    except (TemplateError, TypeError, ValueError) as error:
        return error
    return str(text)
