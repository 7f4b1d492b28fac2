"""Problems whose right answer is an object: each is graded split, its reference passes, and a plain 0 does not."""

# ruff: noqa: E501 (programs stand as they are run)

from __future__ import annotations

import pytest

from workbench.errors import SandboxUnavailableError
from workbench.sandbox import Program, Sandbox
from workbench.sandbox.isolation import check

try:
    check("sandlock")
except SandboxUnavailableError as error:
    pytest.skip(f"this machine cannot isolate programs: {error}", allow_module_level=True)

DATA = "import numpy as np\nx = np.arange(12.0).reshape(6, 2) % 5\ny = np.array([0, 1, 0, 1, 1, 0])\n"

# library | what the program makes of it | what its tests ask
PROBLEMS = """
sklearn | from sklearn.linear_model import LinearRegression as K; result = K().fit(x, y) | np.allclose(result.predict(x), K().fit(x, y).predict(x))
sklearn | from sklearn.linear_model import LogisticRegression as K; result = K().fit(x, y) | result.score(x, y) == K().fit(x, y).score(x, y)
sklearn | from sklearn.tree import DecisionTreeClassifier as K; result = K(random_state=0).fit(x, y) | (result.predict(x) == y).all()
sklearn | from sklearn.ensemble import RandomForestClassifier as K; result = K(5, random_state=0).fit(x, y) | (result.predict(x) == K(5, random_state=0).fit(x, y).predict(x)).all()
sklearn | from sklearn.ensemble import GradientBoostingRegressor as K; result = K(n_estimators=3).fit(x, y) | np.allclose(result.predict(x), K(n_estimators=3).fit(x, y).predict(x))
sklearn | from sklearn.ensemble import HistGradientBoostingClassifier as K; result = K(max_iter=3).fit(x, y) | (result.predict(x) == K(max_iter=3).fit(x, y).predict(x)).all()
sklearn | from sklearn.svm import SVC as K; result = K().fit(x, y) | (result.predict(x) == K().fit(x, y).predict(x)).all()
sklearn | from sklearn.neighbors import KNeighborsClassifier as K; result = K(2, algorithm='kd_tree').fit(x, y) | (result.predict(x) == K(2).fit(x, y).predict(x)).all()
sklearn | from sklearn.naive_bayes import GaussianNB as K; result = K().fit(x, y) | (result.predict(x) == K().fit(x, y).predict(x)).all()
sklearn | from sklearn.cluster import KMeans as K; result = K(2, n_init=1, random_state=0).fit(x) | (result.predict(x) == result.labels_).all()
sklearn | from sklearn.decomposition import PCA as K; result = K(1).fit(x) | result.transform(x).shape == (6, 1)
sklearn | from sklearn.preprocessing import StandardScaler as K; result = K().fit(x) | np.allclose(result.mean_, x.mean(0))
sklearn | from sklearn.preprocessing import OneHotEncoder as K; result = K().fit(x) | result.transform(x).shape[0] == 6
sklearn | from sklearn.preprocessing import FunctionTransformer as K; result = K(np.log1p) | np.allclose(result.transform(x), np.log1p(x))
sklearn | from sklearn.pipeline import make_pipeline as K; from sklearn.preprocessing import StandardScaler; from sklearn.svm import SVC; result = K(StandardScaler(), SVC()).fit(x, y) | list(result.named_steps) == ['standardscaler', 'svc'] and result.predict(x).shape == (6,)
sklearn | from sklearn.model_selection import GridSearchCV as K; from sklearn.svm import SVC; result = K(SVC(), {'C': [1, 2]}, cv=2).fit(x, y) | result.best_params_['C'] in (1, 2)
sklearn | from sklearn.compose import ColumnTransformer as K; from sklearn.preprocessing import MinMaxScaler; result = K([('a', MinMaxScaler(), [1])]).fit(x) | result.transform(x).max() == 1
sklearn | from sklearn.feature_extraction.text import TfidfVectorizer as K; result = K().fit(['a b c dd', 'dd ee']) | sorted(result.vocabulary_) == ['dd', 'ee']
sklearn | from sklearn.gaussian_process import GaussianProcessRegressor as K; result = K().fit(x, y) | np.allclose(result.predict(x), K().fit(x, y).predict(x))
sklearn | from sklearn.model_selection import KFold as K; result = K(3) | result.get_n_splits() == 3
sklearn | from sklearn.utils import Bunch as K; result = K(data=x, target=y) | np.array_equal(result.data, x)
torch | import torch; from torch import nn as K; result = K.Linear(2, 3) | result(torch.ones(4, 2)).shape == (4, 3)
torch | import torch; from torch import nn as K; result = K.Sequential(K.Linear(2, 3), K.ReLU()) | len(result) == 2 and (result(torch.ones(4, 2)) >= 0).all()
torch | import torch; from torch import nn as K; result = K.LSTM(2, 3, batch_first=True) | result(torch.ones(1, 4, 2))[0].shape == (1, 4, 3)
torch | import torch; from torch import nn as K; result = K.Embedding(5, 2).eval() | not result.training and result(torch.tensor([1])).shape == (1, 2)
torch | import torch; from torch import nn as K; result = K.Linear(2, 1).state_dict() | list(result) == ['weight', 'bias']
torch | import torch; from torch import nn as K; result = K.CrossEntropyLoss() | result(torch.eye(2), torch.tensor([0, 1])) < 1
torch | import torch; from torch import optim as K; result = K.SGD([torch.ones(1, requires_grad=True)], lr=0.25) | result.param_groups[0]['lr'] == 0.25
torch | import torch; from torch import optim as K; result = K.Adam([torch.ones(1, requires_grad=True)], betas=(0.5, 0.75)) | result.defaults['betas'] == (0.5, 0.75)
torch | import torch; from torch import optim as K; result = K.lr_scheduler.StepLR(K.SGD([torch.ones(1, requires_grad=True)], lr=1.0), 3) | result.step_size == 3 and result.get_last_lr() == [1.0]
torch | import torch; from torch import optim as K; o = K.SGD([torch.ones(1, requires_grad=True)], lr=1.0); K.lr_scheduler.ExponentialLR(o, 0.5); result = o | 'initial_lr' in result.param_groups[0]
torch | import torch; from torch import distributions as K; result = K.Normal(0.0, 2.0) | result.variance == 4
torch | import torch; from torch import distributions as K; result = K.Categorical(torch.tensor([0.25, 0.75])) | result.probs[1] == 0.75
torch | import torch; from torch.utils.data import TensorDataset as K; result = K(torch.ones(3, 2)) | len(result) == 3
torch | import torch; from torch.utils.data import DataLoader as K, TensorDataset; result = K(TensorDataset(torch.ones(3, 2)), batch_size=2) | [len(each[0]) for each in result] == [2, 1]
torch | import torch; result = torch.eye(3).to_sparse_csr() | result.layout == torch.sparse_csr
torch | import torch; result = torch.ones(3).to(torch.bfloat16) | result.dtype == torch.bfloat16
torch | import torch; result = torch.tensor([[1.0, 3.0]]).max(1) | result.indices.item() == 1
scipy | from scipy import stats as K; result = K.norm(1, 2) | result.mean() == 1
scipy | from scipy import stats as K; result = K.poisson | result.pmf(0, 1.0) < 1
scipy | from scipy import stats as K; result = K.gaussian_kde([1.0, 2, 4]) | result(2.0) > 0
scipy | from scipy import stats as K; result = K.linregress([1, 2, 3], [2, 4, 6]) | abs(result.slope - 2) < 1e-12
scipy | from scipy import stats as K; result = K.ttest_ind([1.0, 2, 3], [2.0, 4, 7]) | 0 < result.pvalue < 1
scipy | from scipy import interpolate as K; result = K.CubicSpline([0, 1, 2], [0, 1, 4]) | abs(float(result(1.5)) - 2.25) < 1e-9
scipy | from scipy import interpolate as K; result = K.interp1d([0, 1, 2], [0, 1, 4]) | float(result(1.5)) == 2.5
scipy | from scipy import interpolate as K; result = K.UnivariateSpline(range(6), range(6)) | abs(float(result(2.5)) - 2.5) < 1e-9
scipy | from scipy import optimize as K; result = K.minimize(lambda v: (v[0] - 1) ** 2, [0.0]) | abs(result.x[0] - 1) < 1e-4
scipy | from scipy import optimize as K; result = K.root_scalar(lambda v: v - 1, bracket=[0, 3]) | abs(result.root - 1) < 1e-9
scipy | from scipy import integrate as K; result = K.solve_ivp(lambda t, v: -v, (0, 1), [1.0], dense_output=True) | abs(result.sol(0.5)[0] - np.exp(-0.5)) < 1e-2
scipy | from scipy import spatial as K; result = K.KDTree(x) | result.query([0.0, 1.0])[1] == 0
scipy | from scipy import spatial as K; result = K.ConvexHull(np.array([[0, 0], [1, 0], [0, 1.0]])) | result.area > 3
scipy | from scipy.spatial.transform import Rotation as K; result = K.from_euler('z', 90, degrees=True) | np.allclose(result.apply([1, 0, 0]), [0, 1, 0])
scipy | from scipy import sparse as K; result = K.lil_matrix(np.eye(3)) | result[1, 1] == 1 and K.issparse(result)
scipy | from scipy import sparse as K; result = K.dia_array(np.eye(3)) | result.nnz == 3
scipy | from scipy import signal as K; result = K.TransferFunction([1], [1, 2]) | list(result.den) == [1, 2]
pandas | import pandas as K; result = K.DataFrame({'a': [1, 2, 1], 'b': [1, 2, 3]}).groupby('a') | list(result.sum()['b']) == [4, 2]
pandas | import pandas as K; result = K.Series([1, 2, 3]).rolling(2) | result.sum().iloc[2] == 5
pandas | import pandas as K; result = K.offsets.BusinessHour(start='10:00') | K.Timestamp('2024-05-01 08:00') + result == K.Timestamp('2024-05-01 11:00')
pandas | import pandas as K; result = K.DataFrame({'a': ['x']}).dtypes | list(result.index) == ['a']
pandas | import pandas as K; import pyarrow; result = pyarrow.table({'a': [1, None]}) | result.column('a').null_count == 1
pandas | import pandas as K; result = K.Series([1, 2], dtype='int64[pyarrow]') | str(result.dtype) == 'int64[pyarrow]' and result.sum() == 3
pandas | result = np.random.default_rng(5) | result.integers(100) == np.random.default_rng(5).integers(100)
pandas | result = np.polynomial.Polynomial([1.0, 2.0]) | result(3) == 7
matplotlib | import matplotlib.pyplot as K; result = K.figure(figsize=(4, 3)) | tuple(result.get_size_inches()) == (4, 3)
matplotlib | import matplotlib.pyplot as K; result = K.subplots()[1]; result.plot([1, 2], label='a') | result.lines[0].get_label() == 'a'
matplotlib | import matplotlib.pyplot as K; result = K.bar(['a', 'b'], [1, 2]) | [each.get_height() for each in result] == [1, 2]
matplotlib | import matplotlib.pyplot as K; result = K.get_cmap('viridis') | result == K.get_cmap('viridis')
matplotlib | import matplotlib.pyplot as K; result = K.subplots(2, 2)[1] | result.shape == (2, 2) and len({each.get_position().x0 for each in result.flat}) == 2
"""

