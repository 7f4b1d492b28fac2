"""`workbench arks run`: from a user's files to accuracy by round; and the file of problems."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner
from tiny_model import make_tiny_model

from workbench.cli.commands import arks
from workbench.cli.main import cli
from workbench.core.errors import DataError, SettingsError
from workbench.retrieval.problem_files import load_coding_problems
from workbench.sandbox.isolation import check

PROBLEM = {
    "problem_id": "double",
    "question": "Double x into y.",
    "visible_runs": [{"context": "x = 2\n[insert]\n"}],
    "hidden_tests": [{"context": "x = 3\n[insert]\nprint(y)", "expected_stdout": "6"}],
    "gold_documents": ["twice.md"],
}


def write(path: Path, *rows: object) -> Path:
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    return path


def test_a_file_of_problems_is_read(tmp_path: Path):
    (problem,) = load_coding_problems(write(tmp_path / "p.jsonl", PROBLEM))
    assert problem.hidden_tests[0].expected_stdout == "6"
    assert problem.visible_runs[0].source("y = 1") == "x = 2\ny = 1\n"
    assert problem.gold_documents == ("twice.md",)


def test_all_faults_of_a_file_are_told(tmp_path: Path):
    odd = [
        PROBLEM,
        PROBLEM,
        {"question": "q"},
        {**PROBLEM, "answer": 1},
        {**PROBLEM, "hidden_tests": [{"in": 1}]},
    ]
    with pytest.raises(DataError) as caught:
        load_coding_problems(write(tmp_path / "p.jsonl", *odd))
    for told in ("line 2: problem_id 'double' was there", "line 3: problem '': problem_id is empty",
                 "line 4: unknown fields answer", "line 5: "):  # fmt: skip
        assert told in caught.value.got
    with pytest.raises(DataError, match="no problems"):
        load_coding_problems(write(tmp_path / "empty.jsonl"))


@pytest.fixture
def words(tmp_path: Path) -> list[object]:
    """Write a user's files: problems and a folder of documents; return the command on them."""
    try:
        check("sandlock")
    except Exception as error:  # the reason is shown with the skip
        pytest.skip(f"programs cannot be isolated here: {error}")
    (tmp_path / "docs").mkdir()
    (tmp_path / "docs" / "twice.md").write_text("Double a number by 2 * x.")
    problems = write(tmp_path / "p.jsonl", PROBLEM)
    words = ["arks", "run", "--problems", problems, "--docs", tmp_path / "docs", "--out", tmp_path / "out"]
    return [*words, "--workers", "1"]


def run(*words: object) -> str:
    done = CliRunner().invoke(cli, [str(word) for word in words])
    assert done.exit_code == 0, done.output
    return done.output


def test_from_a_users_files_to_accuracy_by_round(words: list[object], tmp_path: Path):
    prompt = (
        "# Documentation\n\ntwice\nDouble a number by 2 * x.\n\n# Task\n\nDouble x into y.\n\n"
        "Reply with one Python code block.\n"
    )
    answers = write(tmp_path / "a.jsonl", {"prompt": prompt, "answer": "y = 2 * x"})
    printed = run(*words, "--generator", f"recorded:{answers}")
    line = next(line for line in printed.splitlines() if line.startswith("    0"))
    assert line.split()[:6] == ["0", "1", "1.000", "1.000", "0.000", "1.00"]
    assert len((tmp_path / "out" / "trace.jsonl").read_text().splitlines()) == 1


def test_with_a_model_on_disk_it_goes_on_where_it_was(words: list[object], tmp_path: Path):
    model = make_tiny_model(tmp_path / "model", context=1024)
    words += ["--generator", f"hf:{model}", "--device", "cpu", "--max-new-tokens", 5]
    words += ["--query", "question", "--rounds"]
    run(*words, 1)
    first = (tmp_path / "out" / "trace.jsonl").read_bytes()
    printed = run(*words, 2)
    assert (tmp_path / "out" / "trace.jsonl").read_bytes().startswith(first)
    before, after = (json.loads(line) for line in (tmp_path / "out" / "trace.jsonl").open())
    assert before["shown"] == after["shown"] != []
    assert not before["outcome"]["ran"]  # five tokens of random weights are no program
    assert before["outcome"]["message"] in after["prompt"]
    assert before["answer"]
    assert f"hf:{model}" in printed
    answers = (tmp_path / "out" / "completions.jsonl").read_bytes()
    assert printed.strip().endswith(run(*words, 2).strip())  # before it come the bars of loading the model
    assert (tmp_path / "out" / "completions.jsonl").read_bytes() == answers


OUTER = {
    **PROBLEM,
    "visible_runs": [{"context": "import outerlib\nx = 2\n[insert]\n"}],
    "hidden_tests": [{"context": "import outerlib\nx = 3\n[insert]\nprint(y)", "expected_stdout": "6"}],
}


