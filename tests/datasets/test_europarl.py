"""Europarl: which sentences are drawn, held out and left out; faults of files; the Hub."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from hub_server import HubServer, Repository

from workbench.core.errors import DataError, SettingsError
from workbench.datasets.europarl import EUROPARL, load_europarl


def row(spanish: object, english: object) -> dict[str, Any]:
    return {"translation": {"es": spanish, "en": english}}


ROWS = [row(f"Esta es la frase {n} .", f"This is sentence {n} .") for n in range(300)]


def write(path: Path, *rows: object) -> Path:
    path.write_text("".join(json.dumps(one) + "\n" for one in rows), encoding="utf-8")
    return path


def test_a_pair_is_a_prompt_of_the_paper_and_its_translation(tmp_path: Path) -> None:
    (pair,) = load_europarl(write(tmp_path / "a.jsonl", row(" Se abre\nla sesión. ", "The session is open.")))
    assert pair.prompt == "translate Spanish to English: Se abre la sesión."
    assert pair.english == "The session is open."


def test_each_sentence_is_in_one_split_and_more_pairs_hold_fewer(tmp_path: Path) -> None:
    file = write(tmp_path / "a.jsonl", *ROWS)
    train, test = (load_europarl(file, split, held_out=0.2, pairs=None) for split in ("train", "test"))
    assert 30 < len(test) < 90
    assert sorted(one.spanish for one in (*train, *test)) == sorted(one["translation"]["es"] for one in ROWS)
    ten, twenty = (load_europarl(file, held_out=0.2, pairs=count) for count in (10, 20))
    assert ten.pairs == twenty[:10] == train[:10]
    # drawn from everywhere, whatever the order of the rows
    backwards = write(tmp_path / "b.jsonl", *reversed(ROWS))
    assert load_europarl(backwards, held_out=0.2, pairs=20).pairs == twenty.pairs
    numbers = [int(one.spanish.split()[-2]) for one in twenty]
    assert min(numbers) < 100
    assert max(numbers) > 200


def test_what_is_left_out_is_counted_and_adds_up(tmp_path: Path) -> None:
    file = write(
        tmp_path / "a.jsonl",
        row("", "Nothing at all here."),
        row("Gracias.", "Thank you very much."),
        row("uno dos tres", "uno dos tres"),
        row("cinco seis siete ocho nueve", "five six seven eight nine"),
        row("uno dos tres", "one two three"),
        row("uno dos tres", "one two three again"),
        row("dos tres cuatro", "two three four"),
    )
    found = load_europarl(file, words=(3, 4), held_out=0, pairs=1)
    assert found.report.dropped == {
        "an empty side": 1,
        "not of 3 to 4 words": 2,
        "not translated": 1,
        "the same Spanish again": 1,
        "not drawn": 1,
    }
    assert found.report.read == sum(found.report.dropped.values()) + len(found) == 7
    both = load_europarl(file, words=(3, 4), held_out=0)
    assert {one.english for one in both} == {"one two three", "two three four"}  # the first translation stays
    assert "2 pairs of 7 rows" in repr(both)


def test_a_sentence_held_out_is_counted_in_the_other_split(tmp_path: Path) -> None:
    file = write(tmp_path / "a.jsonl", ROWS[0])
    assert len(load_europarl(file, "test", held_out=1)) == 1
    with pytest.raises(DataError, match="1 left out, in the other split"):
        load_europarl(file, "train", held_out=1)


def test_malformed_rows_are_all_named(tmp_path: Path) -> None:
    file = write(tmp_path / "a.jsonl", ROWS[0], {"es": "a"}, row("a", None), row(3, "b"))
    with pytest.raises(DataError, match=r"3 faults(.|\n)*line 2: .*\n.*line 3: .*\n.*line 4: no translation"):
        load_europarl(file)


def test_arguments_are_refused_all_at_once(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match=r"split 'dev'; pairs 0; words \(5, 2\); held_out 2"):
        load_europarl(tmp_path / "a.jsonl", "dev", pairs=0, words=(5, 2), held_out=2)
    with pytest.raises(SettingsError, match="source 'opus/europarl'"):
        load_europarl("opus/europarl")
    with pytest.raises(DataError, match="no file"):
        load_europarl(tmp_path / "a.jsonl")


PROGRAM = """
import json
from workbench.datasets.europarl import load_europarl
from workbench.core.errors import DataError
try:
    print(json.dumps([[pair.spanish, pair.english] for pair in load_europarl(pairs=None, held_out=0)]))
except DataError as error:
    print(json.dumps([error.got, error.fix]))
"""


def loaded(repositories: dict[str, Repository], home: Path) -> list[Any]:
    with HubServer(repositories) as server:
        done = subprocess.run(
            [sys.executable, "-c", PROGRAM],
            env=server.environment(home),
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )
    assert done.returncode == 0, done.stderr
    return list(json.loads(done.stdout.splitlines()[-1]))


def test_the_hub_gives_the_spanish_and_english_part(tmp_path: Path) -> None:
    listed = "".join(
        f"- config_name: {name}\n  data_files:\n  - split: train\n    path: {name}/train.jsonl\n"
        for name in ("en-es", "en-fr")
    )
    files = {
        "README.md": f"---\nconfigs:\n{listed}---\n".encode(),
        "en-es/train.jsonl": "".join(json.dumps(one) + "\n" for one in ROWS[:2]).encode(),
        "en-fr/train.jsonl": json.dumps({"translation": {"en": "a", "fr": "b"}}).encode(),
    }
    assert sorted(loaded({EUROPARL: Repository(files)}, tmp_path)) == [
        [one["translation"]["es"], one["translation"]["en"]] for one in ROWS[:2]
    ]


def test_where_it_is_not_on_the_hub_the_error_says_so(tmp_path: Path) -> None:
    got, fix = loaded({}, tmp_path)
    assert f"no dataset {EUROPARL} on the Hub" in got
    assert "hf auth login" in fix
