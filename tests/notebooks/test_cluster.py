"""A paper's notebook on a cluster of two nodes, one of which is removed while it trains: the same results.json."""

import contextlib
import threading
import time

import pytest
import ray_cluster
from click.testing import CliRunner
from paper_notebooks import notebook

from workbench.cli.main import cli

SMALL = {
    "regimes": "12", "seeds": 2, "alphas": "0.2", "poolings": "last", "quantized_seeds": 0, "pool_prompts": 24,
    "test_prompts": 6, "samples": 4, "micro_batch": 8, "workers": 2,
}  # fmt: skip
pytestmark = pytest.mark.cluster


def run(out, *more):
    words = [word for key, value in SMALL.items() for word in ("-p", f"{key}={value}")]
    with contextlib.chdir(out.parent):
        done = CliRunner().invoke(cli, ["run", str(notebook("haf_rm")), "--out", str(out), *words, *more])
    assert done.exit_code == 0, done.output
    return (out / "haf_rm/results.json").read_bytes()


@pytest.mark.timeout(900)
def test_haf_rm_with_a_node_removed_gives_the_same_results(tmp_path):
    there, cluster = tmp_path / "there", ray_cluster.two_nodes()
    third = cluster.add_node(**ray_cluster.node())
    cluster.wait_for_nodes()

    def remove_it():
        end = time.monotonic() + 600
        while not list(there.glob("haf_rm/steps/trained-*/*.result")) and time.monotonic() < end:
            time.sleep(0.1)
        cluster.remove_node(third, allow_graceful=False)

    remover = threading.Thread(target=remove_it)
    remover.start()
    on_cluster = run(there, "--cluster", cluster.address)
    remover.join()
    assert run(tmp_path / "here") == on_cluster
    names = [
        {file.name for file in (tmp_path / place).glob("haf_rm/steps/trained-*/*.result")}
        for place in ("here", "there")
    ]
    assert names[0] == names[1]
    assert len(names[0]) == 2 * 3
