"""A policy with a value head: a language model, decoder-only or encoder-decoder, and a scalar head on its body."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import TYPE_CHECKING, Any, NamedTuple, cast

import torch
from torch import Tensor, nn

from workbench.core.errors import ModelError, SettingsError
from workbench.models.four_bit import hold_layout
from workbench.models.frozen_layers import compute_frozen_once, computes_frozen_once
from workbench.models.loading import (
    ModelSettings,
    checkpoint_activations,
    describe,
    load_causal_lm,
    load_checkpoint,
)
from workbench.models.lora import LoraSettings, add_lora
from workbench.models.reading import OwnLogits, body_of
from workbench.models.token_logps import label_logps
from workbench.training.ppo.layout_check import LayoutCheck, check_layout
from workbench.training.ppo.layouts import Decoding, Layout, PromptBatch
from workbench.training.ppo.losses import allowed_log_softmax

if TYPE_CHECKING:
    from transformers import PreTrainedModel

__all__ = ["Distribution", "ResponseOutput", "ValuedPolicy", "load_language_model"]


class ResponseOutput(NamedTuple):
    """What one forward pass gives of some responses."""

    logps: Tensor
    """`log pi(y_t | x, y_<t)`. Shape [batch, tokens], float32; 0 off the mask."""
    values: Tensor
    """`V(x, y_<t)`, before each token. The same."""


class Distribution(nn.Module):
    """An LM head as it is sampled from: banned tokens without mass, at a temperature.

    Args:
        head: The LM head.
        allowed: True where a token may be sampled. Shape [vocabulary], bool; None: all may.
        temperature: Of sampling.
    """

    def __init__(self, head: nn.Module, allowed: Tensor | None, temperature: float) -> None:
        super().__init__()
        self.head, self.allowed, self.temperature = head, allowed, temperature
        self.out_features = getattr(head, "out_features", None)

    def forward(self, states: Tensor) -> Tensor:
        """Return the log-probability of every token, float32. Takes [rows, width], gives [rows, vocabulary]."""
        return allowed_log_softmax(self.head(states), self.allowed, temperature=self.temperature)

    def logps(self, states: Tensor, tokens: Tensor) -> Tensor:
        """Return the log-probability of given tokens, without holding all logits at once. Shape [rows]."""
        plain = self.allowed is None and self.temperature == 1
        return label_logps(states, tokens, self.head if plain else self)


class ValuedPolicy(nn.Module):
    """A language model as a policy, with a value head beside its LM head.

    The head is a module of its own, outside the adapters: it is float32, trained whatever LoRA covers, and begins
    with every value 0.

    Args:
        policy: The language model, with adapters of peft or without.
        origin: What it was loaded from; needed to save adapters without their base.
        summary: One line on what was loaded.

    Raises:
        ModelError: No layout gives the model's own states and logits; see `check_layout`.
    """

    def __init__(self, policy: nn.Module, *, origin: ModelSettings | None = None, summary: str = "") -> None:
        super().__init__()
        self.policy, self.origin, self.summary = policy, origin, summary
        hold_layout(policy)
        measured = self._measured()
        self.layout, self.reading = cast(Layout, measured.layout), measured.reading
        self.value_head = nn.Linear(measured.width, 1, dtype=torch.float32, device=self.device)
        nn.init.zeros_(self.value_head.weight)
        nn.init.zeros_(self.value_head.bias)

    @classmethod
    def load(cls, settings: ModelSettings, *, lora: LoraSettings | None = None) -> ValuedPolicy:
        """Make a fresh policy of a checkpoint, decoder-only or encoder-decoder as its configuration says.

        A body that trains in whole is float32 where `dtype` is `auto`: small steps are lost in a half.

        Args:
            settings: Which model, and how it is held.
            lora: Adapters to put on it.

        Raises:
            ModelError: It cannot be loaded, or is of no kind that this works with.
            SettingsError: It is quantised, and has no adapters to train.
        """
        if lora is None and settings.quantize is not None:
            raise SettingsError(
                got=f"quantize {settings.quantize!r} without lora",
                needed="adapters: quantised weights cannot be trained",
                fix="give lora=LoraSettings(...), or leave out quantize",
            )
        if settings.dtype == "auto" and lora is None:
            settings = replace(settings, dtype="float32")
        model, summary = load_language_model(settings)
        policy = cls(add_lora(model, lora) if lora else model, origin=settings, summary=summary)
        if lora is not None and lora.layers is not None:
            done = compute_frozen_once(policy.lm, body_of(policy.lm))
            policy.summary = ", ".join(filter(None, (summary, done)))
        return policy

    @property
    def lm(self) -> PreTrainedModel:
        """The language model, with the adapters' layers in it but without peft's wrapping."""
        return self.policy.get_base_model() if self.has_adapters else self.policy  # type: ignore[operator,return-value]

    @property
    def has_adapters(self) -> bool:
        """Whether the policy carries adapters of peft."""
        return hasattr(self.policy, "peft_config") and hasattr(self.policy, "get_base_model")

    @property
    def lm_head(self) -> Any:
        """The layer that gives logits."""
        return self.lm.get_output_embeddings()

    @property
    def head(self) -> nn.Module:
        """What gives logits of states: the LM head, or the model's own way where that is another."""
        return self.lm_head if self.reading is None else OwnLogits(self.reading)

    @property
    def device(self) -> torch.device:
        """Where it computes."""
        return next(self.policy.parameters()).device

    def columns(self, mask: Tensor) -> int:
        """Return how many columns of some responses a pass reads: up to the last token that one of them holds.

        All of them where frozen layers are computed once (`compute_frozen_once`): a row is known by all its columns.

        Args:
            mask: True at the tokens that the policy chose. Shape [rows, columns], bool.
        """
        return mask.shape[1] if computes_frozen_once(body_of(self.lm)) else int(mask.any(0).sum())

    def forward(
        self,
        prompts: PromptBatch,
        responses: Tensor,
        mask: Tensor,
        *,
        allowed: Tensor | None = None,
        temperature: float = 1.0,
    ) -> ResponseOutput:
        """Return log-probabilities and values of responses, both from one pass through the body.

        Args:
            prompts: What they respond to.
            responses: Padded at the right with any token. Shape [batch, tokens], int64.
            mask: True at the tokens that the policy chose. Shape [batch, tokens], bool.
            allowed: See `Distribution`.
            temperature: See `Distribution`.
        """
        states = self.layout.states(self.lm, prompts, responses)
        rows, columns = mask.nonzero(as_tuple=True)
        chosen = states[rows, columns]
        logps = self.distribution(allowed, temperature).logps(chosen, responses[rows, columns])
        values = self.values(chosen)
        empty = values.new_zeros(mask.shape)
        return ResponseOutput(
            empty.index_put((rows, columns), logps.float()), empty.index_put((rows, columns), values)
        )

    def distribution(self, allowed: Tensor | None = None, temperature: float = 1.0) -> Distribution:
        """Return what is sampled from."""
        return Distribution(self.head, allowed, temperature)

    def values(self, states: Tensor) -> Tensor:
        """Return the value head's values of states, float32. Takes [rows, width], gives [rows]."""
        with torch.autocast(states.device.type, enabled=False):  # full precision, whatever the body runs in
            return self.value_head(states.float())[:, 0]

    def start(self, prompts: PromptBatch) -> Decoding:
        """Begin to write a response to each prompt, with a cache."""
        return self.layout.start(self.lm, prompts)

    @contextmanager
    def adapters_off(self) -> Iterator[None]:
        """Within this context it is the reference policy: itself, as it was before training."""
        with self.policy.disable_adapter():  # type: ignore[operator]
            yield

    def train_adapters(self) -> None:
        """Switch on the adapters' dropout, and gradient checkpointing; the body's own dropout stays off.

        With that on, the policy would not be the one that sampled, before any step.
        """
        from transformers.modeling_layers import GradientCheckpointingLayer

        self.eval()
        for name, module in self.named_modules():
            if ".lora_dropout." in name:
                module.training = True
            elif isinstance(module, GradientCheckpointingLayer) and module.gradient_checkpointing:
                layer: Any = module
                layer.training = True  # what it asks before it checkpoints
                if not isinstance(layer._gradient_checkpointing_func, _Still):
                    layer._gradient_checkpointing_func = _Still(layer)

    def _measured(self) -> LayoutCheck:
        """Return how the language model can be run, or refuse it by name."""
        found = check_layout(self.lm)
        if found.layout is None:
            raise ModelError(
                got=f"{type(self.lm).__name__}: {found.reason}",
                needed="a language model that reads a row alone as in a batch, and makes logits of its last states",
                fix="name another model",
            )
        return found


