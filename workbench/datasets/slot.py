"""Where in a prompt the solution belongs."""

from __future__ import annotations

import re
from dataclasses import dataclass

__all__ = ["Slot", "slot_of_prompt"]

_RETURNS = frozenset({"return"})


@dataclass(frozen=True)
class Slot:
    """Where in a prompt the solution belongs."""

    prefix: str
    """All that comes before it."""
    suffix: str
    """What may follow it: the end markers of the authors' insertion prompts."""
    indent: str
    """Spaces before each line of the solution: a function's body where the prompt opens a function."""
    function: str | None
    """The function whose body the solution is; None where it is a piece of a plain program."""
    given_code: str
    """The code of the prompt that runs before the solution."""
    targets: frozenset[str] = frozenset()
    """Names that the solution has to give a value, where the prompt says which; `return` in a function."""


def slot_of_prompt(prompt: str) -> Slot:
    """Find the slot of a prompt in DS-1000's form: one of its three shapes, or an `[insert]` mark.

    The shapes end in `BEGIN SOLUTION` and an opened `<code>`, in `### BEGIN SOLUTION` inside an opened
    function, and in `# SOLUTION START` (Matplotlib).
    """
    prefix, mark, suffix = prompt.partition("[insert]")
    last = prefix.rstrip().rsplit("\n", 1)[-1]
    indent = last[: len(last) - len(last.lstrip())]
    functions = re.findall(r"^def\s+(\w+)", prefix, re.MULTILINE) if indent else []
    if functions:
        given = prefix.rsplit("<code>", 1)[-1]
        after = f"\n{indent}### END SOLUTION\n</code>\n"
        return Slot(prefix, suffix if mark else after, indent, functions[-1], given, _RETURNS)
    if last.strip() == "# SOLUTION START":
        return Slot(prefix, suffix if mark else "\n# SOLUTION END\n", "", None, prefix)
    given = next(iter(re.findall(r"<code>\n?(.*?)</code>", prefix, re.DOTALL)[-1:]), "")
    variable = re.findall(r"^(.+?) = \.\.\. *# put solution in th", prefix, re.MULTILINE)
    shown = f"print({variable[-1]})" if variable else "print(result)"
    after = f"\n</code>\nEND SOLUTION\n<code>\n{shown}\n</code>\n"
    opened = re.search(
        r"^( *)def +(\w+)[^\n]*:\s*\Z", given, re.MULTILINE
    )  # one real problem stops like this
    if opened:
        return Slot(prefix, suffix if mark else after, f"{opened[1]}    ", opened[2], given, _RETURNS)
    targets = frozenset(re.findall(r"\w+", variable[-1])) if variable else frozenset()
    return Slot(prefix, suffix if mark else after, "", None, given, targets)
