"""Fresh libraries: of a small package made here, so that every name and every sentence is known."""

from __future__ import annotations

import importlib
import json
import re
import sys
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from workbench.core.errors import DataError, SettingsError
from workbench.libraries import FreshLibrary, load_library, make_library
from workbench.libraries.names import is_ordinary, make_names
from workbench.libraries.prose import Context, leftovers, rewrite_prose
from workbench.libraries.survey import Member, Module, Parameter, Survey
from workbench.sandbox import Sandbox
from workbench.sandbox.runtimes import Runtime, find_runtime

LINUX = pytest.mark.skipif(sys.platform != "linux", reason="the sandbox needs Linux")

ROOT = '''"""Toolchest: sums and shapes. See https://toolchest.example for more."""
from . import shapes
__version__ = "2.1"
__all__ = ["sumlist", "mean", "shapes", "LIMIT_MAX"]
LIMIT_MAX = 7

def sumlist(values, start=0, *, scaleby=1):
    """
    Add up the values.

    Works like the mean of `mean`, without dividing; see `toolchest.shapes.Boxlike` and :func:`mean`.

    Parameters
    ----------
    values : list
        What is added.
    start : int, optional
        Where `start` begins.

    Returns
    -------
    sumlist : int
        The total.

    See Also
    --------
    mean : divides.

    References
    ----------
    .. [1] The Toolchest manual, https://toolchest.example

    Examples
    --------
    >>> import toolchest as tc
    >>> tc.sumlist([1, 2],
    ...            3)
    6

    The mean is another thing.

    >>> from toolchest.shapes import Boxlike
    >>> Boxlike(tc.sumlist([1], start=1)).area()  # Boxlike has an area
    4
    """
    return (sum(values) + start) * scaleby

def mean(values):
    """Return the mean of the values: ``sumlist(values) / len(values)``."""
    return sumlist(values) / len(values)

def hidden_from_all():
    """Not listed, but documented and defined here."""

def _private():
    """No."""
'''
SHAPES = '''"""Shapes."""
import toolchest
__all__ = ["Boxlike", "flatten_it"]

class Boxlike:
    """A box, as `Boxlike` says.

    Examples
    --------
    >>> f"{toolchest.mean([1])}"
    '1.0'
    """
    def __init__(self, side):
        self.side = side
    def area(self):
        return self.side ** 2

def flatten_it(*rows, **options):
    """Flatten rows by BoxlikeResult."""
    return [item for row in rows for item in row]
'''
OLD = ["toolchest", "sumlist", "mean", "LIMIT_MAX", "shapes", "Boxlike", "flatten_it", "hidden_from_all"]


@pytest.fixture(scope="module")
def runtime(tmp_path_factory: pytest.TempPathFactory) -> Runtime:
    folder = tmp_path_factory.mktemp("site")
    (folder / "toolchest" / "_inner").mkdir(parents=True)
    (folder / "toolchest" / "__init__.py").write_text(ROOT)
    (folder / "toolchest" / "shapes.py").write_text(SHAPES)
    (folder / "toolchest" / "_inner" / "__init__.py").write_text("def secret(): ...\n")
    (folder / "toolchest" / "broken.py").write_text("raise SystemExit(3)\n")
    (folder / "nothing").mkdir()
    (folder / "nothing" / "__init__.py").write_text("_x = 1\n")
    return find_runtime("main").with_packages(folder)


@pytest.fixture(scope="module")
def library(runtime: Runtime, tmp_path_factory: pytest.TempPathFactory) -> FreshLibrary:
    return make_library("toolchest", out=tmp_path_factory.mktemp("fresh"), runtime=runtime)


@pytest.fixture(scope="module")
def changed(runtime: Runtime, tmp_path_factory: pytest.TempPathFactory) -> FreshLibrary:
    out = tmp_path_factory.mktemp("changed")
    return make_library("toolchest", out=out, runtime=runtime, seed=1, change_signatures=True)


@pytest.fixture
def imported(
    library: FreshLibrary, changed: FreshLibrary, runtime: Runtime, monkeypatch: pytest.MonkeyPatch
) -> Iterator[tuple[ModuleType, ModuleType]]:
    for folder in (*runtime.packages, str(library.folder / "package"), str(changed.folder / "package")):
        monkeypatch.syspath_prepend(folder)
    yield importlib.import_module(library.name), importlib.import_module(changed.name)
    roots = {library.name, changed.name, "toolchest"}
    for name in [name for name in sys.modules if name.partition(".")[0] in roots]:
        del sys.modules[name]


