"""Loading DS-1000 problems: the format, its faults, filters and families."""

from __future__ import annotations

import gzip
import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from workbench.core.errors import DataError, SettingsError
from workbench.datasets.ds1000 import Problem, families, load_problems, select

SHARED = Path(__file__).resolve().parents[3] / "shared" / "data" / "ds1000" / "ds1000-dev.jsonl.gz"
realdata = pytest.mark.realdata


def row(problem_id: int = 0, **changes: Any) -> dict[str, Any]:
    metadata = {
        "problem_id": problem_id,
        "library_problem_id": problem_id,
        "library": "Numpy",
        "test_case_cnt": 1,
        "perturbation_type": "Origin",
        "perturbation_origin_id": problem_id,
    }
    texts = {"prompt": "P", "reference_code": "R", "code_context": "def test_execution(solution): ..."}
    return texts | {"metadata": metadata | changes}


def write(path: Path, *rows: object) -> Path:
    path.write_text("".join(json.dumps(one) + "\n" for one in rows), encoding="utf-8")
    return path


def fault(path: Path) -> str:
    with pytest.raises(DataError) as caught:
        load_problems(path)
    return caught.value.got


def test_every_field_of_a_row_is_kept(tmp_path: Path) -> None:
    (problem,) = load_problems(write(tmp_path / "a.jsonl", row(7, library="Scipy", test_case_cnt=3)))
    assert problem == Problem(7, "Scipy", 7, "Origin", 7, 3, "P", "R", "def test_execution(solution): ...")


def test_plain_and_gzipped_files_and_blank_lines_read_alike(tmp_path: Path) -> None:
    plain = write(tmp_path / "a.jsonl", row(0), row(1))
    zipped = tmp_path / "a.jsonl.gz"
    zipped.write_bytes(gzip.compress(b"\n" + plain.read_bytes() + b"\n\n"))
    assert load_problems(plain) == load_problems(zipped)


def test_a_surface_test_is_one_that_code_context_defines(tmp_path: Path) -> None:
    with_test = row(1) | {
        "code_context": "def test_execution(s): ...\n\n\ndef test_string(solution: str):\n    ..."
    }
    named_only = row(2) | {"code_context": "# def test_string(solution)\ntext = 'def test_string('"}
    problems = load_problems(write(tmp_path / "a.jsonl", with_test, named_only))
    assert [problem.has_surface_test for problem in problems] == [True, False]


def test_missing_and_mistyped_fields_name_file_line_and_field(tmp_path: Path) -> None:
    no_prompt = {key: value for key, value in row(1).items() if key != "prompt"}
    path = write(
        tmp_path / "a.jsonl", row(0), no_prompt, row(2, test_case_cnt="2"), row(3, library_problem_id=True)
    )
    got = fault(path)
    assert f"{path}: 3 faults" in got
    assert "line 2: no prompt" in got
    assert "line 3: metadata.test_case_cnt is a str, not a int" in got
    assert "line 4: metadata.library_problem_id is a bool, not a int" in got


def test_one_fault_is_one_line(tmp_path: Path) -> None:
    path = write(tmp_path / "a.jsonl", row(0) | {"metadata": None})
    assert fault(path) == f"{path}, line 1: metadata is a NoneType, not a dict"


def test_all_faults_of_one_row_stand_together(tmp_path: Path) -> None:
    got = fault(write(tmp_path / "a.jsonl", {"prompt": 1}))
    assert got.endswith("line 1: prompt is a int, not a str; no reference_code; no code_context; no metadata")


def test_of_many_faults_ten_are_shown_and_the_rest_counted(tmp_path: Path) -> None:
    got = fault(write(tmp_path / "a.jsonl", *[{}] * 14))
    assert "14 faults" in got
    assert "line 10: " in got
    assert "line 11: " not in got
    assert got.endswith("... and 4 more")


def test_an_unknown_perturbation_type_is_a_fault(tmp_path: Path) -> None:
    got = fault(write(tmp_path / "a.jsonl", row(0, perturbation_type="Semantics")))
    assert "perturbation_type 'Semantics' is none of Origin, Surface, Semantic, Difficult-Rewrite" in got


def test_a_problem_id_twice_is_refused(tmp_path: Path) -> None:
    got = fault(write(tmp_path / "a.jsonl", row(5), row(6), row(5, library="Pandas")))
    assert got.endswith("line 3: problem_id 5 was already on line 1")


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (b"{not json}\n", "line 1: not JSON"),
        (b'{"a": "\xff"}\n', "line 1: not UTF-8 at byte 7"),
        (b"[1, 2]\n", "line 1: a list where a JSON object is needed"),
        (b"[" * 100_000 + b"\n", "line 1: not JSON"),
        (b"1" * 5000 + b"\n", "line 1: not JSON"),
        (b"", "no rows"),
    ],
)
def test_a_line_that_holds_no_object_is_named(tmp_path: Path, content: bytes, says: str) -> None:
    path = tmp_path / "a.jsonl"
    path.write_bytes(content)
    assert says in fault(path)


