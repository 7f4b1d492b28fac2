"""A cluster of two nodes on this machine, for tests marked `cluster`: started once, for all of them."""

import atexit
import functools
import os
import socket
import time
from contextlib import ExitStack

import pytest

PATIENCE_S = 300.0
MORE_TIME = {
    "RAY_agent_register_timeout_ms": "300000",
    "RAY_worker_register_timeout_seconds": "300",
    "RAY_health_check_timeout_ms": "60000",
    "RAY_worker_niceness": "0",
}
"""A busy machine starts processes slower than Ray expects, and Ray's workers give way to all others on it.

A node that is killed is noticed at once all the same."""
PORTS = ("metrics_agent_port", "runtime_env_agent_port", "dashboard_agent_listen_port", "metrics_export_port")


@functools.cache
def two_nodes():
    """Return the cluster, whose `address` is what `--cluster` takes; it ends with this process.

    A test that removes a node adds one first: `add_node(**node())`.
    """
    ray = pytest.importorskip("ray", reason="the cluster extra is not installed")
    from ray._private.node import Node
    from ray.cluster_utils import Cluster

    for name, value in MORE_TIME.items():
        os.environ.setdefault(name, value)
    patch = pytest.MonkeyPatch()
    patch.setattr(ray._private.services, "get_node", patiently(ray._private.services.get_node))
    patch.setattr(Node, "start_raylet", with_ports(Node.start_raylet))
    cluster = Cluster(initialize_head=True, head_node_args={**node(), "include_dashboard": False})
    atexit.register(cluster.shutdown)
    atexit.register(ray.shutdown)  # runs first
    cluster.add_node(**node())
    cluster.wait_for_nodes(timeout=PATIENCE_S)
    return cluster


def node(cpus=1):
    """Return what a node is started with: processors, and ports of its own."""
    with ExitStack() as held:
        ports = [held.enter_context(socket.create_server(("", 0))).getsockname()[1] for _ in PORTS]
    return {"num_cpus": cpus, **dict(zip(PORTS, ports, strict=True))}


def with_ports(start):
    """Return what starts a node with its ports written down: it gives up after 15 s of waiting for its agents to."""
    from ray import _raylet

    def start_raylet(self, *given, **named):
        for port in PORTS:
            file = getattr(_raylet, f"{port.upper()}_NAME")
            _raylet.persist_port(self._session_dir, self._node_id, file, getattr(self._ray_params, port))
        return start(self, *given, **named)

    return start_raylet


def patiently(look):
    """Return what looks for a node until it is there: Ray itself gives a new one half a minute."""

    def found(*asked):
        end = time.monotonic() + PATIENCE_S
        while True:
            try:
                return look(*asked)
            except RuntimeError:
                if time.monotonic() > end:
                    raise
                time.sleep(0.2)

    return found
