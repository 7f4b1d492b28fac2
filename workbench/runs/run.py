"""A run of a paper's notebook: its settings, its cached steps and what it finds.

A notebook opens it in the cell after its parameters, and does everything through it::

    run = Run.open("ds1000", globals())
    verdicts = run.step("verdicts", score, answers, timeout_s=run.settings.timeout_s)
    run.record("pass@1", 0.43)
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any, TypeVar

from workbench.core.terminal import show_line
from workbench.runs.claims import Claim
from workbench.runs.folders import run_id, runs_root
from workbench.runs.needs.checking import look_at, refuse_lacks
from workbench.runs.notebooks import NOTEBOOK_FILE, notebook_called
from workbench.runs.parameters import Parameter, parameters_given, read_parameters, resolve
from workbench.runs.profiles import POCKET, check_taken, profile_values
from workbench.runs.results import Results
from workbench.runs.showing import claim_text, show_figure, show_html, show_table
from workbench.store import atomic
from workbench.store.cluster import Cluster, workers_on
from workbench.store.fingerprint import unkeyed
from workbench.store.folders import make_folder, shown
from workbench.store.manifest import write_manifest
from workbench.store.plain import to_plain
from workbench.store.reading import check_closed
from workbench.store.secrets import redact, refuse_secrets
from workbench.store.steps import StepStore

if TYPE_CHECKING:
    import pandas as pd
    import plotly.graph_objects as go

__all__ = ["Run", "unkeyed"]

Result = TypeVar("Result")
UNCHECKED = "WORKBENCH_NO_CHECK"
"""The environment variable that lets a notebook start without looking at what it needs, as --no-check does."""


class Run:
    """One paper's part of a run, in a folder of its own: RUNS/ID/PAPER.

    Made by `Run.open`. Everything that it is told is on disk when the call returns.
    """

    def __init__(self, paper: str, folder: Path, settings: Mapping[str, Any], results: Results) -> None:
        self.paper = paper
        self.folder = folder
        """RUNS/ID/PAPER: results.json, timings.json, figures/, steps/."""
        self.settings = SimpleNamespace(**settings)
        """The parameters, resolved: the profile's values and what was given instead."""
        self.results = results
        self._steps = StepStore(folder / "steps", int(settings.get("seed") or 0))
        self._notes: dict[str, Any] = {}
        self._changed: Mapping[str, Any] = {}
        self._cluster = ""

    def workers(self, count: int, device: str = "cpu") -> int | Cluster:
        """Return where the jobs of a step run: the cluster that the run was given, or processes of this machine.

        Args:
            count: Processes, where there is no cluster.
            device: Of the models: cpu, cuda, or auto; a job gets a GPU of the cluster for cuda, and for auto where
                there is any.
        """
        return workers_on(self._cluster, count, device, self.folder)

    @property
    def jobs(self) -> Path:
        """Where steps keep the results of single jobs for each other, so that an arm more costs one training."""
        return self.folder / "steps" / "jobs"

    @property
    def models(self) -> Path:
        """Where trained models are kept, and the checkpoints of those that train: RUNS/ID/PAPER/models."""
        return self.folder / "models"

    @classmethod
    def open(
        cls,
        paper: str,
        parameters: Mapping[str, Any],
        *,
        profile: str | None = None,
        out: str | Path | None = None,
        title: str = "",
        asks: str = "",
        fresh: bool = False,
    ) -> Run:
        """Open a run, new or to be continued.

        Args:
            paper: The notebook's name without its suffix.
            parameters: `globals()` of the notebook, whose `parameters` cell says which of them count; or the
                parameters by name, where those left out, and None, are 'as the profile says'.
            profile: pocket, real, laptop or paper; if None, what the notebook's variable `profile` says.
            out: Folder of the whole run; if None, what the notebook's variable `out` says; if empty, runs/ID below
                the project, where ID is made of the paper, the profile and the parameters that differ from the
                profile's, so that the same ones again find what is there.
            title: Heading in the report; the paper's name if empty.
            asks: The question that the notebook answers, in a sentence or two, for the report.
            fresh: Forget the steps that are there.

        Raises:
            SettingsError: Unknown profile, unknown or wrong parameter, or a secret as parameter.
            RunError: Something that the notebook needs is not there (all is named); or the folder cannot be
                written, or a link leads out of it.
        """
        profile = str(parameters.get("profile", POCKET)) if profile is None else profile
        out = parameters.get("out", "") if out is None else out
        settings, changed = _settings(paper, profile, parameters)
        if "__name__" in parameters:
            _check_needs(paper, settings)
        root = Path(out).expanduser() if str(out) else runs_root() / run_id([paper], profile, changed)
        folder = root.resolve() / paper
        make_folder(folder, "--out DIR, or -p out DIR with papermill")
        check_closed(folder)
        about = {"paper": paper, "title": title or paper, "asks": asks, "profile": profile}
        run = cls(paper, folder, settings, Results(folder, {**about, "parameters": to_plain(settings)}))
        run._changed = changed
        run._cluster = str(parameters.get("cluster") or "")
        if fresh:
            run._steps.clear()
        run._notes = {
            "profile": profile,
            "parameters": redact(to_plain(settings)),
            "seed": settings.get("seed"),
            "steps": {},
        }
        run.results.save()
        run._note()
        show_line(f"run: {shown(folder)} (profile {profile})")
        return run

    def step(self, name: str, function: Callable[..., Result], *args: Any, **kwargs: Any) -> Result:
        """Run an expensive function once: the next time, its stored result is returned.

        The result is kept under a key of the function's code (with all workbench code that it imports), of
        every argument, and of the run's seed: when any of them changes, it is computed again. Arguments are
        plain values, dataclasses, arrays, frames, or paths (a path stands for the content it names); an
        argument that cannot change the result, such as a number of workers, is given as `unkeyed(value)`.
        A function defined in the notebook may read the notebook's variables: they count as inputs too.
        The code is read from its files: after an edit of the workbench, restart the notebook's kernel.

        A function that has a parameter `folder`, which the caller leaves out, gets a folder of its own that
        is the same at every try: what an interrupted step has finished there, the next try can read.

        Args:
            name: Short name, part of a file's name. Two steps may share it.
            function: What to call; `run.step("x", f, 1, b=2)` returns `f(1, b=2)`.
            *args: Its positional arguments.
            **kwargs: Its keyword arguments.

        Returns:
            The function's result, read back from disk.

        Raises:
            SettingsError: An argument that cannot be compared, or a result that cannot be stored.
        """
        self._notes["running"] = {"step": name, "since": time.time()}
        self._note(manifest=False)
        try:
            outcome = self._steps.run(name, function, args, kwargs)
        finally:
            del self._notes["running"]
        self._notes["steps"][outcome.place] = {
            "seconds": round(outcome.seconds, 3),
            "from_cache": outcome.cached,
        }
        self._note()
        took = f"from cache ({outcome.seconds:.1f} s when computed)"
        show_line(f"{name}: {took if outcome.cached else f'computed in {outcome.seconds:.1f} s'}")
        return outcome.value

    def record(self, name: str, value: Any, *, show: bool = True) -> Any:
        """Keep a number, or a mapping or list of numbers, in results.json; returns it as it was given.

        Args:
            name: What it is, in a few words; the same name again replaces it.
            value: The number.
            show: Print it below the cell as well.
        """
        self.results.record(name, value)
        if show:
            kept = self.results.numbers[name]
            show_line(f"{name}: {kept:.4g}" if isinstance(kept, float) else f"{name}: {kept}")
        return value

    def table(self, name: str, frame: pd.DataFrame, caption: str, *, kept: str = "") -> None:
        """Show a table below the cell, and keep it for results.json and the report; `kept` as in `Results.table`."""
        self.results.table(name, frame, caption, kept=kept)
        show_table(frame, caption)

    def figure(self, name: str, figure: go.Figure, caption: str, *, kept: str = "") -> None:
        """Show a plotly figure below the cell, and keep it as figures/NAME.json and for the report.

        A figure in plotly's own style takes the workbench's (`workbench.plots.theme`).
        """
        from workbench.plots.theme import dress

        dress(figure)
        self.results.figure(name, figure, caption, kept=kept)
        show_figure(figure, caption)

    def claim(self, claim: Claim | None = None, **fields: Any) -> None:
        """Set a claim of the paper beside what was measured here, with its interval and what it decides.

        Args:
            claim: From `Claim.of`, which decides it by its estimate.
            **fields: Those of `workbench.runs.claims.Claim` instead, where the notebook has decided by itself.
        """
        claim = Claim(**fields) if claim is None else claim
        self.results.claim(claim)
        show_line(f"claim: {claim_text(claim)}")

    def conclude(self) -> None:
        """Say what this run decided: its profile, the parameters that differ from it, and its claims by verdict."""
        from workbench.runs.report.claims import claim_rows, tally

        changed = ", ".join(f"{name}={value}" for name, value in sorted(self._changed.items()))
        rows, _ = claim_rows([to_plain(claim) for claim in self.results.claims.values()])
        lines = [
            f"This run: profile {self.results.about['profile']}" + (f", with {changed}" if changed else "")
        ]
        for verdict, count in tally(rows):
            lines.append(f"\n{verdict.words}: {count} of {len(rows)}")
            lines += [f"  {row.statement}" for row in rows if row.verdict is verdict]
        others = [row for row in rows if row.believed is not row.verdict]
        if others:
            lines.append("\nOtherwise by kept tables, which rest on more seeds: believe these")
            lines += [f"  {row.believed.words}: {row.statement}" for row in others]
        show_line("\n".join(lines if rows else [*lines, "No claim was measured."]))

    def finish(self) -> Path:
        """Write the report of the run and show where it is; the notebook's last call.

        Returns:
            The page, RUNS/ID/index.html.
        """
        from workbench.runs.report import write_report

        page = write_report(self.folder.parent)
        show_html(f'Report: <a href="{page.as_uri()}">{shown(page)}</a>', f"report: {shown(page)}")
        return page

    def _note(self, manifest: bool = True) -> None:
        """Bring timings.json, and with it the run's manifest, up to date."""
        atomic.write_json(self.folder / "timings.json", self._notes)
        if manifest:
            write_manifest(self.folder.parent)


