"""What a notebook found: numbers, tables, figures and claims, on disk as soon as each is known."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from workbench.core.errors import SettingsError
from workbench.store import atomic
from workbench.store.plain import to_plain
from workbench.store.secrets import redact

if TYPE_CHECKING:
    import pandas as pd
    import plotly.graph_objects as go

__all__ = ["Claim", "Results"]

UNITS = ("", "share", "points")
_FILE_NAME = re.compile(r"[A-Za-z0-9][\w.@+-]*")


@dataclass(frozen=True)
class Claim:
    """One claim of a paper beside what was measured here."""

    statement: str
    """The claim, in a sentence."""
    paper: str
    """The paper that makes it, as a reader would cite it."""
    paper_value: Any = None
    """The paper's number, or its words."""
    measured: Any = None
    """The number measured here, or words."""
    interval: tuple[float, float] | None = None
    """Its interval (95 % unless the note says otherwise), as (low, high)."""
    n: int | None = None
    """Number of samples behind the measurement."""
    seeds: int | None = None
    """Number of seeds behind the measurement."""
    supported: bool | None = None
    """Whether the measurement supports the claim; None where it does not decide."""
    note: str = ""
    """What a reader must know to read the row rightly."""
    unit: str = ""
    """Of measurement and interval: ``share`` (of 1, read as %), ``points`` (a difference of shares), or none."""
    threshold: float | None = None
    """The value that the interval has to lie clear of for a verdict: 0 for a difference, 0.5 for a win rate."""


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
    claims: dict[str, Any] = field(default_factory=dict)

    def record(self, name: str, value: Any) -> None:
        """Keep a number, or a mapping or list of numbers, under a name."""
        self.numbers[name] = to_plain(value)
        self.save()

    def table(self, name: str, frame: pd.DataFrame, caption: str) -> None:
        """Keep a table: its columns and rows as they are, an index with names as leading columns."""
        flat = frame.reset_index() if any(label is not None for label in frame.index.names) else frame
        columns = [" / ".join(map(str, c)) if isinstance(c, tuple) else str(c) for c in flat.columns]
        rows = [[to_plain(cell) for cell in row] for row in flat.itertuples(index=False, name=None)]
        self.tables[name] = {"caption": caption, "columns": columns, "rows": rows}
        self.save()

    def figure(self, name: str, figure: go.Figure, caption: str) -> Path:
        """Keep a plotly figure as figures/NAME.json; returns that file."""
        if not _FILE_NAME.fullmatch(name):
            raise SettingsError(
                got=f"a figure called {name!r}",
                needed="a name that can be a file's: letters, digits, and any of _ . @ + -",
                fix="rename the figure; the caption may say anything",
            )
        file = self.folder / "figures" / f"{name}.json"
        atomic.write_json(file, json.loads(figure.to_json()))
        self.figures[name] = {"caption": caption, "file": f"figures/{name}.json"}
        self.save()
        return file

    def claim(self, claim: Claim) -> None:
        """Keep a claim; the same statement again replaces it."""
        if claim.interval is not None and not (
            len(claim.interval) == 2 and claim.interval[0] <= claim.interval[1]
        ):
            raise SettingsError(
                got=f"interval={claim.interval!r} for the claim {claim.statement!r}",
                needed="(low, high) with low <= high",
                fix="give both ends of the interval, or None where there is none",
            )
        if claim.unit not in UNITS:
            raise SettingsError(
                got=f"unit={claim.unit!r} for the claim {claim.statement!r}",
                needed=f"one of {', '.join(map(repr, UNITS))}",
                fix="give no unit where the number is neither a share nor a difference of shares",
            )
        self.claims[claim.statement] = to_plain(claim)
        self.save()

    def save(self) -> None:
        """Write results.json."""
        content: Mapping[str, Any] = {
            **self.about,
            "numbers": self.numbers,
            "tables": self.tables,
            "figures": self.figures,
            "claims": list(self.claims.values()),
        }
        atomic.write_json(self.folder / "results.json", redact(to_plain(content)))