class _Still:
    """Checkpoints a layer's activations while the layer computes as in evaluation.

    Families such as BART and OPT apply dropout as a function, as long as their layer is in training mode.

    Args:
        layer: A layer that checkpoints its activations.
    """

    def __init__(self, layer: Any) -> None:
        self.layer, self.checkpoint = layer, layer._gradient_checkpointing_func

    def __call__(self, forward: Callable[..., Any], *given: Any) -> Any:
        """Run the layer, and again in the backward pass."""

        def still(*again: Any) -> Any:
            self.layer.training = False
            try:
                return forward(*again)
            finally:
                self.layer.training = True

        return self.checkpoint(still, *given)


def load_language_model(settings: ModelSettings) -> tuple[PreTrainedModel, str]:
    """Load a causal or a sequence-to-sequence language model, whichever the checkpoint is."""
    from transformers import AutoConfig, AutoModelForSeq2SeqLM

    try:
        config = AutoConfig.from_pretrained(settings.source, revision=settings.revision)
    except (OSError, ValueError):
        return load_causal_lm(settings)  # says in full what is wrong
    if not getattr(config, "is_encoder_decoder", False):
        return load_causal_lm(settings)
    model, missing = load_checkpoint(AutoModelForSeq2SeqLM, settings, "a sequence-to-sequence language model")
    if missing:
        raise ModelError(
            got=f"{settings.name} has no weights for {', '.join(missing[:3])}",
            needed="a whole checkpoint",
            fix="name another model; those weights would be random numbers",
        )
    if settings.gradient_checkpointing:
        checkpoint_activations(model)
    return model, describe(model, settings)
