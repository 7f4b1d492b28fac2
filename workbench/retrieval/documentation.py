"""Documentation as a source: a folder of files, the docstrings of an installed package, a JSON-lines file."""

from __future__ import annotations

import importlib
import inspect
import pkgutil
import warnings
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from itertools import groupby
from operator import attrgetter
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING

from workbench.core.errors import DataError
from workbench.datasets.jsonl import Faults, name_of, read_objects
from workbench.retrieval.decoding import UndecodableError, decoded
from workbench.retrieval.execution import normalized
from workbench.retrieval.item import Item, item_id
from workbench.retrieval.sections import SECTION_CHARS, SUFFIXES, cut
from workbench.store.fingerprint import path_fingerprint
from workbench.store.folders import printable
from workbench.store.journal import content_key

if TYPE_CHECKING:
    from workbench.retrieval.soup import KnowledgeSource

__all__ = [
    "DocumentationFile",
    "DocumentationFolder",
    "PackageDocumentation",
    "document_items",
    "documents_apart",
]

_LONG_BYTES = 1 << 21
_NOT_PUBLIC = ("tests", "test", "testing", "conftest")


def document_items(
    parent: str,
    title: str,
    text: str,
    *,
    suffix: str = ".md",
    source: str = "documentation",
    provenance: str = "",
    longest: int = SECTION_CHARS,
) -> Iterator[Item]:
    """Yield the sections of one document as items.

    Args:
        parent: The document's id.
        title: What it is called.
        text: All of it.
        suffix: Its format; see `workbench.retrieval.sections.SUFFIXES`.
        source: One of the four sources.
        provenance: Where it comes from; a section adds its line.
        longest: See `cut`.
    """
    for number, section in enumerate(cut(text, title, suffix, longest=longest)):
        where = f"{provenance}:{section.line}" if provenance and section.line else provenance
        # a section keeps its document's title in front, or nobody knew what `Parameters` is about
        head = title if section.title in (title, "") or number == 0 else f"{title} - {section.title}"
        identity = item_id(source, parent, str(number), head, section.text)
        yield Item(identity, source, head, section.text, parent, number, where)


def documents_apart(sources: Iterable[tuple[str, KnowledgeSource]]) -> Iterator[Item]:
    """Yield the documents of several sources, so that different ones of the same name stay two documents.

    The first keeps its name. A later one is called by its source too (`other/index.md`), with a warning; where it
    says the same as the first it is left out.

    Args:
        sources: What each is called, such as its folder, and the source.
    """
    texts: dict[str, list[tuple[str, str]]] = {}
    renamed: list[str] = []
    for name, source in sources:
        for parent, group in groupby(source.items(), key=attrgetter("parent")):
            sections = list(group)
            said = [(section.title, section.text) for section in sections]
            other = parent
            while texts.setdefault(other, said) != said:
                other = f"{name}/{other}"
            if other != parent:
                renamed.append(other)
            for number, one in enumerate(sections):
                identity = item_id(one.source, other, str(number), one.title, one.text)
                yield one if other == parent else replace(one, id=identity, parent=other)
    if renamed:
        warnings.warn(
            f"{len(renamed)} documents have the name of another one, and are called by their source too: "
            f"{', '.join(renamed[:3])}{', ...' if len(renamed) > 3 else ''}",
            stacklevel=2,
        )


