"""`make_library`: a package that no model can have seen, out of an installed one."""

from __future__ import annotations

import json
import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from workbench.core.errors import DataError, SettingsError
from workbench.libraries.documentation import Document, document_library
from workbench.libraries.names import NameMap, make_names
from workbench.libraries.resolving import Resolver
from workbench.libraries.survey import Survey, survey
from workbench.libraries.writing import write_package
from workbench.sandbox.installed import with_installed
from workbench.sandbox.runtimes import Runtime

__all__ = ["FreshLibrary", "load_library", "make_library"]

_RECIPE, _NAMES, _DOCUMENTS = "library.json", "names.json", "documents.jsonl"


@dataclass(frozen=True)
class FreshLibrary:
    """A renamed library on disk.

    Its folder holds `package/` (for `sys.path`), `documents.jsonl` and `documents/` (Markdown, a file a module),
    `names.json` (old names to new ones) and `library.json` (how it was made, and of what).
    """

    folder: Path
    """Where it lies."""
    survey: Survey
    """What the package underneath offers."""
    names: NameMap
    """Old names to new ones."""

    @property
    def package(self) -> str:
        """The package underneath."""
        return self.survey.package

    @property
    def name(self) -> str:
        """What it is imported as."""
        return self.names.fresh

    @cached_property
    def resolver(self) -> Resolver:
        """What finds old names and their new ones."""
        return Resolver(self.survey, self.names)

    @cached_property
    def documents(self) -> tuple[Document, ...]:
        """Its documentation, one document a function."""
        lines = (self.folder / _DOCUMENTS).read_text(encoding="utf-8").split("\n")
        return tuple(Document(**json.loads(line)) for line in lines if line)

    def runtime(self, base: str | Runtime = "main") -> Runtime:
        """Return a runtime in whose sandbox programs can import it.

        Args:
            base: The runtime that has the package underneath, in the version that this was made of.
        """
        return with_installed(base, [self.package]).with_packages(self.folder / "package")


def make_library(
    package: str,
    *,
    rename: Mapping[str, str] | str | None = None,
    seed: int = 0,
    change_signatures: bool = False,
    out: str | Path,
    runtime: str | Runtime = "main",
) -> FreshLibrary:
    """Turn an installed package's public API into one that no model can have seen.

    The new package imports the old one underneath and hands its objects out by new names. Methods of objects, and
    what libraries themselves print of them, keep theirs.

    Args:
        package: The package, such as `scipy`.
        rename: New names by the old that are to be these; the others are invented. None or "auto": all are.
        seed: Another seed, other names. The same seed and version, the same library.
        change_signatures: Whether functions also take what has a default by keyword only, under a new name.
        out: Folder of the library; an older library there is replaced.
        runtime: Where the package is installed.

    Raises:
        SettingsError: The package's name or a given name cannot be used, or `out` holds something else.
        DataError: The package cannot be imported, or has nothing public.
    """
    if isinstance(rename, str) and rename != "auto":
        raise SettingsError(f"rename={rename!r}", '"auto", or new names by the old', 'use rename="auto"')
    folder = Path(out).expanduser().resolve()
    _make_room(folder)
    found = survey(package, runtime)
    given = None if rename is None or isinstance(rename, str) else rename
    names = make_names(found, given, seed, change_signatures=change_signatures)
    library = FreshLibrary(folder, found, names)
    write_package(found, names, folder / "package")
    _write_documents(library)
    (folder / _NAMES).write_text(_json({"words": names.words, "keywords": names.keywords}), encoding="utf-8")
    made_of = {"package": package, "version": found.version, "name": names.fresh, "seed": seed}
    recipe = {**made_of, "change_signatures": change_signatures, "survey": found.row()}
    (folder / _RECIPE).write_text(
        _json(recipe), encoding="utf-8"
    )  # last: without it the folder is no library
    return library


def load_library(folder: str | Path) -> FreshLibrary:
    """Load a library that `make_library` wrote.

    Raises:
        DataError: The folder holds none, or half of one.
    """
    place = Path(folder).expanduser().resolve()
    try:
        recipe = json.loads((place / _RECIPE).read_text(encoding="utf-8"))
        names = json.loads((place / _NAMES).read_text(encoding="utf-8"))
        found = Survey.read(recipe["survey"])
        return FreshLibrary(place, found, NameMap(recipe["package"], names["words"], names["keywords"]))
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise DataError(
            got=f"{place}: {type(error).__name__}: {error}",
            needed="the folder of a library that `workbench library make` wrote to its end",
            fix="make it again, or name its folder",
        ) from error


def _make_room(folder: Path) -> None:
    """Empty the folder of an older library; refuse to touch anything else."""
    if folder.is_dir() and any(folder.iterdir()):
        ours = {"package", "documents", _DOCUMENTS, _NAMES, _RECIPE}
        if {path.name for path in folder.iterdir()} - ours:
            raise SettingsError(
                got=f"out={folder}, which holds other things",
                needed="a new or empty folder, or that of an older library",
                fix="name another folder",
            )
        shutil.rmtree(folder)
    folder.mkdir(parents=True, exist_ok=True)


def _json(value: object) -> str:
    return json.dumps(value, indent=1, ensure_ascii=False) + "\n"


def _write_documents(library: FreshLibrary) -> None:
    documents = document_library(library.resolver)
    lines = (json.dumps(document.row(), ensure_ascii=False) + "\n" for document in documents)
    (library.folder / _DOCUMENTS).write_text("".join(lines), encoding="utf-8")
    pages = library.folder / "documents"
    pages.mkdir()
    by_module: dict[str, list[str]] = {}
    for one in documents:
        by_module.setdefault(one.id.rpartition(".")[0], []).append(one.text)
    for module, texts in by_module.items():
        (pages / f"{module}.md").write_text("\n".join(texts), encoding="utf-8")
