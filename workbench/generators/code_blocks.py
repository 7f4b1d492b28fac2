"""Which code blocks of an answer are the answer: one rule for every benchmark."""

from __future__ import annotations

import ast
import re
import textwrap
import warnings
from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import dataclass

__all__ = ["PYTHON_TAGS", "answer_code", "assigned_names"]

PYTHON_TAGS = frozenset({"py", "python", "python3", "ipython", "ipython3", "pycon"})
"""Words behind an opening fence that say Python."""
_FENCE = re.compile(r"^[ \t]*(`{3,}|~{3,})[ \t]*([\w+#.-]*)[^\n`]*$", re.MULTILINE)
_ASSIGNED = re.compile(r"^(\w+(?:[ \t]*,[ \t]*\w+)*)[ \t]*=(?!=)", re.MULTILINE)
RETURN = "return"
"""Stands for a value that a block returns, among the names that it binds."""


@dataclass(frozen=True)
class _Fenced:
    """What stands between two fences."""

    tag: str
    content: str


@dataclass(frozen=True)
class _Block:
    """A block of Python, and what it has to do with its surroundings."""

    content: str
    imported: frozenset[str]
    bound: frozenset[str]
    """Names that it gives a value, imported ones included."""
    read: frozenset[str]
    """Names that it reads before it binds them."""
    changed: frozenset[str]
    """Names of which it changes an element, or on which it calls a method for its effect."""
    shows: bool
    """Whether it does nothing but print, or name values."""
    imports: str
    """Its import statements."""

    def makes(self, names: frozenset[str]) -> bool:
        """Whether it gives some of these names a value, without a look at the one that they have."""
        return bool((self.bound - self.imported - self.read) & names)

    @property
    def own(self) -> frozenset[str]:
        """What it adds to its surroundings, but for imports."""
        return (self.bound - self.imported) | self.changed


def answer_code(
    text: str,
    tags: Collection[str] = PYTHON_TAGS,
    *,
    given: Collection[str] = (),
    targets: Collection[str] = (),
    continues: bool = False,
    without_given: Callable[[str], str] = str,
) -> str:
    """Return the code of an answer that may talk around it.

    Of several blocks those in the language count (where none names it, those that name nothing). Python blocks are
    joined where later ones build on earlier ones: imports, then the answer; one step, then the next. A block that
    does all of it anew replaces what came before. One that makes the given inputs itself, or only shows what came
    out, is a demonstration and left out.

    Args:
        text: What is left once reasoning is over.
        tags: Words behind an opening fence that name the language.
        given: Names that have a value before the answer.
        targets: Names that the answer has to give a value; `return` where it is a function's body.
        continues: Whether the text goes on where the prompt stopped, so that a first fence may be a closing one.
        without_given: Drops the given code from a block that repeats it.

    Returns:
        The code; the whole text, up to a fence behind its last line, where there are no blocks.
    """
    fences = list(_FENCE.finditer(text))
    if not fences:
        return text.split("```", maxsplit=1)[0]
    before, blocks = text[: fences[0].start()], _fenced(text, fences)
    is_python = bool(PYTHON_TAGS & set(tags))
    may_close = before.strip() and (continues or not fences[0].group(2))
    if may_close and (_went_on(before, blocks[0], continues=continues) if is_python else len(fences) == 1):
        return before
    named = [block.content for block in blocks if block.tag in tags]
    chosen = named or [block.content for block in blocks if not block.tag] or [blocks[0].content]
    if len(chosen) == 1:
        return chosen[0]
    if not is_python:
        return max(reversed(chosen), key=len)  # what cannot be read here cannot be joined
    return _joined([without_given(one) for one in chosen], frozenset(given), frozenset(targets))


def _went_on(before: str, block: _Fenced, *, continues: bool) -> bool:
    """Tell whether the text before the first fence is the code, and the fence closes a block of the prompt's."""
    if _is_program(before) or not block.content.strip():
        return True
    return continues and not block.tag and not _is_program(block.content)


def assigned_names(code: str) -> frozenset[str]:
    """Return the names that lines of a program give a value, be the program whole or not."""
    return frozenset(
        name.strip() for names in _ASSIGNED.findall(textwrap.dedent(code)) for name in names.split(",")
    )


def _fenced(text: str, fences: Sequence[re.Match[str]]) -> list[_Fenced]:
    """Return the blocks; one that is not closed ends at the next opening fence, or at the end."""
    blocks: list[_Fenced] = []
    opening: re.Match[str] | None = None
    for fence in fences:
        if opening is None:
            opening = fence
            continue
        mark, other = opening.group(1), fence.group(1)
        if mark[0] != other[0] or len(other) < len(mark):
            continue  # of another kind: part of the content
        blocks.append(_block_between(text, opening, fence.start()))
        opening = fence if fence.group(2) else None
    if opening is not None:
        blocks.append(_block_between(text, opening, len(text)))
    return blocks


def _block_between(text: str, opening: re.Match[str], end: int) -> _Fenced:
    return _Fenced(opening.group(2).lower(), text[opening.end() : end].removeprefix("\n"))


