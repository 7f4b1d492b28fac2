"""Of the machine itself: packages of an extra, Java, room on the disk."""

from __future__ import annotations

import importlib.util
import shutil
from dataclasses import dataclass
from pathlib import Path

from workbench.models.loading import ModelSettings
from workbench.rewards.grammar import grammar_available
from workbench.runs.folders import runs_root
from workbench.runs.needs.hub import cached_file
from workbench.runs.needs.memory import model_size
from workbench.runs.needs.need import Found, Lack

__all__ = ["DiskNeed", "GrammarNeed", "PackagesNeed"]


@dataclass(frozen=True)
class PackagesNeed:
    """Packages of one of the project's extras."""

    extra: str
    modules: tuple[str, ...]
    """What is imported of them."""

    @property
    def name(self) -> str:
        """What it is called in the list."""
        return f"extra {self.extra}"

    def check(self) -> Found | Lack:
        """Look for them; see `Need`."""
        missing = [module for module in self.modules if importlib.util.find_spec(module) is None]
        if missing:
            return Lack(
                got=f"no package {', '.join(missing)}",
                needed=f"the packages of the extra {self.extra}",
                fix=f"pip install 'alignment-workbench[{self.extra}]'",
            )
        return Found(", ".join(self.modules))


@dataclass(frozen=True)
class GrammarNeed:
    """Java, for LanguageTool, whose 250 MB are downloaded at the first use."""

    name: str = "Java"

    def check(self) -> Found | Lack:
        """Start it; see `Need`."""
        there, detail, fix = grammar_available()
        return Found(detail) if there else Lack(detail, "Java and its package, for the grammar reward", fix)


@dataclass(frozen=True)
class DiskNeed:
    """Room for what is downloaded and kept: for models in the Hub's cache, for trained ones in the run's folder."""

    models: tuple[ModelSettings, ...] = ()
    """Those that come from the Hub where they are not in its cache: two bytes a weight."""
    kept_bytes: int = 0
    """About how much the run itself keeps."""
    name: str = "disk"

    def check(self) -> Found | Lack:
        """Measure it; see `Need`."""
        from huggingface_hub import constants

        wanted: dict[Path, int] = {}
        for folder, size in (
            (Path(constants.HF_HUB_CACHE), self._downloads()),
            (runs_root(), self.kept_bytes),
        ):
            there = next(one for one in (folder, *folder.parents) if one.is_dir())
            wanted[there] = wanted.get(there, 0) + size
        said = []
        for folder, size in wanted.items():
            free = shutil.disk_usage(folder).free
            said.append(f"{free / 1e9:.0f} GB free in {folder}, about {size / 1e9:.1f} GB wanted")
            if free < size:
                return Lack(said[-1], "room for it", "free some, or set HF_HOME, or --out, to a larger disk")
        return Found("; ".join(said))

    def _downloads(self) -> int:
        """Return about how many bytes are still to come."""
        coming = [
            model
            for model in self.models
            if not Path(model.name).expanduser().exists()
            and cached_file(model.name, "config.json", kind="model", revision=model.revision) is None
        ]
        sizes = (model_size(model) for model in dict.fromkeys(coming))
        return sum(2 * size.parameters for size in sizes if size is not None)
