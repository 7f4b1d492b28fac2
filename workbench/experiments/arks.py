"""The ARKS experiment: every declared setting of the active loop, for each model, on the same problems.

Source: Su et al. 2024, "ARKS: Active Retrieval in Knowledge Soup for Code Generation".
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from workbench.experiments.arks_data import ArksData
from workbench.experiments.arks_settings import Setting
from workbench.experiments.jobs import run_jobs
from workbench.retrieval import ActiveResult, ActiveRetrievalSettings, KnowledgeSoup, active_retrieval
from workbench.retrieval.report import recall

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["Execution", "Job", "rows_of", "run_experiment", "run_job"]


@dataclass(frozen=True)
class Execution:
    """How programs are written and run."""

    timeout_s: float = 10.0
    """Wall time of one program, in seconds."""
    max_new_tokens: int = 512
    """Longest answer of a public model, in tokens."""
    quantize: str = "none"
    """How a public model on this machine is held: none or nf4."""
    workers: int = 1
    """Programs at a time in each process."""


@dataclass(frozen=True)
class Job:
    """Some settings, run with one model."""

    model: str
    """As `open_model` reads it."""
    settings: tuple[Setting, ...]
    base: ActiveRetrievalSettings
    data: ArksData
    execution: Execution
    folder: Path
    """Keeps traces, answers and outcomes."""


def run_experiment(
    data: ArksData,
    models: Sequence[str],
    settings: Sequence[Setting],
    base: ActiveRetrievalSettings,
    execution: Execution,
    *,
    processes: int,
    folder: Path,
) -> pd.DataFrame:
    """Run every setting with every model; what is finished stays on disk and is not run again.

    Args:
        data: Problems and documents.
        models: Their specifications, such as `pocket:data/arks/seed-0` or `hf:NAME`.
        settings: What to compare.
        base: What the settings change.
        execution: How programs are written and run.
        processes: Jobs at a time.
        folder: Where results and traces go, below a folder for each model.

    Returns:
        A row for each setting, model, problem and round: see `rows_of`.
    """
    import pandas as pd

    jobs = {
        f"{place}-{half}": Job(model, part, base, data, execution, folder / f"model-{place}" / half)
        for place, model in enumerate(models)
        for half, part in _halves(settings).items()
    }
    frames = run_jobs(run_job, jobs, folder / "jobs", workers=processes, label="loops")
    return pd.concat(frames.values(), ignore_index=True)


def _halves(settings: Sequence[Setting]) -> Mapping[str, tuple[Setting, ...]]:
    """Split the settings in two that take about as long, each with its own documents: plain, and all others."""
    plain = tuple(one for one in settings if not one.stripped)
    stripped = tuple(one for one in settings if one.stripped)
    return {name: part for name, part in (("plain", plain), ("stripped", stripped)) if part}


def run_job(job: Job) -> pd.DataFrame:
    """Run some settings with one model, one after the other; answers that they share are asked for once."""
    import pandas as pd

    from workbench.experiments.arks_data import open_model
    from workbench.sandbox import Sandbox

    execution, frames = job.execution, []
    generator = open_model(job.model, max_new_tokens=execution.max_new_tokens, quantize=execution.quantize)
    with Sandbox(job.data.runtime, execution.workers, execution.timeout_s) as sandbox:
        for setting in job.settings:
            soup = KnowledgeSoup(items=job.data.documents(stripped=setting.stripped))
            result = active_retrieval(
                job.data.problems,
                soup,
                generator,
                sandbox,
                setting.applied(job.base),
                folder=job.folder / setting.word,
                cache=job.folder / "cache",
                template=job.data.template,
            )
            frames.append(rows_of(result, setting, job.model))
    return pd.concat(frames, ignore_index=True)


def rows_of(result: ActiveResult, setting: Setting, model: str) -> pd.DataFrame:
    """Lay a result out as a table with a row for each problem and round.

    Returns:
        Columns setting, model, problem, round; asked (whether the problem went into this round), passed and ran
        (of its latest program: rounds that it sat out repeat the last one's), message (of the error), recall (of
        the gold documents among those retrieved in this round, None where nothing was).
    """
    import pandas as pd

    gold = {problem.problem_id: problem.gold_documents for problem in result.problems}
    rows = []
    for problem in result.problems:
        history = {step.round: step for step in result.history(problem.problem_id)}
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
                    "round": number,
                    "asked": asked,
                    "passed": result.passed[last.round, problem.problem_id],
                    "ran": last.outcome.ran,
                    "message": last.outcome.message,
                    "recall": recall(gold[problem.problem_id], found) if asked and last.found else None,
                }
            )
    return pd.DataFrame(rows)
