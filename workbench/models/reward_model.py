"""A reward model that stays a policy: one body, an LM head and a scalar head."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import torch
from torch import Tensor, nn

from workbench.core.errors import ModelError
from workbench.models.batch import check_batch, last_token, positions, response_places
from workbench.models.four_bit import hold_layout
from workbench.models.frozen_layers import compute_frozen_once
from workbench.models.layouts import LayoutLimit, states_in_rows
from workbench.models.loading import ModelSettings, checkpoint_activations, load_causal_lm
from workbench.models.lora import LoraSettings, add_lora
from workbench.models.modes import evaluation_mode
from workbench.models.reading import read_model, token_rows
from workbench.models.saving import load_reward_model, save_reward_model
from workbench.models.shared_prompts import packed_rows, shared_rows
from workbench.models.text_limits import check_texts
from workbench.models.token_logps import label_logps

if TYPE_CHECKING:
    from transformers import PreTrainedModel, PreTrainedTokenizerBase

    from workbench.models.encoding import EncodedText

__all__ = ["POOLINGS", "RewardModel", "RewardOutput"]

POOLINGS = ("last", "mean")
"""What the scalar head sees: the state of the last real token, or the mean over the response's tokens."""


class RewardOutput(NamedTuple):
    """What one forward pass gives."""

    scores: Tensor
    """`r(x, y)`. Shape [batch], float32."""
    token_logps: Tensor | None
    """`log pi(y_t | x, y_<t)` at the response's tokens, 0 elsewhere. Shape [batch, tokens], float32. None if not
    asked for."""


