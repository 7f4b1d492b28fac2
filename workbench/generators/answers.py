"""Cut a model's answer down to the Python that belongs in the problem's slot."""

from __future__ import annotations

import ast
import re
import textwrap
import warnings

from workbench.datasets.coding_problem import BenchmarkProblem
from workbench.datasets.slot import Slot
from workbench.generators.code_blocks import answer_code, assigned_names
from workbench.generators.reasoning import final_text

__all__ = ["extract_answer", "fits"]

# Inside a function's body, `### END SOLUTION` before a `return` is a comment that models copy, and no end.
END = re.compile(
    r"</code>"
    r"|^[ \t]*#+[ \t]*SOLUTION END|# SOLUTION END"
    r"|^[ \t]*(?:#+[ \t]*)?END SOLUTION(?![\s\S]*?\n[ \t]+return\b)",
    re.MULTILINE,
)
_MARKED = re.compile(r"<code>\n?(.*?)(?:</code>|\Z)", re.DOTALL)
START = re.compile(r"^[ \t]*(?:#+[ \t]*)?(?:BEGIN SOLUTION|SOLUTION START)[ \t]*(?:\n|\Z)", re.MULTILINE)


def extract_answer(text: str, problem: BenchmarkProblem, style: str = "completion") -> str:
    """Cut an answer at its end, free it of fences and of the repeated prompt, and indent it for its slot.

    The ends are those of the DS-1000 authors: `</code>`, `# SOLUTION END`, `END SOLUTION`, a closing fence. What a
    model writes before its answer is no part of it: see `workbench.generators.reasoning.final_text`, and for which of
    several code blocks count `workbench.generators.code_blocks.answer_code`.

    Args:
        text: What the model wrote, without the prompt. Anything at all: this never raises.
        problem: The problem that it answers.
        style: How the model was asked: `completion`, `insertion` or `chat`. A chat answer may talk around its
            code block; the others go on where the prompt stops.

    Returns:
        The code, without blank lines around it; empty where there is none.
    """
    slot = problem.slot
    code = _without_prompt(final_text(text), problem.prompt)
    marked = _MARKED.search(code) if style == "chat" and "```" not in code and "~~~" not in code else None
    code = marked.group(1) if marked else _from_blocks(code, slot, continues=style != "chat")
    code = _without_prompt(code, problem.prompt)
    code = END.split(code, maxsplit=1)[0]
    if not slot.function:  # behind the last start, but for one that models copy to the end of their answer
        code = next((part for part in reversed(START.split(code)) if part.strip()), "")
    code = code.replace("<code>", "")
    if slot.function:
        code = _function_body(code, slot.function, slot.given_code)
    else:
        code = _without_given(code, slot.given_code)
    return _indented(code, slot)


def fits(code: str, problem: BenchmarkProblem) -> bool:
    """Tell whether the code is valid Python where the problem's solution belongs."""
    return _parses(code, problem.slot.indent)


def _without_prompt(code: str, prompt: str) -> str:
    """Drop the prompt from an answer that repeats it word for word."""
    repeated, answer = prompt.strip(), code.lstrip()
    return answer[len(repeated) :] if repeated and answer.startswith(repeated) else code


def _from_blocks(text: str, slot: Slot, *, continues: bool) -> str:
    """Return the code of a text that may talk around it."""

    def without_given(content: str) -> str:
        return content if slot.function else _without_given(content, slot.given_code)

    given = assigned_names(slot.given_code)
    return answer_code(
        text, given=given, targets=slot.targets, continues=continues, without_given=without_given
    )


def _without_given(code: str, given: str) -> str:
    """Drop the prompt's own program from the start of an answer that repeats all of it.

    It would put the example's data in the place of the test's.
    """
    expected = [line.rstrip() for line in given.splitlines() if line.strip()]
    lines = code.split("\n")
    for number, line in enumerate(lines):
        if not expected:
            return "\n".join(lines[number:])
        if not line.strip():
            continue
        if line.rstrip() != expected.pop(0):
            return code
    return code if expected or not given.strip() else ""


def _function_body(code: str, function: str, given: str) -> str:
    """Return the body of the function where an answer repeats its head.

    Imports and helpers of the answer's own move into the body; the prompt's program is left out.
    """
    program = textwrap.dedent(code)
    tree = _parsed(program)
    if tree is None:
        return code
    lines, kept = program.split("\n"), list[str]()
    for node in tree.body:
        if isinstance(node, ast.FunctionDef) and node.name == function:
            first, last = node.body[0].lineno, node.body[-1].end_lineno
            if first == node.lineno:  # all on the line of the head
                return "\n".join([*kept, *map(ast.unparse, node.body)])
            return "\n".join([*kept, textwrap.dedent("\n".join(lines[first - 1 : last]))])
        if isinstance(node, (ast.Import, ast.ImportFrom, ast.FunctionDef, ast.ClassDef)):
            own = ast.unparse(node)
            kept += [own] if own not in given else []
    return code


def _indented(code: str, slot: Slot) -> str:
    """Return the code, without blank lines around it, at the indentation of its slot.

    Of the ways to get there, the first that makes it valid Python is taken: as it is; the first line alone
    moved (a server stripped the answer); all of it moved (a chat model wrote the body as a program).
    """
    code = re.sub(r"\A(?:[ \t]*\n)+", "", code).rstrip()
    if not code:
        return ""
    dedented = textwrap.dedent(code)
    ways = [code, slot.indent + code.lstrip(), textwrap.indent(dedented, slot.indent)]
    return next((way for way in ways if _parses(way, slot.indent)), ways[0] if slot.indent else dedented)


def _parses(code: str, indent: str) -> bool:
    """Tell whether lines at this indentation are Python; indented ones are a function's body."""
    tree = _parsed(f"def body():\n{indent}pass\n{code}" if indent else code)
    if tree is None or not indent:
        return tree is not None
    body = tree.body[0]
    return isinstance(body, ast.FunctionDef) and len(body.body) > 1


def _parsed(code: str) -> ast.Module | None:
    """Parse code; None where it would not compile, or is nested deeper than the compiler goes."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of invalid escapes in other people's code
            compile(code, "<answer>", "exec", dont_inherit=True)  # finds a `return` outside of functions
            return ast.parse(code)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return None
