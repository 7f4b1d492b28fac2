"""Files are replaced whole, and a lock lasts as long as its process."""

import signal
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor

import pytest

from workbench.runs import atomic


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
        "import sys, time\nfrom pathlib import Path\nfrom workbench.runs import atomic\n"
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
        "import sys\nfrom pathlib import Path\nfrom workbench.runs import atomic\n"
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
        "import sys\nfrom pathlib import Path\nfrom workbench.runs import atomic\n"
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
