"""A small picture of every figure of a run, for a README: `python -m workbench.plots.gallery RUN IMAGES`."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from workbench.core.errors import RunError, WorkbenchError
from workbench.plots.picture import save_picture
from workbench.store.reading import read_json

__all__ = ["gallery_figures", "gallery_markdown", "write_gallery"]

WIDTH, HEIGHT = 760, 400


def gallery_figures(run_folder: Path) -> dict[str, tuple[Path, str]]:
    """Return the figures of a run: for each picture's name the figure's file and caption.

    Args:
        run_folder: RUNS/ID.

    Raises:
        RunError: The run has no figures.
    """
    found = {
        f"{file.parent.name}-{name}": (file.parent / about["file"], about["caption"])
        for file in sorted(run_folder.glob("*/results.json"))
        for name, about in read_json(file).get("figures", {}).items()
    }
    if not found:
        raise RunError(
            got=f"no figures in {run_folder}",
            needed="a run's folder, with PAPER/results.json inside",
            fix="make one with `workbench run`",
        )
    return found


def write_gallery(run_folder: Path, images: Path, *, width: int = WIDTH, height: int = HEIGHT) -> list[Path]:
    """Draw every figure of a run as a small PNG file, PAPER-FIGURE.png.

    Args:
        run_folder: RUNS/ID.
        images: The folder of the pictures; others in it stay.
        width: In pixels; a figure that is higher than wide keeps its own height.
        height: In pixels.

    Returns:
        The pictures, in order.

    Raises:
        RunError: The run has no figures.
        SettingsError: There is no browser to draw with.
    """
    written = []
    for name, (figure, _) in gallery_figures(run_folder).items():
        picture = images / f"{name}.png"
        own = read_json(figure).get("layout", {}).get("height") or 0
        save_picture(figure, picture, width, max(height, int(own)), small=True)
        written.append(picture)
    return written


def gallery_markdown(run_folder: Path, images: str, *, across: int = 3) -> str:
    """Return the pictures as a table of Markdown, each with its caption.

    Args:
        run_folder: RUNS/ID.
        images: The folder of the pictures, as the page names it.
        across: Pictures in a row.
    """
    cells = [
        f'<img src="{images}/{name}.png" width="270" alt="{caption}"><br><sub>{caption}</sub>'
        for name, (_, caption) in gallery_figures(run_folder).items()
    ]
    rows = [cells[k : k + across] for k in range(0, len(cells), across)]
    lines = ["| " + " | ".join(row + [""] * (across - len(row))) + " |" for row in rows]
    return "\n".join([lines[0], "|" + "---|" * across, *lines[1:]])


def main() -> None:
    """Run the command line."""
    parser = argparse.ArgumentParser(description="Draw every figure of a run as a small PNG file.")
    parser.add_argument("run", type=Path, help="the run's folder")
    parser.add_argument("images", type=Path, help="the folder of the pictures")
    words = parser.parse_args()
    try:
        for picture in write_gallery(words.run, words.images):
            print(picture, flush=True)
        print(f"\n{gallery_markdown(words.run, words.images.as_posix())}")
    except WorkbenchError as fault:
        print(fault, file=sys.stderr)
        raise SystemExit(2) from None


if __name__ == "__main__":
    main()
