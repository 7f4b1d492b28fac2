"""`Sandbox`: runs untrusted programs, several at a time, and says how each ended."""

from __future__ import annotations

import itertools
import json
import threading
from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from contextlib import AbstractContextManager, contextmanager, nullcontext, suppress
from pathlib import Path
from types import TracebackType

from workbench.errors import SandboxUnavailableError, SettingsError
from workbench.sandbox import isolation as os_isolation
from workbench.sandbox import scratch
from workbench.sandbox.evidence import read_verdict
from workbench.sandbox.process import Zygote, ZygoteDied
from workbench.sandbox.program import Limits, Program
from workbench.sandbox.runtimes import Runtime, find_runtime
from workbench.sandbox.verdict import Verdict

__all__ = ["Sandbox"]

_START_S = 120.0  # a cold disk may take this long to import a library
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
        SandboxUnavailableError: where this machine cannot isolate programs.
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
        self._root = scratch.make_root()
        # Twice as many threads as turns: while programs run, the next lie ready and the last are cleared away.
        self._threads = ThreadPoolExecutor(2 * workers, thread_name_prefix="sandbox")
        self._turns = threading.BoundedSemaphore(workers)
        self._zygotes: dict[str, Zygote] = {}
        self._lock = threading.RLock()
        self._closed = False
        self._ids = itertools.count()

    def __enter__(self) -> Sandbox:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """End all programs and zygotes, and remove their folders."""
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

    def run(self, program: str | Program) -> Verdict:
        """Run one program and wait for its verdict."""
        return self._threads.submit(self._judge, program).result()

    def map(self, programs: Iterable[str | Program]) -> Iterator[Verdict]:
        """Run programs as they come; yield their verdicts in the same order.

        Lazy: at most 16 programs a worker are taken ahead of the verdict that is waited for, so that one slow
        program does not leave the other workers idle.
        """
        waiting: deque[Future[Verdict]] = deque()
        source = iter(programs)
        try:
            for program in source:
                waiting.append(self._threads.submit(self._judge, program))
                if len(waiting) >= _AHEAD * self.workers:
                    yield waiting.popleft().result()
            while waiting:
                yield waiting.popleft().result()
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
                waiting[self._threads.submit(self._judge, program)] = position
                if len(waiting) >= _AHEAD * self.workers:
                    yield from _known(waiting)
            while waiting:
                yield from _known(waiting)
        finally:
            for future in waiting:
                future.cancel()

    def scratch_folders(self) -> int:
        """Count the folders of programs that are there at this moment: those in flight, and any left behind."""
        return sum(1 for path in self._root.iterdir() if path.name.isdigit())

    def warm(self, group: str, imports: Sequence[str]) -> None:
        """Start the zygote of a group and let it import modules while other programs run."""
        with suppress(ZygoteDied):  # closed meanwhile, or to be started again by the first program
            self._zygote(group).preload(imports)

    def _zygote(self, group: str) -> Zygote:
        with self._lock:
            if self._closed:
                raise ZygoteDied(True, "the sandbox is closed")
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
        name = f"zygote-{next(self._ids)}"
        zygote = Zygote(
            runtime=self.runtime,
            limits=self.limits,
            isolation_kind=self.isolation,
            root=self._root,
            name=name,
        )
        zygote.wait_until_ready(_START_S)
        answer, _ = self._attempt(Program("pass"), nullcontext(zygote))
        if answer.status != "passed":
            zygote.close()
            raise SandboxUnavailableError(
                f"the empty program ended as {answer.status}: {answer.message} {answer.stderr}".strip(),
                "a sandbox in which the empty program passes",
                "run `workbench doctor`, which says what this machine lacks",
            )
        return zygote

    def _judge(self, program: str | Program) -> Verdict:
        if isinstance(program, str):
            program = Program(program)
        verdict, alone = self._attempt(program, self._turn(program.group))
        if verdict.status == "crashed" and not alone and not self._closed:
            # Several programs were in flight when their zygote died: ask this one again, by itself.
            with self._turns:
                zygote = self._start_zygote()
                try:
                    verdict, _ = self._attempt(program, nullcontext(zygote))
                finally:
                    zygote.close()
        return verdict

    @contextmanager
    def _turn(self, group: str) -> Iterator[Zygote]:
        """Wait until a program may run; give the zygote of its group."""
        with self._turns:
            yield self._zygote(group)

    def _attempt(self, program: Program, turn: AbstractContextManager[Zygote]) -> tuple[Verdict, bool]:
        """Run a program when its turn comes; also tell whether a crash is surely its own."""
        number = next(self._ids)
        folder = self._root / str(number)
        request = {
            "id": number,
            "folder": str(folder),
            "graded": program.tests is not None,
            "split": program.split,
            "stdin": bool(program.stdin),
            "imports": program.imports(),
            "timeout_s": self.limits.timeout_s,
        }
        try:
            _lay_out(folder, program)
            with turn as zygote:
                answer = zygote.submit(request).result(_START_S + self.limits.timeout_s)
            return read_verdict(program, folder, answer, self.limits), True
        except ZygoteDied as died:
            return Verdict("crashed", f"the program took its sandbox down: {died.log}"[:2_000]), died.alone
        except TimeoutError:
            zygote.close()
            return Verdict("crashed", "the sandbox stopped answering"), False
        finally:
            scratch.remove(folder)


def _known(waiting: dict[Future[Verdict], int]) -> Iterator[tuple[int, Verdict]]:
    """Take at least one verdict out of those waited for."""
    done, _ = wait(waiting, return_when=FIRST_COMPLETED)
    for future in done:
        yield waiting.pop(future), future.result()


def _lay_out(folder: Path, program: Program) -> None:
    for role in ("solution", "grader"):
        (folder / role).mkdir(parents=True)
    if program.tests is None:
        (folder / "solution.json").write_text(json.dumps({"code": program.code}))
    else:
        (folder / "grader.json").write_text(json.dumps({"code": program.code, "tests": program.tests}))
    if program.stdin:
        (folder / "stdin").write_bytes(program.stdin.encode(errors="surrogatepass"))
