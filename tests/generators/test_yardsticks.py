"""The generators that need no model: reference, memorizer and recorded answers."""

from __future__ import annotations

import gzip
import json
from pathlib import Path

import pytest
from ds1000_rows import function_problem, make_problem, plain_problem, real_problems

from workbench.core.errors import DataError, GeneratorError
from workbench.generators.answer import Answer
from workbench.generators.memorizer import MemorizerGenerator, nearest_origins
from workbench.generators.recorded import RecordedGenerator
from workbench.generators.reference import ReferenceGenerator

PANDAS = make_problem("sort a pandas frame by two columns", 0, code="df.sort_values(['a', 'b'])")
NUMPY = make_problem("index of the largest value of an array", 1, "Numpy", code="a.argmax()")
SURFACE = make_problem(
    "please sort this pandas frame by its two columns", 2, kind="Surface", code="df.sort()"
)
SEMANTIC = make_problem("index of the smallest value of an array", 3, "Numpy", "Semantic", "a.argmin()")
FOUR = [PANDAS, NUMPY, SURFACE, SEMANTIC]


def write(path: Path, *rows: object) -> Path:
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    return path


def test_the_reference_answers_each_problem_with_its_own_code() -> None:
    got = list(ReferenceGenerator().generate([PANDAS, SEMANTIC], samples=2, skip={(0, 1)}))
    assert got == [
        Answer(0, 0, PANDAS.reference_code),
        Answer(3, 0, "a.argmin()"),
        Answer(3, 1, "a.argmin()"),
    ]


def test_the_memorizer_gives_the_nearest_origins_code() -> None:
    codes = [answer.code for answer in MemorizerGenerator().generate(FOUR)]
    assert codes == [PANDAS.reference_code, "a.argmax()", PANDAS.reference_code, "a.argmax()"]


def test_the_memorizer_knows_what_it_was_given_and_nothing_else() -> None:
    generator = MemorizerGenerator([NUMPY, SURFACE])
    assert {answer.code for answer in generator.generate(iter(FOUR))} == {"a.argmax()"}
    assert list(generator.generate([])) == []
    assert generator.fingerprint == MemorizerGenerator([NUMPY]).fingerprint
    assert generator.fingerprint != MemorizerGenerator([NUMPY, PANDAS]).fingerprint


def test_an_origin_remembers_itself_even_where_a_twin_has_the_same_prompt() -> None:
    twin = make_problem(PANDAS.prompt, 9, code="other")
    assert nearest_origins([twin, PANDAS], [PANDAS, twin]) == [twin, PANDAS]


def test_a_memorizer_without_origins_says_so() -> None:
    with pytest.raises(GeneratorError, match="no Origin problem"):
        list(MemorizerGenerator().generate([SURFACE]))


@pytest.mark.realdata
def test_a_real_origin_is_nearest_to_itself_and_variants_mostly_to_their_origin() -> None:
    problems = real_problems()
    origins = [problem for problem in problems if problem.perturbation_type == "Origin"]
    nearest = nearest_origins(problems, origins)
    assert all(near is problem for problem, near in zip(problems, nearest, strict=True) if problem in origins)
    variants = [(p, n) for p, n in zip(problems, nearest, strict=True) if p.perturbation_type != "Origin"]
    home = sum(
        p.library == n.library and p.perturbation_origin_id == n.library_problem_id for p, n in variants
    )
    assert home / len(variants) > 0.9


@pytest.mark.parametrize("key", ["problem_id", "id"])
def test_recorded_answers_go_by_id(tmp_path: Path, key: str) -> None:
    path = write(
        tmp_path / "a.jsonl", {key: 1, "code": "b"}, {key: 0, "code": "a"}, {key: 1, "code": "c", "x": 1}
    )
    generator = RecordedGenerator(path, FOUR)
    assert list(generator.generate([PANDAS, NUMPY])) == [Answer(0, 0, "a"), Answer(1, 0, "b")]
    assert list(generator.generate([NUMPY], samples=2)) == [Answer(1, 0, "b"), Answer(1, 1, "c")]
    assert list(generator.generate([NUMPY], samples=2, skip=[(1, 0)])) == [Answer(1, 1, "c")]


def test_recorded_answers_without_ids_go_by_the_order_of_all_problems(tmp_path: Path) -> None:
    path = tmp_path / "a.jsonl.gz"
    path.write_bytes(gzip.compress(b"".join(b'{"code": "x = %d"}\n' % i for i in range(4))))
    assert list(RecordedGenerator(path, FOUR).generate([SURFACE])) == [Answer(2, 0, "x = 2")]
    assert [answer.code for answer in RecordedGenerator(path).generate(FOUR)] == [
        f"x = {i}" for i in range(4)
    ]
    with pytest.raises(DataError, match="4 answers without ids for 1 problems"):
        list(RecordedGenerator(path).generate([SURFACE]))


