"""Every notebook runs with the smallest value that each of its parameters allows, and on problems of any shape."""

import json

import pytest
from paper_notebooks import notebook, own_figures, results, run

from workbench.runs.parameters import read_parameters
from workbench.store.location import data_folder

# Where the smallest number stands for another one: as many rollouts and answers as were tuned, the 30 problems of a
# library. Those take minutes: what they stand for is tested where they are read.
STANDS_FOR_MORE = {
    "alarm": {"steps": 1, "batch": 1, "translation_steps": 1},
    "arks": {"problems": 1},
}
# Lists have one name at least, and tell what the numbers are about.
ONE = {
    "alarm": {"weights": "1"},
    "arks": {"models": "pocket:data/arks/seed-0"},
    "ds1000": {"generators": "reference"},
    "haf_rm": {"alphas": "0.2", "regimes": "1"},
}


def smallest(paper):
    table = read_parameters(notebook(paper))
    least = {name: one.minimum for name, one in table.items() if one.kind in (int, float)}
    assert None not in least.values(), f"numbers without a smallest value: {least}"
    return least | STANDS_FOR_MORE.get(paper, {}) | ONE[paper]


def suite_rows(*libraries):
    rows = map(json.loads, (data_folder() / "ds1000" / "suite.jsonl").read_text().splitlines())
    return [row for row in rows if row["metadata"]["library"] in libraries]


def write(folder, rows):
    file = folder / "problems.jsonl"
    file.write_text("".join(f"{json.dumps(row)}\n" for row in rows))
    return file


def printed(paper, folder):
    """Return all that a run's notebook printed."""
    cells = json.loads((folder / paper / "notebook.ipynb").read_text())["cells"]
    outputs = [output for cell in cells for output in cell.get("outputs", ())]
    return "".join(text for output in outputs for text in output.get("text", ()))


@pytest.mark.parametrize("paper", ["alarm", "arks", "haf_rm"])
def test_it_runs_with_all_its_numbers_at_their_smallest(tmp_path, paper):
    done = run(paper, tmp_path / "run", **smallest(paper))
    assert done.exit_code == 0, done.output
    found = results(paper, tmp_path / "run")
    assert found["claims"]
    # so little decides nothing
    assert {claim["supported"] for claim in found["claims"]} == {None}


def test_ds1000_runs_on_one_problem_without_a_variant_or_a_surface_check(tmp_path):
    plain = next(row for row in suite_rows("Numpy") if "def test_string(" not in row["code_context"])
    done = run("ds1000", tmp_path / "run", **smallest("ds1000"), problems=write(tmp_path, [plain]))
    assert done.exit_code == 0, done.output
    said = printed("ds1000", tmp_path / "run")
    assert "no problem that was run has a surface-form check" in said
    assert "no Origin was run together with a variant of its own" in said
    found = results("ds1000", tmp_path / "run")
    assert own_figures(found) == ["by-library", "by-perturbation"]
    notes = {claim["statement"][:10]: claim["note"] for claim in found["claims"]}
    assert notes["Test cases"].startswith("No problem that was run has such a check.")
    assert all("problems.jsonl" in claim["note"] for claim in found["claims"] if claim["n"])


def test_ds1000_says_so_when_no_problem_can_be_run(tmp_path):
    """The library that all of them are about is not in the runtime."""
    rows = suite_rows("Numpy")[:2]
    for row in rows:
        row["metadata"]["library"] = "Tensorflow"
    done = run("ds1000", tmp_path / "run", generators="reference,memorizer", problems=write(tmp_path, rows))
    if (
        results("ds1000", tmp_path / "run")["numbers"]["skipped problems (the runtime lacks their library)"]
        == 0
    ):
        pytest.skip("TensorFlow is installed here")
    assert done.exit_code == 0, done.output
    said = printed("ds1000", tmp_path / "run")
    assert "0 problems can be run" in said
    assert "no problem was run, because the runtime lacks all of their libraries" in said
    found = results("ds1000", tmp_path / "run")
    assert own_figures(found) == []
    assert found["numbers"]["pass@1"] == {"reference": None, "memorizer": None}
    assert {claim["supported"] for claim in found["claims"]} == {None}


def test_a_runtime_that_is_missing_is_found_before_anybody_answers(tmp_path):
    """Here one that there is not; one that is not built is built by the notebook's own cell."""
    done = run("ds1000", tmp_path / "run", runtime="ds2000", generators="reference")
    assert done.exit_code == 2
    assert "no runtime 'ds2000' (did you mean 'ds1000'?)" in done.output
    assert not (tmp_path / "run").exists()
