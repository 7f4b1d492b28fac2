"""One thing looked at, and how a look that goes wrong becomes a result."""

from __future__ import annotations

import os
import sys
import warnings
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from workbench.core.errors import WorkbenchError

__all__ = ["Check", "State", "guarded", "pip", "typed_path"]

State = Literal["ok", "missing", "note", "broken"]


@dataclass(frozen=True)
class Check:
    """One thing looked at."""

    name: str
    state: State
    """``missing``: an optional part is not there. ``note``: worth knowing. ``broken``: nothing works so."""
    detail: str
    """What was found; never a secret."""
    fix: str = ""
    """The command or edit that changes it, where there is one."""
    part: str = ""
    """What it is a part of: the heading that it stands below."""


def guarded(name: str, look: Callable[[], Check]) -> Check:
    """Make a check that fails in whatever way a result: libraries break in ways of their own."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # what they warn of, the row says
            return look()
    except WorkbenchError as fault:
        return Check(name, "broken", f"{fault.got}; needed: {fault.needed}", fault.fix)
    except Exception as fault:
        pins = Path(__file__).parents[1] / "sandbox" / "pins" / "main.txt"
        return Check(name, "broken", f"{type(fault).__name__}: {fault}", pip(f"-r {typed_path(pins)}"))


def pip(words: str) -> str:
    """Return the command that installs into this very environment."""
    return f"{typed_path(Path(sys.executable))} -m pip install {words}"


def typed_path(path: Path) -> str:
    """Return a path as a person would type it here: from the current folder, or from home; links stay links."""
    for above, shown in ((Path.cwd(), ""), (Path.home(), "~/")):
        if path.is_relative_to(above) and path != above:
            return shown + os.path.relpath(path, above)
    return str(path)
