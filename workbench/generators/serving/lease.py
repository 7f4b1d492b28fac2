"""The use of an engine by this process: it is started where it does not run, and ends with its last user."""

from __future__ import annotations

import json
import secrets
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from hashlib import sha256

from workbench.core.errors import GeneratorError
from workbench.generators.address import Address
from workbench.generators.serving.place import Place
from workbench.store import atomic
from workbench.store.secrets import hide

__all__ = ["Launch", "Lease"]

LOOK_S, SAY_S = 0.1, 60.0
TAIL_LINES, TAIL_CHARACTERS = 12, 1500
KEEPER = "workbench.generators.serving.keeper"


@dataclass(frozen=True)
class Launch:
    """How an engine is started."""

    engine: str
    """Its name."""
    command: tuple[str, ...]
    """With `{port}` where the port goes."""
    shared_by: tuple[str, ...]
    """What users must agree on to share one engine."""
    environment: tuple[tuple[str, str], ...] = ()
    """Variables besides those of this process."""
    key_variable: str = ""
    """The variable by which it is told the key to ask for; empty: it asks for none."""
    health: str = "/health"
    """Path that answers with 200 once the model is loaded."""
    idle_s: float = 600.0
    """Seconds without a sign of work, in its log or by its processor time, after which it is waited for no longer,
    be it for its health or for answers. As long as it works it is waited for."""

    @property
    def name(self) -> str:
        """What tells the engine from others."""
        digest = sha256(json.dumps([self.engine, *self.shared_by]).encode()).hexdigest()
        return f"{self.engine}-{digest[:16]}"


class Lease:
    """An engine of this machine in use, until `close` or the end of this process, however it ends.

    Processes that launch the same share it. It ends with the last of them.

    Args:
        launch: How it is started where it does not run.
        say: Told when an engine is started, when it answers, and once a minute what is waited for until then.

    Raises:
        GeneratorError: It does not start; its log is shown.
    """

    def __init__(self, launch: Launch, say: Callable[[str], object] = lambda text: None) -> None:
        self.launch, self._closed = launch, False
        self._place = Place(launch.name)
        with atomic.lock(self._place.starting):
            self._place.hold(self._place.users)
            try:
                self._record = self._found(say)
            except BaseException:
                self._place.release(self._place.users)
                raise

    @property
    def address(self) -> Address:
        """Where it answers."""
        return Address(f"http://127.0.0.1:{self._record['port']}/v1", self._key, is_local=True)

    @property
    def log(self) -> str:
        """The file that it writes its log to."""
        return str(self._place.log)

    def runs(self) -> bool:
        """Tell whether the engine is still the one that was found."""
        there = self._place.read("engine")
        return there is not None and there["mark"] == self._record["mark"] and self._place.is_kept

    @contextmanager
    def asked(self) -> Iterator[None]:
        """Wait for answers for the length of a `with` block: an engine that then works no more is ended."""
        self._place.hold(self._place.asked)
        try:
            yield
        finally:
            self._place.release(self._place.asked)

    def close(self) -> None:
        """Use it no longer."""
        if not self._closed:
            self._closed = True
            self._place.release(self._place.users)

    def failure(self, said: str, fix: str) -> GeneratorError:
        """Return an error that shows the end of the engine's log.

        Args:
            said: What went wrong, behind the engine's name.
            fix: What the user can do.
        """
        return GeneratorError(
            got=f"{self.launch.engine} {said}; its log, {self.log}, ends in\n{self._tail()}",
            needed="an engine that runs and answers",
            fix=fix,
        )

    def ended(self) -> GeneratorError:
        """Return the error of an engine that does not run any more."""
        end = time.monotonic() + 5.0
        while self._place.is_kept and time.monotonic() < end:
            time.sleep(LOOK_S)
        why = (self._place.read("ended") or {}).get("why") or "was killed together with its keeper"
        return self.failure(
            f"{why} while it was in use",
            "see its log; the same command starts it again and goes on where this one stopped",
        )

    def _found(self, say: Callable[[str], object]) -> dict[str, object]:
        """Return the record of the engine that runs; start one if there is none."""
        record, keeper = self._place.read("engine"), None
        if not self._place.is_kept:
            say(f"{self.launch.engine} starts; its log: {self._place.log}")
            keeper, record = self._start(), None
        begin = said = time.monotonic()
        while record is None:
            time.sleep(LOOK_S)
            if time.monotonic() - said > SAY_S:
                said = time.monotonic()
                say(f"{self.launch.engine} is not healthy yet after {said - begin:.0f} s: {self._tail(1)}")
            record = self._place.read("engine")
            if record is None and (keeper is None or keeper.poll() is not None) and not self._place.is_kept:
                why = (self._place.read("ended") or {}).get("why", "could not be started")
                raise self.failure(why, "correct what the log names, or name another engine or model")
        self._keeper = keeper  # kept, so that it is waited for once it has ended
        if keeper is not None:
            say(f"{self.launch.engine} answers after {time.monotonic() - begin:.0f} s")
        self._key = str((self._place.read("launch") or {})["key"])
        return record

    def _start(self) -> subprocess.Popen[bytes]:
        """Start the engine's keeper, which starts the engine."""
        place, launch, key = self._place, self.launch, secrets.token_hex(16)
        place.remove("engine", "ended")
        place.log.unlink(missing_ok=True)
        variables = dict(launch.environment) | ({launch.key_variable: key} if launch.key_variable else {})
        place.write(
            "launch",
            {
                "command": launch.command,
                "environment": variables,
                "health": launch.health,
                "idle_s": launch.idle_s,
                "key": key,
            },
        )
        with place.log.open("ab") as log:
            return subprocess.Popen(
                [sys.executable, "-m", KEEPER, launch.name],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,  # Ctrl-C is for us; the engine is ended when we are gone
            )

    def _tail(self, count: int = TAIL_LINES) -> str:
        """Return the last lines of the log, without the key."""
        try:
            text = self._place.log.read_text(errors="replace")
        except OSError:
            return "(there is none)"
        lines = [line.rstrip() for line in text.splitlines() if line.strip()]
        key = (self._place.read("launch") or {}).get("key", "")
        return hide("\n".join(lines[-count:])[-TAIL_CHARACTERS:], key) or "(it is empty)"
