"""Preference pairs as tokens: what a reward trainer reads, in which order, and in which batches."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, NamedTuple

import torch
from torch import Tensor
from torch.utils.data import Dataset, Sampler

from workbench.core.errors import DataError
from workbench.datasets.preference_pair import PreferencePair
from workbench.models.encoding import CutReport, EncodedText, EncodingSettings, collate, encode

if TYPE_CHECKING:
    from transformers import PreTrainedTokenizerBase

__all__ = ["EncodedPair", "EncodedPairs", "PairOrder", "collate_pairs", "encode_pairs"]

SHOWN = 10
GROUPED_STEPS = 50  # with group_by_length: steps among which pairs of like lengths are put together


class EncodedPair(NamedTuple):
    """Two responses to one prompt, as tokens."""

    chosen: EncodedText
    """The one that was preferred."""
    rejected: EncodedText
    """The one that was not."""
    row: int
    """Its number among the pairs given, from 0."""
    reference: tuple[float, float] | None = None
    """`log ref(y|x)` of chosen and rejected, where it was computed before training."""

    @property
    def length(self) -> int:
        """Tokens of the longer one: what a row of a batch costs."""
        return max(len(self.chosen.tokens), len(self.rejected.tokens))


@dataclass(frozen=True, repr=False)
class EncodedPairs(Dataset[EncodedPair]):
    """Encoded pairs, and what became of the ones given."""

    pairs: tuple[EncodedPair, ...]
    """In the order given."""
    report: CutReport
    """What did not fit."""
    sources: tuple[str, ...] = ()
    """The data sets that they come from."""
    equal_after_cut: int = 0
    """Pairs left out, because their responses differ only after the last token that fits."""

    def __repr__(self) -> str:
        return f"<EncodedPairs {self}>"

    def __str__(self) -> str:
        left_out = (
            f"; {self.equal_after_cut:,} pairs left out: what differs in them was cut"
            if self.equal_after_cut
            else ""
        )
        return f"{len(self):,} pairs: {self.report}{left_out}"

    def __len__(self) -> int:
        return len(self.pairs)

    def __getitem__(self, index: int) -> EncodedPair:
        return self.pairs[index]

    def texts(self) -> Iterator[EncodedText]:
        """Yield all responses: chosen and rejected of each pair in turn."""
        for pair in self.pairs:
            yield from (pair.chosen, pair.rejected)

    def mark(self) -> str:
        """Return a fingerprint of the tokens, as 64 hex digits."""
        digest = hashlib.sha256()
        for text in self.texts():
            digest.update(f"{len(text.tokens)} {text.prompt_tokens} ".encode())
            digest.update(text.tokens.tobytes())
        return digest.hexdigest()

    def with_reference(self, logps: Sequence[float]) -> EncodedPairs:
        """Return these pairs with the log-probabilities of a reference policy.

        Args:
            logps: `log ref(y|x)`, in the order of `texts`. Shape [2 * pairs].
        """
        both = zip(logps[::2], logps[1::2], strict=True)
        return replace(
            self,
            pairs=tuple(
                pair._replace(reference=(float(chosen), float(rejected)))
                for pair, (chosen, rejected) in zip(self.pairs, both, strict=True)
            ),
        )


def encode_pairs(
    pairs: Sequence[PreferencePair],
    tokenizer: PreTrainedTokenizerBase,
    settings: EncodingSettings | None = None,
) -> EncodedPairs:
    """Turn preference pairs into tokens, and leave out those of which nothing that differs fits.

    Args:
        pairs: At least one.
        tokenizer: The model's.
        settings: Template and budgets; see `workbench.models.encode`.

    Raises:
        DataError: No pairs; responses that are equal, with their rows; or see `workbench.models.encode`.
    """
    if not pairs:
        raise DataError(
            "no preference pairs", "at least one", "see what left them all out, or name other data"
        )
    same = [row for row, pair in enumerate(pairs) if pair.chosen == pair.rejected]
    if same:
        more = f" and {len(same) - SHOWN} more" if len(same) > SHOWN else ""
        raise DataError(
            got=f"chosen equal to rejected in pair {', '.join(map(str, same[:SHOWN]))}{more} (counted from 0)",
            needed="two responses that differ",
            fix="leave these pairs out; load_preferences(..., equal='drop') does",
        )
    texts = [(pair.prompt, response) for pair in pairs for response in (pair.chosen, pair.rejected)]
    encoded = encode(texts, tokenizer, settings, each=2)
    both = zip(encoded[::2], encoded[1::2], strict=True)
    found = [EncodedPair(chosen, rejected, row) for row, (chosen, rejected) in enumerate(both)]
    kept = tuple(pair for pair in found if pair.chosen.tokens.tolist() != pair.rejected.tokens.tolist())
    if not kept:
        raise DataError(
            got=f"all {len(found)} pairs are equal once they are cut: {encoded.report}",
            needed="responses that differ within the budget",
            fix="raise max_tokens, or lower max_prompt_tokens",
        )
    sources = tuple(dict.fromkeys(pair.source for pair in pairs))
    return EncodedPairs(kept, encoded.report, sources, len(found) - len(kept))


def collate_pairs(pairs: Sequence[EncodedPair]) -> dict[str, Tensor]:
    """Put pairs into ONE batch, the chosen responses first, then the rejected ones in the same order.

    Returns:
        `input_ids`, `attention_mask`, `response_mask` as in `TokenBatch`, of shape [2 * pairs, tokens];
        `rows`: int64 of shape [pairs]; and where all pairs have one, `reference_logps`: float32 of shape
        [2 * pairs]. A dict, because that is what a Trainer moves between devices.
    """
    batch = collate([pair.chosen for pair in pairs] + [pair.rejected for pair in pairs])
    found: dict[str, Tensor] = {**batch._asdict(), "rows": torch.tensor([pair.row for pair in pairs])}
    reference = [pair.reference for pair in pairs if pair.reference is not None]
    if len(reference) == len(pairs):
        chosen, rejected = zip(*reference, strict=True)
        found["reference_logps"] = torch.tensor(chosen + rejected, dtype=torch.float32)
    return found


class PairOrder(Sampler[int]):
    """The order of the pairs in an epoch: random, and a function of seed and epoch alone.

    A resumed training therefore meets the same batches, whatever was drawn before. The pairs of one optimizer step
    are sorted by length, which changes no gradient, and lets micro-batches hold less padding.

    Args:
        pairs: What is ordered.
        step: Pairs an optimizer step, over all processes.
        seed: Seed of the order.
        group_by_length: Also let a step hold pairs of like lengths. Less padding still, but steps are then no
            random samples of the data.
    """

    def __init__(self, pairs: EncodedPairs, step: int, seed: int, *, group_by_length: bool = False) -> None:
        self.lengths = torch.tensor([pair.length for pair in pairs.pairs])
        self.step, self.seed, self.group_by_length, self.epoch = step, seed, group_by_length, 0

    def set_epoch(self, epoch: int) -> None:
        """Choose the order of an epoch, from 0."""
        self.epoch = epoch

    def __len__(self) -> int:
        return len(self.lengths)

    def __iter__(self) -> Iterator[int]:
        generator = torch.Generator().manual_seed(self.seed * 1_000_003 + self.epoch)
        order = torch.randperm(len(self), generator=generator)
        if self.group_by_length:
            order = torch.cat([self._sorted(part) for part in order.split(self.step * GROUPED_STEPS)])
            steps = order.split(self.step)
            # the last step is short, and stays last: accumulation counts full steps
            mixed = torch.randperm(len(self) // self.step, generator=generator).tolist()
            order = torch.cat([steps[number] for number in mixed] + list(steps[len(mixed) :]))
        for part in order.split(self.step):
            yield from self._sorted(part).tolist()

    def _sorted(self, rows: Tensor) -> Tensor:
        """Sort pairs by length."""
        return rows[self.lengths[rows].argsort(stable=True)]
