"""The declared experiment: what is planned, what all arms of a seed share, and what is found, computed by hand."""

import json
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
from paper_notebooks import settings_of

from workbench.core.errors import SettingsError
from workbench.datasets.preference_filters import is_held_out
from workbench.datasets.preference_pair import PreferencePair
from workbench.models import ModelSettings
from workbench.models.encoding import EncodingSettings
from workbench.papers.haf_rm import data as haf_rm_data
from workbench.papers.haf_rm.best_of_n import best_of_n_curves, best_of_n_gain, oracle_curve
from workbench.papers.haf_rm.claims import haf_rm_claims
from workbench.papers.haf_rm.data import (
    DataSettings,
    ExperimentData,
    Regime,
    prepare_data,
    training_pairs,
)
from workbench.papers.haf_rm.declaration import Arm, Declaration
from workbench.papers.haf_rm.experiment import Outcome
from workbench.papers.haf_rm.plan import job_name, plan, training_settings
from workbench.papers.haf_rm.results import Findings
from workbench.papers.haf_rm.setup import declare
from workbench.papers.haf_rm.tables import training_table
from workbench.store.fingerprint import fingerprint
from workbench.worlds.passages.sampling import Candidates
from workbench.worlds.passages.task import SPLITS

MAIN, NOISY = Regime(20), Regime(20, 0.25)
DECLARED = Declaration(
    ModelSettings("backbone"),
    alphas=(0.1, 0.2, 1.0),
    regimes=(MAIN, NOISY),
    seeds=(0, 1, 2),
    quantized_seeds=1,
    tuned={"standard": {"learning_rate": 0.5, "init_std": 0.1}, "DPO": {"beta": 0.3}},
)
POOL = [Candidates(f"q{i}", ("good", "fair", "bad"), (1.0, 0.5, 0.0)) for i in range(50)]
TESTS = {
    "in": [PreferencePair("a", "good", "bad", "in"), PreferencePair("b", "good", "bad", "in")],
    "out": [PreferencePair("c", "good", "bad", "out")],
}
CANDIDATES = {
    name: [Candidates(pair.prompt, ("good", "bad"), (1.0, 0.0)) for pair in pairs]
    for name, pairs in TESTS.items()
}
DATA = ExperimentData({"in": POOL}, TESTS, CANDIDATES)  # texts: a good, a bad, b good, b bad, c good, c bad


def test_the_world_is_asked_again_until_answers_differ_in_worth(monkeypatch):
    """One prompt with two answers seldom makes a pair; a policy that writes only nonsense never does."""
    monkeypatch.setattr(haf_rm_data, "load_causal_lm", lambda _: SimpleNamespace(model=None))
    monkeypatch.setattr(haf_rm_data, "load_tokenizer", lambda _: None)
    seeds = []

    def sample(policy, tokenizer, prompts, *, samples, seed):
        seeds.append(seed)
        worth = (1.0, 0.0) if len(seeds) % 3 == 0 else (0.5, 0.5)
        return [Candidates(prompt, ("one", "two"), worth) for prompt in prompts]

    monkeypatch.setattr(haf_rm_data, "sample_answers", sample)
    settings = DataSettings(pool_prompts=1, test_prompts=1, samples=2)
    made = prepare_data(settings, ModelSettings("backbone"))
    assert {name: len(pairs) for name, pairs in made.tests.items()} == dict.fromkeys(SPLITS, 1)
    assert [len(made.candidates[name]) for name in SPLITS] == [3] * len(SPLITS)
    assert len(set(seeds)) == len(seeds) == 3 * (1 + len(SPLITS))
    monkeypatch.setattr(
        haf_rm_data, "sample_answers", lambda *_, **__: [Candidates("q", ("a", "b"), (0.0, 0.0))]
    )
    with pytest.raises(SettingsError, match="all worth the same"):
        prepare_data(settings, ModelSettings("backbone"))


@pytest.mark.parametrize(("rows", "part"), [(400, 0.05), (40, 0.2), (3, 0.2)])
def test_a_small_file_has_pairs_to_train_and_to_test_on(tmp_path, rows, part):
    file = tmp_path / "mine.jsonl"
    lines = [{"prompt": f"question {i}", "chosen": f"yes {i}", "rejected": f"no {i}"} for i in range(rows)]
    file.write_text("".join(f"{json.dumps(line)}\n" for line in lines))
    made = prepare_data(DataSettings((str(file),), test_prompts=1), ModelSettings("backbone"))
    assert len(made.tests["mine.jsonl"]) == 1
    asked = {pair.prompt for pair in made.pools["mine.jsonl"]}
    assert asked == {line["prompt"] for line in lines if not is_held_out(line["prompt"], part)}


