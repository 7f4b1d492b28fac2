"""Low-rank adapters (LoRA, Hu et al. 2021) on a causal language model, by peft."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from workbench.core.errors import ModelError, SettingsError
from workbench.models.four_bit import hold_layout
from workbench.models.quiet import without_old_name

if TYPE_CHECKING:
    from peft import PeftModel
    from transformers import PreTrainedModel

__all__ = ["LoraSettings", "add_lora", "mlp_projections"]

MLP_NAMES = ("mlp", "feed_forward", "ffn")


@dataclass(frozen=True)
class LoraSettings:
    """Which matrices get adapters, and how large. The defaults are HaF-RM's: alpha 16, on the MLP projections.

    Raises:
        SettingsError: One or more values cannot be used; all of them are named.
    """

    rank: int = 16
    """Inner width of an adapter. The paper does not give it."""
    alpha: float = 16.0
    """An adapter's product is scaled by `alpha / rank`."""
    dropout: float = 0.0
    """Chance that an input of an adapter is dropped in training."""
    target_modules: tuple[str, ...] | None = None
    """Names of linear layers, or ends of them (`q_proj`, `mlp.c_fc`); None: the model's MLP projections."""

    def __post_init__(self) -> None:
        faults = []
        if not isinstance(self.rank, int) or isinstance(self.rank, bool) or self.rank < 1:
            faults.append((f"rank {self.rank!r}", "rank: a whole number, at least 1"))
        if not self.alpha > 0:
            faults.append((f"alpha {self.alpha!r}", "alpha: a number above 0"))
        if not 0 <= self.dropout < 1:
            faults.append((f"dropout {self.dropout!r}", "dropout: a number from 0 to below 1"))
        names = self.target_modules
        if names is not None and (isinstance(names, str) or not names or not all(names)):
            faults.append((f"target_modules {names!r}", "target_modules: a tuple of names, or None"))
        if faults:
            raise SettingsError(
                got="; ".join(got for got, _ in faults),
                needed="; ".join(needed for _, needed in faults),
                fix="correct the value" + ("s" if len(faults) > 1 else ""),
            )


def add_lora(model: PreTrainedModel, settings: LoraSettings) -> PeftModel:
    """Put fresh adapters on a model and freeze the rest. They begin as nothing: the output is unchanged.

    Adapters are float32 whatever the model's number type, so that small steps are not rounded away.

    Args:
        model: A causal language model, quantised or not. It is changed in place.
        settings: Which matrices, and how large.

    Raises:
        ModelError: The model has no such layers, or 4-bit ones that were repacked for this CPU.
    """
    from peft import LoraConfig, TaskType, get_peft_model
    from transformers.pytorch_utils import Conv1D

    hold_layout(model)
    targets = list(settings.target_modules or mlp_projections(model))
    layers = dict(model.named_modules())
    missing = [target for target in targets if not any(_ends(name, target) for name in layers)]
    if missing:
        raise ModelError(
            got=f"target_modules {', '.join(missing)}",
            needed=f"names of linear layers of {model.config.model_type}, such as {', '.join(_linear(model))}",
            fix="correct target_modules, or leave it out for the MLP projections",
        )
    chosen = [layer for name, layer in layers.items() if any(_ends(name, target) for target in targets)]
    alpha: Any = settings.alpha  # peft's annotation says int; it only divides by the rank
    config = LoraConfig(
        task_type=TaskType.CAUSAL_LM,
        r=settings.rank,
        lora_alpha=alpha,
        lora_dropout=settings.dropout,
        target_modules=targets,
        fan_in_fan_out=any(isinstance(layer, Conv1D) for layer in chosen),  # GPT-2 keeps its matrices turned
    )
    with without_old_name():
        adapted: Any = get_peft_model(model, config)
    return adapted


def mlp_projections(model: PreTrainedModel) -> list[str]:
    """Return the ends of the names of a model's MLP projections, such as `mlp.up_proj`, found by its structure.

    Raises:
        ModelError: Its blocks have no part that is named as an MLP.
    """
    ends = sorted({name for name in _linear(model) if name.split(".")[-2] in MLP_NAMES})
    if not ends:
        raise ModelError(
            got=f"{model.config.model_type} has no linear layers in a part named {' or '.join(MLP_NAMES)}",
            needed="to know which matrices get adapters",
            fix=f"set target_modules, for example to {tuple(_linear(model)[:2])}",
        )
    return ends


def _linear(model: PreTrainedModel) -> list[str]:
    """Return the last two parts of the names of the linear layers within blocks, each once, in their order."""
    kinds = ("Linear", "Conv1D")
    names = [name for name, layer in model.named_modules() if type(layer).__name__.startswith(kinds)]
    return list(dict.fromkeys(".".join(name.split(".")[-2:]) for name in names if name.count(".") >= 2))


def _ends(name: str, target: str) -> bool:
    """Tell whether a layer is meant by a target, as peft reads it."""
    return name == target or name.endswith("." + target)
