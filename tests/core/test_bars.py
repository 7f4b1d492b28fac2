"""Progress bars: of a saved notebook's bar the last state is read."""

import io

import nbformat
from nbclient import NotebookClient
from nbformat.v4 import new_code_cell, new_notebook

from workbench.core.bars import Bar

CELLS = """
from workbench.core.bars import Bar
for _ in Bar(range(3), desc="whole"):
    pass
---
with Bar(total=4, desc="half") as bar:
    bar.update(2)
---
Bar(total=2, desc="hidden", disable=True).close()
---
for _ in Bar(range(2), desc="outer"):
    list(Bar(range(2), desc="inner"))
Bar(total=0, desc="nothing").close()
"""


def test_in_a_notebook_the_end_of_a_bar_is_what_is_kept():
    cells = [new_code_cell(source.strip()) for source in CELLS.split("---")]
    notebook = new_notebook(cells=cells)
    NotebookClient(notebook, timeout=60, kernel_name="python3").execute()
    nbformat.validate(notebook)
    said = ["".join(output.data["text/plain"] for output in cell.outputs) for cell in cells]
    assert said[0].startswith("whole: 100%") and "3/3" in said[0]
    assert said[1].startswith("half:  50%") and "2/4" in said[1]
    assert said[2] == ""
    assert said[3].startswith("outer: 100%") and "inner" not in said[3] and "nothing" not in said[3]


def test_on_a_stream_it_is_a_line():
    stream = io.StringIO()
    assert list(Bar(range(2), desc="plain", file=stream)) == [0, 1]
    assert "plain: 100%" in stream.getvalue()
