"""Keep answers on disk as they come, so that an interrupted generation goes on where it stopped."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Collection, Iterable, Iterator
from itertools import chain
from operator import itemgetter
from pathlib import Path

from workbench.datasets.coding_problem import BenchmarkProblem
from workbench.generators.answer import Answer, Generator, in_order, wanted
from workbench.store.journal import Journal

__all__ = ["ResumableGenerator", "answer_key"]


def answer_key(generator: Generator, problem: BenchmarkProblem) -> str:
    """Return what the answer of this generator to this problem depends on, as a digest.

    Model, revision and settings are in the generator's fingerprint; the problem's texts are in it as well, so
    that an edited problem is answered anew.
    """
    parts = (generator.fingerprint, problem.problem_id, problem.prompt, problem.reference_code)
    return hashlib.sha256(json.dumps(parts).encode()).hexdigest()[:24]


class ResumableGenerator:
    """Wraps a generator: answers are appended to a file as they come, and those in it are not made again.

    A line is `{"key", "problem_id", "sample", "code", "generator"}`, and how the answer ended where that is known.
    Answers of other settings or models may be in the same file; their keys differ, so they are never taken. A last
    line that a kill cut off is overwritten. Once all that was asked is there, its lines are put in order.

    Args:
        generator: What makes the answers that are not there yet.
        path: The JSON-lines file; it and its folder are made when needed.
        retry_failed: Ask again where an endpoint gave no answer; else such a failure is kept like an answer.

    Raises:
        DataError: The file cannot be read or written.
    """

    def __init__(self, generator: Generator, path: str | Path, *, retry_failed: bool = False) -> None:
        self.generator, self.path, self.retry_failed = generator, Path(path), retry_failed

    @property
    def name(self) -> str:
        """The wrapped generator's."""
        return self.generator.name

    @property
    def fingerprint(self) -> str:
        """The wrapped generator's."""
        return self.generator.fingerprint

    def generate(
        self,
        problems: Iterable[BenchmarkProblem],
        *,
        samples: int = 1,
        skip: Collection[tuple[int | str, int]] = (),
    ) -> Iterator[Answer]:
        """Yield saved and new answers together, in order; a new one is on disk before it is yielded."""
        asked = list(problems)
        keys = self._keys(asked)
        with self._journal() as journal:
            pairs = list(wanted(asked, samples, skip))
            saved = self._saved(journal, keys, pairs)
            done = {(answer.problem_id, answer.sample) for answer in saved}
            # what ends early is kept early, whatever the order
            make = getattr(self.generator, "as_known", self.generator.generate)
            new = make(asked, samples=samples, skip={*skip, *done})
            yield from in_order(chain(saved, self._kept(new, keys, journal)), pairs)
            places = [(keys[problem.problem_id], sample) for problem, sample in pairs]
            own = set(places)
            journal.finish(
                [row for place, row in journal.known.items() if place not in own]
                + [journal.known[place] for place in places]
            )

    def saved(self, problems: Iterable[BenchmarkProblem], *, samples: int = 1) -> list[Answer]:
        """Return the answers that are in the file, in order; none is made."""
        asked = list(problems)
        if not self.path.exists():
            return []
        with self._journal() as journal:
            return self._saved(journal, self._keys(asked), list(wanted(asked, samples, ())))

    def _journal(self) -> Journal:
        return Journal(self.path, itemgetter("key", "sample"))

    def _keys(self, problems: Iterable[BenchmarkProblem]) -> dict[int | str, str]:
        return {problem.problem_id: answer_key(self.generator, problem) for problem in problems}

    def _saved(
        self, journal: Journal, keys: dict[int | str, str], pairs: Iterable[tuple[BenchmarkProblem, int]]
    ) -> list[Answer]:
        """Return the answers that are known and count."""
        rows = [(problem, sample, (keys[problem.problem_id], sample)) for problem, sample in pairs]
        found = [
            Answer(problem.problem_id, sample, row["code"], row.get("ended"), row.get("said", ""))
            for problem, sample, place in rows
            if (row := journal.known.get(place)) is not None
        ]
        return [answer for answer in found if not (answer.is_missing and self.retry_failed)]

    def _kept(
        self, answers: Iterable[Answer], keys: dict[int | str, str], journal: Journal
    ) -> Iterator[Answer]:
        """Yield answers once they are on disk."""
        for answer in answers:
            row = {"key": keys[answer.problem_id], **vars(answer), "generator": self.name}
            if answer.ended is None:
                del row["ended"], row["said"]
            journal.add(row)
            yield answer
