"""A figure as a PNG file, for a README or a paper: `python -m workbench.plots.picture FIGURE.json OUT.png`.

The figure is one that `Run.figure` kept. A Chromium or Chrome of this machine draws it; no network is used.
"""

from __future__ import annotations

import argparse
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from workbench.core.errors import DataError, SettingsError, WorkbenchError

__all__ = ["save_picture"]

BROWSERS = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome")


def save_picture(figure: Path, picture: Path, width: int = 900, height: int = 400) -> None:
    """Draw a kept figure.

    Args:
        figure: A figure's JSON, such as runs/ID/ds1000/figures/by-perturbation.json.
        picture: The PNG file to write.
        width: In pixels.
        height: In pixels.

    Raises:
        DataError: The figure cannot be read, or the browser wrote nothing.
        SettingsError: There is no browser.
    """
    import plotly.io

    try:
        drawn = plotly.io.from_json(figure.read_text(encoding="utf-8"))
    except (OSError, ValueError) as fault:
        raise DataError(
            got=f"{figure}: {fault}", needed="a figure that a run has kept", fix="name one in figures/"
        ) from fault
    browser = next(filter(None, map(shutil.which, BROWSERS)), None)
    if browser is None:
        raise SettingsError(
            got="no browser on the PATH",
            needed=f"one of {', '.join(BROWSERS)}",
            fix="install Chromium, or save the picture by the camera button of the report",
        )
    drawn.update_layout(width=width, height=height)
    with tempfile.TemporaryDirectory() as folder:
        page = Path(folder) / "figure.html"
        drawn.write_html(page, include_plotlyjs=True, config={"staticPlot": True})
        style = "<style>html, body { margin: 0; overflow: hidden }</style>"
        page.write_text(
            page.read_text(encoding="utf-8").replace("<head>", f"<head>{style}", 1), encoding="utf-8"
        )
        picture.parent.mkdir(parents=True, exist_ok=True)
        picture.unlink(missing_ok=True)
        words = ["--headless", "--no-sandbox", "--disable-gpu", "--hide-scrollbars", "--no-first-run"]
        words += ["--disable-background-networking", "--disable-component-update", "--disable-sync"]
        words += [f"--user-data-dir={folder}/profile", "--virtual-time-budget=10000"]
        words += [f"--window-size={width},{height}", f"--screenshot={picture.resolve()}", page.as_uri()]
        subprocess.run([browser, *words], capture_output=True, check=False)
    if not picture.is_file():
        raise DataError(f"{browser} wrote no picture", "a PNG file", "start it by hand and see what it says")


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
