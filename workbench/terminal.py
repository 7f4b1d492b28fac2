"""Text of others on a terminal: names and messages out of data can neither steer it nor push everything aside."""

from __future__ import annotations

import re
import unicodedata

__all__ = ["echo", "message", "safe", "short"]

_WIDTH = 60
_JOINERS = "\u200c\u200d"  # some scripts and emoji need them, and they do nothing else
_COLOURS = re.compile(r"\x1b\[[0-9;]*m")
_UNBROKEN = re.compile(r"\S{400,}")


def safe(text: object, *, lines: bool = False) -> str:
    r"""Return text in which whatever would steer a terminal, or turn the order of letters, is written out.

    Control characters, overrides of direction, invisible letters, separators of lines, halves of surrogate pairs.

    Args:
        text: Any value.
        lines: Keep the ends of lines and tabs.

    >>> safe("a\x1b]0;title\x07b\nc"), safe("a\nb", lines=True), safe("\u202eabc")
    ('a\\x1b]0;title\\x07b\\nc', 'a\nb', '\\u202eabc')
    """
    kept = "\n\t" if lines else ""
    said = str(text)
    if said.isascii() and said.isprintable():
        return said
    return "".join(letter if letter in kept or _is_shown(letter) else _written(letter) for letter in said)


def short(text: object, width: int = _WIDTH) -> str:
    """Return a name as `safe` gives it, without its middle where it is too long for a row.

    >>> short("a" * 5000, 9)
    'aaaaa…aaa'
    """
    said = safe(text)
    if len(said) <= width:
        return said
    end = (width - 1) * 2 // 5
    return f"{said[: width - 1 - end]}…{said[len(said) - end :]}"


def message(text: object) -> str:
    """Return a message of several lines as `safe` gives it: colours left out, endless words shortened."""
    return _UNBROKEN.sub(lambda word: short(word[0], 200), safe(_COLOURS.sub("", str(text)), lines=True))


def echo(text: object = "") -> None:
    """Print a line, or several, in which there are names or messages out of data."""
    import click

    click.echo(message(text))


def _is_shown(letter: str) -> bool:
    return letter in _JOINERS or unicodedata.category(letter) not in ("Cc", "Cf", "Cs", "Zl", "Zp")


def _written(letter: str) -> str:
    return letter.encode("unicode_escape").decode()
