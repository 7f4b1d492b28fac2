"""An executed notebook as a page: for a colleague who has no Jupyter."""

from __future__ import annotations

import json
import re
import secrets
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from workbench.runs.report.figures import description
from workbench.runs.report.formulas import formula
from workbench.runs.report.paper import script_json
from workbench.runs.report.sanitized import sanitized
from workbench.store import atomic
from workbench.store.reading import MALFORMED, read_json

__all__ = ["Part", "parts_of", "write_notebook_page"]

PLOTLY = "application/vnd.plotly.v1+json"
_PICTURES = ("image/svg+xml", "image/png", "image/jpeg")


@dataclass(frozen=True)
class Part:
    """One thing on the page, in order."""

    kind: str
    """prose, code, text, error, html, picture or plot."""
    content: str
    """HTML of prose, code, error and html; text; the address of a picture; the JSON of a plot."""
    label: str = ""
    """The number of a code cell; what a picture or plot shows."""
    height: int = 0


def write_notebook_page(notebook: Path, report: str) -> Path | None:
    """Write NOTEBOOK.html beside an executed notebook: prose, code, and what it printed and drew.

    Args:
        notebook: The executed notebook.
        report: Address of the report that it belongs to, from the page's place.

    Returns:
        The page, which opens from disk without a network; None where the notebook cannot be read yet.
    """
    from workbench.runs.report.template import fill

    content = read_json(notebook)
    if "cells" not in content:
        return None
    try:
        parts = list(parts_of(content))
    except MALFORMED as error:
        said = f"{notebook.name} cannot be shown: it is not of the form that Jupyter writes ({error})"
        parts = [Part("text", said)]
    title = next((re.sub(r"<[^>]+>|¶", "", part.content) for part in parts if "<h1" in part.content), "")
    page = notebook.with_suffix(".html")
    text = fill(
        "notebook.html",
        plots=any(part.kind == "plot" for part in parts),
        parts=parts,
        title=title.strip().splitlines()[0] if title.strip() else notebook.parent.name,
        report=report,
        notebook=notebook.name,
    )
    atomic.write_bytes(page, text.encode(errors="backslashreplace"))
    return page


def parts_of(notebook: Mapping[str, Any]) -> Iterator[Part]:
    """Yield what a notebook's page shows, in order; widgets by the static picture that they have left."""
    from nbconvert.filters import Highlight2HTML

    highlight = Highlight2HTML(pygments_lexer="python")
    for cell in notebook["cells"]:
        source = _joined(cell.get("source", ""))
        if cell["cell_type"] == "markdown":
            yield Part("prose", _prose(source))
        elif cell["cell_type"] == "code" and source.strip():
            yield Part("code", highlight(source), str(cell.get("execution_count") or " "))
            for output in cell.get("outputs", []):
                yield from _output(output)


def _output(output: Mapping[str, Any]) -> Iterator[Part]:
    if output["output_type"] == "stream":
        # of a progress bar, which returns to the line's start again and again, the last state counts
        lines = _joined(output["text"]).replace("\r\n", "\n").split("\n")
        lines = [next((state for state in reversed(line.split("\r")) if state), "") for line in lines]
        text = "\n".join(lines).strip("\n")
        if text:
            yield Part("text", text)
    elif output["output_type"] == "error":
        from nbconvert.filters import ansi2html

        yield Part("error", ansi2html("\n".join(output.get("traceback", []))))
    else:
        yield from _shown(output.get("data", {}))


def _shown(bundle: Mapping[str, Any]) -> Iterator[Part]:
    """Choose the richest form of an output that needs neither a kernel nor a network."""
    words = _joined(bundle.get("text/plain", ""))
    if PLOTLY in bundle:
        figure = bundle[PLOTLY]
        height = int(figure.get("layout", {}).get("height") or 420)
        yield Part("plot", script_json(figure), description(figure), height)
    elif bundle.get("text/html"):
        yield Part("html", sanitized(_joined(bundle["text/html"])))
    elif kind := next((kind for kind in _PICTURES if kind in bundle), None):
        yield Part("picture", _address(kind, _joined(bundle[kind])), words)
    elif bundle.get("text/markdown"):
        yield Part("prose", _prose(_joined(bundle["text/markdown"])))
    elif words.strip():
        yield Part("text", words)


def _address(kind: str, content: str) -> str:
    import urllib.parse

    if kind == "image/svg+xml":
        return f"data:{kind},{urllib.parse.quote(content)}"
    return f"data:{kind};base64,{''.join(content.split())}"


def _joined(text: Any) -> str:
    return "".join(text) if isinstance(text, list) else text if isinstance(text, str) else json.dumps(text)


def _prose(markdown: str) -> str:
    """Turn Markdown into HTML that does nothing, and its formulas into MathML, which browsers read and speak.

    The formulas take the place of words that nobody can have written, after everything else has been sanitised.
    """
    from nbconvert.filters.markdown_mistune import IPythonRenderer, MarkdownWithMath

    word, formulas = secrets.token_hex(8), list[str]()

    class Renderer(IPythonRenderer):
        def block_math(self, body: str) -> str:
            return self._kept(f'<div class="formula">{formula(body, "block")}</div>')

        def multiline_math(self, text: str) -> str:
            return self.block_math(text)

        def inline_math(self, body: str) -> str:
            return self._kept(formula(body, "inline"))

        def _kept(self, html: str) -> str:
            formulas.append(html)
            return f"{word}n{len(formulas) - 1}n"

    html: str = MarkdownWithMath(renderer=Renderer(escape=False, exclude_anchor_links=True)).render(markdown)
    # what stands in a tag is left alone: a formula there would end it
    found = re.compile(rf"""<(?:"[^"]*"|'[^']*'|[^'">])*>|{word}n(\d+)n""")
    return found.sub(lambda at: formulas[int(at[1])] if at[1] else at[0], sanitized(html))
