"""No right answer is refused, whatever it returns: what is no data is graded in one process, and its verdict says so."""

# ruff: noqa: E501 (programs stand as they are run)

from __future__ import annotations

from collections.abc import Iterator

import pytest

from workbench.core.errors import RuntimeMissingError, SandboxUnavailableError
from workbench.sandbox import Program, Sandbox, Verdict
from workbench.sandbox.isolation import check
from workbench.sandbox.runtimes import find_runtime
from workbench.sandbox.splitting import Splitting

try:
    check("sandlock")
except SandboxUnavailableError as error:
    pytest.skip(f"this machine cannot isolate programs: {error}", allow_module_level=True)

# what the program returns | what its tests ask
DATA = """
import itertools; result = itertools.chain([1], [2]) | list(result) == [1, 2]
import itertools; result = itertools.combinations('abc', 2) | len(list(result)) == 3
result = (i * 2 for i in range(3)) | type(result).__name__ == 'generator' and list(result) == [0, 2, 4]
result = zip('ab', [1, 2]) | type(result) is zip and dict(result) == {'a': 1, 'b': 2}
result = enumerate('ab', 3) | type(result) is enumerate and list(result) == [(3, 'a'), (4, 'b')]
result = map(str, [1]) | type(result) is map and list(result) == ['1']
result = iter(np.arange(3)) | sum(result) == 3
result = {'a': 1}.keys() | result == {'a'} and type(result) is type({}.keys())
result = {'a': 1}.items() | list(result) == [('a', 1)]
result = {'a': 1}.values() | list(result) == [1]
import collections; result = collections.OrderedDict(a=1).items() | type(result).__name__ == 'odict_items' and list(result) == [('a', 1)]
import types; result = types.MappingProxyType({'a': 1}) | type(result).__name__ == 'mappingproxy' and result['a'] == 1
import re; result = re.search('(b)(c)?', 'abd') | result.span() == (1, 2) and result.groups() == ('b', None) and result.string == 'abd'
import re; result = list(re.finditer('a', 'aba')) | [m.start() for m in result] == [0, 2]
import datetime; result = datetime.date(2024, 12, 30).isocalendar() | result == (2025, 1, 1) and result.week == 1
import datetime, dateutil.tz; result = datetime.datetime(2024, 7, 1, tzinfo=dateutil.tz.gettz('Europe/Berlin')) | result.utcoffset().total_seconds() == 7200
import pandas as pd; result = pd.Timestamp('2024-07-01', tz='dateutil/Europe/Berlin') | result.hour == 0 and result.utcoffset().total_seconds() == 7200
from PIL import Image; result = Image.new('RGB', (3, 2), (1, 2, 3)) | result.size == (3, 2) and result.getpixel((0, 0)) == (1, 2, 3)
from PIL import Image; result = Image.fromarray(np.eye(9, dtype=bool)) | result.mode == '1' and np.array(result).sum() == 9
from PIL import Image; result = Image.fromarray(np.eye(3, dtype='u1') * 200).convert('P') | np.array(result.convert('L')).max() == 200
import networkx as nx; result = nx.path_graph(3); result.nodes; result.edges; result.adj; result.degree | list(result.edges) == [(0, 1), (1, 2)] and result.degree[1] == 2
import networkx as nx; result = nx.DiGraph([(1, 2)]); result.in_edges; result.pred | list(result.in_edges) == [(1, 2)]
from scipy import stats; result = stats.rv_discrete(values=([1, 3], [0.25, 0.75])) | result.mean() == 2.5 and result.pmf(1) == 0.25
result = np.nditer(np.arange(3)) | [int(v) for v in result] == [0, 1, 2]
result = np.char.array(['a', 'b']) | type(result) is np.char.chararray and list(result.upper()) == ['A', 'B']
"""

