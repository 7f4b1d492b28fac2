"""Renames a package's names in Python programs, by what each name means there."""

from __future__ import annotations

import ast
import re
import warnings
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field

from workbench.libraries.resolving import Resolver
from workbench.libraries.writing import convention

__all__ = [
    "CannotRewrite",
    "Edits",
    "Piece",
    "imported_names",
    "parse",
    "rewrite_code",
    "used_members",
    "uses",
]


class CannotRewrite(Exception):
    """A program that cannot be renamed honestly; the text says why."""


@dataclass
class Edits:
    """Replacements in a text, by the positions of its syntax tree (which count bytes of UTF-8)."""

    source: str
    """The text."""
    found: dict[tuple[int, int], bytes] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self._bytes = self.source.encode("utf-8", "surrogatepass")
        self._lines = [0]
        for line in self._bytes.splitlines(
            keepends=True
        ):  # splits where Python's tokenizer does: \n, \r, \r\n
            self._lines.append(self._lines[-1] + len(line))

    def offset(self, line: int, column: int) -> int:
        """Return the offset in bytes of a position: line from 1, column from 0."""
        return self._lines[line - 1] + column

    def replace(self, start: int, end: int, new: str) -> None:
        """Note a replacement."""
        self.found[start, end] = new.encode("utf-8", "surrogatepass")

    def text(self, start: int, end: int) -> str:
        """Return a piece of the text as it was."""
        return self._bytes[start:end].decode("utf-8", "surrogatepass")

    def apply(self) -> str:
        """Return the text with all replacements made."""
        result = self._bytes
        for (start, end), new in sorted(self.found.items(), reverse=True):
            result = result[:start] + new + result[end:]
        return result.decode("utf-8", "surrogatepass")


@dataclass(frozen=True)
class Piece:
    """A program, or a piece of one, with what had to be put around it to parse it."""

    tree: ast.Module
    """Its syntax tree, of `before + source + after`."""
    source: str
    """Its text."""
    before: str = ""
    """What was put before it."""
    after: str = ""
    """What was put after it."""


def parse(source: str) -> Piece:
    """Parse a program or a piece of one: the body of a function, or a head without its body.

    Raises:
        CannotRewrite: It is no Python in any of these ways.
    """
    for before, after in (
        ("", ""),
        ("if 1:\n", ""),
        ("def f():\n", ""),
        ("", "\n    pass"),
        ("", "\n        pass"),
    ):
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")  # a backslash that is no escape is its author's business
                return Piece(ast.parse(before + source + after), source, before, after)
        except (SyntaxError, ValueError, RecursionError, MemoryError):
            continue
    raise CannotRewrite("code that is no Python")


def imported_names(pieces: Iterable[Piece], resolver: Resolver) -> dict[str, str]:
    """Return what the names that programs import from the package stand for.

    Raises:
        CannotRewrite: Something is imported that the package does not offer, or a name stands for two things.
    """
    found: dict[str, str] = {}
    for piece in pieces:
        if "import" not in piece.source:
            continue
        for node in ast.walk(piece.tree):
            for name, path in _imports(node, resolver):
                if found.setdefault(name, path) != path:
                    raise CannotRewrite(f"`{name}` stands for {found[name]} and for {path}")
    return found


def _imports(node: ast.AST, resolver: Resolver) -> Iterator[tuple[str, str]]:
    package = resolver.survey.package
    if isinstance(node, ast.Import):
        for alias in node.names:
            if alias.name.partition(".")[0] == package:
                _must_be_known(alias.name, resolver)
                yield (alias.asname, alias.name) if alias.asname else (package, package)
    elif isinstance(node, ast.ImportFrom) and not node.level and node.module:
        if node.module.partition(".")[0] != package:
            return
        _must_be_known(node.module, resolver)
        for alias in node.names:
            if alias.name == "*":
                yield from (
                    (name, f"{node.module}.{name}") for name in resolver.survey.modules[node.module].members
                )
                continue
            path = f"{node.module}.{alias.name}"
            if resolver.child(node.module, alias.name) is None:
                raise CannotRewrite(f"{path} is not public in {package} {resolver.survey.version}")
            yield alias.asname or alias.name, path


