"""The table of many seeds that is kept in the repository: every outcome's means, and the command that made them."""

from __future__ import annotations

import json
import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from workbench.core.errors import DataError
from workbench.policies.outcomes import PolicyOutcome, measures
from workbench.store import atomic

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["SeedTable", "read_table", "write_table"]

DIGITS = 4
PLACE = ["arm", "weight", "seed", "decoding"]


@dataclass(frozen=True)
class SeedTable:
    """Outcomes of many seeds, as means over prompts."""

    command: str
    """What made it."""
    frame: pd.DataFrame
    """As `measures` returns it."""
    facts: dict[str, Any]
    """What else is known: settings, the aspects chosen, inconsistencies by seed."""


def write_table(
    file: Path, outcomes: Sequence[PolicyOutcome], *, command: str, facts: dict[str, Any]
) -> SeedTable:
    """Write the means of all outcomes: a line for each outcome and decoding.

    Args:
        file: JSON.
        outcomes: Of all seeds.
        command: What makes the file.
        facts: What else is to be kept: plain values.
    """
    frame = measures(outcomes)
    columns = list(dict.fromkeys(frame["measure"]))
    wide = frame.pivot_table(index=PLACE, columns="measure", values="value", sort=False, dropna=False)
    wide = wide.dropna(how="all")[columns].round(DIGITS).reset_index()
    rows = [
        [None if isinstance(value, float) and math.isnan(value) else value for value in row]
        for row in wide.to_numpy().tolist()
    ]
    head = json.dumps({"command": command, "facts": facts, "columns": [*PLACE, *columns]}, ensure_ascii=False)
    lines = ",\n".join(json.dumps(row) for row in rows)
    atomic.write_bytes(file, f'{head[:-1]}, "rows": [\n{lines}\n]}}\n'.encode())
    return read_table(file)


def read_table(file: Path) -> SeedTable:
    """Read what `write_table` wrote.

    Raises:
        DataError: The file is missing or holds something else.
    """
    import pandas as pd

    try:
        said = json.loads(file.read_text(encoding="utf-8"))
        wide = pd.DataFrame(said["rows"], columns=said["columns"]).astype({"weight": float})
        frame = wide.melt(id_vars=PLACE, var_name="measure", value_name="value").dropna(subset=["value"])
        return SeedTable(said["command"], frame.reset_index(drop=True), said["facts"])
    except (OSError, ValueError, TypeError, KeyError) as error:
        raise DataError(
            got=f"{file}: {type(error).__name__}: {error}",
            needed="the table of many seeds",
            fix="python -m workbench.recipes.alarm_seeds --out FOLDER",
        ) from error
