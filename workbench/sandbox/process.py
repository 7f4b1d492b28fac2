"""The parent's handle on one zygote."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import threading
from collections.abc import Sequence
from concurrent.futures import Future
from pathlib import Path
from typing import Any

from workbench.core.errors import SandboxUnavailableError
from workbench.sandbox import isolation
from workbench.sandbox.inside import channel, zygote
from workbench.sandbox.program import Limits
from workbench.sandbox.runtimes import Runtime
from workbench.store.location import PACKAGE

__all__ = ["Zygote", "ZygoteDied"]

_ZYGOTE = Path(zygote.__file__)
_LOG_TAIL_BYTES = 2_000
_LEAVE_S = 2.0


class ZygoteDied(Exception):
    """The zygote is gone.

    Args:
        alone: Whether this program was the only one in flight.
        log: What the zygote wrote last.
        killed: Whether it was killed from outside, as no program can and the system does that is out of memory.
    """

    def __init__(self, alone: bool, log: str, *, killed: bool = False) -> None:
        super().__init__(log)
        self.alone, self.log, self.killed = alone, log, killed


class Zygote:
    """One interpreter of a runtime inside OS isolation, and the programs in flight in it.

    Args:
        runtime: Whose interpreter and libraries.
        limits: What each program may use.
        isolation_kind: "sandlock" or "none".
        root: The pool's folder.
        name: A file-name-safe name for the log.
        control_group: The pool's control group; None where the kernel gives it none.
    """

    def __init__(
        self,
        *,
        runtime: Runtime,
        limits: Limits,
        isolation_kind: str,
        root: Path,
        name: str,
        control_group: Path | None = None,
    ) -> None:
        self._log = root / f"{name}.log"
        self._pending: dict[int, Future] = {}
        self._lock = threading.Lock()
        self.dead = self._hung_up = False
        home = root / f"{name}.home"
        home.mkdir()
        self._process = subprocess.Popen(
            # not -I, which would ignore PYTHONHASHSEED too: the environment below is all ours anyway
            [str(runtime.python), "-s", "-B", str(_ZYGOTE)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            bufsize=0,
            cwd=home,
            env={**runtime.environment, "HOME": str(home), "TMPDIR": str(home), "MPLCONFIGDIR": str(home)},
            start_new_session=True,
        )
        assert self._process.stdin is not None and self._process.stdout is not None  # both are pipes
        self._requests, self._answers = self._process.stdin, self._process.stdout
        self._ready: Future = Future()
        readable = isolation.readable_paths([*runtime.readable, *runtime.packages])
        # installed, the workbench lies among the libraries, and its data hold the problems' own solutions
        read, listed = isolation.without(readable, PACKAGE)
        self._send(
            {
                "log": str(self._log),
                "root": str(root),
                "control_group": str(control_group or ""),
                "readable": readable,
                "program_readable": read,
                "program_listed": listed,
                "packages": list(runtime.packages),
                "isolated": isolation_kind == "sandlock",
                "tasks_of_user": isolation.tasks_of_user(),
                "limits": {
                    "memory_bytes": limits.memory_bytes,
                    "output_bytes": limits.output_bytes,
                    "disk_bytes": limits.disk_bytes,
                    "file_bytes": limits.disk_bytes,
                    "open_files": limits.open_files,
                    "processes": limits.processes,
                },
            }
        )
        self._reader = threading.Thread(target=self._read, name=f"zygote-{name}", daemon=True)
        self._reader.start()

    def submit(self, request: dict[str, Any]) -> Future:
        """Hand over one program; the future gives the zygote's answer or raises `ZygoteDied`."""
        future: Future = Future()
        with self._lock:
            if self.dead:
                raise ZygoteDied(False, self.log_tail())
            self._pending[request["id"]] = future
            self._send(request)
        return future

    def preload(self, imports: Sequence[str], *, split: bool = False) -> None:
        """Ask for modules to be imported ahead of the programs that need them, and of their graders if `split`."""
        with self._lock:
            if not self.dead:
                self._send({"imports": list(imports), "split": split})

    def _send(self, message: dict[str, Any]) -> None:
        try:
            channel.send(self._requests.fileno(), json.dumps(message).encode())
        except (channel.ChannelClosed, OSError, ValueError):
            pass  # the reader sees the end of the stream and says so to all who wait

    def _read(self) -> None:
        fd = self._answers.fileno()
        try:
            while True:
                answer = channel.receive_json(fd, 1 << 24)
                if "id" not in answer:
                    self._ready.set_result(None)
                    continue
                with self._lock:
                    future = self._pending.pop(answer["id"], None)
                if future is not None:
                    future.set_result(answer)
        except (channel.ChannelClosed, channel.ChannelOverflow, OSError, ValueError):
            pass
        with self._lock:
            self.dead = True
            pending, self._pending = self._pending, {}
        died = ZygoteDied(len(pending) == 1, self.log_tail(), killed=self._was_killed())
        for future in pending.values():
            future.set_exception(died)
        if not self._ready.done():
            self._ready.set_exception(died)

    def wait_until_ready(self, timeout_s: float) -> None:
        """Wait for the interpreter to be up.

        Raises:
            SandboxUnavailableError: if it ends, or is silent for `timeout_s`.
        """
        try:
            self._ready.result(timeout_s)
        except (ZygoteDied, TimeoutError) as error:
            self.close()
            raise SandboxUnavailableError(
                f"no start of the sandbox's interpreter ({type(error).__name__}): {self.log_tail() or 'no output'}",
                "a runtime whose interpreter starts inside the sandbox",
                "run `workbench doctor`, which says what is missing",
            ) from error

    def _was_killed(self) -> bool:
        try:
            return not self._hung_up and self._process.wait(_LEAVE_S) == -signal.SIGKILL
        except subprocess.TimeoutExpired:
            return False

    def log_tail(self) -> str:
        """Return the last lines that the zygote wrote to its standard error."""
        try:
            return self._log.read_bytes()[-_LOG_TAIL_BYTES:].decode(errors="replace").strip()
        except OSError:
            return ""

    @property
    def idle(self) -> bool:
        """Whether no program is in flight."""
        return not self._pending

    def hang_up(self) -> None:
        """Tell the interpreter to kill its programs and leave; do not wait for it."""
        self.dead = self._hung_up = True
        self._requests.close()

    def close(self) -> None:
        """End the interpreter and everything below it."""
        self.hang_up()
        try:
            self._process.wait(_LEAVE_S)
        except subprocess.TimeoutExpired:
            os.killpg(self._process.pid, signal.SIGKILL)
            self._process.wait()
        self._reader.join()
        self._answers.close()
