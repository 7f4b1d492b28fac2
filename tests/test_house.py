"""The tree says what the system is: who may import whom, and no import goes around in a circle."""

import ast
from collections import defaultdict
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
LAYERS = (
    ("core",),
    ("store",),
    ("sandbox", "datasets"),
    ("models", "languages"),
    ("generators",),
    ("rewards", "retrieval"),
    ("training", "libraries", "preferences", "policies"),
    ("worlds", "plots"),
    ("runs",),
    ("explore",),
    ("papers",),
    ("recipes", "benchmarks", "doctor", "evaluation"),
    ("cli",),
)
"""From the ground up: a package imports from layers below its own, and from itself."""
RANKS = {package: rank for rank, layer in enumerate(LAYERS) for package in layer}


def modules(root):
    """Return every module's file by its dotted name, packages included."""
    found = {}
    for file in sorted((root / "workbench").rglob("*.py")):
        parts = file.relative_to(root).with_suffix("").parts
        found[".".join(parts[:-1] if parts[-1] == "__init__" else parts)] = file
    return found


def imports(root):
    """Return what each module imports of ours: at its top, in functions, and for typing alike."""
    known, found = modules(root), defaultdict(set)
    for name, file in known.items():
        package = name if file.name == "__init__.py" else name.rpartition(".")[0]
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
            homes = {home(target, known) for target in targets(node, package)}
            found[name] |= homes - {"", name}
    return found


def home(target, known):
    """Return the module that a dotted name is, or lies in; empty for what is not ours."""
    while target and target not in known:
        target = target.rpartition(".")[0]
    return target


def targets(node, package):
    """Return the dotted names that an import names; no others have any."""
    if isinstance(node, ast.Import):
        return [alias.name for alias in node.names]
    if not isinstance(node, ast.ImportFrom):
        return []
    above = package.split(".")[: len(package.split(".")) - node.level + 1] if node.level else []
    base = ".".join([*above, *([node.module] if node.module else [])])
    return [f"{base}.{alias.name}" for alias in node.names]


def package_of(module):
    return module.split(".")[1] if "." in module else ""


def entry_point(module):
    """Tell a `__main__`, which is started and imported by nobody: it may reach for the command line above it."""
    return module.endswith(".__main__")


@pytest.fixture(scope="module")
def graph():
    return imports(ROOT)


def test_every_package_has_its_layer():
    packages = {package_of(name) for name in modules(ROOT)} - {""}
    assert packages == set(RANKS)


def test_a_package_imports_only_from_layers_below(graph):
    upward = [
        f"{module} -> {target}"
        for module, found in sorted(graph.items())
        for target in sorted(found)
        if package_of(module) not in ("", package_of(target)) and not entry_point(module)
        if package_of(target) and RANKS[package_of(module)] <= RANKS[package_of(target)]
    ]
    assert not upward, "imports against the layers:\n" + "\n".join(upward)


def test_no_paper_imports_another(graph):
    across = [
        f"{module} -> {target}"
        for module, found in sorted(graph.items())
        for target in sorted(found)
        if package_of(module) == package_of(target) == "papers"
        if len(module.split(".")) > 2
        and len(target.split(".")) > 2
        and module.split(".")[2] != target.split(".")[2]
    ]
    assert not across, "\n".join(across)


def test_no_module_is_reached_by_its_own_imports(graph):
    circles = [module for module in sorted(graph) if module in reachable(graph, module)]
    assert not circles, "modules in circles:\n" + "\n".join(circles)


def reachable(graph, start):
    seen, waiting = set(), list(graph.get(start, ()))
    while waiting:
        module = waiting.pop()
        if module not in seen:
            seen.add(module)
            waiting.extend(graph.get(module, ()))
    return seen


def test_the_check_sees_a_circle_that_is_hidden_in_a_function(tmp_path):
    package = tmp_path / "workbench" / "core"
    package.mkdir(parents=True)
    (package / "one.py").write_text("def f():\n    from workbench.core import two\n")
    (package / "two.py").write_text("from .one import f\n")
    graph = imports(tmp_path)
    assert "workbench.core.one" in reachable(graph, "workbench.core.one")
