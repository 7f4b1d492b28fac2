"""Finds where packages lie that an interpreter imports from outside of its own folders: JSON comes in, JSON goes out.

Stands alone; Python 3.10 on. No package's code is run: top-level names are looked up, sources are read.
"""

import importlib.machinery
import importlib.util
import json
import re
import sys
import zipimport
from pathlib import Path

_IMPORT = re.compile(
    rb"^[ \t]*(?:from[ \t]+([A-Za-z_]\w*)[\w.]*[ \t]+import\b|import[ \t]+([A-Za-z_][^#\n;]*))", re.MULTILINE
)
_COMPILED = tuple(importlib.machinery.EXTENSION_SUFFIXES)


def located(names: list, own: list) -> list:
    """List what has to be given for some names to be imported, beyond what lies in `own` folders.

    Args:
        names: Top-level modules and packages.
        own: Folders from which the interpreter imports them anyway.

    Returns:
        Pairs of a name for a link and where it leads: modules, packages, all that these import in their turn, and
        the records of their installation. The name is empty for an archive.
    """
    found: dict = {}
    waiting, seen = list(names), set()
    while waiting:
        name = waiting.pop(0)
        if name in seen or name in sys.stdlib_module_names:
            continue
        seen.add(name)
        for link, place in _places(name):
            if any(place == folder or folder in place.parents for folder in map(Path, own)):
                continue
            found[link, str(place)] = None
            if link:
                found.update(dict.fromkeys(_installed_with(place)))
                waiting += _imports(place)
    return [list(pair) for pair in found]


def _places(name: str) -> list:
    """Return (name of a link, place) of a module, of a package, or of each part of a namespace."""
    try:
        spec = importlib.util.find_spec(name)
    except (ImportError, ValueError, AttributeError):  # a finder of somebody's own may fail in these ways
        return []
    if spec is None:
        return []
    if isinstance(spec.loader, zipimport.zipimporter):
        return [("", Path(spec.loader.archive))]
    if spec.submodule_search_locations is not None:
        folders = [Path(folder).absolute() for folder in spec.submodule_search_locations]
        return [(name, one) for one in folders if one.is_dir() and (spec.origin or _holds_python(one))]
    origin = Path(spec.origin).absolute() if spec.origin else None
    if origin is None or not origin.is_file():
        return []
    return [(name + _suffix(origin), origin)]


def _suffix(file: Path) -> str:
    """Return all of a module's suffix, such as `.cpython-312-x86_64-linux-gnu.so`."""
    return file.name[file.name.index(".") :] if "." in file.name else ""


def _holds_python(folder: Path) -> bool:
    """Whether a folder without `__init__.py` is part of a package: Python takes any folder for one."""
    return any(
        file.name.endswith((".py", *_COMPILED))
        for depth in ("*", "*/*", "*/*/*")
        for file in folder.glob(depth)
    )


def _installed_with(place: Path) -> list:
    """Return (name, place) of what was installed beside a module with it: its metadata and bundled libraries."""
    found = []
    for record in place.parent.glob("*.dist-info"):
        tops = {line.split("/")[0].split(",")[0] for line in _lines(record / "RECORD")}
        if place.name in tops:
            beside = [place.parent / top for top in sorted(tops) if top not in ("", "..", "__pycache__")]
            found += [(one.name, str(one)) for one in beside if one.exists()]
    for record in place.parent.glob("*.egg-info"):
        if place.name.split(".")[0] in _lines(record / "top_level.txt"):
            found.append((record.name, str(record)))
    return found


def _lines(file: Path) -> list:
    try:
        return file.read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError:
        return []


def _imports(place: Path) -> list:
    """Return the top-level names that a package's sources import, wherever they do."""
    found: dict = {}
    for file in sorted(place.rglob("*.py")) if place.is_dir() else [place] if place.suffix == ".py" else []:
        try:
            text = file.read_bytes()
        except OSError:
            continue
        for module, several in _IMPORT.findall(text):
            for one in [module] if module else several.split(b","):
                words = re.match(rb"\s*([A-Za-z_]\w*)", one)
                if words:
                    found[words[1].decode()] = None
    return list(found)


def main() -> None:
    """Answer the question on standard input."""
    asked = json.load(sys.stdin)
    sys.path[:] = (
        asked["path"] if asked["path"] is not None else sys.path[1:]
    )  # -c puts the current folder first
    json.dump(located(asked["names"], asked["own"]), sys.stdout)


if __name__ == "__main__":
    main()
