"""A fifth paper is one notebook and one folder of its name: it runs, reports and is browsed like the four. A coding
benchmark is one file of problems: it is scored, browsed and given to the active loop like ours.
"""

import importlib.util
import json
import sys

import pytest
from click.testing import CliRunner
from small_notebooks import write_notebook
from tiny_model import make_tiny_model

from workbench.cli.main import cli
from workbench.core.errors import SettingsError
from workbench.explore import browsers
from workbench.explore.attempts import load_attempts
from workbench.papers.ds1000.benchmark import load_benchmark
from workbench.store.reading import read_json

BROWSE = '''
"""How the runs of this paper are read back."""
from workbench.explore.attempts import Attempt
from workbench.store.reading import read_json

PAPER = "fifth"

def attempts_in(folder, problems, *, own):
    numbers = read_json(folder / "results.json").get("numbers", {})
    total = numbers.get("total")
    if total is None:
        return []
    return [Attempt("1", "me", 0, "Toy", "", "How much?", str(total), "3", "passed" if total == 3 else "failed")]
'''


@pytest.fixture
def paper(tmp_path, monkeypatch):
    write_notebook(tmp_path, "fifth")
    folder = tmp_path / "fifth"
    folder.mkdir()
    (folder / "laptop.yaml").write_text("profile: laptop\nn: 4\n")
    (folder / "browse.py").write_text(BROWSE)
    monkeypatch.setattr(browsers, "_registered", [])
    monkeypatch.chdir(tmp_path)
    return tmp_path


