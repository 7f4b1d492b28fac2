"""Tables as text for a terminal: even columns, with rules between parts."""

from __future__ import annotations

from collections.abc import Sequence

from workbench.core.terminal import short

__all__ = ["aligned"]


def aligned(lines: Sequence[Sequence[str] | None], left: int = 1) -> str:
    """Return rows of cells as text of even columns.

    Args:
        lines: Rows, all of as many cells; None for a rule.
        left: How many columns, from the first, keep to the left.
    """
    lines = [None if line is None else [short(cell) for cell in line] for line in lines]
    rows = [line for line in lines if line is not None]
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    texts = []
    for line in lines:
        if line is None:
            texts.append("-" * (sum(widths) + 2 * (len(widths) - 1)))
            continue
        cells = zip(line, widths, strict=True)
        placed = [
            cell.ljust(width) if k < left else cell.rjust(width) for k, (cell, width) in enumerate(cells)
        ]
        texts.append("  ".join(placed).rstrip())
    return "\n".join(texts)
