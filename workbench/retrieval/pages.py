"""The text of an HTML page, in one pass over it: what it takes grows with the page's length, and no faster."""

from __future__ import annotations

import re
from collections import Counter
from html import unescape
from html.parser import HTMLParser

__all__ = ["HEADING", "page_parts"]

HEADING = "\0"
"""Stands before the `#` of each heading in what `page_parts` returns."""

_CONTROLS = {"button", "select", "textarea", "label"}  # not `form`: some pages stand in one as a whole
_NOT_CONTENT = {"script", "style", "nav", "header", "footer", "aside", "noscript", "template"} | _CONTROLS
_HEADINGS = {"h1", "h2", "h3", "h4"}
_BLOCKS = _HEADINGS | {"p", "li", "pre", "tr", "div", "dt", "dd", "br"}
_VOID = {"area", "base", "br", "col", "embed", "hr", "img", "input", "link", "meta", "param", "source", "wbr"}
_BODIES = ("main", "article", "body")
_AT_ONCE = 1 << 18  # characters between two steps of the bar
_LONG = 1 << 22  # pages below this are read in about two seconds


def page_parts(html: str, title: str = "") -> list[str]:
    """Return a page's text, cut before its headings, each of which is a line of `#` and its words.

    Scripts, navigation and the like are left out, and of a page's or an article's header all but headings. Code
    keeps its lines. Where the page marks its main part, only that counts.

    Args:
        html: The page.
        title: What it is called, for the bar that a terminal shows for a long one.
    """
    from workbench.core.bars import Bar

    reader = _Reader()
    hidden = None if len(html) > _LONG else True  # None hides the bar where stderr is no terminal
    with Bar(total=len(html), desc=f"reading {title}", unit="B", unit_scale=True, disable=hidden) as bar:
        start = 0
        while start < len(html):
            # a tag or a comment that has not ended is looked at again: each time with twice as much of it
            piece = html[start : start + max(_AT_ONCE, len(reader.rawdata))]
            reader.feed(piece)
            start += len(piece)
            bar.update(len(piece))
        reader.close()
    plain = re.sub(r"\n[ \t]*\n\s*\n", "\n\n", reader.text())
    return re.split(rf"\n?{HEADING}", plain)


class _Reader(HTMLParser):
    """Collects text as tags come and go."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self._pieces: list[str] = []
        self._open: list[str] = []  # elements that have not ended, and how many of each
        self._counts: Counter[str] = Counter()
        self._left_out = 0  # open elements that are no content, a header aside
        self._heading: list[str] | None = None  # the words of the heading that is open
        self._level = ""
        self._starts: dict[str, int] = {}  # of the open bodies: where in the pieces each began
        self._bodies: dict[str, list[tuple[int, int]]] = {name: [] for name in _BODIES}

    def text(self) -> str:
        """Return what the page's main part says."""
        ranges = next((found for found in map(self._bodies.__getitem__, _BODIES) if found), None)
        if ranges is None:
            return "".join(self._pieces)
        return "\n".join("".join(self._pieces[start:end]) for start, end in ranges)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Open an element."""
        if tag in _HEADINGS:
            self._end_heading()
        if tag in _BLOCKS:
            self._say("\n")
        if tag in _VOID:
            if tag in _BLOCKS:
                self._say("\n")
            return
        self._open.append(tag)
        self._counts[tag] += 1
        self._left_out += tag in _NOT_CONTENT and tag != "header"
        if tag in _HEADINGS and not self._left_out:
            self._heading, self._level = [], tag
        if tag in _BODIES and self._counts[tag] == 1 and not self._left_out:
            self._starts[tag] = len(self._pieces)

    def handle_endtag(self, tag: str) -> None:
        """Close an element and those in it that were not closed; pass over what was never open."""
        if self._counts[tag]:
            while self._close() != tag:
                pass

    def handle_data(self, data: str) -> None:
        """Take text."""
        self._say(data)

    def close(self) -> None:
        """Take what is left, which never ended, as text, and close what is open."""
        if not self.rawdata.startswith("<!--"):
            self._say(unescape(re.sub(r"<[^<>]*>?", " ", self.rawdata)))
        while self._open:
            self._close()

    def parse_marked_section(self, i: int, report: int = 1) -> int:
        """Pass over `<![...]>`: the standard library gives up at those that it does not know."""
        end = self.rawdata.find(">", i)
        return end + 1 if end >= 0 else -1

    def _say(self, text: str) -> None:
        if self._left_out:
            return
        if self._heading is not None:
            self._heading.append(text)
        elif not self._counts["header"]:
            self._pieces.append(text)

    def _close(self) -> str:
        tag = self._open.pop()
        if tag == self._level:
            self._end_heading()
        if tag in _BLOCKS:
            self._say("\n")
        self._counts[tag] -= 1
        self._left_out -= tag in _NOT_CONTENT and tag != "header"
        if not self._counts[tag] and tag in self._starts:
            self._bodies[tag].append((self._starts.pop(tag), len(self._pieces)))
        return tag

    def _end_heading(self) -> None:
        if self._heading is not None:
            words = " ".join("".join(self._heading).replace("¶", " ").split())
            self._heading = None
            self._pieces.append(f"\n\n\n{HEADING}{'#' * int(self._level[1])} {words}\n")
