"""The active loop's prompts for the pocket model read exactly as the lessons it was trained on."""

from workbench.datasets.coding_problem import CodingProblem, HiddenTest
from workbench.retrieval import Item
from workbench.retrieval.assembly import assemble
from workbench.retrieval.execution import Outcome
from workbench.retrieval.item import Hit
from workbench.retrieval.queries import Attempted
from workbench.worlds.libraries.wording import PocketTemplate

PROBLEM = CodingProblem("p", "flip the list around", (HiddenTest(expected_stdout=""),))
DOCUMENT = Item("d", "documentation", "zumi", "reverse the order", "d", shown="reverse the order: zumi")
SNIPPET = Item(
    "s",
    "code_snippets",
    "koba",
    "cap with a ceiling\nx = koba(3, x)",
    "s",
    shown="x = zumi(x)\nx = koba(3, x)",
)
TRIED = Attempted(PROBLEM, "x = reverse(x)", Outcome(False, "NameError: name 'reverse' is not defined", 1))


def prompt(**pieces):
    return assemble(PROBLEM, template=PocketTemplate(), count_tokens=len, **pieces).text


def test_the_whole_prompt():
    shown = prompt(documents=[(Hit(DOCUMENT, 1.0), [DOCUMENT])], snippets=[Hit(SNIPPET, 1.0)], attempt=TRIED)
    assert shown == (
        "reverse the order: zumi\n"
        "cap with a ceiling: x = koba(3, x)\n"
        "tried\n"
        "x = reverse(x)\n"
        "error NameError: name 'reverse' is not defined\n"
        "task flip the list around\n"
    )


def test_a_prompt_without_anything_is_the_task():
    assert prompt() == "task flip the list around\n"


def test_the_answer_is_code_as_it_stands():
    assert PocketTemplate().code("x = zumi(x)", PROBLEM) == "x = zumi(x)"
