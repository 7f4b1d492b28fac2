"""Where the Jupyter server of this notebook serves a file, so that a page too large for a message can be shown."""

from __future__ import annotations

import os
from pathlib import Path
from urllib.parse import quote

__all__ = ["served_address"]


def served_address(file: Path) -> str | None:
    """Return the address of a file on the server that started this kernel.

    Args:
        file: Any file.

    Returns:
        Its path on that server, or None where there is no such server or the file is not below its folder.
    """
    from jupyter_server.serverapp import list_running_servers

    for server in list_running_servers():
        root = Path(server["root_dir"]).resolve()
        if server["pid"] == os.getppid() and file.resolve().is_relative_to(root):
            return f"{server['base_url']}files/{quote(file.resolve().relative_to(root).as_posix())}"
    return None
