"""Keep a finished run's results in `data/real`: `python -m workbench.recipes.keep runs/real ds1000`.

What is kept says `data/real/PAPER/declaration.yaml`, which is written before the run: texts on what is compared, the
run's command, and the names of the tables and figures that answer the question; `claims`, where not all claims of
the run do, are statements by how they begin.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import click

from workbench.core.errors import DataError, WorkbenchError
from workbench.runs.kept import KeptResults, kept_folder, read_declaration, write_kept
from workbench.store.reading import read_json

__all__ = ["kept_of_run"]

DIGITS = 4


def kept_of_run(folder: Path, declaration: Mapping[str, Any], note: str = "") -> KeptResults:
    """Take from a run what its declaration names.

    Args:
        folder: RUN/PAPER, with results.json.
        declaration: From `read_declaration`.
        note: What a reader must know of how it went, such as what was declared and not finished.

    Raises:
        DataError: The run lacks something that is declared.
    """
    results = _placeless({"parameters": {}, **read_json(folder / "results.json")})
    claims, starts = results.get("claims", ()), tuple(declaration.get("claims", ()))
    lacking = [f"{kind} {name!r}" for kind in ("tables", "figures") for name in declaration[kind]
               if name not in results.get(kind, {})]  # fmt: skip
    lacking += [f"claims {start!r}" for start in starts
                if not any(claim["statement"].startswith(start) for claim in claims)]  # fmt: skip
    if lacking:
        raise DataError(
            got=f"{folder / 'results.json'} lacks {', '.join(lacking)}",
            needed="a finished run that measured all that was declared",
            fix="let the run end, or correct the declaration",
        )
    return KeptResults(
        command=declaration["command"],
        declared=declaration["declared"],
        facts=({"note": note} if note else {}) | _facts(folder, results),
        tables={name: _rounded(results["tables"][name]) for name in declaration["tables"]},
        figures={name: _points(folder, results["figures"][name]) for name in declaration["figures"]},
        claims=_rounded([claim for claim in claims if claim["statement"].startswith(starts or "")]),
    )


def _facts(folder: Path, results: Mapping[str, Any]) -> dict[str, Any]:
    machine = read_json(folder.parent / "manifest.json").get("machine", {})
    return {
        "parameters": {name: value for name, value in results["parameters"].items() if name != "out"},
        "machine": f"{machine.get('processor', 'unknown')}, {machine.get('cores', '?')} cores",
    }


def _placeless(results: Mapping[str, Any]) -> dict[str, Any]:
    """Return results without the folders of the machine that measured: of a path in parameters its name stays."""
    paths = {path for path in _texts(results["parameters"]) if Path(path).expanduser().is_absolute()}

    def told(value: Any) -> Any:
        if isinstance(value, dict):
            return {name: told(one) for name, one in value.items()}
        if isinstance(value, list):
            return [told(one) for one in value]
        for path in sorted(paths, key=len, reverse=True) if isinstance(value, str) else ():
            value = value.replace(path, Path(path).name)
        return value

    return {name: told(value) for name, value in results.items()}


def _texts(value: Any) -> list[str]:
    """Return the texts in parameters; of `hf:PATH` or `fresh:PACKAGE:PATH` also what stands behind each colon."""
    if isinstance(value, dict | list):
        return [
            text for one in (value.values() if isinstance(value, dict) else value) for text in _texts(one)
        ]
    if not isinstance(value, str):
        return []
    parts = value.split(":")
    return [":".join(parts[first:]) for first in range(len(parts))]


def _points(folder: Path, about: Mapping[str, str]) -> dict[str, Any]:
    drawn = read_json(folder / about["file"])
    return {"caption": about["caption"], "points": _rounded(drawn["layout"]["meta"]["points"])}


def _rounded(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: _rounded(one) for name, one in value.items()}
    if isinstance(value, list):
        return [_rounded(one) for one in value]
    return round(value, DIGITS) if isinstance(value, float) else value


@click.command(help=__doc__, epilog="Example: python -m workbench.recipes.keep runs/real ds1000")
@click.argument("run", type=click.Path(path_type=Path, file_okay=False, exists=True))
@click.argument("paper")
@click.option("--note", default="", help="What a reader must know of how it went.")
def main(*, run: Path, paper: str, note: str) -> None:
    folder = kept_folder(paper)
    try:
        declaration = read_declaration(paper)
        if declaration is None:
            raise click.ClickException(f"no declaration: {folder / 'declaration.yaml'}")
        kept = kept_of_run(run / paper, declaration, note)
        write_kept(folder / "results.json", kept)
    except (OSError, WorkbenchError) as error:
        raise click.ClickException(str(error)) from error
    counts = f"{len(kept.tables)} tables, {len(kept.figures)} figures, {len(kept.claims)} claims"
    click.echo(f"{folder / 'results.json'}: {counts}")


if __name__ == "__main__":
    main()
