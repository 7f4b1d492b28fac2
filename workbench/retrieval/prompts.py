"""How a prompt is worded, and how the code is cut out of an answer. Subclass `PromptTemplate` for another wording."""

from __future__ import annotations

from workbench.datasets.coding_problem import INSERT, CodingProblem
from workbench.generators.code_blocks import PYTHON_TAGS, answer_code, assigned_names
from workbench.generators.reasoning import final_text
from workbench.languages import find_language
from workbench.retrieval.item import Item
from workbench.retrieval.queries import Attempted

__all__ = ["PromptTemplate", "extract_code"]


class PromptTemplate:
    """Words a prompt, piece by piece; the pieces' sizes are counted before they are put together."""

    name = "default"
    """Changed by a subclass: it is part of what a run's results depend on."""

    def document(self, title: str, text: str, problem: CodingProblem) -> str:
        """Word a document, or one section of it."""
        return text if text.lstrip("#=`* ").startswith(title) else f"{title}\n{text}"

    def snippet(self, item: Item, problem: CodingProblem) -> str:
        """Word a program that ran."""
        return _fenced(item.content, problem)

    def attempt(self, attempt: Attempted) -> str:
        """Word the last program and its error."""
        outcome = attempt.outcome
        place = f"\nThe error is in this line: {outcome.code_line}" if outcome.code_line else ""
        code = _fenced(attempt.code, attempt.problem)
        return f"This code is wrong:\n{code}\n{outcome.message}{place}\nCorrect it."

    def task(self, problem: CodingProblem) -> str:
        """Word the problem itself."""
        if not problem.code_context:
            return problem.question.rstrip()
        return f"{problem.question.rstrip()}\n\n{_fenced(problem.code_context, problem)}"

    def closing(self, problem: CodingProblem) -> str:
        """Say what is wanted."""
        language = problem.language.capitalize()
        if INSERT in problem.code_context:
            return f"Reply with one {language} code block: only the code that belongs at {INSERT}."
        return f"Reply with one {language} code block."

    def prompt(self, documents: list[str], snippets: list[str], task: str, attempt: str, closing: str) -> str:
        """Put the worded pieces together.

        Args:
            documents: Documents and pages, best first; may be empty, as `snippets`.
            snippets: Programs, best first.
            task: The problem.
            attempt: The last program and its error; empty where there is none.
            closing: What is wanted.
        """
        parts = []
        if documents:
            parts += ["# Documentation", *documents]
        if snippets:
            parts += ["# Examples", *snippets]
        parts += ["# Task", task, attempt, closing]
        return "\n\n".join(part for part in parts if part) + "\n"

    def code(self, answer: str, problem: CodingProblem) -> str:
        """Cut the code out of a model's answer."""
        return extract_code(answer, problem)


def extract_code(answer: str, problem: CodingProblem) -> str:
    """Cut the code out of a model's answer: its code blocks, once its reasoning is over.

    Which of several blocks count is said by `workbench.generators.code_blocks.answer_code`. An answer without blocks
    is code as a whole, up to a closing fence. What repeats the given code around `[insert]` is left out.

    Args:
        answer: Anything at all; this never raises.
        problem: What it answers.

    Returns:
        The code, without blank lines around it; empty where the reasoning was never closed.
    """

    def without_given(content: str) -> str:
        return _without_context(content, problem.code_context)

    before = problem.code_context.partition(INSERT)[0] if INSERT in problem.code_context else ""
    tag = find_language(problem.language).fence
    code = answer_code(
        final_text(answer),
        PYTHON_TAGS if tag in PYTHON_TAGS else (tag,),
        given=assigned_names(before),
        without_given=without_given,
    )
    return without_given(code).strip("\n").rstrip()


def _without_context(code: str, context: str) -> str:
    """Drop the given code where an answer repeats it."""
    if INSERT not in context:
        return code
    before, _, after = (part.strip() for part in context.partition(INSERT))
    if before and code.lstrip().startswith(before):
        code = code.lstrip()[len(before) :]
        if after and code.rstrip().endswith(after):
            code = code.rstrip()[: -len(after)]
    return code


def _fenced(code: str, problem: CodingProblem) -> str:
    return f"```{find_language(problem.language).fence}\n{code.strip()}\n```"
