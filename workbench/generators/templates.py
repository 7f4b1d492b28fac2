"""What a model's chat template takes, measured by rendering it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from workbench.core.errors import GeneratorError
from workbench.generators.manners import without_system

if TYPE_CHECKING:
    from transformers import PreTrainedTokenizerBase

__all__ = ["chat_text"]


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


def _rendered(tokenizer: PreTrainedTokenizerBase, messages: Sequence[dict[str, str]]) -> str | Exception:
    """Return a rendered conversation, or what the template raises."""
    from jinja2 import TemplateError

    try:
        text = tokenizer.apply_chat_template(list(messages), tokenize=False, add_generation_prompt=True)
    except (TemplateError, TypeError, ValueError) as error:
        return error
    return str(text)
