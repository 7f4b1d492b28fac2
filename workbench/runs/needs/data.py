"""Data that a run reads: there or fetchable, of the columns that are needed, and with rows enough."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from workbench.runs.needs.hub import cached_file, hub_fault, unreachable
from workbench.runs.needs.need import Found, Lack

__all__ = ["DataNeed", "HubFiles", "HubSplit"]


@dataclass(frozen=True)
class HubFiles:
    """Single files of a data set on the Hub."""

    hub: str
    files: tuple[str, ...]

    @property
    def is_kept(self) -> bool:
        """Whether all of them lie in the local cache."""
        return all(cached_file(self.hub, file, kind="dataset") is not None for file in self.files)


@dataclass(frozen=True)
class HubSplit:
    """Splits of a data set on the Hub, as `datasets` loads them."""

    hub: str

    @property
    def is_kept(self) -> bool:
        """Whether some of it lies in the local cache."""
        import datasets

        return (Path(datasets.config.HF_DATASETS_CACHE) / self.hub.replace("/", "___").lower()).is_dir() or (
            Path(datasets.config.HF_DATASETS_CACHE) / self.hub.replace("/", "___")
        ).is_dir()


@dataclass(frozen=True)
class DataNeed:
    """Data that are loaded as the run would load them, so that columns and rows are those that it would meet."""

    what: str
    """What it is called in the list."""
    read: Callable[[], str] = field(compare=False)
    """Loads them and says in a few words how many rows there are. Its errors say what is wrong."""
    hub: HubFiles | HubSplit | None = None
    """Where they lie on the Hub; None: on this machine."""

    @property
    def name(self) -> str:
        """What it is called in the list."""
        return self.what

    def check(self) -> Found | Lack:
        """Look for them; see `Need`."""
        if self.hub is not None and hub_fault() and not self.hub.is_kept:
            return unreachable(f"the data set {self.hub.hub}")
        return Found(self.read())
