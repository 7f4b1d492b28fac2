"""KL divergence from the reference policy: estimators token by token, and controllers of the KL coefficient."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

import torch
from torch import Tensor

from workbench.core.errors import SettingsError
from workbench.training.ppo.advantages import check_tokens

__all__ = ["ESTIMATORS", "AdaptiveKL", "FixedKL", "token_kl"]

ESTIMATORS = ("k1", "k2", "k3")
"""Estimators of KL from a sampled token; see `token_kl`."""


def token_kl(logps: Tensor, reference_logps: Tensor, mask: Tensor, *, estimator: str = "k1") -> Tensor:
    """Estimate `KL(pi || ref)` at each sampled token, with `d = log pi - log ref`.

    - `k1`: `d`. Unbiased; can be negative.
    - `k2`: `d^2 / 2`. Biased, of lower variance.
    - `k3`: `exp(-d) - 1 + d`. Unbiased, and never negative.

    Both log-probabilities must be of the distribution that was sampled from (`allowed_log_softmax`): with banned
    tokens left in them, the mean of `k1` can be negative, which a policy learns to farm.

    Args:
        logps: `log pi(y_t)`. Shape [batch, tokens], floating.
        reference_logps: `log ref(y_t)`. The same.
        mask: Shape [batch, tokens], bool. Values off it are ignored, NaN too, also in the gradient.
        estimator: One of `ESTIMATORS`.

    Returns:
        Shape [batch, tokens], 0 off the mask.

    Source: Schulman 2020, "Approximating KL Divergence".
    """
    if estimator not in ESTIMATORS:
        raise SettingsError(f"estimator {estimator!r}", f"one of {', '.join(ESTIMATORS)}", "correct the name")
    check_tokens(mask, logps=logps, reference_logps=reference_logps)
    difference = (logps - reference_logps).masked_fill(~mask, 0.0)
    if estimator == "k1":
        return difference
    if estimator == "k2":
        return difference**2 / 2
    return torch.expm1(-difference) + difference


@dataclass(frozen=True)
class FixedKL:
    """A KL coefficient that stays as it is."""

    coefficient: float = 0.2
    """beta of `r_t - beta * KL_t`: reward that one nat costs, at least 0."""

    def __post_init__(self) -> None:
        if not (math.isfinite(self.coefficient) and self.coefficient >= 0):
            raise SettingsError(f"coefficient {self.coefficient}", "a number, at least 0", "correct it")

    def updated(self, kl: float, samples: int) -> FixedKL:
        """Return the controller for the next batch: this one."""
        return self


@dataclass(frozen=True)
class AdaptiveKL:
    """A KL coefficient that rises while the KL to the reference policy is above its target, and falls below it.

    After a batch of n responses of mean KL `d`: `beta <- beta * (1 + clip(d / target - 1, -0.2, 0.2) * n / horizon)`.

    Source: Ziegler et al. 2019, "Fine-Tuning Language Models from Human Preferences", section 2.2.
    """

    coefficient: float = 0.2
    """The KL coefficient beta now, at least 0."""
    target: float = 6.0
    """KL of a response to the reference policy, in nats, that it steers to."""
    horizon: float = 10_000.0
    """Responses after which a steady error of 20 % has changed the coefficient by a factor of about 1.2."""

    def __post_init__(self) -> None:
        faults = []
        if not (math.isfinite(self.coefficient) and self.coefficient >= 0):
            faults.append((f"coefficient {self.coefficient}", "coefficient: a number, at least 0"))
        for name in ("target", "horizon"):
            value = getattr(self, name)
            if not (math.isfinite(value) and value > 0):
                faults.append((f"{name} {value}", f"{name}: a number above 0"))
        if faults:
            raise SettingsError.listing(faults)

    def updated(self, kl: float, samples: int) -> AdaptiveKL:
        """Return the controller for the next batch.

        Args:
            kl: Mean KL of the batch's responses, each summed over its tokens, in nats.
            samples: Responses in the batch.
        """
        if not math.isfinite(kl):
            raise SettingsError(
                f"a KL of {kl}", "a finite one", "see the log-probabilities: the policy broke down"
            )
        error = min(max(kl / self.target - 1, -0.2), 0.2)
        factor = max(1 + error * samples / self.horizon, 0.0)
        return replace(self, coefficient=self.coefficient * factor)