def _must_be_known(path: str, resolver: Resolver) -> None:
    if not resolver.is_module(path):
        raise CannotRewrite(
            f"{path} is no public module of {resolver.survey.package} {resolver.survey.version}"
        )


def uses(piece: Piece, aliases: Mapping[str, str]) -> bool:
    """Whether a program uses a name that stands for something of the package, imports aside."""
    return any(isinstance(node, ast.Name) and node.id in aliases for node in ast.walk(piece.tree))


def used_members(piece: Piece, aliases: Mapping[str, str], resolver: Resolver) -> Iterator[str]:
    """Yield the functions, classes and values of the package that a program uses, by their old full names."""
    for node in ast.walk(piece.tree):
        if isinstance(node, ast.Name | ast.Attribute):
            path = _path(node, aliases, resolver)
            if path is not None and resolver.member(path) is not None:
                yield path


def rewrite_code(piece: Piece, aliases: Mapping[str, str], resolver: Resolver) -> str:
    """Put new names for old ones, and call functions as the new package wants it.

    Args:
        piece: The program.
        aliases: What names stand for, in this piece and in those around it; see `imported_names`.
        resolver: The package and its new names.

    Returns:
        The text with imports, names, attributes and calls changed, and nothing else.

    Raises:
        CannotRewrite: A name is also a variable, an attribute is not public, or a call cannot be changed.
    """
    aliases = {**aliases, **imported_names([piece], resolver)}
    _refuse_shadowed(piece.tree, aliases)
    edits = Edits(piece.before + piece.source + piece.after)
    bound = _new_bindings(aliases, resolver)
    for node in ast.walk(piece.tree):
        if isinstance(node, ast.JoinedStr):
            _refuse_in_f_string(node, aliases)
        elif isinstance(node, ast.Import | ast.ImportFrom):
            _edit_import(node, edits, bound, resolver)
        elif isinstance(node, ast.Name) and node.id in aliases:
            start = edits.offset(node.lineno, node.col_offset)
            edits.replace(start, start + len(node.id.encode()), bound[node.id])
        elif isinstance(node, ast.Attribute):
            path = _path(node, aliases, resolver)
            if path is not None:
                end = edits.offset(node.end_lineno or 0, node.end_col_offset or 0)
                edits.replace(end - len(node.attr.encode()), end, resolver.names.words[node.attr])
        elif isinstance(node, ast.Call):
            _edit_call(node, edits, aliases, resolver)
    return edits.apply().removeprefix(piece.before).removesuffix(piece.after)


def _refuse_shadowed(tree: ast.Module, aliases: Mapping[str, str]) -> None:
    for node in ast.walk(tree):
        name = None
        if isinstance(node, ast.Name) and not isinstance(node.ctx, ast.Load):
            name = node.id
        elif isinstance(node, ast.arg):
            name = node.arg
        elif isinstance(node, ast.FunctionDef | ast.ClassDef):
            name = node.name
        if name in aliases:
            raise CannotRewrite(f"`{name}` is a name of the library and a variable")


def _refuse_in_f_string(node: ast.JoinedStr, aliases: Mapping[str, str]) -> None:
    # before Python 3.12 the positions inside are not those in the text
    if any(isinstance(one, ast.Name) and one.id in aliases for one in ast.walk(node)):
        raise CannotRewrite("the library is used within an f-string")


def _new_bindings(aliases: Mapping[str, str], resolver: Resolver) -> dict[str, str]:
    """Return the names that take the place of the imported ones: the last part of the new path.

    Where two would be called alike, each keeps the name its author gave it if that says nothing of the library.
    """
    wanted = {name: resolver.names.words[path.rpartition(".")[2]] for name, path in aliases.items()}
    targets: dict[str, set[str]] = {}
    for name, new in wanted.items():
        targets.setdefault(new, set()).add(aliases[name])
    for name, new in list(wanted.items()):
        rivals = targets[new]
        if len(rivals) > 1:
            if name in resolver.names.words or name in resolver.aliases:
                raise CannotRewrite(f"{' and '.join(sorted(rivals))} would have one name")
            wanted[name] = name
    return wanted


