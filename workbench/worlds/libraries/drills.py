"""The first lessons: to repeat what the text has said before, until copying from the prompt comes by itself."""

from __future__ import annotations

from dataclasses import dataclass
from random import Random
from typing import Literal

from workbench.worlds.libraries import prompts
from workbench.worlds.libraries.library import Library, invent_library

__all__ = ["Drill", "drill"]


@dataclass(frozen=True)
class Drill:
    """A stage's worth of repetition."""

    kind: Literal["echo", "recall"]
    """`echo`: a list of names, said again in the same order. `recall`: documents, said again in another one, and
    only the names are learned."""
    length: tuple[int, int]
    """Fewest and most names or documents."""
    times: int = 3
    """How often they are said, the first time included."""
    brief: float = 0.0
    """Chance that documents say the familiar name and nothing else."""
    stripped: float = 0.25
    """Chance that documents lack the words of the familiar names."""


def drill(random: Random, plan: Drill) -> list[tuple[str, bool]]:
    """Draw a text to repeat.

    Args:
        random: Where it comes from.
        plan: The kind of drill.

    Returns:
        Its parts in order, each with whether the model is to learn to write it.
    """
    library = invent_library(random, split="training")
    if random.random() < plan.brief:
        library = library.brief()
    elif random.random() < plan.stripped:
        library = library.stripped()
    functions = random.sample(library.functions, random.randint(*plan.length))
    shown = Library(library.name, tuple(functions))
    return _echo(shown, plan.times) if plan.kind == "echo" else _recall(random, shown, plan.times)


def _echo(library: Library, times: int) -> list[tuple[str, bool]]:
    line = " ".join(function.name for function in library.functions) + "\n"
    return [(line, False), *[(line, True)] * (times - 1)]


def _recall(random: Random, library: Library, times: int) -> list[tuple[str, bool]]:
    parts = [("".join(prompts.document(function.document) for function in library.functions), False)]
    for _ in range(times - 1):
        for function in random.sample(library.functions, len(library.functions)):
            parts += [(f"{function.description}:", False), (f" {function.name}\n", True)]
    return parts
