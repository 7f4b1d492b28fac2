"""One round after another: ask, search, prompt, generate, run, and let the soup grow."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from workbench.datasets.coding_problem import CodingProblem
from workbench.generators.answer import NO_ANSWER
from workbench.generators.completion import Completion
from workbench.retrieval.assembly import AssembledPrompt, assemble
from workbench.retrieval.calls import DocumentedNames
from workbench.retrieval.completions import ResumableCompletions
from workbench.retrieval.execution import Executor, Outcome
from workbench.retrieval.experience import feedback_item, snippet_items
from workbench.retrieval.item import Hit, Item
from workbench.retrieval.prompts import PromptTemplate
from workbench.retrieval.queries import (
    Attempted,
    Query,
    code_query,
    documented_explanations,
    explanation_query,
    feedback_query,
    model_explanations,
    question_query,
)
from workbench.retrieval.settings import ActiveRetrievalSettings
from workbench.retrieval.soup import KnowledgeSoup, KnowledgeSource
from workbench.retrieval.trace import Retrieved, Step
from workbench.store import atomic

__all__ = ["Rounds"]


@dataclass
class _Task:
    """One problem on its way through a round."""

    problem: CodingProblem
    attempt: Attempted | None
    """Its last program, which raised; None in round 0."""
    query: Query | None = None
    found: dict[str, list[Hit]] = field(default_factory=dict)
    """By source, best first."""
    from_web: tuple[str, ...] = ()
    """Ids of the pages that its query brought into the soup."""


class Rounds:
    """The state of one run: what each problem's last program did, and the soup.

    Args:
        problems: What to solve.
        soup: The knowledge; it grows.
        completions: Writes the code.
        executor: Runs it.
        settings: How to ask, what to show, how long to go on.
        web: Where web pages come from.
        template: The wording of prompts; the default one where None.
    """

    def __init__(
        self,
        problems: Sequence[CodingProblem],
        soup: KnowledgeSoup,
        *,
        completions: ResumableCompletions,
        executor: Executor,
        settings: ActiveRetrievalSettings,
        web: KnowledgeSource | None = None,
        template: PromptTemplate | None = None,
    ) -> None:
        self.soup = soup
        self._problems, self._settings, self._web = problems, settings, web
        self._completions, self._executor = completions, executor
        self._template = template or PromptTemplate()
        self._names = DocumentedNames(item for item in soup.items if item.source == "documentation")
        by_model = settings.explanations == "model"
        self._explain = (
            model_explanations(completions) if by_model else documented_explanations(soup, self._names)
        )

    def run(self, trace: Path | None, progress: bool) -> list[Step]:
        """Go through the rounds; the trace is on disk after each."""
        from workbench.core.bars import Bar

        steps: list[Step] = []
        lines: list[str] = []
        tasks = [_Task(problem, None) for problem in self._problems]
        hidden = None if progress else True  # None: hidden where stderr is no terminal
        for number in Bar(range(self._settings.rounds), desc="rounds", unit="round", disable=hidden):
            steps += (done := self._round(number, tasks))
            if trace is not None:
                lines += [step.line() for step in done]
                atomic.write_bytes(trace, "".join(lines).encode(errors="backslashreplace"))
            tasks = [
                # a prompt that got no answer is as if it had not been asked
                _Task(
                    task.problem,
                    task.attempt if step.is_missing else Attempted(task.problem, step.code, step.outcome),
                )
                for task, step in zip(tasks, done, strict=True)
                if not step.outcome.ran
            ]
            if not tasks:
                break
        return steps

    def _round(self, number: int, tasks: Sequence[_Task]) -> list[Step]:
        """Take the problems that are left through one round."""
        self._ask(number, tasks)
        self._search(tasks)
        prompts = [self._prompt(task) for task in tasks]
        answers = self._completions.completions([prompt.text for prompt in prompts])
        codes = [
            self._template.code(answer.text, task.problem)
            for answer, task in zip(answers, tasks, strict=True)
        ]
        attempts = [(task.problem, code) for task, code in zip(tasks, codes, strict=True)]
        outcomes = [
            Outcome(False, f"{NO_ANSWER}: {answer.said}") if answer.is_missing else outcome
            for answer, outcome in zip(answers, self._executor.outcomes(attempts), strict=True)
        ]
        learned = [
            [] if answer.is_missing else self._learned(number, task.problem, code, outcome)
            for task, answer, code, outcome in zip(tasks, answers, codes, outcomes, strict=True)
        ]
        new = {item.id for item in self.soup.add(item for items in learned for item in items)}
        steps = []
        for task, prompt, answer, code, outcome, items in zip(
            tasks, prompts, answers, codes, outcomes, learned, strict=True
        ):
            grown = [item.id for item in items if item.id in new]
            new.difference_update(grown)  # what two programs teach came with the first
            steps.append(
                self._step(number, task, prompt, answer=answer, code=code, outcome=outcome, grown=grown)
            )
        return steps

    def _learned(self, number: int, problem: CodingProblem, code: str, outcome: Outcome) -> list[Item]:
        """Return what an attempt teaches: snippets where it ran, else its error."""
        if outcome.ran:
            return snippet_items(problem, number, code, self.soup, self._names)
        return [feedback_item(problem, number, code, outcome)]

    def _ask(self, number: int, tasks: Sequence[_Task]) -> None:
        """Formulate each problem's query, by the question in round 0, and look it up on the web."""
        sources = set(self._settings.sources) - {"execution_feedback"}
        if not sources or (number == 0 and not self._settings.retrieve_first):
            return
        for task, query in zip(tasks, self._queries(tasks), strict=True):
            task.query = query
            if self._web is not None and "web_search" in sources:
                about = task.problem.library or task.problem.language
                pages = self._web.items([f"{text} {about}" for text in query.texts])
                # one page may be found for two libraries, and is then an item of each
                own = [
                    replace(page, id=f"{page.id}@{task.problem.library}", library=task.problem.library)
                    for page in pages
                ]
                task.from_web = tuple(item.id for item in self.soup.add(own))

    def _queries(self, tasks: Sequence[_Task]) -> list[Query]:
        """Formulate the queries as the settings say; without an attempt there is only the question."""
        attempts = [task.attempt for task in tasks if task.attempt]
        kind = self._settings.query
        if kind == "explanation":
            explained = iter(self._explain(attempts) if attempts else [])
        queries = []
        for task in tasks:
            if kind == "question" or task.attempt is None:
                queries.append(question_query(task.problem))
            elif kind == "explanation":
                queries.append(explanation_query(task.attempt, next(explained)))
            else:
                queries.append((code_query if kind == "code" else feedback_query)(task.attempt))
        return queries

    def _search(self, tasks: Sequence[_Task]) -> None:
        """Retrieve for all problems at once, source by source."""
        settings = self._settings
        most = {
            "documentation": settings.documents,
            "web_search": settings.pages,
            "code_snippets": settings.snippets,
        }
        for source in [name for name in most if name in settings.sources]:
            if source == "documentation" and settings.given_documents:
                for task in tasks:
                    task.found[source] = self._given(task.problem)
                continue
            for kind, library in dict.fromkeys(
                (task.query.kind, task.problem.library) for task in tasks if task.query
            ):
                some = [
                    (task, task.query.texts)
                    for task in tasks
                    if task.query and (task.query.kind, task.problem.library) == (kind, library)
                ]
                texts = [one for _, one in some]
                found = self.soup.search_many(texts, source, kind=kind, k=most[source], library=library)
                for (task, _), hits in zip(some, found, strict=True):
                    task.found[source] = hits

    def _given(self, problem: CodingProblem) -> list[Hit]:
        return [
            Hit(self.soup.document("documentation", parent, problem.library)[0], 0.0)
            for parent in problem.gold_documents
        ]

    def _prompt(self, task: _Task) -> AssembledPrompt:
        """Fill the problem's prompt."""
        found = task.found
        whole: dict[str, list[tuple[Hit, Sequence[Item]]]] = {
            source: [
                (hit, self.soup.document(source, hit.item.parent, hit.item.library))
                for hit in found.get(source, [])
            ]
            for source in ("documentation", "web_search")
        }
        return assemble(
            task.problem,
            documents=whole["documentation"],
            pages=whole["web_search"],
            snippets=found.get("code_snippets", []),
            attempt=task.attempt if "execution_feedback" in self._settings.sources else None,
            budgets=self._settings.budgets,
            template=self._template,
            count_tokens=self._completions.count_tokens,
        )

    def _step(
        self,
        number: int,
        task: _Task,
        prompt: AssembledPrompt,
        *,
        answer: Completion,
        code: str,
        outcome: Outcome,
        grown: Sequence[str],
    ) -> Step:
        """Note what happened to one problem."""
        given = "documentation" if self._settings.given_documents else ""
        return Step(
            round=number,
            problem_id=task.problem.problem_id,
            query_kind=task.query.kind if task.query else "",
            query=task.query.texts if task.query else (),
            found=tuple(
                Retrieved(
                    source,
                    hit.item.id,
                    hit.item.parent,
                    hit.item.title,
                    None if source == given else hit.score,
                )
                for source, hits in task.found.items()
                for hit in hits
            ),
            shown=prompt.shown,
            dropped=prompt.dropped,
            prompt=prompt.text,
            prompt_tokens=prompt.tokens,
            answer=answer.text,
            answer_tokens=self._completions.count_tokens(answer.text),
            code=code,
            outcome=outcome,
            grown=(*task.from_web, *grown),
            ended=answer.ended,
            said=answer.said,
        )
