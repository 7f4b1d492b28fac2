"""`workbench library`: make a library that no model can have seen, and move problems onto it."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from workbench.cli.option_types import AMOUNT
from workbench.core.terminal import echo

if TYPE_CHECKING:
    from workbench.datasets.ds1000 import Problem
    from workbench.libraries import LibraryCheck

MAKE = "Example: workbench library make scipy --rename scipy=velora --seed 0 --out out/velora"
REWRITE = "Example: workbench library rewrite out/velora --problems suite --out out/velora.jsonl"


@click.group(epilog=MAKE, short_help="Make a library that no model can have seen.")
def command() -> None:
    """Make a library that no model can have seen, and move problems onto it."""


_runtime = click.option(
    "--runtime", default="main", show_default=True, metavar="NAME", help="Where the package is installed."
)


@command.command(epilog=MAKE)
@click.argument("package")
@click.option(
    "--rename",
    "given",
    multiple=True,
    metavar="OLD=NEW",
    help="A name to be this; others are invented. Repeatable.",
)
@click.option("--seed", type=int, default=0, show_default=True, help="Another seed, other names.")
@click.option(
    "--change-signatures", is_flag=True, help="What has a default goes by keyword only, under a new name."
)
@click.option(
    "--out", type=click.Path(path_type=Path), required=True, metavar="DIR", help="The library's folder."
)
@_runtime
def make(package: str, **options: Any) -> None:
    """Rename the public API of an installed PACKAGE: a package on disk, its documentation, a map of names.

    DIR gets package/ (for sys.path), documents.jsonl and documents/ (Markdown), names.json and library.json.
    """
    from workbench.libraries import make_library

    library = make_library(package, rename=_pairs(options.pop("given")), **options)
    echo(
        f"{package} {library.survey.version} is {library.name} now: {len(library.names.words)} names, "
        f"{len(library.documents)} documents"
    )
    echo(f"written: {library.folder}/package, documents.jsonl, names.json")


@command.command(epilog=REWRITE)
@click.argument("folder", type=click.Path(path_type=Path))
@click.option(
    "--problems",
    "source",
    default="suite",
    show_default=True,
    metavar="SOURCE",
    help="suite, hub, or a .jsonl(.gz) file in DS-1000's format.",
)
@click.option("--library", "libraries", multiple=True, help="Only problems of this library; repeatable.")
@click.option(
    "--out", type=click.Path(path_type=Path), required=True, metavar="FILE", help="The new problems."
)
@_runtime
@click.option(
    "--workers", type=click.IntRange(min=1), default=2, show_default=True, help="Programs at a time."
)
@click.option("--timeout", type=AMOUNT, default=120.0, show_default=True, help="Seconds a program may run.")
def rewrite(folder: Path, **options: Any) -> None:
    """Move problems onto the library in FOLDER, and check each: its new reference passes, its old one fails.

    By default all problems are tried whose library is called as the package underneath is. FILE gets those that
    hold, in DS-1000's format. Without the library on `sys.path` they do not run: see its folder package/.
    """
    from workbench.core.errors import DataError
    from workbench.libraries import check_library, load_library
    from workbench.sandbox import Sandbox
    from workbench.sandbox.installed import require_imports

    library = load_library(folder)
    problems = _about(library.package, options["source"], options["libraries"])
    with Sandbox(
        library.runtime(options["runtime"]),
        workers=options["workers"],
        timeout_s=options["timeout"],
        memory_bytes=4 * 2**30,
    ) as sandbox:
        require_imports(sandbox, [library.package, library.name])
        check = check_library(problems, library, sandbox)
    echo(check.text())
    if not check.rewritten:
        raise DataError(
            got=f"none of {len(problems)} problems calls what {library.name} renames, and holds",
            needed=f"problems whose solutions use {library.package}",
            fix="name their library by --library, or other problems by --problems",
        )
    _write(check, options["out"])
    echo(f"written: {options['out']}")


def _pairs(given: tuple[str, ...]) -> dict[str, str]:
    from workbench.core.errors import SettingsError

    pairs = [one.partition("=") for one in given]
    wrong = [old for old, equals, new in pairs if not (old and equals and new)]
    if wrong:
        raise SettingsError(f"--rename {', '.join(wrong)}", "OLD=NEW", "write --rename scipy=velora")
    return {old: new for old, _, new in pairs}


def _about(package: str, source: str, libraries: tuple[str, ...]) -> list[Problem]:
    """Load the problems of the libraries named, or of the one that the package is."""
    from workbench.datasets.ds1000 import load_problems, problems_on

    return load_problems(source, libraries=libraries) if libraries else problems_on(package, source)


def _write(check: LibraryCheck, out: Path) -> None:
    import json

    from workbench.datasets.ds1000 import METADATA, TEXTS
    from workbench.store import atomic

    rows = [
        {name: getattr(problem, name) for name in TEXTS}
        | {"metadata": {name: getattr(problem, name) for name in METADATA}}
        for problem in check.rewritten
    ]
    out.parent.mkdir(parents=True, exist_ok=True)
    lines = (json.dumps(row, ensure_ascii=False) + "\n" for row in rows)
    atomic.write_bytes(out, "".join(lines).encode("utf-8", "surrogatepass"))
