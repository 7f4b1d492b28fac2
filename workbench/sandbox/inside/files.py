"""Files that cross from the solution process to the grader: by normal names only, beside none of the tests' own."""

from __future__ import annotations

import os
import re
from collections.abc import Collection
from pathlib import Path

__all__ = ["ForbiddenFile", "check_files", "named_in", "read_files", "write_files"]

_MAX_NAME = 1_000
_LISTS = re.compile(r"\b(listdir|scandir|glob|rglob|iglob|iterdir|walk)\b")
_MODULES = (".py", ".pyc", ".pyd", ".so", ".dll", ".dylib", ".pth", ".egg", ".whl")
_PICKLES = (".pkl", ".pickle", ".p", ".joblib", ".pt", ".pth", ".ckpt")


class ForbiddenFile(Exception):
    """A file that may not leave the program."""


def read_files(known: dict[str, bytes]) -> dict[str, bytes]:
    """Read the regular files below the current folder that are new or changed against `known`."""
    found = {}
    for folder, _, names in os.walk("."):
        for name in names:
            path = os.path.relpath(os.path.join(folder, name))
            if os.path.isfile(path) and not os.path.islink(path):
                content = Path(path).read_bytes()
                if known.get(path) != content:
                    found[path] = content
    return found


def check_files(files: object, own: Collection[str]) -> dict[str, bytes]:
    """Return files that came with a reply, where each name is as plain as `os.path.normpath` makes it.

    Args:
        files: What came.
        own: Names of files that the tests wrote and keep for themselves.

    Raises:
        ForbiddenFile: for a name that leads elsewhere, is written in another way than the normal one, is one of
            the tests' own, or lies below what is a file.
    """
    if type(files) is not dict:
        raise ForbiddenFile("a message that is not of the protocol")
    for name, content in files.items():
        if type(name) is not str or type(content) is not bytes or not _is_normal(name):
            raise ForbiddenFile(f"a file that may not leave the program: {name!r:.200}")
        if name in own:
            raise ForbiddenFile(f"a file that the tests wrote: {name!r}")
    names = {*files, *own}
    for name in names:
        above = name.split("/")[:-1]
        if any("/".join(above[: count + 1]) in names for count in range(len(above))):
            raise ForbiddenFile(f"a file below a file: {name!r:.200}")
    return files


def _is_normal(name: str) -> bool:
    """Whether a name has one spelling: relative, and without `.`, `..`, empty parts, backslashes or controls."""
    parts = name.split("/")
    plain = name.isprintable() and "\\" not in name and len(name) <= _MAX_NAME
    return plain and not any(part in ("", ".", "..") for part in parts) and os.path.normpath(name) == name


def named_in(files: dict[str, bytes], tests_source: str) -> dict[str, bytes]:
    """Return those files that the tests read: by their base name, or by their suffix where they list a folder.

    Never a module or a pickle: to read one is to run it.
    """
    lists = _LISTS.search(tests_source) is not None
    read = {}
    for name, content in files.items():
        base = name.rsplit("/", maxsplit=1)[-1]
        suffix = os.path.splitext(base)[1]
        is_read = base in tests_source or (lists and (not suffix or suffix in tests_source))
        if is_read and not _runs_when_read(name, suffix.lower(), content):
            read[name] = content
    return read


def _runs_when_read(name: str, suffix: str, content: bytes) -> bool:
    """Whether a file is a module, or a pickle by its suffix or by its first bytes."""
    pickled = content[:1] == b"\x80" and content[1:2] in (b"\2", b"\3", b"\4", b"\5")
    within = "__pycache__" in name.split("/") or (content[:2] == b"PK" and b"/data.pkl" in content)
    return suffix in _MODULES or suffix in _PICKLES or pickled or within


def write_files(files: dict[str, bytes]) -> None:
    """Write files below the current folder, each as a new file: nothing is written through a link."""
    for name, content in files.items():
        path = Path(name)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.unlink(missing_ok=True)
        path.write_bytes(content)
