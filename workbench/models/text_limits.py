"""What texts a model can read: tokens that it has embeddings of, positions that it has learned; measured on it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor
from torch.overrides import TorchFunctionMode

from workbench.core.errors import ModelError

if TYPE_CHECKING:
    from transformers import PreTrainedTokenizerBase

    from workbench.models.encoding import EncodedText

__all__ = ["PositionTables", "check_texts", "watched_tables"]


class PositionTables(TorchFunctionMode):
    """Finds tables that a model looks positions up in, while it reads one text.

    Args:
        ids: The text. Shape [1, tokens].
    """

    def __init__(self, ids: Tensor) -> None:
        super().__init__()
        self.ids = ids.flatten()
        self.longest: int | None = None
        """Tokens of the longest text that all tables have rows for; None: there are none."""

    def __torch_function__(self, function: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        name = getattr(function, "__name__", "")
        if name == "embedding":
            self._note(args[0], args[1], 0)
        elif name == "gather" and len(args) == 3 and isinstance(args[1], int):
            asked = args[2].movedim(args[1], -1)
            self._note(asked.reshape(-1, asked.shape[-1])[:1], args[0], args[1])
        elif name == "__getitem__":
            place = args[1][0] if isinstance(args[1], tuple) and args[1] else args[1]
            if isinstance(place, Tensor):
                self._note(place, args[0], 0)
        return function(*args, **(kwargs or {}))

    def _note(self, index: Tensor, table: Tensor, dimension: int) -> None:
        """Note a table that is asked for consecutive rows, one a token."""
        if index.dtype not in (torch.int64, torch.int32) or index.numel() != len(self.ids) or table.ndim < 2:
            return
        asked = index.flatten()
        if (
            not table.is_floating_point()
            or torch.equal(asked, self.ids)
            or not bool((asked.diff() == 1).all())
        ):
            return
        rows = table.shape[dimension] - int(asked[0])
        self.longest = min(rows, self.longest or rows)


@contextmanager
def watched_tables(ids: Tensor) -> Iterator[PositionTables]:
    """Within this context it is seen how a model looks positions up. Gives what was found."""
    with PositionTables(ids) as tables:
        yield tables


def check_texts(
    texts: Sequence[EncodedText],
    *,
    rows: int,
    longest: int | None,
    tokenizer: PreTrainedTokenizerBase,
    names: Sequence[object] | None = None,
) -> None:
    """Raise where a model cannot read a text, before it fails in the midst of all of them.

    Args:
        texts: What it is to read.
        rows: Tokens that it has embeddings of.
        longest: Tokens of the longest text that it has positions for; None: no limit.
        tokenizer: What made the tokens.
        names: The texts' numbers, where these are others than theirs in `texts`.

    Raises:
        ModelError: A token has no embedding, or a text is longer than the learned positions.
    """
    names = range(len(texts)) if names is None else names
    for name, text in zip(names, texts, strict=True):
        token, length = int(text.tokens.max(initial=0)), len(text.tokens)
        if token >= rows:
            raise ModelError(
                got=f"text {name} (counted from 0) has token {token}, {tokenizer.convert_ids_to_tokens(token)!r}; "
                f"the model has embeddings of {rows} tokens, the tokenizer {len(tokenizer)}",
                needed="the tokenizer that the model was trained with, or a model with a row for each of its tokens",
                fix="name the model's own tokenizer; or give it rows, then train them: "
                f"model.resize_token_embeddings({len(tokenizer)}); model.save_pretrained(FOLDER)",
            )
        if longest is not None and length > longest:
            raise ModelError(
                got=f"text {name} (counted from 0) has {length} tokens; the model has learned {longest} positions",
                needed=f"texts of at most {longest} tokens",
                fix=f"set max_tokens (--max-tokens) to at most {longest}, and max_prompt_tokens below it",
            )
