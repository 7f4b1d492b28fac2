"""One rollout: responses, their log-probabilities by policy and reference policy, their values and their rewards."""

from __future__ import annotations

from collections.abc import Sequence
from copy import deepcopy
from dataclasses import dataclass, fields, replace
from typing import TYPE_CHECKING

import torch
from torch import Tensor

from workbench.models.placement import rounding
from workbench.models.stopping import stop_token_ids
from workbench.rewards.composition import HierarchicalReward
from workbench.rewards.placement import decode_responses
from workbench.rewards.spans import Reward, Sample
from workbench.training.ppo.kl import token_kl
from workbench.training.ppo.layouts import PromptBatch
from workbench.training.ppo.policy import ResponseOutput, ValuedPolicy
from workbench.training.ppo.prompts import EncodedPrompt, allowed_tokens, collate_prompts
from workbench.training.ppo.sampling import sample
from workbench.training.ppo.settings import PPOSettings
from workbench.training.ppo.token_rewards import token_rewards

if TYPE_CHECKING:
    from transformers import PreTrainedTokenizerBase

__all__ = ["Collector", "Rollout"]


@dataclass(frozen=True)
class Rollout:
    """Responses with all that PPO needs of them, on the CPU. Tensors are of shape [batch, tokens], 0 off the mask."""

    prompts: PromptBatch
    """As tokens."""
    samples: list[Sample]
    """Prompts and responses as texts."""
    ids: Tensor
    """The responses' tokens. int64."""
    mask: Tensor
    """True at what the policy chose. bool."""
    logps: Tensor
    """Of the policy that sampled. float32."""
    reference_logps: Tensor
    """Of the reference policy: the policy before training. The same."""
    values: Tensor
    """Of the value head, before each token. The same."""
    entropies: Tensor
    """Of the distributions that were sampled from, in nats. The same."""
    rewards: Tensor
    """Of each token, without the KL penalty. The same."""
    scores: dict[str, Tensor]
    """Parts of the reward; see `TokenRewards`. Shape [batch] each."""
    truncated: Tensor
    """True where the response was cut off before a stop token. Shape [batch], bool."""

    def metrics(self) -> dict[str, float]:
        """Return what is logged of a rollout.

        `reward` (summed over tokens), its parts as `score_NAME` and the share that passes as `gate_rate`; `kl` (to
        the reference policy, nats a response) and `kl_token` (nats a token, by an estimate that is never negative);
        `length` in tokens, `truncated` as a share, `entropy` in nats a token.
        """
        kl = token_kl(self.logps, self.reference_logps, self.mask).sum(1)
        k3 = token_kl(self.logps, self.reference_logps, self.mask, estimator="k3")
        tokens = self.mask.sum()
        found = {"reward": self.rewards.sum(1).mean()}
        for name, values in sorted(self.scores.items()):
            found["gate_rate" if name == "gate" else f"score_{name}"] = values.mean()
        found |= {
            "kl": kl.mean(),
            "kl_token": k3.sum() / tokens,
            "length": self.mask.sum(1).float().mean(),
            "truncated": self.truncated.float().mean(),
            "entropy": self.entropies.sum() / tokens,
        }
        return {name: float(value) for name, value in found.items()}

    @classmethod
    def joined(cls, parts: Sequence[Rollout]) -> Rollout:
        """Return several as one, in their order."""
        if len(parts) == 1:
            return parts[0]
        prompts = PromptBatch(
            *(_stacked(given, left=True) for given in zip(*(p.prompts for p in parts), strict=True))
        )
        named = {}
        for field in fields(cls):
            values = [getattr(part, field.name) for part in parts]
            if isinstance(values[0], Tensor):
                named[field.name] = _stacked(values)
        samples = [one for part in parts for one in part.samples]
        scores = {name: torch.cat([part.scores[name] for part in parts]) for name in parts[0].scores}
        return cls(prompts=prompts, samples=samples, scores=scores, **named)


def _stacked(parts: Sequence[Tensor], *, left: bool = False) -> Tensor:
    """Put batches of different widths into one, padded with 0."""
    if parts[0].ndim == 1:
        return torch.cat(list(parts))
    width = max(part.shape[1] for part in parts)
    gaps = [width - part.shape[1] for part in parts]
    sides = [(gap, 0) if left else (0, gap) for gap in gaps]
    return torch.cat([torch.nn.functional.pad(part, side) for part, side in zip(parts, sides, strict=True)])


