"""Optional parts: the extras of the package, and Java."""

from __future__ import annotations

import functools
import importlib.metadata
from collections.abc import Iterator

from packaging.requirements import Requirement

from workbench.doctor.check import Check, guarded, pip

__all__ = ["extra_checks"]

DISTRIBUTION = "alignment-workbench"
PURPOSES = {
    "bench": "what `workbench bench` compares with",
    "browser": "tests in a browser, with its Chromium",
    "cluster": "trainings, grading and sweeps on several machines, by Ray",
    "encoder": "dense search without the Hub",
    "gguf": "models in .gguf files, and `workbench model get`",
    "languages": "programs in Hy",
    "serving": "`served:MODEL` by transformers serve",
    "translation": "rewards for translations",
    "tensorflow": "our suite's Tensorflow problems, skipped in main without it",
}
"""What the extras of the package are for; those of its developers are left out."""


def extra_checks() -> Iterator[Check]:
    """Look at each extra: whether its packages are there, in versions that it can use."""
    for extra, purpose in PURPOSES.items():
        yield guarded(f"extra {extra}", functools.partial(_extra, extra, purpose))
    yield guarded("Java", _java)


def _extra(extra: str, purpose: str) -> Check:
    wanted = _requirements(extra)
    if not wanted:
        detail = f"the workbench was installed before there was this: {purpose}"
        return Check(f"extra {extra}", "note", detail, pip("-e ., in the project's folder"))
    found = {requirement: _version(requirement.name) for requirement in wanted}
    lacking = [requirement for requirement, version in found.items() if not _fits(requirement, version)]
    if not lacking:
        listed = ", ".join(f"{requirement.name} {version}" for requirement, version in found.items())
        return Check(f"extra {extra}", "ok", f"{listed}: {purpose}")
    words = " ".join(f"'{requirement.name}{requirement.specifier}'" for requirement in lacking)
    missing = ", ".join(requirement.name for requirement in lacking)
    return Check(f"extra {extra}", "missing", f"no {missing}: {purpose}", pip(words))


def _requirements(extra: str) -> list[Requirement]:
    """Return what an extra asks for beyond what the package itself does."""
    return [
        requirement
        for requirement in map(Requirement, importlib.metadata.requires(DISTRIBUTION) or [])
        if requirement.marker is not None
        and requirement.marker.evaluate({"extra": extra})
        and not requirement.marker.evaluate({"extra": ""})
    ]


def _version(package: str) -> str | None:
    # tensorflow is also there as the package for GPUs
    for name in (package, package.removesuffix("-cpu")):
        try:
            return importlib.metadata.version(name)
        except importlib.metadata.PackageNotFoundError:
            continue
    return None


def _fits(requirement: Requirement, version: str | None) -> bool:
    return version is not None and requirement.specifier.contains(version, prereleases=True)


def _java() -> Check:
    from workbench.rewards.grammar import grammar_available

    there, detail, fix = grammar_available()
    return Check("Java", "ok" if there else "missing", f"{detail}: the grammar reward", fix)
