"""Hands a package's objects out under new names, when they are first asked for.

A copy of this file lies in every package that `make_library` writes. It stands alone; Python 3.10 on.
"""

import builtins
import functools
import importlib
import sys
import warnings

_HIDDEN: list[tuple[str, dict]] = []  # the namespaces of programs that may not import the package underneath


def lazily(module, original, names, submodules, conventions):
    """Return the `__getattr__` and `__dir__` of a module.

    Args:
        module: Its name.
        original: The name of the module underneath.
        names: New names of its members, with the old ones.
        submodules: New names of its submodules.
        conventions: By new name, those functions that are called in a way of their own: how many arguments come by
            position, and the new names of all parameters with the old ones.
    """

    def __getattr__(name):
        if name in submodules:
            return importlib.import_module(f"{module}.{name}")
        if name not in names:
            raise AttributeError(f"module {module!r} has no attribute {name!r}")
        value = getattr(_find(original), names[name])
        if name in conventions:
            value = _called_otherwise(value, f"{module}.{name}", *conventions[name])
        setattr(sys.modules[module], name, value)
        return value

    return __getattr__, lambda: sorted([*names, *submodules])


def _find(path):
    """Import a module, or reach it through its parent: some are attributes only."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            return importlib.import_module(path)
        except ModuleNotFoundError:
            parent, _, name = path.rpartition(".")
            if not parent:
                raise
            return getattr(_find(parent), name)


def _called_otherwise(function, path, positional, parameters):
    """Put another calling convention on a function: so many arguments by position, the others by new names."""
    name = path.rpartition(".")[2]

    @functools.wraps(function)
    def called(*arguments, **keywords):
        if len(arguments) > positional:
            raise TypeError(
                f"{name}() takes {positional} positional arguments but {len(arguments)} were given"
            )
        for keyword in keywords:
            if keyword not in parameters:
                raise TypeError(f"{name}() got an unexpected keyword argument {keyword!r}")
        return function(*arguments, **{parameters[keyword]: value for keyword, value in keywords.items()})

    called.__name__ = called.__qualname__ = name
    called.__module__ = path.rpartition(".")[0]
    called.__doc__ = None  # the original's tells the old names
    del called.__wrapped__  # `inspect.signature` would tell the old parameters
    return called


def hide(original, namespace):
    """Keep a program from importing the package underneath: there it is as if it were not installed.

    Only `import` statements of that namespace are concerned. What the program means to use has its new name; what
    reaches around that, through `sys.modules` say, is not stopped.
    """
    if not _HIDDEN:
        builtins.__import__ = _guarded(builtins.__import__)
    _HIDDEN.append((original, namespace))


def _guarded(real):
    def __import__(name, globals=None, locals=None, fromlist=(), level=0):
        root = name.partition(".")[0]
        # a compiled function imports with the namespace of whoever called it, and a list; a statement has no list
        by_statement = fromlist is None or isinstance(fromlist, tuple)
        for original, namespace in _HIDDEN:
            if root == original and globals is namespace and by_statement:
                raise ModuleNotFoundError(f"No module named {root!r}", name=root)
        return real(name, globals, locals, fromlist, level)

    return __import__
