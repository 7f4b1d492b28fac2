"""A grid over a notebook's parameters: from the words of a command to one planned run for each point of it."""

from __future__ import annotations

import hashlib
import itertools
import math
import re
import statistics
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from workbench.core.errors import SettingsError
from workbench.runs.execution import is_finished
from workbench.runs.folders import runs_root
from workbench.runs.parameters import Parameter, read_parameters
from workbench.runs.planning import Planned, chosen_notebook, plan
from workbench.store.folders import shown
from workbench.store.reading import MALFORMED, read_json

__all__ = ["Sweep", "SweptRun", "estimated_time", "plan_sweep"]

MOST_RUNS = 10_000
_RANGE = re.compile(r"(-?\d+)\.\.(-?\d+)")
_UNSAFE = re.compile(r"[^\w.@+=,-]+")


@dataclass(frozen=True)
class SweptRun:
    """One point of the grid, as a run in a folder of its own."""

    name: str
    """Of its folder: the swept parameters with their values."""
    folder: Path
    assignments: tuple[str, ...]
    """`name=value` of every parameter that was given."""
    planned: Planned

    @property
    def finished(self) -> bool:
        """Whether the run has come to its end, with these parameters and this code."""
        return is_finished(self.planned, self.folder)


@dataclass(frozen=True)
class Sweep:
    """All runs of a grid, in order: the last parameter changes fastest."""

    paper: str
    """The notebook's name or path, as it was given."""
    profile: str
    folder: Path
    runs: tuple[SweptRun, ...]
    cluster: str = ""
    """Address of the cluster that their jobs run on."""


def plan_sweep(paper: str, profile: str, assignments: Sequence[str], out: str, cluster: str = "") -> Sweep:
    """Work out the runs that a `workbench sweep` command asks for.

    Args:
        paper: Name of a paper's notebook, or path of a notebook.
        profile: Name of the profile.
        assignments: `name=value`, `name=value,value`, or, for whole numbers, `name=0..9` with both ends. The same
            name again adds values; a parameter that is a list keeps its commas, and gets several values so only.
        out: The sweep's folder.
        cluster: Address of the cluster that the jobs of all runs run on; empty: processes of this machine.

    Raises:
        SettingsError: Names or values that cannot be used, a value twice, or no parameter with several values.
        RunError: The notebook is not there or cannot be read.
    """
    table = read_parameters(chosen_notebook(paper))
    grid = _grid(assignments, table)
    count = math.prod(map(len, grid.values()))
    if not 1 < count <= MOST_RUNS:
        raise SettingsError(
            got=f"a grid of {count:,} run{'s' if count != 1 else ''}",
            needed=f"a parameter with several values, and at most {MOST_RUNS:,} runs in all",
            fix="give values as -p seed=0..9 or -p seed=0,1; `workbench run` takes single ones",
        )
    folder = Path(out).expanduser().resolve()
    swept = [name for name, values in grid.items() if len(values) > 1]
    points = [dict(zip(grid, values, strict=True)) for values in itertools.product(*grid.values())]
    names = _names([{name: point[name] for name in swept} for point in points])
    runs = []
    for name, point in zip(names, points, strict=True):
        given = tuple(f"{key}={value}" for key, value in point.items())
        planned = plan([paper], profile, given, str(folder / name), cluster)
        runs.append(SweptRun(name, planned.folder, given, planned.notebooks[0]))
    return Sweep(paper, profile, folder, tuple(runs), cluster)


def _grid(assignments: Sequence[str], table: dict[str, Parameter]) -> dict[str, list[str]]:
    """Return the values of each parameter, in the order in which they were given."""
    grid: dict[str, list[str]] = {}
    faults = []
    for assignment in assignments:
        name, equals, text = assignment.partition("=")
        if not equals:
            faults.append(f"-p {name} (needs the form name=value)")
            continue
        values = _values(text, table.get(name.strip()))
        if len(values) > MOST_RUNS:
            faults.append(f"-p {name}=... with more than {MOST_RUNS:,} values")
        elif not values:
            faults.append(f"-p {name}={text} without a value")
        else:
            grid.setdefault(name.strip(), []).extend(values)
    faults += [
        f"-p {name}=... with the same value twice"
        for name, values in grid.items()
        if len(set(values)) < len(values)
    ]
    if faults:
        raise SettingsError(
            got="; ".join(faults),
            needed="-p name=value,value or, for whole numbers, -p name=FIRST..LAST, each value once",
            fix="correct the words named above",
        )
    return grid


def _values(text: str, parameter: Parameter | None) -> list[str]:
    kind = parameter.kind if parameter else None
    if kind is tuple:
        return [text]
    if kind is int and (ends := _RANGE.fullmatch(text.strip())):
        first, last = int(ends[1]), int(ends[2])
        return [str(number) for number in range(first, min(last, first + MOST_RUNS) + 1)]
    return [value for part in text.split(",") if (value := part.strip())]


def _names(points: Sequence[dict[str, str]]) -> list[str]:
    """Name each point's folder; where letters had to be replaced, or names are long, a digest tells them apart."""
    names = []
    for point in points:
        text = ",".join(f"{name}={value}" for name, value in point.items())
        name = _UNSAFE.sub("-", text)
        if name != text or len(name) > 120:
            name = f"{name[:110]}-{hashlib.sha256(text.encode()).hexdigest()[:8]}"
        names.append(name)
    return names


def estimated_time(sweep: Sweep, left: int, workers: int) -> str:
    """Say how long the runs that are left will take, by the runs of this paper and profile that have finished.

    Args:
        sweep: Its folder is looked into, and runs/.
        left: Runs to be done.
        workers: Runs at a time.
    """
    paper = sweep.runs[0].planned.paper
    roots = (sweep.folder, runs_root())
    known = [
        seconds
        for root in roots
        for state in root.glob(f"*/{paper}/state.json")
        if (seconds := _seconds(state.parent, sweep.profile)) is not None
    ]
    if not known:
        where = " or ".join(shown(root) for root in roots)
        return f"no estimate of time: no finished run of {paper} with the profile {sweep.profile} in {where}"
    median = statistics.median(known)
    total = math.ceil(left / workers) * median
    return (
        f"about {_duration(total)}: {left} runs, {workers} at a time, {_duration(median)} each "
        f"(the median of {len(known)} finished before)"
    )


def _seconds(folder: Path, profile: str) -> float | None:
    """Return what a finished run took, with the steps that it found done; None where it is not one to go by."""
    state, notes = read_json(folder / "state.json"), read_json(folder / "timings.json")
    if state.get("status") != "finished" or notes.get("profile") != profile:
        return None
    try:
        steps_s = sum(float(step["seconds"]) for step in notes["steps"].values())
        return max(steps_s, float(state["seconds"]))
    except MALFORMED:
        return None


def _duration(seconds: float) -> str:
    if seconds <= 90:
        return f"{seconds:.0f} s"
    return f"{seconds / 60:.0f} min" if seconds < 5400 else f"{seconds / 3600:.1f} h"
