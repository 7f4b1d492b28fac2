"""A figure as a PNG file, for a README or a paper: `python -m workbench.plots.picture FIGURE.json OUT.png`.

The figure is one that `Run.figure` kept. A Chromium or Chrome of this machine draws it; no network is used.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from workbench.core.errors import DataError, WorkbenchError
from workbench.plots.drawing import draw_png
from workbench.store import atomic

__all__ = ["save_picture"]


def save_picture(
    figure: Path, picture: Path, width: int = 900, height: int = 400, *, small: bool = False
) -> None:
    """Draw a kept figure.

    Args:
        figure: A figure's JSON, such as runs/ID/ds1000/figures/by-perturbation.json.
        picture: The PNG file to write.
        width: In pixels.
        height: In pixels.
        small: Keep 64 colours.

    Raises:
        DataError: The figure cannot be read, or is not drawn.
        SettingsError: There is no browser.
    """
    import plotly.io

    try:
        drawn = plotly.io.from_json(figure.read_text(encoding="utf-8"))
    except (OSError, ValueError) as fault:
        raise DataError(
            got=f"{figure}: {fault}", needed="a figure that a run has kept", fix="name one in figures/"
        ) from fault
    picture.parent.mkdir(parents=True, exist_ok=True)
    atomic.write_bytes(picture, draw_png(drawn, width, height, small=small))


def main() -> None:
    """Run the command line."""
    parser = argparse.ArgumentParser(description="Draw a figure that a run has kept as a PNG file.")
    parser.add_argument("figure", type=Path)
    parser.add_argument("picture", type=Path)
    parser.add_argument("--width", type=int, default=900)
    parser.add_argument("--height", type=int, default=400)
    words = parser.parse_args()
    try:
        save_picture(words.figure, words.picture, words.width, words.height)
    except WorkbenchError as fault:
        print(fault, file=sys.stderr)
        raise SystemExit(2) from None


if __name__ == "__main__":
    main()
