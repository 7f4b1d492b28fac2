"""HTML that somebody else's notebook brings, without anything that acts: it is read, and does nothing."""

from __future__ import annotations

import functools
import re
from collections.abc import Mapping
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from bleach.sanitizer import Cleaner

__all__ = ["sanitized"]

_TAGS = frozenset(
    [
        *(
            "a",
            "abbr",
            "b",
            "blockquote",
            "br",
            "caption",
            "cite",
            "code",
            "col",
            "colgroup",
            "dd",
            "del",
            "details",
        ),
        *(
            "dfn",
            "div",
            "dl",
            "dt",
            "em",
            "figcaption",
            "figure",
            "h1",
            "h2",
            "h3",
            "h4",
            "h5",
            "h6",
            "hr",
            "i",
        ),
        *(
            "img",
            "ins",
            "kbd",
            "li",
            "mark",
            "ol",
            "p",
            "pre",
            "q",
            "s",
            "samp",
            "small",
            "span",
            "strong",
            "sub",
        ),
        *("summary", "sup", "table", "tbody", "td", "tfoot", "th", "thead", "tr", "u", "ul", "var", "wbr"),
    ]
)
"""What sets text, lists, tables and pictures; nothing that loads, sends, leads elsewhere or is typed into."""
_HEADINGS = ("h1", "h2", "h3", "h4", "h5", "h6")
_EVERYWHERE = (
    "style",
    "title",
    "lang",
    "dir",
    "role",
    "colspan",
    "rowspan",
    "scope",
    "align",
    "start",
    "open",
)
_STYLE = frozenset(
    [
        *("background", "background-color", "border", "border-bottom", "border-collapse", "border-left"),
        *("border-radius", "border-right", "border-top", "box-sizing", "clear", "color", "display", "flex"),
        *(
            "flex-wrap",
            "float",
            "font",
            "font-family",
            "font-size",
            "font-style",
            "font-weight",
            "gap",
            "height",
        ),
        *(
            "line-height",
            "list-style",
            "margin",
            "margin-bottom",
            "margin-left",
            "margin-right",
            "margin-top",
        ),
        *("max-height", "max-width", "min-height", "min-width", "opacity", "overflow", "overflow-wrap"),
        *(
            "overflow-x",
            "overflow-y",
            "padding",
            "padding-bottom",
            "padding-left",
            "padding-right",
            "padding-top",
        ),
        *("text-align", "text-decoration", "vertical-align", "white-space", "width", "word-break"),
    ]
)
"""How things look where they stand; nothing by which a part could lie over others, or load a file."""
_UNSEEN = re.compile(r"<(style|script|template|noscript|iframe|textarea|title)\b.*?(</\1\s*>|$)", re.S | re.I)
"""Elements whose content is no text for a reader."""
_PICTURE = re.compile(r"data:image/(png|jpeg|gif|webp|svg\+xml)[;,]", re.I)


def sanitized(markup: str) -> str:
    r"""Return markup with what only shows something: no script, form, frame, reload, other base, style sheet.

    Addresses of links are of the web or of the page itself; pictures bring their content along.

    >>> sanitized('<b onclick="x()">a</b><base href="//b"><meta http-equiv="refresh"><form>c</form>')
    '<b>a</b>\nc'
    """
    return _cleaner().clean(_UNSEEN.sub("", markup))


@functools.cache
def _cleaner() -> Cleaner:
    from bleach.css_sanitizer import CSSSanitizer
    from bleach.sanitizer import Cleaner

    class Styles(CSSSanitizer):
        def sanitize_css(self, style: str) -> str:
            kept: str = super().sanitize_css(style)
            parts = (part.strip() for part in kept.split(";"))
            # a function other than a colour's may load something; a backslash may hide one
            safe = (part for part in parts if not re.search(r"\\|(?<!rgb)(?<!rgba)(?<!hsl)(?<!hsla)\(", part))
            return "; ".join(part for part in safe if part)

    return Cleaner(
        tags=_TAGS,
        attributes=_allowed,
        protocols=frozenset({"http", "https", "mailto", "data"}),
        strip=True,
        css_sanitizer=Styles(allowed_css_properties=_STYLE),
    )


_OF_TAG: Mapping[str, tuple[str, ...]] = {"a": ("href",), "img": ("src", "alt", "width", "height")}


def _allowed(tag: str, name: str, value: str) -> bool:
    if name == "src":
        return tag == "img" and _PICTURE.match(value.strip()) is not None
    if name == "href" and value.strip().lower().startswith("data"):
        return False
    if name == "id":
        return tag in _HEADINGS  # what a table of contents leads to
    if name == "class":
        return value == "dataframe"  # others have a meaning for the page's own script and style
    return name in _EVERYWHERE or name.startswith("aria-") or name in _OF_TAG.get(tag, ())
