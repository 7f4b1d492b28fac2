"""An executed notebook can be read without Jupyter."""

import html
import json
import re

import pytest

from workbench.display.explore.markup import badge, bar, columns, listing, panel
from workbench.display.report.notebook import PLOTLY, parts_of, write_notebook_page


def notebook(*outputs, source="print(1)", prose="# A title\n\nA formula $a < b$."):
    return {
        "metadata": {},
        "cells": [
            {"cell_type": "markdown", "source": prose},
            {"cell_type": "code", "source": [source], "execution_count": 3, "outputs": list(outputs)},
        ],
    }


def display(**data):
    return {"output_type": "display_data", "data": data, "metadata": {}}


def kinds(*outputs):
    return [(part.kind, part.content) for part in parts_of(notebook(*outputs))][2:]


def test_prose_code_and_formulas():
    prose, code = parts_of(notebook(source="x = 1  # one"))
    assert "<h1" in prose.content
    assert "<math" in prose.content
    assert "$" not in prose.content
    assert (code.kind, code.label) == ("code", "3")
    assert "# one" in code.content


def test_a_formula_beyond_the_converter_stays_as_it_was_written():
    prose, _ = parts_of(notebook(prose="$\\left(<$"))
    assert "\\left(&lt;" in prose.content


def test_of_a_progress_bar_the_last_state_is_shown():
    bar = {"output_type": "stream", "name": "stderr", "text": ["run: 10%\rrun: 100%\r\n", "done\n"]}
    assert kinds(bar) == [("text", "run: 100%\ndone")]


def test_the_richest_form_that_needs_no_kernel_is_shown():
    figure = {"data": [{"type": "bar", "x": ["</script>"], "y": [1]}], "layout": {"height": 300}}
    (plot,) = list(parts_of(notebook(display(**{PLOTLY: figure, "text/html": "no", "text/plain": "no"}))))[2:]
    assert (plot.kind, plot.height) == ("plot", 300)
    assert "</script>" not in plot.content
    assert json.loads(plot.content) == figure
    widget = {"application/vnd.jupyter.widget-view+json": {"model_id": "1"}, "text/html": "<b>static</b>"}
    assert kinds(display(**widget, **{"text/plain": "Widget()"})) == [("html", "<b>static</b>")]
    assert kinds(display(**{"image/png": "aGk=\n", "text/plain": "<Figure>"})) == [
        ("picture", "data:image/png;base64,aGk=")
    ]
    assert kinds(display(**{"text/plain": ["a", "b"]}), display()) == [("text", "ab")]


def test_an_error_is_shown_with_its_colours_as_markup():
    failed = {"output_type": "error", "ename": "E", "evalue": "v", "traceback": ["\x1b[31mE\x1b[0m: <v>"]}
    ((kind, content),) = kinds(failed)
    assert kind == "error"
    assert "&lt;v&gt;" in content
    assert "\x1b" not in content


def test_the_page_is_whole_and_leads_back(tmp_path):
    file = tmp_path / "notebook.ipynb"
    file.write_text(json.dumps(notebook(display(**{"text/html": "<script>alert(1)</script>"}))))
    page = write_notebook_page(file, "../index.html#ds1000").read_text()
    assert "<title>A title · Workbench</title>" in page
    assert 'href="../index.html#ds1000"' in page
    assert "default-src 'none'; script-src 'sha256-" in page  # so what an output brings is not run
    assert "plotly.js v" not in page  # nothing is drawn in it


def test_half_a_notebook_has_no_page_yet(tmp_path):
    (tmp_path / "notebook.ipynb").write_text('{"cells": [')
    assert write_notebook_page(tmp_path / "notebook.ipynb", "../index.html") is None


ACTING = [
    '<meta http-equiv="refresh" content="0;url=//x">', '<base href="//x">', '<form action="//x"><input></form>',
    "<script>alert(1)</script>", "<img src=x onerror=alert(1)>", '<iframe src="//x"></iframe>', "<style>*{}</style>",
    '<a href="javascript:alert(1)">', '<object data="//x"></object>',
    '<p style="position: fixed; background: url(//x)">',
    "<svg onload=alert(1)><script>alert(1)</script></svg>", "<textarea><p onclick=alert(1)>", '<div class="plot">',
    '<math><mtext><table><mglyph><style><!--</style><img title="--&gt;&lt;img src=1 onerror=alert(1)&gt;">',
]  # fmt: skip
WORDS = [
    "http-equiv",
    "<base",
    "<form",
    "<input",
    "<script",
    "onerror=",
    "<iframe",
    "<style",
    "javascript:",
    "<object",
]
WORDS += ["position", "url(", "<svg", "onclick=", 'class="plot"', "onload="]


@pytest.mark.parametrize("markup", ACTING)
def test_what_acts_in_an_output_or_in_prose_is_taken_out(markup):
    """A received notebook's page kept reloads, forms and other bases."""
    ((_, output),) = kinds(display(**{"text/html": f"<b>kept</b>{markup}"}))
    prose, _ = parts_of(notebook(prose=f"**kept**\n\n{markup}\n\n<b>{markup}</b>"))
    assert "<b>kept</b>" in output
    assert "<strong>kept</strong>" in prose.content
    for content in (output, prose.content):
        without_titles = re.sub(r'title="[^"<>]*"', "", content)  # which only say something
        assert not [word for word in WORDS if word in without_titles]


def test_what_shows_in_an_output_stays():
    picture = '<img alt="a" src="data:image/svg+xml;base64,PHN2Zy8+">'
    cell = '<td style="text-align: right; white-space: nowrap">1</td>'
    table = f'<table class="dataframe"><tbody><tr>{cell}</tr></tbody></table>'
    link = '<a href="https://example.org">b</a>'
    assert kinds(display(**{"text/html": picture + table + link}))[0][1].replace("&gt;", ">") == (
        '<img alt="a" src="data:image/svg+xml;base64,PHN2Zy8+">' + table + link
    )
    assert markup_is_kept(
        panel("T", columns(badge("yes", "good"), listing(["a"], marked=1), bar({"a": 1}, 2, "s")))
    )


def markup_is_kept(markup):
    """Tell whether all elements and styles of a widget's picture come through."""
    (content,) = (content for _, content in kinds(display(**{"text/html": markup})))
    return all(
        len(re.findall(pattern, content)) == len(re.findall(pattern, markup))
        for pattern in (
            r"<\w+",
            r"flex: 1 1 320px",
            r"border-radius",
            r"background",
            r"color",
            r"margin",
            r"aria-label",
        )
    )


@pytest.mark.parametrize(
    "latex",
    [r"\text{<img src=x onerror=alert(1)>}", r"\href{javascript:alert(1)}{x}", r"\style{position:fixed}{x}",
     r"\class{plot}{x}", r"\text{<img/>}"],
)  # fmt: skip
def test_a_formula_that_brings_more_than_a_formula_is_shown_as_it_was_written(latex):
    """The converter hands text, addresses and styles through as they are."""
    prose, _ = parts_of(notebook(prose=f"${latex}$ <b title='$x$'>b</b>"))
    assert f'<code class="formula">{html.escape(latex)}</code>' in prose.content
    assert '<b title="$x$">' in prose.content
    assert "<math" not in prose.content
