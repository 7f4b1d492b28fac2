"""A Ray cluster: its name, what a job asks of it, and the connection. Ray is imported only when it is asked for."""

from __future__ import annotations

import importlib
import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from workbench.core.errors import ClusterError, SettingsError

__all__ = ["Cluster", "Needs", "connect", "start_here", "workers_on"]

_INSTALL = "pip install 'alignment-workbench[cluster]', here and on every node"


@dataclass(frozen=True)
class Needs:
    """What one job asks of the node that it runs on."""

    cpus: float = 1
    """Processors; torch computes on as many threads."""
    gpus: float = 0
    """Accelerators: Ray hands them out, and hides them from jobs that ask for none."""
    memory_bytes: int = 0
    """Memory that has to be free for it, in bytes; 0: not said."""

    def __post_init__(self) -> None:
        if self.cpus <= 0 or self.gpus < 0 or self.memory_bytes < 0:
            raise SettingsError(
                f"{self}", "cpus above 0, and gpus and memory_bytes of at least 0", "correct them"
            )

    def __str__(self) -> str:
        memory = f"{self.memory_bytes / 2**30:.1f} GiB of memory" if self.memory_bytes else ""
        words = [f"{self.cpus:g} CPU", f"{self.gpus:g} GPU" if self.gpus else "", memory]
        return ", ".join(filter(None, words))

    def options(self) -> dict[str, Any]:
        """Return them as `ray.remote` takes them."""
        found: dict[str, Any] = {"num_cpus": self.cpus, "num_gpus": self.gpus}
        return found | ({"memory": self.memory_bytes} if self.memory_bytes else {})

    def offered_by(self, node: dict[str, Any]) -> bool:
        """Tell whether a node, as `ray.nodes` describes it, is there and has all of it when nothing else runs."""
        return bool(node["Alive"]) and self.times_in(node["Resources"]) > 0

    def times_in(self, resources: Mapping[str, float]) -> int:
        """Return how many jobs a node's resources are enough for at a time."""
        amounts = {"CPU": self.cpus, "GPU": self.gpus, "memory": self.memory_bytes}
        return min(int(resources.get(name, 0) // amount) for name, amount in amounts.items() if amount)


@dataclass(frozen=True)
class Cluster:
    """A Ray cluster, where `run_jobs` takes a number of processes, and what each job asks of it."""

    address: str
    """`auto`: the one that runs on this machine, or that RAY_ADDRESS names; or HOST:PORT of its head."""
    needs: Needs = field(default_factory=Needs)
    folder: Path | None = None
    """What jobs name below it goes to nodes that do not share this machine's disk, and what they write there comes
    back. None: the folder around that of the jobs' results."""


def start_here(cpus: int) -> str:
    """Start a cluster of one node on this machine, which ends with this process; return its address.

    Raises:
        ClusterError: Ray is not installed.
    """
    ray = _ray()
    os.environ.setdefault(
        "RAY_worker_niceness", "0"
    )  # else they give way to every other process of the machine
    ray.init(
        address="local", num_cpus=cpus, include_dashboard=False, log_to_driver=False, logging_level="ERROR"
    )
    return str(ray.get_runtime_context().gcs_address)


def _ray() -> Any:
    try:
        # by its name: whether Ray is installed must not decide whether stored results are of today's code
        return importlib.import_module("ray")
    except ModuleNotFoundError as fault:
        raise ClusterError("a cluster, and no package ray", "Ray 2.40 or newer", _INSTALL) from fault


def connect(address: str) -> Any:
    """Connect this process to a cluster, once, and return the module `ray`.

    Raises:
        ClusterError: Ray is not installed, no cluster answers there, or its versions are not ours.
    """
    ray = _ray()
    if ray.is_initialized():
        there = ray.get_runtime_context().gcs_address
        if address not in ("auto", there):
            raise ClusterError(
                got=f"the cluster {address}, in a process that is connected to {there}",
                needed="one cluster in a process",
                fix="restart the process (in a notebook, its kernel)",
            )
        return ray
    try:
        ray.init(address=address, log_to_driver=False, logging_level="ERROR")
    except (ConnectionError, RuntimeError, ValueError, AssertionError) as fault:
        said = str(fault).strip().splitlines() or [type(fault).__name__]
        raise ClusterError(
            got=f"no cluster at {address} that can be used: {said[0]}",
            needed="a Ray cluster that this machine reaches, with the same Python and Ray as here",
            fix="start one: `ray start --head --port 6379` here, and on other nodes "
            "`ray start --address HOST:6379`; then --cluster auto, or --cluster HOST:6379",
        ) from fault
    return ray


def workers_on(address: str, workers: int, device: str, folder: Path | None = None) -> int | Cluster:
    """Return where jobs run: processes of this machine, or a cluster, with a GPU for each where the device is one.

    Args:
        address: Of the cluster; empty: there is none.
        workers: Processes, where there is none.
        device: cpu, cuda, or auto: a GPU where the cluster has any.
        folder: Of the run; see `Cluster`.
    """
    if not address:
        return workers
    ray = connect(address)
    gpus = device.startswith("cuda") or (device == "auto" and ray.cluster_resources().get("GPU", 0) >= 1)
    return Cluster(address, Needs(gpus=int(gpus)), folder)
