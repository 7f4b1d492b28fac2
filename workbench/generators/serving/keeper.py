"""A process that keeps one engine: starts it, says where it answers, and ends it once nobody uses it.

It outlives a user that is killed, and sees the lock of that user's process go: nothing is left running. Killed
itself, it takes the engine with it.
"""

from __future__ import annotations

import ctypes
import os
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import suppress
from typing import Any

import psutil

from workbench.generators.serving.place import Place
from workbench.store import atomic

__all__ = ["Keeper", "main"]

MARK = "WORKBENCH_SERVED"
"""Environment variable by which an engine's processes are known."""
LOOK_S = 0.2
STEP_S = 5.0
"""So much processor time, in seconds, is a sign of work; to be asked for its health takes an engine less."""
END_S = 5.0
"""An engine that is told to end is killed after this."""
PORTS = 3
"""Ports that are tried where somebody else takes one first."""
_PR_SET_PDEATHSIG = 1


class Keeper:
    """Keeps the engine of a place.

    Args:
        place: Its record `launch` says what to start.
    """

    def __init__(self, place: Place) -> None:
        self.place, self.launch = place, place.read("launch") or {}
        self.mark = f"{place.folder.name}-{os.getpid()}"

    def run(self) -> None:
        """Start the engine and stay until it ends, or nobody uses it."""
        for _ in range(PORTS):
            port = free_port()
            engine = self._start(port)
            try:
                why = self._healthy(engine, port)
                died_early = bool(why) and engine.poll() is not None
                if why is None:
                    self.place.write("engine", {"port": port, "pid": engine.pid, "mark": self.mark})
                    why = self._ended(engine)
            finally:
                self.place.remove("engine")
                self._end(engine)
            if not died_early or can_bind(port):  # else somebody took the port between our look and its start
                break
        if why:
            self.place.write("ended", {"why": why, "mark": self.mark})

    def _start(self, port: int) -> subprocess.Popen[bytes]:
        command = [word.replace("{port}", str(port)) for word in self.launch["command"]]
        with self.place.log.open("ab") as log:
            log.write(f"$ {' '.join(command)}\n".encode())
            log.flush()
            return subprocess.Popen(
                command,
                env=os.environ | self.launch["environment"] | {MARK: self.mark},
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
                preexec_fn=_end_with_us(),  # noqa: PLW1509 - one system call, and the process has one thread
            )

    def _healthy(self, engine: subprocess.Popen[bytes], port: int) -> str | None:
        """Wait until the engine answers; return why it does not, where it ends or works no more."""
        waits = _Patience(self.launch["idle_s"], lambda: self._signs(engine))
        while engine.poll() is None:
            if answers(f"http://127.0.0.1:{port}{self.launch['health']}") and self._listens(engine, port):
                return None
            if self._unused():
                return ""
            if waits.in_vain():
                return f"was not healthy, and did nothing for {waits.limit_s:g} s"
            time.sleep(LOOK_S)
        return f"{how_it_ended(engine.returncode)} before it was healthy"

    def _ended(self, engine: subprocess.Popen[bytes]) -> str:
        """Wait until the engine ends, or works no more while it is asked; empty where nobody uses it any more."""
        waits = _Patience(self.launch["idle_s"], lambda: self._signs(engine))
        while engine.poll() is None:
            if self._unused():
                return ""
            if not self._asked():
                waits.reset()
            elif waits.in_vain():
                return f"did nothing for {waits.limit_s:g} s"
            time.sleep(LOOK_S)
        return how_it_ended(engine.returncode)

    def _unused(self) -> bool:
        # kept until this process ends: who comes now waits, and then starts an engine of their own
        self._claimed = self.place.claim(self.place.users)
        return self._claimed is not None

    def _asked(self) -> bool:
        if (file := self.place.claim(self.place.asked)) is not None:
            file.close()
        return file is None

    def _signs(self, engine: subprocess.Popen[bytes]) -> tuple[int, int]:
        """Return what changes while the engine works: its log's length, and its processor time in whole steps."""
        spent = 0.0
        for process in self._processes(engine):
            with suppress(psutil.Error):
                spent += sum(process.cpu_times())
        return self.place.log.stat().st_size, int(spent / STEP_S)

    def _listens(self, engine: subprocess.Popen[bytes], port: int) -> bool:
        """Tell whether it is the engine, and nobody else, who answers at a port."""
        for process in self._processes(engine):
            with suppress(psutil.Error):
                look: Callable[..., Any] = getattr(process, "net_connections", None) or process.connections
                found = look(kind="tcp")
                if any(one.status == psutil.CONN_LISTEN and one.laddr.port == port for one in found):
                    return True
        return False

    def _end(self, engine: subprocess.Popen[bytes]) -> None:
        """End all processes of the engine: by SIGTERM, and what is then left by SIGKILL."""
        left = list(self._processes(engine))
        if engine.poll() is None:
            engine.terminate()
            with suppress(subprocess.TimeoutExpired):
                engine.wait(END_S)
        for process in {*left, *self._processes(engine)}:
            with suppress(psutil.Error):
                process.kill()
        engine.wait()

    def _processes(self, engine: subprocess.Popen[bytes]) -> Iterator[psutil.Process]:
        """Yield the engine's processes that live: of its session, or with its mark, whoever their parent is now."""
        for process in psutil.process_iter():
            with suppress(psutil.Error, OSError):
                if process.status() != psutil.STATUS_ZOMBIE and (
                    os.getsid(process.pid) == engine.pid or process.environ().get(MARK) == self.mark
                ):
                    yield process


