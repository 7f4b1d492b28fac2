"""What ARKS' experiment needs: problems with their documents, what their programs import, models that write code."""

from __future__ import annotations

from contextlib import suppress
from functools import partial
from typing import Any

from workbench.core.errors import DataError, WorkbenchError
from workbench.datasets.coding_problem import INSERT, CodingProblem, HiddenTest
from workbench.datasets.ds1000 import HUB_NAME as PROBLEMS_HUB
from workbench.datasets.ds1000 import problems_on
from workbench.datasets.evor import HUB_NAME, PACKAGES, TASKS, load_evor
from workbench.models.loading import ModelSettings
from workbench.papers.arks.data import fresh_problems
from workbench.papers.arks.settings import declared, of_families
from workbench.retrieval import ActiveRetrievalSettings
from workbench.retrieval.assembly import Budgets
from workbench.runs.needs import (
    AnswerNeed,
    DataNeed,
    DiskNeed,
    Held,
    HoursNeed,
    HubFiles,
    HubSplit,
    MemoryNeed,
    ModelNeed,
    Need,
    ProgramsNeed,
    RuntimeNeed,
    Work,
    served_needs,
)
from workbench.runs.needs.hub import hub_fault

__all__ = ["needs"]

_PROBLEM, _DOCUMENT, _ANSWER = 450, 550, 100
"""About how many tokens a problem has, a document, and an answer."""
_PROBLEMS = 150
"""About how many a task has."""
_ASKED = 0.6
"""About which share of the problems goes into a later round."""
_BATCH = 8


def needs(settings: Any) -> tuple[Need, ...]:
    """Return what a run needs. The world of fictional libraries has all but the sandbox itself.

    Args:
        settings: `Run.settings` of the notebook.
    """
    task, _, folder = settings.data.partition(":")
    tasks = tuple(TASKS) if task == "all" else (task,) if task in TASKS else ()
    found: list[Need] = [] if tasks else [RuntimeNeed(settings.runtime)]
    if task == "fresh":
        package, source = fresh_problems(folder, settings.runtime)
        public = HubSplit(PROBLEMS_HUB) if source == "hub" else None
        found.append(DataNeed(f"problems on {package}", partial(_on, package, source), public))
    for name in tasks:
        source = folder or "hub"
        files = (f"{name}/{name}.jsonl", f"{name}/{name}_docs.jsonl")
        hub = None if folder else HubFiles(HUB_NAME, files)
        found.append(DataNeed(f"data {name}", partial(_count, name, source), hub))
        programs = partial(_problems, name, source, hub)
        found.append(ProgramsNeed(programs, settings.runtime, f"programs of {name}"))
    if settings.retriever != "bm25" and settings.encoder:
        found.append(ModelNeed("encoder", ModelSettings(settings.encoder)))
    if settings.web:
        found.append(DataNeed("web pages", partial(_searched, settings.web)))
    packed = "nf4" if settings.quantize == "nf4" else None
    models = []
    for spec in settings.models:
        kind, _, rest = spec.partition(":")
        if kind == "openai":
            found.append(AnswerNeed(spec, rest))
        if kind == "served":
            found += served_needs(spec, rest)
        if kind == "hf":
            models.append(ModelSettings(rest, quantize=packed, dtype=settings.dtype))
            found.append(ModelNeed(f"code model {len(models)}", models[-1]))
    if models:
        prompt = min(_PROBLEM + _DOCUMENT * settings.documents, Budgets.prompt_max_length)
        parts = [
            (model.name, (Held(model, _BATCH * (prompt + settings.max_new_tokens)),)) for model in models
        ]
        known = _PROBLEMS if tasks else _known(task, folder, settings.runtime)
        asked = min(settings.problems or known, known) * max(len(tasks), 1) * _programs(settings)
        work = [
            Work(model.name, model, read=asked * prompt, written=asked * _ANSWER, rows=_BATCH)
            for model in models
        ]
        found += [DiskNeed(tuple(models)), MemoryNeed(tuple(parts)), HoursNeed(tuple(work))]
    return tuple(found)


def _programs(settings: Any) -> float:
    """Return about how many programs are written for a problem: settings share a first one with the same prompt."""
    run = of_families(declared(web=bool(settings.web), stripped=settings.data == "world"), settings.families)
    first = {
        (
            "documentation" in one.changes.get("sources", ActiveRetrievalSettings.sources),
            one.changes.get("given_documents", False),
            one.stripped,
        )
        for one in run
    }
    return len(first) + sum(_ASKED * (one.changes.get("rounds", settings.rounds) - 1) for one in run)


def _known(task: str, rest: str, runtime: str) -> int:
    """Return how many problems there are, where that is quickly told."""
    package, source = fresh_problems(rest, runtime)
    if task == "fresh" and source != "hub":
        with suppress(WorkbenchError):  # a need of its own says what is wrong
            return len(problems_on(package, source))
    return _PROBLEMS


def _on(package: str, source: str) -> str:
    return f"{len(problems_on(package, source))} problems of {source}"


def _count(task: str, source: str) -> str:
    loaded = load_evor(task, source)
    return f"{len(loaded.problems)} problems, {len(loaded.documents)} documents"


def _searched(web: str) -> str:
    from workbench.retrieval.web import make_provider

    make_provider(web)  # says which key or folder is missing
    return web.partition(":")[0]


def _problems(task: str, source: str, hub: HubFiles | None) -> tuple[CodingProblem, ...]:
    """Load a task's problems; while they cannot be had, which is a lack of its own, one that needs what all do."""
    if hub is None or hub.is_kept or not hub_fault():
        with suppress(DataError):
            return load_evor(task, source).problems
    tests, packages = (HiddenTest(INSERT),), PACKAGES.get(task, ())
    return (CodingProblem(task, "?", tests, language=TASKS[task], library=task, modules=packages),)
