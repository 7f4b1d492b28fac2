"""Packages that lie outside of a runtime's folders: from `pip install -e` or `--user`, or found by PYTHONPATH.

Programs of the sandbox read nothing that they are not given. So the packages that they are about are looked up
where the user's own interpreter finds them, given one by one, and imported once before anything is paid for.
"""

from __future__ import annotations

import hashlib
import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterable, Sequence
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from workbench.core.errors import SandboxUnavailableError
from workbench.sandbox import locating
from workbench.sandbox.isolation import readable_paths
from workbench.sandbox.program import Program
from workbench.sandbox.runtime_recipe import cache_folder
from workbench.sandbox.runtimes import Runtime, find_runtime

if TYPE_CHECKING:
    from workbench.sandbox.cluster import AnySandbox

__all__ = ["require_imports", "with_installed"]

_ASKING_S = 120.0
_FIX = "install it into this environment: pip install DIR, without -e and without --user"


def with_installed(runtime: str | Runtime, names: Iterable[str]) -> Runtime:
    """Return a runtime in whose sandbox packages can be read that lie outside of its own folders.

    Each package is given by itself, with the packages outside that it imports: never the folder that it lies in.
    Where nothing lies outside, the runtime is returned as it is.

    Args:
        runtime: What the programs run in.
        names: What they import; only the top-level name counts. What is not found is passed over.

    Raises:
        SettingsError, RuntimeMissingError: See `find_runtime`.
        SandboxUnavailableError: A package is a home folder, or holds one.
    """
    found = runtime if isinstance(runtime, Runtime) else find_runtime(runtime)
    tops = sorted({name.partition(".")[0] for name in names} - sys.stdlib_module_names - {""})
    outside = _outside(found, tops) if tops else []
    if not outside:
        return found
    for _, place in outside:
        _refuse_home(Path(place))
    links = [(name, place) for name, place in outside if name]
    archives = [place for name, place in outside if not name]
    searched = [*_linked(links), *archives]
    # in front, as where the user's interpreter found them, and for the interpreters that programs start
    search = os.pathsep.join([*searched, *filter(None, [found.environment.get("PYTHONPATH")])])
    places = dict.fromkeys(path for _, place in outside for path in (place, str(Path(place).resolve())))
    return replace(
        found,
        readable=(*found.readable, *searched, *places),
        environment={**found.environment, "PYTHONPATH": search},
        packages=(*found.packages, *searched),
        modules=(*found.modules, *((name, Path(place)) for name, place in outside)),
    )


def require_imports(sandbox: AnySandbox, names: Iterable[str], others: Iterable[str] = ()) -> None:
    """Import packages in the sandbox, before anything is paid for.

    A package that the user's own interpreter does not import either is passed over: that is for whoever runs a
    program to judge.

    Args:
        sandbox: Where programs will import them.
        names: Packages, or modules in them.
        others: More of them, tried only where they lie outside of the runtime's folders.

    Raises:
        SandboxUnavailableError: One is imported outside of the sandbox, and not in it.
    """
    given = {name.partition(".")[0] for name, _ in sandbox.runtime.modules}
    chosen = [*names, *(name for name in others if name.partition(".")[0] in given)]
    asked = dict.fromkeys(name for name in chosen if name.replace(".", "").isidentifier())
    programs = [Program(f"import {name}", group=name.partition(".")[0]) for name in asked]
    verdicts = zip(asked, sandbox.map(programs), strict=True)
    failed = {name: verdict for name, verdict in verdicts if not verdict.passed}
    faults = [
        f"`import {name}` works here and not in the sandbox: {verdict.message or verdict.status}"
        for name, verdict in failed.items()
        if _imports(sandbox.runtime, name)
    ]
    if faults:
        raise SandboxUnavailableError(
            got="; ".join(faults), needed="packages that programs can import in the sandbox too", fix=_FIX
        )


