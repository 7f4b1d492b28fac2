"""z-normalisation: rewards of different models brought to one scale, fitted once and kept."""

from __future__ import annotations

import json
import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import ArrayLike, NDArray

from workbench.core.errors import DataError, SettingsError
from workbench.rewards.spans import Reward, Sample, Span, mapped, sequence_score
from workbench.store.atomic import write_json

__all__ = ["Normalization", "Normalized", "fit_normalization"]


@dataclass(frozen=True)
class Normalization:
    """`z = (x - mean) / sd`.

    Raises:
        SettingsError: The mean is not finite, or the standard deviation not above 0.
    """

    mean: float
    """Mean of the scores that it was fitted on."""
    sd: float
    """Their standard deviation."""
    samples: int = 0
    """How many these were; 0 where the numbers come from a paper."""

    def __post_init__(self) -> None:
        if not math.isfinite(self.mean) or not (math.isfinite(self.sd) and self.sd > 0):
            raise SettingsError(
                got=f"mean {self.mean}, sd {self.sd}",
                needed="a finite mean, and a standard deviation above 0",
                fix="fit it on scores that differ",
            )

    def __call__(self, values: ArrayLike) -> NDArray[np.float64]:
        """Return the normalised values, of the same shape."""
        return (np.asarray(values, dtype=np.float64) - self.mean) / self.sd

    @classmethod
    def fit(cls, values: ArrayLike) -> Normalization:
        """Fit on scores. Shape [samples].

        Raises:
            DataError: There are fewer than two, one is not finite, or all are the same.
        """
        scores = np.asarray(values, dtype=np.float64).ravel()
        # rounding leaves equal scores a spread of the last digits
        if len(scores) < 2 or not np.isfinite(scores).all() or np.ptp(scores) <= 1e-12 * np.abs(scores).max():
            raise DataError(
                got=f"{len(scores)} scores"
                + (f" from {scores.min()} to {scores.max()}" if len(scores) else ""),
                needed="at least two finite scores that differ",
                fix="fit on a sample of the policy's own responses; a model that scores all alike is broken",
            )
        return cls(float(scores.mean()), float(scores.std()), len(scores))

    def save(self, path: str | Path) -> Path:
        """Write it to a JSON file, in one stroke; return the file."""
        write_json(Path(path), {"mean": self.mean, "sd": self.sd, "samples": self.samples})
        return Path(path)

    @classmethod
    def load(cls, path: str | Path) -> Normalization:
        """Read what `save` wrote.

        Raises:
            DataError: The file is missing or holds something else.
        """
        try:
            return cls(**json.loads(Path(path).read_text(encoding="utf-8")))
        except (OSError, ValueError, TypeError) as error:
            raise DataError(
                got=f"{path}: {getattr(error, 'strerror', None) or error}",
                needed="a file that Normalization.save wrote",
                fix="correct the path, or fit it again",
            ) from error


class Normalized:
    """A reward with its values z-normalised, then scaled: `scale * (x - mean) / sd`.

    Args:
        reward: The raw one.
        normalization: Fitted on its scores.
        scale: As the paper's 0.3 for completeness.
    """

    def __init__(self, reward: Reward, normalization: Normalization, scale: float = 1.0) -> None:
        self.reward, self.normalization, self.scale = reward, normalization, scale
        self.name = reward.name

    def __call__(self, samples: Sequence[Sample]) -> list[list[Span]]:
        """Return the reward's spans with their values normalised."""
        return [
            mapped(spans, lambda value: self.scale * float(self.normalization(value)))
            for spans in self.reward(samples)
        ]


def fit_normalization(reward: Reward, samples: Sequence[Sample]) -> Normalization:
    """Fit on a reward's scores of a sample of responses; see `Normalization.fit`."""
    scored = zip(reward(samples), samples, strict=True)
    return Normalization.fit([sequence_score(spans, len(sample.response)) for spans, sample in scored])