class Collector:
    """Collects rollouts: samples responses, scores them by the reward, and asks the reference policy.

    The policy as it is now becomes the reference policy: make this before training. With adapters that is the policy
    with its adapters off; without, a copy.

    In numbers coarser than float32 log-probabilities and values are read anew, by the same pass as the reference
    policy's and the updates'. Those of sampling come from a cache and are rounded otherwise: a policy would have a KL
    to itself before any step, and importance ratios other than 1.

    Args:
        policy: The policy.
        tokenizer: Its tokenizer, of the fast kind.
        reward: What its responses are worth.
        settings: How it samples.
        bf16: Compute in bfloat16 by autocast.

    Raises:
        SettingsError: A banned token does not exist.
    """

    def __init__(
        self,
        policy: ValuedPolicy,
        tokenizer: PreTrainedTokenizerBase,
        reward: Reward | HierarchicalReward,
        settings: PPOSettings,
        *,
        bf16: bool = False,
    ) -> None:
        self.policy, self.tokenizer, self.reward, self.settings = policy, tokenizer, reward, settings
        self.bf16, self.allowed = bf16, allowed_tokens(policy, tokenizer, settings)
        self.stops = stop_token_ids(policy.lm, tokenizer)
        self.coarse = bf16 or rounding(policy.lm) > torch.finfo(torch.float32).eps
        self.reference: ValuedPolicy | None = None
        if not policy.has_adapters:
            self.reference = deepcopy(policy).requires_grad_(False).eval()

    def __call__(self, prompts: Sequence[EncodedPrompt], uniform: Tensor, *, greedy: bool = False) -> Rollout:
        """Return the rollout of some prompts.

        Args:
            prompts: At least one.
            uniform: Chance; see `sample`. Shape [prompts, tokens].
            greedy: Take the most probable tokens instead.

        Raises:
            SettingsError: See `token_rewards`.
        """
        policy, device = self.policy, self.policy.device
        batch = collate_prompts(prompts).to(device)
        policy.eval()
        with torch.autocast(device.type, torch.bfloat16, enabled=self.bf16):
            given = sample(
                policy, batch, uniform,
                stop_tokens=self.stops, allowed=self.allowed, temperature=self.settings.temperature, greedy=greedy,
            )  # fmt: skip
            reference = self._by_reference(batch, given.ids, given.mask).logps
            known = self._read(policy, batch, given.ids, given.mask) if self.coarse else given
        ids, mask = given.ids.cpu(), given.mask.cpu()
        texts, offsets = decode_responses(ids, mask, self.tokenizer, stop_tokens=self.stops)
        samples = [replace(one.sample, response=text) for one, text in zip(prompts, texts, strict=True)]
        found = token_rewards(self.reward, samples, offsets, mask, too_short=self.settings.too_short)
        return Rollout(
            prompts=batch.to(torch.device("cpu")),
            samples=samples,
            ids=ids,
            mask=mask,
            logps=known.logps.cpu(),
            reference_logps=reference.cpu(),
            values=known.values.cpu(),
            entropies=given.entropies.cpu(),
            rewards=found.tokens,
            scores=found.scores,
            truncated=~(torch.isin(ids, torch.tensor(self.stops, dtype=torch.long)) & mask).any(1),
        )

    def _by_reference(self, prompts: PromptBatch, ids: Tensor, mask: Tensor) -> ResponseOutput:
        if self.reference is not None:
            return self._read(self.reference, prompts, ids, mask)
        with self.policy.adapters_off():
            return self._read(self.policy, prompts, ids, mask)

    @torch.no_grad()
    def _read(self, policy: ValuedPolicy, prompts: PromptBatch, ids: Tensor, mask: Tensor) -> ResponseOutput:
        """Return what a policy makes of the responses, some of like length at a time."""
        logps, values = torch.zeros(2, *mask.shape, device=mask.device).unbind()
        at_once = 8 * self.settings.micro_batch  # without gradients that many more fit
        for rows in mask.sum(1).argsort(stable=True).split(at_once):
            width = self.policy.columns(mask[rows])
            given = prompts.select(rows), ids[rows, :width], mask[rows, :width]
            how = {"allowed": self.allowed, "temperature": self.settings.temperature}
            logps[rows, :width], values[rows, :width] = policy(*given, **how)
        return ResponseOutput(logps, values)
