"""The libraries whose objects a result may hold: those that the tests import, and those that these are built on.

Never what only the answer imports: it would choose itself what its result is compared by. SymPy's numbers, for
one, make every comparison of numpy's true.
"""

from __future__ import annotations

import re

__all__ = ["imported_by"]

_IMPORT = re.compile(
    r"^[ \t]*(?:from[ \t]+([A-Za-z_]\w*)[\w.]*[ \t]+import\b|import[ \t]+([^#\n;]+))", re.MULTILINE
)
_BUILT_ON = {  # whose objects a library hands out as its own results; each is built on numpy itself
    "pandas": ("numpy", "dateutil", "pytz"),
    "scipy": ("numpy",),
    "sklearn": ("scipy", "pandas"),
    "matplotlib": ("numpy", "cycler", "mpl_toolkits"),
    "seaborn": ("matplotlib", "pandas"),
    "statsmodels": ("scipy", "pandas", "patsy"),
    "xgboost": ("sklearn",),
    "lightgbm": ("sklearn",),
    "imblearn": ("sklearn",),
    "tensorflow": ("keras", "numpy"),
    "torch": ("numpy",),
}


def imported_by(tests_source: str) -> frozenset[str]:
    """Return the top-level names of the libraries that a text imports anywhere, and of those they are built on."""
    found = {"numpy"}
    for module, several in _IMPORT.findall(tests_source):
        words = [module] if module else [each.split()[0] for each in several.split(",") if each.split()]
        found.update(word.partition(".")[0] for word in words)
    waiting = list(found)
    while waiting:
        more = set(_BUILT_ON.get(waiting.pop(), ())) - found
        found |= more
        waiting += more
    return frozenset(found)
