"""What a paper did beside what its notebook does: every setting, the difference, and the reason for it.

A paper's folder declares what the paper and its release say (`PaperSetting`), and reads the same settings off a
notebook's parameters; the table compares the two, for the profile `paper` and for the run at hand.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

from workbench.core.errors import RunError
from workbench.runs.notebooks import notebook_called
from workbench.runs.parameters import read_parameters, resolve
from workbench.runs.profiles import profile_values

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["PaperSetting", "compared_settings", "profile_settings"]

UNEXPLAINED = "no reason is declared"


@dataclass(frozen=True)
class PaperSetting:
    """One setting as the paper has it."""

    name: str
    """What is set; the name of our value too."""
    value: Any
    """The paper's."""
    source: str = "paper"
    """Who says so: paper, release, or which of the two was taken where they differ."""
    reason: str = ""
    """Why the profile `paper` differs; empty where it does not."""


def profile_settings(paper: str, profile: str) -> SimpleNamespace:
    """Return all parameters of a paper's notebook as a profile sets them.

    Raises:
        RunError: There is no notebook of that name.
    """
    notebook = notebook_called(paper)
    if notebook is None:
        raise RunError(f"no notebook {paper}", "a notebook of that name", "name the paper's notebook")
    values = resolve(read_parameters(notebook), profile_values(notebook, profile), {})
    return SimpleNamespace(**values)


def compared_settings(
    paper: str,
    stated: Sequence[PaperSetting],
    ours: Callable[[Any], Mapping[str, Any]],
    settings: Any,
) -> pd.DataFrame:
    """Return the table 'the paper's setting / ours'.

    Args:
        paper: The notebook's name.
        stated: What the paper has.
        ours: From a notebook's parameters to the values that it trains and measures with, by the same names.
        settings: `Run.settings` of the run at hand.

    Returns:
        Columns `setting`, `the paper's`, `said by`, `profile paper` (`the same` where it does not differ), `because`
        and `this run`.
    """
    import pandas as pd

    faithful, here = ours(profile_settings(paper, "paper")), ours(settings)
    rows = []
    for setting in stated:
        papers, profile = shown(setting.value), shown(faithful[setting.name])
        differs = papers != profile
        rows.append(
            {
                "setting": setting.name,
                "the paper's": papers,
                "said by": setting.source,
                "profile paper": profile if differs else "the same",
                "because": (setting.reason or UNEXPLAINED) if differs else "",
                "this run": shown(here[setting.name]),
            }
        )
    return pd.DataFrame(rows)


def shown(value: Any) -> str:
    """Return a value as the table shows and compares it."""
    if value is None or value == ():
        return "none"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, float):
        return f"{value:g}"
    if isinstance(value, int):
        return f"{value:,}"
    if isinstance(value, tuple | list):
        return ", ".join(map(shown, value))
    return str(value)
