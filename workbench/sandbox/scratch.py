"""The folders that programs write in: made, and removed whatever a program left there."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import tempfile
from contextlib import suppress
from pathlib import Path

__all__ = ["make_root", "remove"]

_PREFIX = "workbench-sandbox"


def make_root() -> Path:
    """Make the folder of one pool, and clear away those of pools whose process was killed."""
    parent = Path(tempfile.gettempdir()).resolve()
    for stale in parent.glob(f"{_PREFIX}-*-*"):
        match = re.fullmatch(rf"{_PREFIX}-(\d+)-\w+", stale.name)
        with suppress(OSError):
            if match and stale.stat().st_uid == os.getuid() and not _alive(int(match[1])):
                remove(stale)
    return Path(tempfile.mkdtemp(prefix=f"{_PREFIX}-{os.getpid()}-", dir=parent))


def _alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True


def remove(folder: Path) -> None:
    """Remove a folder, however deep and however closed to its owner. Links are removed, not followed."""
    with suppress(OSError, RecursionError):
        shutil.rmtree(folder)
        return
    with suppress(OSError):  # where no process can be had, the next pool clears it away
        subprocess.run(["chmod", "-R", "u+rwX", str(folder)], check=False, capture_output=True)
        subprocess.run(["rm", "-rf", str(folder)], check=False, capture_output=True)
