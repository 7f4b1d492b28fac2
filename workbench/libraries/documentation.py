"""The documentation of a renamed package: one document a function, out of the real docstrings."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from workbench.libraries.code import CannotRewrite, imported_names, parse, rewrite_code
from workbench.libraries.prose import Context, leftovers, rewrite_comments, rewrite_prose
from workbench.libraries.resolving import Resolver
from workbench.libraries.survey import Member, Parameter
from workbench.libraries.writing import convention

__all__ = ["Document", "document_library"]

_HEADING = re.compile(r"^(?P<title>\S[^\n]*)\n-{3,}[ \t]*$", re.MULTILINE)
_NOT_PROSE = re.compile(r"https?://|^\s*\.\. (?:plot|deprecated|versionchanged|versionadded)")
_ROLE = re.compile(r":(?:\w+:)?(?:func|class|mod|meth|ref|doc|data|obj|attr):")
# Papers name the library that they are about; lists of what to see also hold little but names.
_DROPPED = frozenset({"references", "see also"})
_OWN = frozenset({"parameters", "other parameters", "attributes", "methods"})


@dataclass(frozen=True)
class Document:
    """What is said about one function, class or value."""

    id: str
    """Its full new name, such as `velora.kimo.besu`."""
    kind: str
    """`function`, `class` or `value`."""
    signature: str
    """How it is called; its name alone where that cannot be read."""
    text: str
    """Markdown: a heading, the signature, what the docstring says."""

    def row(self) -> dict[str, str]:
        """Return the fields by name, for JSON."""
        return {"id": self.id, "kind": self.kind, "signature": self.signature, "text": self.text}


def document_library(resolver: Resolver) -> list[Document]:
    """Write a document for everything public that has a docstring, each object once.

    Args:
        resolver: The package and its new names.

    Returns:
        The documents by module and name. No old name is left in them, but words of plain English.
    """
    documents, seen = [], set()
    for path, module in resolver.survey.modules.items():
        for name in sorted(module.members):
            member = module.members[name]
            if member.doc.strip() and member.identity not in seen:
                seen.add(member.identity)
                documents.append(_document(f"{path}.{name}", member, resolver))
    return documents


def _document(path: str, member: Member, resolver: Resolver) -> Document:
    new = resolver.new(path)
    found = convention(member, resolver.names)
    parameters = {old: name for name, old in found[1].items()} if found else {}
    own = {parameter.name.lstrip("*") for parameter in member.parameters or ()}
    context = Context(
        resolver, _examples_aliases(member.doc, resolver), own | _described(member.doc), parameters
    )
    signature = _signature(new, member, context)
    sections = list(_sections(member.doc, member, context))
    fence = f"```python\n{signature}\n```" if member.kind != "value" else ""
    text = "\n\n".join(piece for piece in (f"# {new}", fence, *sections) if piece.strip())
    return Document(new, member.kind, signature, text + "\n")


def _described(doc: str) -> set[str]:
    """Return the names that a docstring's lists of parameters and attributes explain: those stay as they are."""
    heads = [
        head
        for title, body in _split_sections(doc)
        if title.lower() in _OWN
        for head in re.findall(r"^([\w, *]+?) ?:(?: |$)", body, re.MULTILINE)
    ]
    return {name.strip(" *") for head in heads for name in head.split(",")}


def _split_sections(doc: str) -> Iterator[tuple[str, str]]:
    """Yield the title (empty for what comes before the first) and the text of each section of a docstring."""
    headings = list(_HEADING.finditer(doc))
    starts = [0, *(heading.end() for heading in headings)]
    ends = [*(heading.start() for heading in headings), len(doc)]
    titles = ["", *(heading["title"].strip() for heading in headings)]
    for title, start, end in zip(titles, starts, ends, strict=True):
        yield title, doc[start:end].strip("\n")


def _signature(new: str, member: Member, context: Context) -> str:
    if member.parameters is None:
        return new
    if not context.parameters:
        return f"{new}({_listed(member.parameters, context)})"
    by_position = [
        parameter
        for parameter in member.parameters
        if parameter.default is None and parameter.kind == "POSITIONAL_OR_KEYWORD"
    ]
    by_name = [parameter for parameter in member.parameters if parameter not in by_position]
    star = ["*"] if by_name else []
    written = (
        [_written(one, context) for one in by_position] + star + [_written(one, context) for one in by_name]
    )
    return f"{new}({', '.join(written)})"


