"""Keep answers on disk as they come, so that an interrupted generation goes on where it stopped."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Collection, Iterable, Iterator
from operator import itemgetter
from pathlib import Path

from workbench.datasets.ds1000 import Problem
from workbench.generators.answer import Answer, Generator, wanted
from workbench.runs.journal import Journal

__all__ = ["ResumableGenerator", "answer_key"]


def answer_key(generator: Generator, problem: Problem) -> str:
    """Return what the answer of this generator to this problem depends on, as a digest.

    Model, revision and settings are in the generator's fingerprint; the problem's texts are in it as well, so
    that an edited problem is answered anew.
    """
    parts = (generator.fingerprint, problem.problem_id, problem.prompt, problem.reference_code)
    return hashlib.sha256(json.dumps(parts).encode()).hexdigest()[:24]


class ResumableGenerator:
    """Wraps a generator: answers are appended to a file as they come, and those in it are not made again.

    A line is `{"key", "problem_id", "sample", "code"}`. Answers of other settings or models may be in the
    same file; their keys differ, so they are never taken. A last line that a kill cut off is overwritten.

    Args:
        generator: What makes the answers that are not there yet.
        path: The JSON-lines file; it and its folder are made when needed.

    Raises:
        DataError: The file cannot be read or written.
    """

    def __init__(self, generator: Generator, path: str | Path) -> None:
        self.generator, self.path = generator, Path(path)

    @property
    def name(self) -> str:
        """The wrapped generator's."""
        return self.generator.name

    @property
    def fingerprint(self) -> str:
        """The wrapped generator's."""
        return self.generator.fingerprint

    def generate(
        self, problems: Iterable[Problem], *, samples: int = 1, skip: Collection[tuple[int, int]] = ()
    ) -> Iterator[Answer]:
        """Yield saved and new answers together, in order; a new one is on disk before it is yielded."""
        asked = list(problems)
        keys = {problem.problem_id: answer_key(self.generator, problem) for problem in asked}
        with Journal(self.path, itemgetter("key", "sample")) as journal:
            places = [(problem.problem_id, sample) for problem, sample in wanted(asked, samples, skip)]
            saved = {(number, sample) for number, sample in places if (keys[number], sample) in journal.known}
            new = self.generator.generate(asked, samples=samples, skip={*skip, *saved})
            for number, sample in places:
                if (number, sample) in saved:
                    yield Answer(number, sample, journal.known[keys[number], sample]["code"])
                else:
                    answer = next(new)
                    journal.add({"key": keys[answer.problem_id], **vars(answer)})
                    yield answer