@pytest.fixture
def outerlib(words: list[object], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Write problems on a package that lies where only this process's path leads; return its file."""
    monkeypatch.setenv("WORKBENCH_CACHE", str(tmp_path / "cache"))
    write(tmp_path / "p.jsonl", OUTER)
    file = tmp_path / "source" / "outerlib.py"
    file.parent.mkdir()
    file.write_text("def double(x):\n    'Double a number.'\n    return 2 * x\n")
    monkeypatch.syspath_prepend(str(file.parent))
    monkeypatch.delitem(sys.modules, "outerlib", raising=False)
    return file


def answered(tmp_path: Path, documents: str) -> Path:
    prompt = (
        f"# Documentation\n\n{documents}\n\n# Task\n\nDouble x into y.\n\nReply with one Python code block.\n"
    )
    return write(tmp_path / "a.jsonl", {"prompt": prompt, "answer": "y = outerlib.double(x)"})


def accuracy(printed: str) -> str:
    return next(line for line in printed.splitlines() if line.startswith("    0")).split()[2]


def test_a_package_outside_of_the_runtimes_folders_is_readable_and_counts_by_its_content(
    words: list[object], outerlib: Path, tmp_path: Path
):
    answers = answered(tmp_path, "twice\nDouble a number by 2 * x.")
    printed = run(*words, "--generator", f"recorded:{answers}")
    assert accuracy(printed) == "1.000"
    outerlib.write_text("def double(x):\n    return 3 * x  # a fault, made while working on it\n")
    assert accuracy(run(*words, "--generator", f"recorded:{answers}")) == "0.000"


def test_a_package_that_the_sandbox_cannot_import_is_refused_before_the_first_prompt(
    words: list[object], outerlib: Path, tmp_path: Path
):
    secret = tmp_path / "elsewhere.txt"
    secret.write_text("read on import")
    outerlib.write_text(f"open({str(secret)!r}).read()\n" + outerlib.read_text())
    answers = write(tmp_path / "a.jsonl", {"prompt": "never asked", "answer": ""})
    more = ["--package", "outerlib", "--generator", f"recorded:{answers}"]
    done = CliRunner().invoke(cli, [str(word) for word in [*words, *more]])
    assert done.exit_code != 0
    assert (
        "`import outerlib` works here and not in the sandbox: PermissionError"
        in str(done.exception) + done.output
    )
    assert not (tmp_path / "out" / "completions.jsonl").exists()


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"question": 6}, "question is a number, not a text"),
        ({"question": None}, "question is empty"),
        ({"problem_id": None}, "problem_id is empty"),
        ({"problem_id": 1.5}, "problem_id is a number, not a text"),
        ({"problem_id": True}, "problem_id is true or false, not a text"),
        ({"reference_code": ["x"]}, "reference_code is a list, not a text"),
        ({"gold_documents": "twice.md"}, "gold_documents is no list"),
        ({"gold_documents": [None]}, "an item of gold_documents is null, not a text"),
        ({"visible_runs": {"context": "[insert]"}}, "visible_runs is no list"),
        ({"visible_runs": ["[insert]"]}, "item 1 of visible_runs is no object"),
        ({"visible_runs": [{"context": 5}]}, "context of visible run 1 is a number, not a text"),
        ({"hidden_tests": [{"context": "[insert]", "stdin": 5}]}, "stdin of hidden test 1 is a number, not a text"),
        ({"hidden_tests": [{"expected_stdout": 6}]}, "expected_stdout of hidden test 1 is a number, not a text"),
        ({"hidden_tests": [{"tests": {}}]}, "tests of hidden test 1 is an object, not a text"),
        ({"hidden_tests": [{"in": 1}]}, "item 1 of hidden_tests has unknown fields in"),
    ],
)  # fmt: skip
def test_what_is_no_text_is_refused_with_its_file_and_line(change: dict, said: str, tmp_path: Path):
    """`expected_stdout: 6` failed after all rounds, and null became the text None."""
    with pytest.raises(DataError) as caught:
        load_coding_problems(
            write(tmp_path / "p.jsonl", {**PROBLEM, "problem_id": "first"}, PROBLEM | change)
        )
    assert caught.value.got.startswith(f"{tmp_path}/p.jsonl, line 2: ") and said in caught.value.got


def test_null_is_what_was_not_given_and_a_number_names_a_problem(tmp_path: Path):
    nulls = dict.fromkeys(["code_context", "language", "library", "reference_code", "gold_documents"])
    tests = [{"context": "[insert]", "stdin": None, "expected_stdout": None, "tests": None}]
    row = {**PROBLEM, **nulls, "problem_id": 7, "hidden_tests": tests}
    (problem,) = load_coding_problems(write(tmp_path / "p.jsonl", row))
    bare = {name: value for name, value in PROBLEM.items() if name != "gold_documents"}
    plain = {**bare, "problem_id": "7", "hidden_tests": [{"context": "[insert]"}]}
    assert [problem] == load_coding_problems(write(tmp_path / "q.jsonl", plain))


def test_evor_bench_is_named_by_its_tasks(tmp_path: Path):
    """Each task brings its problems and its documentation; it is the user's own file or these."""
    row = {"problem_description": "Print it.", "code_context": "[insert]"}
    for task in ("Ring", "Pony"):
        (tmp_path / task).mkdir()
        write(tmp_path / task / f"{task}.jsonl", row | {"test_cases": [{"input": "x", "output": "X"}] * 2})
        write(tmp_path / task / f"{task}_docs.jsonl", {"id": "page", "content": f"{task} prints"})
    options = {"problems": None, "tasks": "Ring, Pony", "evor": str(tmp_path)}
    asked = arks._asked(options)
    assert list(asked) == ["Ring", "Pony"]
    problems, documentation = asked["Pony"]()
    assert [problem.library for problem in problems] == ["Pony"]
    assert [item.content for item in documentation] == ["Pony prints"]
    assert list(arks._asked(options | {"tasks": "all"})) == ["ScipyM", "TensorflowM", "Ring", "Pony"]
    for wrong, said in (
        ({"tasks": "Perl"}, "tasks Perl"),
        ({"tasks": None}, "neither"),
        ({"problems": "f"}, "both"),
    ):
        with pytest.raises(SettingsError, match=said):
            arks._asked(options | wrong)
