"""Low-rank adapters (LoRA, Hu et al. 2021) on a causal language model, by peft."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from workbench.core.errors import ModelError, SettingsError
from workbench.models.base_weights import note_base
from workbench.models.four_bit import hold_layout
from workbench.models.lora_targets import (
    called_ends,
    default_targets,
    ends_with,
    parameter_ends,
    targets_of,
    upper_targets,
)
from workbench.models.quiet import without_old_name

if TYPE_CHECKING:
    from peft import PeftModel
    from transformers import PreTrainedModel

__all__ = ["LoraSettings", "add_lora", "named_targets"]


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
    """Names of linear layers, or ends of them (`q_proj`, `mlp.c_fc`), or of the parameters that hold the experts of a
    mixture in one (`experts.down_proj`); None: see `workbench.models.lora_targets.default_targets`."""
    layers: int | None = None
    """Adapters on this many of the last layers alone; None: on all. Below them no gradient is computed, and what the
    layers give of a text is computed once; see `workbench.models.frozen_layers`."""

    def __post_init__(self) -> None:
        faults = []
        if not isinstance(self.rank, int) or isinstance(self.rank, bool) or self.rank < 1:
            faults.append((f"rank {self.rank!r}", "rank: a whole number, at least 1"))
        if not self.alpha > 0:
            faults.append((f"alpha {self.alpha!r}", "alpha: a number above 0"))
        if not 0 <= self.dropout < 1:
            faults.append((f"dropout {self.dropout!r}", "dropout: a number from 0 to below 1"))
        if self.layers is not None and (
            not isinstance(self.layers, int) or isinstance(self.layers, bool) or self.layers < 1
        ):
            faults.append((f"layers {self.layers!r}", "layers: a whole number, at least 1, or None"))
        names = self.target_modules
        if names is not None and (isinstance(names, str) or not names or not all(names)):
            faults.append((f"target_modules {names!r}", "target_modules: a tuple of names, or None"))
        if faults:
            raise SettingsError(
                got="; ".join(got for got, _ in faults),
                needed="; ".join(needed for _, needed in faults),
                fix="correct the value" + ("s" if len(faults) > 1 else ""),
            )


def named_targets(names: Sequence[str]) -> tuple[str, ...] | None:
    """Return `LoraSettings.target_modules` from a notebook's list of names; `default` alone is None."""
    return None if list(names) in ([], ["default"]) else tuple(names)


def add_lora(model: PreTrainedModel, settings: LoraSettings) -> PeftModel:
    """Put fresh adapters on a model and freeze the rest. They begin as nothing: the output is unchanged.

    Adapters are float32 whatever the model's number type, so that small steps are not rounded away.

    Args:
        model: A language model of either kind, quantised or not. It is changed in place.
        settings: Which matrices, and how large.

    Raises:
        ModelError: The model has no such layers, or never calls them; or 4-bit ones that were repacked for this CPU.
    """
    from peft import LoraConfig, TaskType, get_peft_model
    from transformers.pytorch_utils import Conv1D

    hold_layout(model)
    targets = list(settings.target_modules or default_targets(model))
    _check_targets(model, targets)
    if settings.layers is not None:
        targets = upper_targets(model, targets, settings.layers)
    layers = dict(model.named_modules())
    chosen = {
        name: layer for name, layer in layers.items() if any(ends_with(name, target) for target in targets)
    }
    parameters = [target for target in targets if parameter_ends(model, target)]
    if parameters and settings.dropout:
        raise ModelError(
            got=f"adapters with dropout {settings.dropout} on {', '.join(parameters)}",
            needed="no dropout: the experts of a mixture are held in one parameter, whose inputs are not at hand",
            fix="set dropout=0, or leave these out of target_modules",
        )
    alpha: Any = settings.alpha  # peft's annotation says int; it only divides by the rank
    config = LoraConfig(
        task_type=TaskType.SEQ_2_SEQ_LM if model.config.is_encoder_decoder else TaskType.CAUSAL_LM,
        r=settings.rank,
        lora_alpha=alpha,
        lora_dropout=settings.dropout,
        target_modules=[target for target in targets if target not in parameters],
        target_parameters=parameters or None,
        fan_in_fan_out=any(
            isinstance(layer, Conv1D) for layer in chosen.values()
        ),  # GPT-2 keeps its matrices turned
    )
    note_base(model)
    try:
        with without_old_name():
            adapted: Any = get_peft_model(model, config)
    except ValueError as error:
        raise ModelError(
            got=f"{type(model).__name__} with adapters on {', '.join(targets)}: {str(error).splitlines()[0]}",
            needed=f"layers that take adapters, such as {', '.join(default_targets(model)[:4])}",
            fix="leave out target_modules (--target-modules), or name others",
        ) from error
    held = {name for name, layer in adapted.get_base_model().named_modules() if hasattr(layer, "lora_A")}
    if not chosen.keys() <= held:  # peft takes some names of layers for the parameters of experts
        raise ModelError(
            got=f"target_modules {', '.join(targets)}, which peft takes for others in {model.config.model_type}: "
            f"{len(held)} adapters, none on {min(chosen.keys() - held)}",
            needed="names that mean linear layers alone",
            fix="leave out target_modules (--target-modules) for the default, then load the model again",
        )
    return adapted


def _check_targets(model: PreTrainedModel, targets: list[str]) -> None:
    """Raise where a target is not there, or is never called: adapters on it would do nothing."""
    names = [name for name, _ in model.named_modules()]
    missing = [
        target
        for target in targets
        if not any(ends_with(name, target) for name in names) and not parameter_ends(model, target)
    ]
    if missing:
        raise ModelError(
            got=f"target_modules {', '.join(missing)}",
            needed=f"names of linear layers of {model.config.model_type}, such as {', '.join(targets_of(model))}",
            fix="correct target_modules, or leave it out for the default",
        )
    called = called_ends(model)
    idle = [
        target
        for target in targets
        if called is not None
        and not parameter_ends(model, target)
        and not any(ends_with(name, target) for name in called)
    ]
    if idle:
        raise ModelError(
            got=f"target_modules {', '.join(idle)}, which {type(model).__name__} never calls: it reads their weights",
            needed="layers that are called: adapters on others would do nothing",
            fix="leave these out of target_modules",
        )
