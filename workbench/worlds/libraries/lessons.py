"""What the pocket code model is taught: prompts of every stage, and the program that an ideal reader would write."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from random import Random

from workbench.worlds.libraries import prompts
from workbench.worlds.libraries.lexicon import END
from workbench.worlds.libraries.library import Convention, Function, Library, call, invent_library
from workbench.worlds.libraries.tasks import NUMBERS, Step, Task, draw_task

__all__ = ["Attempt", "Evidence", "Lesson", "ideal_attempt", "lesson"]


@dataclass(frozen=True)
class Attempt:
    """A program for a task, a call for each of its steps, and the error it ends with."""

    calls: tuple[tuple[str, Convention], ...]
    """For each step the name that is called, and how the number is handed over."""
    error: str
    """As Python words it; empty where the program runs."""
    failed_at: int
    """The step that raises; the number of steps where none does."""

    def program(self, task: Task) -> str:
        """Return its text."""
        calls = zip(self.calls, task.steps, strict=True)
        return "\n".join(call(name, step.number, convention) for (name, convention), step in calls)


@dataclass(frozen=True)
class Evidence:
    """What a prompt tells."""

    documents: Collection[Function]
    examples: Collection[Function] = ()
    attempt: Attempt | None = None


def ideal_attempt(task: Task, evidence: Evidence) -> Attempt:
    """Write the program that follows from the evidence, and say how it ends.

    A function is called by its name where a document, an example or the last attempt shows it, else by the
    familiar name of its operation, so that it raises an honest NameError whose name is a good next query. Its
    number goes where an example, an error or the last attempt puts it, else last.
    """
    calls = tuple(_call(place, task, evidence) for place in range(len(task.steps)))
    for place, (name, convention) in enumerate(calls):
        function = task.steps[place].function
        if name != function.name:
            return Attempt(calls, f"NameError: name '{name}' is not defined", place)
        if convention != function.convention:
            return Attempt(calls, function.complaint, place)
    return Attempt(calls, "", len(calls))


def _call(place: int, task: Task, evidence: Evidence) -> tuple[str, Convention]:
    function, last = task.steps[place].function, evidence.attempt
    tried = last is not None and last.calls[place][0] == function.name
    default: Convention = "last" if function.operation.takes_number else "none"
    if not (function in evidence.documents or function in evidence.examples or tried):
        return function.operation.familiar, default
    if function in evidence.examples or (last is not None and tried and last.failed_at == place):
        return function.name, function.convention
    return function.name, last.calls[place][1] if last is not None and tried else default


@dataclass(frozen=True)
class Lesson:
    """A stage of the curriculum."""

    operations: tuple[int, ...]
    """How many operations a task may have."""
    documents: tuple[int, int]
    """Fewest and most documents of a prompt."""
    tasks: int = 1
    """Tasks that share one prompt's documents."""
    documented: float = 1.0
    """Chance that the document of a function which the task needs is among them."""
    exampled: float = 0.0
    """Chance that a working call of such a function is shown."""
    examples: int = 0
    """Most working calls of a prompt, unless more are needed."""
    attempted: float = 0.0
    """Chance that an earlier program and its error are shown."""
    stripped: float = 0.25
    """Chance that the documents lack the words of the familiar names."""
    brief: float = 0.0
    """Chance that documents say the familiar name and nothing else: the simplest thing to look up."""
    quoted: float = 0.0
    """Chance that a task speaks in its document's own words: reading by likeness is learnt before reading by
    meaning. For stages with several tasks a prompt."""


def lesson(random: Random, plan: Lesson) -> list[tuple[str, bool]]:
    """Draw a training text.

    Args:
        random: Where it comes from: library, task and evidence.
        plan: The stage.

    Returns:
        Its parts in order, each with whether the model is to learn to write it.
    """
    library = invent_library(random, split="training")
    if random.random() < plan.brief:
        library = library.brief()
    elif random.random() < plan.stripped:
        library = library.stripped()
    if plan.tasks > 1:
        return _shared(random, plan, library)
    task = draw_task(random, library, random.choice(plan.operations))
    evidence = _evidence(random, plan, library, task)
    return [
        (_prompt(random, evidence, task), False),
        (ideal_attempt(task, evidence).program(task) + END, True),
    ]


def _shared(random: Random, plan: Lesson, library: Library) -> list[tuple[str, bool]]:
    """Several tasks on the same documents, one after the other: a dense lesson in looking names up."""
    shown = random.sample(library.functions, random.randint(*plan.documents))
    others = [function for function in library.functions if function not in shown]
    parts = [("".join(prompts.document(f.document) for f in shown), False)] if shown else []
    for _ in range(plan.tasks):
        functions = shown if random.random() < plan.documented and shown else others
        task = draw_task(random, Library(library.name, tuple(functions)), random.choice(plan.operations))
        if random.random() < plan.quoted:
            task = replace(task, question=", then ".join(map(_quoted, task.steps)))
        parts += [
            (prompts.question(task.question), False),
            (ideal_attempt(task, Evidence(shown)).program(task) + END, True),
        ]
    return parts


def _quoted(step: Step) -> str:
    """Ask for a step in the words of its document."""
    return step.function.description + (f" {step.number}" if step.number is not None else "")


def _evidence(random: Random, plan: Lesson, library: Library, task: Task) -> Evidence:
    needed = [step.function for step in task.steps]
    documents = _shown(random, needed, library, chance=plan.documented, least=random.randint(*plan.documents))
    examples = _shown(random, needed, library, chance=plan.exampled, least=random.randint(0, plan.examples))
    evidence = Evidence(documents, examples)
    if random.random() >= plan.attempted:
        return evidence
    before = [
        Evidence([f for f in needed if random.random() < 0.6], [f for f in needed if random.random() < 0.15])
        for _ in range(random.choice((1, 1, 2)))
    ]
    attempt = None
    for known in before:
        attempt = ideal_attempt(task, replace(known, attempt=attempt))
        if not attempt.error:
            return evidence
    return replace(evidence, attempt=attempt)


def _shown(
    random: Random, needed: Sequence[Function], library: Library, *, chance: float, least: int
) -> list[Function]:
    """Draw functions to show: each needed one by chance, and others until there are enough."""
    chosen = [function for function in needed if random.random() < chance]
    others = [function for function in library.functions if function not in needed]
    chosen += random.sample(others, max(0, least - len(chosen)))
    random.shuffle(chosen)
    return chosen


def _prompt(random: Random, evidence: Evidence, task: Task) -> str:
    parts = [prompts.document(function.document) for function in evidence.documents]
    for function in evidence.examples:
        number = random.choice(NUMBERS) if function.operation.takes_number else None
        parts.append(prompts.example(function.description, function.call(number)))
    if evidence.attempt is not None:
        parts.append(prompts.attempt(evidence.attempt.program(task), evidence.attempt.error))
    return "".join([*parts, prompts.question(task.question)])