def _outside(runtime: Runtime, names: Sequence[str]) -> list[tuple[str, str]]:
    """Return links (name, place) to what the sandbox's interpreter would not find, or might not read."""
    clean = _asked([str(runtime.python), "-s", "-c", "import json, sys; print(json.dumps(sys.path[1:]))"],
                   environment=dict(runtime.environment))  # fmt: skip
    given = [Path(folder) for folder in readable_paths(runtime.readable)]
    own = [
        folder
        for folder in (clean or [])
        if any(Path(folder).resolve().is_relative_to(one.resolve()) for one in given)
    ]
    both = dict.fromkeys(path for folder in own for path in (folder, str(Path(folder).resolve())))
    known = [str(place) for _, place in runtime.modules]
    question = {"names": list(names), "own": [*both, *known], "path": _own_path(runtime)}
    program = Path(locating.__file__).read_text(encoding="utf-8")
    answer = _asked([str(runtime.python), "-c", program], json.dumps(question))
    return [(name, place) for name, place in answer or []]


def _own_path(runtime: Runtime) -> list[str] | None:
    """Return where this process imports from, if it is the runtime's interpreter; additions to it count."""
    if Path(sys.executable) != runtime.python:
        return None
    return [str(Path(folder or ".").absolute()) for folder in sys.path]


def _asked(
    command: Sequence[str], question: str = "", environment: dict[str, str] | None = None
) -> list | None:
    """Return what a program prints as JSON; None where it fails: the sandbox will then say what it lacks."""
    try:
        done = subprocess.run(
            command,
            input=question,
            env=environment,
            capture_output=True,
            encoding="utf-8",
            timeout=_ASKING_S,
            check=True,
        )
        return list(json.loads(done.stdout))
    except (OSError, subprocess.SubprocessError, ValueError):
        return None


def _imports(runtime: Runtime, name: str) -> bool:
    """Whether the user's own interpreter imports a package that it has installed."""
    program = f"import sys\npath = {_own_path(runtime)!r}\nif path:\n    sys.path[:] = path\nimport {name}\nprint([])"
    with tempfile.TemporaryDirectory() as folder:
        packages = os.pathsep.join([*runtime.packages, *filter(None, [os.environ.get("PYTHONPATH")])])
        command = [str(runtime.python), "-c", program]
        try:
            done = subprocess.run(
                command,
                cwd=folder,
                env={**os.environ, "PYTHONPATH": packages},
                stdin=subprocess.DEVNULL,
                capture_output=True,
                timeout=_ASKING_S,
                check=False,
            )
        except (OSError, subprocess.SubprocessError):
            return False
    return done.returncode == 0


def _refuse_home(place: Path) -> None:
    home, real = Path.home().resolve(), place.resolve()
    if real == home or real in home.parents:
        raise SandboxUnavailableError(
            got=f"a package that is the folder {place}, with your home folder in it",
            needed="a package in a folder of its own: programs can read all of it",
            fix="move it into one, or change PYTHONPATH",
        )


def _linked(links: Sequence[tuple[str, str]]) -> list[str]:
    """Make a folder of links for `import` to look in, so that nothing else that lies beside them can be read.

    Links of the same packages always lie in the same folder: error messages name it, and prompts show them.
    """
    if not links:
        return []
    levels: list[dict[str, str]] = []  # the parts of a namespace share a name: each is in a folder of its own
    for name, place in links:
        level = next((one for one in levels if name not in one), None)
        if level is None:
            levels.append(level := {})
        level[name] = place
    return [str(_link_folder(level)) for level in levels]


def _link_folder(level: dict[str, str]) -> Path:
    digest = hashlib.sha256(json.dumps(level, sort_keys=True).encode(errors="surrogatepass")).hexdigest()
    folder = cache_folder() / "packages" / digest[:12]
    folder.mkdir(parents=True, exist_ok=True)
    for name, place in level.items():
        with suppress(FileExistsError):
            (folder / name).symlink_to(place)
    return folder
