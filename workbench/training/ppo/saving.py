"""A trained policy on disk, and the checkpoints that an interrupted training goes on from."""

from __future__ import annotations

import shutil
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch
from torch import nn

from workbench.core.errors import ModelError
from workbench.models.adapters import open_adapters, restore_adapters
from workbench.models.loading import ModelSettings
from workbench.models.pickles import read_state
from workbench.models.quiet import late_bars
from workbench.models.saving import base_of, check_unchanged, load_head, read_description
from workbench.store.atomic import write_json
from workbench.training.checkpoints import mark_complete
from workbench.training.ppo.policy import ValuedPolicy, load_language_model

if TYPE_CHECKING:
    from transformers import PreTrainedTokenizerBase

__all__ = [
    "DESCRIPTION",
    "load_policy",
    "read_checkpoint",
    "restore_policy",
    "save_policy",
    "write_state",
]

DESCRIPTION = "policy.json"
"""What the folder holds. Written last: a folder with it is complete."""
HEAD, STATE = "value_head.safetensors", "state.pt"
FORMAT = 1


def save_policy(
    policy: ValuedPolicy, folder: Path, *, tokenizer: PreTrainedTokenizerBase | None = None
) -> Path:
    """Save a policy: its adapters (with the name of their base) or all its weights, and its value head.

    A folder with all weights is a language model's, a folder with adapters is peft's: both load without this project.

    Raises:
        ModelError: Adapters are to be saved, but what they were put on is not known, or is the folder itself.
    """
    from safetensors.torch import save_file

    base = base_of(policy.lm, policy.origin, adapters=policy.has_adapters)
    if base and Path(base["name"]).expanduser().resolve() == folder.resolve():
        raise ModelError(
            got=f"{folder}, the folder of the policy's own base",
            needed="a folder of its own: transformers would put these adapters on the base whenever it loads it",
            fix="save into another folder",
        )
    folder.mkdir(parents=True, exist_ok=True)
    (folder / DESCRIPTION).unlink(missing_ok=True)
    model: Any = policy.policy
    with late_bars():
        model.save_pretrained(folder, **({"save_embedding_layers": False} if policy.has_adapters else {}))
        if (
            policy.has_adapters
        ):  # what it forces, such as a language, may have been set since its base was loaded
            policy.lm.generation_config.save_pretrained(folder)
    head = {name: value.detach().cpu().contiguous() for name, value in policy.value_head.state_dict().items()}
    save_file(head, folder / HEAD)
    if tokenizer is not None:
        tokenizer.save_pretrained(folder)
    dtype = str(policy.lm_head.weight.dtype).removeprefix("torch.")
    write_json(folder / DESCRIPTION, {"format": FORMAT, "dtype": dtype, "base": base})
    return folder


def load_policy(
    folder: str | Path, *, device: str = "auto", dtype: str | None = None, base: str | None = None
) -> ValuedPolicy:
    """Load a policy that was saved, in evaluation mode. `.policy` is the language model, for generation.

    Args:
        folder: Where it was saved.
        device: As `ModelSettings` has it.
        dtype: One of `workbench.models.placement.DTYPES`; None: as it was saved.
        base: Where the adapters' base is now, if it was moved.

    Raises:
        ModelError: The folder holds no policy; or its base cannot be loaded, or has changed since.
    """
    folder = Path(folder).expanduser()
    said = _description(folder)
    told = said["base"] or {"name": str(folder)}
    check_unchanged(base or told["name"], told.get("mark"), what="policy")
    from transformers import GenerationConfig
    from transformers.utils import GENERATION_CONFIG_NAME

    settings = ModelSettings(
        name=base or told["name"],
        quantize=told.get("quantize"),
        revision=None if base else told.get("revision"),
        device=device,
        dtype=dtype or said["dtype"],
    )
    lm, summary = load_language_model(settings)
    model: nn.Module = lm
    if said["base"]:
        model = open_adapters(lm, folder)
        if (folder / GENERATION_CONFIG_NAME).is_file():
            lm.generation_config = GenerationConfig.from_pretrained(folder)
    policy = ValuedPolicy(
        model, origin=replace(settings, name=settings.source) if said["base"] else None, summary=summary
    )
    _load_head(policy, folder)
    return policy.eval()


def restore_policy(policy: ValuedPolicy, folder: Path) -> None:
    """Put saved weights into a policy that is there already.

    Raises:
        ModelError: The folder holds no policy, or one of another kind.
    """
    said = _description(folder)
    if policy.has_adapters != bool(said["base"]):
        raise ModelError(
            got=f"{folder} holds {'adapters' if said['base'] else 'a whole model'}",
            needed="a policy of the same kind",
            fix="load it by load_policy",
        )
    if policy.has_adapters:
        restore_adapters(policy.policy, folder)
    else:
        dtype = str(next(policy.policy.parameters()).dtype).removeprefix("torch.")
        saved = load_language_model(ModelSettings(str(folder), device=str(policy.device), dtype=dtype))
        policy.policy.load_state_dict(saved[0].state_dict())
    _load_head(policy, folder)


def write_state(
    folder: Path,
    step: int,
    policy: ValuedPolicy,
    optimizer: torch.optim.Optimizer,
    more: Mapping[str, Any],
    *,
    kept: int,
) -> None:
    """Write what a training needs to go on after a step, and remove older checkpoints. Only what trains is in it.

    Args:
        folder: Of all checkpoints.
        step: Steps done.
        policy: The policy.
        optimizer: Its optimizer.
        more: What else is needed: plain values and tensors.
        kept: The newest ones that stay.
    """
    place = folder / f"checkpoint-{step}"
    shutil.rmtree(place, ignore_errors=True)
    place.mkdir(parents=True)
    weights = {name: weight.detach() for name, weight in policy.named_parameters() if weight.requires_grad}
    torch.save({"weights": weights, "optimizer": optimizer.state_dict(), **more}, place / STATE)
    mark_complete(place)
    found = sorted(folder.glob("checkpoint-*"), key=lambda path: int(path.name.rpartition("-")[2]))
    for old in found[:-kept]:
        shutil.rmtree(old, ignore_errors=True)


def read_checkpoint(
    place: Path | None, policy: ValuedPolicy, optimizer: torch.optim.Optimizer
) -> tuple[int, dict[str, Any]]:
    """Put a checkpoint into a policy and its optimizer; return the steps done, and all that it holds.

    Without one: no step, and nothing.

    Raises:
        ModelError: The checkpoint holds something else than a training wrote.
    """
    if place is None:
        return 0, {}
    state = read_state(place / STATE, policy.device)
    with torch.no_grad():
        for name, parameter in policy.named_parameters():
            if parameter.requires_grad:
                parameter.copy_(state["weights"][name])
    optimizer.load_state_dict(state["optimizer"])
    return int(place.name.rpartition("-")[2]), state


def _description(folder: Path) -> dict[str, Any]:
    return read_description(
        folder / DESCRIPTION,
        FORMAT,
        written_by="save_policy",
        fix="see the path; a plain checkpoint loads by ValuedPolicy.load",
    )


def _load_head(policy: ValuedPolicy, folder: Path) -> None:
    load_head(policy.value_head, folder / HEAD, kind="value", what="policy")