pytestmark = LINUX


def test_public_names_are_found_and_private_ones_are_not(library: FreshLibrary) -> None:
    assert sorted(library.names.words) == sorted(OLD)
    assert library.survey.version == "2.1"
    assert list(library.survey.modules) == ["toolchest", "toolchest.shapes"]


def test_new_names_are_their_own(library: FreshLibrary) -> None:
    words = library.names.words
    assert len(set(words.values())) == len(words)
    assert not set(words.values()) & set(words)
    assert words["Boxlike"][0].isupper()
    assert words["LIMIT_MAX"].isupper()
    assert all(re.fullmatch("[a-z]+", words[name]) for name in ("toolchest", "mean", "flatten_it"))


def test_same_seed_makes_the_same_library(library: FreshLibrary, runtime: Runtime, tmp_path: Path) -> None:
    again = make_library("toolchest", out=tmp_path / "again", runtime=runtime)
    other = make_library("toolchest", out=tmp_path / "other", runtime=runtime, seed=5)
    files = sorted(path.relative_to(again.folder) for path in again.folder.rglob("*") if path.is_file())
    assert [(library.folder / path).read_bytes() for path in files] == [
        (again.folder / path).read_bytes() for path in files
    ]
    assert not set(other.names.words.values()) & set(again.names.words.values())


def test_package_hands_out_the_old_objects(
    library: FreshLibrary, imported: tuple[ModuleType, ModuleType]
) -> None:
    words, fresh = library.names.words, imported[0]
    old = importlib.import_module("toolchest")
    assert getattr(fresh, words["sumlist"]) is old.sumlist
    assert getattr(fresh, words["LIMIT_MAX"]) == 7
    shapes = getattr(fresh, words["shapes"])
    assert getattr(shapes, words["Boxlike"])(3).area() == 9
    assert shapes.__name__ == library.names.path("toolchest.shapes")
    assert words["shapes"] in dir(fresh)
    with pytest.raises(AttributeError, match="has no attribute 'sumlist'"):
        fresh.sumlist  # noqa: B018


def test_package_is_imported_in_every_way(library: FreshLibrary, runtime: Runtime) -> None:
    words = library.names.words
    shapes, box = words["shapes"], words["Boxlike"]
    with Sandbox(library.runtime(runtime), workers=1) as sandbox:
        for program in (
            f"import {library.name}\nprint({library.name}.{shapes}.{box}(3).area())",
            f"import {library.name}.{shapes} as s\nprint(s.{box}(3).area())",
            f"from {library.name} import {shapes}\nprint({shapes}.{box}(3).area())",
            f"from {library.name}.{shapes} import {box} as b\nprint(b(3).area())",
            f"from {library.name}.{shapes} import *\nprint({box}(3).area())",
        ):
            verdict = sandbox.run(program)
            assert verdict.stdout == "9\n", (program, verdict)


def test_program_that_hides_the_original_cannot_import_it(library: FreshLibrary, runtime: Runtime) -> None:
    hide = f'__import__("{library.name}")._hide_original(globals())\n'
    new, words = library.name, library.names.words
    with Sandbox(library.runtime(runtime), workers=1) as sandbox:
        for line in ("import toolchest", "from toolchest import mean", "import toolchest.shapes as s"):
            verdict = sandbox.run(f"{hide}{line}")
            assert verdict.message == "ModuleNotFoundError: No module named 'toolchest'"
            inside = sandbox.run(f"{hide}def f():\n    {line.replace('*', 'mean')}\nf()")
            assert inside.message == verdict.message
        works = sandbox.run(f"{hide}import json, {new}\nprint({new}.{words['mean']}([1, 2]))")
        assert works.stdout == "1.5\n", works
        assert sandbox.run("import toolchest").passed  # only there


def test_changed_signatures_take_options_by_their_new_names(
    changed: FreshLibrary, imported: tuple[ModuleType, ModuleType]
) -> None:
    words, keywords = changed.names.words, changed.names.keywords
    add = getattr(imported[1], words["sumlist"])
    assert add([1, 2]) == 3
    assert add([1, 2], **{keywords["start"]: 4, keywords["scaleby"]: 2}) == 14
    assert add(**{keywords["values"]: [1]}) == 1
    with pytest.raises(TypeError, match=rf"{words['sumlist']}\(\) takes 1 positional arguments but 2 were"):
        add([1, 2], 4)
    with pytest.raises(TypeError, match="unexpected keyword argument 'start'"):
        add([1, 2], start=4)
    flatten = getattr(getattr(imported[1], words["shapes"]), words["flatten_it"])
    assert flatten([1], [2]) == [1, 2]  # takes any number of arguments: stays as it is


