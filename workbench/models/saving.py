"""Save a reward model so that it scores the same when loaded."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol, TypeVar

from torch import Tensor, nn

from workbench.core.errors import ModelError
from workbench.models.adapters import open_adapters, restore_adapters
from workbench.models.base_weights import check_base
from workbench.models.damage import whole_files
from workbench.models.loading import ModelSettings, load_causal_lm
from workbench.models.quiet import late_bars
from workbench.models.room import room_to_write
from workbench.store.atomic import write_json

if TYPE_CHECKING:
    from transformers import PreTrainedModel, PreTrainedTokenizerBase

__all__ = [
    "DESCRIPTION",
    "HEAD",
    "base_of",
    "check_unchanged",
    "load_head",
    "load_reward_model",
    "read_description",
    "restore_reward_model",
    "save_reward_model",
]

DESCRIPTION = "reward_model.json"
"""What the folder holds. Written last: a folder with it is complete."""
HEAD = "reward_head.safetensors"
FORMAT = 1
SAMPLES, SAMPLE_BYTES = 64, 2**16


class Kept(Protocol):
    """What a reward model is to the files it is kept in; `RewardModel` is one."""

    policy: Any
    pooling: str
    origin: ModelSettings | None
    reward_head: Any

    @property
    def causal_lm(self) -> PreTrainedModel: ...
    @property
    def has_adapters(self) -> bool: ...
    @property
    def device(self) -> Any: ...


Model = TypeVar("Model", bound=nn.Module)


def save_reward_model(
    model: Kept,
    folder: Path,
    *,
    tokenizer: PreTrainedTokenizerBase | None = None,
    state_dict: dict[str, Tensor] | None = None,
) -> Path:
    """Save a reward model: its scalar head, and its adapters (with the name of their base) or all its weights.

    A folder with all weights is a causal language model's too, for transformers to load as a policy.

    Args:
        model: What to save.
        folder: Where; made if need be, and an earlier model there replaced.
        tokenizer: Saved beside it.
        state_dict: The model's weights, where they had to be gathered from several processes.

    Returns:
        The folder.

    Raises:
        ModelError: Adapters or a quantised body are to be saved, but what they were loaded from is not known, or
            is the folder itself.
        FileError: The disk is full; the folder is then no reward model.
    """
    from safetensors.torch import save_file

    base = base_of(model.causal_lm, model.origin, adapters=model.has_adapters)
    if base and Path(base["name"]).expanduser().resolve() == folder.resolve():
        raise ModelError(
            got=f"{folder}, the folder of the model's own base",
            needed="a folder of its own: transformers would put these adapters on the base whenever it loads it",
            fix="save into another folder",
        )
    with room_to_write(folder):
        folder.mkdir(parents=True, exist_ok=True)
        (folder / DESCRIPTION).unlink(missing_ok=True)
        weights = "adapters" if model.has_adapters else "head" if base else "whole"
        policy: Any = model.policy
        given = {} if state_dict is None else {"state_dict": _below(state_dict, "policy.")}
        if weights == "adapters":
            # False: embeddings are never trained but as an adapter of their own; asking would need the Hub
            policy.save_pretrained(folder, save_embedding_layers=False, **given)
        elif weights == "whole":
            with late_bars():
                policy.save_pretrained(folder, **given)
        head = _below(state_dict, "reward_head.") if state_dict else model.reward_head.state_dict()
        save_file({name: value.detach().cpu().contiguous() for name, value in head.items()}, folder / HEAD)
        if tokenizer is not None:
            tokenizer.save_pretrained(folder)
    dtype = str(model.causal_lm.dtype).removeprefix("torch.")
    description = {
        "format": FORMAT,
        "weights": weights,
        "pooling": model.pooling,
        "dtype": dtype,
        "base": base,
    }
    with room_to_write(folder):
        write_json(folder / DESCRIPTION, description)
    return folder


def load_reward_model(
    make: Callable[..., Model],
    folder: Path,
    *,
    device: str = "auto",
    dtype: str | None = None,
    base: str | None = None,
    trainable: bool = False,
) -> Model:
    """Load a reward model that was saved. It scores as it did: bit by bit on the same device in float32.

    Args:
        make: The class, `RewardModel`; given a policy, it makes the model around it.
        folder: Where it was saved.
        device: As `ModelSettings` has it.
        dtype: One of `DTYPES`; None: as it was saved.
        base: Where the adapters' base is now, if it was moved.
        trainable: To train on; else nothing asks for gradients.

    Raises:
        ModelError: The folder holds no reward model; or its base cannot be loaded, or has changed since.
    """
    folder = Path(folder).expanduser()
    said = _description(folder)
    told = said["base"] or {"name": str(folder)}
    check_unchanged(base or told["name"], told.get("mark"))
    settings = ModelSettings(
        name=base or told["name"],
        quantize=told.get("quantize"),
        revision=None if base else told.get("revision"),
        device=device,
        dtype=dtype or said["dtype"],
    )
    try:
        loaded = load_causal_lm(settings)
    except ModelError as error:
        if said["base"] is None:
            raise
        raise ModelError(
            got=f"the base of {folder}: {error.got}",
            needed=f"the model that its weights belong to: {told['name']}",
            fix="put it back, or give its place now as base=",
        ) from error
    policy: nn.Module = loaded.model
    if said["weights"] == "adapters":
        policy = open_adapters(loaded.model, folder, trainable=trainable)
    model = make(
        policy,
        pooling=said["pooling"],
        origin=replace(settings, name=settings.source) if said["base"] else None,
        summary=loaded.summary,
    )
    head: Any = model.reward_head
    _load_head(head, folder)
    if not trainable:
        model.requires_grad_(False)
    elif said["weights"] == "head":
        policy.requires_grad_(False)
    return model.eval()


def restore_reward_model(model: Kept, folder: Path) -> None:
    """Put saved weights into a model that is there already, as a resumed training needs it.

    Args:
        model: A model of the same kind as the one saved. Its weights are replaced in place.
        folder: Where the other was saved.

    Raises:
        ModelError: The folder holds no reward model, or one of another kind.
    """
    said = _description(folder)
    base = base_of(model.causal_lm, model.origin, adapters=model.has_adapters)
    kind = "adapters" if model.has_adapters else "head" if base else "whole"
    if kind != said["weights"]:
        raise ModelError(
            got=f"{folder} holds {said['weights']}, the model needs {kind}",
            needed="a model of the same kind",
            fix="load it by RewardModel.from_pretrained",
        )
    if kind == "adapters":
        restore_adapters(model.policy, folder)
    elif kind == "whole":
        dtype = str(next(model.policy.parameters()).dtype).removeprefix("torch.")
        saved = load_causal_lm(ModelSettings(str(folder), device=str(model.device), dtype=dtype)).model
        model.policy.load_state_dict(saved.state_dict())
    _load_head(model.reward_head, folder)


def base_of(lm: PreTrainedModel, origin: ModelSettings | None, *, adapters: bool) -> dict[str, Any] | None:
    """Return what a body that is not saved was loaded from; None for a body that is saved itself.

    Args:
        lm: The language model.
        origin: What it was loaded from.
        adapters: Whether it carries adapters, which are saved without it.

    Raises:
        ModelError: It is not known what it was loaded from, or it has changed in memory since.
    """
    if not adapters and not getattr(lm, "is_quantized", False):
        return None
    if origin is None:
        raise ModelError(
            got="adapters or quantised weights on a model of unknown origin",
            needed="the name or folder of their base, to load it again",
            fix="load the model by its name, or give it origin=ModelSettings(name)",
        )
    check_base(lm)
    commit = getattr(lm.config, "_commit_hash", None)  # a branch moves on, a commit stays
    return {
        "name": origin.source,
        "revision": commit or origin.revision,
        "quantize": origin.quantize,
        "mark": _mark(Path(origin.source)),
    }


def _mark(folder: Path) -> str | None:
    """Return a mark of a folder's weights that any training changes, from samples of each file; None: no folder."""
    if not folder.is_dir():
        return None
    mark = hashlib.sha256()
    for file in sorted([*folder.glob("*.safetensors"), *folder.glob("*.bin")]):
        size = file.stat().st_size
        mark.update(f"{file.name} {size}".encode())
        with file.open("rb") as stream:
            for part in range(SAMPLES):
                stream.seek(size * part // SAMPLES)
                mark.update(stream.read(SAMPLE_BYTES))
    return mark.hexdigest()


def check_unchanged(name: str, mark: str | None, *, what: str = "reward model") -> None:
    """Raise if a base in a folder is not the one that was trained on: all would differ, silently.

    Args:
        name: The folder, or a name on the Hub.
        mark: What `base_of` noted of it.
        what: What was trained on it, in words.

    Raises:
        ModelError: Its weights are others now.
    """
    found = _mark(Path(name).expanduser()) if mark else None
    if found != mark and found is not None:
        raise ModelError(
            got=f"the weights in {name} are not those that this {what} was trained on",
            needed="its base as it was: everything it gives would differ",
            fix="put the base back, or give its place now as base=",
        )


def read_description(file: Path, version: int, *, written_by: str, fix: str) -> dict[str, Any]:
    """Read what a saved model's folder holds.

    Args:
        file: The description, written last.
        version: The format that is read here.
        written_by: What writes such folders, for the error.
        fix: What to do where the folder is none of them, for the error.

    Raises:
        ModelError: It is not there, cannot be read, or is of another format.
    """
    try:
        said = json.loads(file.read_text())
    except (OSError, ValueError) as error:
        raise ModelError(
            got=f"{file.parent} has no readable {file.name}",
            needed=f"a folder written by {written_by}, to its end",
            fix=fix,
        ) from error
    if not isinstance(said, dict) or said.get("format") != version:
        raise ModelError(
            got=f"{file} is of another format",
            needed=f"format {version}",
            fix="update the workbench",
        )
    return said


def load_head(head: nn.Module, file: Path, *, kind: str, what: str) -> None:
    """Put a saved head into a model.

    Args:
        head: The layer.
        file: Its weights, as safetensors.
        kind: Of the head, for the error, such as `scalar`.
        what: The model, for the error.

    Raises:
        ModelError: The file cannot be read, or is of another layer.
    """
    from safetensors.torch import load_file

    try:
        with whole_files(str(file)):
            head.load_state_dict(load_file(file))
    except (OSError, RuntimeError) as error:
        raise ModelError(
            got=f"{file}: {str(error).splitlines()[0]}",
            needed=f"the {kind} head that belongs to these weights",
            fix=f"save the {what} again",
        ) from error


def _description(folder: Path) -> dict[str, Any]:
    return read_description(
        folder / DESCRIPTION,
        FORMAT,
        written_by="RewardModel.save_pretrained",
        fix="see the path; a sequence classifier loads by load_scorer, a policy by RewardModel.load",
    )


def _load_head(head: nn.Module, folder: Path) -> None:
    load_head(head, folder / HEAD, kind="scalar", what="model")


def _below(state: dict[str, Tensor], prefix: str) -> dict[str, Tensor]:
    """Return the part of a state dict below a prefix, without it."""
    return {name.removeprefix(prefix): value for name, value in state.items() if name.startswith(prefix)}