def test_recorded_python_is_left_alone_and_recorded_text_is_cut(tmp_path: Path) -> None:
    valid = "text = '''</code>```'''  # SOLUTION END\nresult = text\n"
    rows = [{"id": 0, "code": valid}, {"id": 1, "code": "return df\n</code>\nand so on"}]
    answers = list(
        RecordedGenerator(write(tmp_path / "a.jsonl", *rows)).generate([plain_problem(), function_problem()])
    )
    assert [answer.code for answer in answers] == [valid, "    return df"]


def test_an_empty_recorded_answer_is_an_answer(tmp_path: Path) -> None:
    assert list(RecordedGenerator(write(tmp_path / "a.jsonl", {"id": 0, "code": ""})).generate([PANDAS])) == [
        Answer(0, 0, "")
    ]


def fault(path: Path) -> str:
    with pytest.raises(DataError) as caught:
        list(RecordedGenerator(path, FOUR).generate(FOUR))
    return caught.value.got


def test_malformed_recorded_lines_are_named_together(tmp_path: Path) -> None:
    path = write(
        tmp_path / "a.jsonl",
        {"id": 0},
        {"id": 1, "code": 2},
        {"id": "3", "code": ""},
        {"id": True, "code": ""},
    )
    with path.open("a") as file:
        file.write("{\n")
    got = fault(path)
    assert got.startswith(f"{path}: 5 faults")
    says = [
        "line 1: no code",
        "line 2: code is a int, not a str",
        "line 3: id is a str",
        "line 4: id is a bool",
    ]
    assert all(one in got for one in [*says, "line 5: not JSON"])


def test_unknown_missing_and_mixed_ids_are_named(tmp_path: Path) -> None:
    rows = [{"id": 0, "code": ""}, {"id": 8, "code": ""}]
    assert fault(write(tmp_path / "a.jsonl", *rows)).endswith("line 2: unknown problem_id 8")
    got = fault(write(tmp_path / "a.jsonl", rows[0], {"id": 1, "code": ""}))
    assert "problem_id 2: 0 of 1 answers" in got
    assert "problem_id 3: 0 of 1 answers" in got
    assert fault(write(tmp_path / "a.jsonl", {"code": ""}, rows[0])).endswith(
        "line 1: no problem_id, while other lines have one"
    )


def test_a_missing_and_an_empty_file_are_errors(tmp_path: Path) -> None:
    assert "no file" in fault(tmp_path / "none.jsonl")
    assert "no answers" in fault(write(tmp_path / "a.jsonl"))


def test_too_few_recorded_samples_are_named(tmp_path: Path) -> None:
    path = write(tmp_path / "a.jsonl", {"id": 0, "code": ""})
    with pytest.raises(DataError, match="problem_id 0: 1 of 2 answers"):
        list(RecordedGenerator(path).generate([PANDAS], samples=2))


def test_the_fingerprint_of_recorded_answers_is_their_content(tmp_path: Path) -> None:
    first = RecordedGenerator(write(tmp_path / "a.jsonl", {"id": 0, "code": "a"})).fingerprint
    assert RecordedGenerator(write(tmp_path / "b.jsonl", {"id": 0, "code": "a"})).fingerprint == first
    assert RecordedGenerator(write(tmp_path / "a.jsonl", {"id": 0, "code": "b"})).fingerprint != first


def test_the_file_of_a_run_is_read_by_samples_and_only_one_generators(tmp_path: Path) -> None:
    path = tmp_path / "answers.jsonl"
    rows = [
        {"key": "k", "problem_id": 0, "sample": 1, "code": "b", "generator": "one"},
        {"key": "k", "problem_id": 0, "sample": 0, "code": "", "ended": "no answer", "said": "too long"},
    ]
    write(path, *rows)
    first, second = RecordedGenerator(path).generate([PANDAS], samples=2)
    assert (first.is_missing, first.said, second.code) == (True, "too long", "b")
    for other in ({"generator": "two", "problem_id": 1}, {"code": "c"}):
        write(path, *rows, {**rows[0], **other})
        with pytest.raises(DataError, match="answers of two generators, or of two settings"):
            RecordedGenerator(path)


@pytest.mark.parametrize(
    "code",
    [
        "Here is the code:\n```\na.argmin()\n```\nIt is short.",
        "Sure!\n\n```python\na.argmin()\n```",
        "\ufeffa.argmin()",
        "<think>\nb\n</think>\na.argmin()",
    ],
)
def test_a_recorded_answer_may_be_as_the_model_wrote_it(tmp_path: Path, code: str) -> None:
    write(path := tmp_path / "answers.jsonl", {"problem_id": 0, "code": code})
    assert list(RecordedGenerator(path).generate([PANDAS])) == [Answer(0, 0, "a.argmin()")]
