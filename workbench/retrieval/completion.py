"""What a model writes after one prompt, and how that ended."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from workbench.core.errors import GeneratorError
from workbench.generators.answer import NO_ANSWER

__all__ = ["Completion", "texts_in_order"]


@dataclass(frozen=True)
class Completion:
    """One answer to one prompt."""

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

    def row(self) -> dict[str, Any]:
        """Return its fields for a line of JSON; how it ended only where that is known."""
        ending = {} if self.ended is None else {"ended": self.ended, "said": self.said}
        return {"value": self.text, **ending}

    @classmethod
    def of(cls, row: dict[str, Any]) -> Completion:
        """Return that of a line."""
        return cls(row["value"], row.get("ended"), row.get("said", ""))


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
