"""How the active loop's prompts read for the pocket code model: its own short form, as in its training."""

from __future__ import annotations

from workbench.datasets.coding_problem import CodingProblem
from workbench.retrieval import Item, PromptTemplate
from workbench.retrieval.queries import Attempted
from workbench.worlds.libraries import prompts

__all__ = ["PocketTemplate"]


class PocketTemplate(PromptTemplate):
    """Words a prompt as in `workbench.worlds.libraries.prompts`.

    Of a program that ran, the line is shown that calls the function under which it was found, with what that
    function's document says: nothing of the problem that it was written for.
    """

    name = "pocket"

    def document(self, title: str, text: str, problem: CodingProblem) -> str:
        """Word a document."""
        return prompts.document(text)

    def snippet(self, item: Item, problem: CodingProblem) -> str:
        """Word a call that ran, filed under the function that was called."""
        description, _, line = item.text.rpartition("\n")
        return prompts.example(description, line)

    def attempt(self, attempt: Attempted) -> str:
        """Word the last program and its error: of a syntax error, which shows the place, the last line."""
        return prompts.attempt(attempt.code, attempt.outcome.message.strip().rpartition("\n")[2])

    def task(self, problem: CodingProblem) -> str:
        """Word the problem."""
        return prompts.question(problem.question)

    def closing(self, problem: CodingProblem) -> str:
        """Say nothing more: the code comes next."""
        return ""

    def prompt(self, documents: list[str], snippets: list[str], task: str, attempt: str, closing: str) -> str:
        """Put the pieces in the order of the model's training."""
        return "".join([*documents, *snippets, attempt, task])

    def code(self, answer: str, problem: CodingProblem) -> str:
        """Return the answer: it is code and nothing else."""
        return answer
