"""Which matrices of a model get adapters where nobody says so: found in its structure, whatever its family."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import torch
from torch import nn

from workbench.core.errors import ModelError
from workbench.models.calling import called
from workbench.models.kept_weights import weights_kept
from workbench.models.modes import modes_kept

if TYPE_CHECKING:
    from transformers import PreTrainedModel

__all__ = ["called_ends", "default_targets", "ends_with", "parameter_ends", "targets_of", "upper_targets"]

MLP_NAMES = ("mlp", "feed_forward", "ffn")


def default_targets(model: PreTrainedModel) -> list[str]:
    """Return what gets adapters by default: HaF-RM's MLP projections, where each decoder layer has some.

    Elsewhere (OPT, whose layers hold them without a part of that name; mixtures of routed experts alone; hybrids and
    state spaces) all linear layers within the decoder's layers. Never the heads, nor routers and gates. The routed
    experts of a mixture are left out where one parameter holds them all, as transformers does: an adapter on it
    costs the product for every expert in each pass. `target_modules` names them, as `experts.down_proj`.

    Args:
        model: A language model of transformers.

    Raises:
        ModelError: It has no linear layers in its decoder's layers.
    """
    used = called_ends(model)
    fit = {
        end
        for end in targets_of(model)
        if not _refused(model, end) and (used is None or any(ends_with(name, end) for name in used))
    }
    names = [name for name in _dense(model) if _end(name) in fit]
    mlp = [name for name in names if any(part in MLP_NAMES for part in name.split(".")[:-1])]
    if {_layer(name) for name in mlp} != {_layer(name) for name in names}:
        mlp = names
    taken = sorted({_end(name) for name in mlp})
    if not taken:
        raise ModelError(
            got=f"{type(model).__name__}, which has no linear layers in its decoder's layers that take adapters",
            needed="to know which matrices get adapters",
            fix="set target_modules (--target-modules), or train without adapters",
        )
    meant = {name for name, _ in model.named_modules() if any(ends_with(name, end) for end in taken)}
    return taken if meant == set(mlp) else sorted(mlp)


def targets_of(model: PreTrainedModel) -> list[str]:
    """Return the ends of the names of linear layers within a model's layers, each once, in their order."""
    return list(dict.fromkeys(_end(name) for name in _dense(model)))


def upper_targets(model: PreTrainedModel, targets: Sequence[str], layers: int) -> list[str]:
    """Return the whole names of what targets mean in the last layers of a model.

    Args:
        model: A language model of transformers.
        targets: As `LoraSettings.target_modules`.
        layers: How many of those layers that hold a target count; all, where there are fewer.
    """
    named = [name for name, _ in model.named_modules()]
    meant = [name for name in named if any(ends_with(name, target) for target in targets)]
    meant += [name for target in targets for name in parameter_ends(model, target)]
    numbered = [name for name in meant if any(part.isdigit() for part in name.split("."))]
    kept = set(list(dict.fromkeys(map(_layer, numbered)))[-layers:])
    return [name for name in numbered if _layer(name) in kept]


def parameter_ends(model: PreTrainedModel, target: str) -> list[str]:
    """Return the parameters that a target means: those that hold the matrices of several experts in one."""
    return [name for name, one in model.named_parameters() if one.ndim == 3 and ends_with(name, target)]


def called_ends(model: PreTrainedModel) -> list[str] | None:
    """Return the names of the modules that a pass of a few tokens calls in training; None where it cannot be run.

    Some families read the weights of a layer without calling it, and so past its adapter. Of experts that are
    modules, each stands for all.

    Raises:
        ModelError: The pass changes quantised weights.
    """
    from workbench.models.reading import plain_tokens

    seen: dict[str, None] = {}
    hooks = [
        module.register_forward_pre_hook(lambda *_, name=name: seen.setdefault(name))
        for name, module in model.named_modules()
    ]
    ids = plain_tokens(model, 12)[None]
    given: dict[str, Any] = {"decoder_input_ids": ids} if model.config.is_encoder_decoder else {}
    try:
        with torch.no_grad(), torch.random.fork_rng(), modes_kept(model), weights_kept(model):
            model.train()
            called(model, ids, **given, use_cache=False)  # a cache and checkpointed activations: a warning
    except ModelError:
        raise
    except Exception:  # whatever it is, the caller's own pass says it
        return None
    finally:
        for hook in hooks:
            hook.remove()
    return list(seen)


def ends_with(name: str, target: str) -> bool:
    """Tell whether a layer is meant by a target, as peft reads it."""
    return name == target or name.endswith("." + target)


def _dense(model: PreTrainedModel) -> list[str]:
    """Return the names of the linear layers in the decoder's numbered layers, but for routers and gates."""
    decoder = model if model.config.is_encoder_decoder else model.get_decoder()
    if not any(True for _ in decoder.children()):  # ModernBERT's is a layer of that name, its LM head
        decoder = model
    start = next((name for name, part in model.named_modules() if part is decoder), "")
    from transformers.pytorch_utils import Conv1D

    modules = dict(model.named_modules())
    return [
        name
        for name, layer in modules.items()
        if isinstance(layer, nn.Linear | Conv1D)
        and name.startswith(f"{start}." if start else "")
        and any(part.isdigit() for part in name.split("."))
        and not _routes(modules, name, layer)
    ]


def _routes(modules: dict[str, nn.Module], name: str, layer: Any) -> bool:
    """Tell whether a layer chooses among experts that stand beside it, or is a gate of one number."""
    width = getattr(layer, "out_features", None) or getattr(layer, "nf", None)
    if width == 1:
        return True
    parents = name.split(".")[:-1]
    for depth in (len(parents), len(parents) - 1):  # beside it, or beside the router that holds it
        for part in modules[".".join(parents[:depth])].children():
            convolves = isinstance(part, nn.Conv1d)
            experts = [
                len(parameter)
                for parameter in part.parameters(recurse=False)
                if parameter.ndim == 3 and not convolves
            ]
            experts += [len(part)] if isinstance(part, nn.ModuleList) else []
            if width in experts:
                return True
    return False


def _layer(name: str) -> str:
    """Return the name of the numbered layer that holds another one."""
    parts = name.split(".")
    number = next(place for place, part in enumerate(parts) if part.isdigit())
    return ".".join(parts[: number + 1])


def _end(name: str) -> str:
    """Return the last two parts of a name, or the last where a number stands before it."""
    *_, parent, own = name.split(".")
    return own if parent.isdigit() else f"{parent}.{own}"


def _refused(model: PreTrainedModel, target: str) -> bool:
    """Tell whether peft puts no adapters there.

    It refuses what the kernels of Mamba read past an adapter; and in mixtures of experts it takes the names that
    experts once had for the parameter that holds them now, also where a dense layer of that name is meant.
    """
    from peft import LoraConfig
    from peft.tuners.lora import LoraModel
    from peft.utils import transformers_weight_conversion as conversion

    config = LoraConfig(target_modules=[target])
    check: Any = getattr(LoraModel, "_check_target_module_compatiblity", None)
    convert: Any = getattr(conversion, "convert_peft_config_for_transformers", None)
    try:
        if check is not None:
            check(None, config, model, target.rsplit(".", 1)[-1])
        if convert is not None:
            convert(config, model, None)
    except ValueError:
        return True
    return set(config.target_modules or ()) != {target}
