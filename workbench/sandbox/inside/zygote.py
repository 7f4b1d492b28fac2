"""The zygote: imports libraries once, then forks a child (or a pair) for every program it is handed.

It speaks JSON messages with the parent over its standard input and output and never reads a program, a test
or an answer: the children read theirs from files, so that nothing of one program is in the memory that the
next is forked from. Run as ``python -s zygote.py`` in the interpreter of a runtime.
"""

from __future__ import annotations

import gc
import importlib
import importlib.util
import os
import sys
from pathlib import Path

if __package__ in (None, ""):  # started as a script: make the sibling modules importable, and nothing else
    _here = Path(__file__).resolve().parent
    # a script's own folder is put on the path
    sys.path = [folder for folder in sys.path if Path(folder).resolve() != _here]
    _spec = importlib.util.spec_from_file_location(
        "inside", _here / "__init__.py", submodule_search_locations=[str(_here)]
    )
    assert _spec is not None
    sys.modules["inside"] = importlib.util.module_from_spec(_spec)
    __package__ = "inside"

from . import channel, confine, encoding, graders, sharing
from .memory import shared_piece_bytes
from .supervisor import Supervisor

__all__ = ["main"]


_NOT_TO_LEARN = frozenset({"tests", "test", "conftest", "__main__"})  # these change what imports them
_MAX_REFUSED = 10_000  # a program can claim to have imported any number of names


def _installed(root: str, packages: list[str]) -> bool:
    """Whether a top-level name comes from site-packages or `packages`: no standard library, no stray file."""
    if root in sys.stdlib_module_names or root.startswith("_"):
        return False
    try:
        spec = importlib.util.find_spec(root)
    except (ImportError, ValueError):
        return False
    places = (
        [spec.origin] if spec and spec.origin else list(spec.submodule_search_locations or []) if spec else []
    )
    return any(
        "site-packages" in place or "dist-packages" in place or place.startswith(tuple(packages))
        for place in places
    )


class Preloader:
    """Imports what the children would import, so that each import is paid once.

    Args:
        packages: Folders of packages beside those that are installed.
    """

    def __init__(self, packages: list[str]) -> None:
        self._refused: set[str] = set()
        self._packages = [os.path.join(folder, "") for folder in packages]

    def load(self, names: list[str]) -> bool:
        """Import packages by the names that programs import them under; tell whether any was new."""
        return self._import(self.unloaded(names))

    def unloaded(self, names: list[str]) -> list[str]:
        """Return those names that `load` would try to import."""
        return [name for name in names if name.isascii() and self._is_new(name)]

    def learn(self, names: list[str]) -> bool:
        """Import modules that a child loaded lazily, where they belong to a package already loaded here."""
        return self._import(self.unlearned(names))

    def unlearned(self, names: list[str]) -> list[str]:
        """Return those names that `learn` would try to import."""
        known = [name for name in names if name.split(".")[0] in sys.modules and name.isascii()]
        known = [name for name in known if not _NOT_TO_LEARN.intersection(name.split("."))]
        return [name for name in known[:1_000] if self._is_new(name)]

    def _is_new(self, name: str) -> bool:
        return name not in sys.modules and name not in self._refused and self._is_installed(name)

    def _is_installed(self, name: str) -> bool:
        return _installed(name.partition(".")[0], self._packages)

    def _import(self, names: list[str]) -> bool:
        for name in names:
            try:
                importlib.import_module(name)
            except (
                BaseException
            ):  # a module may fail in any way, `sys.exit` included; the program will meet it
                if len(self._refused) < _MAX_REFUSED:
                    self._refused.add(name)
        if names:
            encoding.warm()
            gc.freeze()  # keeps the collector of the children away from pages they share with the zygote
        return bool(names)


def main() -> None:
    """Serve the parent until it closes standard input."""
    incoming, outgoing = os.dup(0), os.dup(1)
    null = os.open(os.devnull, os.O_RDWR)
    os.dup2(null, 0)
    settings = channel.receive_json(incoming)
    log = os.open(settings["log"], os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    for standard in (1, 2):
        os.dup2(log, standard)
    if settings["isolated"]:
        os.environ["JOBLIB_MULTIPROCESSING"] = (
            "0"  # its workers are started anew, and have nothing to share by
        )
        confine.confine_zygote(
            [*settings["readable"], str(Path(__file__).parent), "/proc", settings["root"]],
            [settings["root"], os.devnull, *filter(None, [settings["control_group"]])],
            shared_piece_bytes(settings["limits"]["memory_bytes"]),
        )
    preloader = _prepare(settings)
    channel.send_json(outgoing, {"ready": True})
    Supervisor(settings, incoming, outgoing, preloader, __file__).serve()
    os._exit(0)  # libraries may take long to say goodbye


def serve_graders() -> None:
    """Serve the zygote of the solutions, which started this process within its own confinement."""
    control = os.dup(0)
    null = os.open(os.devnull, os.O_RDWR)
    os.dup2(null, 0)
    try:
        settings = channel.receive_json(control)
        preloader = _prepare(settings)
        confine.prepare_children(shared_piece_bytes(settings["limits"]["memory_bytes"]))
        graders.serve(control, settings, preloader)
    except channel.ChannelClosed:
        os._exit(0)


def _prepare(settings: dict) -> Preloader:
    if settings["isolated"]:
        sharing.install()
    gc.disable()
    sys.path += settings["packages"]
    return Preloader(settings["packages"])


if __name__ == "__main__":
    serve_graders() if sys.argv[1:] == ["graders"] else main()
