"""What the loop learns, as items of the soup: errors of past attempts, and programs that ran.

Source: Su et al. 2024, "ARKS: Active Retrieval in Knowledge Soup for Code Generation", section 2: execution
feedback and evolved code snippets.
"""

from __future__ import annotations

from workbench.datasets.coding_problem import CodingProblem
from workbench.retrieval.calls import DocumentedNames, calls_in
from workbench.retrieval.execution import Outcome
from workbench.retrieval.item import Item, item_id
from workbench.retrieval.soup import KnowledgeSoup

__all__ = ["feedback_item", "snippet_items"]


def feedback_item(problem: CodingProblem, round_number: int, code: str, outcome: Outcome) -> Item:
    """Return the error of one attempt: the message, and the line in which it came up.

    Args:
        problem: What was attempted.
        round_number: The attempt's round, from 0.
        code: The model's code.
        outcome: Of its visible runs; it did not run.
    """
    identity = item_id("execution_feedback", problem.library, problem.problem_id, code, outcome.message)
    text = f"{outcome.message}\n{outcome.code_line}" if outcome.code_line else outcome.message
    where = f"problem {problem.problem_id}, round {round_number}"
    line = f", line {outcome.line}" if outcome.line else ""
    title = outcome.message.strip().partition("\n")[0]
    return Item(identity, "execution_feedback", title, text, identity, 0, where + line, problem.library, code)


def snippet_items(
    problem: CodingProblem, round_number: int, code: str, soup: KnowledgeSoup, names: DocumentedNames
) -> list[Item]:
    """Return a program that ran, filed under each documented function that it really calls.

    The program is one document of the soup; each function is one of its sections, explained by the text of
    that function's own documentation and the line that calls it. A program that calls nothing documented has
    one section, its code. The question is no part of it: the program ran, but nobody knows whether it does
    what was asked.

    Args:
        problem: What it answers.
        round_number: The round in which it ran, from 0.
        code: The program.
        soup: Holds the documentation.
        names: Which document describes which function.
    """
    parent = item_id("code_snippets", problem.library, code)
    lines = code.split("\n")
    where = f"problem {problem.problem_id}, round {round_number}"
    filed: dict[str, Item] = {}
    for call in calls_in(code, problem.language, context=problem.code_context):
        document = names.parent(call.name, problem.library)
        if document is None or document in filed:
            continue
        explained = "\n".join(item.text for item in soup.document("documentation", document, problem.library))
        filed[document] = Item(
            id=item_id("code_snippets", parent, document),
            source="code_snippets",
            title=call.name,
            text=f"{explained}\n{lines[call.line - 1].strip()}",
            parent=parent,
            section=len(filed),
            provenance=f"{where}, line {call.line}",
            library=problem.library,
            shown=code,
        )
    alone = Item(
        item_id("code_snippets", parent, ""),
        "code_snippets",
        "",
        code,
        parent,
        0,
        where,
        problem.library,
        code,
    )
    return list(filed.values()) or [alone]
