"""The gallery: every figure of a run, small, and a table that shows them."""

import json

import plotly.graph_objects as go
import pytest

from workbench.core.errors import RunError
from workbench.plots import gallery
from workbench.plots.gallery import gallery_markdown, write_gallery
from workbench.runs import Run


@pytest.fixture
def folder(tmp_path):
    run = Run.open("own", parameters={"seed": 0}, out=tmp_path / "run")
    for name, height in (("low", 100), ("high", 800)):
        run.figure(name, go.Figure(go.Bar(y=[1, 2]), layout={"height": height}), f"The {name} one")
    return tmp_path / "run"


def test_each_figure_gets_a_picture_of_few_colours_as_high_as_it_needs(folder, tmp_path, monkeypatch):
    from PIL import Image

    def draw(figure, picture, width, height, *, small):
        assert small and json.loads(figure.read_text())["data"]
        picture.parent.mkdir(exist_ok=True)
        Image.new("RGB", (width, height)).save(picture)

    monkeypatch.setattr(gallery, "save_picture", draw)
    written = write_gallery(folder, tmp_path / "images", width=300, height=200)
    assert [one.name for one in written] == ["own-low.png", "own-high.png"]
    sizes = [Image.open(one).size for one in written]
    assert sizes == [(300, 200), (300, 800)]


def test_the_table_names_every_picture_and_says_what_it_shows(folder):
    lines = gallery_markdown(folder, "data/images", across=1).splitlines()
    assert len(lines) == 3 and lines[1] == "|---|"
    assert 'src="data/images/own-high.png"' in lines[2] and "The high one" in lines[2]


def test_a_run_without_figures_is_refused(tmp_path):
    with pytest.raises(RunError, match="no figures in"):
        write_gallery(tmp_path, tmp_path)
