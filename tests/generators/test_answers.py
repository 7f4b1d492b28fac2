"""Cutting answers: each end, each dressing, each indentation, and anything at all."""

from __future__ import annotations

import ast

import pytest
from ds1000_rows import GIVEN, drawing_problem, function_problem, plain_problem, real_problems
from hypothesis import example, given, settings
from hypothesis import strategies as st

from workbench.datasets.ds1000 import Problem
from workbench.generators.answers import extract_answer, fits

PROGRAM, FUNCTION, DRAWING = plain_problem(), function_problem(), drawing_problem()
BODY = "    result = df.sum()\n    return result"


@pytest.mark.parametrize(
    "text",
    [
        "result = 1",
        "result = 1\n</code>\nEND SOLUTION\n<code>\nprint(result)\n",
        "result = 1</code>",
        "result = 1\nEND SOLUTION\nprint(result)",
        "result = 1\n### END SOLUTION\nprint(result)",
        "result = 1\n# SOLUTION END\nimport os",
        "result = 1 # SOLUTION END",
        "result = 1\n```\nThis works because",
        "result = 1```",
        "```python\nresult = 1\n```\nThis works because",
        "\n```\nresult = 1",
        "\r\nresult = 1\r\n",
        "<code>\nresult = 1\n</code>",
        "   result = 1\n",
        PROGRAM.prompt + "result = 1\n</code>",
        PROGRAM.prompt.strip() + "\nresult = 1",
        GIVEN + "\nresult = 1\n",
        "BEGIN SOLUTION\n<code>\nresult = 1\n",
    ],
)
def test_a_completion_is_cut_to_its_code(text: str) -> None:
    assert extract_answer(text, PROGRAM, "completion") == "result = 1"
    assert extract_answer(text, PROGRAM, "insertion") == "result = 1"


@pytest.mark.parametrize(
    "text",
    [
        "Sure! Here it is:\n\n```python\nresult = 1\n```\n\nIt sums. ```x``` is fine too.",
        "First install it:\n```bash\npip install pandas\n```\nthen\n```py\nresult = 1\n```",
        "```python\nresult = 1",
        "1. Do this:\n   ```python\n   result = 1\n   ```",
        "result = 1",
        "Here: <code>\nresult = 1\n</code> done",
        f"```python\n{GIVEN}\nresult = 1\n```",
        f"```python\n{PROGRAM.prompt}result = 1\n</code>\n```",
        "~~~python\nresult = 1\n~~~",
    ],
)
def test_a_chat_answer_gives_its_first_block_of_python(text: str) -> None:
    assert extract_answer(text, PROGRAM, "chat") == "result = 1"


@pytest.mark.parametrize(
    "text",
    [
        BODY,
        "\n" + BODY + "\n",
        BODY + "\n</code>\n",
        BODY + "\n    ### END SOLUTION\n</code>",
        BODY.strip(),  # a server stripped it
        "result = df.sum()\nreturn result",  # written as a program
        "  result = df.sum()\n  return result",
        f"def f(df=example_df):\n{BODY}\n",
        f"{GIVEN}example_df = df\ndef f(df=example_df):\n    # comment\n{BODY}\n\nprint(f(example_df))",
        f"def f(\n    df=example_df,\n):\n{BODY}",
        f"{FUNCTION.prompt}\n{BODY}\n</code>",
    ],
)
def test_a_function_body_keeps_or_gets_its_indentation(text: str) -> None:
    for style in ("completion", "chat"):
        assert extract_answer(text, FUNCTION, style) == BODY
    assert extract_answer(f"```python\n{text}\n```", FUNCTION, "chat") == BODY


def test_the_end_comment_before_a_return_is_no_end() -> None:
    text = "    result = 1\n    ### END SOLUTION\n    return result\n"
    assert extract_answer(text, FUNCTION).splitlines()[-1] == "    return result"


def test_what_a_repeated_function_needs_moves_into_its_body() -> None:
    text = f"import pandas as pd\nimport math\n\ndef half(x):\n    return x / 2\n\ndef f(df):\n{BODY}"
    code = extract_answer(text, FUNCTION, "chat")
    assert code == f"    import math\n    def half(x):\n        return x / 2\n{BODY}"
    assert extract_answer("def f(df): return df", FUNCTION, "chat") == "    return df"


