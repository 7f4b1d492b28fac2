"""The losses of hybrid reward-model training, as pure functions of rewards and log-probabilities."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import NamedTuple

from torch import Tensor
from torch.nn.functional import logsigmoid, relu

from workbench.core.errors import SettingsError
from workbench.models.token_logps import described, widened

__all__ = ["POLICY_LOSSES", "HybridLoss", "grm_loss", "hybrid_loss"]

POLICY_LOSSES = ("sigmoid", "hinge", "ipo", "slic", "simpo", "grm-sft", "grm-noref")
"""Policy terms of `hybrid_loss`; `slic`, `simpo`, `grm-sft` and `grm-noref` need no reference."""
CHOSEN, BOTH = ("policy_chosen_logps",), ("policy_chosen_logps", "policy_rejected_logps")
NEEDED = {"slic": CHOSEN, "grm-sft": CHOSEN, "simpo": BOTH, "grm-noref": BOTH}
REFERENCE_FREE = tuple(NEEDED)
REGULARIZATIONS = {"sft": "grm-sft", "dpo-noref": "grm-noref", "dpo": "sigmoid"}
"""GRM's text-generation losses, as policy terms."""


class HybridLoss(NamedTuple):
    """The parts of the hybrid loss, each a mean over the pairs: a tensor of shape []."""

    total: Tensor
    """`reward + alpha * policy`: what is minimised."""
    reward: Tensor
    """The Bradley-Terry loss of the scores."""
    policy: Tensor | None
    """The loss of the log-probabilities, before alpha; None where alpha is 0: it is not evaluated."""


def hybrid_loss(  # noqa: PLR0917 - the six tensors of the equation, in its order
    chosen_rewards: Tensor,
    rejected_rewards: Tensor,
    policy_chosen_logps: Tensor | None = None,
    policy_rejected_logps: Tensor | None = None,
    reference_chosen_logps: Tensor | None = None,
    reference_rejected_logps: Tensor | None = None,
    *,
    alpha: float = 0.2,
    beta: float = 0.1,
    policy_loss: str = "sigmoid",
    simpo_margin: float = 0.0,
) -> HybridLoss:
    """Return the loss of a reward model that stays a policy: `L = L_reward + alpha * L_policy` (HaF-RM).

    `L_reward = -log sigmoid(r(x, y_w) - r(x, y_l))`. With
    `d = (log pi(y_w|x) - log pi(y_l|x)) - (log ref(y_w|x) - log ref(y_l|x))`, `L_policy` is

    - `sigmoid`: `-log sigmoid(beta * d)` (DPO, Rafailov et al. 2023, Eq. 7; HaF-RM's own choice)
    - `hinge`: `max(0, 1 - beta * d)` (SLiC's hinge on DPO's margin: Liu et al. 2024, RSO)
    - `ipo`: `(d - 1 / (2 * beta)) ** 2` (Azar et al. 2023, Eq. 17)
    - `slic`: `-log pi(y_w|x)` (the likelihood term of SLiC-HF, all that HaF-RM's variant keeps)
    - `simpo`: `-log sigmoid(beta * (log pi(y_w|x) / |y_w| - log pi(y_l|x) / |y_l|) - simpo_margin)`
      (Meng et al. 2024, Eq. 6)
    - `grm-sft`, `grm-noref`: `-log sigmoid(beta * log pi(y_w|x))`, and of `log pi(y_w|x) - log pi(y_l|x)`: see
      `grm_loss`

    **Lengths.** Log-probabilities are sums over the response's tokens, but for `simpo`: give it averages
    (`sequence_logps(..., average=True)`); it has no way to tell.

    Args:
        chosen_rewards: `r(x, y_w)`. Shape [pairs], floating; halves are computed in float32, and so below.
        rejected_rewards: `r(x, y_l)`. Shape [pairs].
        policy_chosen_logps: `log pi(y_w|x)`. Shape [pairs].
        policy_rejected_logps: `log pi(y_l|x)`. Shape [pairs]. Not used by `slic`, `grm-sft`.
        reference_chosen_logps: `log ref(y_w|x)`, without a gradient. Shape [pairs]. Not used by losses without
            a reference.
        reference_rejected_logps: `log ref(y_l|x)`, as above.
        alpha: Weight of the policy loss, at least 0. 0 is the standard reward model, exactly: whatever the
            log-probabilities are (None, NaN), they touch neither loss nor gradient.
        beta: Strength of the policy's margin, above 0.
        policy_loss: One of `POLICY_LOSSES`.
        simpo_margin: The target margin (gamma) of `simpo`.

    Returns:
        `(total, reward, policy)`, means over the pairs. dtype: float32, or float64 for float64.

    Raises:
        SettingsError: A setting cannot be used, a tensor is missing or has the wrong shape or type; all are named.

    Source: HaF-RM: A Hybrid Alignment Framework for Reward Model Training. The loss, with its alpha 0.2, beta 0.1.

    >>> from torch import tensor
    >>> logps = (tensor([-9.0]), tensor([-12.0]), tensor([-10.0]), tensor([-11.0]))
    >>> loss = hybrid_loss(tensor([1.2]), tensor([0.2]), *logps, alpha=0.2, beta=0.1)
    >>> [round(float(part), 4) for part in (loss.total, loss.reward, loss.policy)]
    [0.4329, 0.3133, 0.5981]
    """
    rewards = {"chosen_rewards": chosen_rewards, "rejected_rewards": rejected_rewards}
    logps = {
        "policy_chosen_logps": policy_chosen_logps,
        "policy_rejected_logps": policy_rejected_logps,
        "reference_chosen_logps": reference_chosen_logps,
        "reference_rejected_logps": reference_rejected_logps,
    }
    used = {name: logps[name] for name in NEEDED.get(policy_loss, tuple(logps))} if alpha != 0 else {}
    _check(rewards | used, alpha, beta, policy_loss, simpo_margin)
    reward = -logsigmoid(widened(chosen_rewards) - widened(rejected_rewards)).mean()
    if alpha == 0:
        return HybridLoss(reward, reward, None)
    given = {name: widened(tensor) for name, tensor in used.items() if tensor is not None}
    policy = _policy_terms(given, beta, policy_loss, simpo_margin).mean()
    return HybridLoss(reward + alpha * policy, reward, policy)


