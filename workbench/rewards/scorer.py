"""A model with all that scoring needs, and what it measures of a batch of texts."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from copy import copy
from dataclasses import asdict, dataclass, field, replace
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from numpy.typing import NDArray

from workbench.core.errors import ModelError, SettingsError
from workbench.models.classifier import ClassifierRewardModel
from workbench.models.encoding import EncodedText, EncodingSettings, TokenBatch, collate, encode, settled
from workbench.models.modes import evaluation_mode
from workbench.models.reward_model import RewardModel
from workbench.models.token_logps import sequence_logps

if TYPE_CHECKING:
    from transformers import PreTrainedTokenizerBase

__all__ = ["Encoded", "Scorer", "ScoringSettings"]

Floats = NDArray[np.float64]
Texts = Sequence[tuple[str, str]]

MARKED = 64  # values of each weight that tell one model from another: any training changes them


@dataclass(frozen=True)
class ScoringSettings:
    """How texts are scored."""

    encoding: EncodingSettings | None = field(default_factory=EncodingSettings)
    """How they become tokens; what the model was trained with. None: as transformers and TRL train; see `settled`."""
    batch_size: int = 16
    """Sequences at a time; a pair is two."""
    beta: float = 0.1
    """Strength of the implicit reward."""

    def __post_init__(self) -> None:
        faults = []
        if self.batch_size < 1:
            faults.append((f"batch_size {self.batch_size}", "batch_size: at least 1"))
        if not 0 < self.beta < float("inf"):
            faults.append((f"beta {self.beta!r}", "beta: a number above 0"))
        if faults:
            raise SettingsError.listing(faults)


@dataclass(frozen=True)
class Scorer:
    """A model with all that scoring needs.

    The reference is the model with its adapters off, or another model. It may be the model itself, whose policy then
    was never trained: its log-probabilities are the reference's, and it has no implicit reward. A scalar head of
    zeros was never trained either, as after DPO: it gives no explicit reward.
    """

    model: RewardModel | ClassifierRewardModel
    """What is scored with. A classifier has no log-probabilities."""
    tokenizer: PreTrainedTokenizerBase
    """The model's."""
    settings: ScoringSettings = field(default_factory=ScoringSettings)
    """How."""
    reference: RewardModel | None = None
    """The untrained model; None: the model's own, if it has adapters to switch off."""
    reference_tokenizer: PreTrainedTokenizerBase | None = None
    """The untrained model's, where it is another."""

    @property
    def encoding(self) -> EncodingSettings:
        """How texts become tokens, with what the settings leave to the tokenizer decided."""
        return settled(self.settings.encoding, self.tokenizer)

    @property
    def fingerprint(self) -> str:
        """Changes whenever scores may: weights, reference, how texts become tokens."""
        parts = [
            _weights_mark(self.model),
            None if self.reference is None else _weights_mark(self.reference),
            asdict(replace(self.settings, encoding=self.encoding)),
            [_tokenizer_mark(self.tokenizer), _tokenizer_mark(self.reference_tokenizer)],
        ]
        return hashlib.sha256(json.dumps(parts).encode()).hexdigest()

    def encode(self, texts: Texts) -> Encoded:
        """Turn texts into tokens, once for the model and once for a reference that has its own tokenizer.

        Raises:
            ModelError: A model cannot read a text; it is said which, and why.
        """
        encoding = self.encoding
        own = other = encode(texts, self.tokenizer, encoding)
        if self.reference is not None and self.reference_tokenizer is not None:
            other = encode(texts, _with_template(self.reference_tokenizer, self.tokenizer), encoding)
        self.model.check_texts(own.texts, self.tokenizer)
        if self.reference is not None:
            self.reference.check_texts(other.texts, self.reference_tokenizer or self.tokenizer)
        return Encoded(own.texts, other.texts, np.array(own.cut, dtype=bool))

    @torch.no_grad()
    def measure(self, encoded: Encoded) -> dict[str, NDArray[Any]]:
        """Score one batch of encoded texts.

        Returns:
            By the columns of `PreferenceScores`, each of shape [texts]; NaN where there is no such score.

        Raises:
            ModelError: A score is not a number.
        """
        missing = np.full(len(encoded.texts), np.nan)
        batch = collate(encoded.texts).to(self.model.device)
        with evaluation_mode(self.model):
            output = self.model(*batch)
        rewards = output.scores.double().cpu().numpy() if self._has_head else missing
        policy = missing if output.token_logps is None else _summed(output.token_logps, batch)
        reference = missing
        if self.reference is self.model:
            policy, reference = missing, policy
        elif self.reference is not None:
            batch = collate(encoded.reference_texts).to(self.reference.device)
            with evaluation_mode(self.reference):
                reference = _summed(self.reference(*batch).token_logps, batch)
        elif isinstance(self.model, RewardModel) and self.model.has_adapters:
            reference = _summed(self.model.reference_logps(*batch), batch)
        lengths = _response_tokens(encoded.texts)
        no_reference = np.isnan(reference).all()
        found: dict[str, NDArray[Any]] = {
            "rewards": rewards,
            "policy_logps": policy,
            "reference_logps": reference,
            "tokens": lengths,
            "reference_tokens": 0 * lengths if no_reference else _response_tokens(encoded.reference_texts),
            "truncated": encoded.cut,
        }
        for name in ("rewards", "policy_logps", "reference_logps"):
            if found[name] is not missing and not np.isfinite(found[name]).all():
                raise ModelError(
                    got=f"{int((~np.isfinite(found[name])).sum())} of {len(lengths)} {name} are not finite",
                    needed="a number for each text",
                    fix="load the model with dtype='float32', or see how its training ended",
                )
        return found

    @property
    def _has_head(self) -> bool:
        return not isinstance(self.model, RewardModel) or bool(self.model.reward_head.weight.any())


