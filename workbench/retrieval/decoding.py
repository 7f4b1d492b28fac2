"""The text of a file in whatever encoding it says it is in; nothing is guessed."""

from __future__ import annotations

import codecs
import re

__all__ = ["UndecodableError", "decoded"]

_MARKS = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF32_LE, "utf-32"),  # before UTF-16's, which it begins with
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
_MARKUP = re.compile(
    rb"""<(?:meta\b[^>]*?\bcharset|\?xml\b[^>]*?\bencoding)\s*=\s*["']?\s*([A-Za-z0-9._:-]+)""", re.IGNORECASE
)
_COMMENT = re.compile(
    rb"\A(?:.*\n)?.*?coding[:=]\s*([A-Za-z0-9._-]+)"
)  # as Python's and Emacs' first two lines
_LOOKED_AT = 4096  # bytes at the beginning in which a page says its encoding
_WESTERN = {"iso8859-1", "ascii"}  # on the web these names stand for Windows-1252, which holds them


class UndecodableError(ValueError):
    """A text cannot be read in the encoding that it is in by its own words, or by default."""


def decoded(content: bytes, *, markup: bool, told: str = "", errors: str = "strict") -> str:
    """Return a file's text: by its byte order mark, by what was told, by what it declares, else as UTF-8.

    Args:
        content: All of the file.
        markup: Whether it is HTML, which declares its encoding in a tag; other texts do in a comment, if at all.
        told: What the server says it is, if any does.
        errors: What becomes of bytes that the encoding has no letter for, as `bytes.decode` takes it.

    Raises:
        UndecodableError: It is something else; the text says at which byte.
    """
    for mark, encoding in _MARKS:
        if content.startswith(mark):
            return _read(content, encoding, f"begins as {encoding[:6].upper()} does", errors)
    match = (_MARKUP if markup else _COMMENT).search(content[:_LOOKED_AT])
    declared = told or (match[1].decode() if match else "")
    if not declared:
        return _read(content, "utf-8", "declares no encoding", errors)
    try:
        encoding = codecs.lookup(declared).name
    except LookupError:
        raise UndecodableError(f"declares the encoding {declared!r}, which does not exist") from None
    if encoding in _WESTERN:
        try:
            return content.decode("cp1252")
        except UnicodeDecodeError:
            return content.decode("latin-1")
    if encoding.startswith(("utf-16", "utf-32")) and match and not told:
        encoding = "utf-8"  # or the declaration could not have been read
    return _read(content, encoding, f"declares {declared}", errors)


def _read(content: bytes, encoding: str, because: str, errors: str) -> str:
    try:
        return content.decode(encoding, errors)
    except UnicodeDecodeError as error:
        raise UndecodableError(f"{because}, and is not {error.encoding} at byte {error.start}") from error
    except (LookupError, ValueError) as error:  # a codec of something else than text
        raise UndecodableError(f"{because}, which is no encoding of text: {error}") from error
