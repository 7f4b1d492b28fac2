"""Several runs on one page: what was set differently, and what was measured, side by side with intervals."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from workbench.core.errors import SettingsError
from workbench.runs.report.alignment import Metric, aligned_metrics
from workbench.runs.report.claims import ClaimVerdict, Mark, mark, tally, verdict
from workbench.runs.report.paper import Paper, Table, read_papers, script_json
from workbench.runs.report.template import fill
from workbench.runs.report.values import NOTHING, Cell, columns_of, interval_text, measured_text, shown
from workbench.store import atomic

__all__ = ["ComparedClaim", "differing_parameters", "render_comparison", "write_comparison"]


@dataclass(frozen=True)
class ComparedRun:
    """One of the runs that are compared."""

    label: str
    address: str
    """Of its own report, from the page's place."""
    papers: Mapping[str, Paper]

    @property
    def tally(self) -> list[tuple[ClaimVerdict, int]]:
        """Its claims counted by verdict."""
        return tally([claim for paper in self.papers.values() for claim in paper.claims])


@dataclass(frozen=True)
class ComparedClaim:
    """One claim as one run has measured it."""

    measured: str
    interval: str
    verdict: ClaimVerdict
    mark: Mark | None
    """On the scale that all runs of the row share."""
    estimate: float | None


@dataclass(frozen=True)
class ComparedPaper:
    """One paper's part of all runs that have it."""

    name: str
    title: str
    labels: tuple[str, ...]
    """Of the runs that have it."""
    parameters: Table | None
    """Those that differ."""
    same: Mapping[str, Any]
    """Those that do not."""
    claims: Sequence[tuple[str, Sequence[ComparedClaim | None]]]
    """By statement, one for each run, None where a run does not have it."""
    metrics: Sequence[tuple[Metric, Table, str, int]]
    """Each with its table, its plot as JSON, and the plot's height in pixels."""
    numbers: Table | None


def write_comparison(folders: Sequence[Path], page: Path) -> Path:
    """Write one page that compares several runs.

    Args:
        folders: Of the runs.
        page: The file to write.

    Returns:
        The page.

    Raises:
        RunError: A folder holds no results.
        SettingsError: There are fewer than two runs, or one is there twice.
    """
    atomic.write_bytes(page, render_comparison(folders, page.parent).encode(errors="backslashreplace"))
    return page


def render_comparison(folders: Sequence[Path], place: Path) -> str:
    """Return the page of write_comparison as HTML; its links are relative to a place."""
    places = [folder.resolve() for folder in folders]
    if len(set(places)) < max(2, len(places)):
        raise SettingsError(
            got=f"{len(folders)} run{'s' if len(folders) != 1 else ''}, {len(set(places))} different",
            needed="two or more different runs",
            fix="name each run once",
        )
    runs = [
        ComparedRun(label, os.path.relpath(folder / "index.html", place.resolve()), _papers(folder))
        for label, folder in zip(_labels(places), places, strict=True)
    ]
    # a paper that has not begun, or failed at once, has nothing to compare
    begun = [(run.label, paper) for run in runs for paper in run.papers.values() if paper.results]
    papers = [
        _compared(name, [(label, paper) for label, paper in begun if paper.name == name])
        for name in dict.fromkeys(paper.name for _, paper in begun)
    ]
    return fill("comparison.html", plots=any(paper.metrics for paper in papers), runs=runs, papers=papers)


def differing_parameters(
    parameters: Sequence[Mapping[str, Any]],
) -> tuple[dict[str, list[Any]], dict[str, Any]]:
    """Tell the parameters that differ between runs from those that do not.

    Returns:
        By name, the values of those that differ, one for each run (None where a run has no such parameter);
        and the common value of the others.

    >>> differing_parameters([{"seed": 0, "n": 1}, {"seed": 1, "n": 1}])
    ({'seed': [0, 1]}, {'n': 1})
    """
    values = {
        name: [each.get(name) for each in parameters]
        for name in dict.fromkeys(n for p in parameters for n in p)
    }
    differ = {name: each for name, each in values.items() if any(value != each[0] for value in each)}
    return differ, {name: each[0] for name, each in values.items() if name not in differ}


def _papers(folder: Path) -> dict[str, Paper]:
    return {paper.name: paper for paper in read_papers(folder)}


def _labels(folders: Sequence[Path]) -> list[str]:
    """Name runs by their folders, with the folders above where that does not tell them apart."""
    for depth in range(1, max(len(folder.parts) for folder in folders) + 1):
        labels = ["/".join(folder.parts[-depth:]) for folder in folders]
        if len(set(labels)) == len(labels):
            return labels
    return [str(folder) for folder in folders]


