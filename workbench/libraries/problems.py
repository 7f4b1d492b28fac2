"""Moves problems in DS-1000's format onto a renamed library."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace

from workbench.datasets.ds1000 import Problem
from workbench.libraries.code import (
    CannotRewrite,
    Edits,
    Piece,
    imported_names,
    parse,
    rewrite_code,
    used_members,
    uses,
)
from workbench.libraries.library import FreshLibrary
from workbench.libraries.prose import Context, rewrite_comments, rewrite_prose
from workbench.libraries.resolving import Resolver

__all__ = ["NotRewritten", "hiding", "rewrite_problem", "used_by_reference"]

_INSERT = "[insert]"
_IMPORT_LINE = re.compile(r"(?:import|from) [\w.]+[^\n]*")
_TAGS = re.compile(r"(</?code>)")


@dataclass(frozen=True)
class NotRewritten:
    """A problem that cannot be moved honestly."""

    problem: Problem
    """The problem as it is."""
    reason: str
    """Why not."""


def rewrite_problem(problem: Problem, library: FreshLibrary) -> Problem | NotRewritten:
    """Move a problem onto a renamed library: prompt, reference and the part of the tests that a solution sees.

    What computes the expected results stays as it is, on the library underneath. The program that a solution is
    put into cannot import that one any more.

    Args:
        problem: A problem on the library underneath.
        library: The renamed library.

    Returns:
        The problem on the new library, under its old id; or why it cannot be.
    """
    try:
        return _rewritten(problem, library)
    except CannotRewrite as reason:
        return NotRewritten(problem, str(reason))


def _rewritten(problem: Problem, library: FreshLibrary) -> Problem:
    resolver = library.resolver
    slot, context = _exec_context(problem.code_context)
    program, mark = _around(context)
    reference = parse(problem.reference_code)
    aliases = imported_names([program, reference], resolver)
    if not uses(reference, aliases):
        raise CannotRewrite(f"the reference uses nothing of {library.package}")
    new_context = f"{hiding(library)}\n{rewrite_code(program, aliases, resolver).replace(mark, _INSERT)}"
    return replace(
        problem,
        prompt=_prompt(problem.prompt, aliases, [program, reference], resolver),
        reference_code=rewrite_code(reference, aliases, resolver),
        code_context=_code_context(problem.code_context, slot, new_context, resolver),
    )


def hiding(library: FreshLibrary) -> str:
    """Return the line that keeps a program from importing the package underneath."""
    return f'__import__("{library.name}")._hide_original(globals())'


def used_by_reference(problem: Problem, library: FreshLibrary) -> list[str]:
    """List what a problem's reference uses of the package underneath, by old full names, each once.

    Raises:
        CannotRewrite: The problem could not be moved either.
    """
    program, _ = _around(_exec_context(problem.code_context)[1])
    reference = parse(problem.reference_code)
    aliases = imported_names([program, reference], library.resolver)
    return list(dict.fromkeys(used_members(reference, aliases, library.resolver)))


def _around(context: str) -> tuple[Piece, str]:
    """Parse the program that a solution is put into; return it, and how the slot is marked in it."""
    # a mark in a function's body is not indented
    for mark in (_INSERT, f"    {_INSERT}", f"        {_INSERT}"):
        try:
            piece = parse(context.replace(_INSERT, mark))
        except CannotRewrite:
            continue
        if not piece.before and not piece.after:
            return piece, mark
    raise CannotRewrite("a program around the solution that is no Python")


def _exec_context(code_context: str) -> tuple[ast.expr, str]:
    """Return the text that a solution is put into, and where it stands."""
    for node in parse(code_context).tree.body:
        if isinstance(node, ast.Assign) and isinstance(node.value, ast.Constant):
            named = [target.id for target in node.targets if isinstance(target, ast.Name)]
            if named == ["exec_context"] and isinstance(node.value.value, str):
                return node.value, node.value.value
    raise CannotRewrite("tests without an exec_context")


def _code_context(source: str, slot: ast.expr, context: str, resolver: Resolver) -> str:
    edits = Edits(source)
    start = edits.offset(slot.lineno, slot.col_offset)
    end = edits.offset(slot.end_lineno or 0, slot.end_col_offset or 0)
    edits.replace(start, end, _literal(context))
    for node in parse(source).tree.body:
        if isinstance(node, ast.FunctionDef) and node.name == "test_string":
            _edit_surface_test(node, edits, resolver)
    return edits.apply()


def _literal(text: str) -> str:
    raw = f'r"""\n{text}"""'
    try:
        if ast.literal_eval(raw) == f"\n{text}":
            return raw
    except (SyntaxError, ValueError):
        pass
    return repr(text)


def _edit_surface_test(function: ast.FunctionDef, edits: Edits, resolver: Resolver) -> None:
    """Let a test of surface form know the new name too: what must be used, or must not, may have either.

    The old one is still a method's: `sum` is `array.sum` as well as what `numpy.sum` was.
    """
    edited = set()
    for node in ast.walk(function):
        if not isinstance(node, ast.Compare) or len(node.ops) != 1:
            continue
        word = node.left.value if isinstance(node.left, ast.Constant) else None
        if (
            isinstance(word, str)
            and word in resolver.names.words
            and isinstance(node.ops[0], ast.In | ast.NotIn)
        ):
            edited.add(id(node.left))
            start = edits.offset(node.lineno, node.col_offset)
            end = edits.offset(node.end_lineno or 0, node.end_col_offset or 0)
            old, joint = edits.text(start, end), "or" if isinstance(node.ops[0], ast.In) else "and"
            left = edits.offset(node.left.end_lineno or 0, node.left.end_col_offset or 0)
            edits.replace(
                start, end, f'({old} {joint} "{resolver.names.words[word]}"{edits.text(left, end)})'
            )
    for node in ast.walk(function):
        text = node.value if isinstance(node, ast.Constant) and id(node) not in edited else None
        if isinstance(text, str) and _names_api(text, resolver):
            raise CannotRewrite(f"a surface test of a form that is not known: {text!r}")


def _names_api(text: str, resolver: Resolver) -> bool:
    """Whether a text of a test is, or has, a name of the package."""
    roots = "|".join(map(re.escape, resolver.aliases))
    return text in resolver.names.words or re.search(rf"\b(?:{roots})\b", text) is not None


def _prompt(prompt: str, aliases: Mapping[str, str], pieces: list[Piece], resolver: Resolver) -> str:
    """Rename in a prompt: by syntax in what stands between code tags, by words in what does not."""
    parts = list(_code_parts(_TAGS.split(prompt)))
    blocks = [_loosely_parsed(part) if is_code else None for is_code, part in parts]
    known = [piece for piece in blocks if piece is not None]
    aliases = {**imported_names(known, resolver), **aliases}
    # what the question itself defines is not the library's
    own = {name for piece in (*pieces, *known) for name in _variables(piece)}
    own |= set(re.findall(r"\b(?:def|class)\s+(\w+)", prompt))
    context = Context(resolver, aliases, keep=own - set(aliases))
    renamed = []
    for (_, part), piece in zip(parts, blocks, strict=True):
        try:
            if piece is None:
                raise CannotRewrite("prose")
            renamed.append(rewrite_comments(rewrite_code(piece, aliases, resolver), context))
        except CannotRewrite:
            renamed.append("\n".join(_prose_line(line, context) for line in part.split("\n")))
    return "".join(renamed)


def _prose_line(line: str, context: Context) -> str:
    """Rename in a line of prose, which may be an import all the same."""
    if _IMPORT_LINE.fullmatch(line):
        try:
            return rewrite_code(parse(line), context.aliases, context.resolver)
        except CannotRewrite:
            pass
    return rewrite_prose(line, context)


def _code_parts(parts: list[str]) -> Iterator[tuple[bool, str]]:
    inside = False
    for part in parts:
        if part in ("<code>", "</code>"):
            inside = part == "<code>"
            yield False, part
        else:
            yield inside, part


def _loosely_parsed(source: str) -> Piece | None:
    try:
        return parse(source)
    except CannotRewrite:
        return None


def _variables(piece: Piece) -> Iterator[str]:
    for node in ast.walk(piece.tree):
        if isinstance(node, ast.Name) and not isinstance(node.ctx, ast.Load):
            yield node.id
        elif isinstance(node, ast.arg):
            yield node.arg
        elif isinstance(node, ast.FunctionDef):
            yield node.name
