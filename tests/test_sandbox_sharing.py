"""multiprocessing without /dev/shm: semaphores of pipes, shared memory of files, tensors by value."""

# ruff: noqa: E501 (programs stand as they are run)

from __future__ import annotations

import os
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from workbench.errors import SandboxUnavailableError
from workbench.sandbox import Sandbox
from workbench.sandbox.inside.sharing import Semaphore
from workbench.sandbox.isolation import check

RECURSIVE, SEMAPHORE = 0, 1


def make(kind: int = SEMAPHORE, value: int = 1, most: int = 1) -> Semaphore:
    return Semaphore(kind, value, most, "/name", True)


# --- semaphores ------------------------------------------------------------------------------------------------


def test_a_semaphore_counts():
    semaphore = make(value=2, most=3)
    assert (semaphore._get_value(), semaphore._is_zero()) == (2, False)
    assert semaphore.acquire()
    assert semaphore.acquire()
    assert (semaphore._get_value(), semaphore._is_zero()) == (0, True)
    assert not semaphore.acquire(False)
    started = time.monotonic()
    assert not semaphore.acquire(True, 0.05)
    assert time.monotonic() - started >= 0.05
    for _ in range(3):
        semaphore.release()
    with pytest.raises(ValueError, match="released too many times"):
        semaphore.release()


def test_a_recursive_lock_is_its_threads_own():
    lock = make(RECURSIVE)
    assert lock.acquire()
    assert lock.acquire()
    assert (lock._count(), lock._is_mine()) == (2, True)
    others = []
    thread = threading.Thread(target=lambda: others.extend([lock._is_mine(), lock.acquire(False)]))
    thread.start()
    thread.join()
    assert others == [False, False]
    lock.release()
    lock.release()
    with pytest.raises(AssertionError, match="not owned by thread"):
        lock.release()


def test_who_waits_is_woken():
    lock = make()
    lock.acquire()
    threading.Timer(0.1, lock.release).start()
    assert lock.acquire(True, 30)


def test_a_fork_shares_the_value_and_owns_nothing():
    lock = make(RECURSIVE)
    lock.acquire()
    pid = os.fork()
    if pid == 0:
        lock._after_fork()
        os._exit(0 if not lock._is_mine() and not lock.acquire(False) else 1)
    assert os.waitpid(pid, 0)[1] == 0


def test_a_semaphore_is_rebuilt_from_its_handle():
    first = make(value=5, most=9)
    ends = first._ends
    second = Semaphore._rebuild(first.handle, first.kind, first.maxvalue, first.name)
    assert second._ends == ends
    assert (second._get_value(), second.maxvalue) == (5, 9)
    second._ends = ()  # closed by the first


def test_more_than_a_pipe_holds_is_refused():
    with pytest.raises(ValueError, match="32768"):
        make(value=32_768, most=32_768)
    assert make(value=32_767, most=32_767)._get_value() == 32_767


# --- programs --------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def box() -> Iterator[Sandbox]:
    try:
        check("sandlock")
    except SandboxUnavailableError as error:
        pytest.skip(f"programs cannot be isolated here: {error}")
    with Sandbox(workers=1, timeout_s=60) as sandbox:
        yield sandbox


