"""What each arm pays, on hand-computed values, and that an arm is the mode that it is named after."""

from dataclasses import replace

import pytest
import torch

from workbench.core.errors import SettingsError
from workbench.papers.alarm.arms import (
    ASPECT_ONLY,
    CENTRED,
    CHOSEN,
    HIERARCHICAL,
    HOLISTIC_ONLY,
    RANDOM_GATE,
    WEIGHTED_SUM,
    Arm,
    arm_reward,
)
from workbench.papers.alarm.declaration import Declaration, chosen_aspects
from workbench.papers.alarm.qa import TrainingRun, _grouped
from workbench.papers.alarm.task import TaskRewards, measured_pool
from workbench.rewards import HierarchicalReward, HierarchySettings, OracleReward, Sample, Span
from workbench.training.ppo.token_rewards import token_rewards


class Sentences:
    """A value for each of the two halves of a response."""

    def __init__(self, name):
        self.name = name

    def __call__(self, samples):
        return [[Span(0, 2, 2.0), Span(2, 4, -2.0)] for _ in samples]


HIGH = {"good": 0.9, "bad.": 0.1}
REWARDS = TaskRewards(
    OracleReward(lambda prompt, response: HIGH[response], name="holistic"),
    {"a": Sentences("a"), "b": Sentences("b")},
    {"oracle": OracleReward(lambda prompt, response: 0.5, name="oracle")},
)
OFFSETS = torch.tensor([[[0, 1], [1, 2], [2, 3], [3, 4]]] * 2)
MASK = torch.ones(2, 4, dtype=torch.bool)


def paid(arm, rewards=REWARDS):
    samples = [Sample("p", text) for text in HIGH]
    return token_rewards(arm_reward(arm, rewards, seed=0), samples, OFFSETS, MASK, too_short=None)


@pytest.mark.parametrize(
    ("arm", "good", "bad"),
    [
        # a sentence gets 0.8808 or 0.1192 after shaping, times the weight
        (Arm(HOLISTIC_ONLY), [0, 0, 0, 0.9], [0, 0, 0, 0.1]),
        (Arm(ASPECT_ONLY, ("a",), 0.5), [0, 0.4404, 0, 0.0596], [0, 0.4404, 0, 0.0596]),
        (Arm(WEIGHTED_SUM, ("a",), 0.5), [0, 0.4404, 0, 0.9596], [0, 0.4404, 0, 0.1596]),
        (Arm(CENTRED, ("a",), 0.5), [0, 0.1904, 0, 0.9 - 0.1904], [0, 0.1904, 0, 0.1 - 0.1904]),
        (Arm(HIERARCHICAL, ("a",), 0.5), [0, 0.4404, 0, 0.9596], [0, 0, 0, 0.1]),
        (Arm(RANDOM_GATE, ("a",), 0.5, gate_rate=1.0), [0, 0.4404, 0, 0.9596], [0, 0.4404, 0, 0.1596]),
        (Arm(RANDOM_GATE, ("a",), 0.5, gate_rate=0.0), [0, 0, 0, 0.9], [0, 0, 0, 0.1]),
    ],
)
def test_what_an_arm_pays(arm, good, bad):
    found = paid(arm)
    assert torch.allclose(found.tokens, torch.tensor([good, bad]).float(), atol=1e-4)
    # all is watched, on the scale of its own verdicts, whatever is paid
    assert {"holistic", "a", "b", "oracle", "gate"} <= set(found.scores)
    assert found.scores["a"].tolist() == [0.0, 0.0]
    assert found.scores["gate"].tolist() == [1.0, 0.0]


