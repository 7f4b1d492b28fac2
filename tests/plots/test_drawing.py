"""Figures as PNG: drawn by this machine's browser, or one clear word where there is none."""

import io
import shutil

import plotly.graph_objects as go
import pytest

from workbench.core.errors import DataError, SettingsError
from workbench.plots import drawing
from workbench.plots.drawing import draw_png


@pytest.fixture(autouse=True)
def own_browser(monkeypatch):
    """Let each test look for a browser anew, and for this machine's: tests of notebooks do without one."""
    monkeypatch.delenv("BROWSER_PATH", raising=False)
    monkeypatch.setattr(drawing, "_started", [])


def test_a_machine_without_a_browser_is_told_so_and_looked_at_once(monkeypatch):
    monkeypatch.setenv("BROWSER_PATH", "none")
    for _ in range(2):
        with pytest.raises(SettingsError, match=r"no browser to draw with.*BROWSER_PATH"):
            draw_png(go.Figure())
        monkeypatch.setattr(drawing, "_Browser", None)  # not asked again


def test_a_browser_that_does_not_start_in_time_is_given_up(monkeypatch):
    import asyncio

    monkeypatch.setattr(drawing, "START_S", 0.01)
    monkeypatch.setattr(drawing, "_opened", lambda: asyncio.sleep(60))
    with pytest.raises(SettingsError, match="TimeoutError"):
        draw_png(go.Figure())


def test_a_figure_that_takes_too_long_is_given_up_and_the_next_one_drawn(monkeypatch):
    import asyncio

    class Kaleido:
        async def calc_fig(self, figure, opts):
            await asyncio.sleep(60 if figure.layout.title.text == "slow" else 0)
            return b"drawn at %d x %d" % (opts["width"], opts["height"])

        async def close(self):
            pass

    async def opened():
        return Kaleido()

    monkeypatch.setattr(drawing, "DRAW_S", 0.05)
    monkeypatch.setattr(drawing, "_opened", opened)
    with pytest.raises(DataError, match="not drawn"):
        draw_png(go.Figure(layout={"title": "slow"}), small=False)
    assert draw_png(go.Figure(layout={"height": 300}), small=False) == b"drawn at 900 x 300"


@pytest.mark.skipif(shutil.which("chromium") is None, reason="no Chromium on this machine")
def test_a_figure_is_drawn_the_same_each_time_in_few_colours():
    from PIL import Image

    figure = go.Figure(go.Bar(y=[1, 2]), layout={"height": 120})
    first, second = draw_png(figure, 200), draw_png(figure, 200)
    assert first == second
    picture = Image.open(io.BytesIO(first))
    assert picture.size == (200, 120)
    assert len(picture.getcolors()) <= 64