@dataclass(frozen=True)
class Encoded:
    """Texts as tokens, for the model and for its reference."""

    texts: Sequence[EncodedText]
    reference_texts: Sequence[EncodedText]
    cut: NDArray[np.bool_]
    """Whether the model's prompt or response lost something. Shape [texts]."""

    def pick(self, places: Sequence[int]) -> Encoded:
        """Return some of the texts."""
        return Encoded(
            [self.texts[k] for k in places], [self.reference_texts[k] for k in places], self.cut[list(places)]
        )


def _with_template(
    tokenizer: PreTrainedTokenizerBase, other: PreTrainedTokenizerBase
) -> PreTrainedTokenizerBase:
    """Return a tokenizer with the chat template of another one: the same text, in its own tokens."""
    found = copy(tokenizer)
    found.chat_template = other.chat_template
    return found


def _summed(token_logps: Any, batch: TokenBatch) -> Floats:
    """Return each response's log-probability, summed in float64. Shape [batch]."""
    sums: Floats = sequence_logps(token_logps.double(), batch.response_mask).cpu().numpy()
    return sums


def _response_tokens(texts: Sequence[EncodedText]) -> NDArray[np.int64]:
    return np.array([len(text.tokens) - text.prompt_tokens for text in texts], dtype=np.int64)


def _weights_mark(model: torch.nn.Module) -> str:
    """Return a mark of a model's weights that any training changes: some values of each."""
    mark = hashlib.sha256()
    for name, weight in model.state_dict().items():
        flat = weight.detach().reshape(-1)
        some = flat[:: max(1, flat.numel() // MARKED)].float().cpu().numpy()
        mark.update(f"{name} {list(weight.shape)} {weight.dtype}".encode() + some.tobytes())
    return mark.hexdigest()


def _tokenizer_mark(tokenizer: PreTrainedTokenizerBase | None) -> str | None:
    if tokenizer is None:
        return None
    return hashlib.sha256(
        json.dumps([sorted(tokenizer.get_vocab().items()), tokenizer.chat_template]).encode()
    ).hexdigest()
