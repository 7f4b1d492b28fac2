"""Figures as PNG, all by one Chromium or Chrome of this machine, through kaleido; no network is used."""

from __future__ import annotations

import asyncio
import atexit
import contextlib
import io
import threading
from collections.abc import Coroutine
from concurrent.futures import Future
from typing import TYPE_CHECKING, Any

from workbench.core.errors import DataError, SettingsError

if TYPE_CHECKING:
    import plotly.graph_objects as go

__all__ = ["WIDTH", "draw_png"]

WIDTH, HEIGHT = 900, 420
"""Of a picture in pixels, where nothing else is said; a figure that has a height keeps it."""
COLORS = 64
"""Of a picture that is kept small: what a plot needs, in a third of the bytes."""
START_S, DRAW_S = 60.0, 20.0
"""How long a browser may take to start, and to draw one figure."""


def draw_png(
    figure: go.Figure, width: int = WIDTH, height: int | None = None, *, small: bool = True
) -> bytes:
    """Draw a figure. The first call starts the browser, which ends with this process.

    Args:
        figure: To draw.
        width: In pixels.
        height: In pixels; the figure's own if None.
        small: Keep 64 colours.

    Returns:
        PNG: on one machine the same bytes for the same figure.

    Raises:
        SettingsError: There is no browser, or it does not start.
        DataError: It does not draw this figure.
    """
    size = {"width": width, "height": height or int(figure.layout.height or HEIGHT)}
    drawn = _browser().draw(figure, {"format": "png", "scale": 1, **size})
    return _fewer_colors(drawn) if small else drawn


class _Browser:
    """A browser, and the thread in which it is talked to: a notebook's own event loop is busy with the cell."""

    def __init__(self) -> None:
        self._loop = asyncio.new_event_loop()
        threading.Thread(target=self._loop.run_forever, name="drawing", daemon=True).start()
        self._kaleido = self._wait(_opened(), START_S)
        atexit.register(self._close)

    def draw(self, figure: go.Figure, size: dict[str, Any]) -> bytes:
        try:
            return bytes(self._wait(self._kaleido.calc_fig(figure, opts=size), DRAW_S))
        except Exception as fault:  # kaleido's, the browser's, or too late
            raise DataError(
                got=f"a figure that was not drawn ({type(fault).__name__}: {str(fault)[:200]})",
                needed=f"a figure that the browser draws within {DRAW_S:g} s",
                fix="draw it again, or save it by the camera button of the report",
            ) from fault

    def _wait(self, work: Coroutine[Any, Any, Any], seconds: float) -> Any:
        waiting: Future[Any] = asyncio.run_coroutine_threadsafe(work, self._loop)
        try:
            return waiting.result(seconds)
        finally:
            waiting.cancel()

    def _close(self) -> None:
        with contextlib.suppress(Exception):  # the process ends, and the browser with it
            self._wait(self._kaleido.close(), 5.0)


async def _opened() -> Any:
    """Start kaleido with what is installed: without MathJax, which it would fetch."""
    import kaleido

    opened = kaleido.Kaleido(mathjax=False, timeout=DRAW_S)
    await opened.open()
    return opened


_started: list[_Browser | SettingsError] = []
"""The browser of this process, or why there is none: it is looked for once."""


def _browser() -> _Browser:
    if not _started:
        try:
            _started.append(_Browser())
        except Exception as fault:  # kaleido's, the browser's, or too late
            _started.append(
                SettingsError(
                    got=f"no browser to draw with ({type(fault).__name__}: {str(fault).split('. ')[0]})",
                    needed="Chromium or Chrome, on the PATH or named by BROWSER_PATH",
                    fix="install Chromium, or save pictures by the camera button of the report",
                )
            )
    if isinstance(found := _started[0], SettingsError):
        raise found
    return found


def _fewer_colors(picture: bytes) -> bytes:
    """Keep some colours, by an octree: a median cut gives colours of small areas, such as dots, to each other."""
    from PIL import Image

    with Image.open(io.BytesIO(picture)) as drawn:
        kept = drawn.convert("RGB").quantize(COLORS, method=Image.Quantize.FASTOCTREE)
    written = io.BytesIO()
    kept.save(written, format="PNG", optimize=True)
    return written.getvalue()
