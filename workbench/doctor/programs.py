"""Running programs: isolation, the sandbox, the runtimes with their data, and other languages."""

from __future__ import annotations

import importlib.util
import platform
import sys
from collections.abc import Iterator
from pathlib import Path

from workbench.doctor.check import Check, guarded, typed_path
from workbench.sandbox.runtime_recipe import RECIPES
from workbench.sandbox.runtimes import RuntimeState, states_of

__all__ = ["language_checks", "program_checks"]


def program_checks() -> Iterator[Check]:
    """Look at what runs programs, and run one."""
    isolation = guarded("isolation", _isolation)
    yield isolation
    if isolation.state == "ok":
        yield guarded("sandbox", _sandbox)
    yield from _runtimes()
    yield from language_checks()


def _isolation() -> Check:
    from workbench.sandbox import control_groups
    from workbench.sandbox.isolation import check

    check("sandlock")
    groups = control_groups.find()
    limits = (
        f"kept by the kernel, in control groups below {groups.parent}"
        if groups.parent
        else f"added up while programs run, because {groups.why}"
    )
    detail = f"Landlock and seccomp, kernel {platform.release()}; memory and processes: {limits}"
    return Check("isolation", "ok", detail)


def _sandbox() -> Check:
    """Run a program and see that it can compute and cannot read the user's home."""
    from workbench.sandbox import Sandbox

    program = f"import os\ntry:\n    os.listdir({str(Path.home())!r})\nexcept OSError:\n    print(6 * 7)"
    with Sandbox(workers=1) as box:
        verdict = box.run(program)
    if not verdict.passed or verdict.stdout != "42\n":
        said = verdict.message or f"printed {verdict.stdout!r}, not 42: it could read {Path.home()}"
        return Check(
            "sandbox", "broken", f"a program ended as {verdict.status}: {said}", "workbench doctor --debug"
        )
    return Check("sandbox", "ok", f"a program ran, apart from your files, in {verdict.seconds:.2f} s")


def _runtimes() -> Iterator[Check]:
    for recipe in RECIPES:
        fix = f"workbench runtime build {recipe.name}"
        for state in states_of(recipe):
            yield _runtime(state, fix)
    # those recipes share their data files
    files = {(file.variable, file.file): file for recipe in RECIPES for file in recipe.data}.values()
    missing = [file for file in files if not file.present]
    if not missing:
        yield Check("data of runtimes", "ok", f"{', '.join(file.file for file in files)}")
        return
    variables = " and ".join(dict.fromkeys(file.variable for file in missing))
    folders = {
        file.folder: [other.file for other in missing if other.folder == file.folder] for file in missing
    }
    named = "; ".join(f"{', '.join(names)} in {typed_path(folder)}" for folder, names in folders.items())
    fix = f"`workbench runtime build ds1000` with a network; or set {variables} to folders that have them"
    yield Check("data of runtimes", "missing", f"some DS-1000 problems need {named}", fix)


def _runtime(state: RuntimeState, fix: str) -> Check:
    name = f"runtime {state.name}"
    size = f", {state.size_bytes / 1e9:.1f} GB" if state.size_bytes else ""
    if state.state == "ready":
        return Check(name, "ok", f"{state.python and typed_path(state.python)}{size}")
    if state.state == "outdated":
        return Check(
            name,
            "note",
            f"left by older pins: {state.folder and typed_path(state.folder)}{size}",
            f"rm -r {state.folder}",
        )
    return Check(name, "note" if state.state == "building" else "missing", state.state, fix)


def language_checks() -> Iterator[Check]:
    """List the languages that programs may be written in, and whether what runs them is there."""
    from workbench.languages import LANGUAGES

    for language in LANGUAGES.values():
        name = f"language {language.name}"
        if language.tool:
            path, wanted = language.tool_path(), f"`{language.tool}` on PATH"
        else:
            there = not language.module or importlib.util.find_spec(language.module)
            path, wanted = Path(sys.executable) if there else None, f"the package {language.module}"
        if path is not None:
            yield Check(name, "ok", typed_path(path))
        else:
            detail = f"optional: its programs are not run without {wanted}"
            yield Check(name, "missing", detail, language.install)
