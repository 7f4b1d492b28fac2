"""The profiles pocket, real, laptop and paper: what each sets a notebook's parameters to.

* A profile changes parameters, and nothing else: no code path asks for a profile's name.
* `pocket` is what a notebook's `parameters` cell holds.
* Every other profile is a papermill parameter file, PROFILE.yaml, in the paper's folder: workbench/papers/PAPER, or
  for a notebook of one's own a folder of the notebook's name beside it.

So ``workbench run ds1000 --profile laptop -p samples=4`` and
``papermill notebooks/ds1000.ipynb out.ipynb -f workbench/papers/ds1000/laptop.yaml -p samples 4`` mean the same.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from workbench.core.errors import RunError, SettingsError
from workbench.core.suggestion import suggestion
from workbench.runs.parameters import Parameter
from workbench.store.location import PACKAGE

__all__ = ["POCKET", "PROFILES", "check_taken", "profile_file", "profile_values"]

POCKET = "pocket"
PROFILES = (POCKET, "real", "laptop", "paper")


def profile_file(notebook: Path, profile: str) -> Path | None:
    """Return the papermill parameter file of a profile; None where the notebook has none of that name."""
    papers = PACKAGE / "papers"
    folders = (notebook.with_suffix(""), papers / notebook.stem)
    return next((file for folder in folders if (file := folder / f"{profile}.yaml").is_file()), None)


def profile_values(notebook: Path, profile: str) -> dict[str, Any]:
    """Return what a profile sets beside the values of the notebook's own cell.

    Raises:
        SettingsError: There is no such profile.
        RunError: Its file cannot be read.
    """
    if profile not in PROFILES:
        raise SettingsError(
            got=f"profile {profile!r}" + suggestion(profile, PROFILES),
            needed=f"a profile among {', '.join(PROFILES)}",
            fix="name one of these",
        )
    file = profile_file(notebook, profile)
    if file is None:
        return {}  # pocket; or a notebook of one's own, which has its own values for all
    import yaml

    try:
        values = yaml.safe_load(file.read_text(encoding="utf-8"))
        if not isinstance(values, dict) or values.pop("profile", profile) != profile:
            raise ValueError(f"not a mapping with profile: {profile}")
    except (OSError, ValueError, yaml.YAMLError) as fault:
        raise RunError(
            got=f"{file}: {fault}",
            needed="a papermill parameter file: `profile: NAME`, and a line `name: value` for each parameter",
            fix="correct the file",
        ) from fault
    return values


def check_taken(
    notebook: Path, profile: str, table: Mapping[str, Parameter], given: Mapping[str, Any]
) -> None:
    """Refuse a notebook that is told a profile's name without the profile's values: it would run, mislabelled.

    Args:
        notebook: The notebook.
        profile: The name it was told.
        table: Its parameters.
        given: All of their values, as the notebook has them.

    Raises:
        SettingsError: All values that the profile changes are still the pocket profile's.
    """
    values = profile_values(notebook, profile)
    changed = [
        name for name, value in values.items() if name in table and _unlike(value, table[name].default)
    ]
    if changed and all(not _unlike(given.get(name), table[name].default) for name in changed):
        file = profile_file(notebook, profile)
        raise SettingsError(
            got=f"profile {profile!r} with the values of the profile {POCKET!r}",
            needed="the profile's own values, which are a papermill parameter file",
            fix=f"papermill ... -f {file}, or `workbench run {notebook.stem} --profile {profile}`",
        )


def _unlike(one: Any, other: Any) -> bool:
    plain = [tuple(value) if isinstance(value, list) else value for value in (one, other)]
    return plain[0] is not None and bool(plain[0] != plain[1])