OUTSIDE = """
result = lambda x: x + 1 | result(1) == 2
def f(x): return x * 2; result = f | result(2) == 4
import functools; result = functools.partial(int, base=2) | result('101') == 5
import operator; result = operator.itemgetter(1) | result([1, 7]) == 7
result = len | result([1]) == 1
result = 'a-b'.split | result('-') == ['a', 'b']
result = ValueError('no') | isinstance(result, ValueError) and str(result) == 'no'
import dataclasses; P = dataclasses.make_dataclass('P', ['x']); result = P(7) | result.x == 7
import enum; C = enum.Enum('C', 'a b'); result = C.b | result.name == 'b' and result.value == 2
class Stack(list): pass; result = Stack([1]) | type(result).__name__ == 'Stack' and result == [1]
class K: pass; result = K | result.__name__ == 'K'
import collections; P = collections.namedtuple('P', 'x y'); result = P(1, 2) | type(result).__name__ == 'P' and result == (1, 2)
import types; result = types.SimpleNamespace(a=1) | result.a == 1
import io; result = io.StringIO('ab') | result.read() == 'ab'
import random; result = random.Random(3) | result.random() == random.Random(3).random()
import itertools; result = itertools.groupby('aab') | [(k, len(list(g))) for k, g in result] == [('a', 2), ('b', 1)]
import itertools; result = itertools.count(3) | next(result) == 3
result = np.vectorize(lambda x: x + 1) | list(result([1, 2])) == [2, 3]
result = np.arange(3).flat | result[1] == 1
import pandas as pd; result = pd.DataFrame({'a': [1, 5]}).style.highlight_max() | 'background-color' in result.to_html()
import pandas as pd; result = pd.DataFrame({'a': [1.5]}).style.format('{:.2f}') | '1.50' in result.to_html()
import pandas as pd; result = pd.DataFrame({'a': [1, 2]}).loc | result[1, 'a'] == 2
import pandas as pd; result = pd.DataFrame({'a': [1, 2]}).sum | result()['a'] == 3
from sklearn.preprocessing import FunctionTransformer; result = FunctionTransformer(lambda x: x + 1) | result.transform(np.zeros(1))[0] == 1
from sklearn.cluster import BisectingKMeans; result = BisectingKMeans(2, random_state=0).fit([[0.0], [1], [9]]) | len(set(result.labels_)) == 2
import torch; result = torch.nn.Linear(2, 1); _ = result.register_forward_hook(lambda m, i, o: o * 0) | result(torch.ones(2)).item() == 0
import torch; result = torch.nn.utils.parametrizations.weight_norm(torch.nn.Linear(2, 1)) | result(torch.ones(2)).shape == (1,)
import torch; result = torch.jit.script(torch.nn.Linear(2, 1)) | result(torch.ones(2)).shape == (1,)
import torch; o = torch.optim.SGD([torch.ones(1, requires_grad=True)], lr=1.0); result = torch.optim.lr_scheduler.LambdaLR(o, lambda e: 0.5 ** e) | result.get_last_lr() == [1.0]
from scipy import sparse; from scipy.sparse import linalg; result = linalg.splu(sparse.csc_matrix(np.eye(2))) | list(result.solve(np.ones(2))) == [1, 1]
from scipy import optimize; result = optimize.NonlinearConstraint(lambda x: x, 0, 1) | result.fun(3) == 3
import networkx as nx; result = nx.path_graph(3).edges(data=True) | list(result) == [(0, 1, {}), (1, 2, {})]
import networkx as nx; result = nx.path_graph(4).subgraph([0, 1]) | list(result.edges) == [(0, 1)]
import sympy; x = sympy.Symbol('x'); result = sympy.lambdify(x, x ** 2) | result(3) == 9
import matplotlib.ticker; result = matplotlib.ticker.FuncFormatter(lambda x, p: f'{x}!') | result(1) == '1!'
import matplotlib.animation, matplotlib.pyplot as plt; result = matplotlib.animation.FuncAnimation(plt.figure(), lambda i: [], frames=2); result._draw_was_started = True | type(result).__name__ == 'FuncAnimation'
"""

OLDER = """
import pandas as pd; import statsmodels.formula.api as smf; result = smf.ols('a ~ b', pd.DataFrame({'a': [1.0, 2, 4], 'b': [1.0, 2, 3]})).fit() | result.predict({'b': [2.0]}).shape == (1,) and abs(result.params['b'] - 1.5) < 1e-9
import tensorflow as tf; result = tf.keras.Sequential([tf.keras.layers.Input((3,)), tf.keras.layers.Dense(1)]) | result(np.ones((2, 3))).shape == (2, 1)
import tensorflow as tf; result = tf.data.Dataset.from_tensor_slices([1, 2]) | [int(v) for v in result] == [1, 2]
import tensorflow as tf; result = tf.keras.optimizers.SGD(0.25) | float(result.learning_rate) == 0.25
"""

_TESTS = "import numpy as np\n{imports}\n\ndef test_execution(code):\n    space = {{}}\n    exec(code, space)\n    result = space['result']\n    assert {asked}\n"


def _programs(text: str) -> dict[str, Program]:
    """Return each program with tests that its own code is the reference of."""
    programs = {}
    for line in text.strip().splitlines():
        said, asked = line.rsplit(" | ", 1)
        code = "import numpy as np\n" + said.replace("; ", "\n")
        imports = "\n".join(each for each in code.splitlines() if each.startswith(("import ", "from ")))
        tests = _TESTS.format(imports=imports, asked=asked)
        programs[said] = Program(code, tests=tests, reference=code, group=_heavy(code))
    return programs


def _heavy(code: str) -> str:
    return next((name for name in ("torch", "tensorflow") if name in code), "")


def _graded(text: str, runtime: str) -> dict[str, tuple[Verdict, Verdict]]:
    """Grade each program, and a plain 0 in its place."""
    programs = _programs(text)
    both = [
        each
        for program in programs.values()
        for each in (
            program,
            Program("result = 0", program.tests, group=program.group, reference=program.code),
        )
    ]
    with Sandbox(runtime, workers=2, timeout_s=60, memory_bytes=4 << 30) as box:
        verdicts = box.map(both)
        return {said: (next(verdicts), next(verdicts)) for said in programs}


