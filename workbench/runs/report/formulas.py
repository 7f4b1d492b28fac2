"""Formulas as MathML, which browsers set and speak by themselves."""

from __future__ import annotations

from html import escape
from xml.etree import ElementTree

__all__ = ["formula"]

_SPACE = "{http://www.w3.org/1998/Math/MathML}"
_ELEMENTS = frozenset(
    (
        *(
            "math",
            "menclose",
            "merror",
            "mfrac",
            "mi",
            "mmultiscripts",
            "mn",
            "mo",
            "mover",
            "mpadded",
            "mphantom",
        ),
        *(
            "mprescripts",
            "mroot",
            "mrow",
            "ms",
            "mspace",
            "msqrt",
            "mstyle",
            "msub",
            "msubsup",
            "msup",
            "mtable",
        ),
        *("mtd", "mtext", "mtr", "munder", "munderover", "none"),
    )
)
_ATTRIBUTES = frozenset(
    (
        *(
            "accent",
            "columnalign",
            "columnlines",
            "columnspacing",
            "depth",
            "display",
            "displaystyle",
            "fence",
        ),
        *(
            "form",
            "frame",
            "height",
            "largeop",
            "linebreak",
            "linethickness",
            "lspace",
            "mathcolor",
            "mathvariant",
        ),
        *(
            "maxsize",
            "minsize",
            "movablelimits",
            "notation",
            "rowlines",
            "rowspacing",
            "rspace",
            "scriptlevel",
        ),
        *("separator", "stretchy", "symmetric", "voffset", "width"),
    )
)


def formula(latex: str, display: str) -> str:
    """Return a formula as MathML, or as it was written where it is beyond the converter.

    Args:
        latex: From anybody's notebook. The converter hands text, addresses and styles in it through as they are:
            what has them is shown as it was written too.
        display: `block` or `inline`.
    """
    try:
        from latex2mathml.converter import convert

        math: str = convert(latex.strip().strip("$"), display=display)
        shown = _only_shows(math)
    except Exception:  # a formula that cannot be set is shown as LaTeX, whatever the reason
        shown = False
    return math if shown else f'<code class="formula">{escape(latex)}</code>'


def _only_shows(math: str) -> bool:
    """Tell whether markup is well-formed MathML that has nothing but what sets a formula."""
    return all(
        part.tag.removeprefix(_SPACE) in _ELEMENTS and set(part.keys()) <= _ATTRIBUTES
        for part in ElementTree.fromstring(math).iter()
    )
