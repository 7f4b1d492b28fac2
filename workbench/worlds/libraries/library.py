"""Fictional libraries: list operations under invented names, with calling conventions that no document tells."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from functools import cache, cached_property
from random import Random
from typing import Literal

from workbench.core.errors import SettingsError
from workbench.worlds.libraries.lexicon import words
from workbench.worlds.libraries.operations import OPERATIONS, Operation

__all__ = [
    "CONVENTIONS",
    "SYLLABLES",
    "Convention",
    "Function",
    "Library",
    "NameSplit",
    "invent_library",
    "names",
]

Convention = Literal["last", "first", "by", "none"]
CONVENTIONS: tuple[Convention, ...] = ("last", "first", "by")
"""How a function may want its number: `f(x, 3)`, `f(3, x)` or `f(x, by=3)`."""
NameSplit = Literal["training", "unseen"]

SYLLABLES = tuple(consonant + vowel for consonant in "bdfgklmnprtvz" for vowel in "aeiou")
"""What names are made of, two a name."""
_UNSEEN_EVERY = 5
_MEANING = {"last": "last", "first": "first", "by": "as by"}

_READ = """
def _read(name, wants, given, named):
    kinds = [type(value) for value in given]
    if wants == "no number" and kinds == [list] and not named:
        return given[0], None
    if wants == "the number last" and kinds == [list, int] and not named:
        return given
    if wants == "the number first" and kinds == [int, list] and not named:
        return given[::-1]
    if wants == "the number as by" and kinds == [list] and list(named) == ["by"]:
        return given[0], named["by"]
    raise TypeError(f"{name} takes {wants}")
"""


@dataclass(frozen=True)
class Function:
    """A function of a fictional library."""

    name: str
    """Two syllables, such as `zumi`."""
    operation: Operation
    """What it does."""
    convention: Convention
    """How it wants its number; `none` where it takes none. Only an error or a working call tells."""
    description: str
    """What its document says of it: one of the operation's two wordings."""

    @property
    def document(self) -> str:
        """The text of its document: the description, then the name; not a word on how it is called."""
        return f"{self.description}: {self.name}"

    @property
    def complaint(self) -> str:
        """The error that a call in another convention raises."""
        number = f"the number {_MEANING[self.convention]}" if self.operation.takes_number else "no number"
        return f"TypeError: {self.name} takes {number}"

    def call(self, number: int | None, convention: Convention | None = None) -> str:
        """Return a line that calls it on `x`.

        Args:
            number: The number, where it takes one.
            convention: How to write the call; None: as the function wants it.
        """
        return call(self.name, number, convention or self.convention)


def call(name: str, number: int | None, convention: Convention) -> str:
    """Return the line of Python that calls a function on `x` in a convention."""
    if number is None:
        return f"x = {name}(x)"
    arguments = {"first": f"{number}, x", "by": f"x, by={number}"}.get(convention, f"x, {number}")
    return f"x = {name}({arguments})"


@dataclass(frozen=True)
class Library:
    """A fictional library."""

    name: str
    functions: tuple[Function, ...]

    @cached_property
    def source(self) -> str:
        """Its source, as Python text that defines every function."""
        lines = ["import itertools", _READ]
        for function in self.functions:
            wants = function.complaint.partition(" takes ")[2]
            lines += [
                f"def {function.name}(*given, **named):",
                f"    x, k = _read({function.name!r}, {wants!r}, given, named)",
                f"    return {function.operation.body}",
                "",
            ]
        return "\n".join(lines)

    def brief(self) -> Library:
        """Return it with documents that say the familiar name and nothing else."""
        functions = (replace(f, description=f.operation.familiar) for f in self.functions)
        return Library(self.name, tuple(functions))

    def stripped(self) -> Library:
        """Return it with documents that lack the words of the familiar names; all else is the same."""
        functions = (replace(f, description=f.operation.stripped(f.description)) for f in self.functions)
        return Library(self.name, tuple(functions))


@cache
def names(split: NameSplit) -> tuple[str, ...]:
    """List the names that functions may have: one pair of syllables in five is never seen in training."""
    pairs = [(i, j) for i in range(len(SYLLABLES)) for j in range(len(SYLLABLES))]
    chosen = [(i, j) for i, j in pairs if ((2 * i + j) % _UNSEEN_EVERY == 0) == (split == "unseen")]
    made = [SYLLABLES[i] + SYLLABLES[j] for i, j in chosen]
    return tuple(name for name in made if not any(name[:end] in words() for end in range(1, len(name) + 1)))


def invent_library(
    random: Random,
    *,
    size: int = 24,
    split: NameSplit = "unseen",
    taken: Iterable[str] = (),
) -> Library:
    """Invent a library.

    Args:
        random: Where everything about it comes from.
        size: How many of the operations it offers.
        split: Which names it draws from.
        taken: Names that are not to be used again.

    Raises:
        SettingsError: More functions are asked for than there are operations.
    """
    if not 1 <= size <= len(OPERATIONS):
        raise SettingsError(
            got=f"size={size}",
            needed=f"1 to {len(OPERATIONS)} functions: one an operation",
            fix="ask for fewer functions",
        )
    taken = set(taken)
    free = [name for name in names(split) if name not in taken]
    operations = random.sample(list(OPERATIONS.values()), size)
    functions = [
        Function(
            name=name,
            operation=operation,
            convention=random.choice(CONVENTIONS) if operation.takes_number else "none",
            description=random.choice(operation.documents),
        )
        for name, operation in zip(random.sample(free, size), operations, strict=True)
    ]
    title = "".join(random.choice(SYLLABLES) for _ in range(3))
    return Library(title, tuple(functions))
