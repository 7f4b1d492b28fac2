"""The reference's log-probabilities: right, kept on disk, continued, and keyed by weights and tokens."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from tiny_training import ENCODING, load, make_pairs, save_tiny, tokenizer_of

from workbench.models import RewardModel, collate
from workbench.models.token_logps import sequence_logps
from workbench.training import EncodedPairs, encode_pairs, reference_logps
from workbench.training.reference import policy_mark


@pytest.fixture(scope="module")
def tiny(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return save_tiny(tmp_path_factory.mktemp("tiny"))


@pytest.fixture(scope="module")
def pairs(tiny: Path) -> EncodedPairs:
    return encode_pairs(make_pairs(9), tokenizer_of(tiny), ENCODING)


def compute(model: RewardModel, pairs: EncodedPairs, cache: Path | None = None, **options: Any) -> Any:
    return reference_logps(model, pairs, cache=cache, progress=False, **{"batch": 4} | options)


def shake_adapters(model: RewardModel) -> RewardModel:
    with torch.no_grad():
        for name, parameter in model.named_parameters():
            if "lora_B" in name:
                parameter.normal_(std=0.5)
    return model


def test_they_are_the_untrained_models_one_by_one(tiny: Path, pairs: EncodedPairs) -> None:
    model = load(tiny)
    expected = []
    with torch.no_grad():
        for text in pairs.texts():
            batch = collate([text])
            expected.append(sequence_logps(model(*batch).token_logps, batch.response_mask).item())
    found = compute(model, pairs)
    np.testing.assert_allclose(found, expected, rtol=1e-5)
    np.testing.assert_allclose(compute(shake_adapters(load(tiny, lora=True)), pairs), expected, rtol=1e-5)


def test_the_model_is_left_as_it_was(tiny: Path, pairs: EncodedPairs) -> None:
    for lora in (False, True):
        model = load(tiny, lora=lora).train()
        before = [(parameter.requires_grad, parameter.grad) for parameter in model.parameters()]
        compute(model, pairs)
        assert all(module.training for module in model.modules())
        assert [(parameter.requires_grad, parameter.grad) for parameter in model.parameters()] == before


def test_what_is_known_is_not_computed_again(
    tiny: Path, pairs: EncodedPairs, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = compute(load(tiny), pairs, tmp_path)
    assert [file.suffix for file in tmp_path.iterdir() if file.suffix != ".lock"] == [".f64"]
    monkeypatch.setattr(RewardModel, "forward", None)
    assert np.array_equal(compute(load(tiny), pairs, tmp_path), first)
    with pytest.raises(TypeError):  # other tokens, other weights, other arithmetic: other values
        compute(load(tiny), encode_pairs(make_pairs(8), tokenizer_of(tiny), ENCODING), tmp_path)
    other = load(tiny)
    with torch.no_grad():
        other.lm_head.weight[3, 3] += 0.01
    with pytest.raises(TypeError):
        compute(other, pairs, tmp_path)
    with pytest.raises(TypeError):
        compute(load(tiny), pairs, tmp_path, bf16=True)


def test_interrupted_it_continues_with_the_same_bits(
    tiny: Path, pairs: EncodedPairs, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = compute(load(tiny), pairs)
    forward, calls = RewardModel.forward, []

    def counted(model: RewardModel, *given: Any) -> Any:
        calls.append(len(given[0]))
        if len(calls) == 4:
            raise KeyboardInterrupt
        return forward(model, *given)

    monkeypatch.setattr(RewardModel, "forward", counted)
    with pytest.raises(KeyboardInterrupt):
        compute(load(tiny), pairs, tmp_path)
    (part,) = tmp_path.glob("*.part")
    assert part.stat().st_size == 3 * 4 * 8
    part.write_bytes(part.read_bytes()[:-3])  # a kill cut the last value
    assert np.array_equal(compute(load(tiny), pairs, tmp_path), whole)
    assert calls == [4, 4, 4, 4, 4, 4, 2], "two of the batches were still whole"
    assert not list(tmp_path.glob("*.part"))


def test_trainings_that_share_a_cache_compute_once(
    tiny: Path, pairs: EncodedPairs, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    models = [load(tiny) for _ in range(3)]
    forward, calls = RewardModel.forward, []

    def counted(model: RewardModel, *given: Any) -> Any:
        calls.append(len(given[0]))
        return forward(model, *given)

    monkeypatch.setattr(RewardModel, "forward", counted)
    with ThreadPoolExecutor(3) as threads:
        found = list(threads.map(lambda model: compute(model, pairs, tmp_path), models))
    assert sum(calls) == len(found[0]) == 18
    assert np.array_equal(found[0], found[1])
    assert np.array_equal(found[0], found[2])


def test_a_mark_changes_with_any_weight_and_not_with_adapters(tiny: Path) -> None:
    plain, adapted = load(tiny), load(tiny, lora=True)
    assert policy_mark(plain) == policy_mark(adapted) == policy_mark(shake_adapters(load(tiny, lora=True)))
    assert policy_mark(adapted, adapters=True) != policy_mark(
        shake_adapters(load(tiny, lora=True)), adapters=True
    )
    head = load(tiny)
    with torch.no_grad():
        head.reward_head.weight += 1
    assert policy_mark(head) == policy_mark(plain)
    assert policy_mark(head, adapters=True) != policy_mark(plain, adapters=True)
    for name, _ in plain.policy.named_parameters():
        changed = load(tiny)
        with torch.no_grad():
            values = changed.policy.get_parameter(name).view(-1)
            values[len(values) // 2 + 1 if len(values) > 2 else 0] += 1e-3
        assert policy_mark(changed) != policy_mark(plain), name


def test_quantised_weights_have_a_mark_too(tiny: Path) -> None:
    one, other = (load(tiny, lora=True, quantize="nf4") for _ in range(2))
    assert policy_mark(one) == policy_mark(other) != policy_mark(load(tiny, lora=True))
