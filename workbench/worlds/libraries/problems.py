"""Coding problems of the fictional libraries: run for real, graded on inputs that no feedback ever shows."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from random import Random

from workbench.core.errors import SettingsError
from workbench.datasets.coding_problem import INSERT, CodingProblem, HiddenTest, VisibleRun
from workbench.retrieval import Item
from workbench.worlds.libraries.library import Function, Library, invent_library
from workbench.worlds.libraries.tasks import Task, draw_task

__all__ = ["Benchmark", "coding_problem", "documentation", "draw_benchmark"]

_HIDDEN_INPUTS = 5
_TRIES = 1_000
_HIDDEN = "{library}\nfor x in {inputs}:\n    {insert}\n    print(x)\n"


@dataclass(frozen=True)
class Benchmark:
    """Problems, and the libraries that they ask about."""

    libraries: tuple[Library, ...]
    problems: tuple[CodingProblem, ...]
    operations: tuple[int, ...]
    """For each problem, how many calls its right program makes."""

    def documentation(self, *, stripped: bool = False) -> list[Item]:
        """Return the documents of all its libraries.

        Args:
            stripped: Leave out the words that the functions' familiar names are made of.
        """
        return [
            item
            for library in self.libraries
            for item in documentation(library.stripped() if stripped else library)
        ]


def documentation(library: Library) -> list[Item]:
    """Return a library's documents: one a function, with what it does and not a word on how it is called."""
    return [
        Item(
            id=_document_id(library, function),
            source="documentation",
            title=function.name,
            text=function.description,
            parent=_document_id(library, function),
            provenance=f"library {library.name}",
            shown=function.document,
            library=library.name,
        )
        for function in library.functions
    ]


def _document_id(library: Library, function: Function) -> str:
    return f"{library.name}.{function.name}"


def coding_problem(name: str, library: Library, task: Task, random: Random) -> CodingProblem:
    """Make a problem of a task.

    A program changes `x`, a list of whole numbers. Its error on one visible input is what feedback may use; it
    is graded on five other inputs.

    Args:
        name: The problem's key.
        library: Whose functions are there to be called.
        task: What is asked.
        random: Where the inputs come from.
    """
    visible = _values(random)
    hidden = _telling_inputs(random, task)
    context = _HIDDEN.format(library=library.source, inputs=hidden, insert=INSERT)
    printed = "".join(f"{task(list(x))}\n" for x in hidden)
    return CodingProblem(
        problem_id=name,
        question=task.question,
        visible_runs=(VisibleRun(f"{library.source}\nx = {visible}\n{INSERT}\n"),),
        hidden_tests=(HiddenTest(context, expected_stdout=printed),),
        library=library.name,
        gold_documents=tuple(_document_id(library, step.function) for step in task.steps),
        reference_code=task.program,
    )


def draw_benchmark(
    seed: int, *, libraries: int = 10, problems: int = 30, operations: Sequence[int] = (1, 2, 3)
) -> Benchmark:
    """Draw problems on libraries whose names no model has seen in training.

    Args:
        seed: Where everything comes from; another seed gives other libraries.
        libraries: How many.
        problems: How many problems on each.
        operations: How many calls the right programs make: as many problems of each number.

    Raises:
        SettingsError: No problem could be drawn.
    """
    if libraries < 1 or problems < 1 or not operations:
        raise SettingsError(
            got=f"libraries={libraries}, problems={problems}, operations={tuple(operations)}",
            needed="at least one library, one problem and one number of operations",
            fix="ask for more",
        )
    random, taken = Random(f"benchmark {seed}"), set[str]()
    invented, drawn, counts = [], [], []
    for _ in range(libraries):
        library = invent_library(random, taken=taken)
        taken |= {function.name for function in library.functions}
        invented.append(library)
        for number in range(problems):
            count = operations[number % len(operations)]
            name = f"{library.name}-{number}"
            drawn.append(coding_problem(name, library, _telling_task(random, library, count), random))
            counts.append(count)
    return Benchmark(tuple(invented), tuple(drawn), tuple(counts))


def _telling_task(random: Random, library: Library, operations: int) -> Task:
    """Draw a task whose every step changes the result, whatever comes after it."""
    for _ in range(_TRIES):
        task = draw_task(random, library, operations)
        inputs = [_values(random) for _ in range(20)]
        wholes = [task(list(x)) for x in inputs]
        parts = [Task(task.question, task.steps[:i] + task.steps[i + 1 :]) for i in range(operations)]
        telling = all([part(list(x)) for x in inputs] != wholes for part in parts)
        if telling and len({tuple(whole) for whole in wholes}) > len(inputs) // 2:
            return task
    raise SettingsError(
        got=f"{library.name}, a library in which no {operations} operations make a task that can be told",
        needed="operations of which each changes the result",
        fix="invent another library: use another seed",
    )


def _telling_inputs(random: Random, task: Task) -> list[list[int]]:
    """Draw the hidden inputs so that leaving out any step, or doing nothing, is noticed."""
    for _ in range(_TRIES):
        inputs = [_values(random) for _ in range(_HIDDEN_INPUTS)]
        right = [task(list(x)) for x in inputs]
        fewer = [task.steps[:i] + task.steps[i + 1 :] for i in range(len(task.steps))]
        if all([Task("", steps)(list(x)) for x in inputs] != right for steps in fewer):
            return inputs
    raise SettingsError(
        got=f"a task that no {_HIDDEN_INPUTS} inputs tell from a simpler one: {task.question}",
        needed="a task whose every step changes the result of some input",
        fix="draw another task",
    )


def _values(random: Random) -> list[int]:
    return [random.randint(-9, 19) for _ in range(random.randint(6, 9))]
