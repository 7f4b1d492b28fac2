"""`Sandbox`: runs untrusted programs, several at a time, and says how each ended."""

from __future__ import annotations

import itertools
import os
import tempfile
import threading
from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, CancelledError, Future, ThreadPoolExecutor, wait
from contextlib import ExitStack, contextmanager, nullcontext, suppress
from pathlib import Path
from types import TracebackType

from workbench.core.errors import SandboxUnavailableError, SettingsError
from workbench.sandbox import control_groups, machine, scratch
from workbench.sandbox import isolation as os_isolation
from workbench.sandbox.attempt import START_S, Attempts
from workbench.sandbox.process import Zygote, ZygoteDied
from workbench.sandbox.program import Limits, Program
from workbench.sandbox.runtimes import Runtime, find_runtime
from workbench.sandbox.splitting import Splitting
from workbench.sandbox.verdict import Verdict

__all__ = ["Sandbox"]

_MAX_ZYGOTES = 8
_AHEAD = 16


class Sandbox:
    r"""A pool of workers for untrusted Python programs.

    Two processes deep: a *zygote*, which imports libraries once inside OS isolation (Landlock, seccomp, no
    network, an environment of its own), and a child forked from it for each program, with a scratch folder of
    its own, limits, no capabilities and no way to signal or trace anything outside itself. A program with tests
    gets two children: the solution process never holds the tests.

    Example:
        >>> with Sandbox(workers=1) as box:
        ...     box.run("print(6 * 7)").stdout
        '42\n'

    Args:
        runtime: "main" (this environment), "ds1000", or a `Runtime`.
        workers: Programs at a time.
        timeout_s, memory_bytes, output_bytes, disk_bytes, processes, open_files: see `Limits`.
        isolation: "sandlock", or "none" for programs that you trust where the system cannot isolate.

    Raises:
        SandboxUnavailableError: where this machine cannot isolate programs; while programs run, where it has no
            memory or process left for them: that is never a verdict, and verdicts that were given stay right.
        FileError: where the disk of the scratch folders is full.
        RuntimeMissingError: where the runtime is not built.
        SettingsError: for limits that make no sense.
    """

    def __init__(
        self,
        runtime: str | Runtime = "main",
        workers: int = 2,
        timeout_s: float = 10.0,
        memory_bytes: int = 2**30,
        *,
        output_bytes: int = Limits.output_bytes,
        disk_bytes: int = Limits.disk_bytes,
        processes: int = Limits.processes,
        open_files: int = Limits.open_files,
        isolation: str = "sandlock",
    ) -> None:
        self.limits = Limits(timeout_s, memory_bytes, output_bytes, disk_bytes, processes, open_files)
        if workers < 1:
            raise SettingsError(f"workers={workers}", "at least 1 program at a time", "use workers=2")
        os_isolation.check(isolation)
        self.runtime = runtime if isinstance(runtime, Runtime) else find_runtime(runtime)
        self.workers, self.isolation = workers, isolation
        with machine.named(Path(tempfile.gettempdir()), self.limits.disk_bytes):
            self._root = scratch.make_root()
            place = control_groups.find().parent if isolation == "sandlock" else None
            self._control_group = control_groups.make(place) if place is not None else None
        # Twice as many threads as turns: while programs run, the next lie ready and the last are cleared away.
        self._threads = ThreadPoolExecutor(2 * workers, thread_name_prefix="sandbox")
        self._turns = threading.BoundedSemaphore(workers)
        self._zygotes: dict[str, Zygote] = {}
        self._lock, self._alone = threading.RLock(), threading.Lock()
        self._closed = self._grades = False
        self._owner = os.getpid()
        self._attempts = Attempts(self._root, self.limits)
        self._splitting = Splitting(self._judge_once)
        self._ids = itertools.count()

    def __enter__(self) -> Sandbox:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """End all programs and zygotes, and remove their folders. Of a fork's copy: nothing, they are not its own."""
        if os.getpid() != self._owner:
            self._closed = True
            return
        self._threads.shutdown(wait=False, cancel_futures=True)
        with self._lock:
            self._closed = True  # programs that wait for their turn start no zygote any more
            zygotes, self._zygotes = list(self._zygotes.values()), {}
        for zygote in zygotes:
            zygote.hang_up()  # all leave at the same time
        for zygote in zygotes:
            zygote.close()
        self._threads.shutdown(wait=True)
        scratch.remove(self._root)
        if self._control_group is not None:
            control_groups.remove(self._control_group)

    def run(self, program: str | Program) -> Verdict:
        """Run one program and wait for its verdict."""
        return self._result(self._submit(program))

    def map(self, programs: Iterable[str | Program]) -> Iterator[Verdict]:
        """Run programs as they come; yield their verdicts in the same order.

        Lazy: at most 16 programs a worker are taken ahead of the verdict that is waited for, so that one slow
        program does not leave the other workers idle.
        """
        waiting: deque[Future[Verdict]] = deque()
        source = iter(programs)
        try:
            for program in source:
                waiting.append(self._submit(program))
                if len(waiting) >= _AHEAD * self.workers:
                    yield self._result(waiting.popleft())
            while waiting:
                yield self._result(waiting.popleft())
        finally:
            for future in waiting:
                future.cancel()

    def as_judged(self, programs: Iterable[str | Program]) -> Iterator[tuple[int, Verdict]]:
        """Run programs as they come; yield each one's position and verdict as soon as it is known.

        Like `map`, but a slow program holds up nobody, however many come after it.
        """
        waiting: dict[Future[Verdict], int] = {}
        try:
            for position, program in enumerate(programs):
                waiting[self._submit(program)] = position
                if len(waiting) >= _AHEAD * self.workers:
                    yield from self._known(waiting)
            while waiting:
                yield from self._known(waiting)
        finally:
            for future in waiting:
                future.cancel()

    def _known(self, waiting: dict[Future[Verdict], int]) -> Iterator[tuple[int, Verdict]]:
        """Take at least one verdict out of those waited for; errors come after the verdicts that are known."""
        self._check_usable()
        done, _ = wait(waiting, return_when=FIRST_COMPLETED)
        for future in sorted(done, key=lambda future: future.cancelled() or future.exception() is not None):
            yield waiting.pop(future), self._result(future)

    def _submit(self, program: str | Program) -> Future[Verdict]:
        self._check_usable()
        try:
            return self._threads.submit(self._judge, program)
        except RuntimeError as error:  # closed this very moment
            raise _closed() from error

    def _result(self, future: Future[Verdict]) -> Verdict:
        self._check_usable()
        try:
            return future.result()
        except CancelledError as error:
            raise _closed() from error

    def _check_usable(self) -> None:
        if os.getpid() != self._owner:
            raise SandboxUnavailableError(
                f"a sandbox that process {self._owner} made, in a fork of it",
                "a sandbox made by the process that uses it: a fork has none of its threads",
                "make the sandbox after the fork",
            )
        if self._closed:
            raise _closed()

    def scratch_folders(self) -> int:
        """Count the folders of programs that are there at this moment: those in flight, and any left behind."""
        return sum(1 for path in self._root.iterdir() if path.name.isdigit())

    def warm(self, group: str, imports: Sequence[str]) -> None:
        """Start the zygote of a group and let it import modules while other programs run."""
        # Closed meanwhile, or to be started again by the first program, which says what is wrong with the machine.
        with suppress(ZygoteDied, SandboxUnavailableError, OSError):
            self._check_usable()
            self._zygote(group).preload(imports, split=self._grades)

    def _zygote(self, group: str) -> Zygote:
        with self._lock:
            if self._closed:
                raise _closed()
            zygote = self._zygotes.pop(group, None)
            if zygote is None or zygote.dead:
                if zygote is not None:
                    zygote.close()
                zygote = self._start_zygote()
            self._zygotes[group] = zygote  # the last used is last
            for name in [name for name, other in self._zygotes.items() if other.idle and name != group]:
                if len(self._zygotes) <= _MAX_ZYGOTES:
                    break
                self._zygotes.pop(name).close()
            return zygote

    def _start_zygote(self) -> Zygote:
        if self._closed:
            raise _closed()
        name = f"zygote-{next(self._ids)}"
        zygote = Zygote(
            runtime=self.runtime,
            limits=self.limits,
            isolation_kind=self.isolation,
            root=self._root,
            name=name,
            control_group=self._control_group,
        )
        try:
            zygote.wait_until_ready(START_S)
            answer = self._attempts.make(Program("pass"), nullcontext(zygote)).verdict
            if answer.status != "passed":
                raise SandboxUnavailableError(
                    f"the empty program ended as {answer.status}: {answer.message} {answer.stderr}".strip(),
                    "a sandbox in which the empty program passes",
                    "run `workbench doctor`, which says what this machine lacks",
                )
        except BaseException as error:
            zygote.close()
            if isinstance(error, SandboxUnavailableError) and machine.is_full(self._root):
                raise machine.no_room(self._root, self.limits.disk_bytes) from error
            raise
        return zygote

    def _judge(self, program: str | Program) -> Verdict:
        if isinstance(program, str):
            program = Program(program)
        return self._splitting.again(program, self._judge_once(program))

    def _judge_once(self, program: Program) -> Verdict:
        self._grades = self._grades or program.split_graded
        with machine.named(self._root, self.limits.disk_bytes):
            attempt = self._attempts.make(program, self._turn(program.group))
            if self._closed and attempt.verdict.status == "crashed":
                raise _closed()  # and with it everything that ran
            return self._judge_alone(program) if attempt.doubt else attempt.verdict

    def _judge_alone(self, program: Program) -> Verdict:
        """Run a program again by itself, with nothing in flight beside it: its verdict then is its own."""
        with self._alone, ExitStack() as turns:
            for _ in range(self.workers):
                turns.enter_context(self._turns)
            zygote = self._start_zygote()
            try:
                again = self._attempts.make(program, nullcontext(zygote))
            finally:
                zygote.close()
        if again.killed:
            raise machine.no_memory(self.limits.memory_bytes, self.workers)
        if machine.speaks_of_room(again.verdict.message, again.verdict.stderr) and not (
            again.verdict.passed or machine.has_room(self._root, self.limits.disk_bytes)
        ):
            raise machine.no_room(self._root, self.limits.disk_bytes)
        return again.verdict

    @contextmanager
    def _turn(self, group: str) -> Iterator[Zygote]:
        """Wait until a program may run; give the zygote of its group."""
        with self._turns:
            yield self._zygote(group)


def _closed() -> SandboxUnavailableError:
    return SandboxUnavailableError(
        "a sandbox that is closed", "one that is open", "use it within its `with` block, or make a new one"
    )
