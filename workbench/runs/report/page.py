"""The report of a run: one page that gathers what its notebooks asked, measured and drew.

The page holds everything it shows (plotly's script once, figures, tables): it opens from disk, asks no
network for anything, and can be sent to a colleague as one file. The executed notebooks lie beside it, as pages too.
"""

from __future__ import annotations

from pathlib import Path

from workbench.runs.report.claims import tally
from workbench.runs.report.paper import read_papers
from workbench.runs.report.template import fill
from workbench.store import atomic
from workbench.store.reading import read_json

__all__ = ["render_report", "write_report"]


def write_report(run_folder: Path) -> Path:
    """Write RUN/index.html from what the run's papers have left on disk, and their notebooks as pages.

    Args:
        run_folder: The run's folder, with a folder for each paper inside.

    Returns:
        The page.

    Raises:
        RunError: The folder holds no results, or something that no run writes.
    """
    from workbench.runs.report.notebook import write_notebook_page

    page = run_folder / "index.html"
    content = render_report(run_folder)
    for notebook in sorted(run_folder.glob("*/notebook.ipynb")):
        write_notebook_page(notebook, f"../index.html#{notebook.parent.name}")
    atomic.write_bytes(page, content.encode(errors="backslashreplace"))
    return page


def render_report(run_folder: Path) -> str:
    """Return the report of a run as HTML; see write_report."""
    papers = read_papers(run_folder)
    return fill(
        "run.html",
        plots=any(paper.figures for paper in papers),
        papers=papers,
        # what is noted there holds for the machine that ran it; without it nobody knows what that was
        manifest={"id": run_folder.resolve().name, **read_json(run_folder / "manifest.json")},
        tally=tally([claim for paper in papers for claim in paper.claims]),
        wider=tally([claim for paper in papers for claim in paper.claims], believed=True),
    )