def test_lines_after_a_function_body_stay_as_in_the_authors_harness() -> None:
    assert extract_answer(BODY + "\nprint(1)", FUNCTION) == BODY + "\nprint(1)"


def test_code_that_only_begins_like_the_prompt_keeps_all_of_its_lines() -> None:
    code = "import pandas as pd\nresult = pd.NA"
    assert extract_answer(code, PROGRAM) == code


def test_a_repeated_prompt_and_nothing_else_is_an_empty_answer() -> None:
    for text in ("", " \n\t", PROGRAM.prompt, GIVEN, "```python\n```", "</code>"):
        assert extract_answer(text, PROGRAM) == ""


def test_inner_indentation_and_blank_lines_are_kept() -> None:
    code = "for i in x:\n\n    if i:\n        plt.plot(i)\n\nplt.legend()"
    assert extract_answer(f"\n\n{code}\n# SOLUTION END\n", DRAWING) == code


def test_code_fits_where_it_would_compile() -> None:
    assert fits("result = 1", PROGRAM)
    assert not fits("return 1", PROGRAM)
    assert not fits("result = 1\n</code>", PROGRAM)
    assert fits("    return 1", FUNCTION)
    assert not fits("return 1", FUNCTION)
    assert not fits("  return 1", FUNCTION)


MARKS = ["```", "</code>", "<code>", "(", "'''", "lambda:", "\\", "\x00", "�", "\u2028"]
LINES = ["```python\n", "END SOLUTION", "### END SOLUTION", "# SOLUTION END", "BEGIN SOLUTION\n"]
CODE = ["    ", "\n", "\t", "\r", "def f(df):", "return 1", "x = 1", GIVEN]
PROMPTS = [PROGRAM.prompt, FUNCTION.prompt, DRAWING.prompt]
pieces = st.sampled_from([*MARKS, *LINES, *CODE, *PROMPTS])
wild = st.lists(pieces | st.text(max_size=5), max_size=12).map("".join)


@settings(max_examples=300, deadline=None)
@given(
    text=wild,
    problem=st.sampled_from([PROGRAM, FUNCTION, DRAWING]),
    style=st.sampled_from(["completion", "chat"]),
)
@example(text="(" * 100_000, problem=PROGRAM, style="chat")
@example(text="-" * 100_000 + "1", problem=FUNCTION, style="chat")
@example(text="[" * 90 + "]" * 90 + ".a" * 50_000, problem=PROGRAM, style="chat")
@example(text="```" * 20_000, problem=PROGRAM, style="chat")
@example(text="\n" * 50_000 + "#" * 50_000, problem=FUNCTION, style="completion")
@example(text=" " * 100_000 + "END SOLUTION\n" * 300, problem=FUNCTION, style="completion")
def test_no_text_however_wild_raises(text: str, problem: Problem, style: str) -> None:
    code = extract_answer(text, problem, style)
    assert isinstance(code, str)
    assert code == code.rstrip()


@pytest.mark.realdata
def test_real_references_survive_every_dressing() -> None:
    def meaning(problem: Problem, code: str) -> str:
        indent = problem.slot.indent
        return ast.dump(ast.parse(f"def body():\n{indent}pass\n{code}" if indent else code))

    for problem in real_problems()[::5]:
        code = problem.reference_code
        assert fits(code, problem)
        for text in (
            code,
            code.strip(),
            f"{code}</code>\nEND",
            f"```python\n{code}\n```\nso",
            problem.prompt + "\n" + code,
        ):
            for style in ("completion", "chat"):
                assert meaning(problem, extract_answer(text, problem, style)) == meaning(problem, code)


@pytest.mark.parametrize(
    "text",
    [
        "```python\nresult = 1\n\nBEGIN SOLUTION\n```",
        "```python\nresult = ...\nBEGIN SOLUTION\nresult = 1\nBEGIN SOLUTION\n\n```",
        "result = 1\n# SOLUTION START",
        "result = 1\n### BEGIN SOLUTION\n",
    ],
)
def test_a_start_that_nothing_follows_is_a_copy_of_the_prompts_end_and_loses_no_answer(text: str) -> None:
    """As one in ten answers of Qwen2.5-Coder-0.5B-Instruct has it."""
    assert extract_answer(text, plain_problem(), "chat") == "result = 1"


def test_starts_alone_are_no_answer() -> None:
    assert extract_answer("```\nBEGIN SOLUTION\nBEGIN SOLUTION\n```", plain_problem(), "chat") == ""
