"""What a notebook found: numbers, tables, figures and claims, on disk as soon as each is known."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from workbench.core.errors import SettingsError
from workbench.runs.claims import Claim, with_holm
from workbench.store import atomic
from workbench.store.plain import to_plain
from workbench.store.secrets import redact

if TYPE_CHECKING:
    import pandas as pd
    import plotly.graph_objects as go

__all__ = ["Results"]

_FILE_NAME = re.compile(r"[A-Za-z0-9][\w.@+-]*")


@dataclass
class Results:
    """The content of results.json, rewritten in one stroke at every change.

    It holds no time, no path and no machine: the same parameters and seed give the same bytes.
    """

    folder: Path
    about: dict[str, Any]
    """Paper, title, question and parameters."""
    numbers: dict[str, Any] = field(default_factory=dict)
    tables: dict[str, Any] = field(default_factory=dict)
    figures: dict[str, Any] = field(default_factory=dict)
    claims: dict[str, Claim] = field(default_factory=dict)

    def record(self, name: str, value: Any) -> None:
        """Keep a number, or a mapping or list of numbers, under a name."""
        self.numbers[name] = to_plain(value)
        self.save()

    def table(self, name: str, frame: pd.DataFrame, caption: str, *, kept: str = "") -> None:
        """Keep a table: its columns and rows as they are, an index with names as leading columns.

        Args:
            name: What it is called.
            frame: The table.
            caption: What it shows.
            kept: Where it was not measured by this run: the command that measured it.
        """
        flat = frame.reset_index() if any(label is not None for label in frame.index.names) else frame
        columns = [" / ".join(map(str, c)) if isinstance(c, tuple) else str(c) for c in flat.columns]
        rows = [[to_plain(cell) for cell in row] for row in flat.itertuples(index=False, name=None)]
        self.tables[name] = {"caption": caption, "columns": columns, "rows": rows, **_made_by(kept)}
        self.save()

    def figure(self, name: str, figure: go.Figure, caption: str, *, kept: str = "") -> Path:
        """Keep a plotly figure as figures/NAME.json, with `kept` as for a table; returns that file."""
        if not _FILE_NAME.fullmatch(name):
            raise SettingsError(
                got=f"a figure called {name!r}",
                needed="a name that can be a file's: letters, digits, and any of _ . @ + -",
                fix="rename the figure; the caption may say anything",
            )
        file = self.folder / "figures" / f"{name}.json"
        atomic.write_json(file, json.loads(figure.to_json()))
        self.figures[name] = {"caption": caption, "file": f"figures/{name}.json", **_made_by(kept)}
        self.save()
        return file

    def claim(self, claim: Claim) -> None:
        """Keep a claim; the same statement again replaces it."""
        self.claims[claim.statement] = claim
        self.save()

    def save(self) -> None:
        """Write results.json."""
        content: Mapping[str, Any] = {
            **self.about,
            "numbers": self.numbers,
            "tables": self.tables,
            "figures": self.figures,
            "claims": [to_plain(claim) for claim in with_holm(self.claims).values()],
        }
        atomic.write_json(self.folder / "results.json", redact(to_plain(content)))


def _made_by(command: str) -> dict[str, str]:
    return {"kept": command} if command else {}