def grm_loss(  # noqa: PLR0917 - the six tensors of `hybrid_loss`, in its order
    chosen_rewards: Tensor,
    rejected_rewards: Tensor,
    policy_chosen_logps: Tensor,
    policy_rejected_logps: Tensor | None = None,
    reference_chosen_logps: Tensor | None = None,
    reference_rejected_logps: Tensor | None = None,
    *,
    alpha: float = 0.01,
    beta: float = 0.1,
    regularization: str = "sft",
) -> HybridLoss:
    """Return GRM's loss, hidden states regularised by text generation: `L = (1 - alpha) L_reward + alpha L_reg`.

    With the LM head kept beside the reward head on one body, `L_reg` is

    - `sft`: `-log sigmoid(beta * log pi(y_w|x))` (what the authors recommend)
    - `dpo-noref`: `-log sigmoid(beta * (log pi(y_w|x) - log pi(y_l|x)))`
    - `dpo`: HaF-RM's policy loss

    So with `dpo` it is HaF-RM's loss with `alpha / (1 - alpha)`, scaled: training takes it as
    `RewardTrainingSettings(alpha=alpha, reward_weight=1 - alpha, policy_loss=...)`.

    Args:
        chosen_rewards: `r(x, y_w)`. Shape [pairs], floating, as all below; see `hybrid_loss`.
        rejected_rewards: `r(x, y_l)`.
        policy_chosen_logps: `log pi(y_w|x)`, a sum over the response's tokens.
        policy_rejected_logps: `log pi(y_l|x)`; not used by `sft`.
        reference_chosen_logps: `log ref(y_w|x)`; used by `dpo` alone.
        reference_rejected_logps: `log ref(y_l|x)`; used by `dpo` alone.
        alpha: Weight of the regularisation, from 0 to below 1 (release: 0.01).
        beta: Strength of the log-probabilities, above 0 (paper: 0.1).
        regularization: `sft`, `dpo-noref` or `dpo`.

    Returns:
        `(total, reward, policy)`, means over the pairs; `policy` is `L_reg`, None where alpha is 0.

    Raises:
        SettingsError: There is no such regularisation, alpha is out of range; see also `hybrid_loss`.

    Source: Yang et al. 2024, "Regularizing Hidden States Enables Learning Generalizable Reward Model for LLMs",
    section 3.2; weights of the authors' release.
    """
    if regularization not in REGULARIZATIONS or not 0 <= alpha < 1:
        raise SettingsError(
            got=f"regularization {regularization!r}, alpha {alpha!r}",
            needed=f"one of {', '.join(REGULARIZATIONS)}; a weight from 0 to below 1",
            fix="correct the value",
        )
    parts = hybrid_loss(
        chosen_rewards, rejected_rewards,
        policy_chosen_logps, policy_rejected_logps,
        reference_chosen_logps, reference_rejected_logps,
        alpha=alpha, beta=beta, policy_loss=REGULARIZATIONS[regularization],
    )  # fmt: skip
    if parts.policy is None:
        return parts
    return parts._replace(total=(1 - alpha) * parts.reward + alpha * parts.policy)


