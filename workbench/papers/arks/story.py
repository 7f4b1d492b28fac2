"""One problem followed through its rounds, as text: query, retrieved documents, program and error."""

from __future__ import annotations

from collections.abc import Sequence

from workbench.papers.arks.data import ArksData
from workbench.papers.arks.results import Findings
from workbench.retrieval.trace import Step

__all__ = ["example_problem", "round_by_round"]


def example_problem(steps: Sequence[Step], findings: Findings, setting: str, other: str) -> str:
    """Return an example: of the problems that one setting solves and another does not, the one with most rounds.

    Args:
        steps: The trace of the first setting, with the first model.
        findings: Of the experiment.
        setting: The setting that solves it.
        other: The one that does not. Where it solves them all, any solved problem will do, and at last any.
    """
    last = findings.last[findings.last["model"] == findings.rows["model"].iloc[0]]
    solved = {
        name: set(last[(last["setting"] == name) & last["passed"]]["problem"]) for name in (setting, other)
    }
    taken = {step.problem_id: step.round for step in steps}
    only = solved[setting] - solved[other]
    wanted = [name for name in taken if name in (only or solved[setting] or taken)]
    return max(wanted, key=lambda name: taken[name])


def round_by_round(steps: Sequence[Step], problem_id: str, data: ArksData) -> str:
    """Return the rounds of one problem as text.

    Args:
        steps: A trace.
        problem_id: Which problem.
        data: What it is of.
    """
    problem = next(known for known in data.problems if known.problem_id == problem_id)
    needed = set(problem.gold_documents)
    lines = [f"task: {problem.question}"]
    for step in (step for step in steps if step.problem_id == problem_id):
        lines += ["", f"round {step.round}"]
        if step.query:
            lines.append(f"  query ({step.query_kind}): {' / '.join(step.query)!r}")
        for hit in (hit for hit in step.found if hit.id in step.shown):
            mark = "*" if hit.parent in needed else " "
            item = {item.id: item for item in data.documentation}.get(hit.id)
            lines.append(f"  {mark} {hit.source}: {item.content if item else hit.title}")
        lines += [f"    {line}" for line in step.code.split("\n")]
        lines.append(f"  -> {step.outcome.message or 'runs'}")
    return "\n".join([*lines, "", "* a gold document: of a function that the reference program calls"])
