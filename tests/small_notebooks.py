"""Tiny notebooks, made where a test needs one."""

from pathlib import Path

import nbformat
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook

PARAMETERS = """profile: str = "pocket"
out: str = ""
seed: int = 0  # seed of everything
n: int = 3  # how many numbers"""
OPEN = (
    "from workbench.runs import Run\n"
    'run = Run.open("{name}", globals(), title="A small one", asks="Does it run?")'
)
# appends finished work to its folder; notes every piece it computes; waits where the test says so
STEP = """
def draw(n, folder):
    import os, random, time
    from pathlib import Path
    for i in range(n):
        piece = folder / f"{i}.txt"
        if not piece.exists():
            if i == 2:
                while os.environ.get("WAIT_FOR") and not Path(os.environ["WAIT_FOR"]).exists():
                    time.sleep(0.05)
            temporary = folder / "part"
            temporary.write_text(str(i * 0.5))
            temporary.rename(piece)
            with (folder / "computed.log").open("a") as log:
                log.write(f"{i}\\n")
    return [float((folder / f"{i}.txt").read_text()) for i in range(n)]
numbers = run.step("draw", draw, n)
"""
RESULTS = """
import pandas as pd
import plotly.graph_objects as go
run.record("total", sum(numbers))
run.table("numbers", pd.DataFrame({"number": numbers}), "The numbers")
run.figure("numbers", go.Figure(go.Bar(y=numbers)), "The numbers, drawn")
run.claim(paper="Nobody 2020", statement="Numbers are drawn", measured=len(numbers), supported=True)
run.finish()
"""


def write_notebook(folder: Path, name: str, *cells: str) -> Path:
    """Write a notebook with a parameters cell, a Run, and the cells given (or a step and its results)."""
    sources = [OPEN.format(name=name), *(cells or (STEP, RESULTS))]
    notebook = new_notebook(
        cells=[
            new_markdown_cell("# A small one"),
            new_code_cell(PARAMETERS, metadata={"tags": ["parameters"]}),
            *(new_code_cell(source.strip()) for source in sources),
        ],
        metadata={"kernelspec": {"name": "python3", "display_name": "Python 3", "language": "python"}},
    )
    file = folder / f"{name}.ipynb"
    nbformat.write(notebook, file)
    return file
