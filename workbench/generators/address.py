"""Where an OpenAI-compatible endpoint is, and the key that it takes."""

from __future__ import annotations

import os
from dataclasses import dataclass, field
from urllib.parse import urlsplit

from workbench.core.errors import GeneratorError

__all__ = ["Address", "environment_address", "environment_key", "environment_url"]

DEFAULT_URL = "https://api.openai.com/v1"


@dataclass(frozen=True)
class Address:
    """An endpoint's address."""

    url: str
    """It usually ends in /v1."""
    key: str = field(repr=False)
    """Never shown, logged or stored."""
    is_local: bool = False
    """Whether it is a server of this machine, which no proxy of the environment leads to."""

    @property
    def shown(self) -> str:
        """The address without a user name and password that may be in it."""
        parts = urlsplit(self.url)
        return (
            parts._replace(netloc=parts.netloc.rpartition("@")[2], query="", fragment="").geturl().rstrip("/")
        )


def environment_address() -> Address:
    """Return the endpoint that `OPENAI_BASE_URL` and `OPENAI_API_KEY` name; without the first it is OpenAI's own.

    Raises:
        GeneratorError: There is no key.
    """
    return Address(_url(), environment_key())


def environment_url() -> str:
    """Return its address as it may be shown; a key is not needed."""
    return Address(_url(), "").shown


def environment_key() -> str:
    """Return its key.

    Raises:
        GeneratorError: There is none.
    """
    found = os.environ.get("OPENAI_API_KEY", "").strip()
    if not found:
        raise GeneratorError(
            got="no OPENAI_API_KEY in the environment",
            needed="the key of the endpoint",
            fix="export OPENAI_API_KEY=...; any word will do for a local server that asks for none",
        )
    return found


def _url() -> str:
    return os.environ.get("OPENAI_BASE_URL") or DEFAULT_URL
