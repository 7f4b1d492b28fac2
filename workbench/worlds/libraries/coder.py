"""The pocket code model as a generator for the active loop: it continues prompts greedily, in batches."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Sequence
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from workbench.core.errors import ModelError

if TYPE_CHECKING:
    from torch import Tensor
    from transformers import PreTrainedModel, PreTrainedTokenizerBase

    from workbench.models import ModelSettings

__all__ = ["PocketCoder", "tidied"]

_MAX_NEW_TOKENS = 40  # a program of three calls takes 27
_BATCH = 64
_NO_SPACE = re.compile(r" (?=[(),])|(?<=\() |(?<=by=) ")
_LINE_END = re.compile(r" *\n *")


class PocketCoder:
    """A tiny model that writes programs for fictional libraries; loaded with the first answer.

    Args:
        folder: Its weights, tokenizer and recipe, as `workbench.worlds.libraries.pretrain` leaves them.

    Raises:
        ModelError: The folder has no such model.
    """

    def __init__(self, folder: str | Path) -> None:
        self._folder = Path(folder)
        weights = self._folder / "model.safetensors"
        if not weights.is_file():
            raise ModelError(
                got=f"no model in {self._folder}",
                needed="model.safetensors with its config and tokenizer",
                fix=f"run `python -m workbench.worlds.libraries.pretrain --out {self._folder}`",
            )
        self._digest = hashlib.sha256(weights.read_bytes()).hexdigest()[:16]

    @cached_property
    def _tokenizer(self) -> PreTrainedTokenizerBase:
        from workbench.models import load_tokenizer

        return load_tokenizer(self._settings)

    @cached_property
    def _model(self) -> PreTrainedModel:
        from transformers.utils import logging

        from workbench.models import load_causal_lm

        # A model of half a million parameters takes no time to load, and needs no kernel written for the GPU.
        logging.disable_progress_bar()
        logging.get_logger("transformers.integrations.hub_kernels").setLevel(logging.ERROR)
        return load_causal_lm(self._settings).model

    @property
    def _settings(self) -> ModelSettings:
        from workbench.models import ModelSettings

        return ModelSettings(str(self._folder), device="cpu", dtype="float32")

    @property
    def name(self) -> str:
        """Its folder's name: the seed it was trained from."""
        return f"pocket:{self._folder.name}"

    @property
    def fingerprint(self) -> str:
        """A digest of its weights."""
        return f"pocket:{self._digest}"

    def count_tokens(self, text: str) -> int:
        """Return how many tokens a text has."""
        return len(self._tokenizer.backend_tokenizer.encode(text, add_special_tokens=False))

    def complete(self, prompts: Sequence[str]) -> list[str]:
        """Return the greedy program after each prompt, token by token."""
        encoded: list[list[int]] = self._tokenizer(list(prompts), add_special_tokens=False)["input_ids"]
        order = sorted(range(len(encoded)), key=lambda i: (len(encoded[i]), i))
        written: dict[int, str] = {}
        for first in range(0, len(order), _BATCH):
            rows = order[first : first + _BATCH]
            tokens = self._continued([encoded[i] for i in rows])
            texts = self._tokenizer.batch_decode(tokens, skip_special_tokens=True)
            written.update(zip(rows, map(tidied, texts), strict=True))
        return [written[i] for i in range(len(encoded))]

    def _continued(self, prompts: list[list[int]]) -> list[list[int]]:
        """Return the tokens that follow each prompt, greedily, up to the end token."""
        import torch

        longest, end = max(map(len, prompts)), self._tokenizer.eos_token_id
        ids = torch.full((len(prompts), longest), self._tokenizer.pad_token_id)
        mask = torch.zeros(ids.shape, dtype=torch.int64)
        for row, tokens in enumerate(prompts):
            ids[row, longest - len(tokens) :] = torch.tensor(tokens)
            mask[row, longest - len(tokens) :] = 1
        found: list[list[int]] = [[] for _ in prompts]
        rows, going = torch.arange(len(prompts)), torch.ones(len(prompts), dtype=torch.bool)
        cache: Any = None
        with torch.inference_mode():
            for _ in range(_MAX_NEW_TOKENS):
                chosen, cache = self._step(ids, mask, cache)
                going &= chosen != end
                left = torch.nonzero(going).flatten()
                if not len(left):
                    break
                for row, token in zip(rows[left].tolist(), chosen[left].tolist(), strict=True):
                    found[row].append(token)
                if 2 * len(left) <= len(rows):  # most have ended: go on with the others alone
                    cache.reorder_cache(left)
                    rows, mask, chosen, going = rows[left], mask[left], chosen[left], going[left]
                ids = chosen[:, None]
                mask = torch.cat([mask, torch.ones_like(ids)], dim=1)
        return found

    def _step(self, ids: Tensor, mask: Tensor, cache: Any) -> tuple[Tensor, Any]:
        """Read tokens, the first time all of the prompt; return the most probable next ones, and what was read."""
        places = (mask.cumsum(1) - 1).clamp(min=0)[:, -ids.shape[1] :]
        output = self._model(
            input_ids=ids,
            attention_mask=mask,
            position_ids=places,
            past_key_values=cache,
            use_cache=True,
            logits_to_keep=1,
        )
        return output.logits[:, -1].argmax(-1), output.past_key_values


def tidied(text: str) -> str:
    """Return code with the spaces that the tokenizer puts between its tokens taken out."""
    return _NO_SPACE.sub("", _LINE_END.sub("\n", text)).strip()
