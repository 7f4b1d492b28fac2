"""The templates of the pages, filled: one file that holds all it shows."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from workbench.core.errors import RunError
from workbench.runs.report.values import measured_text, shown
from workbench.store.reading import MALFORMED

__all__ = ["HERE", "fill"]


HERE = Path(__file__).parent


def fill(template: str, plots: bool, **values: Any) -> str:
    """Fill a template of this folder with values, and with the style, the scripts and plotly if it has plots.

    Scripts run only if the page's own head names their digest: nothing that a notebook printed is ever run.

    Raises:
        RunError: A value is not of the form that a run writes.
    """
    import jinja2

    from workbench.plots.theme import FONT, PAGE, PAGE_DARK, PLOT_DARK

    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(HERE), autoescape=True, trim_blocks=True, lstrip_blocks=True
    )
    environment.filters |= {"shown": shown, "measured": measured_text}
    scripts = [(HERE / "report.js").read_text(encoding="utf-8")]
    if plots:
        import plotly.offline

        from workbench.runs.report.paper import script_json

        # what reads a page turns every line's end into \n before it computes a digest
        scripts.insert(0, plotly.offline.get_plotlyjs().replace("\r\n", "\n").replace("\r", "\n"))
        values["plot_colours"] = script_json(PLOT_DARK)
    try:
        return environment.get_template(template).render(
            colours=PAGE,
            dark_colours=PAGE_DARK,
            font=FONT,
            style=(HERE / "report.css").read_text(encoding="utf-8"),
            scripts=scripts,
            allowed=_digests(scripts),
            **values,
        )
    except (jinja2.TemplateError, *MALFORMED) as error:
        # the templates are sound, and what they show was read from a run's files
        raise RunError(
            got=f"files of the run that hold something else than a run writes: {error}",
            needed="results.json, timings.json, state.json and manifest.json as a run left them",
            fix="restore them, or run the papers again: `workbench run --fresh --out RUN`",
        ) from error


def _digests(scripts: Sequence[str]) -> str:
    """Return what a content security policy calls these scripts."""
    digests = (base64.b64encode(hashlib.sha256(script.encode()).digest()).decode() for script in scripts)
    return " ".join(f"'sha256-{digest}'" for digest in digests)
