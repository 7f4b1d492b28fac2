"""What Tab offers for words that depend on what is here: papers, parameters, runs, runtimes.

A fault is no reason to disturb a line that is being typed: whatever cannot be found is not offered.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from workbench.core.errors import WorkbenchError

if TYPE_CHECKING:
    import click
    from click.shell_completion import CompletionItem

__all__ = ["complete_papers", "complete_parameters", "complete_runs", "complete_runtimes"]


def complete_papers(ctx: click.Context, param: click.Parameter, begun: str) -> list[CompletionItem]:
    """Offer the notebooks that can be run, and files for one's own."""
    from workbench.runs.notebooks import find_notebooks, notebooks_folder

    try:
        names = list(find_notebooks(notebooks_folder()))
    except WorkbenchError:
        names = []
    return _items(names, begun) or _files(begun)


def complete_parameters(ctx: click.Context, param: click.Parameter, begun: str) -> list[CompletionItem]:
    """Offer the parameters of the papers named so far, or of all, up to the equals sign."""
    from workbench.runs.notebooks import find_notebooks, notebooks_folder
    from workbench.runs.parameters import read_parameters

    try:
        notebooks = find_notebooks(notebooks_folder())
        # an option that still lacks its value keeps click from telling the words before it apart
        named = [name for name in ctx.params.get("papers") or ctx.args if name in notebooks] or list(
            notebooks
        )
        names = dict.fromkeys(name for paper in named for name in read_parameters(notebooks[paper]))
    except WorkbenchError:
        return []
    return _items((f"{name}=" for name in names), begun)


def complete_runs(ctx: click.Context, param: click.Parameter, begun: str) -> list[CompletionItem]:
    """Offer the runs below runs/, the newest first, and folders elsewhere."""
    from workbench.runs.folders import runs_root

    root = runs_root()
    found = [folder for folder in root.iterdir() if folder.is_dir()] if root.is_dir() else []
    newest = sorted(found, key=lambda folder: folder.stat().st_mtime, reverse=True)
    return _items((folder.name for folder in newest), begun) or _files(begun)


def complete_runtimes(ctx: click.Context, param: click.Parameter, begun: str) -> list[CompletionItem]:
    """Offer the runtimes that can be built."""
    from workbench.sandbox.runtime_recipe import RECIPES

    return _items((recipe.name for recipe in RECIPES), begun)


def _items(words: Iterable[str], begun: str) -> list[CompletionItem]:
    from click.shell_completion import CompletionItem

    return [CompletionItem(word) for word in words if word.startswith(begun)]


def _files(begun: str) -> list[CompletionItem]:
    from click.shell_completion import CompletionItem

    return [CompletionItem(begun, type="file")]