def _check_needs(paper: str, settings: Mapping[str, Any]) -> None:
    """Raise where a notebook lacks what it needs; `workbench run` has looked for all of its notebooks before."""
    notebook = notebook_called(paper)
    if notebook is None or os.environ.get(NOTEBOOK_FILE) or os.environ.get(UNCHECKED):
        return
    refuse_lacks(look_at(paper, notebook, SimpleNamespace(**settings)))


def _settings(
    paper: str, profile: str, variables: Mapping[str, Any]
) -> tuple[dict[str, Any], dict[str, Any]]:
    """Return a run's parameters with their values, and those among them that are not as the profile says."""
    notebook = notebook_called(paper)
    table = None if notebook is None else read_parameters(notebook) or None  # none: it has no such cell
    given = parameters_given(variables, table)
    refuse_secrets(given)
    if notebook is None or table is None:  # kept elsewhere, or without such a cell: values are what they are
        own = {name: Parameter(name, None, value) for name, value in given.items()}
        return resolve(own, {}, given), given
    if "__name__" in variables:
        check_taken(notebook, profile, table, given)
    usual = profile_values(notebook, profile)
    settings, plain = resolve(table, usual, given), resolve(table, usual, {})
    return settings, {name: value for name, value in settings.items() if value != plain[name]}
