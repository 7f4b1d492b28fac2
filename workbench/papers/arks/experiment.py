"""The ARKS experiment: every declared setting of the active loop, for each model, on the same problems.

Source: Su et al. 2024, "ARKS: Active Retrieval in Knowledge Soup for Code Generation".
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from workbench.papers.arks.data import ArksData, Model
from workbench.papers.arks.settings import ACTIVE, Setting, check_names
from workbench.retrieval import (
    ActiveResult,
    ActiveRetrievalSettings,
    Executor,
    KnowledgeSoup,
    ResumableCompletions,
    active_retrieval,
)
from workbench.retrieval.report import recall
from workbench.retrieval.trace import Step, read_steps
from workbench.sandbox import Sandbox
from workbench.store.cluster import Cluster
from workbench.store.jobs import run_jobs

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["Job", "Outcomes", "device_for", "rows_of", "run_experiment", "run_job"]


@dataclass(frozen=True)
class Job:
    """Some settings, run with one model."""

    model: Model
    settings: tuple[Setting, ...]
    base: ActiveRetrievalSettings
    data: ArksData
    timeout_s: float
    folder: Path
    """Keeps traces and results, those of each model in a folder of its own."""
    known: Path
    """Keeps what models answered and what came of programs, for all jobs: models often write the same ones."""
    place: int
    """The model's number, from 0."""
    web: str = ""
    """Where web pages come from, as `make_provider` takes it; empty: from nowhere."""

    @property
    def own(self) -> Path:
        """The model's folder."""
        return self.folder / f"model-{self.place}"

    @property
    def answers(self) -> Path:
        """The file of the model's answers."""
        name = re.sub(r"[^a-z0-9]+", "-", self.model.spec.lower()).strip("-")
        return self.known / f"answers-{name[-100:]}.jsonl"

    def trace(self, setting: Setting) -> Path:
        """Return where a setting's trace goes."""
        return self.own / setting.family / setting.file_name / "trace.jsonl"


@dataclass(frozen=True)
class Outcomes:
    """What came of an experiment."""

    rows: pd.DataFrame
    """A row for each setting, model, problem and round: see `rows_of`."""
    example: tuple[Step, ...]
    """The trace of the first model in the setting `ACTIVE`; empty where that was not run."""


def device_for(models: Iterable[Model]) -> str:
    """Return what the models compute on: auto where one is a public model on this machine, else cpu."""
    return "auto" if any(model.spec.startswith("hf:") for model in models) else "cpu"


def run_experiment(
    data: ArksData,
    models: Sequence[Model],
    settings: Sequence[Setting],
    base: ActiveRetrievalSettings,
    *,
    timeout_s: float,
    processes: int | Cluster,
    folder: Path,
    web: str = "",
    known: Path | None = None,
) -> Outcomes:
    """Run every setting with every model; what is finished stays on disk and is not run again.

    Args:
        data: Problems and documents.
        models: Who writes the code.
        settings: What to compare.
        base: What the settings change.
        timeout_s: Wall time of one program, in seconds.
        processes: Jobs at a time, or a cluster; see `run_jobs`.
        folder: Where results and traces go: a folder a model, in it one a family, and in that one a setting; of
            several tasks each has its own.
        web: Where web pages come from, for settings with the source `web_search`; see `make_provider`.
        known: Where answers and what came of programs are kept as they come. What is there is not asked for or run
            again, though settings, rounds or problems be others. The folder itself if None.

    Raises:
        SettingsError: Two settings have one name, or names that are one folder's.
    """
    import pandas as pd

    check_names(settings)
    families: dict[str, list[Setting]] = {}
    for setting in settings:
        families.setdefault(setting.family, []).append(setting)
    # the largest first, so that processes end together; a family's models side by side: they share no answers
    jobs = {
        (f"{part.name}-" if data.members else "") + f"{place}-{family}": Job(
            model,
            tuple(families[family]),
            base,
            part,
            timeout_s,
            folder / part.name if data.members else folder,
            (known or folder) / part.name if data.members else known or folder,
            place,
            web,
        )
        for part in data.parts
        for family in sorted(families, key=lambda name: -len(families[name]))
        for place, model in enumerate(models)
    }
    frames = run_jobs(run_job, jobs, folder / "jobs", workers=processes, label="loops")
    active = next((setting for setting in settings if setting.name == ACTIVE), None)
    shown = None if active is None else next(job for job in jobs.values() if active in job.settings)
    example = () if shown is None or active is None else read_steps(shown.trace(active))
    return Outcomes(pd.concat(frames.values(), ignore_index=True), tuple(example))


def run_job(job: Job) -> pd.DataFrame:
    """Run some settings with one model, one after the other; what settings share is asked for and run once."""
    import pandas as pd

    from workbench.retrieval.web import WebSearch, make_provider

    frames = []
    web = WebSearch(make_provider(job.web), job.own / "web.jsonl") if job.web else None
    with (
        Sandbox(job.data.runtime, workers=1, timeout_s=job.timeout_s) as sandbox,
        Executor(sandbox, job.known / "outcomes.jsonl") as executor,
        ResumableCompletions(job.model.open(), job.answers, progress=True) as generator,
    ):
        for setting in job.settings:
            documents = job.data.documents(stripped=setting.stripped)
            soup = KnowledgeSoup(setting.retriever, items=[*documents, *setting.items])
            result = active_retrieval(
                job.data.problems,
                soup,
                generator,
                executor,
                setting.applied(job.base),
                folder=job.trace(setting).parent,
                web=web if "web_search" in setting.applied(job.base).sources else None,
                template=job.data.template,
            )
            frames.append(rows_of(result, setting, job.model.spec))
    return pd.concat(frames, ignore_index=True)


def rows_of(result: ActiveResult, setting: Setting, model: str) -> pd.DataFrame:
    """Lay a result out as a table with a row for each problem and round.

    Returns:
        Columns setting, model, problem, library, round; asked (whether the problem went into this round), passed
        and ran (of its latest program: rounds that it sat out repeat the last one's), message (of the error), recall
        (of the gold documents among those retrieved in this round, None where nothing was), tokens (read and written
        in this round).
    """
    import pandas as pd

    histories, rows = result.histories(), []
    for problem in result.problems:
        history = {step.round: step for step in histories[problem.problem_id]}
        last = history[0]
        for number in range(result.settings.rounds):
            asked = number in history
            last = history.get(number, last)
            found = [one.parent for one in last.found if one.source == "documentation"]
            rows.append(
                {
                    "setting": setting.name,
                    "model": model,
                    "problem": problem.problem_id,
                    "library": problem.library,
                    "round": number,
                    "asked": asked,
                    "passed": result.passed[last.round, problem.problem_id],
                    "ran": last.outcome.ran,
                    "message": last.outcome.message,
                    "recall": recall(problem.gold_documents, found) if asked and last.found else None,
                    "tokens": last.prompt_tokens + last.answer_tokens if asked else 0,
                }
            )
    return pd.DataFrame(rows)
