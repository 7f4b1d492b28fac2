"""Scores of pairs against the model's own forward pass, in any batch, and continued after an interruption."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from tiny_model import make_tiny_model

from workbench.core.errors import DataError, ModelError, SettingsError
from workbench.datasets.preference_pair import PreferencePair
from workbench.models import (
    EncodingSettings,
    LoraSettings,
    ModelSettings,
    RewardModel,
    collate,
    encode,
    load_tokenizer,
)
from workbench.rewards.baselines import LengthReward, free_baselines
from workbench.rewards.pair_scores import BASELINES, SCORES, PreferenceScores
from workbench.rewards.scorer import Scorer, ScoringSettings
from workbench.rewards.scoring import ModelReward, reward_values, score_pairs, score_pairs_with
from workbench.rewards.spans import Sample, Span

PAIRS = [
    PreferencePair(
        "add two",
        "x + y " * (k % 5 + 1),
        "return " * (k % 3 + 1) + str(k),
        "made",
        "even" if k % 2 else "odd",
    )
    for k in range(13)
]
ENCODING = EncodingSettings(max_tokens=48, max_prompt_tokens=24)
SETTINGS = ScoringSettings(encoding=ENCODING, batch_size=4, beta=0.5)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_tiny_model(tmp_path_factory.mktemp("tiny"), context=64)


def load(folder: Path, lora: bool = False, seed: int = 1, init_std: float = 0.5) -> RewardModel:
    torch.manual_seed(seed)
    adapters = LoraSettings(rank=4) if lora else None
    model = RewardModel.load(ModelSettings(str(folder), device="cpu"), lora=adapters, init_std=init_std)
    with torch.no_grad():
        for name, parameter in model.policy.named_parameters():
            if "lora_B" in name:
                parameter.normal_(std=0.3)
    return model


@pytest.fixture(scope="module")
def scorer(folder: Path) -> Scorer:
    return Scorer(load(folder, lora=True), load_tokenizer(ModelSettings(str(folder))), SETTINGS)


@pytest.fixture(scope="module")
def table(scorer: Scorer) -> PreferenceScores:
    return score_pairs(scorer, PAIRS, progress=False)


def alone(model: RewardModel, tokenizer: Any, prompt: str, response: str) -> tuple[float, float, int]:
    """Return score, summed log-probability and tokens of one text, without padding or batches."""
    (text,) = encode([(prompt, response)], tokenizer, ENCODING).texts
    with torch.no_grad():
        logits = model.causal_lm(torch.tensor(text.tokens[None].astype(np.int64))).logits[0].double()
        score = float(model.eval()(*collate([text])).scores[0])
    logps = logits.log_softmax(-1)
    places = range(text.prompt_tokens, len(text.tokens))
    return score, float(sum(logps[k - 1, int(text.tokens[k])] for k in places)), len(places)


def test_every_score_is_that_of_the_text_by_itself(scorer: Scorer, table: PreferenceScores) -> None:
    model = scorer.model
    assert isinstance(model, RewardModel)
    for row, pair in enumerate(PAIRS):
        for side, response in enumerate((pair.chosen, pair.rejected)):
            score, logp, tokens = alone(model, scorer.tokenizer, pair.prompt, response)
            assert table.rewards[row, side] == pytest.approx(score, abs=1e-4)
            assert table.policy_logps[row, side] == pytest.approx(logp, abs=1e-3)
            assert (table.tokens[row, side], table.characters[row, side]) == (tokens, len(response))
            with model.as_reference():
                assert table.reference_logps[row, side] == pytest.approx(
                    alone(model, scorer.tokenizer, pair.prompt, response)[1], abs=1e-3
                )


def test_the_table_names_its_pairs(table: PreferenceScores) -> None:
    assert set(table.sources) == {"made"}
    assert table.subsets.tolist() == [pair.subset for pair in PAIRS]
    assert table.available == SCORES
    assert table.beta == 0.5
    assert np.abs(table.margin("implicit")).max() > 1e-3


def test_batches_change_nothing_but_rounding(scorer: Scorer, table: PreferenceScores) -> None:
    one = score_pairs(replace(scorer, settings=replace(SETTINGS, batch_size=1)), PAIRS[:5], progress=False)
    assert one.rewards == pytest.approx(table.rewards[:5], abs=1e-4)
    assert one.ids.tolist() == table.ids[:5].tolist()


def test_another_model_can_be_the_reference(folder: Path, table: PreferenceScores) -> None:
    base = load(folder)
    trained = load(folder, init_std=0.0)
    with torch.no_grad():
        next(trained.policy.parameters()).add_(0.05)
    tokenizer = load_tokenizer(ModelSettings(str(folder)))
    found = score_pairs(Scorer(trained, tokenizer, SETTINGS, base, tokenizer), PAIRS, progress=False)
    assert found.reference_logps == pytest.approx(table.reference_logps, abs=1e-3)
    assert found.reference_tokens.tolist() == table.reference_tokens.tolist()
    assert not found.has("explicit")  # a head of zeros was never trained
    assert found.has("implicit")


def test_a_model_that_is_its_own_reference_has_no_implicit_reward(
    folder: Path, table: PreferenceScores
) -> None:
    base = load(folder)
    found = score_pairs(
        Scorer(base, load_tokenizer(ModelSettings(str(folder))), SETTINGS, base), PAIRS, progress=False
    )
    assert found.available == ("explicit", *BASELINES)
    assert found.reference_logps == pytest.approx(table.reference_logps, abs=1e-3)


def test_a_full_model_without_a_reference_has_its_policy_only(folder: Path) -> None:
    found = score_pairs(
        Scorer(load(folder), load_tokenizer(ModelSettings(str(folder))), SETTINGS), PAIRS, progress=False
    )
    assert found.available == ("explicit", "policy logp, sum", "policy logp, mean", *BASELINES[2:])
    assert found.reference_tokens.max() == 0


def test_what_was_cut_is_marked(scorer: Scorer) -> None:
    exact = next(n for n in range(1, 60) if _length(scorer, "x" * n) == ENCODING.max_tokens)
    pairs = [
        PreferencePair("add", "x" * exact, "x" * (exact + 1), "made"),
        PreferencePair("add " * 90, "a", "b", "made"),
    ]
    found = score_pairs(scorer, pairs, progress=False)
    assert found.truncated.tolist() == [[False, True], [True, True]]


def _length(scorer: Scorer, response: str) -> int:
    return len(encode([("add", response)], scorer.tokenizer, ENCODING)[0].tokens)


def test_an_interrupted_scoring_ends_with_the_same_bytes(
    scorer: Scorer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = score_pairs(scorer, PAIRS, path=tmp_path / "whole.jsonl", progress=False)
    measured: list[int] = []
    measure = Scorer.measure

    def stopping(self: Scorer, encoded: Any) -> Any:
        if len(measured) == 3:
            raise KeyboardInterrupt
        measured.append(len(encoded.texts))
        return measure(self, encoded)

    monkeypatch.setattr(Scorer, "measure", stopping)
    with pytest.raises(KeyboardInterrupt):
        score_pairs(scorer, PAIRS, path=tmp_path / "cut.jsonl", progress=False)
    content = (tmp_path / "cut.jsonl").read_bytes()
    assert len(content.splitlines()) == 6  # three batches of two pairs
    (tmp_path / "cut.jsonl").write_bytes(content[:-7])  # and the last line half written

    counted: list[int] = []
    monkeypatch.setattr(Scorer, "measure", lambda self, encoded: counted.append(1) or measure(self, encoded))
    again = score_pairs(scorer, PAIRS, path=tmp_path / "cut.jsonl", progress=False)
    assert len(counted) == 5  # of seven batches two were whole
    assert (tmp_path / "cut.jsonl").read_bytes() == (tmp_path / "whole.jsonl").read_bytes()
    assert np.array_equal(again.rewards, whole.rewards)
    assert np.array_equal(PreferenceScores.load(tmp_path / "cut.jsonl").rewards, whole.rewards)


def test_a_trained_model_does_not_get_the_old_scores(folder: Path, tmp_path: Path) -> None:
    tokenizer = load_tokenizer(ModelSettings(str(folder)))
    before, after = load(folder, seed=1), load(folder, seed=2)
    first = score_pairs(
        Scorer(before, tokenizer, SETTINGS), PAIRS[:2], path=tmp_path / "s.jsonl", progress=False
    )
    second = score_pairs(
        Scorer(after, tokenizer, SETTINGS), PAIRS[:2], path=tmp_path / "s.jsonl", progress=False
    )
    assert not np.array_equal(first.rewards, second.rewards)
    assert len((tmp_path / "s.jsonl").read_text().splitlines()) == 2


def test_a_fingerprint_knows_weights_settings_and_reference(folder: Path, scorer: Scorer) -> None:
    base = load(folder)
    others = [
        scorer,
        replace(scorer, settings=replace(SETTINGS, beta=0.1)),
        replace(scorer, reference=base),
        replace(scorer, model=base),
    ]
    assert len({one.fingerprint for one in others}) == 4
    assert scorer.fingerprint == scorer.fingerprint


def test_scoring_leaves_the_model_as_it_was(folder: Path) -> None:
    model = load(folder, lora=True).train()
    score_pairs(
        Scorer(model, load_tokenizer(ModelSettings(str(folder))), SETTINGS), PAIRS[:1], progress=False
    )
    assert all(module.training for module in model.modules())
    assert all(parameter.requires_grad for name, parameter in model.named_parameters() if "lora" in name)


def test_a_model_as_a_reward_gives_the_same_numbers(scorer: Scorer, table: PreferenceScores) -> None:
    texts = [(pair.prompt, pair.chosen) for pair in PAIRS]
    for name in ("explicit", "implicit", "untrained logp, mean", "longer wins"):
        assert reward_values(ModelReward(scorer, name), texts) == pytest.approx(
            table.score(name)[:, 0], abs=1e-4
        )
    assert ModelReward(scorer)([]) == []


def test_the_free_baselines_are_those_of_the_table(folder: Path, table: PreferenceScores) -> None:
    untrained = Scorer(load(folder), load_tokenizer(ModelSettings(str(folder))), SETTINGS)
    texts = [(pair.prompt, pair.rejected) for pair in PAIRS]
    rewards = free_baselines(untrained)
    assert tuple(rewards) == BASELINES
    for name, reward in rewards.items():
        assert reward_values(reward, texts) == pytest.approx(table.score(name)[:, 1], abs=1e-3)


def test_any_reward_scores_pairs() -> None:
    found = score_pairs_with(LengthReward("shorter"), PAIRS)
    assert found.margin("explicit").tolist() == [len(pair.rejected) - len(pair.chosen) for pair in PAIRS]
    assert found.available == ("explicit", "longer wins", "shorter wins")


class Lazy:
    name = "lazy"

    def __call__(self, samples: Any) -> list[list[Span]]:
        return [[Span(0, 1, 1.0)] for _ in samples[:-1]]


def test_a_reward_that_leaves_texts_out_is_refused() -> None:
    with pytest.raises(SettingsError, match="'lazy' gave spans for 1 of 2 texts"):
        reward_values(Lazy(), [("p", "one"), ("p", "two")])


def test_a_score_that_the_model_lacks_is_refused(folder: Path) -> None:
    scorer = Scorer(load(folder), load_tokenizer(ModelSettings(str(folder))), SETTINGS)
    with pytest.raises(SettingsError, match="score 'implicit' of a model that has none"):
        ModelReward(scorer, "implicit")([Sample("p", "r")])
    with pytest.raises(SettingsError, match="score 'luck'"):
        ModelReward(scorer, "luck")


def test_no_pairs_are_an_error(scorer: Scorer) -> None:
    for call in (lambda: score_pairs(scorer, []), lambda: score_pairs_with(LengthReward(), [])):
        with pytest.raises(DataError, match="no pairs"):
            call()


def test_a_score_that_is_no_number_is_an_error(folder: Path) -> None:
    model = load(folder)
    torch.nn.init.constant_(model.reward_head.weight, float("nan"))
    with pytest.raises(ModelError, match="rewards are not finite"):
        score_pairs(
            Scorer(model, load_tokenizer(ModelSettings(str(folder))), SETTINGS), PAIRS[:1], progress=False
        )


@pytest.mark.parametrize("wrong", [{"batch_size": 0}, {"beta": 0.0}, {"beta": float("nan")}])
def test_settings_that_make_no_sense_are_refused(wrong: dict[str, Any]) -> None:
    with pytest.raises(SettingsError):
        ScoringSettings(**wrong)


def test_a_classifier_has_an_explicit_reward_only(folder: Path, tmp_path: Path) -> None:
    from transformers import AutoModelForSequenceClassification

    from workbench.models import load_scorer

    torch.manual_seed(3)
    AutoModelForSequenceClassification.from_pretrained(folder, num_labels=1).save_pretrained(tmp_path)
    scorer = Scorer(
        load_scorer(ModelSettings(str(tmp_path), device="cpu")),
        load_tokenizer(ModelSettings(str(folder))),
        SETTINGS,
    )
    found = score_pairs(scorer, PAIRS, path=tmp_path / "scores.jsonl", progress=False)
    assert found.available == ("explicit", *BASELINES[2:])
    with_base = score_pairs(replace(scorer, reference=load(folder)), PAIRS, progress=False)
    assert with_base.available == ("explicit", *BASELINES)
    assert json.loads((tmp_path / "scores.jsonl").read_text().splitlines()[0])["policy_logps"] == [None, None]
