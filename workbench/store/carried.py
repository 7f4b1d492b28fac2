"""Files of a run that its jobs read and write, carried to nodes that do not share the driver's disk, and back."""

from __future__ import annotations

import dataclasses
import pickle
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from workbench.core.errors import ClusterError
from workbench.store import atomic
from workbench.store.reading import below

__all__ = ["Carried", "FilesWanted", "named_below", "unpack"]

Stamps = Mapping[Path, tuple[int, int]]


class FilesWanted(Exception):
    """A node does not share the driver's disk, and was sent a job without its files."""


@dataclass(frozen=True)
class Carried:
    """What a job reads and writes below a folder of the run."""

    root: str
    """The folder, on the driver and on every node alike."""
    token: str
    """A file of the driver's: a node that sees it shares the disk, and needs nothing carried."""
    paths: tuple[str, ...]
    """Files and folders below the root that the job names."""
    content: bytes | None = None
    """They, packed; None where that was not asked for yet."""

    def packed(self) -> Carried:
        """Return it with its files."""
        return dataclasses.replace(self, content=_pack(_files(self.paths), Path(self.root)))

    def unpack(self) -> Stamps | None:
        """Lay the files out on this node; return what is there then, or None where it shares the driver's disk.

        Raises:
            FilesWanted: They were not sent.
            ClusterError: They cannot be written here.
        """
        if not self.paths or Path(self.token).is_file():
            return None
        if self.content is None:
            raise FilesWanted
        try:
            unpack(self.content, Path(self.root))
        except OSError as fault:
            raise ClusterError(
                got=f"a node that cannot write {self.root}: {fault}",
                needed="a folder that every node can make, as the driver's machine has made it",
                fix="choose a run's folder that exists on all nodes, such as one in /tmp, with --out DIR",
            ) from fault
        return _stamps(self.paths)

    def changed(self, before: Stamps | None) -> bytes:
        """Return, packed, the files that a job has written since; nothing where the driver has them already."""
        if before is None:
            return b""
        now = _stamps(self.paths)
        return _pack((file for file, stamp in now.items() if before.get(file) != stamp), Path(self.root))


def unpack(content: bytes, root: Path) -> None:
    """Write packed files below a folder, each in one stroke.

    Raises:
        ClusterError: One would lie elsewhere.
    """
    for name, written in pickle.loads(content).items() if content else ():  # packed by our own driver or job
        place = below(root, name)
        if place is None:
            raise ClusterError(
                f"a file {name!r} from a node", f"files below {root}", "see what that job writes"
            )
        atomic.write_bytes(place, written)


def named_below(value: Any, root: Path) -> tuple[str, ...]:
    """Return the paths below a folder that a job names, in whatever depth: as paths, or as absolute text."""
    start = f"{root}/"
    return tuple(dict.fromkeys(text for text in _texts(value, set()) if text.startswith(start)))


def _texts(value: Any, seen: set[int]) -> Iterator[str]:
    if isinstance(value, str | Path):
        yield str(value)
        return
    if isinstance(value, int | float | bytes | type(None)) or id(value) in seen:
        return
    seen.add(id(value))
    inside: Iterable[Any] = ()
    if isinstance(value, Mapping):
        inside = [*value, *value.values()]
    elif isinstance(value, list | tuple | set | frozenset):
        inside = value
    elif type(value).__module__.split(".")[0] in ("workbench", "__main__") or dataclasses.is_dataclass(value):
        inside = getattr(value, "__dict__", {}).values()
    for one in inside:
        yield from _texts(one, seen)


def _files(paths: Iterable[str]) -> Iterator[Path]:
    for place in map(Path, paths):
        if place.is_dir():
            yield from (file for file in sorted(place.rglob("*")) if file.is_file() and not _passing(file))
        elif place.is_file():
            yield place


def _passing(file: Path) -> bool:
    return file.name.startswith(".") or file.suffix == ".lock"


def _stamps(paths: Iterable[str]) -> Stamps:
    found = ((file, file.stat()) for file in _files(paths))
    return {file: (state.st_size, state.st_mtime_ns) for file, state in found}


def _pack(files: Iterable[Path], root: Path) -> bytes:
    content = {str(file.relative_to(root)): file.read_bytes() for file in files}
    return pickle.dumps(content) if content else b""