def _path(node: ast.expr, aliases: Mapping[str, str], resolver: Resolver) -> str | None:
    """Return what an expression names in the old package: a module or a member; None for anything else."""
    if isinstance(node, ast.Name):
        return aliases.get(node.id)
    if not isinstance(node, ast.Attribute):
        return None
    module = _path(node.value, aliases, resolver)
    if module is None or not resolver.is_module(module):
        return None
    path = resolver.child(module, node.attr)
    if path is None:
        version = f"{resolver.survey.package} {resolver.survey.version}"
        raise CannotRewrite(f"{module}.{node.attr} is not public in {version}")
    return path


def _edit_import(
    node: ast.Import | ast.ImportFrom, edits: Edits, bound: Mapping[str, str], resolver: Resolver
) -> None:
    package = resolver.survey.package
    if isinstance(node, ast.Import):
        for alias in node.names:
            if alias.name.partition(".")[0] == package:
                new = resolver.new(alias.name)
                if alias.asname and bound[alias.asname] != new:
                    new += f" as {bound[alias.asname]}"
                _edit_alias(alias, new, edits)
        return
    if node.level or (node.module or "").partition(".")[0] != package:
        return
    start = edits.offset(node.lineno, node.col_offset)
    end = edits.offset(node.end_lineno or 0, node.end_col_offset or 0)
    head = re.match(r"from\s+([\w.]+)", edits.text(start, end))
    if head is None:
        raise CannotRewrite("an import that is written unusually")
    edits.replace(start + head.start(1), start + head.end(1), resolver.new(node.module or ""))
    for alias in node.names:
        if alias.name != "*":
            new, name = resolver.names.words[alias.name], bound[alias.asname or alias.name]
            _edit_alias(alias, new if new == name else f"{new} as {name}", edits)


def _edit_alias(alias: ast.alias, new: str, edits: Edits) -> None:
    start = edits.offset(alias.lineno, alias.col_offset)
    edits.replace(start, edits.offset(alias.end_lineno or 0, alias.end_col_offset or 0), new)


def _edit_call(node: ast.Call, edits: Edits, aliases: Mapping[str, str], resolver: Resolver) -> None:
    path = _path(node.func, aliases, resolver)
    member = resolver.member(path) if path else None
    found = convention(member, resolver.names) if member else None
    if member is None or found is None:
        return
    positional, _ = found
    if any(isinstance(arg, ast.Starred) for arg in node.args) or any(
        one.arg is None for one in node.keywords
    ):
        raise CannotRewrite(f"{path} is called with unpacked arguments")
    listed = [parameter.name for parameter in member.parameters or ()]
    for name, argument in list(zip(listed, node.args, strict=False))[positional:]:
        start = edits.offset(argument.lineno, argument.col_offset)
        before = len(edits.text(0, start).rstrip().encode("utf-8", "surrogatepass"))
        # an argument in brackets starts before its syntax tree does
        while edits.text(before - 1, before) == "(" and before - 1 > _open(node, edits):
            start = before - 1
            before = len(edits.text(0, start).rstrip().encode("utf-8", "surrogatepass"))
        edits.replace(start, start, f"{resolver.names.keywords[name]}=")
    for keyword in node.keywords:
        if keyword.arg not in listed:
            raise CannotRewrite(f"{path} has no parameter {keyword.arg!r} in {resolver.survey.version}")
        start = edits.offset(keyword.lineno, keyword.col_offset)
        edits.replace(start, start + len(keyword.arg.encode()), resolver.names.keywords[keyword.arg])


def _open(node: ast.Call, edits: Edits) -> int:
    """Return where the bracket of a call opens."""
    end = edits.offset(node.func.end_lineno or 0, node.func.end_col_offset or 0)
    return end + edits.text(end, end + 1000).find("(")
