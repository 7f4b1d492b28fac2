"""A load scaled on paper: the nodes' work or the driver's, whichever is longer, by hand."""

import pytest

from workbench.benchmarks.cluster import Costs, Load, scaled

COSTS = Costs(
    job_here_s=0.01,
    job_there_s=0.03,
    job_driver_s=0.002,
    program_here_s=0.1,
    program_there_s=0.104,
    program_driver_s=0.001,
    store_s_a_mib=0.001,
    write_s_a_mib=0.007,
)


def test_overheads_are_what_the_cluster_adds():
    assert COSTS.job_overhead_s == pytest.approx(0.02)
    assert COSTS.program_overhead == pytest.approx(0.04)


def test_few_long_jobs_are_limited_by_their_number():
    load = Load("trainings", 75, 7200.0, 8, 1 << 20)
    one, ten, many = (scaled(load, nodes, COSTS) for nodes in (1, 10, 100))
    assert (one.seconds, ten.seconds, many.seconds) == (10 * 7200, 7200, 7200)  # 10 rounds of 8, then one
    assert one.efficiency == pytest.approx(75 / 80)
    assert many.efficiency == pytest.approx(75 / 800)
    assert many.limit == "fewer jobs than places"


def test_many_short_ones_are_limited_by_the_driver():
    load = Load("jobs", 10_000, 1.0, 10, 1 << 20)
    one, many = (scaled(load, nodes, COSTS) for nodes in (1, 100))
    assert (one.seconds, one.limit) == (1000, "the work itself")
    assert many.seconds == pytest.approx(10_000 * (0.002 + 0.001 + 0.007))
    assert many.limit == "the driver's disk"


def test_what_a_node_builds_first_counts_once():
    load = Load("programs", 1000, 1.0, 10, 0, build_s=300.0, programs=True)
    assert scaled(load, 10, COSTS).seconds == pytest.approx(310)
    assert scaled(load, 10, COSTS).limit == "each node's build of the runtime"