def test_every_arm_of_a_seed_gets_the_same_pairs_and_its_own_tuned_settings(tmp_path):
    jobs = plan(DECLARED, DATA, tmp_path)
    assert len({job_name(job) for job in jobs}) == len(jobs)
    arms = ["standard", "hybrid 0.1", "hybrid 0.2", "hybrid 1", "DPO"]
    few = ["standard", "hybrid 0.2"]
    found = {
        (regime, seed): [job.arm for job in jobs if (job.regime, job.seed) == (regime, seed)]
        for regime in (MAIN, NOISY)
        for seed in (0, 1, 2)
    }
    assert found[MAIN, 0] == [*arms, "hybrid 0.2, NF4 + LoRA"]
    assert found[MAIN, 1] == found[MAIN, 2] == arms
    assert all(found[NOISY, seed] == few for seed in (0, 1, 2))
    for seed in (0, 1, 2):
        same = {job.pairs for job in jobs if (job.regime, job.seed) == (MAIN, seed)}
        assert len(same) == 1
        assert {job.training.seed for job in jobs if job.seed == seed} == {seed}
    by_arm = {job.arm: job for job in jobs if (job.regime, job.seed) == (MAIN, 0)}
    assert by_arm["standard"].training == replace(
        DECLARED.training, alpha=0, learning_rate=0.5, init_std=0.1, seed=0
    )
    assert by_arm["DPO"].training == replace(DECLARED.training, alpha=1, reward_weight=0, beta=0.3, seed=0)
    assert by_arm["hybrid 1"].training == replace(DECLARED.training, alpha=1, seed=0)
    quantized = by_arm["hybrid 0.2, NF4 + LoRA"]
    assert (quantized.model.quantize, quantized.lora is None) == ("nf4", False)
    assert (by_arm["standard"].model.quantize, by_arm["standard"].lora) == (None, None)


def test_a_pooling_more_is_an_arm_more_of_all_that_have_a_reward_head():
    tuned = {"standard, mean pooling": {"learning_rate": 0.25}, "hybrid 0.2": {"learning_rate": 0.5}}
    both = replace(DECLARED, poolings=("last", "mean"), tuned=tuned)
    alone = DECLARED.arms(MAIN)
    heads = [name for name in (arm.name for arm in alone) if name != "DPO"]
    assert both.arms(MAIN)[: len(alone)] == alone  # what was trained before is trained alike
    more = both.arms(MAIN)[len(alone) :]
    assert [arm.name for arm in more] == [f"{name}, mean pooling" for name in heads]
    assert {training_settings(both, arm, 0).pooling for arm in more} == {"mean"}
    assert {training_settings(both, arm, 0).pooling for arm in alone} == {"last"}
    assert training_settings(both, more[0], 0).learning_rate == 0.25
    assert both.arms(NOISY) == DECLARED.arms(NOISY)
    assert (both.standard, both.middle) == (DECLARED.standard, DECLARED.middle) == ("standard", "hybrid 0.2")


def test_every_arm_of_the_pocket_profile_was_tuned():
    """An arm that no tuning knows would train with the paper's learning rate, and learn nothing in so few steps."""
    declared = declare(settings_of("haf_rm", {}))
    arms = [*declared.arms(declared.main), declared.quantized]
    assert {arm.tuned_as or arm.name for arm in arms} <= set(declared.tuned)
    assert declared.poolings == ("last", "mean")


def test_one_pooling_that_is_not_the_papers_is_named_in_every_arm():
    mean = replace(DECLARED, poolings=("mean",))
    assert [arm.name for arm in mean.arms(NOISY)] == ["standard, mean pooling", "hybrid 0.2, mean pooling"]
    assert (mean.standard, mean.middle) == ("standard, mean pooling", "hybrid 0.2, mean pooling")
    assert mean.quantized.name == "hybrid 0.2, mean pooling, NF4 + LoRA"
    assert training_settings(mean, mean.quantized, 0).pooling == "mean"
    assert mean.quantized.alpha == 0.2
    for wrong in ((), ("mean", "mean"), ("first",)):
        with pytest.raises(SettingsError, match="poolings: different ones of last, mean"):
            replace(DECLARED, poolings=wrong)


