"""Cut documents into sections at their headings: Markdown, reStructuredText (docstrings too), HTML, plain text."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from itertools import pairwise
from typing import NamedTuple

from workbench.retrieval.pages import page_parts

__all__ = [
    "SUFFIXES",
    "Section",
    "cut",
    "html_sections",
    "markdown_sections",
    "rst_sections",
    "text_sections",
]

SECTION_CHARS = 2_000
"""A document up to this long stays whole: about the 500 tokens below which the authors of ARKS do not cut."""
_UNDERLINE = re.compile(r"([=\-~^\"'`#*+.:_])\1{2,}\s*$")


class Section(NamedTuple):
    """A part of a document."""

    title: str
    """Its heading, or the document's where it has none."""
    text: str
    """Its text, the heading included, as the document words it."""
    line: int
    """1-based line of the file at which it begins; 0 where that is not known (HTML)."""


def cut(text: str, title: str, suffix: str = ".md", *, longest: int = SECTION_CHARS) -> list[Section]:
    """Cut a document at its headings, and what is still too long at its empty lines.

    Neighbouring sections that are short together stay together, so that a heading is not alone.

    Args:
        text: The document.
        title: What it is called.
        suffix: Its format, one of `SUFFIXES`.
        longest: Most characters of a section, where the document can be cut; a paragraph never is.

    Returns:
        At least one section, unless the document is empty.
    """
    found = [section for section in SUFFIXES[suffix](text, title) if section.text.strip()]
    if sum(len(section.text) for section in found) <= longest:
        return [_joined(found)] if found else []
    pieces = [piece for section in found for piece in _paragraphs(section, longest)]
    packed = [pieces[0]]
    for piece in pieces[1:]:
        if len(packed[-1].text) + len(piece.text) <= longest // 4:
            packed[-1] = _joined([packed[-1], piece])
        else:
            packed.append(piece)
    return packed


def markdown_sections(text: str, title: str) -> Iterator[Section]:
    """Cut Markdown (CommonMark) before each heading; a `#` in a code block is none."""
    from markdown_it import MarkdownIt

    tokens = MarkdownIt("commonmark").disable("inline").parse(text)  # headings are blocks
    heads = [
        (token.map[0], following.content)
        for token, following in pairwise(tokens)
        if token.type == "heading_open" and token.map and token.level == 0
    ]
    yield from _at(text, title, heads)


def rst_sections(text: str, title: str) -> Iterator[Section]:
    """Cut reStructuredText before each underlined title; so are the sections of NumPy's docstrings marked."""
    lines, heads = text.split("\n"), list[tuple[int, str]]()
    for number, (above, below) in enumerate(pairwise(lines)):
        words, mark = above.strip(), below.strip()
        if words and not _UNDERLINE.match(words) and _UNDERLINE.match(mark) and len(mark) >= len(words):
            overlined = number > 0 and lines[number - 1].strip() == mark
            heads.append((number - overlined, words))
    yield from _at(text, title, heads)


def html_sections(text: str, title: str) -> Iterator[Section]:
    """Cut a page at its headings; see `workbench.retrieval.pages`."""
    for part in page_parts(text, title):
        head = re.match(r"#{1,4} (.*)\n", part)
        yield Section(head.group(1) if head else title, part.strip(), 0)


def text_sections(text: str, title: str) -> Iterator[Section]:
    """Leave plain text as one section."""
    yield from _section(title, text.split("\n"), 1)


SUFFIXES: Mapping[str, Callable[[str, str], Iterator[Section]]] = {
    ".md": markdown_sections,
    ".markdown": markdown_sections,
    ".rst": rst_sections,
    ".html": html_sections,
    ".htm": html_sections,
    ".txt": text_sections,
}
"""How a file is cut, by the end of its name."""


def _at(text: str, title: str, heads: list[tuple[int, str]]) -> Iterator[Section]:
    """Cut before the given lines, each (number from 0, heading)."""
    lines = text.split("\n")
    starts = [(0, title), *heads] if not heads or heads[0][0] > 0 else heads
    ends = [start for start, _ in starts[1:]] + [len(lines)]
    for (start, head), end in zip(starts, ends, strict=True):
        yield from _section(head or title, lines[start:end], start + 1)


def _section(title: str, lines: list[str], line: int) -> Iterator[Section]:
    """Yield the section of some lines without the empty ones around them; nothing where all are empty."""
    full = [number for number, content in enumerate(lines) if content.strip()]
    if full:
        text = "\n".join(lines[full[0] : full[-1] + 1])
        yield Section(title, text, line + full[0] if line else 0)


def _paragraphs(section: Section, longest: int) -> Iterator[Section]:
    """Cut a section at empty lines outside of fenced code, into pieces up to the length where that is possible."""
    lines = section.text.split("\n")
    start, gap, size, fenced = 0, 0, 0, False
    for number, line in enumerate(lines):
        if size + len(line) > longest and gap > start:
            yield from _section(section.title, lines[start:gap], section.line and section.line + start)
            start, size = gap, sum(len(one) + 1 for one in lines[gap:number])
        size += len(line) + 1
        fenced ^= line.lstrip().startswith(("```", "~~~"))
        if not line.strip() and not fenced and size > longest // 4:  # a heading is not left alone
            gap = number + 1
    yield from _section(section.title, lines[start:], section.line and section.line + start)


def _joined(sections: list[Section]) -> Section:
    return Section(
        sections[0].title, "\n\n".join(section.text.strip("\n") for section in sections), sections[0].line
    )
