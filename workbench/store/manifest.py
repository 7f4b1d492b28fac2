"""The manifest of a run: with what, on what and how long it was made. Never a secret."""

from __future__ import annotations

import functools
import os
import platform
import shutil
import subprocess
from importlib import metadata
from pathlib import Path
from typing import Any

from workbench.core.processor import cores, instruction_sets, processor_name
from workbench.store import atomic
from workbench.store.folders import project_root
from workbench.store.location import checkout
from workbench.store.reading import read_json
from workbench.store.secrets import redact

__all__ = ["git_state", "machine", "package_versions", "write_manifest"]

DISTRIBUTION = "alignment-workbench"


def write_manifest(run_folder: Path) -> dict[str, Any]:
    """Gather what each paper of a run has noted (timings.json) into the run's manifest.json.

    Args:
        run_folder: The run's folder; each paper has a folder inside.

    Returns:
        The manifest: id, profile, parameters, seeds and timings by paper, versions, git, machine.
    """
    papers = {}
    for note in sorted(run_folder.glob("*/timings.json")):
        papers[note.parent.name] = read_json(note)
    manifest = {
        "id": run_folder.name,
        "papers": papers,
        "packages": package_versions(),
        "git": git_state(),
        "machine": machine(),
    }
    manifest = redact(manifest)
    atomic.write_json(run_folder / "manifest.json", manifest)
    return manifest


@functools.cache
def package_versions() -> dict[str, str]:
    """Return the versions of the workbench and of the packages that it requires, by name."""
    names = [DISTRIBUTION]
    try:
        required = metadata.requires(DISTRIBUTION) or []
        names += [_name_of(requirement) for requirement in required if "extra ==" not in requirement]
    except metadata.PackageNotFoundError:  # a source tree that was not installed
        pass
    versions = {}
    for name in names:
        try:
            versions[name] = metadata.version(name)
        except metadata.PackageNotFoundError:
            continue
    return dict(sorted(versions.items()))


def _name_of(requirement: str) -> str:
    end = next((i for i, letter in enumerate(requirement) if not (letter.isalnum() or letter in "-_.")), None)
    return requirement[:end]


@functools.cache
def git_state() -> dict[str, Any] | None:
    """Return the commit that the project is at and whether files differ from it; None outside of git."""
    root = project_root() or checkout()
    if root is None:  # installed: a repository around site-packages is another project's
        return None
    commit = _output(["git", "-C", str(root), "rev-parse", "HEAD"])
    if commit is None:
        return None
    changes = _output(["git", "-C", str(root), "status", "--porcelain", "--untracked-files=no"])
    return {"commit": commit, "dirty": bool(changes)}


@functools.cache
def machine() -> dict[str, Any]:
    """Return the machine: processor, its instruction sets, cores, memory in bytes, GPUs, system and Python."""
    gpus = _output(["nvidia-smi", "--query-gpu=name,memory.total", "--format=csv,noheader"])
    return {
        "processor": processor_name(),
        "instruction_sets": instruction_sets(),
        "cores": cores(),
        "memory_bytes": _memory_bytes(),
        "gpus": gpus.splitlines() if gpus else [],
        "system": f"{platform.system()} {platform.release()}",
        "python": platform.python_version(),
    }


def _memory_bytes() -> int | None:
    try:
        return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    except (AttributeError, ValueError, OSError):
        return None


def _output(command: list[str]) -> str | None:
    """Return what a command prints, or None where it is missing or fails."""
    if shutil.which(command[0]) is None:
        return None
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=20, check=True)
    except (subprocess.SubprocessError, OSError):
        return None
    return done.stdout.strip()
