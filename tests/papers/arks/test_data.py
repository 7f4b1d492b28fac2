"""Where the ARKS experiment's problems come from, and the models that it names."""

import json
import os
import subprocess
import sys

import pytest

from workbench.core.errors import DataError, SettingsError
from workbench.datasets.evor import TASKS
from workbench.papers.arks import data as arks_data
from workbench.papers.arks.data import WORLD_PROBLEMS, ArksData, Model, load_arks
from workbench.worlds.libraries import PocketTemplate


def load(source, folder, **changes):
    return load_arks(
        source, **{"libraries": 1, "problems": 3, "runtime": "main", "seed": 0, "folder": folder, **changes}
    )


def test_the_world_comes_with_gold_documents_sizes_and_the_control(tmp_path):
    data = load("world", tmp_path, libraries=2)
    assert len(data.problems) == 6
    assert data.bounded
    assert list(data.operations.values()) == [1, 2, 3, 1, 2, 3]
    assert isinstance(data.template, PocketTemplate)
    assert [item.id for item in data.documents()] == [item.id for item in data.documents(stripped=True)]
    assert data.documents() != data.documents(stripped=True)


def test_zero_problems_stand_for_a_number_since_the_world_has_no_end_of_them(tmp_path):
    assert len(load("world", tmp_path, problems=0).problems) == WORLD_PROBLEMS


def test_data_without_a_problem_are_refused(tmp_path, monkeypatch):
    """Of a package that no problem can be moved to, for example."""
    empty = ArksData("fresh:mylib", (), ())
    monkeypatch.setattr(arks_data, "_load", lambda *_, **__: empty)
    with pytest.raises(DataError, match="no problem in fresh:mylib"):
        load("fresh:mylib", tmp_path)


def test_a_task_of_evor_in_a_folder(tmp_path):
    task = tmp_path / "Ring"
    task.mkdir()
    cases = [{"input": "x", "output": "X"}, {"input": "y", "output": "Y"}]
    row = {"problem_description": "Print it in capitals.", "code_context": "[insert]", "test_cases": cases}
    (task / "Ring.jsonl").write_text(f"{json.dumps(row)}\n" * 2)
    (task / "Ring_docs.jsonl").write_text(json.dumps({"id": "twice", "content": "twice(x) doubles"}))
    data = load(f"Ring:{tmp_path}", tmp_path, problems=0)
    assert [problem.question for problem in data.problems] == ["Print it in capitals."] * 2
    assert len(load(f"Ring:{tmp_path}", tmp_path, problems=1).problems) == 1
    assert [item.parent for item in data.documents()] == ["twice"]
    assert not data.bounded
    with pytest.raises(SettingsError, match="without the words"):
        data.documents(stripped=True)


def test_evor_bench_whole_is_four_tasks_that_share_nothing(tmp_path, monkeypatch):
    monkeypatch.setattr("workbench.languages.toolchains.with_toolchains", lambda runtime, languages: runtime)
    monkeypatch.setattr("workbench.sandbox.installed.with_installed", lambda runtime, modules: runtime)
    cases = [{"input": "eA==", "output": "WA=="}] * 2
    for task in TASKS:
        (tmp_path / task).mkdir()
        row = {"problem_id": "q1", "problem_description": f"On {task}.", "code_context": "[insert]"}
        row |= {"test_cases": cases, "test_code": "def test(result, expected): return 1"}
        (tmp_path / task / f"{task}.jsonl").write_text(f"{json.dumps(row)}\n")
        (tmp_path / task / f"{task}_docs.jsonl").write_text(json.dumps({"id": "page", "content": task}))
    data = load(f"all:{tmp_path}", tmp_path, problems=0)
    assert [problem.problem_id for problem in data.problems] == [f"{task}/q1" for task in TASKS]
    assert [part.name for part in data.parts] == list(TASKS)
    assert [[item.content for item in part.documents()] for part in data.parts] == [[task] for task in TASKS]
    alone = load(f"Ring:{tmp_path}", tmp_path, problems=0)
    assert alone.parts == (alone,)


