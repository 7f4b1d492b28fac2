"""The run comparer: what was set differently in some runs, and what each measured, side by side with intervals."""

from __future__ import annotations

import base64
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from workbench.core.errors import RunError
from workbench.explore.markup import Markup, badge, escape, note, panel, table
from workbench.explore.presence import present
from workbench.plots.theme import BLUE, RULE
from workbench.runs.folders import runs_root
from workbench.runs.report.alignment import Measurement, Metric, aligned_metrics
from workbench.runs.report.claims import verdict
from workbench.runs.report.comparison import differing_parameters
from workbench.runs.report.paper import Paper, read_papers
from workbench.runs.report.values import interval_text, measured_text, shown

if TYPE_CHECKING:
    from ipywidgets import Widget

__all__ = ["compare_runs", "comparison_page", "find_runs", "run_comparer"]

_KINDS = {"yes": "good", "maybe": "maybe", "no": "bad", "none": "plain"}
LINE = 130
"""Width of a drawn interval, in pixels."""

Runs = Mapping[str, Mapping[str, Paper]]
"""By the run's name: its papers by theirs."""


def compare_runs(*runs: str | Path | Any, root: str | Path | None = None) -> None:
    """Choose runs, and see what was set differently and what each measured.

    Args:
        *runs: Folders, or open `Run`s, to begin with; if none, the two newest.
        root: The folder of all runs; that of the project if None.

    Raises:
        RunError: There are no runs.
    """
    named = [_run_folder(run) for run in runs]
    folders = list(dict.fromkeys([*named, *find_runs(Path(root) if root else runs_root())]))
    if not folders:
        raise RunError(
            got=f"no runs in {root or runs_root()}",
            needed="at least one folder with PAPER/results.json inside",
            fix="make one with `workbench run`, or name folders",
        )
    chosen = named or folders[:2]
    labels = dict(zip(_labels(folders), folders, strict=True))
    first = [label for label, folder in labels.items() if folder in chosen]
    present(
        f"Run comparer: {len(labels)} run{'s' * (len(labels) > 1)}",
        comparison_page(_read(labels, first)),
        lambda: run_comparer(labels, first),
        text=f"Run comparer: {', '.join(first)}",
    )


def find_runs(root: Path) -> list[Path]:
    """Return the folders of runs below a folder, the newest first."""
    found = {file.parent.parent for file in root.glob("*/*/results.json")}
    newest = {run: max(file.stat().st_mtime for file in run.glob("*/results.json")) for run in found}
    return sorted(found, key=lambda run: -newest[run])


def comparison_page(runs: Runs, paper: str = "") -> Markup:
    """Return the picture of some runs side by side.

    Args:
        runs: By name.
        paper: Show this paper only; all if empty.
    """
    names = dict.fromkeys(name for papers in runs.values() for name in papers if paper in ("", name))
    parts = []
    for name in names:
        having = {label: papers[name] for label, papers in runs.items() if name in papers}
        parts.append(_paper(having))
    return "".join(parts) or note("Choose runs to compare.")


def run_comparer(labels: Mapping[str, Path], first: Sequence[str]) -> Widget:
    """Return the widget.

    Args:
        labels: Folders of runs by what to call them.
        first: Labels of those to begin with.
    """
    import ipywidgets as w

    known: dict[str, Mapping[str, Paper]] = {}
    auto = {"description_width": "auto"}
    chosen = w.SelectMultiple(
        options=list(labels), value=tuple(first), rows=min(8, max(2, len(labels))), description="runs", style=auto,
        layout={"width": "auto", "flex": "3 1 320px"},
    )  # fmt: skip
    paper = w.Dropdown(description="paper", style=auto, layout={"width": "auto", "flex": "1 1 160px"})
    page = w.HTML(layout={"width": "auto"})

    def draw(_: Any = None) -> None:
        wanted = [label for label in chosen.value if label not in known]
        known.update(_read(labels, wanted))
        runs = {label: known[label] for label in chosen.value}
        names = ["all", *dict.fromkeys(name for papers in runs.values() for name in papers)]
        if list(paper.options) != names:
            paper.options, paper.value = names, "all"
        page.value = comparison_page(runs, "" if paper.value in ("all", None) else paper.value)

    chosen.observe(draw, "value")
    paper.observe(draw, "value")
    draw()
    hint = w.HTML(note("Hold Ctrl (⌘) to choose several."))
    whole = w.VBox([w.HBox([chosen, paper], layout={"flex_flow": "row wrap"}), hint, page])
    whole.add_class("explore-runs")
    return whole