@pytest.mark.parametrize("mode", [HOLISTIC_ONLY, ASPECT_ONLY, WEIGHTED_SUM, HIERARCHICAL])
def test_an_arm_is_the_mode_of_its_name(mode):
    aspects = () if mode == HOLISTIC_ONLY else ("a",)
    named = HierarchicalReward(
        REWARDS.holistic, [REWARDS.aspects["a"]], HierarchySettings(0.6, 1.0, mode, aspect_weights={"a": 0.5})
    )
    samples = [Sample("p", text) for text in HIGH]
    expected = token_rewards(named, samples, OFFSETS, MASK, too_short=None).tokens
    assert torch.equal(paid(Arm(mode, aspects, 0.5)).tokens, expected)


def test_arms_that_cannot_be_are_refused():
    with pytest.raises(SettingsError, match="with 1 aspects"):
        Arm(HOLISTIC_ONLY, ("a",))
    with pytest.raises(SettingsError, match="with 0 aspects"):
        Arm(HIERARCHICAL)
    with pytest.raises(SettingsError, match="names among a, b"):
        paid(Arm(HIERARCHICAL, ("c",)))
    with pytest.raises(SettingsError, match="gate_rate"):
        paid(Arm(RANDOM_GATE, ("a",)))


def test_a_declaration_trains_every_arm_once_and_sweeps_on_the_first_seeds():
    tuned = {WEIGHTED_SUM: 0.3, CENTRED: 1.0, HIERARCHICAL: 1.0}
    declaration = Declaration((0, 1), 1, weights=(0.3, 1.0), tuned=tuned)
    training_runs = declaration.training_runs(("a",), ("a", "b"))
    assert len({planned.file for planned in training_runs}) == len(training_runs) == 2 * (6 + 1) + 3
    swept = [(planned.name, planned.arm.weight) for planned in training_runs if planned.seed == 0][7:]
    assert swept == [(WEIGHTED_SUM, 1.0), (CENTRED, 0.3), (HIERARCHICAL, 0.3)]
    gate = next(planned.arm for planned in training_runs if planned.name == RANDOM_GATE)
    assert gate.weight == declaration.weight(HIERARCHICAL) == 1.0
    # the random gate follows its model in one job, and only that one
    pairs = [tuple(planned.name for planned in group) for group in _grouped(training_runs) if len(group) > 1]
    assert pairs == [(HIERARCHICAL, RANDOM_GATE)] * 2


def test_arms_are_added_by_name_and_pay_the_chosen_aspect():
    declaration = Declaration((0,), 0, weights=(0.3, 1.0))
    arms = declaration.main_arms()
    arms["low gate"] = replace(arms[HIERARCHICAL], threshold=0.0)
    arms["both"] = Arm(WEIGHTED_SUM, (CHOSEN, "b", "a"), weight=0.5)
    added = declaration.with_arms(arms)
    main = added.main_arms(("a",))
    assert list(main)[-2:] == ["low gate", "both"]
    assert main["low gate"] == Arm(HIERARCHICAL, ("a",), threshold=0.0)
    assert main["both"].aspects == ("a", "b")
    assert added.weight("both") == 0.5
    assert added.with_arms(added.main_arms()) == added
    before, after = declaration.training_runs(("a",), ("a", "b")), added.training_runs(("a",), ("a", "b"))
    assert [planned for planned in after if planned not in before] == [
        TrainingRun(name, main[name], 0) for name in ("low gate", "both")
    ]


def test_a_declared_arm_is_not_changed_under_its_name():
    declaration = Declaration((0,), 0)
    arms = declaration.main_arms()
    with pytest.raises(SettingsError, match="hierarchical is changed"):
        declaration.with_arms(arms | {HIERARCHICAL: replace(arms[HIERARCHICAL], weight=2.0)})
    with pytest.raises(SettingsError, match="is changed or missing"):
        declaration.with_arms({})


@pytest.mark.parametrize(
    "added",
    [
        TrainingRun("low-gate", Arm(HIERARCHICAL, ("a",), threshold=0.5), 0),
        TrainingRun("another gate", Arm(RANDOM_GATE, ("a",), threshold=0.0), 0),
    ],
)
def test_trainings_that_would_take_each_others_place_are_refused(added):
    arm = Arm(HIERARCHICAL, ("a",), threshold=0.0)
    given = [TrainingRun("low gate", arm, 0), TrainingRun("gate", replace(arm, kind=RANDOM_GATE), 0)]
    with pytest.raises(SettingsError, match="two training runs"):
        _grouped([*given, added])


