"""Tasks on a fictional library: a question in words whose answer is a chain of calls."""

from __future__ import annotations

from dataclasses import dataclass
from random import Random

from workbench.worlds.libraries.library import Function, Library

__all__ = ["NUMBERS", "Step", "Task", "draw_task"]

NUMBERS = (2, 3, 4, 5, 6)


@dataclass(frozen=True)
class Step:
    """One call."""

    function: Function
    number: int | None

    @property
    def line(self) -> str:
        """The line that makes it."""
        return self.function.call(self.number)


@dataclass(frozen=True)
class Task:
    """A question, and the steps that answer it."""

    question: str
    steps: tuple[Step, ...]

    @property
    def program(self) -> str:
        """The right program: it changes `x`."""
        return "\n".join(step.line for step in self.steps)

    def __call__(self, values: list[int]) -> list[int]:
        """Compute what the right program computes."""
        for step in self.steps:
            values = step.function.operation(values, step.number)
        return values


def draw_task(random: Random, library: Library, operations: int) -> Task:
    """Draw a task of so many different operations of a library."""
    steps, words = [], []
    for function in random.sample(library.functions, operations):
        number = random.choice(NUMBERS) if function.operation.takes_number else None
        steps.append(Step(function, number))
        words.append(random.choice(function.operation.questions).format(k=number))
    return Task(", then ".join(words), tuple(steps))
