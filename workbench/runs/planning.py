"""From the words of a command to what will be executed, with every fault in them found at once."""

from __future__ import annotations

import shlex
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from workbench.core.errors import SettingsError
from workbench.core.suggestion import suggestion
from workbench.runs.folders import run_id, runs_root
from workbench.runs.notebooks import find_notebooks, notebook_key, notebooks_folder
from workbench.runs.parameters import RESERVED as OF_EVERY_NOTEBOOK
from workbench.runs.parameters import read_parameters, resolve
from workbench.runs.profiles import profile_values
from workbench.store.folders import shown
from workbench.store.secrets import names_secret, redact

__all__ = ["Plan", "Planned", "chosen_notebook", "plan", "run_command", "typed"]

RESERVED = {name: f"--{name}" for name in OF_EVERY_NOTEBOOK}


@dataclass(frozen=True)
class Planned:
    """One notebook to execute."""

    paper: str
    notebook: Path
    parameters: Mapping[str, Any]
    """What papermill injects: the profile's values, what was given instead, and profile, out and cluster."""
    key: str
    """Changes with anything that the outcome depends on."""
    ours: bool = True
    """Whether it is one of the project's, and no file of the user's."""
    given: Mapping[str, Any] = field(default_factory=dict)
    """What was given, in place of the profile's values."""
    settings: Mapping[str, Any] = field(default_factory=dict)
    """Every parameter with its value."""

    @property
    def command(self) -> str:
        """The command that executes this notebook alone into the same folder, and goes on where it stopped."""
        words = ["workbench", "run", self.paper if self.ours else shown(self.notebook)]
        words += ["--profile", str(self.parameters["profile"])]
        for name, value in self.given.items():
            words += ["-p", f"{name}={value}"]
        if cluster := self.parameters.get("cluster"):
            words += ["--cluster", cluster]
        return redact(shlex.join([*words, "--out", shown(Path(self.parameters["out"]))]))


@dataclass(frozen=True)
class Plan:
    """A run: its folder and its notebooks, in order."""

    folder: Path
    notebooks: tuple[Planned, ...]


def plan(
    papers: Sequence[str], profile: str, assignments: Sequence[str], out: str = "", cluster: str = ""
) -> Plan:
    """Work out what a `workbench run` command asks for.

    Args:
        papers: Names of paper notebooks, or paths of notebooks; none means all papers.
        profile: Name of the profile.
        assignments: `name=value`, as given with -p.
        out: The run's folder; if empty, it is named after the rest.
        cluster: Address of the cluster that jobs run on; it changes no result, and so neither key nor name.

    Raises:
        SettingsError: All faults of names and values together.
        RunError: There are no notebooks, or one cannot be read.
    """
    faults: list[str] = []
    overrides = _assigned(assignments, faults)
    notebooks = _chosen(papers, faults)
    known = {paper: read_parameters(notebook) for paper, notebook in notebooks.items()}
    every = {name: None for names in known.values() for name in names}
    unknown = [name for name in overrides if name not in every]
    if notebooks:
        faults += [f"unknown parameter {name!r}{suggestion(name, every)}" for name in unknown]
    resolved = {}
    for paper in notebooks:
        own = {name: value for name, value in overrides.items() if name in known[paper] and value is not None}
        try:
            usual = profile_values(notebooks[paper], profile)
            resolved[paper] = usual, own, resolve(known[paper], usual, own)
        except SettingsError as fault:
            faults.append(fault.got)
    if faults:
        listed = "; ".join(f"{paper} has {', '.join(names) or 'none'}" for paper, names in known.items())
        raise SettingsError(
            got="; ".join(dict.fromkeys(faults)),
            needed="notebooks that exist, and -p name=value with their parameters"
            + (listed and f" ({listed})"),
            fix="correct the words named above; the same command then runs",
        )
    folder = Path(out).expanduser() if out else runs_root() / run_id(_stems(papers), profile, overrides)
    folder = folder.resolve()
    where = {"cluster": cluster} if cluster else {}
    return Plan(
        folder,
        tuple(
            Planned(
                paper,
                notebooks[paper],
                {"profile": profile, "out": str(folder), **where, **usual, **own},
                notebook_key(notebooks[paper], {**settings, "profile": profile}),
                ours=paper in papers or not papers,
                given=own,
                settings=settings,
            )
            for paper, (usual, own, settings) in resolved.items()
        ),
    )


def chosen_notebook(paper: str) -> Path:
    """Return the notebook of a paper's name or a path.

    Raises:
        SettingsError: There is none.
    """
    faults: list[str] = []
    found = _chosen([paper], faults)
    if faults:
        raise SettingsError("; ".join(faults), "a notebook that exists", "correct its name or path")
    return next(iter(found.values()))


def run_command(
    paper: str, profile: str, assignments: Sequence[str], folder: Path, cluster: str = ""
) -> list[str]:
    """Return the words that start `workbench run` as a process of its own, with this Python.

    Args:
        paper: Name or path of the notebook.
        profile: Name of the profile.
        assignments: `name=value`, as given with -p.
        folder: Of the run.
        cluster: Address of the cluster that jobs run on; empty: processes of this machine.
    """
    where = ["--cluster", cluster] if cluster else []
    given = [word for assignment in assignments for word in ("-p", assignment)]
    program = [sys.executable, "-m", "workbench.cli.main", "run"]
    return [*program, paper, "--profile", profile, "--out", str(folder), *where, *given]


def typed(text: str) -> Any:
    """Read a value as papermill's -p does: True, False, None, a whole number, a number, else text.

    >>> [typed(text) for text in ("4", "0.5", "True", "None", "a=b")]
    [4, 0.5, True, None, 'a=b']
    """
    words = {"True": True, "False": False, "None": None}
    if text in words:
        return words[text]
    for kind in (int, float):
        try:
            return kind(text)
        except ValueError:
            continue
    return text


def _assigned(assignments: Sequence[str], faults: list[str]) -> dict[str, Any]:
    values: dict[str, Any] = {}
    for assignment in assignments:
        name, equals, text = assignment.partition("=")
        name = name.strip()
        if not equals or not name.isidentifier():
            # the words may hold a secret: only what stands before the first `=` is repeated
            faults.append(f"-p {name} (needs the form name=value)")
        elif name in RESERVED:
            faults.append(f"-p {name}=... (given by {RESERVED[name]})")
        elif name in values:
            faults.append(f"-p {name}=... twice")
        elif names_secret(name):
            faults.append(f"a secret as -p {name}=... (give it by the environment, it would be written down)")
        else:
            values[name] = typed(text)
    return values


def _chosen(papers: Sequence[str], faults: list[str]) -> dict[str, Path]:
    """Return the notebooks that were named, by name; all of the project's if none was."""
    by_path = {Path(paper).stem: Path(paper) for paper in papers if paper.endswith(".ipynb")}
    faults += [f"no notebook at {path}" for path in by_path.values() if not path.is_file()]
    names = [paper for paper in papers if not paper.endswith(".ipynb")]
    available = find_notebooks(notebooks_folder()) if names or not papers else {}
    for name in names:
        if name not in available:
            near = suggestion(name, available)
            faults.append(f"no paper called {name!r}{near}; there are {', '.join(available) or 'none'}")
    if not papers:
        if not available:
            faults.append(f"no notebooks in {notebooks_folder()}")
        return available
    chosen = {name: available[name] for name in names if name in available}
    return chosen | {name: path for name, path in by_path.items() if path.is_file()}


def _stems(papers: Sequence[str]) -> list[str]:
    return list(dict.fromkeys(Path(paper).stem if paper.endswith(".ipynb") else paper for paper in papers))
