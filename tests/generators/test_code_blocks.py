"""Which of an answer's code blocks count: imports, steps, new versions, demonstrations, outputs."""

from __future__ import annotations

import pytest

from workbench.generators.code_blocks import answer_code, assigned_names


def blocks(*contents: str, tag: str = "python") -> str:
    return "Text:\n" + "\nand\n".join(f"```{tag}\n{content}\n```" for content in contents) + "\nDone."


@pytest.mark.parametrize(
    ("contents", "code"),
    [
        (["import numpy as np", "result = a * 2"], "import numpy as np\nresult = a * 2"),
        (["mask = df.a > 0", "result = df[mask]"], "mask = df.a > 0\nresult = df[mask]"),
        (["df['x'] = 1", "result = df.sum()"], "df['x'] = 1\nresult = df.sum()"),
        (["result = df.sum()", "result = result.max()"], "result = df.sum()\nresult = result.max()"),
        (["import numpy as np\nresult = a + 2", "result = np.add(a, a)"],
         "import numpy as np\nresult = np.add(a, a)"),
        (["result = df.sum()", "print(result)"], "result = df.sum()"),
        (["result = df.sum()", "import pandas\ndf = pandas.DataFrame()\nresult = df.sum()"],
         "result = df.sum()"),
        (["df = 1\nresult = df", "print(result)"], "df = 1\nresult = df"),
        (["result = (", "result = 1"], "result = 1"),
    ],
)  # fmt: skip
def test_python_blocks_that_make_up_the_answer_are_joined(contents: list[str], code: str) -> None:
    found = answer_code(blocks(*contents), given={"df", "a"}, targets={"result"})
    assert found.strip() == code


def test_drawing_adds_up_and_a_helper_stays_with_what_calls_it() -> None:
    assert answer_code(blocks("plt.plot(x, y)", "plt.legend()")) == "plt.plot(x, y)\nplt.legend()\n"
    helper, body = "def half(x):\n    return x / 2", "def f(df):\n    return half(df)"
    assert answer_code(blocks(helper, body, "print(f(1))"), targets={"return"}) == f"{helper}\n{body}\n"


def test_an_example_that_makes_what_the_answer_reads_is_a_demonstration() -> None:
    assert answer_code(blocks("y = x * 2", "x = 5\ny = x * 2\nprint(y)")) == "y = x * 2\n"


def test_an_output_is_no_code() -> None:
    assert answer_code("```python\nx = 1\n```\nIt prints:\n```\narray([1])\n```") == "x = 1\n"
    assert answer_code("```\nx = 1\n```\nIt prints:\n```\narray([1])\n```") == "x = 1\n"
    assert answer_code("```\nx = 1\n```\nIt prints:\n```\n   a  b\n0  1  2\n```") == "x = 1\n"


def test_blocks_that_nothing_tells_apart_are_all_taken() -> None:
    assert answer_code(blocks("print(1)", "print(2)")) == "print(1)\n\nprint(2)\n"


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("~~~python\nx = 1\n~~~", "x = 1\n"),
        ("~~~python\ns = '''\n```\n'''\n~~~", "s = '''\n```\n'''\n"),
        ("```python\nimport a\n```python\nx = a.b\n```", "import a\nx = a.b\n"),
        ("Here:\n```\nx = 1", "x = 1"),
        ("x = 1\n```\nIt is so.", "x = 1\n"),
        ("Answer: below\n```\nx = 1\n```", "x = 1\n"),
        ("x = 1```", "x = 1"),
        ("x = 1\n\n# SOLUTION END\n```", "x = 1\n\n# SOLUTION END\n"),
    ],
)
def test_fences_of_every_kind(text: str, code: str) -> None:
    assert answer_code(text) == code


def test_text_that_goes_on_ends_at_its_closing_fence() -> None:
    text = "first = 1\n    return first\n```\nExplained.\n```\nfoo bar\n```"
    assert answer_code(text, continues=True) == "first = 1\n    return first\n"
    assert answer_code("Here is the code:\n```\nx = 1\n```", continues=True) == "x = 1\n"


def test_of_a_language_that_cannot_be_read_the_longest_block_counts() -> None:
    text = "```hy\n(import a)\n```\nthen\n```hy\n(print (a.b 1))\n```\n```sh\nhy a long command line\n```"
    assert answer_code(text, ("hy",)) == "(print (a.b 1))\n"
    assert answer_code("(setv y 1)\n```\nSo it is.", ("hy",)) == "(setv y 1)\n"


def test_names_that_lines_assign() -> None:
    assert assigned_names("a, b = 1, 2\nc=3\nd == 4\n    e = 5\ndef f(x=1):") == {"a", "b", "c"}