CONTEXT = '''
def generate_test_case(test_case_id): return 4, 2.0
def exec_test(result, ans): return int(result == ans)
exec_context = """import math
number = test_input
[insert]
"""
def test_execution(solution: str):
    test_input, expected_result = generate_test_case(1)
    test_env = {"test_input": test_input}
    exec(exec_context.replace("[insert]", solution), test_env)
    assert exec_test(test_env["result"], expected_result)
'''


def test_problems_of_a_file_are_moved_and_those_that_cannot_be_asked_are_left_out(tmp_path, monkeypatch):
    codes = {
        1: "result = math.sqrt(number)",  # holds
        2: "result = math.sqrt(number) + 1",  # its own reference fails
        3: "result = number ** 0.5",  # does not use what is renamed
    }
    prompt = "Take the root.\n<code>\nimport math\nnumber = 4\n</code>\nBEGIN SOLUTION\n<code>\n"
    about = {
        "library": "math",
        "test_case_cnt": 1,
        "perturbation_type": "Origin",
        "perturbation_origin_id": 1,
    }
    rows = [
        {
            "prompt": prompt,
            "reference_code": code,
            "code_context": CONTEXT,
            "metadata": {"problem_id": number, "library_problem_id": number, **about},
        }
        for number, code in codes.items()
    ]
    file = tmp_path / "problems.jsonl"
    file.write_text("".join(json.dumps(row) + "\n" for row in rows))
    data = load(f"fresh:math:{file}", tmp_path, problems=0)
    assert [problem.problem_id for problem in data.problems] == ["1"]
    assert data.left_out.keys() == {"2", "3"}
    assert data.left_out["2"].startswith("the renamed reference ")
    monkeypatch.setattr("workbench.sandbox.Sandbox", None)  # it is known already: no program is run for it
    assert load(f"fresh:math:{file}", tmp_path, problems=0).left_out == data.left_out
    with pytest.raises(SettingsError, match="no problem on statistics"):
        load(f"fresh:statistics:{file}", tmp_path)


@pytest.mark.parametrize("source", ["earth", "fresh:", "ring"])
def test_other_data_are_refused(source, tmp_path):
    with pytest.raises(SettingsError, match=r"world, fresh:PACKAGE\[:FILE\], or one of ScipyM"):
        load(source, tmp_path)


def test_a_model_is_known_by_what_its_answers_depend_on():
    first, second = (Model(f"pocket:data/arks/seed-{seed}").identified() for seed in (0, 1))
    assert first.fingerprint != second.fingerprint
    assert first.fingerprint == Model("pocket:data/arks/seed-0").identified().fingerprint


def test_a_model_held_in_an_unknown_way_is_refused():
    with pytest.raises(SettingsError, match="quantize '3bit'"):
        Model("hf:some/model", quantize="3bit").open()


def test_what_results_are_kept_by_is_the_same_in_every_process(tmp_path):
    program = (
        "import sys; from pathlib import Path\n"
        "from workbench.papers.arks.data import Model, load_arks\n"
        "from workbench.papers.arks.settings import declared\n"
        "from workbench.store.fingerprint import fingerprint\n"
        "data = load_arks('world', libraries=1, problems=3, runtime='main', seed=0, folder=Path('.'))\n"
        "print(fingerprint((data, declared(), Model('pocket:data/arks/seed-0').identified())))\n"
        "print('torch' in sys.modules)"
    )
    first, second = (
        subprocess.run(
            [sys.executable, "-c", program],
            env={**os.environ, "PYTHONHASHSEED": seed},
            capture_output=True,
            text=True,
            check=True,
            cwd=tmp_path,
        ).stdout.split()
        for seed in ("1", "2")
    )
    assert first == second
    assert first[1] == "False"  # what is known already is shown without loading a model
