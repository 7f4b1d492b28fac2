"""Summaries as tables: as text for a terminal, as frames for a notebook."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from operator import attrgetter
from typing import TYPE_CHECKING, Any

from workbench.core.statistics import wilson_interval
from workbench.core.text_table import aligned
from workbench.datasets.coding_problem import BenchmarkProblem
from workbench.datasets.ds1000 import LIBRARIES, PERTURBATIONS
from workbench.papers.ds1000.summary import Score, Summary

if TYPE_CHECKING:
    import pandas as pd

__all__ = [
    "compared",
    "compared_both",
    "compared_gaps",
    "problem_counts",
    "side_by_side",
    "surface_effect",
    "text_table",
    "vacuous_passes",
]

_BEFELL: dict[str, Callable[[Score], int]] = {
    "no answer": attrgetter("no_answer"),
    "cut": attrgetter("cut"),
    "empty": attrgetter("empty"),
    "unanswered": attrgetter("unanswered"),
    "vacuous": attrgetter("vacuous"),
    "unexamined": attrgetter("unexamined"),
    "one process": attrgetter("one_process"),
}
"""Other outcomes of answers than to pass or to fail, by the column that counts them."""


def text_table(summary: Summary) -> str:
    """Return a summary as the paper orders it: libraries, all of them, then perturbation types.

    An outcome that no answer has gets no column; where passes are vacuous, pass@1 is shown both ways.
    """
    rows: list[tuple[str, Score] | None] = [*summary.by_library.items(), ("all", summary.all), None]
    rows += summary.by_perturbation.items()
    ks = [k for k in summary.all.pass_at if k != 1]
    titles = ["", "problems", "passed", "pass@1", "95 % interval", *(f"pass@{k}" for k in ks)]
    titles += ["execution", "surface", "skipped"]
    befell = [name for name in _BEFELL if _BEFELL[name](summary.all)]
    titles += befell
    lines = [titles, *([] if row is None else _cells(*row, ks, befell) for row in rows)]
    if summary.all.vacuous:
        titles += ["lenient pass@1", "strict pass@1"]
        for row, cells in zip(rows, lines[1:], strict=True):
            cells.extend([_share(row[1].lenient_pass_at_1), _share(row[1].strict_pass_at_1)] if row else [])
    return aligned([titles, None, *(line or None for line in lines[1:])])


def _cells(name: str, score: Score, ks: list[int], befell: Sequence[str]) -> list[str]:
    interval = f"{score.interval.low:.3f} - {score.interval.high:.3f}" if score.interval else "-"
    return [
        name,
        str(score.problems),
        str(score.passed),
        _share(score.pass_at_1),
        interval,
        *(_share(score.pass_at.get(k)) for k in ks),
        str(score.failed_execution),
        str(score.failed_surface),
        str(score.skipped),
        *(str(_BEFELL[column](score)) for column in befell),
    ]


def _share(value: float | None) -> str:
    return "-" if value is None else f"{value:.3f}"


def compared(summaries: Mapping[str, Summary], by: str) -> pd.DataFrame:
    """Put generators beside each other: a row for each of them and each group of problems.

    Args:
        summaries: By generator, in order.
        by: `library`, `perturbation`, or `surface` (the problems that have a surface-form test).

    Returns:
        generator, `by`, problems, pass@1, low, high, failed by execution, failed by surface form,
        pass@1 without surface checks; and of no answer, cut, empty and unanswered those that befell any generator.
        Groups of which nothing was scored are left out.
    """
    befell = [
        name for name, count in _BEFELL.items() if any(count(summary.all) for summary in summaries.values())
    ]
    rows = [
        {"generator": name, by: group} | _row(score) | {column: _BEFELL[column](score) for column in befell}
        for name, summary in summaries.items()
        for group, score in _groups(summary, by)
        if score.problems
    ]
    return _frame(rows)


def side_by_side(frame: pd.DataFrame, by: str) -> pd.DataFrame:
    """Turn what `compared` returns into a row for each group, and a column of pass@1 for each generator."""
    order = list(dict.fromkeys(frame[by])), list(dict.fromkeys(frame["generator"]))
    wide = frame.pivot_table(index=by, columns="generator", values="pass@1", sort=False)
    wide = wide.reindex(index=order[0], columns=order[1])
    wide.columns.name = None
    wide.insert(0, "problems", frame.groupby(by, sort=False)["problems"].first())
    return wide.reset_index()


def compared_both(summaries: Mapping[str, Summary]) -> pd.DataFrame:
    """Return a row for each generator, library and perturbation type; see `compared`."""
    rows = [
        {"generator": name, "library": library, "perturbation": kind} | _row(score)
        for name, summary in summaries.items()
        for (library, kind), score in summary.by_library_and_perturbation.items()
        if score.problems
    ]
    return _frame(rows)


def compared_gaps(summaries: Mapping[str, Summary]) -> pd.DataFrame:
    """Return a row for each generator and kind of variant: families, origin, variants, gap, low, high."""
    rows = [
        {"generator": name, "variants of type": kind, **gap.as_dict()}
        for name, summary in summaries.items()
        for kind, gap in summary.gaps.items()
    ]
    return _frame(rows)


def surface_effect(summaries: Mapping[str, Summary]) -> pd.DataFrame:
    """Return what each generator's answers would score with and without the surface-form checks.

    Only problems that have such a check count: a row for each generator and each way to grade, with
    `pass rate`, `low` and `high` (95 %, Wilson's over the answers).
    """
    rows = []
    for name, summary in summaries.items():
        score = summary.surface_tested
        for checks, passed in (
            ("tests alone", score.passed + score.failed_surface),
            ("tests and surface form", score.passed),
        ):
            if score.answers:
                low, high = wilson_interval(passed, score.answers)
                rows.append(
                    {
                        "generator": name,
                        "graded by": checks,
                        "answers": score.answers,
                        "passed": passed,
                        "pass rate": passed / score.answers,
                        "low": low,
                        "high": high,
                    }
                )
    return _frame(rows)


def vacuous_passes(summaries: Mapping[str, Summary]) -> pd.DataFrame:
    """Return how many passes are vacuous (say nothing about the result's values), and pass@1 with and without them.

    A row for each generator: generator, answers, vacuous, unexamined, pass@1 by the tests alone,
    pass@1 without vacuous passes.
    """
    return _frame(
        [
            {
                "generator": name,
                "answers": score.answers,
                "vacuous": score.vacuous,
                "unexamined": score.unexamined,
                "pass@1 by the tests alone": score.lenient_pass_at_1,
                "pass@1 without vacuous passes": score.strict_pass_at_1,
            }
            for name, score in ((name, summary.all) for name, summary in summaries.items())
        ]
    )


def problem_counts(problems: Sequence[BenchmarkProblem]) -> pd.DataFrame:
    """Count problems: a row per library, a column per perturbation type, and how many check surface form."""
    there = list(dict.fromkeys(p.library for p in problems))
    libraries = [*(name for name in LIBRARIES if name in there), *sorted(set(there) - set(LIBRARIES))]
    groups = [(name, [p for p in problems if p.library == name]) for name in libraries]
    return _frame(
        [
            {
                "library": name,
                **{kind: sum(p.perturbation_type == kind for p in some) for kind in PERTURBATIONS},
                "all": len(some),
                "with a surface test": sum(p.has_surface_test for p in some),
            }
            for name, some in [*groups, ("all", list(problems))]
        ]
    )


def _groups(summary: Summary, by: str) -> Iterator[tuple[str, Score]]:
    if by == "library":
        yield from summary.by_library.items()
        yield "all", summary.all
    elif by == "perturbation":
        yield from summary.by_perturbation.items()
    else:
        yield "with a surface test", summary.surface_tested


def _row(score: Score) -> dict[str, Any]:
    low, high = score.interval or (None, None)
    return {
        "problems": score.problems,
        "pass@1": score.pass_at_1,
        "low": low,
        "high": high,
        "failed by execution": score.failed_execution,
        "failed by surface form": score.failed_surface,
        "pass@1 without surface checks": score.without_surface,
    }


def _frame(rows: list[dict[str, Any]]) -> pd.DataFrame:
    import pandas as pd

    return pd.DataFrame(rows)