def _policy_terms(logps: Mapping[str, Tensor], beta: float, policy_loss: str, simpo_margin: float) -> Tensor:
    """Return the policy loss of each pair. Shape [pairs]."""
    chosen = logps["policy_chosen_logps"]
    if policy_loss == "slic":
        return -chosen
    if policy_loss == "grm-sft":
        return -logsigmoid(beta * chosen)
    margin = chosen - logps["policy_rejected_logps"]
    if policy_loss in ("simpo", "grm-noref"):
        return -logsigmoid(beta * margin - (simpo_margin if policy_loss == "simpo" else 0.0))
    margin = margin - (logps["reference_chosen_logps"] - logps["reference_rejected_logps"]).detach()
    if policy_loss == "hinge":
        return relu(1 - beta * margin)
    if policy_loss == "ipo":
        return (margin - 1 / (2 * beta)) ** 2
    return -logsigmoid(beta * margin)


def _check(
    tensors: Mapping[str, Tensor | None], alpha: float, beta: float, policy_loss: str, simpo_margin: float
) -> None:
    """Raise for all that cannot be used, at once."""
    faults: list[tuple[str, str]] = []
    if policy_loss not in POLICY_LOSSES:
        faults.append((f"policy_loss {policy_loss!r}", f"policy_loss: one of {', '.join(POLICY_LOSSES)}"))
    if not (math.isfinite(alpha) and alpha >= 0):
        faults.append((f"alpha {alpha!r}", "alpha: a number, at least 0"))
    if not (math.isfinite(beta) and beta > 0):
        faults.append((f"beta {beta!r}", "beta: a number above 0"))
    if not math.isfinite(simpo_margin):
        faults.append((f"simpo_margin {simpo_margin!r}", "simpo_margin: a number"))
    first = tensors["chosen_rewards"]
    pairs = first.shape[0] if isinstance(first, Tensor) and first.ndim == 1 and len(first) else "pairs"
    for name, tensor in tensors.items():
        right = isinstance(tensor, Tensor) and tensor.ndim == 1 and tensor.is_floating_point() and len(tensor)
        if not right or (isinstance(pairs, int) and tensor is not None and len(tensor) != pairs):
            why = f" (policy_loss {policy_loss!r} with alpha {alpha:g})" if name.endswith("logps") else ""
            faults.append(
                (f"{name} {described(tensor)}", f"{name}: a floating tensor of shape [{pairs}]{why}")
            )
    if faults:
        raise SettingsError(
            got="; ".join(got for got, _ in faults),
            needed="; ".join(needed for _, needed in faults),
            fix="correct what is named; a reference can be spared by alpha=0, or by policy_loss "
            + ", ".join(REFERENCE_FREE),
        )
