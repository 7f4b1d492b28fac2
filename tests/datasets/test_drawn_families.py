"""Families are drawn whole, the same ones each time, and a larger draw holds every smaller one."""

from dataclasses import replace
from itertools import pairwise

import pytest
from ds1000_rows import plain_problem

from workbench.core.errors import SettingsError
from workbench.datasets import draw_families


def family(number, variants):
    """Return an Origin with its variants; ids count from 10 times its number."""
    origin = plain_problem(10 * number)
    kinds = ("Surface", "Semantic", "Difficult-Rewrite")[:variants]
    return [
        origin,
        *(
            replace(
                plain_problem(10 * number + place), perturbation_type=kind, perturbation_origin_id=10 * number
            )
            for place, kind in enumerate(kinds, start=1)
        ),
    ]


PROBLEMS = [*family(0, 2), *family(1, 0), *family(2, 1), *family(3, 3), *family(4, 1)]


def ids(problems):
    return [problem.problem_id for problem in problems]


def test_a_draw_holds_whole_families_in_the_order_of_the_problems():
    for count in (1, 2, 3, 4):
        drawn = ids(draw_families(PROBLEMS, count))
        origins = {number // 10 for number in drawn}
        assert len(origins) == count
        assert drawn == [number for number in ids(PROBLEMS) if number // 10 in origins]


def test_an_origin_without_variants_is_never_drawn():
    assert ids(draw_families(PROBLEMS, 4)) == [number for number in ids(PROBLEMS) if number != 10]


def test_a_larger_draw_holds_every_smaller_one_and_the_order_of_problems_does_not_matter():
    draws = [set(ids(draw_families(PROBLEMS, count))) for count in (1, 2, 3, 4)]
    assert all(small < large for small, large in pairwise(draws))
    assert set(ids(draw_families(PROBLEMS[::-1], 2))) == draws[1]


def test_a_seed_decides_which():
    assert len({tuple(ids(draw_families(PROBLEMS, 1, seed=seed))) for seed in range(20)}) == 4


def test_none_asked_for_means_all_problems():
    assert draw_families(PROBLEMS, 0) == PROBLEMS


@pytest.mark.parametrize("count", [-1, 5])
def test_a_number_that_cannot_be_had_is_refused(count):
    with pytest.raises(SettingsError, match=rf"{count} families(?s:.*)0 \(all problems\) to 4"):
        draw_families(PROBLEMS, count)
