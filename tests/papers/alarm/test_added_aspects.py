"""Aspects that a reader adds: measured on the answers that are there, selected among all, and paid."""

import pytest

from workbench.core.errors import SettingsError, WorkbenchError
from workbench.models.loading import ModelSettings
from workbench.papers.alarm.added_aspects import WithAspects, with_aspects
from workbench.papers.alarm.task import Prepared, SeedTask, TaskRewards, measured_pool
from workbench.rewards import OracleReward, Sample, Span
from workbench.training.ppo.settings import PPOSettings

TEXTS = [("p", "a"), ("p", "bb"), ("p", "ccc"), ("p", "dddd")]


class Source:
    def open(self):
        holistic = OracleReward(lambda prompt, answer: len(answer), name="holistic")
        first = OracleReward(
            lambda prompt, answer: {"a": 0, "bb": 2, "ccc": 1, "dddd": 3}[answer], name="first"
        )
        truth = OracleReward(lambda prompt, answer: -len(answer), name="oracle")
        return TaskRewards(holistic, {"first": first}, {"oracle": truth})


@pytest.fixture
def prepared():
    task = SeedTask(0, ModelSettings("policy"), None, (), (), Source(), PPOSettings())
    return {0: Prepared(task, measured_pool(Source().open(), TEXTS))}


def test_an_added_aspect_is_selected_and_paid_with_the_others(prepared):
    found = with_aspects(prepared, {"length": lambda response: 1.0 * len(response)})[0]
    assert found.pool.selection.chosen == ("length",)
    assert {row.name: row.inconsistency for row in found.pool.selection.table} == {
        "length": 0.0,
        "first": pytest.approx(1 / 6),  # of six pairs bb and ccc are the other way round
    }
    assert found.pool.scores["length"].tolist() == [1, 2, 3, 4]
    rewards = found.task.rewards.open()
    assert list(rewards.aspects) == ["first", "length"]
    assert rewards.aspects["length"]([Sample("p", "bb")]) == [[Span(0, 2, 2.0)]]


def test_without_one_everything_stays_the_same_object(prepared):
    assert with_aspects(prepared, {})[0] is prepared[0]


@pytest.mark.parametrize("name", ["first", "holistic", "oracle"])
def test_a_name_that_is_taken_is_refused(prepared, name):
    with pytest.raises(SettingsError, match="rename"):
        with_aspects(prepared, {name: lambda response: 0.0})


@pytest.mark.parametrize("function", [lambda response: None, lambda response: float("nan"), lambda text: 0.0])
def test_a_function_that_gives_no_value_is_refused_before_any_training(prepared, function):
    with pytest.raises(WorkbenchError, match="mine"):
        with_aspects(prepared, {"mine": function})


def test_a_function_may_return_spans(prepared):
    halves = {"halves": lambda response: [Span(0, 1, 1.0), Span(1, len(response), -1.0)]}
    assert with_aspects(prepared, halves)[0].pool.scores["halves"].tolist() == [0.0] * 4


def test_rewards_of_other_aspects_have_another_fingerprint():
    from workbench.store.fingerprint import fingerprint

    def brief(response):
        return -len(response)

    assert fingerprint(WithAspects("s", {"a": brief})) != fingerprint(WithAspects("s", {"a": len}))
    assert fingerprint(WithAspects("s", {"a": brief})) != fingerprint(WithAspects("s", {"b": brief}))
