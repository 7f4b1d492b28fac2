"""Lists a package's public names, from inside the sandbox: the package's name comes in, JSON goes out.

Stands alone; Python 3.10 on.
"""

import contextlib
import functools
import importlib
import inspect
import io
import json
import pkgutil
import sys
import types
import warnings
from collections.abc import Callable
from typing import Any

_NOT_API = {"tests", "conftest", "setup", "__main__"}
_NOTHING = object()
_LONGEST_DEFAULT = 60


class Surveyor:
    """Looks through a package.

    Args:
        package: Its name.
    """

    def __init__(self, package: str) -> None:
        self._package = package
        self._numbers: dict[int, int] = {}
        self._met: list[Any] = []  # kept alive, so that no two objects have one id

    def survey(self, root: types.ModuleType) -> dict:
        """List public modules and their members, breadth first: what is offered twice counts where it is first.

        A submodule is public where its parent's `__all__` names it, or where it has an `__all__` of its own and
        offers something that was not seen before.
        """
        modules: dict[str, dict] = {}
        waiting = [(self._package, root, True)]
        seen_modules: set[int] = set()
        seen_members: set[int] = set()
        while waiting:
            path, module, listed = waiting.pop(0)
            if id(module) in seen_modules:
                continue
            seen_modules.add(id(module))
            members, below = self._contents(path, module)
            new = {member["identity"] for member in members.values()} - seen_members
            if listed or (hasattr(module, "__all__") and new):
                modules[path] = {"doc": inspect.getdoc(module) or "", "members": members}
                seen_members |= new
                waiting += below
        filled = {
            path
            for path in modules
            if any(modules[module]["members"] for module in modules if _within(module, path))
        }
        return {path: module for path, module in modules.items() if path in filled or path.count(".") <= 1}

    def _contents(self, path: str, module: types.ModuleType) -> tuple[dict, list]:
        """Return a module's members by name, and its submodules as (path, module, whether `__all__` lists it)."""
        listed = set(getattr(module, "__all__", ()))
        offered = {id(value) for value in (vars(module).get(name) for name in listed) if callable(value)}
        members: dict[str, dict] = {}
        below: list[tuple[str, types.ModuleType, bool]] = []
        for name in sorted(name for name in listed | set(vars(module)) if isinstance(name, str)):
            if name.startswith("_") or name in _NOT_API:
                continue
            value = _value(module, name)
            if isinstance(value, types.ModuleType):
                here = name in listed or value.__name__ == f"{path}.{name}"
                if here and value.__name__.partition(".")[0] == self._package:
                    below.append((f"{path}.{name}", value, name in listed))
            elif value is not _NOTHING and (
                name in listed or id(value) in offered or self._is_own(value, module)
            ):
                members[name] = self._member(value)
        return members, below + self._not_imported_yet(path, module, {one[0] for one in below})

    def _not_imported_yet(self, path: str, module: types.ModuleType, known: set[str]) -> list:
        found = []
        for name in (one.name for one in pkgutil.iter_modules(getattr(module, "__path__", []))):
            full = f"{path}.{name}"
            if full in known or name.startswith("_") or name in _NOT_API:
                continue
            try:
                found.append((full, _strictly(functools.partial(importlib.import_module, full)), False))
            except BaseException:  # optional parts fail in any way, `sys.exit` included
                continue
        return found

    def _is_own(self, value: Any, module: types.ModuleType) -> bool:
        """Whether a name that no `__all__` lists is public all the same: defined here, with a docstring."""
        home = getattr(value, "__module__", None)
        if not hasattr(module, "__all__"):
            return isinstance(home, str) and home.partition(".")[0] == self._package
        return home == module.__name__ and callable(value) and bool(inspect.getdoc(value))

    def _member(self, value: Any) -> dict:
        kind = "class" if inspect.isclass(value) else "function" if callable(value) else "value"
        of_type = kind == "value" and isinstance(value, (str, int, float, complex, tuple, list, dict))
        self._met.append(value)
        found: dict[str, Any] = {
            "kind": kind,
            "doc": "" if of_type else inspect.getdoc(value) or "",
            "identity": self._numbers.setdefault(id(value), len(self._numbers)),
            "parameters": None,
            "plain": False,
        }
        try:
            parameters = list(inspect.signature(value).parameters.values())
        except (ValueError, TypeError):
            return found
        found["parameters"] = [
            {"name": parameter.name, "kind": parameter.kind.name, "default": _default(parameter)}
            for parameter in parameters
        ]
        # a function proper, or a decorated one: no class, no ufunc
        is_wrapped = kind == "function" and hasattr(value, "__wrapped__")
        found["plain"] = isinstance(inspect.unwrap(value) if is_wrapped else value, types.FunctionType)
        return found


def _within(path: str, parent: str) -> bool:
    return path == parent or path.startswith(parent + ".")


def _value(module: types.ModuleType, name: str) -> Any:
    try:
        return _strictly(functools.partial(getattr, module, name))
    except Exception:  # deprecated, or lazily loaded and not there
        return _NOTHING


def _strictly(get: Callable[[], Any]) -> Any:
    """Call; what is only there with a warning that it will go is not public."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        warnings.simplefilter("error", DeprecationWarning)
        return get()


def _default(parameter: inspect.Parameter) -> Any:
    if parameter.default is parameter.empty:
        return None
    try:
        text = repr(parameter.default)
    except Exception:
        return "..."
    # an object's address changes from run to run
    return "..." if " at 0x" in text or len(text) > _LONGEST_DEFAULT else text


def main() -> None:
    """Print what the package offers."""
    package = sys.stdin.read().strip()
    real = sys.stdout
    with contextlib.redirect_stdout(io.StringIO()):  # some modules greet whoever imports them
        root = importlib.import_module(package)
        modules = Surveyor(package).survey(root)
    version = str(getattr(root, "__version__", ""))
    json.dump({"package": package, "version": version, "modules": modules}, real)


if __name__ == "__main__":
    main()