def test_noise_turns_labels_of_the_same_pairs_and_fewer_pairs_are_the_first_of_more():
    clean, noisy, few = (
        training_pairs(POOL, regime, source="in", seed=7) for regime in (MAIN, NOISY, Regime(5))
    )
    assert [{pair.chosen, pair.rejected} for pair in clean] == [
        {pair.chosen, pair.rejected} for pair in noisy
    ]
    assert 0 < sum(one != two for one, two in zip(clean, noisy, strict=True)) < 20
    assert few == clean[:5]
    pairs = [PreferencePair(f"q{i}", "good", "bad", "file") for i in range(30)]
    drawn = training_pairs(pairs, NOISY, source="file", seed=7)
    assert drawn != training_pairs(pairs, NOISY, source="file", seed=8)
    assert len({pair.prompt for pair in drawn}) == 20
    assert 0 < sum(pair.chosen == "bad" for pair in drawn) < 20


def test_a_data_set_with_fewer_pairs_than_the_regime_gives_all_it_has_and_the_table_says_so():
    """AlpacaFarm has 9,700 pairs; the paper's regime is 30,000."""
    few, many = ([PreferencePair(f"q{i}", "good", "bad", "file") for i in range(count)] for count in (3, 30))
    first, second = (training_pairs(few, Regime(5), source="file", seed=seed) for seed in (0, 4))
    assert (
        sorted(pair.prompt for pair in first) == sorted(pair.prompt for pair in second) == ["q0", "q1", "q2"]
    )
    assert first != second
    declared = replace(DECLARED, regimes=(Regime(5), Regime(2)))
    table = training_table(ExperimentData({"few": few, "many": many}, {}), declared)
    assert table[["trained on", "pairs there are", "pairs trained on"]].values.tolist() == [
        ["few", 3, 3], ["few", 3, 2], ["many", 30, 5], ["many", 30, 2],
    ]  # fmt: skip
    assert table["seeds"].tolist() == ["the same pairs in another order", *["other pairs"] * 3]


def test_a_declaration_says_all_that_is_wrong_with_it():
    with pytest.raises(SettingsError, match=r"alphas \(0.0,\); 0 regimes; seeds \(1, 1\); quantized_seeds 3"):
        replace(DECLARED, alphas=(0.0,), regimes=(), seeds=(1, 1), quantized_seeds=3)
    with pytest.raises(SettingsError, match="tuned settings rate of standard"):
        plan(replace(DECLARED, tuned={"standard": {"rate": 1}}), DATA, None)


def test_data_settings_say_all_that_is_wrong_with_them():
    with pytest.raises(SettingsError, match=r"test_prompts 0; samples 1; data passages, hh-harmless"):
        DataSettings(("passages", "hh-harmless"), test_prompts=0, samples=1)
    with pytest.raises(SettingsError, match="tell apart"):
        DataSettings(("one/pairs.jsonl", "two/pairs.jsonl"))


@pytest.mark.parametrize("text", ["many", "300@x", "0", "300@0.8"])
def test_a_regime_that_is_none_is_refused(text):
    with pytest.raises(SettingsError, match="regime"):
        Regime.parse(text)


def test_regimes_are_read_and_named():
    assert Regime.parse("300") == Regime(300)
    assert Regime.parse("300").name == "300 pairs, clean"
    assert Regime.parse("1000@0.2").name == "1,000 pairs, 20% flipped"


def outcome(arm, seed, rewards, logps=(0, 0, 0, 0, 0, 0), regime=MAIN):
    entry = {"step": 2, "reward_loss": 0.5, "accuracy": 0.5 + seed / 2, "implicit_accuracy": seed / 2}
    log = (entry, {"step": 2, "train_runtime": 9.0})
    tokens = np.full(6, 3)
    return Outcome(arm, regime, "in", seed, log, np.array(rewards, float), np.array(logps, float), tokens)