def _joined(contents: Sequence[str], inputs: frozenset[str], wanted: frozenset[str]) -> str:
    """Join the blocks that make up the answer; see `answer_code`."""
    blocks = [block for block in map(_understood, contents) if block is not None]
    if all(block.shows or not block.own for block in blocks):
        return "\n".join(map(textwrap.dedent, contents))  # nothing by which to tell them apart
    plain = [block for block in blocks if not block.makes(inputs - wanted)]
    there = _union(block.own for block in plain)
    if not there or not wanted <= there:
        plain = blocks
    kept: list[_Block] = []
    for block in plain:
        if _belongs(block, kept, inputs, wanted):
            kept = [*_beside(block, kept, wanted), block]
    return "\n".join(textwrap.dedent(block.content).strip("\n") for block in kept) + "\n"


def _belongs(block: _Block, kept: Sequence[_Block], inputs: frozenset[str], wanted: frozenset[str]) -> bool:
    """Tell whether a block adds to the answer that was put together so far."""
    own = _union(one.own for one in kept)
    if not own:
        return True
    imported, read = _union(one.imported for one in kept), _union(one.read for one in kept)
    if block.shows or not (block.bound or block.read & (inputs | own | imported | read)):
        return False
    if block.makes(read - own - imported - wanted):
        return False
    return not (wanted and wanted <= own) or bool(wanted & block.own)


def _beside(block: _Block, kept: Sequence[_Block], wanted: frozenset[str]) -> list[_Block]:
    """Return what stays before a block: only imports where it does anew all that was done."""
    own = _union(one.own for one in kept)
    anew = own and wanted <= own and (wanted or own) <= block.bound and not block.read & own
    if not anew:
        return list(kept)
    return [found for one in kept if (found := _understood(one.imports)) is not None and one.imports]


def _union(names: Iterable[frozenset[str]]) -> frozenset[str]:
    return frozenset().union(*names)


def _is_program(text: str) -> bool:
    """Tell whether a text is Python that does something, and no words that happen to parse."""
    block = _understood(text)
    return block is not None and bool(block.bound or block.changed or not block.shows)


def _understood(content: str) -> _Block | None:
    """Read a block; None where it is no Python."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of invalid escapes in other people's code
            tree = ast.parse(textwrap.dedent(content))
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return None
    imports = [one for one in tree.body if isinstance(one, (ast.Import, ast.ImportFrom))]
    bound, read, changed = set[str](), set[str](), set[str]()
    for statement in tree.body:
        loads, stores = _names(statement)
        read |= loads - bound
        bound |= stores
        changed |= _changed(statement)
    return _Block(
        content,
        imported=_union(frozenset(_names(one)[1]) for one in imports),
        bound=frozenset(bound),
        read=frozenset(read),
        changed=frozenset(changed),
        shows=all(map(_only_shows, tree.body)),
        imports="\n".join(map(ast.unparse, imports)),
    )


def _names(statement: ast.stmt) -> tuple[set[str], set[str]]:
    """Return the names that a statement reads, and those that it binds."""
    loads, stores = set[str](), set[str]()
    if isinstance(statement, ast.AnnAssign) and statement.value is None:
        return loads, stores  # `Answer: below` gives nothing a value
    for node in ast.walk(statement):
        if isinstance(node, ast.Name):
            (stores if isinstance(node.ctx, ast.Store) else loads).add(node.id)
        elif isinstance(node, ast.arg):
            stores.add(node.arg)
        elif isinstance(node, ast.alias):
            stores.add(node.asname or node.name.partition(".")[0])
        elif isinstance(node, ast.Return):
            stores.add(RETURN)
        if isinstance(node, ast.AugAssign) and isinstance(node.target, ast.Name):
            loads.add(node.target.id)
    if isinstance(statement, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)):
        return loads - stores, {statement.name} | (stores & {RETURN})
    return loads, stores


def _changed(statement: ast.stmt) -> set[str]:
    """Return the names of which a statement changes an element, or calls a method for its effect."""
    targets: list[ast.AST] = [
        node
        for node in ast.walk(statement)
        if isinstance(node, (ast.Subscript, ast.Attribute)) and isinstance(node.ctx, ast.Store)
    ]
    if isinstance(statement, ast.Expr) and isinstance(statement.value, ast.Call):
        targets += [statement.value.func] if isinstance(statement.value.func, ast.Attribute) else []
    roots = set[str]()
    for target in targets:
        root: ast.AST = target
        while isinstance(root, (ast.Subscript, ast.Attribute, ast.Call)):
            root = root.func if isinstance(root, ast.Call) else root.value
        roots |= {root.id} if isinstance(root, ast.Name) else set()
    return roots


def _only_shows(statement: ast.stmt) -> bool:
    """Tell whether a statement prints, checks or names something, and does no more."""
    if isinstance(statement, (ast.Assert, ast.Pass)):
        return True
    if isinstance(statement, ast.AnnAssign):
        return statement.value is None
    if not isinstance(statement, ast.Expr):
        return False
    value = statement.value
    if isinstance(value, ast.Call):
        return isinstance(value.func, ast.Name) and value.func.id in ("print", "display")
    return not any(isinstance(node, ast.Call) for node in ast.walk(value))
