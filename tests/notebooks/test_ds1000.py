"""notebooks/ds1000.ipynb: executed in the pocket profile, and the same numbers by every road."""

import json
import os
import subprocess
import sys

import pytest
from paper_notebooks import notebook, own_figures, results, run, run_file, with_examples

from workbench.store.location import data_folder


@pytest.fixture(scope="module")
def pocket(tmp_path_factory):
    """Hold the pocket run, made away from the project's folder."""
    folder = tmp_path_factory.mktemp("pocket") / "run"
    done = run("ds1000", folder)
    assert done.exit_code == 0, done.output
    return folder, done.output


def test_pocket_answers_the_papers_three_questions(pocket):
    folder, printed = pocket
    found = results("ds1000", folder)
    assert "report: run/index.html" in printed
    assert (folder / "index.html").is_file()
    assert found["numbers"]["pass@1"] == {
        "reference": 1.0,
        "memorizer": pytest.approx(0.5, abs=0.2),
        "recorded:wrong.jsonl": 0.0,
    }
    assert list(found["tables"])[:3] == ["problems", "paper setting", "vacuous passes"]
    assert [row[0] for row in found["tables"]["vacuous passes"]["rows"]] == list(found["numbers"]["pass@1"])
    claims = {claim["statement"]: claim for claim in found["claims"]}
    assert [claim["supported"] for claim in claims.values()] == [True, None, True, True]
    assert own_figures(found) == ["by-library", "surface-form", "by-perturbation", "memorization"]
    kept = {name: about for name, about in found["figures"].items() if "kept" in about}
    assert list(kept) == ["real-by-perturbation"]  # beside them, and told apart
    assert all(about["caption"].startswith("Real model, real data") for about in kept.values())
    gaps = found["tables"]["memorization gap"]
    memorizer = next(row for row in gaps["rows"] if row[:2] == ["memorizer", "all"])
    origin, variants = (memorizer[gaps["columns"].index(name)] for name in ("origin", "variants"))
    assert origin == 1.0
    assert variants < 0.5
    assert found["numbers"]["skipped problems (the runtime lacks their library)"] in (0, 14)


def verdicts(folder, name):
    (file,) = (folder / "ds1000" / "steps").glob(f"verdicts-{name}-*/verdicts.jsonl")
    return [json.loads(line) for line in file.read_text().splitlines()]


def test_on_the_whole_suite_references_pass_and_wrong_answers_fail(pocket):
    folder, _ = pocket
    references, wrong = verdicts(folder, "reference"), verdicts(folder, "recorded-wrong.jsonl")
    assert [row for row in references if row["status"] not in ("passed", "skipped")] == []
    assert [row for row in wrong if row["status"] in ("passed", "crashed") or row["stage"] == "tests"] == []
    assert [row for row in references if row["vacuous"] or row["vacuous_why"]] == []
    assert {row["library"] for row in references + wrong if row["status"] == "skipped"} <= {"Tensorflow"}
    assert sum(row["status"] == "passed" for row in references) >= 87
    # right results that break a rule of the question
    assert sum(row["stage"] == "surface" for row in wrong) >= 10
    assert all(row["split"] for row in references + wrong)


def test_pocket_is_kept_when_it_is_asked_for_again(pocket):
    folder, _ = pocket
    before = (folder / "ds1000" / "results.json").read_bytes()
    done = run("ds1000", folder)
    assert done.exit_code == 0
    assert "finished before, kept" in done.output
    assert (folder / "ds1000" / "results.json").read_bytes() == before


def test_a_reader_adds_generators_in_a_cell(tmp_path):
    """The notebook's own examples, made live: they are asked and graded as all others."""
    rows = (data_folder() / "ds1000" / "suite.jsonl").read_text().splitlines()
    few = tmp_path / "few.jsonl"
    few.write_text("\n".join(row for row in rows if json.loads(row)["metadata"]["library"] == "Numpy"))
    file = with_examples("ds1000", tmp_path)
    done = run_file(file, tmp_path / "run", problems=few, generators="reference")
    assert done.exit_code == 0, done.output
    found = results("ds1000", tmp_path / "run")
    assert found["numbers"]["pass@1"] == {"reference": 1.0, "nothing": 0.0, "shouted": 0.0}
    asked = set((tmp_path / "run" / "ds1000" / "steps").glob("answers-*"))
    # another function: it is asked again, and only it
    file.write_text(file.read_text().replace("result = None", "result = 0"))
    assert run_file(file, tmp_path / "run", problems=few, generators="reference").exit_code == 0
    new = {
        step.name.split("-")[1]
        for step in (tmp_path / "run" / "ds1000" / "steps").glob("answers-*")
        if step not in asked
    }
    assert new == {"nothing"}


def test_papermill_alone_gives_the_same_numbers(tmp_path):
    rows = (data_folder() / "ds1000" / "suite.jsonl").read_text().splitlines()
    few = tmp_path / "few.jsonl"
    few.write_text("\n".join(row for row in rows if json.loads(row)["metadata"]["library"] == "Numpy"))
    chosen = {"problems": few, "generators": "reference,memorizer"}
    done = run("ds1000", tmp_path / "run", **chosen)
    assert done.exit_code == 0, done.output
    given = {**chosen, "out": tmp_path / "plain"}
    words = [word for name, value in given.items() for word in ("-p", name, str(value))]
    plain = subprocess.run(
        [
            sys.executable,
            "-m",
            "papermill",
            str(notebook("ds1000")),
            str(tmp_path / "plain.ipynb"),
            *words,
            "-k",
            "python3",
        ],
        cwd=tmp_path,
        env={**os.environ, "OMP_NUM_THREADS": "1", "JUPYTER_PREFER_ENV_PATH": "1"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert plain.returncode == 0, plain.stderr
    assert results("ds1000", tmp_path / "plain") == results("ds1000", tmp_path / "run")