def test_a_missing_file_a_folder_and_a_cut_gzip_file_are_data_errors(tmp_path: Path) -> None:
    assert fault(tmp_path / "none.jsonl") == f"no file {tmp_path / 'none.jsonl'}"
    assert "is a folder" in fault(tmp_path)
    cut = tmp_path / "cut.jsonl.gz"
    cut.write_bytes(gzip.compress(json.dumps(row()).encode() * 50)[:-20])
    assert f"{cut}, after line 0" in fault(cut)
    cut.write_bytes(b"plain text")
    assert "Not a gzipped file" in fault(cut)


def test_our_own_suite_is_found_by_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WORKBENCH_DATA", str(tmp_path))
    (tmp_path / "ds1000").mkdir()
    write(tmp_path / "ds1000" / "suite.jsonl", row(3))
    assert [problem.problem_id for problem in load_problems("suite")] == [3]
    monkeypatch.setenv("WORKBENCH_DATA", str(tmp_path / "gone"))
    with pytest.raises(DataError, match="WORKBENCH_DATA"):
        load_problems("suite")


def test_filters_keep_the_order_and_combine(tmp_path: Path) -> None:
    rows = [
        row(0),
        row(1, library="Pandas"),
        row(2, perturbation_type="Surface", perturbation_origin_id=0),
        row(3),
    ]
    path = write(tmp_path / "a.jsonl", *rows)
    assert [p.problem_id for p in load_problems(path, libraries=["Numpy"])] == [0, 2, 3]
    assert [p.problem_id for p in load_problems(path, problem_ids=[3, 0])] == [0, 3]
    assert [p.problem_id for p in load_problems(path, libraries=["Numpy"], perturbations=["Surface"])] == [2]
    assert select(load_problems(path), libraries=["Pandas"], perturbations=["Surface"]) == []


def test_a_filter_that_names_nothing_lists_what_is_there(tmp_path: Path) -> None:
    path = write(tmp_path / "a.jsonl", row(0))
    with pytest.raises(SettingsError) as caught:
        load_problems(path, libraries=["numpy"], problem_ids=[9])
    assert caught.value.got == "no problem has library 'numpy'; no problem has problem_id 9"
    assert "Numpy" in caught.value.needed


def test_a_family_is_an_origin_and_the_variants_of_its_own_library(tmp_path: Path) -> None:
    def variant(problem_id: int, library: str) -> dict[str, Any]:
        return row(problem_id, library=library, perturbation_type="Semantic", perturbation_origin_id=0)

    rows = [row(0), row(1), variant(2, "Numpy"), variant(3, "Pandas"), variant(4, "Numpy")]
    grouped = families(load_problems(write(tmp_path / "a.jsonl", *rows)))
    found = {
        origin.problem_id: [variant.problem_id for variant in group] for origin, group in grouped.items()
    }
    assert found == {0: [2, 4], 1: []}  # 3 varies Pandas 0, which is not there


words = st.text(alphabet='ab "\\\u00e9\u2028\ud800', max_size=5)
json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | words,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(words, inner, max_size=3),
    max_leaves=6,
)


@settings(max_examples=60, deadline=None)
@given(data=st.data())
def test_no_file_however_wild_raises_anything_but_a_data_error(
    tmp_path_factory: pytest.TempPathFactory, data: st.DataObject
) -> None:
    good = row()
    wild = st.fixed_dictionaries({}, optional={key: json_values | st.just(good[key]) for key in good})
    lines = data.draw(
        st.lists(wild.map(lambda v: json.dumps(v).encode()) | st.binary(max_size=30), max_size=4)
    )
    path = tmp_path_factory.mktemp("wild") / "a.jsonl"
    path.write_bytes(b"\n".join(lines))
    try:
        problems = load_problems(path)
    except DataError:
        return
    assert all(isinstance(problem, Problem) for problem in problems)


@realdata
def test_all_real_problems_load_and_variants_find_their_origins() -> None:
    if not SHARED.is_file():
        pytest.skip(f"no {SHARED}")
    problems = load_problems(SHARED)
    assert len(problems) == 650
    grouped = families(problems)
    variants = sum(len(group) for group in grouped.values())
    assert len(grouped) + variants == 649  # the Origin of problem 871 is not among these 650
    assert sum(problem.has_surface_test for problem in problems) == 90