class RewardModel(nn.Module):
    """A causal language model with a scalar head beside its LM head (HaF-RM: policy and mapping layer on one body).

    The head is a module of its own, outside the adapters: it is float32 and trained whatever LoRA covers.

    Args:
        policy: The causal language model, with adapters of peft or without.
        pooling: One of `POOLINGS`.
        init_std: Spread of the head's first weights. 0, the paper's choice, starts with every score 0.
        padding_free: Run the body on the real tokens alone; see `ModelSettings.padding_free`.
        share_prompts: Read a prompt once for all its responses; see `ModelSettings.share_prompts`.
        origin: What the policy was loaded from; needed to save adapters without their base.
        summary: One line on what was loaded.

    Raises:
        ModelError: The model is of no kind that this works with, or a setting cannot be used.
    """

    def __init__(
        self,
        policy: nn.Module,
        *,
        pooling: str = "last",
        init_std: float = 0.0,
        padding_free: bool = False,
        share_prompts: bool = False,
        origin: ModelSettings | None = None,
        summary: str = "",
    ) -> None:
        super().__init__()
        if pooling not in POOLINGS or not init_std >= 0:
            raise ModelError(
                got=f"pooling {pooling!r}, init_std {init_std!r}",
                needed=f"pooling: one of {', '.join(POOLINGS)}; init_std: a number, at least 0",
                fix="correct the value",
            )
        self.policy, self.pooling, self.origin, self.summary = policy, pooling, origin, summary
        hold_layout(policy)
        _check_policy(self.causal_lm)
        self.reading = read_model(self.causal_lm)
        self.padding_free, self.share_prompts = padding_free, share_prompts
        self._limits: dict[str, LayoutLimit] = {}
        self.check_layout(1)
        width = self.reading.width
        self.reward_head = nn.Linear(width, 1, bias=False, dtype=torch.float32, device=self.device)
        nn.init.normal_(self.reward_head.weight, std=init_std)  # a bias would cancel in every comparison

    @classmethod
    def load(
        cls,
        settings: ModelSettings,
        *,
        lora: LoraSettings | None = None,
        pooling: str = "last",
        init_std: float = 0.0,
    ) -> RewardModel:
        """Make a fresh reward model from a causal language model, ready to train.

        What trains: the scalar head, and the adapters if there are some, else the body unless it is quantised.
        A body that trains in whole is float32 where `dtype` is `auto`: steps of 1e-5 are lost in a half.

        Args:
            settings: Which model, and how it is held.
            lora: Adapters to put on it.
            pooling: One of `POOLINGS`.
            init_std: Spread of the head's first weights.

        Raises:
            ModelError: It cannot be loaded, or is of no kind that this works with.
        """
        if settings.dtype == "auto" and lora is None and settings.quantize is None:
            settings = replace(settings, dtype="float32")
        loaded = load_causal_lm(settings)
        policy: nn.Module = loaded.model
        if lora is not None:
            policy = add_lora(loaded.model, lora)
        elif settings.quantize is not None:
            policy.requires_grad_(False)
        model = cls(
            policy,
            pooling=pooling,
            init_std=init_std,
            padding_free=settings.padding_free,
            share_prompts=settings.share_prompts,
            origin=settings,
            summary=loaded.summary,
        )
        if lora is not None and lora.layers is not None:
            done = compute_frozen_once(model.causal_lm, model.body)
            model.summary = ", ".join(filter(None, (loaded.summary, done)))
        return model

    @property
    def causal_lm(self) -> PreTrainedModel:
        """The causal language model, with the adapters' layers in it but without peft's wrapping."""
        return self.policy.get_base_model() if self.has_adapters else self.policy  # type: ignore[operator,return-value]

    @property
    def has_adapters(self) -> bool:
        """Whether the policy carries adapters of peft."""
        return hasattr(self.policy, "peft_config") and hasattr(self.policy, "get_base_model")

    @property
    def body(self) -> nn.Module:
        """The transformer without its heads."""
        return self.reading.body

    @property
    def lm_head(self) -> nn.Module:
        """What gives logits of states: the LM head, or the model's own way where that is another."""
        return self.reading.head

    @property
    def config(self) -> Any:
        """The causal language model's configuration."""
        return self.causal_lm.config

    @property
    def device(self) -> torch.device:
        """Where the model computes."""
        return next(self.policy.parameters()).device

    def forward(
        self,
        input_ids: Tensor,
        attention_mask: Tensor,
        response_mask: Tensor | None = None,
        *,
        with_logps: bool = True,
    ) -> RewardOutput:
        """Score sequences and, where a response is marked, give its tokens' log-probabilities.

        Padding may be on either side: it is moved behind the text. The LM head is applied to the response only, in
        chunks; logits never exist for all tokens at once.

        Args:
            input_ids: Prompt and response, padded with any token. Shape [batch, tokens], int64.
            attention_mask: True at real tokens. Shape [batch, tokens], bool (or 0 and 1).
            response_mask: True at the response's tokens. Shape [batch, tokens], bool (or 0 and 1). Without it there
                are no log-probabilities, and the LM head costs nothing.
            with_logps: False spares the LM head also where the response is marked for `pooling='mean'`.

        Raises:
            ModelError: Shapes do not fit; a row is empty; a response's token is padding or has nothing before it.
        """
        attention_mask, response_mask = check_batch(input_ids, attention_mask, response_mask)
        hidden = self._hidden(input_ids, attention_mask, response_mask)
        scores = self._scores(hidden, attention_mask, response_mask)
        if response_mask is None or not with_logps:
            return RewardOutput(scores, None)
        return RewardOutput(scores, self._token_logps(hidden, input_ids, response_mask))

    def reference_logps(self, input_ids: Tensor, attention_mask: Tensor, response_mask: Tensor) -> Tensor:
        """Return the reference policy's `log ref(y_t | x, y_<t)`: the same weights with the adapters off.

        Without gradients, adapters and dropout. Arguments as for `forward`.

        Returns:
            Shape [batch, tokens], float32; 0 off the response.

        Raises:
            ModelError: There are no adapters to switch off, or the batch does not fit.
        """
        mask, response = check_batch(input_ids, attention_mask, response_mask)
        with torch.no_grad(), self.as_reference():
            return self._token_logps(self._hidden(input_ids, mask, response), input_ids, response)

    @contextmanager
    def as_reference(self) -> Iterator[None]:
        """Within this context the model is its own reference: adapters off, evaluation mode. Then all is as before.

        Raises:
            ModelError: There are no adapters to switch off.
        """
        if not self.has_adapters:
            raise ModelError(
                got="a model without adapters: once it is trained, its reference is gone",
                needed="LoRA, or the reference's log-probabilities computed before training",
                fix="load it with lora=LoraSettings(), or give the trainer precomputed values",
            )
        trained = [(parameter, parameter.requires_grad) for parameter in self.policy.parameters()]
        try:
            with evaluation_mode(self), self.policy.disable_adapter():  # type: ignore[operator]
                yield
        finally:  # peft makes adapters trainable as it switches them on
            for parameter, value in trained:
                parameter.requires_grad_(value)

    def check_texts(
        self,
        texts: Sequence[EncodedText],
        tokenizer: PreTrainedTokenizerBase,
        names: Sequence[object] | None = None,
    ) -> None:
        """Raise where it cannot read a text. See `workbench.models.text_limits.check_texts`."""
        rows, longest = token_rows(self.causal_lm), self.reading.longest
        check_texts(texts, rows=rows, longest=longest, tokenizer=tokenizer, names=names)

    def gradient_checkpointing_enable(
        self, gradient_checkpointing_kwargs: dict[str, Any] | None = None
    ) -> None:
        """Compute activations again in the backward pass instead of keeping them. Named as transformers does."""
        checkpoint_activations(self.causal_lm, gradient_checkpointing_kwargs)

    def merge(self) -> RewardModel:
        """Fold the adapters into the weights, in place; quantised weights are first made floating again.

        Returns:
            This model. Its reference is gone with the adapters.
        """
        from workbench.models.merging import merge_adapters

        if self.has_adapters:
            self.policy = merge_adapters(self.policy)
            self.origin = self.origin and replace(self.origin, quantize=None)
        return self

    def save_pretrained(
        self,
        folder: str | Path,
        *,
        tokenizer: PreTrainedTokenizerBase | None = None,
        state_dict: dict[str, Tensor] | None = None,
    ) -> Path:
        """Save all that is needed to score the same again. See `workbench.models.saving.save_reward_model`."""
        return save_reward_model(self, Path(folder), tokenizer=tokenizer, state_dict=state_dict)

    @classmethod
    def from_pretrained(
        cls,
        folder: str | Path,
        *,
        device: str = "auto",
        dtype: str | None = None,
        base: str | None = None,
        trainable: bool = False,
    ) -> RewardModel:
        """Load what `save_pretrained` saved. See `workbench.models.saving.load_reward_model`."""
        return load_reward_model(
            cls, Path(folder), device=device, dtype=dtype, base=base, trainable=trainable
        )

    def _hidden(
        self, input_ids: Tensor, attention_mask: Tensor, response_mask: Tensor | None = None
    ) -> Tensor:
        """Return the body's last states. Shape [batch, tokens, width]."""
        rows = None
        if self.padding_free:
            rows = packed_rows(input_ids, attention_mask, positions(attention_mask))
        elif self.share_prompts and response_mask is not None:
            rows = shared_rows(input_ids, attention_mask, response_mask)
        if rows is not None and self.check_layout(rows.input_ids.shape[1]):
            return states_in_rows(self.reading, rows)
        if bool(attention_mask[:, 0].all()):
            return self.reading.states(input_ids, attention_mask.long(), positions(attention_mask))
        order = attention_mask.int().argsort(dim=1, descending=True, stable=True)
        ids, mask = input_ids.gather(1, order), attention_mask.gather(1, order)
        states = self.reading.states(ids, mask.long(), positions(mask))
        return states.gather(1, order.argsort(dim=1)[..., None].expand_as(states))

    def check_layout(self, columns: int) -> bool:
        """Tell whether rows of so many columns may be laid out as `padding_free` or `share_prompts` has it.

        It is measured, once for each doubling; where rows become too long a warning says so.

        Raises:
            ModelError: The layout changes the model's states even in short rows.
        """
        layout = "padding_free" if self.padding_free else "share_prompts" if self.share_prompts else None
        if layout is None:
            return False
        limit = self._limits.setdefault(layout, LayoutLimit(layout))
        return limit.allows(self.reading, columns)

    def _scores(self, hidden: Tensor, attention_mask: Tensor, response_mask: Tensor | None) -> Tensor:
        """Return the scalar head's values. Shape [batch]."""
        if self.pooling == "last":
            pooled = hidden[torch.arange(len(hidden), device=hidden.device), last_token(attention_mask)]
            pooled = pooled.to(self.reward_head.weight.dtype)
        elif response_mask is None:
            raise ModelError(
                got="no response_mask, with pooling 'mean'",
                needed="to know the response",
                fix="give the mask",
            )
        else:
            wide = hidden.to(self.reward_head.weight.dtype).masked_fill(~response_mask[..., None], 0.0)
            pooled = wide.sum(1) / response_mask.sum(1, keepdim=True).clamp(min=1)
        with torch.autocast(hidden.device.type, enabled=False):  # full precision, whatever the body runs in
            return self.reward_head(pooled)[:, 0]

    def _token_logps(self, hidden: Tensor, input_ids: Tensor, response_mask: Tensor | None) -> Tensor:
        """Return log-probabilities at the response's tokens. Shape [batch, tokens]."""
        rows, columns = response_places(response_mask)
        logps = label_logps(hidden[rows, columns - 1], input_ids[rows, columns], self.lm_head)
        return logps.new_zeros(input_ids.shape).index_put((rows, columns), logps)


def _check_policy(model: PreTrainedModel) -> None:
    """Raise where adapters are on a model without peft's wrapping: they could not be switched off."""
    if getattr(model, "_hf_peft_config_loaded", False):
        raise ModelError(
            got="adapters that transformers put on by itself: the folder holds adapters",
            needed="a model, or one that peft wraps, so that the adapters can be switched off",
            fix="load a saved reward model by RewardModel.from_pretrained, another model's adapters by peft",
        )
