"""One problem told round by round, and which one is told of."""

import pandas as pd

from workbench.datasets.coding_problem import CodingProblem, HiddenTest
from workbench.papers.arks.data import ArksData
from workbench.papers.arks.figures import recall_map
from workbench.papers.arks.results import Findings
from workbench.papers.arks.story import example_problem, round_by_round
from workbench.retrieval import Item
from workbench.retrieval.execution import Outcome
from workbench.retrieval.trace import Retrieved, Step

DOCUMENT = Item("d", "documentation", "zumi", "reverse", "d", shown="reverse: zumi")
PROBLEM = CodingProblem("p", "flip it", (HiddenTest(expected_stdout=""),), gold_documents=("d",))
DATA = ArksData("hand-made", (PROBLEM,), (DOCUMENT,))


def step(number, problem, code, message=""):
    found = (Retrieved("documentation", "d", "d", "zumi", 1.5),) if number else ()
    return Step(
        round=number,
        problem_id=problem,
        query_kind="code" if number else "",
        query=("x = reverse(x)",) if number else (),
        found=found,
        shown=("d",) if number else (),
        dropped=(),
        prompt="",
        prompt_tokens=0,
        answer=code,
        answer_tokens=0,
        code=code,
        outcome=Outcome(not message, message),
        grown=(),
    )


STEPS = [step(0, "p", "x = reverse(x)", "NameError: no"), step(1, "p", "x = zumi(x)"), step(0, "q", "x = x")]


def test_every_round_is_told():
    assert round_by_round(STEPS, "p", DATA) == (
        "task: flip it\n\n"
        "round 0\n    x = reverse(x)\n  -> NameError: no\n\n"
        "round 1\n  query (code): 'x = reverse(x)'\n  * documentation: reverse: zumi\n"
        "    x = zumi(x)\n  -> runs\n\n"
        "* a gold document: of a function that the reference program calls"
    )


def outcomes(**passed):
    rows = [
        {"setting": name, "model": "m", "problem": problem, "round": 0, "passed": problem in who}
        for name, who in passed.items()
        for problem in "pq"
    ]
    return Findings(pd.DataFrame(rows), ())


def test_told_is_what_only_one_setting_solves_else_the_longest_way():
    assert example_problem(STEPS, outcomes(one="pq", other="p"), "one", "other") == "q"
    assert example_problem(STEPS, outcomes(one="pq", other="pq"), "one", "other") == "p"
    assert example_problem(STEPS, outcomes(one="", other="pq"), "one", "other") == "p"


def test_settings_stand_at_their_recall_and_accuracy():
    row = {"setting": "a", "accuracy": 0.5, "low": 0.25, "high": 0.875, "recall": 0.75}
    figure = recall_map(pd.DataFrame([row, {**row, "setting": "b", "recall": None}]))
    (mark,) = figure.data
    assert (mark.name, mark.x, mark.y) == ("a", (0.75,), (0.5,))
    assert (mark.error_y.array, mark.error_y.arrayminus) == ((0.375,), (0.25,))
