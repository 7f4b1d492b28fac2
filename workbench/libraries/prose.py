"""Renames a package's names in prose: in questions and documentation."""

from __future__ import annotations

import builtins
import re
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property

from workbench.libraries.names import is_ordinary
from workbench.libraries.resolving import Resolver

__all__ = ["Context", "leftovers", "rewrite_comments", "rewrite_prose"]

_CHAIN = re.compile(r"(?<![\w.])[^\W\d]\w*(?:\.[^\W\d]\w*)*")
_LONG = 5
_CODE_SPAN = re.compile(r"(`{1,2})([^`\n]+)\1")


@dataclass(frozen=True)
class Context:
    """What names mean at the place of a text."""

    resolver: Resolver
    """The package and its new names."""
    aliases: Mapping[str, str] = field(default_factory=dict)
    """What names stand for, beyond the package's own and its familiar short one."""
    keep: Collection[str] = ()
    """Names that mean something else here: parameters, variables."""
    parameters: Mapping[str, str] = field(default_factory=dict)
    """New names of the parameters of the function that the text is about."""

    @cached_property
    def known(self) -> frozenset[str]:
        """All words that a dotted name may start with."""
        return frozenset().union(
            self.resolver.names.words, self.resolver.aliases, self.aliases, self.parameters
        )

    def meaning(self, name: str) -> str | None:
        """Return the path that a name stands for, or None."""
        if name in self.aliases:
            return self.aliases[name]
        return self.resolver.aliases.get(name) if name not in self.keep else None


def rewrite_prose(text: str, context: Context) -> str:
    """Put new names for old ones.

    Dotted names are followed from what they start with. A single word is renamed where it is no word of plain
    English, and where it is written as code: alone between backquotes, or called. Attributes of anything else
    (methods) keep their names.
    """
    pieces, end = [], 0
    for start, stop, new in _edits(text, context):
        pieces += [text[end:start], new]
        end = stop
    fresh = context.resolver.names.fresh
    renamed = "".join([*pieces, text[end:]])
    return _package_in_words(context).sub(lambda found: _cased(fresh, found[0]), renamed)


def rewrite_comments(source: str, context: Context) -> str:
    """Put new names for old ones in the comments of a program, as in prose."""
    return re.sub(r"#[^\n]*", lambda comment: rewrite_prose(comment[0], context), source)


def leftovers(text: str, context: Context) -> list[str]:
    """List the old names that a text still has."""
    found = [text[start:stop] for start, stop, _ in _edits(text, context)]
    return found + _package_in_words(context).findall(text)


def _package_in_words(context: Context) -> re.Pattern[str]:
    """Match the package's name in other words, such as NumPy-like; a short one also begins words of its own."""
    package = context.resolver.survey.package
    end = "" if len(package) >= _LONG else "(?![a-z])"
    return re.compile(rf"(?<![^\W_]){re.escape(package)}{end}", re.IGNORECASE)


def _cased(fresh: str, old: str) -> str:
    return fresh if old.islower() else fresh.capitalize()


def _edits(text: str, context: Context) -> Iterator[tuple[int, int, str]]:
    """Yield what to replace by what, in order."""
    alone = {span.start(2) for span in _CODE_SPAN.finditer(text) if _is_one_name(span[2])}
    for match in _CHAIN.finditer(text):
        parts = match[0].split(".")
        if parts[0] not in context.known:
            derived = _derived(match[0], context) if match[0][0].isupper() else match[0]
            if derived != match[0]:
                yield match.start(), match.end(), derived
            continue
        as_code = match.start() in alone or (
            text[match.end() : match.end() + 1] == "(" and not hasattr(builtins, match[0])
        )
        new = _renamed(parts, as_code, context)
        if new != parts:
            yield match.start(), match.end(), ".".join(new)


def _derived(word: str, context: Context) -> str:
    """Rename what is called after a function, such as the private class `LinregressResult`."""
    words = context.resolver.names.words
    if word in context.keep:
        return word
    for hump in reversed(list(re.finditer("[A-Z]", word))[1:]):
        head = word[: hump.start()]
        old = head if head in words else head.lower()
        if old in words and not is_ordinary(old):
            return words[old].capitalize() + word[hump.start() :]
    return word


def _is_one_name(code: str) -> bool:
    return re.fullmatch(r"[^\W\d]\w*(?:\(\))?", code.strip()) is not None


def _renamed(parts: list[str], as_code: bool, context: Context) -> list[str]:
    resolver = context.resolver
    first, *rest = parts
    path = context.meaning(first)
    if path is not None and (rest or as_code or not is_ordinary(first)):
        known = resolver.follow(path, rest)
        renamed = [resolver.names.words[name] for name in rest[:known]]
        # beyond a module that has no such attribute, the rest is renamed by its words alone
        unknown = [resolver.names.words.get(name, name) for name in rest[known:]]
        stays = rest[known:] if resolver.member(".".join([path, *rest[:known]])) else unknown
        return [resolver.new(path).rpartition(".")[2], *renamed, *stays]
    if rest and first not in context.keep:
        module = resolver.module_called(first, rest[0])
        if module is not None:
            known = resolver.follow(module, rest)
            return [resolver.names.words[name] for name in (first, *rest[:known])] + rest[known:]
    return [_renamed_word(first, as_code and not rest, context), *rest]


def _renamed_word(word: str, as_code: bool, context: Context) -> str:
    if not as_code and is_ordinary(word):
        return word
    if word in context.parameters:
        return context.parameters[word]
    if word in context.keep:
        return word
    return context.resolver.names.words.get(word, word)