def _judged(verdicts: dict[str, tuple[Verdict, Verdict]]) -> list[tuple[str, str]]:
    return [(said, right.message) for said, (right, _) in verdicts.items() if not right.passed]


def test_what_is_data_is_graded_in_two_processes():
    verdicts = _graded(DATA, "main")
    assert _judged(verdicts) == []
    assert [said for said, (right, _) in verdicts.items() if not right.split] == []
    assert [said for said, (_, zero) in verdicts.items() if zero.passed] == []


def test_what_is_no_data_is_graded_in_one_process_and_marked():
    verdicts = _graded(OUTSIDE, "main")
    assert _judged(verdicts) == []
    assert [said for said, (right, _) in verdicts.items() if right.split] == []
    assert [said for said, (_, zero) in verdicts.items() if zero.passed or not zero.split] == []


def test_what_is_no_data_in_the_older_runtime():
    try:
        find_runtime("ds1000")
    except RuntimeMissingError as error:
        pytest.skip(f"no runtime ds1000: {error}")
    verdicts = _graded(OLDER, "ds1000")
    assert _judged(verdicts) == []
    assert [said for said, (right, _) in verdicts.items() if right.split] == []
    assert [said for said, (_, zero) in verdicts.items() if zero.passed] == []


# --- who decides --------------------------------------------------------------------------------------------

_LOOK = """
import sys
result = lambda: 0
frame = sys._getframe()
while frame is not None:
    if 'expected' in frame.f_locals:
        result = frame.f_locals['expected']
    frame = frame.f_back
"""
_HOLDS = "def test_execution(code):\n    expected = {expected}\n    space = {{}}\n    exec(code, space)\n    assert space['result'] == expected\n"


@pytest.fixture(scope="module")
def box() -> Iterator[Sandbox]:
    with Sandbox(workers=2, timeout_s=30) as box:
        yield box


def test_the_answer_does_not_choose(box: Sandbox):
    """It returns what cannot leave, and the expected value where it finds that beside it."""
    tests = _HOLDS.format(expected="42")
    for reference in ("result = 42", "result = 41", "", "result = lambda: 42"):
        verdict = box.run(Program(_LOOK, tests=tests, reference=reference))
        assert (verdict.status, verdict.split, verdict.refused) == ("failed", True, True)


def test_a_wrong_answer_fails_in_one_process_too(box: Sandbox):
    tests = "def test_execution(code):\n    space = {}\n    exec(code, space)\n    assert space['result'](3) == 9\n"
    reference = "result = lambda x: x ** 2"
    wrong = box.run(Program("result = lambda x: x + 2", tests=tests, reference=reference))
    assert (wrong.status, wrong.split) == ("failed", False)
    right = box.run(Program("result = lambda x: x * x", tests=tests, reference=reference))
    assert (right.status, right.split, right.refused) == ("passed", False, False)


def test_a_figure_that_may_not_be_asked_is_read_in_one_process(box: Sandbox):
    """The tests call a method of the axes with an array, which no figure of another process is given."""
    code = "import matplotlib.pyplot as plt\nresult = plt.subplots()[1]"
    tests = (
        "import numpy as np\nimport matplotlib.pyplot\ndef test_execution(code):\n    space = {}\n    exec(code, space)\n"
        "    assert space['result'].transAxes.transform(np.zeros((1, 2))).shape == (1, 2)\n"
    )
    verdict = box.run(Program(code, tests=tests, reference=code))
    assert (verdict.status, verdict.split) == ("passed", False)
    assert box.run(Program(code, tests=tests)).refused


def test_the_reference_is_asked_once_for_all_answers():
    asked = []

    def run(program: Program) -> Verdict:
        asked.append((program.code, program.split))
        return Verdict("failed" if program.split else "passed", split=program.split, refused=program.split)

    splitting = Splitting(run)
    refused = Verdict("failed", refused=True)
    for code in ("a", "b"):
        verdict = splitting.again(Program(code, tests="t", reference="r"), refused)
        assert (verdict.status, verdict.split) == ("passed", False)
    assert asked == [("r", True), ("r", False), ("a", False), ("b", False)]
    assert splitting.again(Program("a", tests="t", reference="r"), Verdict("failed")) == Verdict("failed")
    assert splitting.again(Program("a", tests="t"), refused) is refused
    assert len(asked) == 4


@pytest.mark.parametrize("status", ["timeout", "failed", "memory"])
def test_a_reference_that_fails_for_another_reason_opens_nothing(status):
    """A busy machine may stop it in time: that must not bring an answer beside the expected values."""
    splitting = Splitting(lambda program: Verdict(status if program.split else "passed", split=program.split))
    refused = Verdict("failed", refused=True)
    assert splitting.again(Program("a", tests="t", reference="r"), refused) is refused
