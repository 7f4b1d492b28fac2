"""The yardstick of the PPO benchmark: a plain loop on transformers, as one writes it without a trainer.

`generate`, then one forward pass each for policy, reference and values, all logits kept; one call of the reward for
each answer; and updates that run the whole sequence through the LM head. What is computed is the same.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

import torch
from torch import Tensor, nn

from workbench.models.batch import positions
from workbench.rewards.spans import Reward, Sample
from workbench.training.ppo.advantages import (
    Advantages,
    generalized_advantages,
    penalized_rewards,
    sampled_mask,
    whiten,
)
from workbench.training.ppo.kl import token_kl
from workbench.training.ppo.losses import policy_loss, value_loss
from workbench.training.ppo.settings import PPOSettings

if TYPE_CHECKING:
    from transformers import PreTrainedTokenizerBase

__all__ = ["PlainLoop", "PlainRollout"]


class PlainRollout(NamedTuple):
    """What one rollout gives; `ids` and `attention` hold prompt and answer, the others the answer alone."""

    ids: Tensor
    attention: Tensor
    mask: Tensor
    logps: Tensor
    values: Tensor
    advantages: Advantages


class PlainLoop:
    """PPO on a causal language model with adapters and a value head.

    Args:
        model: With adapters of peft, on its device.
        tokenizer: Its tokenizer.
        reward: What answers are worth.
        settings: Budgets, batches and rates; passes never end early.
    """

    def __init__(
        self, model: Any, tokenizer: PreTrainedTokenizerBase, reward: Reward, settings: PPOSettings
    ) -> None:
        self.model, self.tokenizer, self.reward, self.settings = model, tokenizer, reward, settings
        self.value_head = nn.Linear(model.config.hidden_size, 1, device=model.device)
        nn.init.zeros_(self.value_head.weight)
        nn.init.zeros_(self.value_head.bias)
        self.trained = [*self.value_head.parameters(), *(p for p in model.parameters() if p.requires_grad)]
        self.optimizer = torch.optim.AdamW(self.trained, lr=settings.learning_rate, weight_decay=0.0)

    @torch.no_grad()
    def rollout(self, prompts: Sequence[str]) -> PlainRollout:
        """Answer prompts, and judge the answers."""
        self.model.eval()
        asked = self.tokenizer(list(prompts), return_tensors="pt", padding=True, padding_side="left")
        asked = asked.to(self.model.device)
        ids = self.model.generate(
            input_ids=asked["input_ids"],
            attention_mask=asked["attention_mask"],
            do_sample=True,
            top_k=0,
            max_new_tokens=self.settings.max_new_tokens,
            pad_token_id=self.tokenizer.pad_token_id,
        )
        start = asked["input_ids"].shape[1]
        mask = sampled_mask(ids[:, start:], self.tokenizer.eos_token_id)
        attention = torch.cat([asked["attention_mask"].bool(), mask], 1)
        logps = self._logps(ids, attention, start)[0]
        with self.model.disable_adapter():
            reference = self._logps(ids, attention, start)[0]
        values = self._logps(ids, attention, start)[1]
        rewards = torch.zeros(mask.shape, device=mask.device)
        for row, prompt in enumerate(prompts):
            text = str(self.tokenizer.decode(ids[row, start:][mask[row]], skip_special_tokens=True))
            (spans,) = self.reward([Sample(prompt, text)])
            rewards[row, int(mask[row].sum()) - 1] = spans[0].value
        kl = token_kl(logps, reference, mask)
        rewards = penalized_rewards(rewards, kl, mask, coefficient=self.settings.kl.coefficient)
        found = generalized_advantages(
            rewards, values, mask, gamma=self.settings.gamma, lam=self.settings.lam
        )
        return PlainRollout(
            ids, attention, mask, logps, values, Advantages(whiten(found.advantages, mask), found.returns)
        )

    def update(self, rollout: PlainRollout) -> None:
        """Pass over a rollout several times."""
        self.model.train()
        start = rollout.ids.shape[1] - rollout.mask.shape[1]
        for _ in range(self.settings.ppo_epochs):
            for rows in torch.randperm(len(rollout.ids)).split(self.settings.minibatch):
                tokens = float(rollout.mask[rows].sum())
                for part in rows.split(self.settings.micro_batch):
                    logps, values = self._logps(rollout.ids[part], rollout.attention[part], start)
                    mask, aims = rollout.mask[part], rollout.advantages
                    policy = policy_loss(
                        logps, rollout.logps[part], aims.advantages[part], mask, tokens=tokens
                    )
                    critic = value_loss(values, rollout.values[part], aims.returns[part], mask, tokens=tokens)
                    (policy.loss + self.settings.value_weight * critic.loss).backward()
                nn.utils.clip_grad_norm_(self.trained, self.settings.max_grad_norm)
                self.optimizer.step()
                self.optimizer.zero_grad()

    def _logps(self, ids: Tensor, attention: Tensor, start: int) -> tuple[Tensor, Tensor]:
        """Return log-probabilities and values of the answers' tokens. Shapes [batch, tokens]."""
        given = self.model(
            input_ids=ids,
            attention_mask=attention.long(),
            position_ids=positions(attention),
            output_hidden_states=True,
            use_cache=False,
        )
        logps = given.logits[:, start - 1 : -1].float().log_softmax(-1)
        chosen = logps.gather(-1, ids[:, start:, None])[..., 0]
        return chosen, self.value_head(given.hidden_states[-1][:, start - 1 : -1].float())[..., 0]
