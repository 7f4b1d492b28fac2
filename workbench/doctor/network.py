"""What is reached over the network: the Hub, and an endpoint that serves models."""

from __future__ import annotations

import os
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from http.client import HTTPException
from urllib.parse import urlsplit

from workbench.doctor.check import Check

__all__ = ["network_checks"]

_HUB_S = 4.0


def network_checks() -> Iterator[Check]:
    """Look at the Hub, briefly, and at the settings of an endpoint, without asking it."""
    yield _hub()
    yield _endpoint()


def _hub() -> Check:
    address = _without_secrets(os.environ.get("HF_ENDPOINT") or "https://huggingface.co")
    fix = "models and datasets from local paths work without; HF_ENDPOINT names a mirror"
    if os.environ.get("HF_HUB_OFFLINE", "").upper() in ("1", "ON", "YES", "TRUE"):
        return Check("Hub", "note", "HF_HUB_OFFLINE is set: not asked", "unset HF_HUB_OFFLINE")
    begin = time.monotonic()
    try:
        with urllib.request.urlopen(urllib.request.Request(address, method="HEAD"), timeout=_HUB_S):
            pass
    except urllib.error.HTTPError:
        pass  # an answer, whatever it says
    except (OSError, ValueError, HTTPException) as fault:
        reason = getattr(fault, "reason", fault)
        return Check("Hub", "note", f"{address} is not reachable: {reason}", fix)
    token = "with a token" if os.environ.get("HF_TOKEN") else "without a token"
    return Check("Hub", "ok", f"{address} answers in {time.monotonic() - begin:.1f} s, {token}")


def _endpoint() -> Check:
    url = _without_secrets(os.environ.get("OPENAI_BASE_URL") or "https://api.openai.com/v1")
    if os.environ.get("OPENAI_API_KEY", "").strip():
        return Check("OpenAI endpoint", "ok", f"{url}, OPENAI_API_KEY is set")
    fix = "export OPENAI_API_KEY=..., and OPENAI_BASE_URL=... for any other compatible server"
    return Check("OpenAI endpoint", "missing", "optional: no OPENAI_API_KEY, so no openai:MODEL", fix)


def _without_secrets(url: str) -> str:
    """Return an address without a user name, password or query that may be in it."""
    try:
        parts = urlsplit(url)
    except ValueError:
        return "(not an address)"
    return parts._replace(netloc=parts.netloc.rpartition("@")[2], query="", fragment="").geturl()
