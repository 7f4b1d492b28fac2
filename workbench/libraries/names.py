"""New names for a package's old ones: pronounceable, deterministic by seed, and none that occurs anywhere else."""

from __future__ import annotations

import builtins
import functools
import importlib.util
import keyword
import random
import re
import sys
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from workbench.core.errors import SettingsError
from workbench.core.suggestion import suggestion
from workbench.libraries.survey import Member, Survey

__all__ = ["NameMap", "is_ordinary", "make_names"]

_WORD = re.compile(r"[A-Za-z_]\w*")
_CONSONANTS, _VOWELS = "bdfgklmnprstvz", "aeiou"


@dataclass(frozen=True)
class NameMap:
    """Old names to new ones. One old word has one new word, wherever in the package it stands."""

    package: str
    """The old package."""
    words: Mapping[str, str]
    """New names of the package, its modules, functions, classes and values, by the old."""
    keywords: Mapping[str, str]
    """New names of parameters by the old; empty where signatures stay as they are."""

    @property
    def fresh(self) -> str:
        """The new package's name."""
        return self.words[self.package]

    def path(self, old: str) -> str:
        """Return the new name of a dotted old one."""
        return ".".join(self.words[part] for part in old.split("."))


@functools.cache
def _ordinary_words() -> frozenset[str]:
    lines = Path(__file__).with_name("ordinary_words.txt").read_text(encoding="utf-8").splitlines()
    return frozenset(word for line in lines if not line.startswith("#") for word in line.split())


def is_ordinary(word: str) -> bool:
    """Whether a name is also a word of prose, as `mean` is and `linregress` is not."""
    return word in _ordinary_words() or (word.capitalize() == word and word.lower() in _ordinary_words())


def make_names(
    survey: Survey, rename: Mapping[str, str] | None, seed: int, *, change_signatures: bool
) -> NameMap:
    """Invent a new name for every public name of a package.

    Args:
        survey: What the package offers.
        rename: Names that are given; the others are invented.
        seed: Another seed, other names.
        change_signatures: Whether parameters are renamed too.

    Raises:
        SettingsError: A given name is of nothing in the package, no identifier, taken, or given twice.
    """
    old = sorted({part for path in survey.modules for part in path.split(".")} | _member_names(survey))
    given = dict(rename or {})
    _check(given, old, survey)
    taken = _vocabulary(survey) | set(given.values()) | set(old)
    invented = _inventions(random.Random(f"{survey.package} {seed}"), taken)
    words = {name: given.get(name) or _in_the_style_of(name, next(invented)) for name in old}
    parameters = sorted(_parameter_names(survey)) if change_signatures else []
    return NameMap(survey.package, words, {name: next(invented) for name in parameters})


def _members(survey: Survey) -> Iterator[tuple[str, Member]]:
    for module in survey.modules.values():
        yield from module.members.items()


def _member_names(survey: Survey) -> set[str]:
    return {name for name, _ in _members(survey)}


def _parameter_names(survey: Survey) -> set[str]:
    return {
        parameter.name
        for _, member in _members(survey)
        if member.plain
        for parameter in member.parameters or ()
    }


def _check(given: Mapping[str, str], old: Iterable[str], survey: Survey) -> None:
    known = set(old)
    taken = known | _reserved()
    faults = []
    for name, new in given.items():
        if name not in known:
            near = suggestion(name, sorted(known))
            faults.append((f"rename {name!r}{near}", f"a public name of {survey.package}"))
        elif not new.isidentifier() or new in taken or new.startswith("_"):
            faults.append((f"{name!r} renamed {new!r}", "a new identifier that nothing else is called"))
        elif name == survey.package and importlib.util.find_spec(new) is not None:
            faults.append(
                (f"{name!r} renamed {new!r}, which is installed here", "a name that nothing imports yet")
            )
    twice = sorted(new for new in set(given.values()) if list(given.values()).count(new) > 1)
    faults += [(f"{new!r} as the new name of several", "another new name for each") for new in twice]
    if faults:
        raise SettingsError.listing(faults)


def _reserved() -> set[str]:
    return {*keyword.kwlist, *keyword.softkwlist, *dir(builtins), *sys.stdlib_module_names}


def _vocabulary(survey: Survey) -> set[str]:
    """All words of the package's documentation, so that a new name means nothing there."""
    texts = [module.doc for module in survey.modules.values()] + [one.doc for _, one in _members(survey)]
    return _reserved() | {word.lower() for text in texts for word in _WORD.findall(text)}


def _inventions(chance: random.Random, taken: set[str]) -> Iterator[str]:
    """Yield words such as `velora`, each once."""
    seen = {word.lower() for word in taken}
    while True:
        syllables = 2 + (chance.random() < 0.75)
        word = "".join(chance.choice(_CONSONANTS) + chance.choice(_VOWELS) for _ in range(syllables))
        word += chance.choice(_CONSONANTS) if chance.random() < 0.5 or syllables == 2 else ""
        if word not in seen:
            seen.add(word)
            yield word


def _in_the_style_of(name: str, word: str) -> str:
    """Write a class's name as one, a constant's as one."""
    if name.isupper() and len(name) > 1:
        return word.upper()
    return word.capitalize() if name[:1].isupper() else word
