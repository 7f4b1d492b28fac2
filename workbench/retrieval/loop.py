"""The active loop: generate, run, ask the soup anew for what still raises, and let the soup grow.

Source: Su et al. 2024, "ARKS: Active Retrieval in Knowledge Soup for Code Generation", section 2.
"""

from __future__ import annotations

import contextlib
import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict, fields, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from workbench.core.errors import DataError, SettingsError
from workbench.core.suggestion import suggestion
from workbench.datasets.coding_problem import CodingProblem
from workbench.generators.completion import TextGenerator
from workbench.retrieval.completions import ResumableCompletions
from workbench.retrieval.execution import Executor
from workbench.retrieval.prompts import PromptTemplate
from workbench.retrieval.report import ActiveResult, Spent
from workbench.retrieval.rounds import Rounds
from workbench.retrieval.settings import ActiveRetrievalSettings
from workbench.retrieval.soup import KnowledgeSoup, KnowledgeSource
from workbench.retrieval.trace import Step
from workbench.store import atomic
from workbench.store.folders import refuse_overwriting, sole_user

if TYPE_CHECKING:
    from workbench.sandbox import AnySandbox

__all__ = ["active_retrieval"]

WRITTEN = ("trace.jsonl", "completions.jsonl", "outcomes.jsonl", "results.json", "seconds.json")
"""Files that a run writes into its folder."""


def active_retrieval(
    problems: Sequence[CodingProblem],
    soup: KnowledgeSoup,
    generator: TextGenerator | ResumableCompletions,
    sandbox: AnySandbox | Executor,
    settings: ActiveRetrievalSettings | None = None,
    *,
    folder: str | Path | None = None,
    web: KnowledgeSource | None = None,
    template: PromptTemplate | None = None,
    progress: bool = True,
    retry_failed: bool = False,
    **changes: Any,
) -> ActiveResult:
    """Let a model solve problems with a knowledge soup that it asks anew, round by round, for what still raises.

    After each round the programs that ran join the soup as snippets, for other problems' next rounds, and the
    errors as execution feedback. A program that runs is done, right or wrong. Only visible runs decide that;
    hidden tests are run once, after the last round, for the score; a program that raises is wrong without them.

    Killed and called again with the same folder, it goes on where it stopped and ends in the same trace and
    results, byte by byte (as far as the programs themselves do the same twice).

    Args:
        problems: What to solve, each `problem_id` once.
        soup: The knowledge at the start; it is left as it is, a copy grows.
        generator: Writes the code. Runs that share `ResumableCompletions` ask for the same answer once.
        sandbox: Runs it; its runtime has to have the problems' libraries. Runs that share an `Executor` run the same
            program once.
        settings: The defaults where None.
        folder: Gets trace.jsonl (a line a problem and round), results.json and seconds.json, and answers and outcomes
            that are not kept elsewhere; None keeps nothing.
        web: Where web pages come from, for the source `web_search`.
        template: The wording of prompts.
        progress: Show bars on a terminal's stderr.
        retry_failed: Ask again for what an endpoint gave no answer to in an earlier call.
        changes: Single settings, such as `query="question"` or `rounds=1`.

    Raises:
        SettingsError: A setting cannot be used.
        DataError: Problems are missing or share an id, or lack the gold documents that are to be given.
        RuntimeMissingError: The sandbox lacks a language's tool, or a module that the problems import themselves.
        RunError: Another process is at work in the folder.
    """
    begin = time.perf_counter()
    chosen = _changed(settings or ActiveRetrievalSettings(), changes)
    _check(problems, soup, chosen, web)
    where = Path(folder) if folder is not None else None
    with contextlib.ExitStack() as held:
        if where is not None:
            held.enter_context(sole_user(where, "is at work in", "folder=..."))
            answers = getattr(getattr(generator, "generator", generator), "path", None)
            refuse_overwriting(where, WRITTEN, [answers] if answers else [], "folder=...")
        if not isinstance(generator, ResumableCompletions):
            file = where and where / "completions.jsonl"
            generator = held.enter_context(
                ResumableCompletions(generator, file, progress=progress, retry_failed=retry_failed)
            )
        if not isinstance(sandbox, Executor):
            sandbox = held.enter_context(Executor(sandbox, where and where / "outcomes.jsonl"))
        sandbox.require(problems)
        before = Spent(generator.seconds, sandbox.seconds, 0)
        rounds = Rounds(
            problems,
            soup.copy(),
            completions=generator,
            executor=sandbox,
            settings=chosen,
            web=web,
            template=template,
        )
        steps = rounds.run(where and where / "trace.jsonl", progress)
        passed = _passed(steps, problems, sandbox)
        generation_s = generator.seconds - before.generation_s
        execution_s = sandbox.seconds - before.execution_s
        spent = Spent(generation_s, execution_s, time.perf_counter() - begin - generation_s - execution_s)
        result = ActiveResult(chosen, tuple(problems), tuple(steps), passed, rounds.soup, spent, where)
        if where is not None:
            made_by = {"generator": generator.name, "retriever": soup.retriever.fingerprint}
            atomic.write_json(where / "results.json", {**made_by, **result.as_dict()})
            atomic.write_json(where / "seconds.json", asdict(spent))
    return result


