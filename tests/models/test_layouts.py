"""Less of a batch is read only where that changes nothing: measured on unlike families, at every length."""

from __future__ import annotations

import warnings

import pytest
import torch
from tiny_configs import CONFIGS, tiny
from torch import Tensor

from workbench.core.errors import ModelError
from workbench.models import RewardModel
from workbench.models.layouts import LAYOUTS, LayoutLimit, layout_error
from workbench.models.reading import read_model


def pairs(
    prompt: int = 30, answers: tuple[int, int, int, int] = (12, 3, 25, 18)
) -> tuple[Tensor, Tensor, Tensor]:
    """Two prompts with two responses each, all of different lengths; the chosen ones first."""
    generator = torch.Generator().manual_seed(5)
    prompts = [torch.randint(3, 96, (size,), generator=generator) for size in (prompt, 7)]
    ids = torch.zeros(4, prompt + max(answers)).long()
    real, response = torch.zeros_like(ids).bool(), torch.zeros_like(ids).bool()
    for row, answer in enumerate(answers):
        start, end = len(prompts[row % 2]), len(prompts[row % 2]) + answer
        ids[row, :start] = prompts[row % 2]
        ids[row, start:end] = torch.randint(3, 96, (answer,), generator=generator)
        real[row, :end], response[row, start:end] = True, True
    return ids, real, response


@torch.no_grad()
@pytest.mark.parametrize("layout", LAYOUTS)
@pytest.mark.parametrize("family", CONFIGS)
def test_a_layout_gives_the_same_scores_or_is_refused_by_name(family: str, layout: str) -> None:
    given, lm = pairs(), tiny(family)
    torch.manual_seed(1)
    plain = RewardModel(lm, init_std=0.5).eval()
    torch.manual_seed(1)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            model = RewardModel(lm, init_std=0.5, **{layout: True}).eval()
            found = model(*given)
    except ModelError as error:
        assert f"{layout} with {type(lm).__name__}" in error.got and layout in error.fix
        return
    expected = plain(*given)
    torch.testing.assert_close(found.scores, expected.scores, rtol=1e-3, atol=1e-3)
    torch.testing.assert_close(found.token_logps, expected.token_logps, rtol=1e-3, atol=1e-3)


@pytest.mark.parametrize(
    ("family", "refused"),
    [
        ("Llama", ()),
        ("GPT2", ()),
        ("Mixtral", ()),
        ("Gemma2", ()),
        ("OPT", ("padding_free",)),
        ("Falcon", ("padding_free",)),
        ("Falcon, alibi", LAYOUTS),
        ("Mamba", LAYOUTS),
        ("Lfm2", LAYOUTS),
        ("FalconH1", LAYOUTS),
        ("RecurrentGemma", LAYOUTS),
        ("Qwen3Next", LAYOUTS),
    ],
)
def test_what_is_refused(family: str, refused: tuple[str, ...]) -> None:
    reading = read_model(tiny(family))
    found = {layout: layout_error(reading, layout, 32 if family != "Gemma2" else 16) for layout in LAYOUTS}
    assert [layout for layout, (error, allowed) in found.items() if error > allowed] == list(refused)
    assert all(error > 0.05 or error < 1e-5 for error, _ in found.values())


@pytest.mark.parametrize("family", ["GPTNeo", "Mistral, window", "Gemma2", "Llama4"])
def test_rows_beyond_a_window_are_padded_and_it_is_said(family: str) -> None:
    """Windows of 20 columns (24 of Llama 4's chunks): a response behind another one would lose its prompt."""
    lm = tiny(family)
    model = RewardModel(lm, share_prompts=True, init_std=0.5).eval()
    given = pairs()
    with (
        torch.no_grad(),
        pytest.warns(UserWarning, match="share_prompts holds up to rows of 16 columns; at 32"),
    ):
        found = model(*given)
    model.share_prompts = False
    with torch.no_grad():
        assert torch.equal(model(*given).token_logps, found.token_logps)


def test_each_doubling_is_measured_once(monkeypatch: pytest.MonkeyPatch) -> None:
    from workbench.models import layouts

    measured: list[int] = []
    plain = layouts.layout_error
    monkeypatch.setattr(layouts, "layout_error", lambda *given: (measured.append(given[2]), plain(*given))[1])
    limit, reading = LayoutLimit("share_prompts"), read_model(tiny("Llama"))
    assert all(limit.allows(reading, columns) for columns in (10, 60, 33, 64, 65, 128))
    assert measured == [16, 32, 64, 128]
    assert limit.said() == "share_prompts: the same states as one text at a time, up to 128 columns"


def test_an_attention_that_takes_no_such_mask_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    lm = tiny("Llama")
    forward = type(lm.model).forward

    def blind(
        self: object, input_ids: Tensor, attention_mask: Tensor | None = None, **options: object
    ) -> object:
        if attention_mask is not None and attention_mask.ndim == 4:
            raise ValueError("a mask of two axes is needed")
        return forward(self, input_ids, attention_mask=attention_mask, **options)

    blind.__signature__ = __import__("inspect").signature(forward)  # type: ignore[attr-defined]
    monkeypatch.setattr(type(lm.model), "forward", blind)
    with pytest.raises(ModelError, match="share_prompts with LlamaForCausalLM, attention sdpa"):
        RewardModel(lm, share_prompts=True)
