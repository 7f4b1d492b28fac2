"""Problems whose results are figures: compared as pictures, and where those differ as figures."""

# ruff: noqa: E501 (programs stand as they are run)

from __future__ import annotations

from sandbox_families.form import Problem

__all__ = ["PICTURES"]

_SEABORN = {"needs": ("seaborn",), "runtimes": ("ds1000",)}

PICTURES = (
    Problem(
        "lines, labels and a legend",
        "",
        "plt.plot(np.arange(5), np.arange(5) ** 2, 'r--', lw=3, marker='o', label='squares')\nplt.xlabel('n')\nplt.title('Numbers')\nplt.legend(loc='upper left')",
        """
        line = ax.get_lines()[0]
        assert line.get_linestyle() == '--' and line.get_linewidth() == 3 and line.get_color() in ('r', 'red')
        assert ax.get_legend().get_texts()[0].get_text() == 'squares' and ax.get_legend()._loc == 2
        assert ax.get_xlabel() == 'n' and ax.get_title() == 'Numbers'
        """,
        (
            "plt.plot(np.arange(5), np.arange(5) ** 2, 'r-', lw=3, marker='o', label='squares')\nplt.xlabel('n')\nplt.title('Numbers')\nplt.legend(loc='upper left')",
            "pass",
        ),
        picture=True,
    ),
    Problem(
        "bars, ticks and scales",
        "",
        "plt.bar(['a', 'b', 'c'], [1, 10, 100], color=['red', 'green', 'blue'])\nplt.yscale('log')\nplt.xticks(rotation=45)\nplt.grid(axis='y')",
        """
        assert [round(p.get_height()) for p in ax.patches] == [1, 10, 100] and ax.get_yscale() == 'log'
        assert [t.get_text() for t in ax.get_xticklabels()] == ['a', 'b', 'c'] and ax.get_xticklabels()[0].get_rotation() == 45
        assert [p.get_facecolor()[0] for p in ax.patches] == [1.0, 0.0, 0.0]
        """,
        (
            "plt.bar(['a', 'b', 'c'], [1, 10, 100], color=['red', 'green', 'blue'])\nplt.xticks(rotation=45)\nplt.grid(axis='y')",
        ),
        picture=True,
    ),
    Problem(
        "several axes",
        "",
        "figure, axes = plt.subplots(2, 2, sharex=True, figsize=(6, 5))\naxes[0, 1].scatter([1, 2], [3, 4], c=[0.1, 0.9], cmap='viridis')\n"
        "axes[1, 0].hist([1, 1, 2], bins=2)\ntwin = axes[0, 0].twinx()\ntwin.plot([1, 2], [5, 3])\nfigure.suptitle('All')",
        """
        assert len(fig.axes) == 5 and fig._suptitle.get_text() == 'All' and tuple(fig.get_size_inches()) == (6, 5)
        assert len(fig.axes[1].collections) == 1 and len(fig.axes[2].patches) == 2 and len(fig.axes[4].lines) == 1
        assert fig.axes[1].collections[0].get_cmap().name == 'viridis'
        """,
        ("figure, axes = plt.subplots(2, 2, sharex=True, figsize=(6, 5))",),
        picture=True,
    ),
    Problem(
        "an image with its colour bar",
        "",
        "plt.imshow(np.arange(12).reshape(3, 4), cmap='gray', extent=(0, 4, 0, 3))\nplt.colorbar(label='depth')",
        """
        assert len(fig.axes) == 2 and fig.axes[1].get_ylabel() == 'depth'
        image = fig.axes[0].images[0]
        assert image.get_cmap().name == 'gray' and image.get_extent() == [0, 4, 0, 3] or tuple(image.get_extent()) == (0, 4, 0, 3)
        assert image.get_array().sum() == 66
        """,
        ("plt.imshow(np.arange(12).reshape(3, 4), cmap='gray', extent=(0, 4, 0, 3))",),
        picture=True,
    ),
    Problem(
        "dates, notes and arrows",
        "import datetime",
        "plt.plot([datetime.date(2024, 1, d) for d in (1, 15, 31)], [1, 3, 2])\n"
        "plt.annotate('top', (datetime.date(2024, 1, 15), 3), xytext=(0.5, 0.5), textcoords='axes fraction', arrowprops={'arrowstyle': '->'})\n"
        "plt.axhline(2, ls=':')\nplt.fill_between([19723, 19730], [1, 2], alpha=0.3)\nplt.text(19725, 1.5, 'x$^2$')",
        """
        assert [t.get_text() for t in ax.texts] == ['top', 'x$^2$'] and len(ax.lines) == 2 and len(ax.collections) == 1
        assert ax.lines[1].get_ydata()[0] == 2 and ax.texts[0].arrow_patch is not None and ax.collections[0].get_alpha() == 0.3
        """,
        ("plt.plot([datetime.date(2024, 1, d) for d in (1, 15, 31)], [1, 3, 2])",),
        picture=True,
    ),
    Problem(
        "polar, solid and box plots",
        "",
        "plt.figure(figsize=(9, 3))\nplt.subplot(131, projection='polar').plot([0, 1, 2], [1, 2, 3])\n"
        "plt.subplot(132, projection='3d').plot([0, 1], [0, 1], [0, 1])\nplt.subplot(133).boxplot([[1, 2, 9], [3, 4, 5]])",
        "assert [a.name for a in fig.axes] == ['polar', '3d', 'rectilinear'] and len(ax.lines) == 14 and len(fig.axes[0].lines) == 1",
        ("plt.figure(figsize=(9, 3))\nplt.subplot(131).plot([0, 1, 2], [1, 2, 3])",),
        picture=True,
    ),
    Problem(
        "figures, axes and legends as results",
        "import matplotlib.pyplot as plt",
        "figure, ax = plt.subplots()\nlines = ax.plot(x, label='a')\nresult = [figure, ax, ax.legend(), lines[0], ax.get_xlim()]",
        """
        assert all(isinstance(a, type(b)) for a, b in zip(result, ans))
        assert result[1].lines[0].get_ydata().tolist() == ans[1].lines[0].get_ydata().tolist() and result[4] == ans[4]
        assert result[2].get_texts()[0].get_text() == 'a' and result[0].axes[0] == result[1] and result[1].lines[0] == result[3]
        """,
        (
            "figure, ax = plt.subplots()\nlines = ax.plot(x[::-1], label='a')\nresult = [figure, ax, ax.legend(), lines[0], ax.get_xlim()]",
        ),
        inputs=("[1, 2, 4]",),
    ),
    Problem(
        "colours, norms and transforms as results",
        "import matplotlib as mpl\nimport numpy as np\nfrom matplotlib import colors, patches, path, transforms",
        "result = [mpl.colormaps['viridis'], colors.ListedColormap(['red', 'blue']), colors.Normalize(0, x), colors.LogNorm(1, 10), "
        "patches.Rectangle((0, 0), 1, x), path.Path([[0, 0], [1, x]]), transforms.Affine2D().scale(x)]",
        """
        assert all(isinstance(a, type(b)) for a, b in zip(result, ans, strict=True))
        assert result[0](0.3) == ans[0](0.3) and result[1](1) == ans[1](1) and result[2](1.0) == ans[2](1.0) and result[3](3.0) == ans[3](3.0)
        assert result[4].get_height() == ans[4].get_height() and (result[5].vertices == ans[5].vertices).all()
        assert (result[6].get_matrix() == ans[6].get_matrix()).all()
        """,
        (
            "result = [mpl.colormaps['plasma'], colors.ListedColormap(['red', 'blue']), colors.Normalize(0, x), colors.LogNorm(1, 10), "
            "patches.Rectangle((0, 0), 1, x), path.Path([[0, 0], [1, x]]), transforms.Affine2D().scale(x)]",
        ),
        inputs=("2", "5"),
    ),
    Problem(
        "a grid of seaborn",
        "import pandas as pd\nimport seaborn as sns",
        "data = pd.DataFrame({'g': list('abab'), 'v': [1, 2, 3, 4], 'w': [4, 3, 2, 1]})\nsns.catplot(x='g', y='v', data=data, kind='bar', errorbar=None)",
        "assert [round(float(p.get_height()), 6) for p in ax.patches[:2]] == [2, 3] and ax.get_xlabel() == 'g'",
        (
            "data = pd.DataFrame({'g': list('abab'), 'v': [1, 2, 3, 4], 'w': [4, 3, 2, 1]})\nsns.catplot(x='g', y='w', data=data, kind='bar', errorbar=None)",
        ),
        picture=True,
        **_SEABORN,
    ),
    Problem(
        "a grid of seaborn as a result",
        "import pandas as pd\nimport seaborn as sns",
        "result = sns.FacetGrid(pd.DataFrame({'g': list('abab'), 'v': x}), col='g')\nresult.map(sns.histplot, 'v')",
        "assert isinstance(result, type(ans)) and result.axes.shape == ans.axes.shape == (1, 2) and list(result.axes_dict) == ['a', 'b']\n"
        "assert [p.get_height() for p in result.axes[0, 0].patches] == [p.get_height() for p in ans.axes[0, 0].patches]",
        (
            "result = sns.FacetGrid(pd.DataFrame({'g': list('aaab'), 'v': x}), col='g')\nresult.map(sns.histplot, 'v')",
        ),
        inputs=("[1, 2, 3, 5]",),
        **_SEABORN,
    ),
)
