"""Chat prompts that are too long, cut inside what is said: first token, headers of turns and instructions stay."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from workbench.core.errors import SettingsError
from workbench.datasets.messages import Message

if TYPE_CHECKING:
    from transformers import PreTrainedTokenizerBase

__all__ = ["fit_prompt"]

_INSTRUCTIONS = ("system", "developer")


def fit_prompt(
    tokenizer: PreTrainedTokenizerBase,
    turns: Sequence[Message],
    room: int | None,
    write: Callable[[Sequence[Message]], str],
    *,
    cut_end: bool = False,
) -> tuple[list[int], int]:
    """Return the tokens of a prompt within a budget, and how many it lost.

    The oldest exchanges go first; then the last one loses its beginning, down to half of the budget; then the
    instructions (the system's or the developer's turn) lose theirs; then the last exchange loses the rest. The first
    token of a text, and the headers of the turns that stay, are never cut.

    Args:
        tokenizer: The model's, with a chat template.
        turns: What stands before the response, oldest first.
        room: The budget in tokens; None: there is none.
        write: From turns to the text of the prompt.
        cut_end: The last exchange loses its end, and not its beginning.

    Raises:
        SettingsError: What the template writes around the words takes more than the budget.
        TemplateRefusal: See `render`.
    """
    left = list(turns)
    tokens = _tokens(tokenizer, write(left))
    whole = len(tokens)
    while room is not None and len(tokens) > room:
        shorter = _shortened(tokenizer, left, len(tokens) - room, room, cut_end=cut_end)
        if shorter == left:
            raise SettingsError(
                got=f"max_prompt_tokens {room}: the chat template alone takes {len(tokens)}",
                needed="room for what is said, too",
                fix="raise max_prompt_tokens (--max-prompt-tokens)",
            )
        left = shorter
        tokens = _tokens(tokenizer, write(left))
    return tokens, whole - len(tokens)


def _shortened(
    tokenizer: PreTrainedTokenizerBase, turns: list[Message], excess: int, room: int, *, cut_end: bool
) -> list[Message]:
    """Return the turns less about so many tokens, or less their oldest exchange; the same where none is left."""
    said = [_tokens(tokenizer, turn.content) for turn in turns]
    spoken = [place for place, one in enumerate(turns) if one.role not in _INSTRUCTIONS]
    later = next((place for place in spoken[1:] if turns[place].role == "user"), len(turns))
    oldest = [place for place in spoken if place < later]
    length = sum(len(said[place]) for place in oldest)
    if later < len(turns):
        if length <= excess:
            return [one for place, one in enumerate(turns) if place not in oldest]
        return _without(tokenizer, turns, said, oldest, excess)
    instructions = [place for place in range(len(turns)) if place not in spoken]
    spare = max(0, length - room // 2)
    for places, most in ((oldest, spare), (instructions, excess), (oldest, excess)):
        count = min(excess, most, sum(len(said[place]) for place in places))
        if count:
            from_end = cut_end and places is oldest
            return _without(tokenizer, turns, said, places, count, from_end=from_end)
    return turns


def _without(
    tokenizer: PreTrainedTokenizerBase,
    turns: list[Message],
    said: list[list[int]],
    places: list[int],
    count: int,
    *,
    from_end: bool = False,
) -> list[Message]:
    """Return the turns, those at some places less so many tokens: the oldest lose their beginning first.

    From the end it is the newest that lose their end first.
    """
    found = list(turns)
    for place in reversed(places) if from_end else places:
        lost = min(count, len(said[place]))
        count -= lost
        text = turns[place].content
        while lost and text == turns[place].content:  # the space that some tokenizers put first comes back
            kept = said[place][: max(0, len(said[place]) - lost)] if from_end else said[place][lost:]
            text = str(tokenizer.decode(kept, clean_up_tokenization_spaces=False))
            text, lost = text.strip("\ufffd"), lost + 1  # a token may be half a character
        found[place] = replace(turns[place], content=text)
    return found


def _tokens(tokenizer: PreTrainedTokenizerBase, text: str) -> list[int]:
    return list(tokenizer(text, add_special_tokens=False, verbose=False)["input_ids"])
