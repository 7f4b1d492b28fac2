"""A model that a run loads: there or fetchable, not gated, its tokenizer really built."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from workbench.models.loading import ModelSettings, load_tokenizer
from workbench.runs.needs.hub import cached_file, hub_fault, unreachable
from workbench.runs.needs.need import Found, Lack
from workbench.store.reading import read_json

__all__ = ["ModelNeed"]

_WEIGHTS = ("*.safetensors", "*.bin", "*.safetensors.index.json")
_HALVES = 1e9


@dataclass(frozen=True)
class ModelNeed:
    """A model by name or folder.

    Reads its configuration and builds its tokenizer, and no weight; both come from the Hub where they have to.
    """

    what: str
    """What it is to the run: `policy`, `holistic reward`."""
    model: ModelSettings

    @property
    def name(self) -> str:
        """What it is called in the list."""
        return self.what

    def check(self) -> Found | Lack:
        """Look for it; see `Need`."""
        place = Path(self.model.source)
        if not place.is_dir():
            return self._on_hub()
        adapters = place / "adapter_config.json"
        if adapters.is_file() and not (place / "config.json").is_file():
            return self._on_base(read_json(adapters))
        return self._built(self.model, _weights(place, self.model.name))

    def _on_base(self, adapters: Mapping[str, Any]) -> Found | Lack:
        """Look for the model that a folder's adapters belong to, such as those of a reward model trained here."""
        base = str(adapters.get("base_model_name_or_path") or "")
        if not base:
            return Lack(
                got=f"{self.model.name} holds adapters that do not say of which model",
                needed="base_model_name_or_path in its adapter_config.json",
                fix="write the model's name or folder there",
            )
        found = replace(
            self, model=replace(self.model, name=base, revision=adapters.get("revision") or None)
        ).check()
        return Found(f"{self.model.name}: adapters on {found.detail}") if isinstance(found, Found) else found

    def _on_hub(self) -> Found | Lack:
        kept = cached_file(self.model.source, "config.json", kind="model", revision=self.model.revision)
        if hub_fault():
            if kept is None:
                return unreachable(f"the model {self.model.name}")
            held = replace(self.model, name=str(kept.parent), revision=None)
            return self._built(held, _weights(kept.parent, self.model.name))
        built = self._built(self.model, self.model.name)  # a gated or absent repository says so here
        if isinstance(built, Lack):
            return built
        import huggingface_hub

        info = huggingface_hub.model_info(
            self.model.source, revision=self.model.revision, files_metadata=True
        )
        sizes = {sibling.rfilename: sibling.size or 0 for sibling in info.siblings or []}
        if not any(Path(name).match(form) for name in sizes for form in _WEIGHTS):
            return _without_weights(self.model.name)
        return Found(f"{built.detail}, {sum(sizes.values()) / _HALVES:.1f} GB on the Hub")

    def _built(self, model: ModelSettings, found: str | Lack) -> Found | Lack:
        if isinstance(found, Lack):
            return found
        from workbench.models.loading import load_config

        family = load_config(model).get("model_type") or "no family"
        tokenizer = load_tokenizer(model)
        return Found(f"{self.model.name}: {family}, {type(tokenizer).__name__} of {len(tokenizer):,} tokens")


def _weights(folder: Path, name: str) -> str | Lack:
    there = any(file for form in _WEIGHTS for file in folder.glob(form))
    return name if there else _without_weights(name)


def _without_weights(name: str) -> Lack:
    return Lack(
        got=f"{name} has a configuration and no weights",
        needed="a whole checkpoint: .safetensors or .bin files",
        fix="fetch it again, or name another model",
    )