def _compared(name: str, having: Sequence[tuple[str, Paper]]) -> ComparedPaper:
    labels, papers = [label for label, _ in having], [paper for _, paper in having]
    settings = [{"profile": paper.profile, **paper.parameters} for paper in papers]
    differ, same = differing_parameters(settings)
    parameters = [[key, *map(shown, values)] for key, values in differ.items()]
    metrics = []
    for metric in aligned_metrics(papers):
        rows = [
            [
                Cell(place, place),
                *(Cell(point.text, point.value) if point else Cell(NOTHING) for point in row),
            ]
            for place, row in zip(metric.places, metric.rows, strict=True)
        ]
        table = Table(
            f"{name}-{metric.name}-table", metric.caption, ("where", *labels), tuple(map(tuple, rows))
        )
        plot, height = _plot(metric, labels)
        metrics.append((metric, table, plot, height))
    return ComparedPaper(
        name=name,
        title=papers[0].title,
        labels=tuple(labels),
        parameters=_table(f"{name}-parameters", "Parameters that differ", ("parameter", *labels), parameters),
        same=same,
        claims=_claims(papers),
        metrics=metrics,
        numbers=_numbers(name, labels, papers),
    )


def _table(key: str, caption: str, columns: Sequence[str], rows: Sequence[Sequence[Any]]) -> Table | None:
    return Table(key, caption, tuple(columns), tuple(map(tuple, columns_of(rows)))) if rows else None


def _claims(papers: Sequence[Paper]) -> list[tuple[str, list[ComparedClaim | None]]]:
    """Set the claims of the runs side by side; a row's intervals share one scale."""
    by_run = [{claim["statement"]: claim for claim in paper.results.get("claims", [])} for paper in papers]
    rows = []
    for statement in dict.fromkeys(statement for claims in by_run for statement in claims):
        found = [claims.get(statement) for claims in by_run]
        reach = max(
            (
                abs(end - claim["threshold"])
                for claim in found
                if claim and claim.get("interval") and claim.get("threshold") is not None
                for end in claim["interval"]
            ),
            default=None,
        )
        rows.append((statement, [claim and _claim(claim, reach) for claim in found]))
    return rows


def _claim(claim: Mapping[str, Any], reach: float | None) -> ComparedClaim:
    unit, measured = claim.get("unit") or "", claim.get("measured")
    return ComparedClaim(
        measured_text(measured, unit),
        interval_text(claim.get("interval"), unit),
        verdict(claim),
        mark(claim, reach),
        measured if isinstance(measured, int | float) else None,
    )


def _numbers(name: str, labels: Sequence[str], papers: Sequence[Paper]) -> Table | None:
    """Set the recorded numbers side by side; of two runs, with what the second has more."""
    by_run = [dict(paper.numbers) for paper in papers]
    rows = []
    for number in dict.fromkeys(key for numbers in by_run for key in numbers):
        values = [numbers.get(number) for numbers in by_run]
        row = [number, *values]
        if len(values) == 2:
            row.append(_difference(*values))
        rows.append(row)
    columns = ["number", *labels, *(["difference"] if len(labels) == 2 else [])]
    return _table(f"{name}-numbers", "All numbers recorded", columns, rows)


def _difference(first: Any, second: Any) -> float | int | None:
    numbers = (int, float)
    both = isinstance(first, numbers) and isinstance(second, numbers)
    return second - first if both and not isinstance(first, bool) and not isinstance(second, bool) else None


def _plot(metric: Metric, labels: Sequence[str]) -> tuple[str, int]:
    """Draw a metric: a dot with its whisker for each run, places below each other."""
    import json

    import plotly.graph_objects as go

    from workbench.plots.theme import COLORS, template
    from workbench.plots.whiskers import whiskers

    height = 110 + len(metric.places) * (16 + 11 * len(labels))
    figure = go.Figure(layout={"template": template(), "height": height, "showlegend": True})
    for number, label in enumerate(labels):
        beside = (number - (len(labels) - 1) / 2) * 0.6 / len(labels)
        drawn = [
            (place + beside, point)
            for place, row in enumerate(metric.rows)
            if (point := row[number]) is not None
        ]
        figure.add_scatter(
            name=label,
            mode="markers",
            x=[point.value for _, point in drawn],
            y=[place for place, _ in drawn],
            error_x=whiskers(
                (point.value for _, point in drawn),
                (point.low for _, point in drawn),
                (point.high for _, point in drawn),
            ),
            text=[point.text for _, point in drawn],
            hovertemplate=f"{label}: %{{text}}<extra></extra>",
            marker={"color": COLORS[number % len(COLORS)], "size": 8},
        )
    places = list(range(len(metric.places)))
    figure.update_yaxes(
        tickvals=places,
        ticktext=metric.places,
        range=[len(places) - 0.5, -0.5],
        showgrid=False,
        zeroline=False,
    )
    figure.update_xaxes(tickformat=".0%" if metric.percent else "")
    return script_json(json.loads(figure.to_json())), height
