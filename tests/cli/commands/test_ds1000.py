"""`workbench ds1000 score`: its table and files, killed and continued, and the faults it names."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from click.testing import CliRunner

from workbench.cli.main import cli
from workbench.core.errors import RuntimeMissingError
from workbench.sandbox.runtimes import find_runtime
from workbench.store import atomic

SHARED = Path(__file__).resolve().parents[4] / "shared" / "data" / "ds1000"
FEW = ["--library", "Numpy", "--library", "Scipy"]


def command(*words):
    return CliRunner().invoke(cli, ["ds1000", "score", *map(str, words)])


def start(*words, **environment):
    arguments = [sys.executable, "-m", "workbench.cli.main", "ds1000", "score", *map(str, words)]
    return subprocess.Popen(
        arguments,
        env={**os.environ, "OMP_NUM_THREADS": "1", **environment},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def kill_midway(out, lines, *words, **environment):
    """Start scoring, and kill it with -9 once some verdicts are on disk."""
    running = start(*words, "--out", out, **environment)
    verdicts = out / "verdicts.jsonl"
    end = time.monotonic() + 600
    while not (verdicts.exists() and verdicts.read_bytes().count(b"\n") >= lines):
        assert running.poll() is None, running.communicate()[1]
        assert time.monotonic() < end, "no verdicts came"
        time.sleep(0.02)
    running.send_signal(signal.SIGKILL)
    running.communicate()
    assert not (out / "summary.json").exists()


@pytest.fixture(scope="module")
def memorizer(tmp_path_factory):
    """Hold a scoring that nothing interrupted."""
    out = tmp_path_factory.mktemp("memorizer")
    done = command("memorizer", *FEW, "--out", out)
    assert done.exit_code == 0, done.output
    return out, done.output


def test_it_prints_the_table_and_writes_its_files(memorizer):
    out, printed = memorizer
    summary = json.loads((out / "summary.json").read_text())
    lines = [json.loads(line) for line in (out / "verdicts.jsonl").read_text().splitlines()]
    assert summary["problems"] == len(lines) == 28
    assert summary["passed"] == sum(line["status"] == "passed" for line in lines)
    assert summary["pass@1"] == summary["passed"] / 28
    assert list(summary["by_library"]) == ["Numpy", "Scipy"]
    assert list(summary["by_perturbation"]) == ["Origin", "Surface", "Semantic", "Difficult-Rewrite"]
    # it knows the Origins by heart, of all libraries, and they are enough for no problem of changed meaning
    assert summary["by_perturbation"]["Origin"]["pass@1"] == 1.0
    assert summary["by_perturbation"]["Semantic"]["pass@1"] == 0.0
    assert summary["memorization_gap"]["all"]["low"] > 0
    assert summary["seconds"] > 0
    assert summary["runtime"]["name"] == "main"
    assert all(line["split"] for line in lines)
    assert not any("seconds" in line for line in lines)
    assert "memorization gap: +" in printed
    assert f"{summary['passed']} of 28 answers passed" in printed


def test_killed_and_started_again_it_ends_with_the_same_verdicts(memorizer, tmp_path):
    kill_midway(tmp_path, 3, "memorizer", *FEW)
    before = (tmp_path / "verdicts.jsonl").read_bytes()
    done = command("memorizer", *FEW, "--out", tmp_path)
    assert done.exit_code == 0, done.output
    assert (tmp_path / "verdicts.jsonl").read_bytes() == (memorizer[0] / "verdicts.jsonl").read_bytes()
    assert (tmp_path / "answers.jsonl").read_bytes() == (memorizer[0] / "answers.jsonl").read_bytes()
    assert before != (memorizer[0] / "verdicts.jsonl").read_bytes()


def test_fresh_forgets_what_is_there(tmp_path):
    words = ["reference", "--library", "Numpy", "--perturbation", "Surface", "--out", tmp_path]
    for line in ("verdicts.jsonl", "answers.jsonl"):
        (tmp_path / line).write_text("{}\n")
    assert command(*words).exit_code == 2  # a file that is not ours is not overwritten unasked
    done = command(*words, "--fresh")
    assert done.exit_code == 0, done.output
    assert len((tmp_path / "answers.jsonl").read_text().splitlines()) == 2


def test_failing_answers_are_no_failure_of_the_command(tmp_path):
    file = tmp_path / "empty.jsonl"
    from workbench.datasets import load_problems

    problems = load_problems("suite", libraries=["Numpy"], perturbations=["Surface"])
    file.write_text("".join(json.dumps({"id": p.problem_id, "code": ""}) + "\n" for p in problems))
    chosen = ["--library", "Numpy", "--perturbation", "Surface"]
    done = command(f"recorded:{file}", *chosen, "--out", tmp_path / "out")
    assert done.exit_code == 0
    assert "0 of 2 answers passed" in done.output


def test_what_is_there_is_scored_alone_where_that_is_asked(tmp_path):
    file = tmp_path / "one.jsonl"
    from workbench.datasets import load_problems

    first, *_ = load_problems("suite", libraries=["Numpy"], perturbations=["Surface"])
    file.write_text(json.dumps({"id": first.problem_id, "code": first.reference_code}) + "\n")
    words = [f"recorded:{file}", "--library", "Numpy", "--perturbation", "Surface", "--out", tmp_path / "out"]
    whole = command(*words)
    assert whole.exit_code == 2
    assert "0 of 1 answers" in whole.output
    done = command(*words, "--partial")
    assert done.exit_code == 0, done.output
    assert "partial: 1 of 2 problems have no answer" in done.output
    assert "1 of 1 answers passed" in done.output
    assert json.loads((tmp_path / "out" / "summary.json").read_text())["unanswered"] == 1


@pytest.mark.parametrize("fresh", [[], ["--fresh"]])
def test_a_file_that_would_be_written_to_is_refused_as_an_input(tmp_path, fresh):
    few = ["--library", "Numpy", "--perturbation", "Surface", "--out", tmp_path]
    assert command("reference", *few).exit_code == 0
    before = (tmp_path / "answers.jsonl").read_bytes()
    (tmp_path / "link.jsonl").symlink_to(tmp_path / "answers.jsonl")
    for name in ("answers.jsonl", "link.jsonl"):
        done = command(f"recorded:{tmp_path / name}", *few, *fresh)
        assert done.exit_code == 2
        assert "as an input, into which results would be written" in done.output
    assert (tmp_path / "answers.jsonl").read_bytes() == before


def test_a_folder_is_one_generators(tmp_path):
    few = ["--library", "Numpy", "--perturbation", "Surface", "--out", tmp_path]
    assert command("reference", *few).exit_code == 0
    done = command("memorizer", *few)
    assert done.exit_code == 2
    assert "holds answers of reference" in done.output
    assert command("memorizer", *few, "--fresh").exit_code == 0


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["nobody"], "generator 'nobody'"),
        (["recorded:nowhere.jsonl"], "nowhere.jsonl"),
        (["reference", "--problems", "nowhere.jsonl", "--runtime", "main"], "nowhere.jsonl"),
        (["reference", "--library", "Fortran"], "no problem has library 'Fortran'"),
        (["reference", "--runtime", "nothing"], "nothing"),
        (["reference", "--timeout", "-1"], "'-1' is not a number above 0"),
        (["reference", "--temperature", "-1"], "temperature -1.0"),
        (["reference", "--samples", "0"], "--samples"),
    ],
)
def test_bad_input_is_named_and_ends_with_2(tmp_path, words, said):
    done = command(*words, "--out", tmp_path / "out")
    assert done.exit_code == 2, done.output
    assert said in done.output
    assert "Traceback" not in done.output


def test_two_processes_do_not_score_into_one_folder(tmp_path):
    held = (
        "import sys, time\nfrom pathlib import Path\nfrom workbench.store import atomic\n"
        "with atomic.lock(Path(sys.argv[1])):\n    print('held', flush=True)\n    time.sleep(60)\n"
    )
    other = subprocess.Popen(
        [sys.executable, "-c", held, str(tmp_path / ".lock")], stdout=subprocess.PIPE, text=True
    )
    try:
        assert other.stdout.readline() == "held\n"
        assert atomic.is_locked(tmp_path / ".lock")
        done = command("reference", *FEW, "--out", tmp_path)
        assert done.exit_code == 2
        assert "another process is scoring into" in done.output
    finally:
        other.kill()
        other.wait()


def test_strict_counts_vacuous_passes_as_failed_and_both_rates_are_written(tmp_path):
    """Of two problems, the first gets tests that accept anything; the answers are lists of nothing."""
    from workbench.datasets.suite import suite_folder

    rows = [json.loads(line) for line in (suite_folder() / "suite.jsonl").read_text().splitlines()]
    rows = [row for row in rows if row["metadata"]["library"] == "Numpy"][:2]
    for row in rows:
        row["code_context"] += '\n\nexec_context = "[insert]"\n\ndef test_string(code):\n    pass\n'
    rows[0]["code_context"] += "\n\ndef exec_test(result, ans):\n    return 1\n"
    problems, answers = tmp_path / "problems.jsonl", tmp_path / "given.jsonl"
    problems.write_text("".join(json.dumps(row) + "\n" for row in rows))
    numbers = [row["metadata"]["problem_id"] for row in rows]
    answers.write_text("".join(json.dumps({"id": each, "code": "result = []"}) + "\n" for each in numbers))
    words = [f"recorded:{answers}", "--problems", problems, "--runtime", "main", "--out", tmp_path / "out"]
    found = {}
    for flags in ([], ["--strict"]):
        done = command(*words, *flags)
        assert done.exit_code == 0, done.output
        said = f"vacuous: 1 of 2 answers meet the tests with a result that says nothing (problem {numbers[0]}"
        assert said in done.output
        assert "pass@1 is 0.500 with them, 0.000 without" in done.output
        assert f"{0 if flags else 1} of 2 answers passed" in done.output
        found[len(flags)] = json.loads((tmp_path / "out" / "summary.json").read_text())
    assert [found[n]["pass@1"] for n in (0, 1)] == [0.5, 0.0]
    for each in found.values():
        assert (each["lenient_pass@1"], each["strict_pass@1"], each["vacuous"]) == (0.5, 0.0, 1)
    assert [found[n]["settings"]["strict"] for n in (0, 1)] == [False, True]
    rows = [json.loads(line) for line in (tmp_path / "out" / "verdicts.jsonl").read_text().splitlines()]
    assert [(row["status"], row["vacuous"]) for row in rows] == [("passed", True), ("failed", False)]


# ---- the real data -----------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def real():
    """Return the words and the environment that the real data needs."""
    if not (SHARED / "ds1000-dev.jsonl.gz").is_file():
        pytest.skip(f"no {SHARED}")
    data = {
        "SEABORN_DATA": str(SHARED / "cache" / "seaborn"),
        "SCIKIT_LEARN_DATA": str(SHARED / "cache" / "scikit_learn"),
    }
    try:
        find_runtime("ds1000", build=False)
    except RuntimeMissingError as missing:
        pytest.skip(missing.got)
    return ["--problems", str(SHARED / "ds1000-dev.jsonl.gz")], data


def finish(*words, **environment):
    running = start(*words, **environment)
    printed, complaints = running.communicate()
    assert running.returncode == 0, complaints
    return printed


@pytest.mark.realdata
def test_all_real_references_pass_and_a_killed_run_ends_with_the_same_verdicts(real, tmp_path):
    words, data = real
    printed = finish("reference", *words, "--out", tmp_path / "whole", **data)
    print(printed)
    verdicts = (tmp_path / "whole" / "verdicts.jsonl").read_bytes()
    rows = [json.loads(line) for line in verdicts.splitlines()]
    assert [row for row in rows if row["status"] != "passed"] == []
    assert len(rows) == 650
    assert all(row["split"] for row in rows)
    assert [row for row in rows if row["vacuous"]] == []
    # three whose tests hold no expected value and look at a shape alone, and one result of millions of values
    assert {row["problem_id"] for row in rows if row["vacuous_why"]} == {916, 917, 918, 726}
    kill_midway(tmp_path / "cut", 200, "reference", *words, **data)
    finish("reference", *words, "--out", tmp_path / "cut", **data)
    assert (tmp_path / "cut" / "verdicts.jsonl").read_bytes() == verdicts


@pytest.mark.realdata
def test_all_real_empty_answers_fail(real, tmp_path):
    from workbench.datasets import load_problems

    words, data = real
    file = tmp_path / "empty.jsonl"
    problems = load_problems(words[1])
    file.write_text("".join(json.dumps({"problem_id": p.problem_id, "code": ""}) + "\n" for p in problems))
    print(finish(f"recorded:{file}", *words, "--out", tmp_path, **data))
    summary = json.loads((tmp_path / "summary.json").read_text())
    assert (summary["problems"], summary["passed"], summary["skipped"]) == (650, 0, 0)
