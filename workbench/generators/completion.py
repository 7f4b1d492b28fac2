"""The one way to generate: prompts go in, texts come out with how each ended, whoever writes them."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from workbench.core.errors import GeneratorError
from workbench.generators.answer import CUT, NO_ANSWER

__all__ = [
    "FENCE",
    "OPENED_FENCE",
    "Completion",
    "Prompt",
    "TextGenerator",
    "as_known",
    "estimated_tokens",
    "texts_in_order",
]

FENCE = "```"
OPENED_FENCE = f"\n{FENCE}\n"
"""Opens a code block behind a prompt, for a model that continues texts; it is closed by `FENCE`."""


@dataclass(frozen=True)
class Prompt:
    """What is asked, in each of the ways in which a model may be asked."""

    text: str
    """What a model continues."""
    messages: tuple[dict[str, str], ...] = ()
    """`role` and `content` of each turn, for a chat model; empty: the text is the user's turn."""
    after: str | None = None
    """What follows the gap, for a model that fills gaps."""
    stop: tuple[str, ...] = ()
    """Texts that end what is written, but for a chat model, which ends its turn itself."""
    seed: int | None = None
    """Of this sample; None: that of the generator's settings."""

    @classmethod
    def of(cls, prompt: str | Prompt) -> Prompt:
        """Return a prompt as it is, and a text as one."""
        return cls(prompt) if isinstance(prompt, str) else prompt

    @property
    def turns(self) -> list[dict[str, str]]:
        """The conversation."""
        return [dict(message) for message in self.messages] or [{"role": "user", "content": self.text}]


@dataclass(frozen=True)
class Completion:
    """What a model wrote to one prompt, and how that ended."""

    text: str
    """What the model wrote; empty where no answer came."""
    ended: str | None = None
    """As `workbench.generators.answer.Answer.ended`."""
    said: str = ""
    """What an endpoint said in place of an answer."""

    @property
    def is_missing(self) -> bool:
        """Whether the model was asked and no answer came."""
        return self.ended == NO_ANSWER

    @property
    def truncated(self) -> bool:
        """Whether it reached the limit of its length."""
        return self.ended == CUT

    def row(self) -> dict[str, Any]:
        """Return its fields for a line of JSON; how it ended only where that is known."""
        ending = {} if self.ended is None else {"ended": self.ended, "said": self.said}
        return {"value": self.text, **ending}

    @classmethod
    def of(cls, row: dict[str, Any]) -> Completion:
        """Return that of a line."""
        return cls(row["value"], row.get("ended"), row.get("said", ""))


class TextGenerator(Protocol):
    """Anything that writes texts: a model on this machine, an endpoint, a record, a pocket model, a script.

    One that knows some texts before others, takes `Prompt` beside plain texts, or may be refused one, has also a
    method `as_known` that takes the same prompts and yields `(place, Completion)` as each ends: see `as_known`.
    """

    @property
    def name(self) -> str:
        """What to call it in a table, such as `hf:codellama/CodeLlama-34b-Instruct-hf`."""

    @property
    def fingerprint(self) -> str:
        """A text that differs whenever the answer to the same prompt may differ; it holds no secret."""

    def complete(self, prompts: Sequence[str]) -> list[str]:
        """Return what is written after each prompt, in order.

        A text depends on its own prompt alone: not on the others of the call, nor on earlier calls.
        """

    def count_tokens(self, text: str) -> int:
        """Return how many tokens of the prompt's budget a text takes."""


def as_known(generator: TextGenerator, prompts: Sequence[str | Prompt]) -> Iterator[tuple[int, Completion]]:
    """Yield the place of each prompt with what is written to it, as soon as that ends.

    Raises:
        GeneratorError: A generator that only completes gives not one text a prompt.
    """
    own = getattr(generator, "as_known", None)
    if own is not None:
        yield from own(prompts)
        return
    texts = generator.complete([Prompt.of(prompt).text for prompt in prompts])
    if len(texts) != len(prompts):
        raise GeneratorError(
            got=f"{len(texts)} answers of {generator.name} to {len(prompts)} prompts",
            needed="one answer a prompt, in order",
            fix="correct the generator's `complete`",
        )
    yield from enumerate(map(Completion, texts))


def texts_in_order(found: Iterable[tuple[int, Completion]], count: int) -> list[str]:
    """Return the texts of completions that come with their places, in any order.

    Raises:
        GeneratorError: One of them is missing.
    """
    by_place = dict(found)
    missing = [by_place[place] for place in range(count) if by_place[place].is_missing]
    if missing:
        raise GeneratorError(
            got=f"no answer to {len(missing)} of {count} prompts: {missing[0].said}",
            needed="an answer to every prompt",
            fix="leave these prompts out, or take `as_known`, which yields the others",
        )
    return [by_place[place].text for place in range(count)]


def estimated_tokens(text: str) -> int:
    """Guess how many tokens a text takes: a mark is one, and each four letters of a word are."""
    return len(re.findall(r"\w{1,4}|[^\w\s]|\n", text))