def test_documents_hold_no_old_name(library: FreshLibrary, changed: FreshLibrary) -> None:
    for made in (library, changed):
        ids = [one.id for one in made.documents]
        assert ids == [
            made.names.path(path)
            for path in (
                "toolchest.hidden_from_all", "toolchest.mean", "toolchest.sumlist",
                "toolchest.shapes.Boxlike", "toolchest.shapes.flatten_it",
            )
        ]  # fmt: skip
        for one in made.documents:
            assert not re.search(
                "toolchest|sumlist|boxlike|flatten_it|hidden_from_all|limit_max", one.text, re.I
            )
            assert "example" not in one.text.replace("## Examples", "")  # the address on the web


def test_document_reads_as_the_original_did(library: FreshLibrary) -> None:
    words = library.names.words
    text = {one.id: one.text for one in library.documents}[library.names.path("toolchest.sumlist")]
    new, add, box = library.name, words["sumlist"], words["Boxlike"]
    shapes, mean = words["shapes"], words["mean"]
    assert text.startswith(
        f"# {new}.{add}\n\n```python\n{new}.{add}(values, start=0, *, scaleby=1)\n```\n\nAdd up"
    )
    assert (
        f"Works like the mean of `{mean}`, without dividing; see `{new}.{shapes}.{box}` and `{mean}`." in text
    )
    assert "start : int, optional\n    Where `start` begins." in text
    assert f"## Returns\n\n{add} : int" in text
    assert "See Also" not in text
    assert "References" not in text
    assert text.endswith(
        f"```python\n>>> import {new}\n>>> {new}.{add}([1, 2],\n...            3)\n6\n\n"
        f"The mean is another thing.\n\n>>> from {new}.{shapes} import {box}\n"
        f">>> {box}({new}.{add}([1], start=1)).area()  # {box} has an area\n4\n```\n"
    )


def test_examples_that_cannot_be_renamed_are_dropped(library: FreshLibrary) -> None:
    texts = {one.id: one.text for one in library.documents}
    assert "Examples" not in texts[library.names.path("toolchest.shapes.Boxlike")]  # an f-string


def test_private_names_made_of_public_ones_are_renamed(library: FreshLibrary) -> None:
    text = {one.id: one.text for one in library.documents}[library.names.path("toolchest.shapes.flatten_it")]
    assert f"{library.names.words['Boxlike']}Result" in text


def test_changed_document_tells_the_new_convention(changed: FreshLibrary) -> None:
    path, keywords = changed.names.path("toolchest.sumlist"), changed.names.keywords
    found = {one.id: one for one in changed.documents}[path]
    start, values = keywords["start"], keywords["values"]
    assert found.signature == f"{path}({values}, *, {start}=0, {keywords['scaleby']}=1)"
    assert f"{start} : int, optional\n    Where `{start}` begins." in found.text
    add = changed.names.words["sumlist"]
    assert f">>> {changed.name}.{add}([1, 2],\n...            {start}=3)" in found.text


def test_library_is_loaded_as_it_was_made(library: FreshLibrary) -> None:
    loaded = load_library(library.folder)
    assert (loaded.names, loaded.survey) == (library.names, library.survey)
    names = json.loads((library.folder / "names.json").read_text())
    assert names["words"] == dict(library.names.words)


def test_given_names_are_used_and_the_rest_invented(runtime: Runtime, tmp_path: Path) -> None:
    made = make_library(
        "toolchest", rename={"toolchest": "kit", "mean": "middle"}, out=tmp_path, runtime=runtime
    )
    assert (made.name, made.names.words["mean"]) == ("kit", "middle")
    assert made.names.words["sumlist"] not in ("sumlist", "kit", "middle")
    assert (tmp_path / "package" / "kit" / "__init__.py").is_file()


@pytest.mark.parametrize(
    ("rename", "said"),
    [
        ({"maen": "x"}, "did you mean 'mean'"),
        ({"mean": "a b"}, "an identifier|a new identifier"),
        ({"mean": "print"}, "nothing else is called"),
        ({"mean": "sumlist"}, "nothing else is called"),
        ({"toolchest": "numpy"}, "'numpy', which is installed here"),
        ({"mean": "kit", "toolchest": "kit"}, "another new name for each"),
        ("random", '"auto"'),
    ],
)
def test_wrong_names_are_refused(rename: dict | str, said: str, runtime: Runtime, tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match=said):
        make_library("toolchest", rename=rename, out=tmp_path / "out", runtime=runtime)