@pytest.fixture
def findings():
    """Two seeds. Within, the hybrid orders 2 and then 1 of 2 pairs, the standard one 1 and then 0; out: all, none."""
    nan = [np.nan] * 6
    outcomes = [
        outcome("standard", 0, [1, 0, 0, 1, 0, 1]),
        outcome("hybrid 0.2", 0, [1, 0, 1, 0, 1, 0]),
        outcome("DPO", 0, nan, [2, 0, 0, 0, 0, 0]),  # beyond the reference: one right, one tie; out: a tie
        outcome("standard", 1, [0, 1, 0, 1, 0, 1]),
        outcome("hybrid 0.2", 1, [1, 0, 0, 1, 1, 0]),
        outcome("DPO", 1, nan, [0, 0, 0, 0, 0, 0]),
    ]
    reference = np.array([-1.0, -2.0, -2.0, -1.0, -3.0, -3.0])
    outcomes = [replace(one, policy_logps=one.policy_logps + reference) for one in outcomes]
    return Findings(replace(DECLARED, seeds=(0, 1)), DATA, outcomes, reference)


def row(frame, **where):
    for name, value in where.items():
        frame = frame[frame[name.replace("_", " ")] == value]
    (found,) = frame.to_dict("records")
    return found


def test_accuracies_over_seeds_by_hand(findings):
    frame = findings.accuracies(MAIN)
    within = row(frame, arm="hybrid 0.2", test_set="in")
    # seeds 1 and 0.5: mean 0.75, t(1) = 12.706 times sd / sqrt(2) = 0.25
    assert within["accuracy"] == 0.75
    assert within["high"] == pytest.approx(0.75 + 12.7062 * 0.25, abs=1e-3)
    assert (within["seeds"], within["pairs"]) == (2, 2)
    assert row(frame, arm="standard", test_set="in")["accuracy"] == 0.25
    assert row(frame, arm="standard", test_set="out")["accuracy"] == 0
    assert row(frame, arm="DPO", test_set="in")["accuracy"] == (0.75 + 0.5) / 2
    assert row(frame, arm="untrained logp, sum", test_set="in")["accuracy"] == 0.5
    assert row(frame, arm="untrained logp, sum", test_set="out")["accuracy"] == 0.5  # a tie
    assert row(frame, arm="longer wins", test_set="in")["accuracy"] == 1.0


def test_an_accuracy_of_one_seed_has_an_interval_over_prompts(findings):
    alone = replace(findings, outcomes=findings.outcomes[:3])
    found = row(alone.accuracies(MAIN), arm="standard", test_set="in")
    # Wilson's of one right in two prompts: 0.5 +- 0.4055
    assert [found[name] for name in ("accuracy", "low", "high", "seeds")] == pytest.approx(
        [0.5, 0.0945, 0.9055, 1], abs=1e-4
    )


def test_differences_are_paired_by_seed(findings):
    found = {(one.arm, one.source): one for one in findings.differences(MAIN)}
    within = found["hybrid 0.2", "in"]
    assert (within.difference, within.low, within.high, within.seeds) == (0.5, 0.5, 0.5, 2)
    pooled = findings.pooled_difference("hybrid 0.2", "standard", MAIN, inside=False)
    assert (pooled.estimate.value, pooled.seeds, pooled.units) == (1.0, 2, 1)


def test_best_of_n_by_hand(findings):
    within, out = (best_of_n_curves(findings, MAIN, test, (1, 2)) for test in ("in", "out"))
    assert [point.value for point in within["hybrid 0.2"]] == [0.5, 0.75]
    assert within["hybrid 0.2"][1].high == pytest.approx(0.75 + 12.7062 * 0.25, abs=1e-3)
    assert [point.value for point in out["untrained logp, sum"]] == [0.5, 0.5]  # a tie picks either
    assert [point.value for point in oracle_curve(findings, "in", (1, 2))] == [0.5, 1.0]
    gain = best_of_n_gain(findings, "hybrid 0.2", "standard", MAIN, 2)
    assert gain.estimate.value == pytest.approx((0.5 + 1.0) / 2)
    alone = replace(findings, outcomes=findings.outcomes[:3])
    assert best_of_n_gain(alone, "hybrid 0.2", "standard", MAIN, 2).seeds == 1
    (point,) = best_of_n_curves(alone, MAIN, "in", (2,))["standard"]
    assert (point.value, point.low, point.high) == (0.5, 0.0, 1.0)  # of one seed: over prompts


def test_curves_are_means_over_seeds_by_the_score_that_an_arm_is_judged_by(findings):
    frame = findings.curves(MAIN)
    assert row(frame, arm="standard", quantity="accuracy") == {
        "arm": "standard",
        "step": 2,
        "quantity": "accuracy",
        "value": 0.75,
    }
    assert row(frame, arm="DPO", quantity="accuracy")["value"] == 0.25
    assert set(frame[frame["arm"] == "DPO"]["quantity"]) == {"accuracy"}
    assert set(frame["quantity"]) == {"reward loss", "accuracy"}


