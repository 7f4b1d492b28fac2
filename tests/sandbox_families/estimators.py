"""Problems whose results are estimators, fitted and not, and results of models."""

# ruff: noqa: E501 (programs stand as they are run)

from __future__ import annotations

from sandbox_families.form import Problem

__all__ = ["ESTIMATORS"]

_DATA = "np.random.RandomState(0).normal(size=(20, 3)), np.arange(20) % 2"
_SKLEARN = "import numpy as np\nimport pandas as pd\n"
_PREDICTS = """
assert [type(a) for a in result] == [type(a) for a in ans]
at = np.random.RandomState(1).normal(size=(6, 3))
for a, b in zip(result, ans):
    assert str(a.get_params()) == str(b.get_params())
    np.testing.assert_allclose(a.predict(at), b.predict(at))
"""

ESTIMATORS = (
    Problem(
        "estimators before any fit",
        _SKLEARN + "from sklearn import ensemble, linear_model, neighbors, svm",
        "result = [linear_model.Ridge(alpha=x), svm.SVC(C=x, kernel='poly'), neighbors.KNeighborsClassifier(3), "
        "ensemble.RandomForestRegressor(max_depth=2, random_state=0)]",
        """
        assert [type(a) for a in result] == [type(a) for a in ans] and [a.get_params() for a in result] == [a.get_params() for a in ans]
        assert not hasattr(result[0], 'coef_')
        result[0].fit([[0.0], [1.0]], [0, 1])
        """,
        (
            "result = [linear_model.Ridge(alpha=0), svm.SVC(C=x, kernel='poly'), neighbors.KNeighborsClassifier(3), "
            "ensemble.RandomForestRegressor(max_depth=2, random_state=0)]",
        ),
        inputs=("0.5", "2"),
    ),
    Problem(
        "linear models, fitted",
        _SKLEARN + "from sklearn import discriminant_analysis, linear_model, naive_bayes",
        "result = [kind.fit(X, y) for kind in (linear_model.LinearRegression(), linear_model.Lasso(0.01), linear_model.LogisticRegression(), "
        "naive_bayes.GaussianNB(), discriminant_analysis.LinearDiscriminantAnalysis())]",
        _PREDICTS + "\nnp.testing.assert_allclose(result[2].predict_proba(at), ans[2].predict_proba(at))",
        (
            "result = [kind.fit(X, 1 - y) for kind in (linear_model.LinearRegression(), linear_model.Lasso(0.01), linear_model.LogisticRegression(), "
            "naive_bayes.GaussianNB(), discriminant_analysis.LinearDiscriminantAnalysis())]",
            "result = [linear_model.LinearRegression(), linear_model.Lasso(0.01), linear_model.LogisticRegression(), "
            "naive_bayes.GaussianNB(), discriminant_analysis.LinearDiscriminantAnalysis()]",
        ),
        inputs=(_DATA,),
        names="X, y",
    ),
    Problem(
        "trees and forests, fitted",
        _SKLEARN + "from sklearn import ensemble, tree",
        "result = [kind.fit(X, y) for kind in (tree.DecisionTreeClassifier(random_state=0), tree.DecisionTreeRegressor(max_depth=2, random_state=0), "
        "ensemble.RandomForestClassifier(5, random_state=0), ensemble.GradientBoostingRegressor(n_estimators=5, random_state=0), "
        "ensemble.AdaBoostClassifier(n_estimators=3, random_state=0))]",
        _PREDICTS + "\nassert result[0].tree_.node_count == ans[0].tree_.node_count",
        ("result = [tree.DecisionTreeRegressor(max_depth=1, random_state=0).fit(X, y)] * 5",),
        inputs=(_DATA,),
        names="X, y",
    ),
    Problem(
        "neighbours and vectors, fitted",
        _SKLEARN + "from sklearn import neighbors, svm",
        "result = [kind.fit(X, y) for kind in (neighbors.KNeighborsClassifier(3, algorithm='brute'), svm.SVC(), svm.LinearSVC(random_state=0), svm.SVR())]",
        _PREDICTS,
        (
            "result = [kind.fit(X, 1 - y) for kind in (neighbors.KNeighborsClassifier(3, algorithm='brute'), svm.SVC(), svm.LinearSVC(random_state=0), svm.SVR())]",
        ),
        inputs=(_DATA,),
        names="X, y",
    ),
    Problem(
        "clusters and decompositions, fitted",
        _SKLEARN + "from sklearn import cluster, decomposition, mixture",
        "result = [cluster.KMeans(2, n_init=1, random_state=0).fit(X), mixture.GaussianMixture(2, random_state=0).fit(X)]\n"
        "result += [decomposition.PCA(2).fit(X), decomposition.TruncatedSVD(2, random_state=0).fit(X)]",
        """
        assert [type(a) for a in result] == [type(a) for a in ans]
        at = np.random.RandomState(1).normal(size=(6, 3))
        np.testing.assert_array_equal(result[0].labels_, ans[0].labels_)
        np.testing.assert_allclose(result[1].means_, ans[1].means_)
        np.testing.assert_allclose(result[2].transform(at), ans[2].transform(at))
        np.testing.assert_allclose(result[3].components_, ans[3].components_)
        """,
        (
            "result = [cluster.KMeans(3, n_init=1, random_state=0).fit(X), mixture.GaussianMixture(2, random_state=0).fit(X)]\n"
            "result += [decomposition.PCA(2).fit(X), decomposition.TruncatedSVD(2, random_state=0).fit(X)]",
        ),
        inputs=(_DATA,),
        names="X, y",
    ),
    Problem(
        "transformers, fitted",
        _SKLEARN + "from sklearn import feature_extraction, impute, preprocessing",
        "result = [preprocessing.StandardScaler().fit(X), preprocessing.OneHotEncoder(handle_unknown='ignore').fit([['a'], ['b']]), "
        "preprocessing.LabelEncoder().fit(list('bca')), impute.SimpleImputer().fit(X), feature_extraction.text.TfidfVectorizer().fit(['a cat', 'the dog'])]",
        """
        assert [type(a) for a in result] == [type(a) for a in ans]
        np.testing.assert_allclose(result[0].transform(X_of), ans[0].transform(X_of))
        np.testing.assert_array_equal(result[1].transform([['b'], ['z']]).toarray(), [[0, 1], [0, 0]])
        assert list(result[2].classes_) == ['a', 'b', 'c'] and result[4].vocabulary_ == ans[4].vocabulary_
        np.testing.assert_allclose(result[4].transform(['cat dog']).toarray(), ans[4].transform(['cat dog']).toarray())
        """.replace("X_of", "np.ones((2, 3))"),
        (
            "result = [preprocessing.StandardScaler().fit(X * 2), preprocessing.OneHotEncoder(handle_unknown='ignore').fit([['a'], ['b']]), "
            "preprocessing.LabelEncoder().fit(list('bca')), impute.SimpleImputer().fit(X), feature_extraction.text.TfidfVectorizer().fit(['a cat', 'the dog'])]",
        ),
        inputs=(_DATA,),
        names="X, y",
    ),
    Problem(
        "a pipeline",
        _SKLEARN
        + "from sklearn.decomposition import PCA\nfrom sklearn.linear_model import LogisticRegression\n"
        "from sklearn.pipeline import Pipeline, make_pipeline\nfrom sklearn.preprocessing import StandardScaler",
        "pipe = Pipeline([('scale', StandardScaler()), ('reduce', PCA(2)), ('model', LogisticRegression())])\n"
        "result = [pipe.fit(X, y), make_pipeline(StandardScaler(), LogisticRegression(C=3)).fit(X, y)]",
        _PREDICTS + "\nassert [name for name, _ in result[0].steps] == ['scale', 'reduce', 'model']",
        (
            "pipe = Pipeline([('scale', StandardScaler()), ('model', LogisticRegression())])\n"
            "result = [pipe.fit(X, y), make_pipeline(StandardScaler(), LogisticRegression(C=3)).fit(X, y)]",
        ),
        inputs=(_DATA,),
        names="X, y",
    ),
    Problem(
        "searches over a grid",
        _SKLEARN + "from scipy.stats import uniform\nfrom sklearn.linear_model import Ridge\n"
        "from sklearn.model_selection import GridSearchCV, KFold, RandomizedSearchCV",
        "result = [GridSearchCV(Ridge(), {'alpha': [0.1, 10]}, cv=KFold(3)).fit(X, y), "
        "RandomizedSearchCV(Ridge(), {'alpha': uniform(0, 1)}, n_iter=2, cv=2, random_state=0).fit(X, y)]",
        "assert result[0].best_params_ == ans[0].best_params_ and result[1].best_params_ == ans[1].best_params_\n"
        "np.testing.assert_allclose(result[0].cv_results_['mean_test_score'], ans[0].cv_results_['mean_test_score'])\n"
        "np.testing.assert_allclose(result[0].predict([[1, 2, 3]]), ans[0].predict([[1, 2, 3]]))\n"
        "assert type(result[0].cv) is type(ans[0].cv)",
        (
            "result = [GridSearchCV(Ridge(), {'alpha': [0.1]}, cv=KFold(3)).fit(X, y), "
            "RandomizedSearchCV(Ridge(), {'alpha': uniform(0, 1)}, n_iter=2, cv=2, random_state=0).fit(X, y)]",
        ),
        inputs=(_DATA,),
        names="X, y",
    ),
    Problem(
        "columns transformed apart",
        _SKLEARN
        + "from sklearn.compose import ColumnTransformer\nfrom sklearn.preprocessing import FunctionTransformer, MinMaxScaler, OneHotEncoder",
        "result = ColumnTransformer([('n', MinMaxScaler(), ['a']), ('c', OneHotEncoder(), ['b']), "
        "('l', FunctionTransformer(np.log1p), ['a'])], remainder='passthrough').fit(x)",
        "assert type(result) is type(ans)\nat = pd.DataFrame({'a': [2.0, 4.0], 'b': ['u', 'v'], 'c': [0, 1]})\n"
        "np.testing.assert_allclose(result.transform(at), ans.transform(at))\nassert list(result.named_transformers_) == list(ans.named_transformers_)",
        (
            "result = ColumnTransformer([('n', MinMaxScaler(), ['a']), ('c', OneHotEncoder(), ['b'])], remainder='passthrough').fit(x)",
            "result = ColumnTransformer([('n', MinMaxScaler(), ['a']), ('c', OneHotEncoder(), ['b']), "
            "('l', FunctionTransformer(np.log), ['a'])], remainder='passthrough').fit(x)",
        ),
        inputs=("pd.DataFrame({'a': [1.0, 2.0, 5.0], 'b': list('uvu'), 'c': [1, 2, 3]})",),
    ),
    Problem(
        "data sets and splits",
        _SKLEARN
        + "from sklearn.datasets import load_iris\nfrom sklearn.model_selection import StratifiedKFold",
        "result = [load_iris(), StratifiedKFold(3, shuffle=True, random_state=x), load_iris(as_frame=True).frame]",
        "assert type(result[0]) is type(ans[0]) and sorted(result[0]) == sorted(ans[0])\n"
        "np.testing.assert_array_equal(result[0].data, ans[0]['data'])\nassert repr(result[1]) == repr(ans[1])\n"
        "pd.testing.assert_frame_equal(result[2], ans[2])",
        (
            "data = load_iris()\ndata.data = data.data * 2\nresult = [data, StratifiedKFold(3), load_iris(as_frame=True).frame]",
        ),
        inputs=("0",),
    ),
    Problem(
        "boosted trees of xgboost",
        _SKLEARN + "import xgboost",
        "result = xgboost.XGBRegressor(n_estimators=3, max_depth=x).fit(np.arange(20.0)[:, None], np.arange(20.0) ** 2)",
        "assert type(result) is type(ans)\nnp.testing.assert_allclose(result.predict([[3.0]]), ans.predict([[3.0]]))\n"
        "assert result.get_params()['max_depth'] == ans.get_params()['max_depth']",
        (
            "result = xgboost.XGBRegressor(n_estimators=1, max_depth=x).fit(np.arange(20.0)[:, None], np.arange(20.0) ** 2)",
        ),
        inputs=("2",),
        needs=("xgboost",),
        runtimes=("ds1000",),
    ),
    Problem(
        "results of statsmodels",
        _SKLEARN + "import statsmodels.api as sm\nimport statsmodels.formula.api as smf",
        "result = [sm.OLS(y, sm.add_constant(X)).fit(), smf.ols('b ~ a', pd.DataFrame({'a': X[:, 0], 'b': X[:, 1]})).fit()]",
        "assert [type(a) for a in result] == [type(a) for a in ans]\nnp.testing.assert_allclose(result[0].params, ans[0].params)\n"
        "np.testing.assert_allclose(result[0].pvalues, ans[0].pvalues)\nassert result[0].rsquared == ans[0].rsquared\n"
        "np.testing.assert_allclose(result[1].params, ans[1].params)",
        (
            "result = [sm.OLS(y, X).fit(), smf.ols('b ~ a', pd.DataFrame({'a': X[:, 0], 'b': X[:, 1]})).fit()]",
        ),
        inputs=(_DATA,),
        names="X, y",
        needs=("statsmodels",),
        unsplit="a formula holds an environment in which it evaluates text",
        runtimes=("ds1000",),
    ),
)