@pytest.mark.parametrize(
    ("package", "error", "said"),
    [
        ("tool.chest", SettingsError, "top-level"),
        ("absent_package", DataError, "No module named"),
        ("nothing", DataError, "no public names"),
    ],
)
def test_package_that_cannot_be_surveyed(
    package: str, error: type[Exception], said: str, runtime: Runtime, tmp_path: Path
) -> None:
    with pytest.raises(error, match=said):
        make_library(package, out=tmp_path / "out", runtime=runtime)


@LINUX
def test_a_package_that_lies_where_only_this_process_finds_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As `pip install -e` and PYTHONPATH leave it: it is surveyed, and imported from under the new names."""
    monkeypatch.setenv("WORKBENCH_CACHE", str(tmp_path / "cache"))
    (tmp_path / "source" / "outerchest").mkdir(parents=True)
    (tmp_path / "source" / "outerchest" / "__init__.py").write_text(
        "def sumlist(values):\n    return sum(values)\n"
    )
    monkeypatch.syspath_prepend(str(tmp_path / "source"))
    made = make_library("outerchest", out=tmp_path / "out", rename={"sumlist": "zorpal"})
    with Sandbox(made.runtime(), workers=1) as box:
        verdict = box.run(f"import {made.name}\nprint({made.name}.zorpal([1, 2]))")
    assert verdict.stdout == "3\n", verdict


def test_folder_with_other_things_is_left_alone(runtime: Runtime, tmp_path: Path) -> None:
    (tmp_path / "thesis.tex").write_text("years of work")
    with pytest.raises(SettingsError, match="other things"):
        make_library("toolchest", out=tmp_path, runtime=runtime)
    assert (tmp_path / "thesis.tex").read_text() == "years of work"


def test_half_a_library_is_not_loaded(library: FreshLibrary, tmp_path: Path) -> None:
    (tmp_path / "names.json").write_text((library.folder / "names.json").read_text())
    with pytest.raises(DataError, match=r"library\.json"):
        load_library(tmp_path)


def small_survey() -> Survey:
    add = Member("function", "Add.", 0, (Parameter("x", "POSITIONAL_OR_KEYWORD"),), True)
    members = {"add_up": add, "mean": Member("function"), "Boxlike": Member("class")}
    return Survey("toolchest", "1", {"toolchest": Module("", members)})


@given(st.text(), st.integers(0, 3))
@settings(max_examples=200, deadline=None)
def test_prose_has_nothing_left_to_rename_whatever_it_is(text: str, seed: int) -> None:
    from workbench.libraries.resolving import Resolver

    survey = small_survey()
    context = Context(Resolver(survey, make_names(survey, None, seed, change_signatures=False)))
    for whole in (text, f"{text} toolchest.add_up(1) `mean` {text}", f"Toolchest{text}Boxlike"):
        renamed = rewrite_prose(whole, context)
        assert not leftovers(renamed, context)
        assert rewrite_prose(renamed, context) == renamed


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("the mean of a list", "the mean of a list"),
        ("call mean(x), or `mean`", "call {mean}(x), or `{mean}`"),
        ("x.mean() and x.add_up stay", "x.mean() and x.add_up stay"),
        ("add_up and add_up(1)", "{add_up} and {add_up}(1)"),
        ("toolchest.add_up.cache", "{toolchest}.{add_up}.cache"),
        ("Toolchest's, TOOLCHEST-like", "{Toolchest}'s, {Toolchest}-like"),
        ("a BoxlikeResult", "a {Boxlike}Result"),
    ],
)
def test_prose(before: str, after: str) -> None:
    from workbench.libraries.resolving import Resolver

    survey = small_survey()
    names = make_names(survey, None, 0, change_signatures=False)
    words = {**names.words, "Toolchest": names.fresh.capitalize()}
    assert rewrite_prose(before, Context(Resolver(survey, names))) == after.format(**words)


def test_ordinary_words() -> None:
    assert all(is_ordinary(word) for word in ("mean", "Mean", "sum", "e", "array"))
    assert not any(is_ordinary(word) for word in ("linregress", "csr_matrix", "argsort", "ttest_ind"))
