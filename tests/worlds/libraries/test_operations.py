"""The operations: what they compute, and which words are shared by names, documents and questions."""

import ast
import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from workbench.worlds.libraries.operations import OPERATIONS

VALUES = [3, -4, 8, 5, 1, 12, -7, 2]

EXPECTED = {
    "reverse": [2, -7, 12, 1, 5, 8, -4, 3],
    "descend": [12, 8, 5, 3, 2, 1, -4, -7],
    "accumulate": [3, -1, 7, 12, 13, 25, 18, 20],
    "differences": [-7, 12, -3, -4, 11, -19, 9],
    "pairsums": [-1, 4, 13, 6, 13, 5, -5],
    "evens": [-4, 8, 12, 2],
    "halve": [1, -2, 4, 2, 0, 6, -4, 1],
    "alternate": [3, 8, 1, -7],
    "maxima": [3, 3, 8, 8, 8, 12, 12, 12],
    "swap_ends": [2, -4, 8, 5, 1, 12, -7, 3],
    "divide": [1, -2, 2, 1, 0, 4, -3, 0],
    "remainder": [0, 2, 2, 2, 1, 0, 2, 2],
    "take_last": [12, -7, 2],
    "drop_last": [3, -4, 8, 5, 1],
    "above": [8, 5, 12],
    "rotate": [5, 1, 12, -7, 2, 3, -4, 8],
    "stride": [3, 5, -7],
    "cap": [3, -4, 3, 3, 1, 3, -7, 2],
    "intersperse": [3, 3, -4, 3, 8, 3, 5, 3, 1, 3, 12, 3, -7, 3, 2],
    "windows": [7, 9, 14, 18, 6, 7],
}
"""By hand, with 3 as the number where there is one."""


@pytest.mark.parametrize("name", EXPECTED)
def test_computes(name):
    assert OPERATIONS[name](VALUES, 3) == EXPECTED[name]


def test_no_two_do_the_same():
    results = [tuple(operation(VALUES, 3)) for operation in OPERATIONS.values()]
    assert len(set(results)) == len(OPERATIONS) == 44


@given(st.lists(st.integers(-20, 20), max_size=9), st.integers(1, 9))
def test_whatever_the_list_the_result_is_a_list_and_the_list_stays(values, number):
    for operation in OPERATIONS.values():
        given_values = list(values)
        result = operation(given_values, number)
        assert all(type(value) is int for value in result)
        assert given_values == values


def test_who_asks_does_not_use_the_words_of_the_familiar_name():
    for operation in OPERATIONS.values():
        asked = set(" ".join(operation.questions).split())
        assert not asked & set(operation.familiar.split("_")), operation.familiar


def test_every_document_holds_the_words_of_the_familiar_name_until_it_is_stripped():
    for operation, place in itertools.product(OPERATIONS.values(), (0, 1)):
        document, familiar = operation.documents[place], set(operation.familiar.split("_"))
        assert familiar <= set(document.split())
        assert not familiar & set(operation.stripped(document).split())


def test_stripped_documents_still_tell_the_operations_apart():
    stripped = [operation.stripped(text) for operation in OPERATIONS.values() for text in operation.documents]
    assert len(set(stripped)) == len(stripped)
    assert all(stripped)


def test_the_number_is_asked_for_where_one_is_taken_and_nowhere_else():
    for operation in OPERATIONS.values():
        says = {"{k}" in question for question in operation.questions}
        assert says == {operation.takes_number}
        read = {node.id for node in ast.walk(ast.parse(operation.body)) if isinstance(node, ast.Name)}
        assert operation.takes_number == ("k" in read)
