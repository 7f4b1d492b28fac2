"""Whether a text that is being written holds a stop text."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from transformers import PreTrainedTokenizerBase

__all__ = ["StopTexts"]

_SPARE_TOKENS = 8  # a decoder may treat the first of them in another way than in the middle of a text
_PART = "\ufffd"  # what a token that holds only some bytes of a letter decodes to


class StopTexts:
    """Finds stop texts in what a model has written so far, token by token.

    It reads the text as the tokenizer decodes it, which takes long; but only after a token that holds the last letter
    of a stop text, which few do. Transformers' own `stop_strings` works on the vocabulary instead, and cannot read
    that of every tokenizer (of one whose tokens are words, for instance).

    Args:
        tokenizer: The model's.
        stops: Texts, none empty; there may be none at all.
    """

    def __init__(self, tokenizer: PreTrainedTokenizerBase, stops: Sequence[str]) -> None:
        self._tokenizer, self.texts = tokenizer, tuple(stops)
        # no token holds less than a byte, but for marks without a text
        self._window = max((len(stop.encode()) for stop in stops), default=0) + _SPARE_TOKENS
        self._last = {stop[-1] for stop in stops}
        # a decoder may put a space between two tokens, so that none of them holds it
        self._anywhere = any(letter.isspace() for letter in self._last)
        self._may_end: dict[int, bool] = {}

    def end(self, tokens: Sequence[int]) -> bool:
        """Tell whether the newest token completes a stop text.

        Args:
            tokens: All that the model has written to one prompt, at least one; it was asked of the earlier ones.
        """
        if not self.texts or not self._can_end(tokens[-1]):
            return False
        text = self._decoded(tokens[-self._window :])
        return any(stop in text for stop in self.texts)

    def before(self, text: str) -> str:
        """Return a text up to the first stop text in it."""
        for stop in self.texts:
            text = text.split(stop, maxsplit=1)[0]
        return text

    def _can_end(self, token: int) -> bool:
        if token not in self._may_end:
            piece = self._decoded([token])
            self._may_end[token] = self._anywhere or _PART in piece or not self._last.isdisjoint(piece)
        return self._may_end[token]

    def _decoded(self, tokens: Sequence[int]) -> str:
        return str(self._tokenizer.decode(list(tokens), clean_up_tokenization_spaces=False))
