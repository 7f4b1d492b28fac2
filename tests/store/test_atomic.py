"""Files are replaced whole, and a lock lasts as long as its process."""

import errno
import json
import signal
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor

import pytest

from workbench.store import atomic


def test_a_failed_write_leaves_the_old_file_and_no_litter(tmp_path):
    file = tmp_path / "a.json"
    atomic.write_json(file, {"a": 1})
    with pytest.raises(ValueError, match="JSON compliant"):
        atomic.write_json(file, {"a": float("nan")})
    assert file.read_text() == '{\n "a": 1\n}\n'
    assert [entry.name for entry in tmp_path.iterdir()] == ["a.json"]


def test_a_lock_ends_with_its_process_even_when_killed(tmp_path):
    file = tmp_path / "lock"
    program = (
        "import sys, time\nfrom pathlib import Path\nfrom workbench.store import atomic\n"
        "with atomic.lock(Path(sys.argv[1])):\n    print('held', flush=True)\n    time.sleep(60)\n"
    )
    holder = subprocess.Popen([sys.executable, "-c", program, str(file)], stdout=subprocess.PIPE, text=True)
    assert holder.stdout.readline() == "held\n"
    assert atomic.is_locked(file)
    holder.send_signal(signal.SIGKILL)
    holder.wait()
    holder.stdout.close()
    assert not atomic.is_locked(file)


def held_elsewhere(file) -> bool:
    """Whether another process finds the lock taken."""
    program = (
        "import sys\nfrom pathlib import Path\nfrom workbench.store import atomic\n"
        "print(atomic.is_locked(Path(sys.argv[1])))"
    )
    told = subprocess.run(
        [sys.executable, "-c", program, str(file)], capture_output=True, text=True, check=True
    )
    return told.stdout == "True\n"


def test_asking_about_a_lock_of_ones_own_or_taking_it_again_does_not_lose_it(tmp_path):
    file = tmp_path / "lock"
    with atomic.lock(file):
        assert atomic.is_locked(file)
        with atomic.lock(file, wait=False) as again:
            assert again
        assert held_elsewhere(file)
    assert not atomic.is_locked(file)
    assert not held_elsewhere(file)


def test_a_lock_that_another_process_holds_is_not_held_inside_either(tmp_path):
    file = tmp_path / "lock"
    program = (
        "import sys\nfrom pathlib import Path\nfrom workbench.store import atomic\n"
        "with atomic.lock(Path(sys.argv[1])):\n    print('held', flush=True)\n    sys.stdin.read()\n"
    )
    with subprocess.Popen(
        [sys.executable, "-c", program, str(file)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as holder:
        assert holder.stdout.readline() == "held\n"
        with atomic.lock(file, wait=False) as outside, atomic.lock(file, wait=False) as inside:
            assert (outside, inside) == (False, False)
    assert not atomic.is_locked(file)


def test_threads_exclude_each_other(tmp_path):
    file = tmp_path / "lock"
    with atomic.lock(file), ThreadPoolExecutor(1) as thread:

        def take():
            with atomic.lock(file, wait=False) as held:
                return held

        assert thread.submit(take).result() is False
        assert thread.submit(atomic.is_locked, file).result()
    with atomic.lock(file, wait=False) as held:
        assert held


NO_LOCKS = """
import errno, fcntl, sys
real = fcntl.lockf

def lockf(stream, how):
    if str(stream.name).startswith(sys.argv[1]):
        raise OSError(getattr(errno, sys.argv[2]), "no locks on this disk")
    return real(stream, how)

fcntl.lockf = lockf
from pathlib import Path
from workbench.store import atomic
"""


@pytest.mark.parametrize("fault", ["ENOLCK", "ENOSYS", "EOPNOTSUPP", "EINVAL"])
def test_a_disk_without_locks_is_told_of_and_used(tmp_path, fault):
    """It was taken for a lock that is held: 'another process is scoring', for ever."""
    program = NO_LOCKS + (
        "for _ in range(2):\n    with atomic.lock(Path(sys.argv[1]) / 'lock', wait=False) as held:\n"
        "        print(held, atomic.is_locked(Path(sys.argv[1]) / 'lock'))\n"
    )
    words = [sys.executable, "-c", program, str(tmp_path / "disk"), fault]
    done = subprocess.run(words, capture_output=True, text=True, check=True)
    assert done.stdout == "True True\n" * 2
    assert done.stderr.count("on a disk without locks (no locks on this disk)") == 1


def test_on_a_disk_without_locks_processes_of_this_machine_exclude_each_other(tmp_path):
    waiting = NO_LOCKS + (
        "with atomic.lock(Path(sys.argv[1]) / 'lock') as held:\n    print(held, flush=True)\n    sys.stdin.read()\n"
    )
    trying = NO_LOCKS + "with atomic.lock(Path(sys.argv[1]) / 'lock', wait=False) as held:\n    print(held)\n"
    quiet, words = [sys.executable, "-W", "ignore", "-c"], [str(tmp_path / "disk"), "ENOLCK"]
    with subprocess.Popen(
        [*quiet, waiting, *words],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as holder:
        assert holder.stdout.readline() == "True\n"
        told = subprocess.run(
            [sys.executable, "-W", "ignore", "-c", trying, *words], stdout=subprocess.PIPE, check=True
        )
        assert told.stdout == b"False\n"
    told = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", trying, *words], stdout=subprocess.PIPE, check=True
    )
    assert told.stdout == b"True\n"


def test_any_other_fault_of_a_lock_is_raised(tmp_path, monkeypatch):
    def broken(stream, how):
        raise OSError(errno.EIO, "Input/output error")

    monkeypatch.setattr("fcntl.lockf", broken)
    with pytest.raises(OSError, match="Input/output"), atomic.lock(tmp_path / "lock"):
        pass


def test_half_a_surrogate_pair_is_written_as_json_writes_it(tmp_path):
    """File names that are no UTF-8 have such letters."""
    atomic.write_json(tmp_path / "a.json", {"path": "caf\udce9"})
    assert json.loads((tmp_path / "a.json").read_text(encoding="utf-8")) == {"path": "caf\udce9"}
