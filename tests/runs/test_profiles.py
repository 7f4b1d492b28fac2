"""Profiles set parameters, overrides replace them, and every fault is named at once."""

import pytest

from workbench.core.errors import SettingsError
from workbench.runs.profiles import PAPERS, PROFILES, settings


@pytest.mark.parametrize("paper", PAPERS)
@pytest.mark.parametrize("profile", PROFILES)
def test_every_profile_sets_every_parameter_to_a_value_it_accepts_itself(paper, profile):
    resolved = settings(paper, profile, {})
    assert list(resolved) == list(PAPERS[paper])
    assert settings(paper, profile, resolved) == resolved


def test_none_means_as_the_profile_says():
    assert settings("ds1000", "pocket", {"samples": None})["samples"] == 1


def test_an_override_replaces_the_profiles_value_and_nothing_else():
    plain, changed = settings("ds1000", "laptop", {}), settings("ds1000", "laptop", {"samples": 7})
    assert changed == plain | {"samples": 7}


@pytest.mark.parametrize("given", [["a", "b"], ("a", "b"), "a,b", " a , b ", '["a", "b"]'])
def test_lists_may_be_written_in_several_ways(given):
    assert settings("ds1000", "pocket", {"generators": given})["generators"] == ("a", "b")


def test_whole_numbers_are_numbers_and_words_of_digits_are_text():
    resolved = settings("ds1000", "pocket", {"timeout_s": 3, "problems": 2024})
    assert resolved["timeout_s"] == 3.0
    assert resolved["problems"] == "2024"


def test_all_faults_are_named_at_once_with_suggestions():
    with pytest.raises(SettingsError) as raised:
        settings("ds1000", "pokcet", {"sample": 3, "workers": 0, "samples": 1.5, "seed": True})
    got = raised.value.got
    assert "profile 'pokcet' (did you mean 'pocket'?)" in got
    assert "parameter 'sample' (did you mean 'samples'?)" in got
    assert "workers=0 (needs at least 1)" in got
    assert "samples=1.5 (needs a whole number)" in got
    assert "seed=True (needs a whole number)" in got


@pytest.mark.parametrize("value", [float("inf"), float("-inf"), float("nan")])
@pytest.mark.parametrize("name", ["samples", "timeout_s"])
def test_numbers_are_finite(name, value):
    with pytest.raises(SettingsError, match="needs a finite number"):
        settings("ds1000", "pocket", {name: value})


@pytest.mark.parametrize("value", ["", "[", [], [1]])
def test_a_list_without_names_is_refused(value):
    with pytest.raises(SettingsError, match="needs a list"):
        settings("ds1000", "pocket", {"generators": value})


def test_a_notebook_without_a_table_keeps_its_own_values():
    assert settings("mine", "pocket", {"x": 1, "y": None}) == {"x": 1, "y": None}