def test_claims_follow_their_intervals(findings):
    claims = list(haf_rm_claims(findings))
    assert [claim.verdict for claim in claims] == ["undecided: two seeds"] * 4
    assert (claims[0].measured, claims[0].n) == (0.5, 2)
    assert "Best-of-2" in claims[3].statement
    alone = replace(findings, outcomes=findings.outcomes[:3])
    assert {claim.verdict for claim in haf_rm_claims(alone)} == {"undecided: one seed"}


def test_every_pooling_has_the_papers_claims_and_is_compared_with_the_first(findings):
    """The mean over the response orders all pairs right, hybrid or not."""
    right = [1, 0, 1, 0, 1, 0]
    more = [
        outcome(f"{name}, mean pooling", seed, right)
        for name in ("standard", "hybrid 0.2")
        for seed in (0, 1)
    ]
    declared = replace(findings.declaration, poolings=("last", "mean"))
    both = replace(findings, declaration=declared, outcomes=[*findings.outcomes, *more])
    claims = list(haf_rm_claims(both))
    first = list(haf_rm_claims(findings))
    assert claims[:4] == first
    measured = {claim.statement: claim.measured for claim in claims[4:]}
    more_accurate = "The hybrid reward model is more accurate than"
    assert measured == {
        f"{more_accurate} the standard one on pairs in distribution (mean pooling)": 0,
        f"{more_accurate} the standard one on pairs out of distribution (mean pooling)": 0,
        f"{more_accurate} DPO's implicit reward (mean pooling)": 1 - 0.625,
        "Best-of-2 by the hybrid reward model picks better answers (mean pooling)": 0,
        "Ablation: standard, mean pooling is more accurate than standard on pairs in distribution": 0.75,
        "Ablation: standard, mean pooling is more accurate than standard on pairs out of distribution": 1,
    }


def test_arms_are_added_under_names_of_their_own():
    arms = DECLARED.arms(MAIN)
    mine = Arm("mine", 0.5, changes={"pooling": "mean"}, tuned_as="standard")
    declared = DECLARED.with_arms([*arms, mine])
    assert declared.arms(MAIN) == [*arms, mine]
    assert declared.arms(NOISY) == DECLARED.arms(NOISY)
    settings = training_settings(declared, mine, 3)
    assert (settings.alpha, settings.pooling, settings.learning_rate, settings.seed) == (0.5, "mean", 0.5, 3)
    for wrong in ([*arms, Arm("DPO", 0.5)], arms[1:], [*arms, Arm(declared.quantized.name, 0.5)]):
        with pytest.raises(SettingsError, match="changed or missing"):
            DECLARED.with_arms(wrong)
    with pytest.raises(SettingsError, match="changes speed of mine"):
        training_settings(declared, Arm("mine", 0.5, changes={"speed": 1}), 0)


def test_grm_is_one_more_arm_of_the_same_loss():
    """The release's weights, 0.99 and 0.01, on the pairs and with the hyperparameters of the hybrid."""
    declared = replace(DECLARED, grm=True, tuned={"hybrid 0.2": {"learning_rate": 0.5}})
    assert [arm.name for arm in declared.arms(MAIN)] == [*[arm.name for arm in DECLARED.arms(MAIN)], "GRM"]
    assert declared.arms(NOISY) == DECLARED.arms(NOISY)
    settings = training_settings(declared, declared.grm_arm, 1)
    assert (settings.reward_weight, settings.alpha, settings.policy_loss) == (0.99, 0.01, "grm-sft")
    assert (settings.learning_rate, settings.objective.needs_reference) == (0.5, False)


def test_where_its_reference_is_kept_does_not_make_a_job_another_one():
    first, second = (plan(DECLARED, DATA, Path(folder))[0] for folder in ("here", "there"))
    assert first.reference_cache != second.reference_cache
    assert fingerprint(first) == fingerprint(second)
    assert fingerprint(first) != fingerprint(plan(DECLARED, DATA, Path("here"))[1])


