"""ALaRM's reward: aspects count only for answers that are good enough as a whole."""

from __future__ import annotations

import math
from typing import overload

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from workbench.core.errors import SettingsError
from workbench.models.batch import last_token

__all__ = ["MODES", "SHORTEST", "TOO_SHORT", "hierarchical_reward", "passes", "sigmoid_shaping"]

MODES = ("hierarchical", "holistic_only", "aspect_only", "weighted_sum")
"""How aspects and the holistic reward are combined; the last three are the paper's baselines."""
SHORTEST = 3
"""Answers of fewer tokens are too short to be scored."""
TOO_SHORT = -10.0
"""What they get in place of their holistic reward."""


@overload
def sigmoid_shaping(values: Tensor) -> Tensor: ...
@overload
def sigmoid_shaping(values: float) -> float: ...
@overload
def sigmoid_shaping(values: NDArray[np.floating]) -> NDArray[np.floating]: ...
def sigmoid_shaping(values: Tensor | NDArray[np.floating] | float) -> Tensor | NDArray[np.floating] | float:
    """Return `1 / (1 + exp(-x))`: a reward made positive, so that reaching the upper zone always pays (ALaRM).

    It is for the values of spans, before they are placed on tokens: a token without a reward keeps 0, while the
    sigmoid of 0 would be 0.5.

    Args:
        values: Any shape; a tensor, an array or a number.

    Returns:
        Of the same kind and shape, between 0 and 1.
    """
    if isinstance(values, Tensor):
        return torch.sigmoid(values)
    if isinstance(values, np.ndarray):
        return np.exp(-np.logaddexp(0.0, -values))  # where exp(-x) would overflow, this does not
    return float(np.exp(-np.logaddexp(0.0, -float(values))))


def hierarchical_reward(
    aspect_rewards: Tensor,
    holistic: Tensor,
    response_mask: Tensor,
    *,
    threshold: float,
    holistic_weight: float,
    mode: str = "hierarchical",
) -> Tensor:
    """Return the reward of each token from aspects and a holistic score (ALaRM, section 3).

    With `h` the z-normalised holistic score, `T` the last token of the response and `a_t` the aspects:

    - `hierarchical`: `r_t = [h >= threshold] * a_t + [t = T] * w_h * h`
    - `weighted_sum`: `r_t = a_t + [t = T] * w_h * h`
    - `holistic_only`: `r_t = [t = T] * w_h * h`
    - `aspect_only`: `r_t = a_t`

    A response of fewer than `SHORTEST` tokens has `h = TOO_SHORT`, whatever its score. One without any token, all
    padding, has no reward.

    Args:
        aspect_rewards: Sum of the aspects' values on the tokens, made positive by `sigmoid_shaping` beforehand.
            Shape [batch, tokens], floating. Values off the mask are ignored.
        holistic: z-normalised. Shape [batch], floating.
        response_mask: True where a token belongs to the response. Shape [batch, tokens], bool.
        threshold: Lowest `h` at which aspects count; 0.6 for questions, 0.5 for translation in the paper.
        holistic_weight: `w_h`; 5 and 3 in the paper.
        mode: One of `MODES`.

    Returns:
        Shape [batch, tokens], 0 off the mask. dtype: that of `aspect_rewards`.

    Raises:
        SettingsError: Shapes, types or settings cannot be used, or a score is not finite; all are named.

    Source: Lai et al. 2024, "ALaRM: Align Language Models via Hierarchical Rewards Modeling".

    >>> aspects, mask = torch.tensor([[0.5, 0.5, 0.5, 0.5, 0.5]] * 2), torch.ones(2, 5, dtype=torch.bool)
    >>> hierarchical_reward(aspects, torch.tensor([1.0, 0.0]), mask, threshold=0.6, holistic_weight=5).tolist()
    [[0.5, 0.5, 0.5, 0.5, 5.5], [0.0, 0.0, 0.0, 0.0, 0.0]]
    """
    _check_settings(threshold, holistic_weight, mode)
    _check_tensors(aspect_rewards, holistic, response_mask)
    aspects = torch.where(response_mask, aspect_rewards, 0.0)
    if mode == "aspect_only":
        return aspects
    scores = _scores(holistic, response_mask)
    if mode == "holistic_only":
        aspects = torch.zeros_like(aspects)
    elif mode == "hierarchical":
        aspects = aspects * (scores >= threshold)[:, None]
    if not aspects.shape[1]:
        return aspects
    rows = torch.arange(len(aspects), device=aspects.device)
    at_end = torch.where(response_mask.any(1), holistic_weight * scores, 0.0).to(aspects.dtype)
    return aspects.index_put((rows, last_token(response_mask)), at_end, accumulate=True)


def passes(holistic: Tensor, response_mask: Tensor, threshold: float) -> Tensor:
    """Tell which responses are in the upper zone: the gate of `hierarchical_reward`, for its rate in reports.

    Args:
        holistic: z-normalised. Shape [batch], floating.
        response_mask: Shape [batch, tokens], bool.
        threshold: Lowest score that passes.

    Returns:
        Shape [batch], bool.
    """
    return _scores(holistic, response_mask) >= threshold


def _scores(holistic: Tensor, response_mask: Tensor) -> Tensor:
    """Return the holistic scores, those of answers too short replaced. Shape [batch]."""
    return torch.where(response_mask.sum(1) < SHORTEST, TOO_SHORT, holistic)


def _check_settings(threshold: float, holistic_weight: float, mode: str) -> None:
    """Raise for all settings that cannot be used, at once."""
    faults: list[tuple[str, str]] = []
    if mode not in MODES:
        faults.append((f"mode {mode!r}", f"mode: one of {', '.join(MODES)}"))
    if math.isnan(threshold):
        faults.append((f"threshold {threshold}", "threshold: a number"))
    if not math.isfinite(holistic_weight) or holistic_weight < 0:
        faults.append((f"holistic_weight {holistic_weight}", "holistic_weight: a number, at least 0"))
    if faults:
        raise SettingsError.listing(faults)


def _check_tensors(aspect_rewards: Tensor, holistic: Tensor, response_mask: Tensor) -> None:
    """Raise for the first tensor that does not fit, or whose values would spoil the rest."""
    shape = list(aspect_rewards.shape)
    fault = None
    if len(shape) != 2 or not aspect_rewards.is_floating_point():
        fault = _said("aspect_rewards", aspect_rewards), "aspect_rewards: floating, [batch, tokens]"
    elif list(response_mask.shape) != shape or response_mask.dtype != torch.bool:
        fault = _said("response_mask", response_mask), f"response_mask: bool, {shape}"
    elif list(holistic.shape) != shape[:1] or not holistic.is_floating_point():
        fault = _said("holistic", holistic), f"holistic: floating, {shape[:1]}"
    elif not bool(torch.isfinite(holistic).all()):
        fault = "a holistic score that is not finite", "holistic: finite scores"
    elif not bool(torch.isfinite(aspect_rewards.masked_fill(~response_mask, 0.0)).all()):
        fault = "an aspect reward that is not finite", "aspect_rewards: finite on the mask"
    if fault:
        raise SettingsError.listing([fault])


def _said(name: str, tensor: Tensor) -> str:
    return f"{name} {str(tensor.dtype).removeprefix('torch.')} {list(tensor.shape)}"
