"""The words that prompts and programs of the fictional libraries are made of."""

from __future__ import annotations

from functools import cache

from workbench.worlds.libraries.operations import OPERATIONS

__all__ = ["CALL_PIECES", "END", "SIGNS", "words"]

END = "[END]"
"""Ends a program."""
SIGNS = "( ) = , : '"
CALL_PIECES = ("x =", "(x)", "(x,", ", x)", "by=")
"""What calls are written of, a token each, so that a line of code is short."""
_LABELS = "tried error task"
_CODE = "x by NameError TypeError name is not defined takes the number no first last as then"


@cache
def words() -> frozenset[str]:
    """Return every word that is a token of its own; an invented name is none of them, nor begins with one."""
    found = set(f"{_LABELS} {_CODE}".split())
    for operation in OPERATIONS.values():
        text = " ".join([operation.familiar, *operation.documents, *operation.questions])
        found |= set(text.replace("{k}", " ").replace(",", " ").split())
    return frozenset(found)
