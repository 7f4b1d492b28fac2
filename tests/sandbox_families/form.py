"""The form in which a problem is written down, and the DS-1000 text that it becomes."""

from __future__ import annotations

import textwrap
from dataclasses import dataclass

__all__ = ["Problem"]

_TESTS = '''\
{imports}
import copy


def generate_test_case(test_case_id):
    def define_test_input(test_case_id):
{inputs}
        return test_input

    def generate_ans(data):
        {names} = data
{answer}
        return {output}

    test_input = define_test_input(test_case_id)
    expected_result = generate_ans(copy.deepcopy(test_input))
    return test_input, expected_result


def exec_test(result, ans):
{compare}
    return 1


exec_context = r"""
{imports}
{names} = test_input
{context}
"""


def test_execution(solution: str):
    code = exec_context.replace("[insert]", solution)
    for i in range({cases}):
        test_input, expected_result = generate_test_case(i + 1)
        test_env = {{"test_input": test_input}}
        exec(code, test_env)
        assert exec_test(test_env["result"], expected_result)
'''

_SURFACE = """

def test_string(solution: str):
    import tokenize, io

    tokens = [token.string for token in tokenize.tokenize(io.BytesIO(solution.encode("utf-8")).readline)]
    assert {uses!r} in tokens
"""

_PICTURE = '''\
import matplotlib.pyplot as plt
import numpy as np
from PIL import Image
{imports}


def skip_plt_cmds(l):
    return all(p not in l for p in ["plt.show()", "plt.clf()", "plt.close()", "savefig"])


def generate_test_case(test_case_id):
{answer}
    plt.savefig("ans.png", bbox_inches="tight")
    plt.close()
    return None, None


def exec_test(result, ans):
    code_img = np.array(Image.open("output.png"))
    oracle_img = np.array(Image.open("ans.png"))
    same = code_img.shape == oracle_img.shape and np.allclose(code_img, oracle_img)
    fig = plt.gcf()
    ax = plt.gca()
{compare}
    return 1


exec_context = r"""
import matplotlib.pyplot as plt
import numpy as np
{imports}
[insert]
plt.savefig("output.png", bbox_inches="tight")
result = None
"""


def test_execution(solution: str):
    solution = "\\n".join(filter(skip_plt_cmds, solution.split("\\n")))
    code = exec_context.replace("[insert]", solution)
    for i in range(1):
        test_input, expected_result = generate_test_case(i + 1)
        test_env = {{"test_input": test_input}}
        exec(code, test_env)
        assert exec_test(test_env["result"], expected_result)
'''


@dataclass(frozen=True)
class Problem:
    """A small problem whose result is an object of some family."""

    name: str
    imports: str
    """Import lines of the tests and of the asker's code."""
    reference: str
    compare: str
    """Statements over `result` and `ans`; for a picture, over `same`, `fig` and `ax`."""
    wrong: tuple[str, ...]
    """Answers that must fail."""
    inputs: tuple[str, ...] = ("None",)
    """The input of each test case, as an expression."""
    names: str = "x"
    """What the asker calls the input, or its parts."""
    output: str = "result"
    """The variable that takes the solution."""
    function: bool = False
    """Whether the solution is the body of a function of the input."""
    uses: str = ""
    """A token that the surface-form test asks for."""
    picture: bool = False
    """Whether the solution draws, and is compared as a picture and as a figure."""
    needs: tuple[str, ...] = ()
    """Modules beyond the runtimes' common ones: where one is absent the problem is skipped."""
    runtimes: tuple[str, ...] = ("main", "ds1000")
    """The runtimes whose libraries have what it asks for."""
    unsplit: str = ""
    """Why its result cannot leave the process that made it; it is graded in one process, and marked so."""

    @property
    def tests(self) -> str:
        """The problem's `code_context`."""
        if self.picture:
            return _PICTURE.format(
                imports=self.imports, answer=_indented(self.reference, 4), compare=_indented(self.compare, 4)
            )
        cases = [
            f"if test_case_id == {number}:\n    test_input = {value}"
            for number, value in enumerate(self.inputs, start=1)
        ]
        text = _TESTS.format(
            imports=self.imports,
            inputs=_indented("\n".join(cases), 8),
            names=self.names,
            answer=_indented(self._body(self.reference), 8),
            output=self.output,
            compare=_indented(self.compare, 4),
            context=self._body("[insert]"),
            cases=len(self.inputs),
        )
        return text + (_SURFACE.format(uses=self.uses) if self.uses else "")

    def _body(self, solution: str) -> str:
        """Return a solution as it stands in the asker's code."""
        if self.function:
            return f"def f({self.names}):\n{solution}\nresult = f({self.names})"
        return solution + (f"\nresult = {self.output}" if self.output != "result" else "")


def _indented(text: str, spaces: int) -> str:
    return textwrap.indent(textwrap.dedent(text).strip("\n"), " " * spaces)
