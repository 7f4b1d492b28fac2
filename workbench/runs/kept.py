"""Results with real models and real data that took hours: kept in `data/real`, shown beside a run's own.

What is measured is declared in `data/real/PAPER/declaration.yaml` before it runs; what came of it is `results.json`
beside it, which `python -m workbench.recipes.keep` writes from a finished run.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from workbench.core.errors import DataError
from workbench.core.terminal import show_line
from workbench.runs.report.claims import claim_rows
from workbench.store import atomic
from workbench.store.location import data_folder

if TYPE_CHECKING:
    import pandas as pd

    from workbench.runs.run import Run

__all__ = ["REAL", "KeptResults", "kept_folder", "read_declaration", "read_kept", "show_kept", "write_kept"]

REAL = "Real model, real data"
"""Begins the captions of what is kept, so that it is told from a pocket result and from the paper's numbers."""

DECLARATION = ("command", "declared", "tables", "figures")
"""What every declaration holds."""


@dataclass(frozen=True)
class KeptResults:
    """What a paper's experiment gave with real models."""

    command: str
    """What measures it again."""
    declared: Mapping[str, str]
    """What was fixed before it ran: what is compared, the data, seeds, metric and interval."""
    facts: Mapping[str, Any]
    """What was used and how far it came: models, numbers of problems, machine, hours."""
    tables: Mapping[str, Mapping[str, Any]]
    """As in results.json: caption, columns, rows."""
    figures: Mapping[str, Mapping[str, Any]]
    """A caption and the points that are drawn; see `workbench.plots.points`."""
    claims: Sequence[Mapping[str, Any]]
    """As in results.json."""


def kept_folder(paper: str) -> Path:
    """Return where a paper's declaration and kept results lie."""
    return data_folder() / "real" / paper


def read_declaration(paper: str) -> dict[str, Any] | None:
    """Read what of a paper is to be measured with real models; None where nothing is declared.

    Returns:
        `command`, `declared`, `tables` and `figures`, and maybe `claims`: statements by how they begin.

    Raises:
        DataError: The file is no YAML, or lacks one of the former, or the question that is declared.
    """
    import yaml

    file = kept_folder(paper) / "declaration.yaml"
    if not file.is_file():
        return None
    try:
        declaration = yaml.safe_load(file.read_text(encoding="utf-8"))
        found = declaration if isinstance(declaration, dict) else {}
        lacking = [name for name in DECLARATION if name not in found]
        if not lacking and "question" not in (found["declared"] or ()):
            lacking = ["question in declared"]
        if lacking:
            raise ValueError(f"no {', '.join(lacking)}")
    except (OSError, ValueError, yaml.YAMLError) as error:
        raise DataError(
            got=f"{file}: {' '.join(str(error).split())}",
            needed=f"YAML with {', '.join(DECLARATION)}, and maybe claims",
            fix="correct the file; where a text holds a colon and a space, put it in quotes",
        ) from error
    return found


def write_kept(file: Path, kept: KeptResults) -> None:
    """Write results to be kept: each row of a table on a line of its own."""
    marks: dict[str, str] = {}

    def lines(rows: Sequence[Any]) -> str:
        mark = f"@rows {len(marks)}@"
        marks[json.dumps(mark)] = (
            "[\n" + ",\n".join(json.dumps(row, ensure_ascii=False) for row in rows) + "\n]"
        )
        return mark

    plain = asdict(kept)
    for table in plain["tables"].values():
        table["rows"] = lines(table["rows"])
    for figure in plain["figures"].values():
        figure["points"]["rows"] = lines(figure["points"]["rows"])
    text = json.dumps(plain, ensure_ascii=False, indent=1)
    for mark, rows in marks.items():
        text = text.replace(mark, rows)
    atomic.write_bytes(file, f"{text}\n".encode())


def read_kept(paper: str) -> KeptResults | None:
    """Read a paper's kept results; None where none are kept.

    Raises:
        DataError: The file holds something else.
    """
    file = kept_folder(paper) / "results.json"
    if not file.is_file():
        return None
    try:
        return KeptResults(**json.loads(file.read_text(encoding="utf-8")))
    except (OSError, ValueError, TypeError) as error:
        raise DataError(
            got=f"{file}: {type(error).__name__}: {error}",
            needed="results that `python -m workbench.recipes.keep` wrote",
            fix=f"restore the file, or run `python -m workbench.recipes.keep RUN {paper}`",
        ) from error


def show_kept(run: Run) -> None:
    """Show what was measured with real models and is kept, beside what this run measures.

    Args:
        run: Of the same paper. Its results and its report take tables and figures over, marked as kept.
    """
    import pandas as pd

    from workbench.plots import bars

    kept = read_kept(run.paper)
    if kept is None:
        show_line(_not_yet(run.paper))
        return
    told = [*kept.declared.items(), *((name, _said(value)) for name, value in kept.facts.items())]
    run.table(
        "real: declared",
        pd.DataFrame([*told, ("command", kept.command)], columns=["", "what was declared, and how it went"]),
        f"{REAL}: what was declared before it was run, and how it went",
        kept=kept.command,
    )
    run.table("real: claims", _claims_table(kept.claims), f"{REAL}: the paper's claims", kept=kept.command)
    for name, figure in kept.figures.items():
        points, caption = figure["points"], f"{REAL}: {figure['caption']}"
        along, value = points["along"], points["value"]
        frame = _frame({**points, "columns": ["panel", "series", along, value, "low", "high"]})
        ends = {} if frame["low"].isna().all() else {"low": "low", "high": "high"}
        color = "series" if any(frame["series"]) else None  # one group without a name needs no legend
        drawn = bars(frame, x=along, y=value, color=color, percent=points["percent"], **ends)
        run.figure(
            f"real-{name}",
            drawn.update_xaxes(title_text=f"{along} ({REAL.lower()})"),
            caption,
            kept=kept.command,
        )
    for name, table in kept.tables.items():
        run.table(f"real: {name}", _frame(table), f"{REAL}: {table['caption']}", kept=kept.command)


def _said(value: Any) -> str:
    return (
        ", ".join(f"{name}={one}" for name, one in value.items()) if isinstance(value, dict) else str(value)
    )


def _not_yet(paper: str) -> str:
    """Say that nothing is kept, and what was declared to be measured."""
    declared = read_declaration(paper)
    if declared is None:
        return "No result with a real model is kept for this paper."
    return (
        f"No result with a real model is kept for this paper yet. What is declared: "
        f"{declared['declared']['question']} To measure it: {declared['command']}"
    )


def _frame(table: Mapping[str, Any]) -> pd.DataFrame:
    import pandas as pd

    return pd.DataFrame(table["rows"], columns=table["columns"])


def _claims_table(claims: Sequence[Mapping[str, Any]]) -> pd.DataFrame:
    import pandas as pd

    rows, _ = claim_rows(claims)
    return pd.DataFrame(
        [
            {
                "claim": row.statement,
                "the paper says": row.paper_value,
                "measured": " ".join(filter(None, (row.measured, row.interval))),
                "verdict": row.verdict.words + (f": {row.reason}" if row.reason else ""),
                "note": row.note,
            }
            for row in rows
        ]
    )
