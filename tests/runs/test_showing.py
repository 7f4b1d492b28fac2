"""What is shown below a cell: a figure with a picture for places that draw no plotly, or one word on why not."""

import base64
import shutil

import pytest
from nbclient import NotebookClient
from nbformat.v4 import new_code_cell, new_notebook

FIGURE = """
import plotly.graph_objects as go
from workbench.runs.showing import show_figure
for name in ("first", "second"):
    show_figure(go.Figure(go.Bar(y=[1, 2]), layout={"height": 100}), name)
"""
PLOTLY = "application/vnd.plotly.v1+json"


def shown(monkeypatch, browser):
    """Return the figures' bundles and all that was printed, as a kernel gives them with some browser."""
    monkeypatch.setenv("BROWSER_PATH", browser)
    cell = new_code_cell(FIGURE)
    NotebookClient(new_notebook(cells=[cell]), timeout=120, kernel_name="python3").execute()
    bundles = [output.data for output in cell.outputs if output.output_type == "display_data"]
    printed = "".join(output.text for output in cell.outputs if output.output_type == "stream")
    return [bundle for bundle in bundles if PLOTLY in bundle], printed


def test_without_a_browser_figures_are_shown_and_it_is_said_once(monkeypatch):
    bundles, printed = shown(monkeypatch, "none")
    assert [bundle["text/plain"] for bundle in bundles] == ["[figure] first", "[figure] second"]
    assert [bundle[PLOTLY]["data"][0]["y"] for bundle in bundles] == [[1, 2], [1, 2]]
    assert not any("image/png" in bundle for bundle in bundles)
    assert printed.count("figures without a picture") == 1
    assert "BROWSER_PATH" in printed or "install Chromium" in printed


@pytest.mark.skipif(shutil.which("chromium") is None, reason="no Chromium on this machine")
def test_a_figure_carries_a_small_picture(monkeypatch):
    bundles, printed = shown(monkeypatch, shutil.which("chromium"))
    pictures = [base64.b64decode(bundle["image/png"]) for bundle in bundles]
    assert len(pictures) == 2 and all(picture.startswith(b"\x89PNG") for picture in pictures)
    assert max(map(len, pictures)) < 30_000
    assert printed == ""


def test_numbers_are_flush_right_however_small_and_words_left():
    import pandas as pd

    from workbench.runs.showing import _table

    frame = pd.DataFrame({"small": [4.77e-07, 0.5], "word": ["e", "more"], "mixed": ["1", "one"]})
    heads = _table(frame).split("</thead>")[0]
    assert [head.split("text-align: ")[1].split('"')[0] for head in heads.split("<th ")[1:]] == [
        "right",
        "left",
        "left",
    ]
