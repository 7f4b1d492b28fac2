"""Several samples of what a causal language model writes to each prompt."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from transformers import PreTrainedModel, PreTrainedTokenizerBase

__all__ = ["sample_texts"]


def sample_texts(
    model: PreTrainedModel,
    tokenizer: PreTrainedTokenizerBase,
    prompts: Sequence[Sequence[int]],
    *,
    samples: int,
    seed: int,
    max_new_tokens: int,
    batch_size: int = 512,
    progress: bool = True,
) -> list[tuple[str, ...]]:
    """Sample responses at temperature 1, from the model's whole distribution.

    Args:
        model: A decoder-only model.
        tokenizer: Its tokenizer.
        prompts: Tokens of each, as the model is to read them.
        samples: Responses a prompt.
        seed: Fixes the samples, together with the prompts and the batch size. The global generators stay as they are.
        max_new_tokens: Where a response is cut off, in tokens.
        batch_size: Responses at a time.
        progress: Show a bar on a terminal.

    Returns:
        In the order of the prompts; of each its responses, up to the first of `stop_token_ids`, without special
        tokens.
    """
    import torch

    from workbench.core.bars import Bar
    from workbench.models.generation_config import whole_distribution
    from workbench.models.stopping import stop_token_ids

    stops = list(stop_token_ids(model, tokenizer))
    at_once = max(1, batch_size // samples)
    # like lengths together: less padding
    order = sorted(range(len(prompts)), key=lambda i: (len(prompts[i]), i))
    # a tokenizer without a padding token has an end token: what stands at the left of the mask is never read
    padding = tokenizer.pad_token_id if tokenizer.pad_token_id is not None else tokenizer.eos_token_id
    devices = [model.device] if model.device.type == "cuda" else []
    found: dict[int, tuple[str, ...]] = {}
    bar = Bar(total=len(prompts), desc="sampling", unit="prompt", disable=None if progress else True)
    with bar, torch.random.fork_rng(devices), torch.no_grad(), whole_distribution(model):
        torch.manual_seed(seed)
        for start in range(0, len(order), at_once):
            places = order[start : start + at_once]
            asked = [list(prompts[i]) for i in places]
            width = max(map(len, asked))
            ids = torch.tensor([[padding] * (width - len(one)) + one for one in asked])
            mask = torch.tensor([[0] * (width - len(one)) + [1] * len(one) for one in asked])
            written = model.generate(  # type: ignore[operator]
                input_ids=ids.to(model.device),
                attention_mask=mask.to(model.device),
                do_sample=True,
                temperature=1.0,
                top_k=0,
                top_p=1.0,
                max_new_tokens=max_new_tokens,
                num_return_sequences=samples,
                pad_token_id=padding,
                eos_token_id=stops or None,
            )
            rows = [_before(row, stops) for row in written[:, width:].tolist()]
            texts = tokenizer.batch_decode(rows, skip_special_tokens=True)
            for row, i in enumerate(places):
                found[i] = tuple(texts[row * samples : (row + 1) * samples])
            bar.update(len(places))
    return [found[i] for i in range(len(prompts))]


def _before(tokens: list[int], stops: Sequence[int]) -> list[int]:
    """Return the tokens before the first that ends a response."""
    end = next((place for place, token in enumerate(tokens) if token in stops), len(tokens))
    return tokens[:end]
