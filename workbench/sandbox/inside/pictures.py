"""The pictures of a test case: what the tests drew, what the program drew, and an empty figure in its place."""

from __future__ import annotations

import io
import re
import sys
from collections import OrderedDict
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from . import files

__all__ = ["EMPTY", "EXPECTED_FILES", "Pictures", "compared"]

EXPECTED_FILES = frozenset({"ans.png"})
"""What DS-1000's tests draw to compare with."""
EMPTY = {"an empty figure": False, "empty axes": True}
"""Figures that show nothing, by name: whether they have axes."""
_NAMED = re.compile(r"[\w./-]+\.png\b")


@dataclass(frozen=True)
class Pictures:
    """The files that one call of `exec_test` found."""

    expected: dict[str, bytes]
    drawn: dict[str, bytes]

    def are_same(self) -> bool:
        """Whether the program drew, pixel by pixel, what is expected."""
        if set(self.drawn.values()) & set(self.expected.values()):
            return True
        wanted, found = (set(map(_pixels, each.values())) for each in (self.expected, self.drawn))
        return bool((wanted & found) - {None})

    @contextmanager
    def blanked(self, axes: bool) -> Iterator[None]:
        """Put a figure without content in the place of the program's: as its picture, and as pyplot's only figure.

        Args:
            axes: Whether it has axes, which are empty.
        """
        from matplotlib import pyplot

        helpers = pyplot._pylab_helpers.Gcf
        usual, helpers.figs = helpers.figs, OrderedDict()
        try:
            figure = pyplot.figure()
            if axes:
                figure.gca()
            saved = io.BytesIO()
            figure.savefig(saved, format="png", bbox_inches="tight")
            files.write_files({**self.expected, **dict.fromkeys(self.drawn, saved.getvalue())})
            yield
        finally:
            helpers.figs = usual


def compared(tests_source: str) -> Pictures | None:
    """Return the pictures in the current folder that tests compare; None where they compare none."""
    if "matplotlib.pyplot" not in sys.modules:
        return None
    named = {each.rsplit("/", maxsplit=1)[-1] for each in _NAMED.findall(tests_source)}
    found = {name: Path(name).read_bytes() for name in named if Path(name).is_file()}
    expected = {name: found.pop(name) for name in EXPECTED_FILES & found.keys()}
    return Pictures(expected, found) if expected and found else None


def _pixels(content: bytes) -> tuple | None:
    from PIL import Image

    try:
        image = Image.open(io.BytesIO(content))
        return image.mode, image.size, image.tobytes()
    except Exception:  # no picture, or one without end: like no other
        return None
