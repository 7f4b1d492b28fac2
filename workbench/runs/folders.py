"""Where things are: the project's root, its notebooks, and the folder that a run's settings name."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from workbench.core.errors import RunError
from workbench.core.suggestion import suggestion
from workbench.store.folders import project_root, shown

__all__ = ["find_run", "run_id", "runs_root"]


def runs_root(start: Path | None = None) -> Path:
    """Return the folder that holds all runs: runs/ in the project's root, or else in the current folder."""
    return (project_root(start) or (start or Path.cwd())) / "runs"


def run_id(papers: Sequence[str], profile: str, overrides: Mapping[str, Any]) -> str:
    """Name a run after what was asked, so that asking the same again finds it.

    Args:
        papers: The papers that were named; empty for all of them.
        profile: Name of the profile.
        overrides: The parameters that were set besides the profile, by name; None counts as not set.

    Returns:
        For example `pocket`, `ds1000-laptop` or `ds1000-pocket-3f2a91c4`.

    >>> run_id([], "pocket", {}), run_id(["ds1000"], "laptop", {"samples": None})
    ('pocket', 'ds1000-laptop')
    """
    given = {name: value for name, value in overrides.items() if value is not None}
    words = [*sorted(papers), profile]
    if given:
        text = json.dumps(given, sort_keys=True, default=str)
        words.append(hashlib.sha256(text.encode()).hexdigest()[:8])
    return "-".join(words)


def find_run(name: str) -> Path:
    """Return the folder of a run that a user names, by its path or by its name below runs/.

    Raises:
        RunError: There is none; with what there is, and the likeliest name.
    """
    for folder in (Path(name).expanduser(), runs_root() / name):
        if name and folder.is_dir():
            return folder.resolve()
    names = sorted(folder.name for folder in runs_root().glob("*") if folder.is_dir())
    raise RunError(
        got=f"no run {name!r}{suggestion(name, names)}",
        needed=f"a run's folder, or the name of one in {shown(runs_root())} ({', '.join(names) or 'which has none'})",
        fix="make one with `workbench run`, or correct the name",
    )
