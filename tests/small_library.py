"""A library of three functions that no model knows, problems on it, and a scripted model: for tests of the loop."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence

from workbench.datasets.coding_problem import CodingProblem, HiddenTest, VisibleRun
from workbench.retrieval import Item

SOURCE = """
class knot:
    @staticmethod
    def zorp(values):
        return sorted(values)

    @staticmethod
    def blim(k, values):
        return values[:k]
"""
TESTS = f"""
LIBRARY = {SOURCE!r}

def test_execution(code):
    environment = {{"values": [5, 3, 9, 1]}}
    exec(LIBRARY + code, environment)
    assert environment["result"] == EXPECTED
"""


def documents(library: str = "knot") -> list[Item]:
    """Return the library's documentation."""
    texts = {
        "knot.zorp": "Arrange the numbers of a list in increasing order, smallest first.",
        "knot.blim": "Keep the first k numbers of a list and drop the others.",
    }
    return [
        Item(f"documentation:{name}", "documentation", name, text, name, library=library)
        for name, text in texts.items()
    ]


def problem(problem_id: str, question: str, expected: list[int], gold: str = "knot.zorp") -> CodingProblem:
    """Return a problem whose visible input is none of its hidden test's."""
    return CodingProblem(
        problem_id,
        question,
        hidden_tests=(HiddenTest(tests=f"EXPECTED = {expected!r}\n{TESTS}"),),
        visible_runs=(VisibleRun(f"{SOURCE}\nvalues = [2, 1, 3]\n[insert]\n"),),
        library="knot",
        gold_documents=(gold,),
    )


SORT = problem("sort", "Bring the numbers into increasing order.", [1, 3, 5, 9])
HEAD = problem("head", "Keep the first two.", [5, 3], "knot.blim")
SILENT = problem("silent", "Leave everything, please, but drop the last two.", [5, 3], "knot.blim")
PROBLEMS = [SORT, HEAD, SILENT]


class ScriptedModel:
    """Answers by a function of the prompt, counts words and marks as tokens, and notes what it was asked.

    Args:
        answer: From a prompt to an answer.
    """

    name = "scripted"
    fingerprint = "scripted 1"

    def __init__(self, answer: Callable[[str], str]) -> None:
        self.answer, self.asked = answer, list[str]()

    def count_tokens(self, text: str) -> int:
        """Return the words and marks of a text."""
        return len(re.findall(r"\w+|[^\w\s]", text))

    def complete(self, prompts: Sequence[str]) -> list[str]:
        """Answer."""
        self.asked += prompts
        return [self.answer(prompt) for prompt in prompts]


def knot_model(prompt: str) -> str:
    """Solve SORT where the document is shown, HEAD once told the error; SILENT runs, and is wrong."""
    task = prompt.partition("# Task")[2]
    if "please" in task:
        return "result = values"
    if "increasing order" in task:
        return (
            "```python\nresult = knot.zorp(values)\n```"
            if "knot.zorp" in prompt
            else "result = knot.sort(values)"
        )
    return "result = knot.blim(2, values)" if "TypeError" in task else "\nresult = knot.blim(values, 2)"
