"""An engine for tests: a program named as vLLM that serves OpenAI's API, and does what a test's file tells it."""

from __future__ import annotations

import json
import sys
import textwrap
from pathlib import Path

__all__ = ["FakeEngine"]

PROGRAM = """
import json, os, pathlib, signal, subprocess, sys, threading, time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

folder = pathlib.Path({folder!r})
does = json.loads((folder / "does.json").read_text())
lock = threading.Lock()


def note(**row):
    with lock, (folder / "notes.jsonl").open("a") as file:
        file.write(json.dumps(row) + "\\n")


words = sys.argv[1:]
port = int(words[words.index("--port") + 1])
note(event="start", pid=os.getpid(), port=port, words=words, key=os.environ.get("VLLM_API_KEY"))
print("loading", words[1], flush=True)
if does.get("missing"):
    sys.exit("OSError: " + words[1] + " is not a local folder and is not a valid model identifier")
if does.get("ignores_sigterm"):
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
if does.get("worker"):
    worker = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"])
    note(event="worker", pid=worker.pid)
begin, at_once, asked = time.monotonic(), 0, 0


def log_work():
    while True:
        print("at work", flush=True)
        time.sleep(does["logs_every_s"])


if "logs_every_s" in does:
    threading.Thread(target=log_work, daemon=True).start()


class Handler(BaseHTTPRequestHandler):
    def log_message(self, *_):
        pass

    def reply(self, status, value):
        text = json.dumps(value).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("retry-after-ms", "1")
        self.send_header("Content-Length", str(len(text)))
        self.end_headers()
        self.wfile.write(text)

    def do_GET(self):
        healthy = time.monotonic() - begin >= does.get("healthy_after_s", 0)
        self.reply(200 if healthy else 503, {{}})

    def do_POST(self):
        global at_once, asked
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        with lock:
            at_once, asked = at_once + 1, asked + 1
            now, number = at_once, asked
        note(event="request", at_once=now, body=body, authorization=self.headers.get("Authorization"))
        if number > does.get("killed_after", 1e9):
            os.kill(os.getpid(), signal.SIGKILL)
        time.sleep(does.get("takes_s", 0))
        with lock:
            at_once -= 1
        n = body.get("n", 1)
        if does.get("fails"):
            return self.reply(500, {{"error": {{"message": "out of memory"}}}})
        if n > 1 and does.get("refuses_n"):
            return self.reply(400, {{"error": {{"message": "n > 1 is not supported"}}}})
        n = 1 if does.get("ignores_n") else n
        texts = [does.get("text", "result = {{}}").format(body["seed"] + i) for i in range(n)]
        said = [{{"message": {{"content": text}}, "text": text}} for text in texts]
        choices = [{{"index": i, "finish_reason": "stop", **one}} for i, one in enumerate(said)]
        self.reply(200, {{"id": "1", "object": "x", "choices": choices}})


server = ThreadingHTTPServer(("127.0.0.1", port), Handler)
server.daemon_threads = True
server.serve_forever(0.05)
"""


class FakeEngine:
    """The program, and what it noted.

    Args:
        folder: Where it goes; to be put on the PATH.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        program = folder / "vllm"
        program.write_text(f"#!{sys.executable}\n" + textwrap.dedent(PROGRAM.format(folder=str(folder))))
        program.chmod(0o755)
        self.does()

    def does(self, **what: object) -> None:
        """Tell engines that start from now on what to do; see the program."""
        (self.folder / "does.json").write_text(json.dumps(what))

    def notes(self, event: str) -> list[dict]:
        """Return what engines noted of a kind of event, in order."""
        path = self.folder / "notes.jsonl"
        rows = [json.loads(line) for line in path.read_text().splitlines()] if path.exists() else []
        return [row for row in rows if row["event"] == event]

    @property
    def bodies(self) -> list[dict]:
        """What was asked for, in order."""
        return [row["body"] for row in self.notes("request")]