def test_a_random_gate_without_its_hierarchy_is_refused():
    with pytest.raises(SettingsError, match="without the hierarchical arm"):
        _grouped([TrainingRun(RANDOM_GATE, Arm(RANDOM_GATE, ("a",)), 0)])


def test_all_faults_of_a_declaration_are_named():
    with pytest.raises(SettingsError, match=r"seeds .*sweep_seeds 2.*weights"):
        Declaration((), 2, weights=(0.0,))


def test_the_choice_is_by_the_mean_over_seeds():
    from types import SimpleNamespace

    def pool(aspects):
        holistic = OracleReward(lambda prompt, response: float(response), name="holistic")
        made = {name: OracleReward(value, name=name) for name, value in aspects.items()}
        texts = [("p", str(number)) for number in range(4)]
        return SimpleNamespace(pool=measured_pool(TaskRewards(holistic, made), texts))

    orders = {"same": [0, 1, 2, 3], "near": [0, 2, 1, 3], "far": [3, 2, 1, 0]}

    def reading(name):
        return lambda prompt, response: float(orders[name][int(response)])

    first = pool({"a": reading("same"), "b": reading("near"), "c": reading("far")})
    second = pool({"a": reading("far"), "b": reading("near"), "c": reading("far")})
    assert chosen_aspects({0: first}) == ("a",)
    # a: 0 and 1; b: 1/6 and 1/6
    assert chosen_aspects({0: first, 1: second}) == ("b",)
    # the least inconsistent one, however bad: the table shows it
    assert chosen_aspects({0: pool({"c": reading("far")})}) == ("c",)
    with pytest.raises(SettingsError, match="tells answers apart"):
        chosen_aspects({0: pool({"d": lambda prompt, response: 1.0})})


def test_the_papers_ablations_are_arms_beside_the_hierarchy():
    declared = Declaration((0,), 0)
    added = declared.with_ablations(["all aspects", "unshaped"], ("a", "b")).main_arms(("a",))
    everything, raw = added["hierarchical, all aspects"], added["hierarchical, unshaped"]
    assert (everything.aspects, everything.shaped, everything.weight) == (("a", "b"), True, 1.0)
    assert (raw.aspects, raw.shaped) == (("a",), False)
    assert declared.with_ablations(["none"], ("a", "b")) == declared
    with pytest.raises(SettingsError, match="ablations gate"):
        declared.with_ablations(["gate"], ("a",))


def test_some_arms_alone_are_trained_in_the_order_of_all():
    declared = Declaration((0, 1), 1, weights=(0.3, 1.0))
    some = declared.only([HIERARCHICAL, HOLISTIC_ONLY, "zero-centred"])
    assert list(some.main_arms()) == [HOLISTIC_ONLY, CENTRED, HIERARCHICAL]
    names = [planned.name for planned in some.training_runs(("a",), ("a", "b")) if planned.seed == 1]
    assert names == [HOLISTIC_ONLY, CENTRED, HIERARCHICAL]  # nor the hierarchy with b
    swept = [planned.arm for planned in some.training_runs(("a",), ("a", "b")) if planned.seed == 0][3:]
    assert [(arm.kind, arm.weight) for arm in swept] == [(CENTRED, 0.3), (HIERARCHICAL, 0.3)]
    *_, last = some.only([HIERARCHICAL, "each aspect"]).training_runs(("a",), ("a", "b"))
    assert last.name == "hierarchical, b"
    assert declared.only(["all"]) == declared
    for wrong in ([HOLISTIC_ONLY], [HIERARCHICAL, "greedy"]):
        with pytest.raises(SettingsError, match="others of holistic_only"):
            declared.only(wrong)
