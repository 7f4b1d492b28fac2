"""Jobs on a cluster of two nodes on this machine: the same results, each node's death survived, nothing left."""

import os
import pickle
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest
import ray_cluster
from interruptible import interruptible

from workbench.core.errors import ClusterError, SettingsError
from workbench.store.cluster import Cluster, Needs, connect, workers_on
from workbench.store.jobs import run_jobs

pytestmark = pytest.mark.cluster


@pytest.fixture(scope="module")
def two_nodes():
    return ray_cluster.two_nodes()


def noted_square(job):
    """Square a number; leave a word of having begun, and wait where the test says so."""
    folder, number = job
    with (folder / f"began-{number}").open("a") as file:
        file.write(f"{os.getpid()}\n")
    while (folder / "hold").exists() and number < 2:
        time.sleep(0.05)
    if number == 13:
        os.kill(os.getpid(), signal.SIGKILL)
    if number == 7:
        raise SettingsError("seven", "another number", "take eight")
    return {"number": number * number}


def began(folder, number):
    file = folder / f"began-{number}"
    return file.read_text().split() if file.exists() else []


def wait_until(condition, seconds=240):
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "waited in vain"
        time.sleep(0.05)


def jobs_of(folder, *numbers):
    return {str(number): (folder, number) for number in numbers}


def alive(pid):
    try:
        os.kill(int(pid), 0)
    except ProcessLookupError:
        return False
    return True


def test_the_same_files_as_by_processes_of_this_machine(two_nodes, tmp_path):
    jobs = jobs_of(tmp_path, 1, 2, 3, 4)
    here = run_jobs(noted_square, jobs, tmp_path / "here", progress=False)
    there = run_jobs(
        noted_square, jobs, tmp_path / "there", workers=Cluster(two_nodes.address), progress=False
    )
    assert list(there.items()) == list(here.items())
    for name in jobs:
        assert (tmp_path / f"there/{name}.result").read_bytes() == (
            tmp_path / f"here/{name}.result"
        ).read_bytes()
    assert {file.name for file in (tmp_path / "there").iterdir()} == {f"{name}.result" for name in jobs}
    assert str(os.getpid()) not in began(tmp_path, 1)[1:]


def test_a_node_that_dies_costs_the_jobs_on_it_alone(two_nodes, tmp_path):
    (tmp_path / "hold").touch()
    third = two_nodes.add_node(**ray_cluster.node())
    two_nodes.wait_for_nodes()

    def kill_it():
        wait_until(lambda: began(tmp_path, 0) and began(tmp_path, 1))
        two_nodes.remove_node(third, allow_graceful=False)
        (tmp_path / "hold").unlink()

    killer = threading.Thread(target=kill_it)
    killer.start()
    found = run_jobs(
        noted_square,
        jobs_of(tmp_path, *range(6)),
        tmp_path / "kept",
        workers=Cluster(two_nodes.address),
        progress=False,
    )
    killer.join()
    assert [one["number"] for one in found.values()] == [0, 1, 4, 9, 16, 25]


def test_what_a_job_raises_is_raised_here_and_what_was_done_is_kept(two_nodes, tmp_path):
    where = Cluster(two_nodes.address)
    with pytest.raises(SettingsError, match="seven") as caught:
        run_jobs(noted_square, jobs_of(tmp_path, 5, 6, 7), tmp_path / "kept", workers=where, progress=False)
    assert "noted_square" in str(caught.value.__cause__)
    kept = [file.stem for file in (tmp_path / "kept").glob("*.result")]
    again = run_jobs(noted_square, jobs_of(tmp_path, 5, 6), tmp_path / "kept", workers=where, progress=False)
    assert [one["number"] for one in again.values()] == [25, 36]
    assert all(len(began(tmp_path, number)) == 1 for number in kept)


def test_a_job_that_kills_its_worker_three_times_is_named(two_nodes, tmp_path):
    with pytest.raises(ClusterError, match="job '13' has ended its worker process 3 times"):
        run_jobs(
            noted_square,
            jobs_of(tmp_path, 12, 13),
            tmp_path / "kept",
            workers=Cluster(two_nodes.address),
            progress=False,
        )
    assert len(began(tmp_path, 13)) == 3


def test_what_no_node_has_is_waited_for_and_then_refused(two_nodes, tmp_path, monkeypatch, capsys):
    monkeypatch.setattr("workbench.store.cluster_jobs._JOIN_S", 1.0)
    where = Cluster(two_nodes.address, Needs(gpus=3))
    with pytest.raises(ClusterError, match="no node with 1 CPU, 3 GPU"):
        run_jobs(noted_square, jobs_of(tmp_path, 1), tmp_path / "kept", workers=where, progress=False)
    assert "waiting for one to join" in capsys.readouterr().err


def test_only_one_cluster_at_a_time(two_nodes):
    connect(two_nodes.address)
    with pytest.raises(ClusterError, match="one cluster in a process"):
        connect("127.0.0.1:1")


def test_a_gpu_is_asked_for_where_the_device_is_one(two_nodes):
    assert workers_on("", 3, "auto") == 3
    assert workers_on(two_nodes.address, 3, "cuda").needs == Needs(gpus=1)
    assert workers_on(two_nodes.address, 3, "auto").needs == Needs()  # it has none


DRIVER = """
import sys
from pathlib import Path
sys.path[:0] = {path}
from store.test_cluster_jobs import jobs_of, noted_square
from workbench.store.cluster import Cluster
from workbench.store.jobs import run_jobs
folder = Path({folder!r})
found = run_jobs(noted_square, jobs_of(folder, 0, 1, 2, 3), folder / "kept", workers=Cluster({address!r}))
(folder / "found.txt").write_text(repr(list(found.values())))  # Ray tells of lost nodes on standard output
"""


@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGKILL])
def test_a_driver_that_ends_leaves_nothing_running_and_goes_on(two_nodes, tmp_path, how):
    tests = str(Path(__file__).resolve().parents[1])
    code = DRIVER.format(path=[tests], folder=str(tmp_path), address=two_nodes.address)
    (tmp_path / "hold").touch()
    with interruptible():
        driver = subprocess.Popen([sys.executable, "-c", code], stderr=subprocess.PIPE)
    wait_until(lambda: began(tmp_path, 0) and began(tmp_path, 1))
    driver.send_signal(how)
    driver.communicate(timeout=240)
    workers = began(tmp_path, 0) + began(tmp_path, 1)
    wait_until(lambda: not any(map(alive, workers)))
    (tmp_path / "hold").unlink()
    subprocess.run([sys.executable, "-c", code], check=True, timeout=240)
    assert (tmp_path / "found.txt").read_text() == repr([{"number": number**2} for number in range(4)])
    assert len(began(tmp_path, 0)) == 2


def test_results_cross_as_data_and_a_pickle_is_not_read(two_nodes, tmp_path):
    (tmp_path / "kept").mkdir()
    (tmp_path / "kept/1.result").write_bytes(pickle.dumps(1))
    found = run_jobs(
        noted_square,
        jobs_of(tmp_path, 1),
        tmp_path / "kept",
        workers=Cluster(two_nodes.address),
        progress=False,
    )
    assert found == {"1": {"number": 1}}
