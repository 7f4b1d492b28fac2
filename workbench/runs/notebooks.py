"""The notebooks that can be run: finding them, reading their parameters, and knowing when one has changed."""

from __future__ import annotations

import contextlib
import json
import os
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from workbench.core.errors import RunError
from workbench.store.code_version import source_version
from workbench.store.fingerprint import fingerprint, path_fingerprint
from workbench.store.folders import project_root
from workbench.store.location import home

__all__ = [
    "NOTEBOOK_FILE",
    "find_notebooks",
    "inspected",
    "literal",
    "notebook_called",
    "notebook_key",
    "notebooks_folder",
    "read_whole",
]

NOTEBOOK_FILE = "WORKBENCH_NOTEBOOK"
"""The environment variable by which a kernel is told the file of the notebook that it runs."""


def notebooks_folder() -> Path:
    """Return the folder of the paper notebooks: that of the project around, or the workbench's own.

    Raises:
        RunError: There is none.
    """
    folder = (project_root() or home()) / "notebooks"
    if not folder.is_dir():
        raise RunError(
            got=f"no folder {folder}",
            needed="the paper notebooks, which are installed with the workbench",
            fix="install the workbench again, or name a notebook by its path (.ipynb)",
        )
    return folder


def find_notebooks(folder: Path) -> dict[str, Path]:
    """Return the paper notebooks in a folder by name: those with a cell tagged `parameters`."""
    return {
        file.stem: file
        for file in sorted(folder.glob("*.ipynb"))
        if any("parameters" in cell.get("metadata", {}).get("tags", []) for cell in _cells(file))
    }


def inspected(notebook: Path) -> dict[str, Any]:
    """Return what papermill reads of each parameter in a notebook's `parameters` cell, as text, by name."""
    import papermill

    with read_whole(notebook):
        return dict(papermill.inspect_notebook(literal(notebook)))


def notebook_called(paper: str) -> Path | None:
    """Return the notebook that this kernel runs, by its paper's name; None where its file cannot be told.

    That is what `workbench run` says it is, else one in the current folder, where JupyterLab starts kernels, else the
    project's.
    """
    said = Path(os.environ.get(NOTEBOOK_FILE, ""))
    for file in (said, Path.cwd() / f"{paper}.ipynb"):
        if file.stem == paper and file.is_file():
            return file
    try:
        return find_notebooks(notebooks_folder()).get(paper)
    except RunError:
        return None


def literal(path: Path) -> str:
    """Write a path so that papermill, which fills braces in paths, leaves it as it is."""
    return str(path).replace("{", "{{").replace("}", "}}")


@contextlib.contextmanager
def read_whole(notebook: Path) -> Iterator[None]:
    """Let papermill read this one file as JSON may be written: in UTF-8 or UTF-16, with a byte order mark or without.

    Raises:
        RunError: It is no notebook.
    """
    from papermill.iorw import LocalHandler, papermill_io

    text = _text(notebook)

    class Handler(LocalHandler):
        def read(self, path: str) -> str:
            return text

    entry = (str(notebook), Handler())
    papermill_io.register(*entry)
    try:
        yield
    finally:
        papermill_io._handlers.remove(entry)


def notebook_key(notebook: Path, settings: Mapping[str, Any]) -> str:
    """Return the key of everything that a notebook's outcome depends on.

    That is its cells, the workbench code they import, the parameters, and the content of files that
    parameters name (`FILE` and `kind:FILE`).
    """
    cells = _cells(notebook)
    texts = ["".join(cell.get("source", "")) for cell in cells]
    lines = [
        line
        for cell, text in zip(cells, texts, strict=True)
        if cell.get("cell_type") == "code"
        for line in text.splitlines()
        if not line.lstrip().startswith(("%", "!"))  # magics are no Python
    ]
    try:
        code = source_version("\n".join(lines))
    except SyntaxError:
        code = ""  # running it will say what is wrong
    files = {name: path_fingerprint(Path(name)) for name in sorted(_named_files(dict(settings)))}
    return fingerprint([texts, code, json.dumps(dict(settings), sort_keys=True, default=str), files])


def _named_files(value: Any) -> Iterator[str]:
    """Yield the strings inside a value that name something on disk."""
    if isinstance(value, Mapping):
        value = list(value.values())
    if isinstance(value, list | tuple):
        for item in value:
            yield from _named_files(item)
    elif isinstance(value, str | Path):
        for name in {str(value), str(value).partition(":")[2]}:
            # a bare word such as `suite` or `main` is a choice, whatever lies in the current folder
            if name and ("/" in name or "." in name) and len(name) < 4096 and Path(name).exists():
                yield name


def _cells(notebook: Path) -> list[dict[str, Any]]:
    return list(json.loads(_text(notebook))["cells"])


def _text(notebook: Path) -> str:
    """Return a notebook's JSON, which has been seen to hold cells."""
    try:
        content = notebook.read_bytes()
        text = content.decode(json.detect_encoding(content))
        if not all(isinstance(cell, dict) for cell in json.loads(text)["cells"]):
            raise TypeError("a cell that is no object")
        return text
    except (OSError, ValueError, KeyError, TypeError) as fault:
        raise RunError(
            got=f"{notebook} cannot be read as a notebook ({type(fault).__name__})",
            needed="a Jupyter notebook, format 4",
            fix="restore it (in a checkout, with `git checkout`), or name another one",
        ) from fault