def registered(paper):
    spec = importlib.util.spec_from_file_location("fifth_browse", paper / "fifth" / "browse.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    browsers.register(module)
    return module


def test_it_runs_in_each_of_its_profiles(paper):
    for profile, n in (("pocket", 3), ("laptop", 4)):
        done = CliRunner().invoke(cli, ["run", "fifth.ipynb", "--profile", profile, "--out", profile])
        assert done.exit_code == 0, done.output
        results = read_json(paper / profile / "fifth" / "results.json")
        assert (results["profile"], results["parameters"]["n"]) == (profile, n)
        assert results["numbers"] == {"total": sum(0.5 * i for i in range(n))}
        assert "A small one" in (paper / profile / "index.html").read_text()


def test_its_runs_are_browsed_once_it_is_registered(paper):
    assert (
        CliRunner().invoke(cli, ["run", "fifth.ipynb", "--profile", "laptop", "--out", "out"]).exit_code == 0
    )
    module = registered(paper)
    browsers.register(module)  # twice is once
    (attempt,) = load_attempts(paper / "out")
    assert (attempt.generator, attempt.answer, attempt.passed) == ("me", "3.0", True)


def test_what_cannot_be_browsed_is_refused():
    with pytest.raises(SettingsError, match="a paper to browse"):
        browsers.register(sys)


def test_the_papers_that_ship_are_registered():
    assert {browser.PAPER for browser in browsers.browsers("attempts_in")} == {"arks", "ds1000"}
    assert {browser.PAPER for browser in browsers.browsers("traces_in")} == {"arks"}


TESTS = """
def generate_test_case(number):
    return 4, 16

def exec_test(result, expected):
    return int(result == expected)

exec_context = "n = test_input\\n[insert]\\n"

def test_execution(solution):
    test_input, expected = generate_test_case(1)
    scope = {"test_input": test_input}
    exec(exec_context.replace("[insert]", solution), scope)
    assert exec_test(scope["result"], expected)
"""
TOY = (
    {
        "problem_id": "double",
        "question": "Print the double of x.",
        "code_context": "x = 2\n[insert]\n",
        "visible_runs": [{"context": "x = 2\n[insert]\n"}],
        "hidden_tests": [
            {"context": "x = 3\n[insert]\n", "expected_stdout": "6"},
            {"context": "x = -1\n[insert]\n", "expected_stdout": "-2"},
        ],
        "library": "toy",
        "reference_code": "print(2 * x)",
    },
    {
        "problem_id": "sum",
        "question": "Write total(values), their sum.",
        "hidden_tests": [{"context": "[insert]\nassert total([1, 2]) == 3\nassert total([]) == 0\n"}],
        "library": "toy",
        "reference_code": "def total(values):\n    return sum(values)",
    },
    {
        "problem_id": "square",
        "question": "Leave the square of n in the variable result.",
        "code_context": "n = 3\n[insert]\n",
        "visible_runs": [{"context": "n = 3\n[insert]\n"}],
        "hidden_tests": [{"tests": TESTS}],
        "library": "toy",
        "reference_code": "result = n ** 2",
    },
)
WRONG = {
    "double": "print(6)",
    "sum": "def total(values):\n    return sum(values)",
    "square": "result = n + n",
}


@pytest.fixture
def toy(tmp_path, monkeypatch):
    """Write a benchmark of three problems: one file."""
    (tmp_path / "toy.jsonl").write_text("".join(json.dumps(row) + "\n" for row in TOY))
    monkeypatch.chdir(tmp_path)
    return tmp_path


def run(*words):
    done = CliRunner().invoke(cli, list(words))
    assert done.exit_code == 0, done.output
    return done.output


def statuses(folder, problems=None):
    return {(one.problem_id, one.library): one.status for one in load_attempts(folder, problems=problems)}


def test_a_benchmark_of_ones_own_is_scored_and_browsed(toy):
    shown = run("ds1000", "score", "reference", "--problems", "toy.jsonl", "--out", "right")
    assert "3 of 3 answers passed" in shown
    assert ["toy", "3", "3"] in [line.split()[:3] for line in shown.splitlines()]
    rows = [{"problem_id": name, "code": code} for name, code in WRONG.items()]
    (toy / "answers.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    options = ("--problems", "toy.jsonl", "--library", "toy", "--out", "wrong")
    shown = run("ds1000", "score", "recorded:answers.jsonl", *options)
    assert "1 of 3 answers passed" in shown
    # 6 is right for the first test of `double`, and wrong for the second
    told = {("double", "toy"): "failed", ("sum", "toy"): "passed", ("square", "toy"): "failed"}
    problems = load_benchmark("toy.jsonl")
    assert statuses(toy / "wrong", problems) == told
    again = (toy / "wrong" / "verdicts.jsonl").read_bytes()
    run("ds1000", "score", "recorded:answers.jsonl", *options)  # nothing is run again
    assert (toy / "wrong" / "verdicts.jsonl").read_bytes() == again
    (attempt,) = (
        one for one in load_attempts(toy / "right", problems=problems) if one.problem_id == "double"
    )
    assert attempt.prompt == "Print the double of x.\n\n```python\nx = 2\n"
    assert attempt.reference == attempt.answer == "print(2 * x)"


def test_a_benchmark_of_ones_own_is_given_to_the_active_loop(toy, monkeypatch):
    class Right:
        name = fingerprint = "right"

        def complete(self, prompts):
            answers = {row["question"]: row["reference_code"] for row in TOY}
            return [next(code for asked, code in answers.items() if asked in prompt) for prompt in prompts]

        def count_tokens(self, text):
            return len(text.split())

    monkeypatch.setattr("workbench.retrieval.coding.make_coder", lambda *_: Right())
    shown = run(
        "arks", "run", "--problems", "toy.jsonl", "--generator", "hf:right", "--out", "loop", "--rounds", "1"
    )
    assert "3 problems" in shown
    assert set(statuses(toy / "loop").values()) == {"passed"}


def test_a_model_is_asked_the_problems_of_any_benchmark(toy, tmp_path):
    model = make_tiny_model(tmp_path / "model")
    options = ("--problems", "toy.jsonl", "--out", "model-out", "--max-new-tokens", "4", "--temperature", "0")
    assert "of 3 answers passed" in run("ds1000", "score", f"hf:{model}", *options)
    assert len((toy / "model-out" / "answers.jsonl").read_text().splitlines()) == 3
