"""The four ways to ask the soup, one function each, and where an explanation of code comes from.

Source: Su et al. 2024, "ARKS: Active Retrieval in Knowledge Soup for Code Generation", section 2: the question,
the generated code, the explanation of the code, and the execution feedback.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from workbench.datasets.coding_problem import CodingProblem
from workbench.generators.completion import TextGenerator
from workbench.generators.reasoning import final_text
from workbench.retrieval.calls import Call, DocumentedNames, calls_in
from workbench.retrieval.execution import Outcome
from workbench.retrieval.soup import KnowledgeSoup
from workbench.retrieval.tokenizer import words_of

__all__ = [
    "Attempted",
    "Explain",
    "Query",
    "code_query",
    "documented_explanations",
    "explanation_query",
    "feedback_query",
    "model_explanations",
    "question_query",
]

_LINES_EXPLAINED = 8


@dataclass(frozen=True)
class Query:
    """What the soup is asked for one problem; a document counts by the text that it fits best."""

    kind: str
    """One of `workbench.retrieval.retriever.QUERY_KINDS`."""
    texts: tuple[str, ...]
    """At least one."""


@dataclass(frozen=True)
class Attempted:
    """A problem and its last program, which raised."""

    problem: CodingProblem
    code: str
    outcome: Outcome


Explain = Callable[[Sequence[Attempted]], list[list[str]]]
"""Explains attempts: for each a list of texts, which may be empty."""


def question_query(problem: CodingProblem) -> Query:
    """Ask with the problem's own words."""
    return Query("question", (problem.question,))


def code_query(attempt: Attempted) -> Query:
    """Ask with the program: its wrong names are often near the right ones."""
    return Query("code", (attempt.code,)) if attempt.code.strip() else question_query(attempt.problem)


def explanation_query(attempt: Attempted, explanations: Sequence[str]) -> Query:
    """Ask with what the code is explained to do; with the code itself where there is no explanation."""
    texts = tuple(dict.fromkeys(text.strip() for text in explanations if text.strip()))
    return Query("explanation", texts) if texts else code_query(attempt)


def feedback_query(attempt: Attempted) -> Query:
    """Ask with the error message, and with the line in which it came up."""
    texts = tuple(text for text in (attempt.outcome.message, attempt.outcome.code_line) if text.strip())
    return Query("execution_feedback", texts) if texts else code_query(attempt)


def documented_explanations(soup: KnowledgeSoup, names: DocumentedNames) -> Explain:
    """Explain code by the documentation of the functions that it calls, without a model.

    Where the line in error is known and calls something, only that line's calls count. A function without
    documentation (a name that the model made up) is explained by the words that its name is made of.

    Args:
        soup: Holds the documentation.
        names: Which document describes which function.
    """

    def explained(call: Call, library: str) -> str:
        parent = names.parent(call.name, library)
        if parent is None:
            return " ".join(words_of(call.name.rpartition(".")[2]))
        return "\n".join(item.text for item in soup.document("documentation", parent, library))

    def explain(attempts: Sequence[Attempted]) -> list[list[str]]:
        found = []
        for attempt in attempts:
            calls = calls_in(attempt.code, attempt.problem.language, context=attempt.problem.code_context)
            in_error = [call for call in calls if call.line == attempt.outcome.line]
            found.append([explained(call, attempt.problem.library) for call in in_error or calls])
        return found

    return explain


def model_explanations(generator: TextGenerator) -> Explain:
    """Let a model explain code, a line at a time; of a program with a known error, the line in error first.

    Args:
        generator: The model, best wrapped so that its answers are kept on disk.
    """

    def prompt(attempt: Attempted) -> str:
        about = (
            f"\nAbove all explain this line: {attempt.outcome.code_line}" if attempt.outcome.code_line else ""
        )
        return (
            f"Explain in one short sentence a line what each line of this {attempt.problem.language} code is "
            f"meant to do. Write sentences only, no code.{about}\n\n{attempt.code}\n\nExplanation:\n"
        )

    def explain(attempts: Sequence[Attempted]) -> list[list[str]]:
        answers = generator.complete([prompt(attempt) for attempt in attempts])
        return [
            [line.strip("-*# \t") for line in final_text(answer).split("\n") if any(map(str.isalpha, line))][
                :_LINES_EXPLAINED
            ]
            for answer in answers
        ]

    return explain
