"""Stop writing where a text says so."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import torch
    from transformers import PreTrainedTokenizerBase

__all__ = ["StopTexts"]

_SPARE_TOKENS = 8  # a decoder may treat the first of them in another way than in the middle of a text


class StopTexts:
    """A stopping criterion of `generate`: a row ends once its latest tokens hold a stop text.

    It reads the text as the tokenizer decodes it. Transformers' own `stop_strings` works on the vocabulary instead,
    and cannot read that of every tokenizer (of one whose tokens are words, for instance).

    Args:
        tokenizer: The model's.
        stops: Texts, at least one.
        prompt_length: Tokens before the first new one, padding included.
    """

    def __init__(
        self, tokenizer: PreTrainedTokenizerBase, stops: Sequence[str], *, prompt_length: int
    ) -> None:
        self._tokenizer, self._stops, self._prompt_length = tokenizer, tuple(stops), prompt_length
        # no token holds less than a byte, but for marks without a text
        self._window = max(len(stop.encode()) for stop in stops) + _SPARE_TOKENS

    def __call__(self, input_ids: torch.Tensor, scores: Any, **_: Any) -> torch.Tensor:
        """Tell which rows have ended.

        Args:
            input_ids: (rows, tokens so far), int64.
            scores: Not looked at.

        Returns:
            (rows,) bool, on the same device.
        """
        import torch

        start = max(self._prompt_length, input_ids.shape[1] - self._window)
        texts = self._tokenizer.batch_decode(input_ids[:, start:], clean_up_tokenization_spaces=False)
        return torch.tensor([any(stop in text for stop in self._stops) for text in texts]).to(
            input_ids.device
        )
