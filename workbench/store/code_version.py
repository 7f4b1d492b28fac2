"""The version of a function's code: what must stay the same for a stored result to be used again.

A version covers the function's own source, the source of every workbench module it imports, directly or not,
and the versions of the other packages those modules import. Comments and docstrings do not count. The
imports are read from the source, inside functions too, without running anything; modules that are found
only by a name built at run time are not seen. A name that is taken from a package's face (its `__init__.pyi`)
counts as the module it lives in, and not as all that the package offers; a package that is imported whole
counts whole.
"""

from __future__ import annotations

import ast
import functools
import hashlib
import sys
from collections.abc import Iterable, Iterator
from importlib import metadata
from pathlib import Path

__all__ = ["module_version", "source_digest", "source_version"]

PACKAGE = "workbench"


def module_version(name: str) -> str:
    """Return the version of an imported module's code, as 64 hex digits.

    Args:
        name: Dotted name of a module that is in sys.modules.
    """
    file = getattr(sys.modules.get(name), "__file__", None)
    if file is None or not file.endswith(".py"):
        return hashlib.sha256(f"{name}:{_distribution_version(name.partition('.')[0])}".encode()).hexdigest()
    return source_version(Path(file).read_text(encoding="utf-8"), name, Path(file).name == "__init__.py")


def source_version(source: str, name: str = "", is_package: bool = False) -> str:
    """Return the version of a piece of source, with all that it imports.

    Args:
        source: Python source, of a module or of a notebook's cells.
        name: Dotted name of the module, against which relative imports are read.
        is_package: Whether the module is a package's __init__.
    """
    tree = ast.parse(source)
    seen: dict[str, str] = {}
    asked: set[str] = set()
    foreign: set[str] = set()
    waiting = list(_imports(tree, name, is_package))
    while waiting:
        target = waiting.pop()
        top = target.partition(".")[0]
        if top != PACKAGE:
            foreign.add(top)
            continue
        if target in asked:
            continue
        asked.add(target)
        file = _workbench_file(target)
        if file is None:
            waiting.extend(_home(target))
            continue
        state = file.stat()
        seen[target], imported = _module(file, target, state.st_mtime_ns, state.st_size)
        waiting.extend(imported)
    foreign -= set(sys.stdlib_module_names)
    lines = [_tree_digest(tree), *(f"{module} {digest}" for module, digest in sorted(seen.items()))]
    lines += [f"{top} {_distribution_version(top)}" for top in sorted(foreign)]
    return hashlib.sha256("\n".join(lines).encode()).hexdigest()


@functools.lru_cache(maxsize=4096)
def _module(file: Path, name: str, changed_ns: int, size: int) -> tuple[str, tuple[str, ...]]:
    """Return a module's digest and what it imports. A step asks for the same hundreds of modules again and again.

    Args:
        file: Its source.
        name: Its dotted name.
        changed_ns: When the file was last changed: then it is read again.
        size: Its length, for the same reason.
    """
    tree = ast.parse(file.read_text(encoding="utf-8"))
    imported = tuple(_imports(tree, name, file.name == "__init__.py"))
    return _tree_digest(tree), imported


def _home(target: str) -> Iterator[str]:
    """Yield the module that a name of a package's face lives in; `package.*` yields all modules of the face."""
    package, _, name = target.rpartition(".")
    init = _workbench_file(package)
    stub = init.with_suffix(".pyi") if init is not None else None
    if stub is None or not stub.is_file():
        return
    for node in ast.parse(stub.read_text(encoding="utf-8")).body:
        if isinstance(node, ast.ImportFrom) and (name == "*" or name in {alias.name for alias in node.names}):
            yield f"{package}.{node.module}"


def source_digest(source: str) -> str:
    """Return the digest of source alone, comments and docstrings left out."""
    try:
        return _tree_digest(ast.parse(source))
    except SyntaxError:  # a lambda cut out of the middle of an expression
        return hashlib.sha256(source.encode()).hexdigest()


def _imports(tree: ast.AST, name: str, is_package: bool) -> Iterator[str]:
    """Yield the dotted names of all modules that a module may import, packages on the way included."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            for alias in node.names:
                yield from _with_parents(alias.name)
                yield f"{alias.name}.*"  # `import package` reaches all that the package's face offers
        elif isinstance(node, ast.ImportFrom):
            base = node.module or ""
            if node.level:
                parts = name.split(".")
                kept = len(parts) - node.level + (1 if is_package else 0)
                base = ".".join([*parts[: max(kept, 0)], *([base] if base else [])])
            if base:
                yield from _with_parents(base)
                for alias in node.names:  # a module of its own, a package, or a name of the base's face
                    yield from (f"{base}.{alias.name}", f"{base}.{alias.name}.*")


def _with_parents(name: str) -> Iterable[str]:
    parts = name.split(".")
    return (".".join(parts[: i + 1]) for i in range(len(parts)))


def _workbench_file(name: str) -> Path | None:
    """Find the source of a workbench module by its name, without importing it."""
    path = Path(__file__).resolve().parents[1].joinpath(*name.split(".")[1:])
    candidates = (path.with_name(path.name + ".py"), path / "__init__.py")
    return next((candidate for candidate in candidates if candidate.is_file()), None)


def _tree_digest(tree: ast.AST) -> str:
    """Digest a syntax tree without its docstrings."""
    for node in ast.walk(tree):
        body = getattr(node, "body", None)
        if (
            not isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef)
            or not body
        ):
            continue
        first = body[0]
        constant = first.value if isinstance(first, ast.Expr) else None
        if isinstance(constant, ast.Constant) and isinstance(constant.value, str):
            del body[0]
    return hashlib.sha256(ast.dump(tree).encode()).hexdigest()


@functools.cache
def _distribution_names() -> dict[str, list[str]]:
    return dict(metadata.packages_distributions())


@functools.cache
def _distribution_version(top: str) -> str:
    """Return the installed version of the package that provides a top-level module, or nothing."""
    for distribution in _distribution_names().get(top, []):
        try:
            return metadata.version(distribution)
        except metadata.PackageNotFoundError:
            continue
    return ""
