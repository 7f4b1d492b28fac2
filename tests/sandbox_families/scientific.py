"""Problems whose results are scipy's: sparse matrices, distributions, interpolators, trees, reports of solvers."""

# ruff: noqa: E501 (programs stand as they are run)

from __future__ import annotations

from sandbox_families.form import Problem

__all__ = ["SCIENTIFIC"]

_SPARSE = "import numpy as np\nfrom scipy import sparse"
_SAME_SPARSE = """
assert len(result) == len(ans)
for a, b in zip(result, ans):
    assert type(a) is type(b) and a.dtype == b.dtype and a.shape == b.shape and a.nnz == b.nnz
    np.testing.assert_array_equal(a.toarray(), b.toarray())
"""
_CURVE = """
at = np.linspace(0.1, 2.9, 7)
assert [type(a) for a in result] == [type(a) for a in ans]
for a, b in zip(result, ans):
    np.testing.assert_allclose(a(at), b(at))
"""

SCIENTIFIC = (
    Problem(
        "sparse matrices of every format",
        _SPARSE,
        "result = [sparse.csr_matrix(x).asformat(kind) for kind in ('csr', 'csc', 'coo', 'lil', 'dok', 'dia', 'bsr')]",
        _SAME_SPARSE,
        (
            "result = [sparse.csr_matrix(x * 2).asformat(kind) for kind in ('csr', 'csc', 'coo', 'lil', 'dok', 'dia', 'bsr')]",
        ),
        inputs=("np.array([[0.0, 2.0, 0.0], [1.0, 0.0, 3.0]])", "np.eye(4, dtype='int32')"),
    ),
    Problem(
        "sparse arrays of every format",
        _SPARSE,
        "result = [sparse.csr_array(x).asformat(kind) for kind in ('csr', 'csc', 'coo', 'lil', 'dok', 'dia', 'bsr')]",
        _SAME_SPARSE,
        (
            "result = [sparse.csr_matrix(x).asformat(kind) for kind in ('csr', 'csc', 'coo', 'lil', 'dok', 'dia', 'bsr')]",
        ),
        inputs=("np.array([[0, 2, 0], [1, 0, 3]])", "np.zeros((0, 3))"),
    ),
    Problem(
        "unsorted and repeated entries",
        _SPARSE,
        "result = [sparse.coo_matrix(([1, 2, 4], ([0, 0, 1], [1, 1, 0])), shape=(2, 3)), "
        "sparse.csr_matrix((np.array([1.0, 2.0, 3.0]), np.array([2, 0, 1]), np.array([0, 2, 3])), shape=(2, 3)), "
        "sparse.random(5, 4, 0.5, random_state=x)]",
        _SAME_SPARSE,
        (
            "result = [sparse.coo_matrix(([3, 4], ([0, 1], [1, 0])), shape=(2, 3)), "
            "sparse.csr_matrix((np.array([1.0, 2.0, 3.0]), np.array([2, 0, 1]), np.array([0, 2, 3])), shape=(2, 3)), "
            "sparse.random(5, 4, 0.5, random_state=x)]",
        ),
        inputs=("0", "1"),
    ),
    Problem(
        "frozen distributions",
        "import numpy as np\nfrom scipy import stats",
        "result = [stats.norm(x, 2), stats.gamma(a=x, scale=0.5), stats.binom(10, 0.3), stats.poisson(mu=x), "
        "stats.multivariate_normal([0, x], [[2, 0.3], [0.3, 1]])]",
        """
        assert [type(a) for a in result] == [type(a) for a in ans]
        np.testing.assert_allclose([a.cdf(1.5) for a in result[:4]], [a.cdf(1.5) for a in ans[:4]])
        np.testing.assert_allclose([result[0].mean(), result[1].ppf(0.3)], [ans[0].mean(), ans[1].ppf(0.3)])
        np.testing.assert_allclose(result[4].pdf([0.5, 0.5]), ans[4].pdf([0.5, 0.5]))
        """,
        (
            "result = [stats.norm(x, 1), stats.gamma(a=x, scale=0.5), stats.binom(10, 0.3), stats.poisson(mu=x), "
            "stats.multivariate_normal([0, x], [[2, 0.3], [0.3, 1]])]",
        ),
        inputs=("1.0", "2.5"),
    ),
    Problem(
        "kernel densities and empirical distributions",
        "import numpy as np\nfrom scipy import stats",
        "result = [stats.gaussian_kde(x), stats.rv_histogram(np.histogram(x, bins=3)), stats.ecdf(x).cdf]",
        """
        assert [type(a) for a in result] == [type(a) for a in ans]
        at = [0.5, 1.5, 4.0]
        np.testing.assert_allclose(result[0](at), ans[0](at))
        np.testing.assert_allclose(result[1].cdf(at), ans[1].cdf(at))
        np.testing.assert_allclose(result[2].evaluate(at), ans[2].evaluate(at))
        """,
        (
            "result = [stats.gaussian_kde(x, 0.1), stats.rv_histogram(np.histogram(x, bins=3)), stats.ecdf(x).cdf]",
        ),
        inputs=("np.array([1.0, 2.0, 2.5, 5.0])",),
    ),
    Problem(
        "results of tests",
        "import numpy as np\nfrom scipy import stats",
        "result = [stats.ttest_ind(*x), stats.pearsonr(*x), stats.linregress(*x), stats.describe(x[0]), stats.mode(x[0]), "
        "stats.kstest(x[0], 'norm'), stats.chi2_contingency(np.abs(x) + 1)]",
        """
        for a, b in zip(result, ans):
            assert type(a) is type(b)
        np.testing.assert_allclose([a.pvalue for a in result if hasattr(a, 'pvalue')], [a.pvalue for a in ans if hasattr(a, 'pvalue')])
        assert result[3] == ans[3] and result[2].intercept_stderr == ans[2].intercept_stderr and tuple(result[0]) == tuple(ans[0])
        """,
        (
            "result = [stats.ttest_rel(*x), stats.pearsonr(*x), stats.linregress(*x), stats.describe(x[0]), stats.mode(x[0]), "
            "stats.kstest(x[0], 'norm'), stats.chi2_contingency(np.abs(x) + 1)]",
        ),
        inputs=("np.array([[1.0, 2.0, 4.0, 3.5], [0.5, 2.5, 3.0, 5.0]])",),
    ),
    Problem(
        "interpolators",
        "import numpy as np\nfrom scipy import interpolate as ip",
        "result = [ip.interp1d(*x), ip.interp1d(*x, kind='cubic'), ip.CubicSpline(*x), ip.PchipInterpolator(*x), "
        "ip.make_interp_spline(*x), ip.UnivariateSpline(*x, s=0), ip.Akima1DInterpolator(*x), ip.BarycentricInterpolator(*x), "
        "ip.PPoly(np.ones((2, 3)), [0, 1, 2, 3])]",
        _CURVE,
        ("result = [ip.interp1d(*x)] * 9", "result = [ip.interp1d(x[0], x[1] + 1)] * 9"),
        inputs=("np.array([[0.0, 1.0, 2.0, 2.5, 3.0], [1.0, -1.0, 2.0, 0.0, 4.0]])",),
    ),
    Problem(
        "interpolators over a plane",
        "import numpy as np\nfrom scipy import interpolate as ip",
        "grid = (np.arange(4.0), np.arange(5.0))\nresult = [ip.RegularGridInterpolator(grid, x), ip.NearestNDInterpolator("
        "[[0, 0], [1, 0], [0, 1], [3, 3]], [1, 2, 3, 4]), ip.RBFInterpolator([[0, 0], [1, 0], [0, 1], [3, 3]], [1, 2, 3, 4.5])]",
        """
        at = np.array([[0.5, 0.25], [2.5, 2.0]])
        assert [type(a) for a in result] == [type(a) for a in ans]
        for a, b in zip(result, ans):
            np.testing.assert_allclose(a(at), b(at))
        """,
        (
            "grid = (np.arange(4.0), np.arange(5.0))\nresult = [ip.RegularGridInterpolator(grid, x + 1), ip.NearestNDInterpolator("
            "[[0, 0], [1, 0], [0, 1], [3, 3]], [1, 2, 3, 4]), ip.RBFInterpolator([[0, 0], [1, 0], [0, 1], [3, 3]], [1, 2, 3, 4.5])]",
        ),
        inputs=("np.arange(20.0).reshape(4, 5)",),
    ),
    Problem(
        "reports of solvers",
        "import numpy as np\nfrom scipy import integrate, optimize",
        "result = [optimize.minimize(lambda v: ((v - x) ** 2).sum(), [0.0, 0.0]), optimize.root(lambda v: v - x, [0.0]), "
        "optimize.linprog([1, 1], A_ub=[[-1, -2]], b_ub=[-x]), integrate.solve_ivp(lambda t, y: -y, (0, 1), [x], t_eval=[0.5, 1]), "
        "optimize.curve_fit(lambda t, a: a * t, [1, 2, 3], [x, 2 * x, 3 * x])]",
        """
        assert [type(a) for a in result] == [type(a) for a in ans]
        np.testing.assert_allclose(result[0].x, ans[0].x)
        np.testing.assert_allclose(result[1].x, ans[1].x)
        assert result[2].fun == ans[2].fun and result[2]['status'] == 0 and result[0].success
        np.testing.assert_allclose(result[3].y, ans[3].y)
        np.testing.assert_allclose(result[4][0], ans[4][0])
        """,
        (
            "result = [optimize.minimize(lambda v: ((v - 2 * x) ** 2).sum(), [0.0, 0.0]), optimize.root(lambda v: v - x, [0.0]), "
            "optimize.linprog([1, 1], A_ub=[[-1, -2]], b_ub=[-x]), integrate.solve_ivp(lambda t, y: -y, (0, 1), [x], t_eval=[0.5, 1]), "
            "optimize.curve_fit(lambda t, a: a * t, [1, 2, 3], [x, 2 * x, 3 * x])]",
        ),
        inputs=("3.0",),
    ),
    Problem(
        "spatial trees",
        "import numpy as np\nfrom scipy import spatial",
        "result = [spatial.cKDTree(x), spatial.KDTree(x, leafsize=2)]",
        "for a, b in zip(result, ans):\n    assert type(a) is type(b)\n"
        "    np.testing.assert_array_equal(a.query([[0.4, 0.4]], k=2)[1], b.query([[0.4, 0.4]], k=2)[1])\n"
        "    np.testing.assert_array_equal(a.data, b.data)",
        ("result = [spatial.cKDTree(x[:3]), spatial.KDTree(x[:3], leafsize=2)]",),
        inputs=("np.array([[0.0, 0.0], [0.0, 1.0], [1.0, 0.0], [3.0, 3.0]])",),
    ),
    Problem(
        "hulls and rotations",
        "import numpy as np\nfrom scipy import spatial",
        "result = [spatial.ConvexHull(x), spatial.transform.Rotation.from_euler('z', 90, degrees=True)]",
        "assert [type(a) for a in result] == [type(a) for a in ans]\n"
        "assert sorted(result[0].vertices) == sorted(ans[0].vertices) and result[0].volume == ans[0].volume\n"
        "np.testing.assert_allclose(result[1].apply([1, 0, 0]), ans[1].apply([1, 0, 0]))",
        (
            "result = [spatial.ConvexHull(x * 2), spatial.transform.Rotation.from_euler('z', 90, degrees=True)]",
        ),
        inputs=("np.array([[0.0, 0.0], [0.0, 1.0], [1.0, 0.0], [0.3, 0.3]])",),
    ),
    Problem(
        "filters and systems",
        "import numpy as np\nfrom scipy import signal",
        "result = [signal.lti([x], [1, 2, 1]), signal.dlti([x], [1, 0.5], dt=0.1), signal.butter(3, 0.2, output='sos')]",
        "assert [type(a) for a in result] == [type(a) for a in ans]\n"
        "np.testing.assert_allclose(result[0].num, ans[0].num)\n"
        "np.testing.assert_allclose(result[0].step()[1], ans[0].step()[1])\nassert result[1].dt == ans[1].dt\n"
        "np.testing.assert_allclose(result[2], ans[2])",
        (
            "result = [signal.lti([x + 1], [1, 2, 1]), signal.dlti([x], [1, 0.5], dt=0.1), signal.butter(3, 0.2, output='sos')]",
        ),
        inputs=("1.0", "4.0"),
    ),
)
