"""Answers that are kept: an interrupted generation goes on, and never with somebody else's answers."""

from __future__ import annotations

import json
from collections.abc import Collection, Iterable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from ds1000_rows import plain_problem

from workbench.core.errors import DataError
from workbench.datasets.ds1000 import Problem
from workbench.generators.answer import Answer, wanted
from workbench.generators.resume import ResumableGenerator

PROBLEMS = [plain_problem(i) for i in range(4)]


class Counting:
    """Answers by its fingerprint, and counts."""

    name = "counting"

    def __init__(self, fingerprint: str = "a") -> None:
        self.fingerprint, self.made = fingerprint, 0

    def generate(
        self, problems: Iterable[Problem], *, samples: int = 1, skip: Collection[tuple[int, int]] = ()
    ) -> Iterator[Answer]:
        for problem, sample in wanted(problems, samples, skip):
            self.made += 1
            yield Answer(
                problem.problem_id, sample, f"{self.fingerprint} \ud800 {problem.problem_id}.{sample}"
            )


def run(
    path: Path, generator: Counting, problems: list[Problem] = PROBLEMS, samples: int = 2
) -> list[Answer]:
    return list(ResumableGenerator(generator, path).generate(problems, samples=samples))


def test_an_answer_is_on_disk_before_it_is_yielded(tmp_path: Path) -> None:
    path = tmp_path / "new" / "answers.jsonl"
    stream = ResumableGenerator(Counting(), path).generate(PROBLEMS)
    for count in (1, 2):
        next(stream)
        assert len(path.read_text().splitlines()) == count


@pytest.mark.parametrize("cut", [0, 1, 30])
def test_a_killed_run_goes_on_to_the_same_file(tmp_path: Path, cut: int) -> None:
    path = tmp_path / "answers.jsonl"
    whole = run(path, Counting())
    complete = path.read_bytes()
    lines = complete.splitlines(keepends=True)
    path.write_bytes(b"".join(lines[:4])[: -cut or None])
    second = Counting()
    assert run(path, second) == whole
    assert second.made == (4 if cut == 0 else 5)
    assert path.read_bytes() == complete


def test_answers_of_other_models_settings_and_texts_are_never_taken(tmp_path: Path) -> None:
    path = tmp_path / "answers.jsonl"
    first = run(path, Counting("a"))
    other = Counting("b")
    assert run(path, other) != first
    assert other.made == 8
    edited = [replace(PROBLEMS[0], prompt="new"), *PROBLEMS[1:]]
    third = Counting("a")
    run(path, third, edited)
    assert third.made == 2
    again = Counting("a")
    assert run(path, again) == first
    assert again.made == 0


def test_more_samples_and_more_problems_add_to_what_is_there(tmp_path: Path) -> None:
    path = tmp_path / "answers.jsonl"
    run(path, Counting(), PROBLEMS[:2], samples=1)
    more = Counting()
    answers = run(path, more, samples=2)
    assert more.made == 6
    assert [(a.problem_id, a.sample) for a in answers] == [(i, s) for i in range(4) for s in range(2)]


def test_skipped_answers_are_neither_made_nor_yielded(tmp_path: Path) -> None:
    stream = ResumableGenerator(Counting(), tmp_path / "a.jsonl").generate(PROBLEMS[:2], skip={(0, 0)})
    assert [answer.problem_id for answer in stream] == [1]


def test_a_line_that_no_run_wrote_is_named(tmp_path: Path) -> None:
    path = tmp_path / "answers.jsonl"
    run(path, Counting(), PROBLEMS[:1], samples=1)
    with path.open("a") as file:
        file.write(json.dumps({"code": "x"}) + "\n")
    with pytest.raises(DataError, match="line 2: nothing that was kept here"):
        run(path, Counting())


def test_a_place_that_cannot_be_written_is_an_error(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(DataError, match="can be read and written"):
        run(tmp_path / "file" / "answers.jsonl", Counting())


class Early(Counting):
    """Knows the last answers first; gives none to problem 1 unless it is asked twice."""

    def __init__(self, fails: bool = False) -> None:
        super().__init__()
        self.fails = fails

    def as_known(
        self, problems: Iterable[Problem], *, samples: int = 1, skip: Collection[tuple[int, int]] = ()
    ) -> Iterator[Answer]:
        for one in reversed(list(self.generate(problems, samples=samples, skip=skip))):
            failed = self.fails and one.problem_id == 1
            yield Answer(one.problem_id, one.sample, "", "no answer", "too long") if failed else one


def test_what_ends_early_is_kept_early_and_the_whole_is_put_in_order(tmp_path: Path) -> None:
    path = tmp_path / "answers.jsonl"
    stream = ResumableGenerator(Early(), path).generate(PROBLEMS)
    assert next(stream).problem_id == 0
    stream.close()  # type: ignore[attr-defined]
    assert [json.loads(line)["problem_id"] for line in path.read_text().splitlines()] == [3, 2, 1, 0]
    got = run(path, Early(), samples=1)
    assert [one.problem_id for one in got] == [0, 1, 2, 3]
    assert [json.loads(line)["problem_id"] for line in path.read_text().splitlines()] == [0, 1, 2, 3]


def test_a_failure_is_kept_and_asked_again_only_where_that_is_wanted(tmp_path: Path) -> None:
    path = tmp_path / "answers.jsonl"
    failed = run(path, Early(fails=True), samples=1)[1]
    assert (failed.is_missing, failed.said) == (True, "too long")
    again = Early()
    assert run(path, again, samples=1)[1] == failed
    assert again.made == 0
    assert ResumableGenerator(again, path).saved(PROBLEMS)[1] == failed
    retried = list(ResumableGenerator(again, path, retry_failed=True).generate(PROBLEMS))
    assert [one.is_missing for one in retried] == [False] * 4
    assert again.made == 1
    assert len(path.read_text().splitlines()) == 4


def test_a_file_without_how_answers_ended_is_read(tmp_path: Path) -> None:
    path = tmp_path / "answers.jsonl"
    run(path, Counting(), samples=1)
    rows = [json.loads(line) for line in path.read_text().splitlines()]
    old = [{name: row[name] for name in ("key", "problem_id", "sample", "code")} for row in rows]
    path.write_text("".join(json.dumps(row) + "\n" for row in old))
    again = Counting()
    assert [one.ended for one in run(path, again, samples=1)] == [None] * 4
    assert again.made == 0
