"""Which functions a program calls, and which of the soup's documents describe them."""

from __future__ import annotations

import ast
import re
import warnings
from collections.abc import Iterable, Iterator
from typing import NamedTuple

from workbench.retrieval.item import Item

__all__ = ["Call", "DocumentedNames", "calls_in", "documented_name"]

_NAME = r"[A-Za-z_]\w*(?:(?:\.|::)[A-Za-z_]\w*)*"
_CALL = re.compile(rf"(?<!\w)({_NAME})\s*\(")
_LISP_CALL = re.compile(r"\(\s*([A-Za-z_][\w.?!*+/-]*)")
# `name`, `name(args)`, `name: what it does`, `name - what it does`, with or without Markdown's marks
_TITLE = re.compile(rf"^[#\s`*]*(?:(?:def|class|func|fun)\s+)?({_NAME})[`*]*\s*(?:$|[(:—–-])")
_NO_CALLS = frozenset(
    {"if", "elif", "for", "while", "switch", "return", "func", "fun", "def", "class", "and", "or", "not"}
)
_LISPS = ("hy",)


class Call(NamedTuple):
    """A function that a program calls."""

    name: str
    """Its dotted name, module aliases resolved: `scipy.stats.zscore`."""
    line: int
    """1-based line of the call."""


def calls_in(code: str, language: str = "python", *, context: str = "") -> list[Call]:
    """List the calls of a program, in the order of its text; each name once a line.

    Python is parsed; where it does not parse, and in other languages, what looks like a call counts as one.

    Args:
        code: The model's code.
        language: Its language's name.
        context: The code around it, for the imports that stand there.
    """
    tree = _parsed(code) if language == "python" else None
    if tree is None:
        return _calls_by_look(code, language)
    aliases = {**_aliases(_parsed(context.replace("[insert]", "pass"))), **_aliases(tree)}
    nodes = [node for node in ast.walk(tree) if isinstance(node, ast.Call)]
    nodes.sort(key=lambda node: (node.func.lineno, node.func.col_offset))
    named = ((_dotted(node.func, aliases), node.func.end_lineno or node.func.lineno) for node in nodes)
    return list(dict.fromkeys(Call(name, line) for name, line in named if name))


def documented_name(title: str) -> str:
    """Return the name that a document's title is about (`## zscore(a)` is about `zscore`); empty for prose."""
    match = _TITLE.match(title.strip())
    return match.group(1).replace("::", ".") if match else ""


class DocumentedNames:
    """Finds the document that describes a called function.

    A document describes the name in its title. A call `pkg.stats.zscore` is described by the document of
    exactly this name; else by one whose last part is `zscore`, if there is only one such name.

    Args:
        items: The soup's documentation.
    """

    def __init__(self, items: Iterable[Item] = ()) -> None:
        self._named: dict[str, dict[str, dict[str, str]]] = {}  # library: last part: name: document
        for item in items:
            name = documented_name(item.title)
            if name:
                near = self._named.setdefault(item.library, {}).setdefault(name.rpartition(".")[2], {})
                near.setdefault(name, item.parent)  # the first of a name counts

    def parent(self, name: str, library: str = "") -> str | None:
        """Return the document (`Item.parent`) of a called name; None where no document describes it.

        Args:
            name: The dotted name.
            library: Whose documentation counts, besides that of no library.
        """
        last = name.rpartition(".")[2]
        found = [self._named.get(place, {}).get(last, {}) for place in dict.fromkeys([library, ""])]
        for near in found:
            if name in near:
                return near[name]
        return next((next(iter(near.values())) for near in found if len(near) == 1), None)


def _parsed(code: str) -> ast.Module | None:
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of invalid escapes in a model's code
            return ast.parse(code)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return None


def _aliases(tree: ast.Module | None) -> dict[str, str]:
    """Return what imports call things: `import numpy as np` gives np: numpy."""
    found: dict[str, str] = {}
    for node in ast.walk(tree) if tree else ():
        if isinstance(node, ast.Import):
            found.update((name.asname, name.name) for name in node.names if name.asname)
        elif isinstance(node, ast.ImportFrom) and node.module:
            found.update((name.asname or name.name, f"{node.module}.{name.name}") for name in node.names)
    return found


def _dotted(node: ast.expr, aliases: dict[str, str]) -> str:
    """Return the dotted name of a called expression; of a method of a value its own name; else nothing."""
    parts: list[str] = []
    while isinstance(node, ast.Attribute):
        parts.append(node.attr)
        node = node.value
    if not isinstance(node, ast.Name):
        return parts[0] if parts else ""
    return ".".join([aliases.get(node.id, node.id), *reversed(parts)])


def _calls_by_look(code: str, language: str) -> list[Call]:
    def found() -> Iterator[Call]:
        pattern = _LISP_CALL if language in _LISPS else _CALL
        for number, line in enumerate(code.split("\n"), start=1):
            for name in pattern.findall(line):
                if name.lower() not in _NO_CALLS:
                    yield Call(name.replace("::", "."), number)

    return list(dict.fromkeys(found()))
