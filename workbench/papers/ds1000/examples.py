"""What a failing answer looks like: its question, its code with the line marked, its verdict."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from workbench.datasets.coding_problem import BenchmarkProblem
from workbench.generators import Answer
from workbench.papers.ds1000.judgement import Judgement

__all__ = ["FailingAnswer", "failing_answer"]


@dataclass(frozen=True)
class FailingAnswer:
    """One answer that did not pass."""

    problem: BenchmarkProblem
    answer: Answer
    judgement: Judgement

    def __str__(self) -> str:
        about = self.judgement
        marked = [
            f"{'>' if number == about.line else ' '} {number:2} | {text}"
            for number, text in enumerate(self.answer.code.strip("\n").splitlines(), start=1)
        ]
        where = f", line {about.line}" if about.line else ""
        return "\n".join(
            [
                f"problem {self.problem.problem_id} ({about.library}, {about.perturbation_type})",
                "",
                self.problem.prompt.strip(),
                "",
                "answer:",
                *marked,
                "",
                f"verdict: {about.status} ({about.stage}{where})",
                about.message.strip(),
            ]
        )


def failing_answer(
    problems: Sequence[BenchmarkProblem],
    answers: Sequence[Answer],
    judgements: Sequence[Judgement],
    stage: str = "execution",
) -> FailingAnswer | None:
    """Choose an answer that failed at a stage: one with a line where there is any, and a short question.

    Args:
        problems: The problems.
        answers: One generator's answers.
        judgements: What was found on them.
        stage: `execution` or `surface`.

    Returns:
        Always the same one for the same judgements; None where none failed at this stage.
    """
    by_id = {problem.problem_id: problem for problem in problems}
    given = {(answer.problem_id, answer.sample): answer for answer in answers}
    failed = [each for each in judgements if each.stage == stage and each.status == "failed"]
    if not failed:
        return None
    chosen = min(
        failed,
        key=lambda each: (
            each.line is None,
            len(by_id[each.problem_id].prompt),
            each.problem_id,
            each.sample,
        ),
    )
    return FailingAnswer(by_id[chosen.problem_id], given[chosen.problem_id, chosen.sample], chosen)
