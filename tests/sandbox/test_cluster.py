"""Programs graded by two nodes: each once, in order where that is asked, when a node is removed as well."""

import re
import threading
from collections import Counter
from pathlib import Path

import pytest
import ray_cluster

from workbench.core.errors import RuntimeMissingError, SettingsError
from workbench.datasets import load_problems, select
from workbench.generators import Answer
from workbench.papers.ds1000.grading import GradingSettings, grade, open_sandbox, score
from workbench.papers.ds1000.judgement import reproducible
from workbench.sandbox import ClusterSandbox, Program
from workbench.sandbox import cluster as cluster_module
from workbench.sandbox.isolation import check
from workbench.sandbox.node import holdings
from workbench.sandbox.runtimes import find_runtime
from workbench.store.cluster import Cluster

pytestmark = pytest.mark.cluster
MANY = 650
SHARED = Path(__file__).resolve().parents[3] / "shared" / "data" / "ds1000"


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


def test_a_node_without_what_this_machine_has_is_named(cluster, monkeypatch):
    here = holdings(find_runtime("main"))
    assert {"numpy", "pandas", "torch"} <= here.keys()
    assert not {"pytest", "ruff"} & here.keys()  # verdicts do not depend on them
    monkeypatch.setattr(cluster_module, "holdings", lambda runtime: here | {"numpy": "0.5", "mylib": "1.0"})
    with ClusterSandbox(Cluster(cluster.address)) as box, pytest.raises(RuntimeMissingError) as caught:
        box.run("print(1)")
    assert re.match(r"node \d+\.\d+\.\d+\.\d+: not what", caught.value.got)
    assert f"mylib missing (there: 1.0), numpy {here['numpy']} (there: 0.5)" in caught.value.got


# ---- the real data -----------------------------------------------------------------------------------------------


@pytest.fixture
def real(monkeypatch):
    """Return the 650 real problems; their data's folders are named here, and on no node."""
    file = SHARED / "ds1000-dev.jsonl.gz"
    if not file.is_file():
        pytest.skip(f"no {file}")
    monkeypatch.setenv("SEABORN_DATA", str(SHARED / "cache" / "seaborn"))
    monkeypatch.setenv("SCIKIT_LEARN_DATA", str(SHARED / "cache" / "scikit_learn"))
    try:
        find_runtime("ds1000", build=False)
    except RuntimeMissingError as missing:
        pytest.skip(missing.got)
    return load_problems(str(file))


@pytest.mark.realdata
@pytest.mark.timeout(1800)
def test_all_real_references_pass_once_when_one_of_two_nodes_is_removed(cluster, real, tmp_path, monkeypatch):
    second = next(iter(cluster.worker_nodes))
    told = Counter()

    def counted(box, programs):
        for position, verdict in judged(box, programs):
            told[position] += 1
            if told.total() == len(real) // 2:
                cluster.remove_node(second, allow_graceful=False)
            yield position, verdict

    judged = ClusterSandbox.as_judged
    monkeypatch.setattr(ClusterSandbox, "as_judged", counted)
    answers = [Answer(one.problem_id, 0, one.reference_code) for one in real]
    settings = GradingSettings("ds1000")
    try:
        with open_sandbox(settings, Cluster(cluster.address), real) as box:
            assert box.workers == 2
            found = grade(real, answers, settings, sandbox=box, folder=tmp_path)
            assert box.workers == 1
    finally:
        cluster.add_node(**ray_cluster.node())
        cluster.wait_for_nodes()
    assert [(one.problem_id, one.message) for one in found if one.status != "passed"] == []
    assert (len(found), set(told.values())) == (650, {1})
    assert len((tmp_path / "verdicts.jsonl").read_text().splitlines()) == 650
