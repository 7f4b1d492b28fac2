"""The one family of errors a user of the workbench can meet.

Each error says what was got, what is needed and how to fix it, in the caller's own words.
"""

from __future__ import annotations

import errno
import traceback
from collections.abc import Sequence
from importlib import metadata
from pathlib import Path

from workbench.core.terminal import message

__all__ = [
    "ClusterError",
    "DataError",
    "FileError",
    "GeneratorError",
    "InternalError",
    "ModelError",
    "RunError",
    "RuntimeMissingError",
    "SandboxUnavailableError",
    "SettingsError",
    "WorkbenchError",
]


class WorkbenchError(Exception):
    """Base of all errors that are the user's to fix.

    Args:
        got: What was found, with file and line where there is one.
        needed: What should have been there.
        fix: The next thing to do, as a command or an edit.
    """

    def __init__(self, got: str, needed: str, fix: str) -> None:
        self.got, self.needed, self.fix = got, needed, fix
        super().__init__(got, needed, fix)

    def __str__(self) -> str:
        # what comes out of data can neither steer the terminal nor look like a line of this
        parts = (message(part).replace("\n", "\n  ") for part in (self.got, self.needed, self.fix))
        return "got: {}\nneeded: {}\nfix: {}".format(*parts)


class SettingsError(WorkbenchError):
    """A parameter, option or profile has a value that cannot be used."""

    @classmethod
    def listing(cls, faults: Sequence[tuple[str, str]]) -> SettingsError:
        """Make one error of several (what was got, what is needed) pairs."""
        return cls(
            got="; ".join(got for got, _ in faults),
            needed="; ".join(needed for _, needed in faults),
            fix="correct the value" + ("s" if len(faults) > 1 else ""),
        )


class DataError(WorkbenchError):
    """A file or a dataset on the Hub is missing, unreadable or malformed."""


class GeneratorError(WorkbenchError):
    """A model or an endpoint that should produce answers cannot."""


class ModelError(WorkbenchError):
    """A model is missing, gated, too big, not of the kind needed, or given what it cannot use."""


class RunError(WorkbenchError):
    """A run's folder or notebook is in a state that cannot be continued."""


class ClusterError(WorkbenchError):
    """A cluster cannot be reached, or cannot do what a job asks of it."""


class FileError(WorkbenchError):
    """The system refuses to read or write a file or a folder."""

    @classmethod
    def of(cls, fault: OSError) -> FileError:
        """Put what the system says into the family's words.

        >>> print(FileError.of(OSError(errno.ENOSPC, "No space left on device", "out/scores.jsonl")))
        got: out/scores.jsonl: No space left on device
        needed: room on the disk
        fix: free some, or choose a folder on another disk; the same command then goes on where it stopped
        """
        needed, fix = _REMEDIES.get(
            fault.errno or 0,
            ("a file or folder that can be used so", "correct the path, or choose another one"),
        )
        named = [str(name) for name in (fault.filename, fault.filename2) if name is not None]
        said = fault.strerror or str(fault) or type(fault).__name__
        return cls(f"{' -> '.join(named)}: {said}" if named else said, needed, fix)


_ROOM = (
    "room on the disk",
    "free some, or choose a folder on another disk; the same command then goes on where it stopped",
)
_PERMISSION = (
    "permission to read and write there",
    "choose another folder, or see who owns this one (ls -ld)",
)
_REMEDIES = {
    errno.ENOSPC: _ROOM,
    errno.EDQUOT: _ROOM,
    errno.EACCES: _PERMISSION,
    errno.EPERM: _PERMISSION,
    errno.EROFS: ("a disk that can be written", "choose a folder on another one"),
    errno.ENOENT: ("a file or folder that is there", "correct the path"),
    errno.EISDIR: ("a file, not a folder", "name a file"),
    errno.ENOTDIR: ("a folder, not a file", "choose another path"),
    errno.EEXIST: ("a folder, where a file has that name", "choose another path"),
    errno.EMFILE: ("more open files than the system allows", "raise the limit: ulimit -n 4096"),
}
"""What is needed and what to do, by what the system says."""


class InternalError(WorkbenchError):
    """A fault of the workbench itself, in the family's words."""

    @classmethod
    def of(cls, fault: BaseException, more: str) -> InternalError:
        """Say what was raised and where, that it is not the user's, and where to report it.

        Args:
            fault: What was raised.
            more: The command that shows all of it.
        """
        lines = str(fault).strip().splitlines()
        said = type(fault).__name__ + (f": {lines[-1]}" if lines else "")
        own = Path(__file__).parents[1]
        frames = [
            one for one in traceback.extract_tb(fault.__traceback__) if own in Path(one.filename).parents
        ]
        where = (
            f" ({Path(frames[-1].filename).relative_to(own.parent)}:{frames[-1].lineno})" if frames else ""
        )
        return cls(said + where, f"nothing of you: {cls.WORDS}", cls.report(more))

    WORDS = "this is a fault of the workbench"

    @staticmethod
    def report(more: str) -> str:
        """Say where to report such a fault, and with what."""
        return f"report it at {_tracker()}, with what `{more}` shows"


def _tracker() -> str:
    """Return the address of the project's issue tracker, where its package names one."""
    try:
        urls = metadata.metadata("alignment-workbench").get_all("Project-URL") or []
    except metadata.PackageNotFoundError:
        urls = []
    named = dict(url.split(", ", 1) for url in urls if ", " in url)
    return next(
        (url for label, url in named.items() if "issue" in label.lower()), "the project's issue tracker"
    )


class RuntimeMissingError(WorkbenchError):
    """A runtime (a pinned environment for programs) is not built or is broken."""


class SandboxUnavailableError(WorkbenchError):
    """The machine cannot isolate programs; nothing was run."""
