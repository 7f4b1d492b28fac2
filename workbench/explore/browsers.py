"""What can be browsed: every paper says in a module of its folder, `browse.py`, how its runs are read back.

Such a module has a name, `PAPER`, and as many of these functions as its runs have something to show for:

- ``attempts_in(folder, problems, own) -> list[Attempt]``: the judged answers in a folder; none where it holds none.
  `own` tells an open run of the user from a folder that may be another's, of which no file outside is read.
- ``attempts_of_result(result) -> list[Attempt] | None``: those of a result in memory; None if it is none of its.
- ``traces_in(folder, data) -> list[Trace]``: the traces of its loops.

A paper of one's own, kept outside of the workbench, is made known by `register`.
"""

from __future__ import annotations

import importlib
import importlib.util
import pkgutil
from collections.abc import Iterator
from typing import Any

from workbench.core.errors import SettingsError

__all__ = ["browsers", "register"]

PAPERS = "workbench.papers"
_registered: list[Any] = []


def register(browser: Any) -> None:
    """Make the runs of one more paper browsable, in this process.

    Args:
        browser: A module, or anything else, with the names above.

    Raises:
        SettingsError: It has no `PAPER`, or nothing to show.
    """
    if not isinstance(getattr(browser, "PAPER", None), str) or not any(
        callable(getattr(browser, name, None)) for name in ("attempts_in", "attempts_of_result", "traces_in")
    ):
        raise SettingsError(
            got=f"{browser!r} as a paper to browse",
            needed="a module with PAPER, the paper's name, and attempts_in, attempts_of_result or traces_in",
            fix="write them as workbench/papers/ds1000/browse.py does",
        )
    if browser not in _registered:
        _registered.append(browser)


def browsers(offering: str) -> Iterator[Any]:
    """Yield what papers have registered, those of the workbench first.

    Args:
        offering: Only those that have a function of this name.
    """
    package = importlib.import_module(PAPERS)
    names = sorted(f"{PAPERS}.{module.name}.browse" for module in pkgutil.iter_modules(package.__path__))
    shipped = [importlib.import_module(name) for name in names if importlib.util.find_spec(name) is not None]
    yield from (one for one in (*shipped, *_registered) if hasattr(one, offering))
