"""The languages that the workbench knows. A further one is a further value; nothing else changes.

Source: Su et al. 2024, "ARKS: Active Retrieval in Knowledge Soup for Code Generation": Ring and Pony, how their
programs are run, which files they read and write, and how their errors read. Hy stands beside them as a long-tail
language that pip installs.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from workbench.core.errors import SettingsError
from workbench.core.suggestion import suggestion
from workbench.languages.language import Language

__all__ = ["LANGUAGES", "find_language"]

_NUMBER = "[0-9]{1,9}"  # \\d would take other scripts' digits, and int() refuses thousands of them

_PYTHON = Language(name="python", fence="python", comment="#", file_name="program.py")

_HY = Language(
    name="hy",
    fence="hy",
    comment=";",
    file_name="program.hy",
    error=rf'File "[^"\n]*\bprogram\.hy", line (?P<line>{_NUMBER})',
    error_is_last=True,
    runner='from hy.importer import runhy\n\nrunhy.run_path("program.hy", run_name="__main__")',
    module="hy",
    install="pip install hy",
)

_RING = Language(
    name="ring",
    fence="ring",
    comment="#",
    file_name="program.ring",
    # `Line (3) Error (C11) : ...` from the compiler, `Line 3 Error (R3) : ...` at run time
    error=rf"^Line \(?(?P<line>{_NUMBER})\)? (?P<message>Error .*)$",
    output_tells=True,
    command=("ring", "program.ring"),
    output_file="outputs/output.txt",
    install="see https://ring-lang.github.io, and put `ring` on PATH",
    smallest="x = 1\n",
)

_PONY = Language(
    name="pony",
    fence="pony",
    comment="//",
    file_name="main.pony",
    error=rf"main\.pony:(?P<line>{_NUMBER}):(?P<column>{_NUMBER}): (?P<message>.*)$",
    build=("ponyc", "--bin-name", "program", "."),
    command=("./program",),
    input_file="input.txt",
    install="see https://github.com/ponylang/ponyup, and put `ponyc` on PATH",
    smallest="actor Main\n  new create(env: Env) =>\n    None\n",
)

LANGUAGES: Mapping[str, Language] = MappingProxyType(
    {language.name: language for language in (_PYTHON, _HY, _RING, _PONY)}
)
"""The languages by name."""


def find_language(name: str) -> Language:
    """Find a language by its name, in whatever case.

    Raises:
        SettingsError: for a name that is not known.
    """
    language = LANGUAGES.get(name.lower())
    if language is None:
        raise SettingsError(
            got=f"language {name!r}",
            needed=f"one of {', '.join(LANGUAGES)}",
            fix=f"correct the name{suggestion(name, list(LANGUAGES))}",
        )
    return language