def _passed(
    steps: Sequence[Step], problems: Sequence[CodingProblem], executor: Executor
) -> dict[tuple[int, str], bool]:
    """Tell for each step whether its program is right. One that raised is not, and need not be run again."""
    by_id = {problem.problem_id: problem for problem in problems}
    ran = [step for step in steps if step.outcome.ran]
    met = executor.passed([(by_id[step.problem_id], step.code) for step in ran])
    passed = {(step.round, step.problem_id): False for step in steps}
    return passed | {(step.round, step.problem_id): one for step, one in zip(ran, met, strict=True)}


def _changed(settings: ActiveRetrievalSettings, changes: dict[str, Any]) -> ActiveRetrievalSettings:
    known = [field.name for field in fields(settings)]
    unknown = [name for name in changes if name not in known]
    if unknown:
        raise SettingsError(
            got=f"settings {', '.join(unknown)}",
            needed=f"settings among {', '.join(known)}",
            fix="correct the names" + "".join(suggestion(name, known) for name in unknown),
        )
    return replace(settings, **changes)


def _check(
    problems: Sequence[CodingProblem],
    soup: KnowledgeSoup,
    settings: ActiveRetrievalSettings,
    web: KnowledgeSource | None,
) -> None:
    """Refuse inputs that do not fit together."""
    ids = Counter(problem.problem_id for problem in problems)
    twice = sorted(one for one, times in ids.items() if times > 1)
    if not ids or twice:
        raise DataError(
            got=f"problem_id {', '.join(twice)} more than once" if twice else "no problems",
            needed="problems, each with an id of its own",
            fix="see where the problems are loaded",
        )
    found_on_web = any(item.source == "web_search" for item in soup.items)
    if "web_search" in settings.sources and web is None and not found_on_web:
        raise SettingsError(
            got="web_search among the sources, but no web to search",
            needed="web=WebSearch(...), or a soup that holds pages",
            fix="see `workbench.retrieval.WebSearch`, or leave web_search out",
        )
    if settings.given_documents:
        lacking = [
            problem.problem_id
            for problem in problems
            if not problem.gold_documents
            or any(
                not soup.document("documentation", parent, problem.library)
                for parent in problem.gold_documents
            )
        ]
        if lacking:
            raise DataError(
                got=f"given_documents for {len(lacking)} problems whose documents are not known, or not there: "
                + ", ".join(lacking[:10]),
                needed="gold_documents that are documents (`Item.parent`) of the soup",
                fix="leave these problems out, or set given_documents=False",
            )