class DocumentationFolder:
    """The Markdown, reStructuredText, HTML and text files of a folder and those below it.

    A file is a document. Long ones are cut at their headings. Hidden files and folders are passed over.

    Args:
        path: The folder.

    Raises:
        DataError: It is no folder, or has no such file.
    """

    def __init__(self, path: str | Path) -> None:
        self.path = Path(path).expanduser()
        if not self.path.is_dir():
            raise DataError(f"no folder {self.path}", "a folder of documentation", "correct the path")
        found = [file for file in self.path.rglob("*") if file.suffix.lower() in SUFFIXES and file.is_file()]
        self._files = sorted(
            (file.relative_to(self.path) for file in found), key=lambda file: file.as_posix()
        )
        self._files = [file for file in self._files if not any(part[0] == "." for part in file.parts)]
        if not self._files:
            raise DataError(
                got=f"{self.path}: no file of documentation",
                needed=f"files whose names end in {', '.join(SUFFIXES)}",
                fix="name the folder that holds them",
            )

    @property
    def fingerprint(self) -> str:
        """The files' names and contents."""
        return content_key([(file.as_posix(), path_fingerprint(self.path / file)) for file in self._files])

    def items(self, queries: Sequence[str] = ()) -> Iterator[Item]:
        """Yield the files' sections, in the order of their names. See `KnowledgeSource.items`.

        Raises:
            DataError: Files are in an encoding that they do not tell; all are listed.
        """
        faults = Faults(str(self.path))
        for file in self._shown():
            name, suffix = file.as_posix(), file.suffix.lower()
            try:
                text = decoded((self.path / file).read_bytes(), markup=suffix in (".html", ".htm"))
            except UndecodableError as error:
                faults.add(printable(name), str(error))
                continue
            text = text.replace("\r\n", "\n").replace("\r", "\n")
            if not faults.count:
                title, where = printable(file.stem), printable(name)
                yield from document_items(where, title, text, suffix=suffix, provenance=where)
        faults.raise_if_any(
            "UTF-8; UTF-16 with a byte order mark; HTML that declares its charset",
            "convert them: iconv -f LATIN1 -t UTF-8 OLD > NEW, with the encoding that they are in",
        )

    def _shown(self) -> Iterator[Path]:
        """Yield the files, with a bar on a terminal's stderr where reading them takes a while."""
        from workbench.core.bars import Bar

        sizes = [(self.path / file).stat().st_size for file in self._files]
        hidden = None if sum(sizes) > _LONG_BYTES else True  # None hides the bar where stderr is no terminal
        with Bar(total=sum(sizes), desc="documentation", unit="B", unit_scale=True, disable=hidden) as bar:
            for file, size in zip(self._files, sizes, strict=True):
                yield file
                bar.update(size)


class PackageDocumentation:
    """The docstrings and signatures of an installed package's public functions, classes and their methods.

    A function is a document, called by its full public name (`scipy.stats.zscore`). It is documented where it
    is public first: names of one object in several modules are one document. Importing the package runs it.

    Args:
        package: Its import name; a submodule limits it to that one and those below.
        submodules: Whether to look into the modules below it.

    Raises:
        DataError: It cannot be imported.
    """

    def __init__(self, package: str, *, submodules: bool = True) -> None:
        self.package, self._submodules = package, submodules
        try:
            self._module = importlib.import_module(package)
        except (Exception, SystemExit) as error:  # a package may fail in any way on its import
            raise DataError(
                got=f"package {package!r} cannot be imported: {type(error).__name__}: {error}",
                needed="a package that is installed beside the workbench",
                fix=f"pip install it, or see that `python -c 'import {package}'` works",
            ) from error

    @property
    def fingerprint(self) -> str:
        """The package and its version."""
        return f"package:{self.package} {getattr(self._module, '__version__', '')} {self._submodules}"

    def items(self, queries: Sequence[str] = ()) -> Iterator[Item]:
        """Yield the documents' sections, module by module. See `KnowledgeSource.items`."""
        seen: set[int] = set()
        for module in self._modules():
            for name, member in _public(module):
                if id(member) in seen or not (callable(member) or inspect.isclass(member)):
                    continue
                seen.add(id(member))
                yield from self._documents(f"{module.__name__}.{name}", member)

    def _modules(self) -> Iterator[ModuleType]:
        """Yield the package and, by name, the public modules below it that can be imported."""
        waiting = [self._module]
        while waiting:
            module = waiting.pop(0)
            yield module
            if self._submodules and hasattr(module, "__path__"):
                names = sorted(info.name for info in pkgutil.iter_modules(module.__path__))
                public = [name for name in names if not name.startswith("_") and name not in _NOT_PUBLIC]
                below = (_imported(f"{module.__name__}.{name}") for name in public)
                waiting[:0] = [one for one in below if one is not None]

    def _documents(self, name: str, member: object) -> Iterator[Item]:
        """Yield a function's document, or a class's and those of its public methods."""
        yield from self._document(name, member)
        if inspect.isclass(member):
            for method, function in vars(member).items():
                if not method.startswith("_") and callable(function) and inspect.getdoc(function):
                    yield from self._document(f"{name}.{method}", function)

    def _document(self, name: str, member: object) -> Iterator[Item]:
        text = f"{name}{_signature(member)}\n\n{inspect.getdoc(member) or ''}"
        text = normalized(text)  # defaults may be objects, shown by their addresses
        yield from document_items(name, name, text, suffix=".rst", provenance=f"package:{name}")


