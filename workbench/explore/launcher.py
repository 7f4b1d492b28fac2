"""The launcher: choose paper, profile and parameters, start the run in the background, watch it, open the result."""

from __future__ import annotations

import threading
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from workbench.core.errors import WorkbenchError
from workbench.explore.launching import Field, Launched, RunProgress, check_values, fields_of, launch_run
from workbench.explore.markup import Markup, badge, bar, escape, listing, note, table
from workbench.explore.presence import present
from workbench.explore.served import served_address
from workbench.plots.theme import BLUE, RULE
from workbench.runs.notebooks import find_notebooks, notebooks_folder
from workbench.runs.profiles import PROFILES
from workbench.runs.report.values import shown
from workbench.store.folders import shown as shown_path

if TYPE_CHECKING:
    from ipywidgets import Widget

__all__ = ["launch", "launcher", "launcher_page", "progress_page", "report_page"]

_KINDS = {"finished": "good", "failed": "bad", "stopped": "maybe"}
LOOK_EVERY_S = 0.5


def launch(notebooks: str | Path | None = None, *, out: str = "") -> None:
    """Start runs of the papers' notebooks from here.

    Args:
        notebooks: The folder of the notebooks; the project's if None.
        out: The folder of the run; if empty, each is named after what was asked, below runs/.

    Raises:
        RunError: There are no notebooks.
    """
    found = find_notebooks(Path(notebooks) if notebooks else notebooks_folder())
    first = next(iter(found))
    present(
        "Launcher",
        launcher_page(first, fields_of(found[first])),
        lambda: launcher(found, out=out),
        text=f"Launcher of {', '.join(found)}: run this in JupyterLab",
    )


def launcher_page(paper: str, fields: Sequence[Field]) -> Markup:
    """Return the picture of the launcher: a paper's parameters, and what each profile makes of them."""
    rows = []
    for field in fields:
        values = (escape(shown(field.usual.get(profile))) for profile in PROFILES)
        usual = (f'<span style="overflow-wrap: anywhere">{value}</span>' for value in values)
        rows.append((f"<b>{escape(field.name)}</b>", escape(field.kind), *usual, escape(field.help)))
    return note(f"Parameters of {paper}") + table(("parameter", "type", *PROFILES, "what it sets"), rows)


def progress_page(progress: RunProgress, folder: Path) -> Markup:
    """Return the picture of a run under way."""
    told = f"{badge(progress.state, _KINDS.get(progress.state, 'plain'))} &nbsp; {escape(progress.step)}"
    said = listing([escape(progress.says)], numbered=False) if progress.says else ""
    cells = bar({"done": progress.cells}, max(progress.of, 1), "cells")
    return f'<div style="margin: 0 0 6px">{told}</div>{cells}{said}{note(shown_path(folder))}'


def report_page(report: Path, address: str | None) -> Markup:
    """Return the picture of a run's page.

    Args:
        report: The page.
        address: Where the notebook's server serves it; None where it does not.
    """
    where = shown_path(report)
    if address is None:
        return note(
            f"The report is {where}. JupyterLab shows it here if it is started in the project's folder."
        )
    look = f"width: 100%; height: 720px; border: 1px solid {RULE}; border-radius: 6px; box-sizing: border-box"
    link = f'<a href="{escape(address)}" target="_blank" style="color: {BLUE}">{escape(where)}</a>'
    return f'<div>{link}</div><iframe title="Report" style="{look}" src="{escape(address)}"></iframe>'


def launcher(notebooks: Mapping[str, Path], *, out: str = "") -> Widget:
    """Return the widget; see `launch`."""
    return _Launcher(notebooks, out).whole


class _Launcher:
    """The state of one widget: the form, and the run that was started."""

    def __init__(self, notebooks: Mapping[str, Path], out: str) -> None:
        import ipywidgets as w

        self.notebooks, self.out = notebooks, out
        self.run: Launched | None = None
        auto = {"description_width": "auto"}
        self.paper = w.Dropdown(options=list(notebooks), description="paper", style=auto)
        self.profile = w.ToggleButtons(
            options=PROFILES, description="profile", style={"button_width": "80px", **auto}
        )
        self.form = w.VBox([], layout={"max_height": "420px", "overflow": "hidden auto", "margin": "8px 0"})
        self.boxes: dict[str, Any] = {}
        self.start = w.Button(description="Start", icon="rocket", button_style="primary")
        self.stop = w.Button(description="Stop", icon="stop", disabled=True)
        self.report = w.Button(description="Show the report", icon="file-text", disabled=True)
        self.says, self.page = w.HTML(), w.HTML(layout={"width": "auto"})
        self.whole = w.VBox(
            [
                self.paper,
                self.profile,
                self.form,
                w.HBox([self.start, self.stop, self.report, self.says], layout={"align_items": "center"}),
                self.page,
            ]
        )
        self.whole.add_class("explore-launcher")
        self.paper.observe(lambda _: self.fill(), "value")
        self.profile.observe(lambda _: self.hint(), "value")
        self.start.on_click(lambda _: self.begin())
        self.stop.on_click(lambda _: self.run and self.run.stop())
        self.report.on_click(lambda _: self.show_report())
        self.fill()

    def fill(self) -> None:
        """Make the form of the paper that is chosen: a box for each parameter, empty where the profile decides."""
        import ipywidgets as w

        self.fields = fields_of(self.notebooks[self.paper.value])
        self.boxes, rows = {}, []
        for field in self.fields:
            place = {"width": "230px", "flex": "none"}
            box = (
                w.Dropdown(
                    options=[("as the profile says", ""), ("yes", "True"), ("no", "False")], layout=place
                )
                if field.kind == "bool"
                else w.Text(layout=place)
            )
            self.boxes[field.name] = box
            about = f"{field.help} <i>({escape(field.kind)})</i>"
            label = w.HTML(f"<b>{escape(field.name)}</b>", layout={"width": "180px", "flex": "none"})
            row = [label, box, w.HTML(about, layout={"flex": "1 1 auto"})]
            rows.append(w.HBox(row, layout={"align_items": "center", "flex": "none"}))
        self.form.children = rows
        self.hint()

    def hint(self) -> None:
        """Show in each empty box what the profile says."""
        for field in self.fields:
            box = self.boxes[field.name]
            if hasattr(box, "placeholder"):
                box.placeholder = shown(field.usual.get(self.profile.value))

    def begin(self) -> None:
        """Start the run, or say what is wrong with the form."""
        values = {name: box.value for name, box in self.boxes.items()}
        try:
            check_values(self.fields, values)
            paper = str(self.notebooks[self.paper.value])
            self.run = launch_run(paper, self.profile.value, values, self.out)
        except WorkbenchError as fault:
            self.says.value = badge("not started", "bad")
            self.page.value = listing([escape(line) for line in str(fault).split("\n")], numbered=False)
            return
        self.says.value, self.start.disabled, self.stop.disabled, self.report.disabled = "", True, False, True
        threading.Thread(target=self._follow, args=(self.run,), daemon=True).start()

    def show_report(self) -> None:
        """Show the run's page below, where the notebook's server can; say where it is in any case."""
        page = self.run.report if self.run else None
        if page is not None:
            self.page.value = report_page(page, served_address(page))

    def _follow(self, run: Launched) -> None:
        while True:
            ended = run.process.poll() is not None
            self.page.value = progress_page(run.progress(), run.folder)
            if ended:
                break
            time.sleep(LOOK_EVERY_S)
        self.start.disabled, self.stop.disabled, self.report.disabled = False, True, run.report is None
