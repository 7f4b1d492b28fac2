"""A small local server that speaks enough of the Hub's API for `load_dataset` and `hf_hub_download`.

Use it as a context manager and run what is tested in a process of its own with `HubServer.environment(home)`:
Hugging Face's libraries read `HF_ENDPOINT` once, when they are imported.
"""

from __future__ import annotations

import hashlib
import json
import os
import threading
from collections.abc import Mapping
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

COMMIT = "0123456789abcdef0123456789abcdef01234567"


@dataclass
class Repository:
    """A dataset or a model that the server offers."""

    files: Mapping[str, bytes]
    gated: bool = False
    """Whether it answers 401 / 403 to requests without the token `hf_accepted`."""
    cut_after: int | None = None
    """Close the connection after this many bytes of any data file, whatever position was asked for."""


@dataclass
class HubServer:
    """Serves repositories on loopback until the `with` block ends."""

    repositories: Mapping[str, Repository] = field(default_factory=dict)

    def __enter__(self) -> HubServer:
        handler = type("Handler", (_Handler,), {"repositories": self.repositories})
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
        self._server.daemon_threads = True
        threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._server.server_port}"

    def environment(self, home: Path) -> dict[str, str]:
        """Return the environment of a process that takes this server for the Hub and caches in `home`."""
        kept = {k: v for k, v in os.environ.items() if not k.startswith("HF_") and "proxy" not in k.lower()}
        return kept | {
            "HF_ENDPOINT": self.url,
            "HF_HOME": str(home),
            "HF_HUB_DISABLE_XET": "1",
            "HF_HUB_DISABLE_PROGRESS_BARS": "1",
            "HF_HUB_DISABLE_TELEMETRY": "1",
        }


class _Handler(BaseHTTPRequestHandler):
    repositories: Mapping[str, Repository]
    protocol_version = "HTTP/1.1"

    def log_message(self, *_: object) -> None:
        pass

    def do_HEAD(self) -> None:
        self._answer()

    def do_GET(self) -> None:
        self._answer()

    def do_POST(self) -> None:
        self.body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        self._answer()

    def _answer(self) -> None:
        path = self.path.split("?")[0].strip("/").replace("%2F", "/")
        api = path.startswith("api/")
        parts = path.removeprefix("api/").removeprefix("datasets/").removeprefix("models/").split("/")
        name, rest = "/".join(parts[:2]), parts[2:]
        repository = self.repositories.get(name)
        if repository is None:
            self._refuse(404 if name == "info" else 401, "RepoNotFound", "Repository not found")
        elif repository.gated and self.headers.get("Authorization") != "Bearer hf_accepted":
            status = 403 if self.headers.get("Authorization") else 401
            self._refuse(status, "GatedRepo", f"Access to dataset {name} is restricted.")
        elif api:
            self._answer_api(name, repository, rest)
        elif rest[:1] == ["resolve"] and "/".join(rest[2:]) in repository.files:
            self._send_file(repository, "/".join(rest[2:]))
        else:
            self._refuse(404, "EntryNotFound", "Entry not found")

    def _answer_api(self, name: str, repository: Repository, rest: list[str]) -> None:
        if rest[:1] == ["tree"]:
            listed = self._listed(repository, "/".join(rest[2:]))
            self._send_json(listed) if listed else self._refuse(404, "EntryNotFound", "no such folder")
        elif rest[:1] == ["paths-info"]:
            asked = self._asked_paths()
            self._send_json([self._entry(path, repository) for path in asked if path in repository.files])
        elif rest in ([], ["revision", "main"], ["revision", COMMIT]):
            siblings = [{"rfilename": path, "size": len(repository.files[path])} for path in repository.files]
            self._send_json({"id": name, "sha": COMMIT, "private": False, "tags": [], "siblings": siblings})
        else:
            self._refuse(404, "EntryNotFound", f"unknown API path {'/'.join(rest)}")

    def _listed(self, repository: Repository, folder: str) -> list[dict[str, Any]]:
        """Return what lies in a folder: files and folders of it, or of all below it too where that is asked for."""
        inside = f"{folder}/" if folder else ""
        below = [path.removeprefix(inside) for path in repository.files if path.startswith(inside)]
        found: dict[str, dict[str, Any]] = {}
        for path in below:
            first, deeper, _ = path.partition("/")
            if deeper:
                found[first] = {"type": "directory", "path": inside + first, "oid": "0" * 40, "size": 0}
            if not deeper or "recursive=true" in self.path.lower():
                found[path] = self._entry(inside + path, repository)
        return list(found.values())

    def _asked_paths(self) -> list[str]:
        if self.headers.get("Content-Type", "").startswith("application/json"):
            paths = json.loads(self.body)["paths"]
            return [paths] if isinstance(paths, str) else paths
        from urllib.parse import parse_qs

        return parse_qs(self.body.decode())["paths"]

    def _entry(self, path: str, repository: Repository) -> dict[str, Any]:
        content = repository.files[path]
        return {"type": "file", "path": path, "size": len(content), "oid": hashlib.sha1(content).hexdigest()}

    def _send_file(self, repository: Repository, path: str) -> None:
        content = repository.files[path]
        start, asked = 0, self.headers.get("Range")
        if asked:
            start = int(asked.removeprefix("bytes=").split("-")[0])
        self.send_response(206 if start else 200)
        self.send_header("X-Repo-Commit", COMMIT)
        self.send_header("ETag", f'"{hashlib.sha1(content).hexdigest()}"')
        self.send_header("Content-Length", str(len(content) - start))
        if start:
            self.send_header("Content-Range", f"bytes {start}-{len(content) - 1}/{len(content)}")
        self.end_headers()
        if self.command == "HEAD":
            return
        end = len(content)
        if repository.cut_after is not None and not path.endswith("README.md"):
            end, self.close_connection = repository.cut_after, True
        self.wfile.write(content[start:end])

    def _send_json(self, value: object) -> None:
        body = json.dumps(value).encode()
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def _refuse(self, status: int, code: str, message: str) -> None:
        self.send_response(status)
        self.send_header("X-Error-Code", code)
        self.send_header("X-Error-Message", message)
        self.send_header("Content-Length", "0")
        if code == "EntryNotFound":
            self.send_header("X-Repo-Commit", COMMIT)
        self.end_headers()
