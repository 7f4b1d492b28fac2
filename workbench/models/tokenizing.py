"""A prompt and a response as tokens, each of its own, in a plain template or in a chat template."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, NamedTuple

from workbench.datasets.messages import Message, messages_of
from workbench.models.chat import TemplateRefusal, asked_part, prompt_part, response_part, turn_end_text
from workbench.models.chat_budget import fit_prompt

if TYPE_CHECKING:
    from transformers import PreTrainedTokenizerBase

__all__ = [
    "Parts",
    "Refusals",
    "Texts",
    "around_tokens",
    "chat_parts",
    "chat_prompts",
    "cut_inside",
    "plain_parts",
    "tokens_of",
]

Texts = Sequence[tuple[str, str]]
_PROBES = ("a", "b")


class Parts(NamedTuple):
    """The tokens of one text."""

    prompt: list[int]
    """Within its budget."""
    response: list[int]
    """Whole, with its end."""
    prompt_lost: int
    """How many tokens the prompt lost."""


class Refusals(ValueError):
    """Texts that a chat template refuses.

    Args:
        rows: Their places, and why.
    """

    def __init__(self, rows: list[tuple[int, str]]) -> None:
        super().__init__(rows)
        self.rows = rows


def plain_parts(
    texts: Texts,
    tokenizer: PreTrainedTokenizerBase,
    around: tuple[str, str],
    room: int,
    end: list[int],
    *,
    cut_end: bool = False,
) -> list[Parts]:
    """Tokenize prompts in a template and responses; a prompt that is too long loses its beginning, or its end.

    Args:
        texts: The user's words and the response, in this order.
        tokenizer: The model's.
        around: What stands before the user's words, and behind them.
        room: Budget of a prompt.
        end: Tokens that end a response.
        cut_end: The user's words lose their end; what stands behind them stays.
    """
    before, after = around
    first, _ = around_tokens(tokenizer)
    prompts = tokens_of([before + prompt + after for prompt, _ in texts], tokenizer)
    responses = tokens_of([response for _, response in texts], tokenizer)
    lost = [max(0, len(first) + len(prompt) - room) for prompt in prompts]
    closing = tokens_of([after], tokenizer)[0] if cut_end and after else []

    def kept(prompt: list[int], count: int) -> list[int]:
        if not cut_end or not count:
            return prompt[count:]
        # of a budget that is smaller than the template, the template goes too
        return [*prompt[: max(0, room - len(first) - len(closing))], *closing][: max(0, room - len(first))]

    return [
        Parts(first + kept(prompt, count), response + end, count)
        for prompt, response, count in zip(prompts, responses, lost, strict=True)
    ]


def chat_parts(
    texts: Texts, tokenizer: PreTrainedTokenizerBase, room: int | None, end: list[int] | None
) -> list[Parts]:
    """Tokenize prompts and responses as the chat template writes the whole conversation.

    The tokens are those of the whole text, unless one of them reaches from the prompt into the response: a prompt's
    tokens are the same before every response, and those that a policy sees.

    Args:
        texts: A prompt, or a dialogue as `prompt_of` writes it, and the response.
        tokenizer: The model's, with a chat template.
        room: Budget of a prompt; see `fit_prompt`. None: there is none.
        end: Tokens behind the template's own end of a response. None: that is left out, too.

    Raises:
        Refusals: The template refuses some of them; or takes more than the budget itself.
    """
    prompts: dict[str, tuple[list[Message], str, list[int], int]] = {}
    found: list[tuple[str, str]] = []
    refusals = []
    for row, (prompt, response) in enumerate(texts):
        try:
            if prompt not in prompts:
                prompts[prompt] = _prompt(messages_of(prompt), tokenizer, room)
            turns, before, _, _ = prompts[prompt]
            found.append((before, response_part(tokenizer, turns, before, response)))
        except TemplateRefusal as refusal:
            refusals.append((row, str(refusal)))
    if refusals:
        raise Refusals(refusals)
    if end is None:
        last = turn_end_text(tokenizer)
        found = [(before, after.removesuffix(last)) for before, after in found]
    wholes = tokens_of([before + after for before, after in found], tokenizer)
    prefixes = tokens_of([before for before, _ in found], tokenizer)
    apart = tokens_of([after for _, after in found], tokenizer)
    parts = []
    for (prompt, _), whole, prefix, alone in zip(texts, wholes, prefixes, apart, strict=True):
        response_tokens = whole[len(prefix) :] if whole[: len(prefix)] == prefix else alone
        parts.append(Parts(prompts[prompt][2], response_tokens + (end or []), prompts[prompt][3]))
    return parts


def chat_prompts(
    prompts: Sequence[str], tokenizer: PreTrainedTokenizerBase, room: int, *, cut_end: bool = False
) -> list[tuple[list[int], int]]:
    """Tokenize prompts that a policy is to answer; return of each its tokens, and how many it lost.

    Arguments and errors: those of `chat_parts`, and `cut_end` of `fit_prompt`.
    """
    found, refusals = [], []
    for row, prompt in enumerate(prompts):
        try:
            turns = messages_of(prompt)
            found.append(
                fit_prompt(tokenizer, turns, room, lambda left: asked_part(tokenizer, left), cut_end=cut_end)
            )
        except TemplateRefusal as refusal:
            refusals.append((row, str(refusal)))
    if refusals:
        raise Refusals(refusals)
    return found


def cut_inside(
    tokens: list[int], room: int, opening: Sequence[int], closing: Sequence[int], *, cut_end: bool
) -> list[int]:
    """Return those tokens of a prompt in a plain template that fit: what the template writes around the words stays.

    Of a budget that is smaller than the template, the template goes too.

    Args:
        tokens: Of the whole prompt.
        room: How many fit.
        opening: Tokens of what the template writes before the words; counted as far as the prompt begins so.
        closing: Of what it writes behind them; counted as far as the prompt ends so.
        cut_end: The words lose their end, not their beginning.
    """
    if len(tokens) <= room:
        return tokens
    before, after = _shared(tokens, opening), _shared(tokens[::-1], closing[::-1])
    if cut_end:
        return [*tokens[: max(0, room - after)], *tokens[len(tokens) - after :]][: max(0, room)]
    kept = [*tokens[:before], *tokens[len(tokens) - max(0, room - before) :]]
    return kept[len(kept) - room :] if room > 0 else []


def _shared(tokens: Sequence[int], others: Sequence[int]) -> int:
    """Return how many tokens both begin with."""
    both = enumerate(zip(tokens, others, strict=False))
    return next((place for place, (one, other) in both if one != other), min(len(tokens), len(others)))


def around_tokens(tokenizer: PreTrainedTokenizerBase) -> tuple[list[int], list[int]]:
    """Return the special tokens that a tokenizer puts before every text, and those that it puts behind it.

    They are found around a text: on none, `</s>` of OPT, which begins texts, and of T5, which ends them, look alike.
    Around two texts, for one may begin as the special tokens do.
    """
    wholes: list[list[int]] = [tokenizer(probe)["input_ids"] for probe in _PROBES]
    texts = tokens_of(list(_PROBES), tokenizer)
    whole, text = wholes[0], texts[0]
    last = len(whole) - len(text)
    start = next((start for start in range(last + 1) if _all_stand_at(start, wholes, texts)), last)
    return whole[:start], whole[start + len(text) :]


def _all_stand_at(start: int, wholes: list[list[int]], texts: list[list[int]]) -> bool:
    return all(
        text and whole[start : start + len(text)] == text for whole, text in zip(wholes, texts, strict=True)
    )


def tokens_of(texts: list[str], tokenizer: PreTrainedTokenizerBase) -> list[list[int]]:
    """Tokenize texts as they are. Never a warning about length: what is too long is cut, and reported."""
    found: list[list[int]] = tokenizer(texts, add_special_tokens=False, verbose=False)["input_ids"]
    return found


def _prompt(
    turns: list[Message], tokenizer: PreTrainedTokenizerBase, room: int | None
) -> tuple[list[Message], str, list[int], int]:
    """Return a prompt's turns and text, those of its tokens that fit, and how many do not."""
    fitting = fit_prompt(tokenizer, turns, room, lambda left: prompt_part(tokenizer, left))
    return turns, prompt_part(tokenizer, turns), *fitting
