"""A generator made of a plain function, such as a notebook's cell defines."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from workbench.core.errors import GeneratorError
from workbench.datasets.coding_problem import BenchmarkProblem
from workbench.generators.answer import Answer, wanted
from workbench.store.fingerprint import function_version

__all__ = ["FunctionGenerator"]


@dataclass(frozen=True)
class FunctionGenerator:
    """Answers every problem with what a function returns for it; every sample is the same."""

    name: str
    """What tables call it."""
    function: Callable[[Any], str]
    """From a problem to the code that goes where its prompt stops. It sees the problem's `prompt`; whoever looks at
    its `reference_code` is a yardstick, and no model."""

    @property
    def fingerprint(self) -> str:
        """The function's code and what it reads: changed, it is asked again."""
        return f"function:{self.name}:{function_version(self.function)}"

    def generate(
        self,
        problems: Iterable[BenchmarkProblem],
        *,
        samples: int = 1,
        skip: Collection[tuple[int | str, int]] = (),
    ) -> Iterator[Answer]:
        """Yield the function's answers. See `Generator.generate`.

        Raises:
            GeneratorError: It raises, or returns no text.
        """
        for problem, sample in wanted(problems, samples, skip):
            try:
                code = self.function(problem)
            except Exception as fault:  # a reader's function may raise anything
                raise self._fault(problem, f"raised {type(fault).__name__}: {fault}") from fault
            if not isinstance(code, str):
                raise self._fault(problem, f"returned {code!r}")
            yield Answer(problem.problem_id, sample, code)

    def _fault(self, problem: BenchmarkProblem, what: str) -> GeneratorError:
        return GeneratorError(
            got=f"the generator {self.name!r} {what}, for problem {problem.problem_id}",
            needed="code as text for every problem; an empty text where it has no answer",
            fix="correct the function; it is called with the problem",
        )
