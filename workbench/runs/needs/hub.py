"""Whether the Hugging Face Hub can be reached, asked once: its own client tries for half a minute."""

from __future__ import annotations

import functools
import os
import urllib.error
import urllib.request
from http.client import HTTPException
from pathlib import Path

from workbench.runs.needs.need import Lack

__all__ = ["cached_file", "hub_fault", "unreachable"]

_WAIT_S = 4.0


@functools.cache
def hub_fault() -> str:
    """Say why the Hub cannot be asked; empty where it answers, whatever it says."""
    if os.environ.get("HF_HUB_OFFLINE", "").upper() in ("1", "ON", "YES", "TRUE"):
        return "HF_HUB_OFFLINE is set"
    address = os.environ.get("HF_ENDPOINT") or "https://huggingface.co"
    try:
        with urllib.request.urlopen(urllib.request.Request(address, method="HEAD"), timeout=_WAIT_S):
            return ""
    except urllib.error.HTTPError:
        return ""
    except (OSError, ValueError, HTTPException) as fault:
        return str(getattr(fault, "reason", fault))


def cached_file(name: str, file: str, *, kind: str, revision: str | None = None) -> Path | None:
    """Return a file of a repository where it lies in the local cache; None where it does not.

    Args:
        name: `owner/name` on the Hub.
        file: Its path in the repository.
        kind: `model` or `dataset`.
        revision: A commit, tag or branch; the newest where None.
    """
    import huggingface_hub

    found = huggingface_hub.try_to_load_from_cache(name, file, revision=revision, repo_type=kind)
    return Path(found) if isinstance(found, str) else None


def unreachable(what: str) -> Lack:
    """Return the lack of something that is on the Hub only.

    Args:
        what: Its name there.
    """
    return Lack(
        got=f"{what} is not in the local cache, and the Hub cannot be asked ({hub_fault()})",
        needed="a connection to the Hub once, or the files here",
        fix="connect, or set HF_ENDPOINT to a mirror; or name a local folder or file instead",
    )