class DocumentationFile:
    """A JSON-lines file with a document a line: `text` (or `content`), and `id`, `title` where there are such.

    Args:
        path: A `.jsonl` or `.jsonl.gz` file.
    """

    def __init__(self, path: str | Path) -> None:
        self.path = Path(path).expanduser()

    @property
    def fingerprint(self) -> str:
        """The file's content."""
        return path_fingerprint(self.path)

    def items(self, queries: Sequence[str] = ()) -> Iterator[Item]:
        """Yield the documents' sections, in the order of the file. See `KnowledgeSource.items`.

        Raises:
            DataError: The file is missing, or lines have no text or share an id; all are listed.
        """
        faults, rows = Faults(str(self.path)), list[tuple[int, str, str, str]]()
        seen: dict[str, int] = {}
        for number, row in read_objects(self.path, faults):
            text = row["content"] if row.get("text") is None and "content" in row else row.get("text")
            if not isinstance(text, str) or not text.strip():
                faults.add(f"line {number}", "no text (or content)")
                continue
            try:
                identity = name_of(row, "id", "doc_id", "title", default=str(number))
                title = name_of(row, "title", default=identity)
            except ValueError as error:
                faults.add(f"line {number}", str(error))
                continue
            if identity in seen:
                faults.add(f"line {number}", f"id {identity!r} was already on line {seen[identity]}")
            seen.setdefault(identity, number)
            rows.append((number, identity, title, text))
        faults.raise_if_any(
            'lines like {"id": "zscore", "title": "zscore(a)", "text": "..."}', "correct them"
        )
        if not rows:
            raise DataError(f"{self.path} is empty", "a document a line", "name a file with documents")
        for number, identity, title, text in rows:
            yield from document_items(identity, title, text, provenance=f"{self.path.name}:{number}")


def _imported(name: str) -> ModuleType | None:
    """Import a module of a package; None where that fails, as optional parts of packages do in any way."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of modules that are deprecated
        try:
            return importlib.import_module(name)
        except (Exception, SystemExit):
            return None


def _public(module: ModuleType) -> list[tuple[str, object]]:
    """Return a module's public members by name: those of `__all__`, or its own ones without an underscore."""
    listed = getattr(module, "__all__", None)
    if listed is not None:
        names = sorted({str(name) for name in listed})
        return [(name, getattr(module, name)) for name in names if hasattr(module, name)]
    top = module.__name__.partition(".")[0]
    return [
        (name, member)
        for name, member in sorted(vars(module).items())
        if not name.startswith("_") and str(getattr(member, "__module__", "")).partition(".")[0] == top
    ]


def _signature(member: object) -> str:
    """Return `(a, b=1)` of a callable, or `(...)` where it does not tell."""
    try:
        return str(inspect.signature(member))  # type: ignore[arg-type]  # callable, as the caller has seen
    except (TypeError, ValueError):
        return "(...)"
