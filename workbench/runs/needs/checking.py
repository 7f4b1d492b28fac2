"""Looking at all that the notebooks of a run need: every lack at once, each with its fix."""

from __future__ import annotations

import importlib
import importlib.util
import warnings
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import Any

from workbench.core.errors import InternalError, RunError, WorkbenchError
from workbench.runs.needs.need import Found, Lack, Need
from workbench.store.location import PACKAGE

__all__ = ["Looked", "look_at", "needs_of", "refuse_lacks"]

_FILE = "needs.py"


@dataclass(frozen=True)
class Looked:
    """A need, and what came of looking."""

    paper: str
    need: str
    outcome: Found | Lack


def needs_of(notebook: Path, settings: Any) -> tuple[Need, ...]:
    """Return what a notebook needs with some settings: what the function `needs` of its needs.py says.

    The file lies in the paper's folder: workbench/papers/PAPER, or for a notebook of one's own a folder of the
    notebook's name beside it. A notebook without one needs nothing that is known.

    Args:
        notebook: Its file.
        settings: Its parameters with their values, as `Run.settings` has them.

    Raises:
        RunError: The file cannot be imported, or has no such function.
        WorkbenchError: The settings do not go together.
    """
    own = notebook.with_suffix("") / _FILE
    if own.is_file():
        module = _of_file(own)
    elif (PACKAGE / "papers" / notebook.stem / _FILE).is_file():
        module = importlib.import_module(f"workbench.papers.{notebook.stem}.needs")
    else:
        return ()
    function: Callable[[Any], Sequence[Need]] | None = getattr(module, "needs", None)
    if function is None:
        raise RunError(
            got=f"{own} without a function `needs`",
            needed="def needs(settings): a list of needs, such as workbench.runs.needs.ModelNeed",
            fix="define it, or remove the file",
        )
    return tuple(dict.fromkeys(function(settings)))


def look_at(paper: str, notebook: Path, settings: Any) -> Iterator[Looked]:
    """Look at each need of a notebook, and give what came of it as soon as it is known.

    Args:
        paper: What the notebook is called.
        notebook: Its file.
        settings: Its parameters with their values.
    """
    try:
        needs = needs_of(notebook, settings)
    except WorkbenchError as error:
        yield Looked(paper, "settings", Lack.of(error))
        return
    for need in needs:
        yield Looked(paper, need.name, _outcome(need, paper))


def refuse_lacks(looked: Iterable[Looked]) -> None:
    """Raise one error that names all that is missing.

    Raises:
        RunError: Something is.
    """
    lacks = [(one, one.outcome) for one in looked if isinstance(one.outcome, Lack)]
    if not lacks:
        return
    lines = [
        f"{one.paper}, {one.need}: {lack.got}\nneeded: {lack.needed}\nfix: {lack.fix}" for one, lack in lacks
    ]
    raise RunError(
        got=f"{len(lacks)} thing{'s' if len(lacks) > 1 else ''} that this run needs and that is not here:\n"
        + "\n".join(lines),
        needed="all of it before anything is computed",
        fix="see each; the same command with --check looks again, with --no-check (in a notebook: the environment "
        "variable WORKBENCH_NO_CHECK=1) it starts regardless",
    )


def _outcome(need: Need, paper: str) -> Found | Lack:
    """Look; libraries break in ways of their own, and none of them may hide the other needs."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return need.check()
    except WorkbenchError as error:
        return Lack.of(error)
    except Exception as error:
        return Lack.of(InternalError.of(error, f"workbench run {paper} --check"))


def _of_file(file: Path) -> ModuleType:
    """Import a file of the user's by its path."""
    spec = importlib.util.spec_from_file_location(f"{file.parent.name}_needs", file)
    assert spec is not None and spec.loader is not None  # it ends in .py
    module = importlib.util.module_from_spec(spec)
    try:
        spec.loader.exec_module(module)
    except Exception as error:  # code of the user's
        raise RunError(
            got=f"{file}: {type(error).__name__}: {error}",
            needed="a file that says what the notebook needs",
            fix="correct it, or remove it",
        ) from error
    return module
