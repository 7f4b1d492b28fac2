"""Fictional libraries: their names, their source, and the errors that tell how a function is called."""

from random import Random

import pytest

from workbench.core.errors import SettingsError
from workbench.worlds.libraries.library import CONVENTIONS, Function, Library, invent_library, names
from workbench.worlds.libraries.operations import OPERATIONS


def library(*made):
    """Make a library of (operation, name, convention)."""
    functions = [Function(name, OPERATIONS[o], c, OPERATIONS[o].documents[0]) for o, name, c in made]
    return Library("test", tuple(functions))


def run(source, program, values=(3, -4, 8)):
    environment = {}
    exec(f"{source}\nx = {list(values)}\n{program}", environment)
    return environment["x"]


def test_training_and_unseen_names_have_nothing_in_common():
    assert not set(names("training")) & set(names("unseen"))
    assert len(names("unseen")) > 700 and len(names("training")) > 3000


@pytest.mark.parametrize("convention", CONVENTIONS)
def test_a_function_works_when_called_as_it_wants_and_complains_otherwise(convention):
    made = library(("increase", "zumi", convention))
    (function,) = made.functions
    for tried in CONVENTIONS:
        if tried == convention:
            assert run(made.source, function.call(2, tried)) == [5, -2, 10]
        else:
            with pytest.raises(TypeError) as caught:
                run(made.source, function.call(2, tried))
            assert f"TypeError: {caught.value}" == function.complaint


def test_a_function_without_number_complains_of_one():
    made = library(("reverse", "zumi", "none"))
    assert run(made.source, "x = zumi(x)") == [8, -4, 3]
    with pytest.raises(TypeError, match="zumi takes no number"):
        run(made.source, "x = zumi(x, 2)")


def test_calls_are_written_as_python():
    first, by, none = library(
        ("increase", "zumi", "first"), ("cap", "zuzu", "by"), ("sort", "mimi", "none")
    ).functions
    assert (first.call(3), by.call(3), none.call(None)) == (
        "x = zumi(3, x)",
        "x = zuzu(x, by=3)",
        "x = mimi(x)",
    )
    assert first.call(3, "last") == "x = zumi(x, 3)"


def test_a_document_tells_what_a_function_does_but_not_how_it_is_called():
    made = library(("increase", "zumi", "first"), ("increase", "zuzu", "by"))
    first, second = (function.document for function in made.functions)
    assert first == "increase by a positive offset: zumi"
    assert second == first.replace("zumi", "zuzu")


def test_stripping_takes_the_familiar_words_from_the_documents_and_nothing_else():
    made = invent_library(Random(1))
    stripped = made.stripped()
    assert stripped.source == made.source
    for function, bare in zip(made.functions, stripped.functions, strict=True):
        assert bare.name == function.name
        assert not set(bare.description.split()) & set(function.operation.familiar.split("_"))


def test_the_same_seed_invents_the_same_library_and_another_one_another():
    assert invent_library(Random(1)) == invent_library(Random(1)) != invent_library(Random(2))


def test_libraries_on_one_benchmark_share_no_names():
    first = invent_library(Random(1))
    taken = [function.name for function in first.functions]
    second = invent_library(Random(1), taken=taken)
    assert not {function.name for function in second.functions} & set(taken)


def test_conventions_are_all_in_use():
    conventions = [f.convention for s in range(5) for f in invent_library(Random(s)).functions]
    assert set(conventions) == {*CONVENTIONS, "none"}


def test_more_functions_than_operations_are_refused():
    with pytest.raises(SettingsError, match="size=45"):
        invent_library(Random(0), size=45)