_TESTS = "{data}{imports}def test_execution(code):\n    environment = {{'x': x, 'y': y}}\n    exec(code, environment)\n    result = environment['result']\n    assert {asked}\n"


def _rows() -> list[tuple[str, str, str]]:
    cut = (line.split(" | ", 2) for line in PROBLEMS.strip().splitlines())
    return [
        (library, "import numpy as np\n" + code.replace("; ", "\n"), asked) for library, code, asked in cut
    ]


def _tests(code: str, asked: str) -> str:
    imports = "".join(f"{line}\n" for line in code.splitlines() if line.startswith(("import ", "from ")))
    return _TESTS.format(data=DATA, imports=imports, asked=asked)


def test_right_objects_pass_split_and_zero_does_not():
    rows = _rows()
    assert len(rows) >= 60
    right = [Program(code, tests=_tests(code, asked), group=library) for library, code, asked in rows]
    wrong = [Program("result = 0", tests=program.tests, group=program.group) for program in right]
    with Sandbox(workers=2, timeout_s=60) as box:
        verdicts = list(box.map(right))
        zeros = list(box.map(wrong))
    told = [
        (row[1], verdict.message) for row, verdict in zip(rows, verdicts, strict=True) if not verdict.passed
    ]
    assert told == []
    assert all(verdict.split for verdict in verdicts)
    assert [row[1] for row, verdict in zip(rows, zeros, strict=True) if verdict.passed] == []