def test_other_policy_losses_are_arms_with_the_middle_ones_tuning():
    declared = DECLARED.with_variants(["hinge", "alternate:100"])
    added = declared.arms(MAIN)[len(DECLARED.arms(MAIN)) :]
    assert [(arm.name, arm.alpha, dict(arm.changes), arm.tuned_as) for arm in added] == [
        ("hybrid 0.2, hinge", 0.2, {"policy_loss": "hinge"}, "hybrid 0.2"),
        ("hybrid 0.2, alternate:100", 0.2, {"alternate": 100}, "hybrid 0.2"),
    ]
    assert DECLARED.with_variants(["none"]) == DECLARED
    for wrong in ("alternate", "alternate:0", "dpo"):
        with pytest.raises(SettingsError, match=wrong):
            DECLARED.with_variants([wrong])


def test_the_best_checkpoint_is_chosen_by_pairs_that_are_neither_trained_nor_tested_on(tmp_path):
    training = replace(DECLARED.training, keep_best=True, evaluate_steps=2, checkpoint_steps=2)
    pairs = [PreferencePair(f"q{i // 2}", f"yes {i}", f"no {i}", "in") for i in range(80)]
    data = ExperimentData({"in": pairs}, TESTS)
    for job in plan(replace(DECLARED, training=training, regimes=(Regime(80),)), data, tmp_path):
        held = {pair.prompt for pair in job.eval_pairs}
        assert len(held) == 2  # a twentieth of 40 prompts
        assert not held & {pair.prompt for pair in job.pairs}
        assert len(job.pairs) + len(job.eval_pairs) == 80
        assert job.training.best_metric == ("implicit_accuracy" if job.arm == "DPO" else "accuracy")
    assert not any(job.eval_pairs for job in plan(DECLARED, DATA, tmp_path))


def test_a_model_of_all_sets_is_in_distribution_on_each(monkeypatch):
    assert ExperimentData.inside("a", "a")
    assert not ExperimentData.inside("a", "b")
    assert ExperimentData.inside(haf_rm_data.MIXED, "b")


def test_the_part_of_a_file_to_test_on_can_be_asked_for(tmp_path):
    file = tmp_path / "mine.jsonl"
    rows = [{"prompt": f"{i}?", "chosen": "yes", "rejected": "no"} for i in range(400)]
    file.write_text("".join(f"{json.dumps(row)}\n" for row in rows))
    made = prepare_data(DataSettings((str(file),), held_out=0.3, test_prompts=400), ModelSettings("backbone"))
    tested = {pair.prompt for pair in made.tests["mine.jsonl"]}
    assert tested == {row["prompt"] for row in rows if is_held_out(row["prompt"], 0.3)}
    assert tested.isdisjoint(pair.prompt for pair in made.pools["mine.jsonl"])
    with pytest.raises(SettingsError, match="held_out 1"):
        DataSettings((str(file),), held_out=1)


def test_whole_pairs_have_one_turn_and_are_not_cut(tmp_path, monkeypatch):
    """Pairs are counted as the model reads them; here a word is a token, and the end token is one more."""
    rows = [{"prompt": f"short {i}", "chosen": "yes", "rejected": "no"} for i in range(40)]
    rows += [{"prompt": f"long {i} " + "word " * 30, "chosen": "yes", "rejected": "no"} for i in range(40)]
    turns = "Human: one {i}\n\nAssistant: two\n\nHuman: three"
    rows += [{"prompt": turns.format(i=i), "chosen": "yes", "rejected": "no"} for i in range(40)]
    file = tmp_path / "mine.jsonl"
    file.write_text("".join(f"{json.dumps(row)}\n" for row in rows))
    monkeypatch.setattr(haf_rm_data, "load_tokenizer", lambda _: None)
    monkeypatch.setattr(
        haf_rm_data,
        "encode",
        lambda texts, tokenizer, encoding: SimpleNamespace(
            cut=[len(f"{prompt} {text}".split()) + 1 > encoding.max_tokens for prompt, text in texts]
        ),
    )
    settings = DataSettings(
        (str(file),),
        whole_pairs=True,
        encoding=EncodingSettings("{prompt}", max_tokens=10, max_prompt_tokens=9),
    )
    made = prepare_data(settings, ModelSettings("backbone"))
    kept = [*made.pools["mine.jsonl"], *made.tests["mine.jsonl"]]
    assert {pair.prompt.split()[0] for pair in kept} == {"short"}
    assert (len(kept), made.left_out["mine.jsonl"]) == (40, 80)
    with pytest.raises(SettingsError, match="none within 2 tokens"):
        tight = EncodingSettings("{prompt}", max_tokens=2, max_prompt_tokens=1)
        prepare_data(replace(settings, encoding=tight), ModelSettings("backbone"))