def _read(labels: Mapping[str, Path], wanted: Sequence[str]) -> dict[str, Mapping[str, Paper]]:
    return {label: {paper.name: paper for paper in read_papers(labels[label])} for label in wanted}


def _run_folder(run: Any) -> Path:
    """Return the folder of a whole run; of an open `Run`, which is one paper's part, the one around."""
    folder = Path(getattr(run, "folder", run)).expanduser().resolve()
    return folder.parent if (folder / "results.json").is_file() else folder


def _labels(folders: Sequence[Path]) -> list[str]:
    """Name runs by their folders, with those above where that does not tell them apart."""
    depth = 1
    while len({folder.parts[-depth:] for folder in folders}) < len(folders):
        depth += 1
    return ["/".join(folder.parts[-depth:]) for folder in folders]


def _paper(having: Mapping[str, Paper]) -> Markup:
    """Return one paper's part: parameters that differ, claims, and what was measured at the same places."""
    papers = list(having.values())
    head = (
        f'<div style="font-size: 14px; font-weight: 600; margin: 6px 0 8px">{escape(papers[0].title)}</div>'
    )
    settings = [{"profile": paper.profile, **paper.parameters} for paper in papers]
    differ, same = differing_parameters(settings)
    rows = [(escape(name), *(escape(shown(value)) for value in values)) for name, values in differ.items()]
    alike = note(f"{len(same)} parameter{'s are' if len(same) != 1 else ' is'} the same")
    parameters = (table(("parameter", *having), rows) if rows else "") + (alike if len(papers) > 1 else "")
    parts = [panel("Parameters that differ", parameters)] if len(papers) > 1 else []
    claims = _claims(having)
    parts += [panel("Claims", claims)] if claims else []
    metrics = aligned_metrics(papers) if len(papers) > 1 else []
    parts += [panel(metric.caption, _metric(metric, list(having))) for metric in metrics]
    return head + "".join(parts)


def _claims(having: Mapping[str, Paper]) -> Markup:
    by_run = [{one["statement"]: one for one in paper.results.get("claims", [])} for paper in having.values()]
    rows = []
    for statement in dict.fromkeys(key for claims in by_run for key in claims):
        cells = []
        for claim in (claims.get(statement) for claims in by_run):
            if claim is None:
                cells.append("–")
                continue
            said, unit = verdict(claim), claim.get("unit") or ""
            numbers = (
                f"{measured_text(claim.get('measured'), unit)} {interval_text(claim.get('interval'), unit)}"
            )
            cells.append(f"{badge(said.words, _KINDS[said.kind])}<br>{escape(numbers)}")
        rows.append((escape(statement), *cells))
    return table(("claim", *having), rows) if rows else ""


def _metric(metric: Metric, labels: Sequence[str]) -> Markup:
    """Return a table of one quantity: places down, runs across, each number with its interval drawn."""
    measured = [one for row in metric.rows for one in row if one is not None]
    ends = min(one.low for one in measured), max(one.high for one in measured)
    rows = [
        (escape(place), *("–" if one is None else _cell(one, ends) for one in row))
        for place, row in zip(metric.places, metric.rows, strict=True)
    ]
    return table(("", *labels), rows)


def _cell(one: Measurement, ends: tuple[float, float]) -> Markup:
    width = max(ends[1] - ends[0], 1e-12)
    low, mid, high = (4 + (LINE - 8) * (value - ends[0]) / width for value in (one.low, one.value, one.high))
    drawing = (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{LINE}" height="12">'
        f'<path d="M0 6H{LINE}" stroke="{RULE}"/>'
        f'<path d="M{low:.1f} 6H{high:.1f}" stroke="{BLUE}" stroke-width="2"/>'
        f'<circle cx="{mid:.1f}" cy="6" r="3.5" fill="{BLUE}"/></svg>'
    )
    source = f"data:image/svg+xml;base64,{base64.b64encode(drawing.encode()).decode()}"
    return f'<span style="white-space: nowrap"><img alt="" src="{source}"> &nbsp;{escape(one.text)}</span>'
