"""Programs graded by two nodes: each once, in order where that is asked, when a node is removed as well."""

import threading

import pytest
import ray_cluster

from workbench.core.errors import SettingsError
from workbench.datasets import load_problems, select
from workbench.generators import Answer
from workbench.papers.ds1000.grading import GradingSettings, open_sandbox, score
from workbench.papers.ds1000.judgement import reproducible
from workbench.sandbox import ClusterSandbox, Program
from workbench.sandbox.isolation import check
from workbench.store.cluster import Cluster

pytestmark = pytest.mark.cluster
MANY = 650


@pytest.fixture(scope="module")
def cluster():
    try:
        check("sandlock")
    except Exception as fault:  # the reason is shown with the skip
        pytest.skip(f"programs cannot be isolated here: {fault}")
    return ray_cluster.two_nodes()


def test_verdicts_come_in_the_order_of_the_programs(cluster):
    with ClusterSandbox(Cluster(cluster.address), timeout_s=60) as box:
        assert box.workers == 2
        said = [verdict.stdout for verdict in box.map(f"print({number})" for number in range(30))]
        assert box.run(Program("x = 1 / 0")).status == "failed"
    assert said == [f"{number}\n" for number in range(30)]


def test_of_many_programs_none_is_lost_or_told_twice_when_a_node_is_removed(cluster):
    third = cluster.add_node(**ray_cluster.node())
    cluster.wait_for_nodes()
    taken, told = [], []
    with ClusterSandbox(Cluster(cluster.address), timeout_s=60) as box:
        for position, verdict in box.as_judged(noted(taken)):
            told.append(position)
            assert verdict.stdout == f"{position}\n"
            if len(told) == 100:
                threading.Thread(
                    target=cluster.remove_node, args=(third,), kwargs={"allow_graceful": False}
                ).start()
            assert len(taken) - len(told) <= 3 * 4 * 4  # three batches of four for each node
        assert box.workers == 2
    assert sorted(told) == list(range(MANY))


def noted(taken):
    for number in range(MANY):
        taken.append(number)
        yield f"print({number})"


def test_the_suite_is_judged_as_on_this_machine(cluster, tmp_path):
    problems = select(load_problems("suite"), libraries=["Numpy"])
    answers = [Answer(one.problem_id, 0, one.reference_code) for one in problems[1:]]
    answers.insert(0, Answer(problems[0].problem_id, 0, "result = None"))
    found = {}
    for name, where in (("here", 1), ("there", Cluster(cluster.address))):
        with open_sandbox(GradingSettings(timeout_s=120), where, problems) as box:
            judged = score(problems, answers, box, verdicts_path=tmp_path / name, progress=False)
        found[name] = [(one.problem_id, one.status, reproducible(one.message), one.key) for one in judged]
    assert found["here"] == found["there"]
    assert [status for _, status, *_ in found["there"]] == ["failed"] + ["passed"] * (len(problems) - 1)
    assert len((tmp_path / "there").read_text().splitlines()) == len(problems)


def test_a_node_that_refuses_is_named(cluster):
    with (
        ClusterSandbox(Cluster(cluster.address), isolation="docker") as box,
        pytest.raises(SettingsError, match=r"^got: node \d+\.\d+\.\d+\.\d+: .*docker"),
    ):
        box.run("print(1)")
