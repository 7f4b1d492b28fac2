"""Where a model's reasoning ends and its answer begins."""

from __future__ import annotations

import re
from bisect import bisect

__all__ = ["OPENED", "final_text", "is_tag", "opens_reasoning"]

_WORD = r"(?:\w+:)?(?:think|thinking|thoughts?|reason|reasoning|reflection|analysis|scratchpad)"
_OPENING = (
    rf"(?:<{_WORD}>|\[THINK\]|◁{_WORD}▷|<\|(?:begin|start)_(?:of_)?{_WORD}\|>"
    r"|<\|channel\|>analysis<\|message\|>)"
)
_CLOSING = rf"(?:</{_WORD}>|\[/THINK\]|◁/{_WORD}▷|<\|end_(?:of_)?{_WORD}\|>|<\|channel\|>final<\|message\|>)"
_FLAGS = re.IGNORECASE | re.MULTILINE
_LEADING = re.compile(rf"\s*{_OPENING}", _FLAGS)
_OPENS_LINE = re.compile(rf"^[ \t]*{_OPENING}", _FLAGS)
_CLOSES = re.compile(_CLOSING, _FLAGS)
# A tag that the code itself speaks of (`re.sub("</think>", ...)`) has code on both sides.
_CLOSES_LINE = re.compile(rf"^[ \t]*{_CLOSING}|{_CLOSING}[ \t]*$", _FLAGS)
_OPENED_LAST = re.compile(rf"{_OPENING}\s*\Z", _FLAGS)
_TAG = re.compile(rf"{_OPENING}|{_CLOSING}|<\|channel\|>|<\|message\|>", _FLAGS)
_FENCE = re.compile(r"^[ \t]*(?:```|~~~)", re.MULTILINE)
_ELEMENT = re.compile(r"\s*<(\w+)>.*?</\1>(?=\s*\S)", re.DOTALL)
_HOLDS_CODE = ("code", "answer", "solution", "python", "pre")

OPENED = "<think>\n"
"""Put before a text whose prompt had opened the reasoning already."""


def final_text(text: str) -> str:
    """Return what a model's text says once its reasoning is over.

    All up to the last closing tag is reasoning, whether the text opens it or its prompt did. Reasoning that is opened
    and never closed is a draft: there is no answer.

    Args:
        text: What the model wrote.

    Returns:
        The rest, without a byte order mark and with plain line ends; empty where reasoning was never closed.
    """
    text = text.replace("\r\n", "\n").replace("\r", "\n").lstrip("\ufeff")
    start = 0
    while opening := _LEADING.match(text, start):
        closing = _CLOSES_LINE.search(text, opening.end()) or _CLOSES.search(text, opening.end())
        if closing is None:
            return ""
        start = closing.end()
    start = max([start, *(one.end() for one in _CLOSES_LINE.finditer(text, start))])
    text = text[start:]
    fences = [fence.start() for fence in _FENCE.finditer(text)]
    for opening in _OPENS_LINE.finditer(text):
        if bisect(fences, opening.start()) % 2 == 0:  # else it stands in a block of code
            return ""
    element = _ELEMENT.match(text)  # a preamble in a tag of another name
    if element and element.group(1).lower() not in _HOLDS_CODE:
        return text[element.end() :]
    return text


def opens_reasoning(prompt: str) -> bool:
    """Tell whether a prompt ends in an opening tag, so that the model's text begins with its reasoning."""
    return _OPENED_LAST.search(prompt) is not None


def is_tag(token: str) -> bool:
    """Tell whether a token's text is a tag that opens or closes reasoning, or a part of one."""
    return _TAG.fullmatch(token.strip()) is not None