SQUARE = "def square(x): return x * x\n"
PROGRAMS = {
    "pool": (
        "import multiprocessing as mp\n"
        + SQUARE
        + "with mp.Pool(2) as pool: print(pool.map(square, range(4)))",
        "[0, 1, 4, 9]",
    ),
    "executor": (
        "from concurrent.futures import ProcessPoolExecutor\n"
        + SQUARE
        + "with ProcessPoolExecutor(2) as pool: print(list(pool.map(square, range(4))))",
        "[0, 1, 4, 9]",
    ),
    "queue": (
        "import multiprocessing as mp\nqueue = mp.Queue()\nprocess = mp.Process(target=queue.put, args=(42,))\nprocess.start()\nprint(queue.get())\nprocess.join()",
        "42",
    ),
    "joinable queue": (
        "import multiprocessing as mp\ndef work(queue):\n    while True:\n        queue.get()\n        queue.task_done()\nqueue = mp.JoinableQueue()\nmp.Process(target=work, args=(queue,), daemon=True).start()\nfor n in range(5): queue.put(n)\nqueue.join()\nprint('done')",
        "done",
    ),
    "value": (
        "import multiprocessing as mp\nvalue = mp.Value('i', 0)\ndef work():\n    for _ in range(100):\n        with value.get_lock(): value.value += 1\nprocesses = [mp.Process(target=work) for _ in range(3)]\nfor p in processes: p.start()\nfor p in processes: p.join()\nprint(value.value)",
        "300",
    ),
    "event, barrier, condition": (
        "import multiprocessing as mp\nevent, barrier, condition = mp.Event(), mp.Barrier(2), mp.Condition()\ndef work():\n    event.wait()\n    barrier.wait()\n    with condition: condition.notify()\np = mp.Process(target=work)\np.start()\nwith condition:\n    event.set()\n    barrier.wait()\n    print(condition.wait(30))\np.join()",
        "True",
    ),
    "array": (
        "import multiprocessing as mp\narray = mp.Array('d', 1_000_000)\ndef work(): array[999_999] = 2.5\np = mp.Process(target=work)\np.start()\np.join()\nprint(array[999_999])",
        "2.5",
    ),
    "shared memory": (
        "from multiprocessing import Process, shared_memory\nmine = shared_memory.SharedMemory(create=True, size=100)\ndef work(name):\n    theirs = shared_memory.SharedMemory(name=name)\n    theirs.buf[0] = 7\n    theirs.close()\np = Process(target=work, args=(mine.name,))\np.start()\np.join()\nprint(mine.buf[0])\nmine.close()\nmine.unlink()",
        "7",
    ),
    "joblib": (
        "from joblib import Parallel, delayed\nimport math\nprint(Parallel(n_jobs=2)(delayed(math.sqrt)(n * n) for n in range(3)))",
        "[0.0, 1.0, 2.0]",
    ),
    "asyncio": (
        "import asyncio\nasync def main():\n    process = await asyncio.create_subprocess_exec('/bin/echo', 'hi', stdout=-1)\n    print((await process.communicate())[0].decode().strip())\nasyncio.run(main())",
        "hi",
    ),
}


@pytest.mark.parametrize("name", PROGRAMS)
def test_programs_of_several_processes_run(box, name):
    program, expected = PROGRAMS[name]
    verdict = box.run(program)
    assert (verdict.status, verdict.stdout) == ("passed", f"{expected}\n"), verdict


def test_a_data_loader_has_workers(box):
    pytest.importorskip("torch")
    program = "import torch\nfrom torch.utils.data import DataLoader, TensorDataset\ndata = TensorDataset(torch.arange(20.0).reshape(10, 2))\nprint([batch[0].sum().item() for batch in DataLoader(data, batch_size=3, num_workers=2)])"
    verdict = box.run(program)
    assert (verdict.status, verdict.stdout) == ("passed", "[15.0, 51.0, 87.0, 37.0]\n"), verdict


@pytest.mark.skipif(
    os.geteuid() == 0, reason="what root's programs start anew has none of root's rights, nor its files"
)
def test_interpreters_that_are_spawned_share_too(box):
    program = "import math, multiprocessing\nwith multiprocessing.get_context('spawn').Pool(2) as pool: print(pool.map(math.sqrt, [0, 1, 4]))"
    verdict = box.run(program)
    assert (verdict.status, verdict.stdout) == ("passed", "[0.0, 1.0, 2.0]\n"), verdict


def test_what_is_shared_is_within_the_limits_and_goes_with_the_program():
    shared = "from multiprocessing import shared_memory\nfor n in range(6):\n    mine = shared_memory.SharedMemory(f'part{n}', create=True, size=20 << 20)\n    mine.buf[:] = bytes(20 << 20)\n"
    look = "from multiprocessing import shared_memory\nshared_memory.SharedMemory('part0')"
    with Sandbox(workers=1, timeout_s=30, disk_bytes=64 << 20) as box:
        assert box.run(shared).status == "output"
        assert "FileNotFoundError" in box.run(look).message
        assert box.scratch_folders() == 0
    assert not list(Path("/dev/shm").glob("part*"))


@pytest.mark.skipif(sys.platform != "linux", reason="the text is handed over as Linux takes it")
def test_the_text_for_spawned_interpreters_stands_alone(tmp_path):
    import subprocess

    from workbench.sandbox.inside import sharing

    text = Path(sharing.__file__).read_text()
    last = "import multiprocessing\nlock = multiprocessing.Lock()\nprint(type(lock._semlock).__name__, lock.acquire(), lock.acquire(False))"
    ran = subprocess.run(
        [sys.executable, "-c", f"{text}\ninstall({text!r})\n{last}"],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=True,
    )
    assert ran.stdout == "Semaphore True False\n"
