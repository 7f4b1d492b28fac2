"""Saved adapters back on their model: every tensor where it was, or an error."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch

from workbench.core.errors import ModelError
from workbench.models.damage import whole_files
from workbench.models.pickles import only_tensors
from workbench.models.quiet import without_old_name

if TYPE_CHECKING:
    from peft import PeftModel
    from transformers import PreTrainedModel

__all__ = ["open_adapters", "restore_adapters"]


def open_adapters(lm: PreTrainedModel, folder: Path, *, trainable: bool = False) -> PeftModel:
    """Put the adapters that a folder holds on their base.

    Args:
        lm: The base.
        folder: Where they were saved.
        trainable: Whether they are to train on.

    Raises:
        ModelError: See `restore_adapters`.
    """
    from peft import PeftModel

    with without_old_name(), whole_files(str(folder)), only_tensors(str(folder)):
        adapted: Any = PeftModel.from_pretrained(lm, str(folder), is_trainable=trainable)
    restore_adapters(adapted, folder)
    return adapted


@torch.no_grad()
def restore_adapters(adapted: Any, folder: Path) -> None:
    """Put saved values into the adapters of a model, by the names that they were saved under.

    peft renames some families' adapters when it loads them, finds no place for the new names, and says nothing: those
    adapters would stay as they began.

    Args:
        adapted: A model that peft wraps, with adapters of the same form.
        folder: Where the values were saved.

    Raises:
        ModelError: The folder's adapters are others than the model's.
    """
    from peft import get_peft_model_state_dict
    from peft.utils import load_peft_weights

    with whole_files(str(folder)), only_tensors(str(folder)):
        saved = load_peft_weights(str(folder), device=str(next(adapted.parameters()).device))
    held = get_peft_model_state_dict(adapted, save_embedding_layers=False)
    apart = sorted(set(saved) ^ set(held))
    if apart:
        raise ModelError(
            got=f"{folder}: adapters that are not both saved and in the model: {', '.join(apart[:3])}",
            needed="the adapters of this model",
            fix="load them on the base that they were trained on, with the peft that saved them",
        )
    for name, value in saved.items():
        held[name].copy_(value)
    again = get_peft_model_state_dict(adapted, save_embedding_layers=False)
    lost = [
        name for name, value in saved.items() if not torch.equal(again[name], value.to(again[name].dtype))
    ]
    if lost:
        raise ModelError(
            got=f"{folder}: adapters that cannot be put back: {', '.join(lost[:3])}",
            needed="adapters that peft keeps as they are",
            fix="give target_modules without these layers",
        )
