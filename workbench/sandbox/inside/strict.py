"""Truth that is not there: values whose truth a comparison takes, and which say nothing of their elements.

A pandas extension array has no truth value of its own, so Python takes its length: `assert result == expected` holds
for any extension array. What is compared with a masked value is neither true nor false, so a comparison passes over
it. Here both are noted while a test runs, without changing what it sees; whoever judges decides what follows.
"""

from __future__ import annotations

import sys
from typing import Any

__all__ = ["TruthWatch", "masks_more"]


class TruthWatch:
    """Notes where the truth of an extension array, or of a masked value, is taken.

    It changes the classes of the process that it is installed in: for a grader, which lives for one program.
    """

    def __init__(self) -> None:
        self.notes: list[str] = []
        self._watched: list[type] = []

    def install(self) -> None:
        """Watch the classes that are loaded by now; harmless when called again."""
        for module, path, make in (
            ("pandas", "api.extensions.ExtensionArray", self._extension_truth),
            ("numpy.ma", "MaskedArray", self._masked_truth),
        ):
            kind: Any = sys.modules.get(module)
            for name in path.split("."):
                kind = getattr(kind, name, None)  # a library that is half imported has none yet
            if isinstance(kind, type) and kind not in self._watched:
                self._watched.append(kind)
                kind.__bool__ = make(kind)  # type: ignore[attr-defined]

    def take(self) -> list[str]:
        """Return what was noted since the last call."""
        notes, self.notes = self.notes, []
        return notes

    def _extension_truth(self, _: type) -> Any:
        def truth(array: Any) -> bool:
            """Be true by length, as without this; note where not every element is true."""
            if len(array) and not _all_true(array):
                self.notes.append(f"a {type(array).__name__} was taken to be true, whatever it holds")
            return len(array) > 0

        return truth

    def _masked_truth(self, kind: type) -> Any:
        usual = kind.__bool__  # type: ignore[attr-defined]

        def truth(array: Any) -> bool:
            """Be true or false as without this; note it where the value is masked."""
            import numpy

            if numpy.ma.getmaskarray(array).any():
                self.notes.append("a masked value was taken to be true or false, and is neither")
            return usual(array)

        return truth


def _all_true(array: Any) -> bool:
    try:
        return bool(not array.isna().any() and all(bool(each) for each in array))
    except Exception:  # elements that have no truth either
        return False


def masks_more(result: list[Any], expected: list[Any]) -> bool:
    """Whether cells of a result are masked where those expected are not; see `cells.cells`."""
    masked = getattr(sys.modules.get("numpy.ma"), "masked", None)
    if masked is None:
        return False
    if len(result) != len(expected):
        return any(each is masked for each in result) and not any(each is masked for each in expected)
    return any(one is masked and other is not masked for one, other in zip(result, expected))  # noqa: B905
