"""An endpoint that speaks as OpenAI's does, on this machine."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

__all__ = ["Endpoint", "Reply", "chat"]

Reply = tuple[int, object]
"""A status, and a body: bytes as they are, a text as HTML's type, all else as JSON."""


def chat(text: str | None) -> Reply:
    """Return a reply of one choice; None: a refusal to speak."""
    return 200, {
        "id": "1",
        "object": "chat.completion",
        "choices": [{"index": 0, "message": {"role": "assistant", "content": text}}],
    }


class Endpoint:
    """Answers each request by a function of (path, body, number of the request), a thread each, on a free port."""

    def __init__(self, answer: Callable[[str, dict[str, Any], int], Reply]) -> None:
        self.requests: list[tuple[str, dict[str, Any]]] = []
        self.most_at_once = self._at_once = 0
        lock, endpoint = threading.Lock(), self

        class Handler(BaseHTTPRequestHandler):
            def log_message(self, *_: object) -> None:
                pass

            def do_POST(self) -> None:
                body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
                with lock:
                    endpoint.requests.append((self.path, body))
                    number = len(endpoint.requests)
                    endpoint._at_once += 1
                    endpoint.most_at_once = max(endpoint.most_at_once, endpoint._at_once)
                status, content = answer(self.path, body, number)
                with lock:
                    endpoint._at_once -= 1
                text = content if isinstance(content, bytes) else json.dumps(content).encode()
                try:
                    self.send_response(status)
                    self.send_header(
                        "Content-Type", "text/html" if isinstance(content, str) else "application/json"
                    )
                    self.send_header("retry-after-ms", "1")
                    self.send_header("Content-Length", str(len(text)))
                    self.end_headers()
                    self.wfile.write(text)
                except (BrokenPipeError, ConnectionResetError):
                    pass  # a client that timed out

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        threading.Thread(target=self.server.serve_forever, args=(0.05,), daemon=True).start()
        self.url = f"http://127.0.0.1:{self.server.server_port}/v1"

    @property
    def bodies(self) -> list[dict[str, Any]]:
        """What was asked, in order."""
        return [body for _, body in self.requests]

    def close(self) -> None:
        self.server.shutdown()
        self.server.server_close()