class _Patience:
    """A wait that is in vain once the signs of work have stayed the same for some seconds."""

    def __init__(self, limit_s: float, signs: Callable[[], object]) -> None:
        self.limit_s, self._signs = limit_s, signs
        self.reset()

    def reset(self) -> None:
        """Begin to wait."""
        self._seen: object = None
        self._since = self._looked = time.monotonic()

    def in_vain(self) -> bool:
        """Look for signs, twenty times in the longest wait: all processes of the machine are asked for them."""
        now = time.monotonic()
        if now - self._looked >= self.limit_s / 20:
            self._looked = now
            if (signs := self._signs()) != self._seen:
                self._seen, self._since = signs, now
        return now - self._since > self.limit_s


def free_port() -> int:
    """Return a port of this machine that nobody listens at."""
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        return int(sock.getsockname()[1])


def can_bind(port: int) -> bool:
    """Tell whether a port is free."""
    with socket.socket() as sock:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            sock.bind(("127.0.0.1", port))
        except OSError:
            return False
    return True


def answers(url: str) -> bool:
    """Tell whether a server answers with 200."""
    try:
        with urllib.request.build_opener(urllib.request.ProxyHandler({})).open(url, timeout=5) as reply:
            return bool(reply.status == 200)
    except (OSError, ValueError):
        return False


def how_it_ended(status: int) -> str:
    """Say how a process ended.

    >>> how_it_ended(-9), how_it_ended(1)
    ('was killed by SIGKILL', 'ended with status 1')
    """
    return f"was killed by {signal.Signals(-status).name}" if status < 0 else f"ended with status {status}"


def _end_with_us() -> Callable[[], object] | None:
    """Return what makes a child end when this process is killed."""
    if sys.platform != "linux":
        return None
    libc = ctypes.CDLL(None)  # loaded before the fork, after which little is safe
    return lambda: libc.prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)


def main(name: str) -> None:
    """Keep the engine of a place."""
    place = Place(name)
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))
    with atomic.lock(place.keeper):
        try:
            Keeper(place).run()
        except OSError as fault:
            place.write("ended", {"why": f"could not be started: {fault}"})


if __name__ == "__main__":
    main(sys.argv[1])
