"""Chances among a world's settings."""

from __future__ import annotations

from workbench.core.errors import SettingsError

__all__ = ["check_chances"]


def check_chances(**chances: float) -> None:
    """Refuse what is no chance.

    Args:
        **chances: By the setting's name.

    Raises:
        SettingsError: One or more are not from 0 to 1; all of them are named.
    """
    faults = [
        (f"{name} {value!r}", f"{name}: a number from 0 to 1")
        for name, value in chances.items()
        if not 0 <= value <= 1
    ]
    if faults:
        raise SettingsError.listing(faults)
