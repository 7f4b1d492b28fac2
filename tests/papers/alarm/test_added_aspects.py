"""Aspects that a reader adds: measured on the answers that are there, selected among all, and paid."""

import pytest

from workbench.core.errors import SettingsError
from workbench.models.loading import ModelSettings
from workbench.papers.alarm.added_aspects import AspectFunction, WithAspects, with_aspects
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
    found = with_aspects(prepared, {"length": lambda prompt, answer: len(answer)})[0]
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
        with_aspects(prepared, {name: lambda prompt, answer: 0.0})


@pytest.mark.parametrize(
    ("function", "said"),
    [
        (lambda prompt, answer: None, "returned None"),
        (lambda prompt, answer: float("nan"), "returned nan"),
        (lambda prompt, answer: 1 / 0, "ZeroDivisionError"),
        (lambda answer: 0.0, "TypeError"),
        (lambda prompt, answer: [1.0, 2.0], r"returned \[1.0, 2.0\]"),
    ],
)
def test_a_function_that_gives_no_value_is_named(function, said):
    with pytest.raises(SettingsError, match=f"the aspect 'mine' {said}|the aspect 'mine' raised {said}"):
        AspectFunction(function, "mine")([Sample("p", "a")])


def test_a_function_may_return_spans():
    halves = AspectFunction(lambda prompt, answer: [Span(0, 1, 1.0), Span(1, 2, -1.0)], "halves")
    assert halves([Sample("p", "bb")]) == [[Span(0, 1, 1.0), Span(1, 2, -1.0)]]


def test_rewards_of_other_aspects_have_another_fingerprint():
    from workbench.store.fingerprint import fingerprint

    def brief(prompt, answer):
        return -len(answer)

    assert fingerprint(WithAspects("s", {"a": brief})) != fingerprint(WithAspects("s", {"a": len}))
    assert fingerprint(WithAspects("s", {"a": brief})) != fingerprint(WithAspects("s", {"b": brief}))
