"""What tuning tried and chose, as it is kept in a file."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from workbench.core.errors import DataError

__all__ = ["FILE", "Tuning", "read_tuning"]


FILE = "tuning.json"


@dataclass(frozen=True)
class Tuning:
    """What was tried, and what was chosen."""

    command: str
    """What makes this file."""
    seeds: tuple[int, ...]
    """Tuning seeds."""
    data: dict[str, Any]
    """The tuning data's `DataSettings`."""
    regime: str
    """The regime that was tuned in; its settings are used in all."""
    rows: tuple[dict[str, Any], ...]
    """A row for each arm and setting: `arm`, the settings, `accuracy` (mean over the seeds)."""
    chosen: dict[str, dict[str, float]]
    """By arm, the setting of the highest accuracy; of equal ones the first tried."""

    @property
    def tried(self) -> int:
        """How many settings were tried, over all arms."""
        return len(self.rows)


def read_tuning(file: Path) -> Tuning:
    """Read what was kept of a tuning.

    Raises:
        DataError: The file is missing or holds something else.
    """
    try:
        said = json.loads(file.read_text(encoding="utf-8"))
        return Tuning(**{**said, "rows": tuple(said["rows"]), "seeds": tuple(said["seeds"])})
    except (OSError, ValueError, TypeError, KeyError) as error:
        raise DataError(
            got=f"{file}: {type(error).__name__}: {error}",
            needed="the file of a tuning",
            fix="python -m workbench.recipes.haf_rm_tuning --out FOLDER",
        ) from error
