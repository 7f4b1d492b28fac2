"""Names and messages out of data neither steer the terminal nor push everything aside."""

import unicodedata

import pandas as pd
from click.testing import CliRunner
from hypothesis import given
from hypothesis import strategies as st

from workbench.core.errors import DataError, SettingsError
from workbench.core.terminal import echo, message, safe, short, show_line
from workbench.core.text_table import aligned
from workbench.papers.ds1000.summary import Score, Summary
from workbench.papers.ds1000.tables import text_table
from workbench.runs.showing import show_table

HOSTILE = "a\x1b]0;owned\x07\x1b[2J\u202eb\u2066c\r\nfix: rm -rf ~\x9b31m\u2028\ud800\u00ad"
STEERS = ("Cc", "Cf", "Cs", "Zl", "Zp")


def steers(text):
    return [
        letter
        for letter in text
        if letter not in "\n\t\u200c\u200d" and unicodedata.category(letter) in STEERS
    ]


@given(st.text(st.characters()))
def test_nothing_that_steers_is_left(text):
    assert not steers(safe(text))
    assert not {"\n", "\t"} & set(safe(text))
    assert not steers(message(text))
    assert len(short(text)) <= 60
    safe(text).encode()  # whatever the terminal's writer does with halves of surrogate pairs


def test_ordinary_text_stays_as_it_is():
    for text in ("pandas", "Ünïcödé 中文 עברית", "👩\u200d🔬", "a\N{NO-BREAK SPACE}b", 3.5):
        assert safe(text) == short(text) == message(text) == str(text)
    assert message("a\n\tb") == "a\n\tb"
    assert message("\x1b[31mred\x1b[0m") == "red"


def test_a_long_name_keeps_both_ends():
    assert short("models/" + "x" * 5000 + "-v2", 20) == "models/xxxxx…xxxx-v2"
    assert len(message("a " + "x" * 5000 + " b")) == 204


def test_an_error_names_hostile_things_on_its_own_lines():
    said = str(DataError(got=f"library {HOSTILE}", needed="a known one", fix="choose one"))
    assert not steers(said)
    assert [line.partition(":")[0] for line in said.splitlines() if not line.startswith(" ")] == [
        "got",
        "needed",
        "fix",
    ]
    assert len(str(SettingsError(got="x" * 5000, needed="", fix=""))) < 300


def test_a_table_is_no_wider_for_a_long_name():
    text = aligned([["", "pairs"], None, ["x" * 5000, "3"], [HOSTILE, "4"]])
    assert max(map(len, text.splitlines())) < 80
    assert not steers(text)
    assert len(text.splitlines()) == 4


def test_a_summarys_table_names_libraries_safely():
    empty = dict.fromkeys(("problems", "passed", "failed_execution", "failed_surface", "skipped"), 0)
    score = Score.__new__(Score)
    for name in Score.__dataclass_fields__:
        object.__setattr__(score, name, empty.get(name))
    object.__setattr__(score, "pass_at", {})
    summary = Summary.__new__(Summary)
    for name in Summary.__dataclass_fields__:
        object.__setattr__(summary, name, {})
    object.__setattr__(summary, "by_library", {HOSTILE: score, "y" * 5000: score})
    object.__setattr__(summary, "all", score)
    text = text_table(summary)
    assert not steers(text)
    assert max(map(len, text.splitlines())) < 200


def test_what_runs_show_is_safe(capsys):
    hostile = HOSTILE.replace("\ud800", "")  # which pandas does not hold
    frame = pd.DataFrame({hostile: [hostile], "y" * 5000: ["z" * 5000]}, index=[hostile])
    show_line(HOSTILE)
    show_table(frame, HOSTILE)
    said = capsys.readouterr().out
    assert not steers(said)
    assert max(map(len, said.splitlines())) < 400


def test_a_command_prints_safely():
    import click

    @click.command()
    def command():
        echo(HOSTILE)

    assert not steers(CliRunner().invoke(command).output)