def _listed(parameters: tuple[Parameter, ...], context: Context) -> str:
    """Write parameters as in a `def`, with the marks of those that go by position or by keyword only."""
    written, starred = [], False
    for number, one in enumerate(parameters):
        if one.kind == "VAR_POSITIONAL":
            starred = True
        if one.kind == "KEYWORD_ONLY" and not starred:
            written.append("*")
            starred = True
        written.append(
            {"VAR_POSITIONAL": "*", "VAR_KEYWORD": "**"}.get(one.kind, "") + _written(one, context)
        )
        following = parameters[number + 1].kind if number + 1 < len(parameters) else ""
        if one.kind == "POSITIONAL_ONLY" and following != "POSITIONAL_ONLY":
            written.append("/")
    return ", ".join(written)


def _written(parameter: Parameter, context: Context) -> str:
    name = context.parameters.get(parameter.name, parameter.name)
    if parameter.default is None:
        return name
    default = rewrite_prose(parameter.default, context)
    return f"{name}={'...' if leftovers(default, context) else default}"


def _sections(doc: str, member: Member, context: Context) -> Iterator[str]:
    """Yield the sections of a docstring as Markdown, renamed."""
    for title, body in _split_sections(doc):
        if title.lower() in _DROPPED or not body.strip():
            continue
        if title in ("Examples", "Example"):
            try:
                text = f"```python\n{_examples(body, context)}\n```"
            except CannotRewrite:
                continue
        else:
            text = _clean(body if title else _without_signature(body, member), title, context)
        if text.strip():
            yield f"## {rewrite_prose(title, context)}\n\n{text}" if title else text


def _without_signature(body: str, member: Member) -> str:
    """Drop the first lines of a docstring where they are signatures, as compiled functions have."""
    blocks = body.split("\n\n")
    while blocks and re.match(r"\w+\([^)]*\)[^\n]*(?:\n|$)", blocks[0]) and member.kind != "value":
        blocks.pop(0)
    return "\n\n".join(blocks).strip("\n")


def _clean(body: str, title: str, context: Context) -> str:
    """Rename a section; lines that still tell the old library (addresses on the web) are left out."""
    if context.parameters and title.endswith("Parameters"):
        body = re.sub(
            r"^([\w, *]+?)( ?:)",
            lambda head: _renamed_head(head[1], context) + head[2],
            body,
            flags=re.MULTILINE,
        )
    lines = [line for line in body.split("\n") if not _NOT_PROSE.search(line)]
    renamed = rewrite_prose(_ROLE.sub("", "\n".join(lines)), context)
    if leftovers(renamed, context):
        renamed = "\n".join("" if leftovers(line, context) else line for line in renamed.split("\n"))
    return renamed.strip("\n")


def _renamed_head(names: str, context: Context) -> str:
    return ", ".join(context.parameters.get(name.strip(), name.strip()) for name in names.split(","))


def _examples_aliases(doc: str, resolver: Resolver) -> Mapping[str, str]:
    """Return what the imports in a docstring's examples bind."""
    found: dict[str, str] = {}
    for is_code, text in _split_examples(doc):
        try:
            found.update(imported_names([parse(text)], resolver) if is_code else {})
        except CannotRewrite:
            continue
    return found


def _split_examples(text: str) -> Iterator[tuple[bool, str]]:
    """Yield the statements of examples, without their prompts, and the lines between them."""
    statement: list[str] = []
    for line in text.split("\n"):
        prompt = re.match(r"\s*(>>>|\.\.\.)(?: |$)", line)
        if statement and (prompt is None or prompt[1] == ">>>"):
            yield True, "\n".join(statement)
            statement = []
        if prompt and (statement or prompt[1] == ">>>"):
            statement.append(line[prompt.end() :])
        else:
            yield False, line
    if statement:
        yield True, "\n".join(statement)


def _examples(body: str, context: Context) -> str:
    """Rename in examples: statements by syntax, everything else as prose.

    Raises:
        CannotRewrite: A statement cannot be renamed, or an old name would be left.
    """
    resolver = context.resolver
    aliases = {**resolver.aliases, **context.aliases}
    lines: list[str] = []
    for is_code, part in _split_examples(body):
        if is_code:
            renamed = rewrite_comments(rewrite_code(parse(part), aliases, resolver), context)
            lines.append(">>> " + renamed.replace("\n", "\n... "))
        elif not _NOT_PROSE.search(part):
            lines.append(rewrite_prose(part, context))
    text = "\n".join(lines).strip()
    if leftovers(text, context):
        raise CannotRewrite("an old name in the examples")
    return text
