"""Keeping secrets out of what a run writes."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from workbench.core.errors import SettingsError

__all__ = ["hide", "names_secret", "redact", "refuse_secrets"]

HIDDEN = "(hidden)"
SHORTEST_SECRET = 8
"""Characters below which a key is a word for a server that asks for none; each letter of a message could be it."""
_NAMES = {
    "apikey", "auth", "authorization", "credential", "credentials", "key", "passphrase", "passwd", "password",
    "secret", "secrets", "token",
}  # fmt: skip
_URL_LOGIN = re.compile(r"(?<=://)[^/\s@]+@")
_KNOWN_SHAPES = re.compile(
    r"\b(?:sk-[\w-]{16,}|hf_\w{16,}|gh[pousr]_\w{16,}|AKIA[0-9A-Z]{16}|xox[abp]-[\w-]{10,})"
)


def names_secret(name: str) -> bool:
    """Tell whether a parameter's name says that it holds a secret (api_key does, max_tokens does not)."""
    return bool(_NAMES & set(re.split(r"[^a-z]+", name.lower())))


def refuse_secrets(parameters: Mapping[str, Any]) -> None:
    """Refuse parameters that hold secrets: they would end up in the executed notebook.

    Raises:
        SettingsError: Names the parameters, never their values.
    """
    found = [
        name for name, value in parameters.items() if names_secret(name) and isinstance(value, str) and value
    ]
    if found:
        raise SettingsError(
            got=f"a secret as parameter: {', '.join(found)}",
            needed="parameters that may be written into notebooks and reports",
            fix="give secrets by the environment, e.g. `export OPENAI_API_KEY=...`",
        )


def hide(text: str, secret: str) -> str:
    """Return a text in which a secret is hidden.

    >>> hide("the key sk-0123456789 is wrong", "sk-0123456789"), hide("a wrong key", "a")
    ('the key *** is wrong', 'a wrong key')
    """
    return text.replace(secret, "***") if len(secret) >= SHORTEST_SECRET else text


def redact(value: Any) -> Any:
    """Return plain JSON with every string that is a secret, by its name or by its shape, hidden.

    >>> redact({"api_key": "x", "url": "http://me:pw@host/", "max_tokens": 512})
    {'api_key': '(hidden)', 'url': 'http://(hidden)@host/', 'max_tokens': 512}
    """
    if isinstance(value, dict):
        return {
            name: HIDDEN if isinstance(item, str) and item and names_secret(name) else redact(item)
            for name, item in value.items()
        }
    if isinstance(value, list):
        return [redact(item) for item in value]
    if isinstance(value, str):
        return _KNOWN_SHAPES.sub(HIDDEN, _URL_LOGIN.sub(f"{HIDDEN}@", value))
    return value
