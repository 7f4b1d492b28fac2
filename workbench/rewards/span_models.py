"""Aspect rewards by token classification: each sentence, or part of one, judged on its own (Wu et al. 2023)."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch

from workbench.core.errors import ModelError, SettingsError
from workbench.models.loading import ModelSettings, load_checkpoint, load_tokenizer
from workbench.models.longest import made_for
from workbench.models.quiet import late_bars
from workbench.rewards.sentences import SEGMENTATIONS
from workbench.rewards.span_encoding import EncodedSegments, SpanSettings, encode_segments
from workbench.rewards.spans import Sample, Span
from workbench.store.atomic import write_json

if TYPE_CHECKING:
    from transformers import PreTrainedModel, PreTrainedTokenizerBase

__all__ = ["DESCRIPTION", "LABELS", "SpanClassifierReward", "save_span_classifier"]

DESCRIPTION = "span_classifier.json"
"""What the folder holds: name and settings. Written last: a folder with it is complete."""
LABELS: Mapping[int, str] = {0: "ERR", 1: "O"}
"""The labels that the workbench trains; `O`, no error, is Wu et al.'s name too."""


class SpanClassifierReward:
    """A token classifier that says of each segment of an answer whether it has an error.

    Args:
        model: With a label `O` for what has no error, and one whose name ends in `ERR`.
        tokenizer: The model's.
        settings: What it judges, what it is shown, what its verdicts are worth.
        name: What tables call it.
        batch_size: Answers at a time.

    Raises:
        ModelError: The labels are others.
    """

    def __init__(
        self,
        model: PreTrainedModel,
        tokenizer: PreTrainedTokenizerBase,
        settings: SpanSettings,
        *,
        name: str,
        batch_size: int = 16,
    ) -> None:
        self.model, self.tokenizer = model.eval(), tokenizer
        self.settings = settings.within(made_for(model, tokenizer))
        self.name, self.batch_size = name, batch_size
        self._correct, self._wrong = _labels(model)

    @classmethod
    def load(
        cls,
        model: ModelSettings,
        settings: SpanSettings | None = None,
        *,
        name: str | None = None,
        batch_size: int = 16,
    ) -> SpanClassifierReward:
        """Load a classifier that the workbench saved, or any other with such labels, as those of Wu et al.

        Args:
            model: Which one, and how it is held.
            settings: Needed for a model that was not saved by the workbench, such as `RELEVANCE` or `FACTUALITY`, for
                the models that Wu et al. released with `separator='</s>'`.
            name: What tables call it; None: as it was saved, or the model's name.
            batch_size: Answers at a time.

        Raises:
            ModelError: It cannot be loaded, its head was never trained, or its labels are others.
            SettingsError: It needs settings.
        """
        from transformers import AutoModelForTokenClassification

        saved = _description(Path(model.source))
        if saved is not None:
            settings, name = settings or saved[1], name or saved[0]
        if settings is None:
            raise SettingsError(
                got=f"{model.name}, without settings",
                needed="what it judges and how it was trained to read it",
                fix="give settings=RELEVANCE, FACTUALITY, or your own SpanSettings",
            )
        loaded, missing = load_checkpoint(AutoModelForTokenClassification, model, "a token classifier")
        if missing:
            raise ModelError(
                got=f"{model.name} has no weights for {', '.join(missing[:3])}",
                needed="a token classifier whose head was trained",
                fix="train one with workbench.training.train_span_classifier",
            )
        loaded.requires_grad_(False)
        tokenizer = load_tokenizer(model)
        return cls(loaded, tokenizer, settings, name=name or model.name, batch_size=batch_size)

    def segments(self, text: str) -> list[tuple[int, int]]:
        """Return the parts of an answer that are judged."""
        return SEGMENTATIONS[self.settings.segmentation](text)

    def __call__(self, samples: Sequence[Sample]) -> list[list[Span]]:
        """Return a span for each segment, its value that of the verdict; none for what did not fit in."""
        segments = [self.segments(sample.response) for sample in samples]
        encoded = encode_segments(samples, segments, self.tokenizer, self.settings)
        verdicts: list[list[bool]] = [[] for _ in samples]
        judged = [number for number, one in enumerate(encoded) if one.places]
        order = sorted(judged, key=lambda number: -len(encoded[number].tokens))
        for start in range(0, len(order), self.batch_size):
            numbers = order[start : start + self.batch_size]
            for number, found in zip(numbers, self._judge([encoded[k] for k in numbers]), strict=True):
                verdicts[number] = found
        values = {True: self.settings.correct, False: self.settings.wrong}
        return [
            [Span(start, end, values[good]) for (start, end), good in zip(cut, found, strict=False)]
            for cut, found in zip(segments, verdicts, strict=True)
        ]

    @torch.no_grad()
    def _judge(self, batch: Sequence[EncodedSegments]) -> list[list[bool]]:
        """Tell of each segment of a batch whether it has no error."""
        width = max(len(one.tokens) for one in batch)
        ids = torch.full((len(batch), width), self.tokenizer.pad_token_id or 0)
        mask = torch.zeros((len(batch), width), dtype=torch.long)
        for row, one in enumerate(batch):
            ids[row, : len(one.tokens)] = torch.tensor(one.tokens)
            mask[row, : len(one.tokens)] = 1
        device = self.model.device
        logits = self.model(input_ids=ids.to(device), attention_mask=mask.to(device)).logits
        rows = [row for row, one in enumerate(batch) for _ in one.places]
        at = logits[rows, [place for one in batch for place in one.places]].float()
        good = iter((at[:, self._correct] > at[:, self._wrong]).tolist())
        return [[next(good) for _ in one.places] for one in batch]


def save_span_classifier(
    model: Any, tokenizer: PreTrainedTokenizerBase, settings: SpanSettings, folder: str | Path, *, name: str
) -> Path:
    """Save a classifier so that `SpanClassifierReward.load` needs the folder and nothing else; return the folder."""
    folder = Path(folder)
    (folder / DESCRIPTION).unlink(missing_ok=True)
    with late_bars():
        model.save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    write_json(folder / DESCRIPTION, {"name": name, "settings": asdict(settings)})
    return folder


def _description(folder: Path) -> tuple[str, SpanSettings] | None:
    """Return name and settings of a classifier that the workbench saved; None for any other folder."""
    path = folder / DESCRIPTION
    if not path.is_file():
        return None
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
        return str(found["name"]), SpanSettings(**found["settings"])
    except (ValueError, KeyError, TypeError) as error:
        raise ModelError(
            got=f"{path}: {error}",
            needed="what save_span_classifier wrote",
            fix="train the model again, or give settings and remove this file",
        ) from error


def _labels(model: PreTrainedModel) -> tuple[int, int]:
    """Return the numbers of the labels for no error and for an error."""
    names = {str(name): int(number) for number, name in (model.config.id2label or {}).items()}
    wrong = [number for name, number in names.items() if name.upper().endswith("ERR")]
    if "O" not in names or len(wrong) != 1:
        raise ModelError(
            got=f"labels {', '.join(names)}",
            needed="'O' for what has no error, and one whose name ends in 'ERR'",
            fix="set the model's config.id2label to say which is which",
        )
    return names["O"], wrong[0]
