"""Preference pairs: every format into one form, what is left out and why, the split by prompt, the Hub."""

from __future__ import annotations

import gzip
import json
import subprocess
import sys
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
from hub_server import HubServer, Repository
from hypothesis import given, settings
from hypothesis import strategies as st

from workbench.core.errors import DataError, SettingsError, WorkbenchError
from workbench.datasets.messages import Message, messages_of, prompt_of
from workbench.datasets.preference_filters import Drops, LengthLimit, contradictions, deduplicate, is_held_out
from workbench.datasets.preference_pair import PreferencePair
from workbench.datasets.preferences import NAMES, Preferences, check_named_once, load_preferences

SHARED = Path(__file__).resolve().parents[3] / "shared" / "data" / "hh-rlhf" / "harmless-base.jsonl.gz"

PROMPTED = {"prompt": "Name a fruit.", "chosen": "An apple.", "rejected": "A brick."}
DIALOGUE = {
    "chosen": "\n\nHuman: Hello\n\nAssistant: Good day.\n\nHuman: Which way?\n\nAssistant: Left.",
    "rejected": "\n\nHuman: Hello\n\nAssistant: Good day.\n\nHuman: Which way?\n\nAssistant: No.",
}
SAFE = {
    "prompt": "May I swim here?",
    "response_0": "Yes, jump.",
    "response_1": "Read the sign first.",
    "is_response_0_safe": False,
    "is_response_1_safe": True,
    "better_response_id": 0,
    "safer_response_id": 1,
}
ALPACA = {
    "instruction": "Add.",
    "input": "1, 2",
    "output_1": "4",
    "output_2": "3",
    "preference": 2,
    "raw_preference": 3,
}
ASKED = {"role": "user", "content": "Sing."}
ARENA = {
    "conversation_a": [ASKED, {"role": "assistant", "content": "La."}],
    "conversation_b": [ASKED, {"role": "assistant", "content": "Beep."}],
    "winner": "model_a",
    "language": "English",
}


def write(path: Path, *rows: object) -> Path:
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    return path


def load(path: Path, *rows: object, **settings: Any) -> Preferences:
    return load_preferences(write(path / "a.jsonl", *rows), "all", **settings)


def prompted(number: int, chosen: str = "yes", rejected: str = "no") -> dict[str, str]:
    return {"prompt": f"Question {number}?", "chosen": chosen, "rejected": rejected}


def problem(path: Path, *rows: object, **settings: Any) -> WorkbenchError:
    with pytest.raises(WorkbenchError) as caught:
        load(path, *rows, **settings)
    return caught.value


# --- formats ---


def test_a_dialogue_is_split_at_its_last_assistant_turn(tmp_path: Path) -> None:
    (pair,) = load(tmp_path, DIALOGUE)
    prompt = "Human: Hello\n\nAssistant: Good day.\n\nHuman: Which way?"
    assert pair == PreferencePair(prompt, "Left.", "No.", "a.jsonl")


def test_a_dialogue_of_one_turn_has_the_prompt_that_other_formats_would_give(tmp_path: Path) -> None:
    begun = "\n\nHuman: Name a fruit.\n\nAssistant: "
    row = {"chosen": begun + "An apple.", "rejected": begun + "A brick."}
    assert load(tmp_path, row).pairs == load(tmp_path, PROMPTED).pairs


def test_dialogues_that_part_before_the_last_turn_or_end_with_the_human_are_reported(tmp_path: Path) -> None:
    parted = DIALOGUE | {"rejected": "\n\nHuman: Hello\n\nAssistant: Bye."}
    open_ended = {name: text + "\n\nHuman: Thanks" for name, text in DIALOGUE.items()}
    report = load(tmp_path, parted, DIALOGUE, open_ended).report
    assert report.rows == {
        "the two sides respond to different prompts": ("line 1",),
        "the dialogue does not end with the assistant": ("line 3",),
    }


def test_rewardbench_rows_keep_their_subset(tmp_path: Path) -> None:
    (pair,) = load(tmp_path, PROMPTED | {"subset": "fruit", "id": 3, "chosen_model": "m"})
    assert pair == PreferencePair("Name a fruit.", "An apple.", "A brick.", "a.jsonl", "fruit")


def test_the_safe_task_takes_pairs_of_which_exactly_one_is_safe(tmp_path: Path) -> None:
    both = SAFE | {"is_response_0_safe": True}
    neither = SAFE | {"is_response_1_safe": False}
    turned = SAFE | {"prompt": "And here?", "is_response_0_safe": True, "is_response_1_safe": False}
    loaded = load(tmp_path, both, SAFE, neither, turned, format="beavertails-safe")
    assert [(pair.chosen, pair.rejected) for pair in loaded] == [
        ("Read the sign first.", "Yes, jump."),
        ("Yes, jump.", "Read the sign first."),
    ]
    assert loaded.report.dropped == {"both responses safe, or both unsafe": 2}


def test_the_better_task_takes_the_more_helpful_response(tmp_path: Path) -> None:
    both = SAFE | {"is_response_0_safe": True, "better_response_id": 1}
    pairs = load(tmp_path, SAFE, both | {"prompt": "Or here?"}, format="beavertails-better")
    assert [pair.chosen for pair in pairs] == ["Yes, jump.", "Read the sign first."]


def test_rows_of_two_tasks_ask_which_is_meant(tmp_path: Path) -> None:
    error = problem(tmp_path, SAFE)
    assert "rows of two tasks" in error.got
    assert "format='beavertails-safe' or format='beavertails-better'" in error.fix


def test_alpaca_farm_joins_instruction_and_input_and_leaves_ties_out(tmp_path: Path) -> None:
    rows = [ALPACA, ALPACA | {"input": "", "preference": 1.0}, ALPACA | {"preference": 0}]
    loaded = load(tmp_path, *rows)
    assert [(pair.prompt, pair.chosen, pair.rejected) for pair in loaded] == [
        ("Add.\n\n1, 2", "3", "4"),
        ("Add.", "4", "3"),
    ]
    assert loaded.report.dropped == {"no preference between the two": 1}


def test_the_arena_gives_the_winner_and_leaves_out_ties_and_turns_that_differ(tmp_path: Path) -> None:
    longer = {
        name: [*ARENA[name], {"role": "user", "content": "More."}, {"role": "assistant", "content": "Hm."}]
        for name in ("conversation_a", "conversation_b")
    }
    rows = [
        ARENA,
        ARENA | {"winner": "tie"},
        ARENA | {"winner": "tie (bothbad)"},
        ARENA | longer,
        ARENA | {"winner": "model_b", "conversation_a": [ASKED]},
    ]
    loaded = load(tmp_path, *rows)
    assert loaded.pairs == (PreferencePair("Sing.", "La.", "Beep.", "a.jsonl"),)
    assert loaded.report.dropped == {
        "no preference between the two": 2,
        "the two sides respond to different prompts": 1,
        "the dialogue does not end with the assistant": 1,
    }


@pytest.mark.parametrize("prompt", ["in the messages", "a text", "messages of its own"])
def test_chat_rows_find_their_prompt(tmp_path: Path, prompt: str) -> None:
    chosen, rejected = ARENA["conversation_a"], ARENA["conversation_b"]
    row: dict[str, Any] = {"chosen": chosen, "rejected": rejected}
    if prompt != "in the messages":
        row = {"chosen": chosen[1:], "rejected": rejected[1:]}
        row["prompt"] = "Sing." if prompt == "a text" else [ASKED]
    assert load(tmp_path, row).pairs == (PreferencePair("Sing.", "La.", "Beep.", "a.jsonl"),)


def test_chat_rows_of_several_turns_become_a_transcript(tmp_path: Path) -> None:
    turns = [{"from": "system", "value": "Be kind."}, {"from": "human", "value": "Hello"}]
    row = {side: [*turns, {"from": "gpt", "value": side}] for side in ("chosen", "rejected")}
    (pair,) = load(tmp_path, row)
    assert (pair.prompt, pair.chosen) == ("System: Be kind.\n\nHuman: Hello", "chosen")
    assert messages_of(pair.prompt) == [Message("system", "Be kind."), Message("user", "Hello")]


ROLES = ("system", "user", "assistant", "user", "assistant", "user")
SPOKEN = [{"role": role, "content": f"turn {number}"} for number, role in enumerate(ROLES)]


def divided(prompt: Any, begun: list[Any]) -> dict[str, Any]:
    """Return a row whose prompt is given apart, or not, from turns that each side begins with."""
    sides = {side: [*begun, {"role": "assistant", "content": side}] for side in ("chosen", "rejected")}
    return sides if prompt is None else {"prompt": prompt} | sides


@pytest.mark.parametrize(
    "row",
    [
        *(divided(SPOKEN[:place] or None, SPOKEN[place:]) for place in range(7)),  # anywhere between two turns
        *(divided(SPOKEN[:place], SPOKEN) for place in (1, 2, 4, 6)),  # the prompt in both places
        *(divided(SPOKEN[place]["content"], SPOKEN) for place in (1, 3, 5)),
        divided("", SPOKEN),
        divided(None, [one | {"content": [{"type": "text", "text": one["content"]}]} for one in SPOKEN]),
    ],
)  # fmt: skip
def test_a_conversation_is_the_same_pair_however_prompt_and_completions_divide_it(
    tmp_path: Path, row: dict[str, Any]
) -> None:
    (pair,) = load(tmp_path, row)
    assert messages_of(pair.prompt) == [Message(one["role"], one["content"]) for one in SPOKEN]
    assert (pair.chosen, pair.rejected) == ("chosen", "rejected")


def test_a_prompt_that_the_turns_go_on_from_is_kept_though_a_turn_repeats_it(tmp_path: Path) -> None:
    again = [{"role": "assistant", "content": "What?"}, {"role": "user", "content": "Hi"}]
    (pair,) = load(tmp_path, divided("Hi", again))
    assert pair.prompt == "Human: Hi\n\nAssistant: What?\n\nHuman: Hi"


@pytest.mark.parametrize("prompt", ["Another one?", [{"role": "user", "content": "Another one?"}]])
def test_a_prompt_that_fits_nowhere_is_refused(tmp_path: Path, prompt: Any) -> None:
    fault = "line 1: prompt is not what chosen and rejected begin with"
    assert fault in problem(tmp_path, divided(prompt, SPOKEN)).got
    assert "there is no prompt" in problem(tmp_path, divided(None, [])).got


def test_whole_texts_without_turns_have_the_prompt_that_they_share(tmp_path: Path) -> None:
    row = {"chosen": "The sky is blue.", "rejected": "The sky is black."}
    (pair,) = load(tmp_path, row)
    assert (pair.prompt, pair.chosen, pair.rejected) == ("The sky is", "blue.", "black.")
    apart = {"chosen": "Yes.", "rejected": "No."}
    assert load(tmp_path, row, apart).report.dropped == {"an empty prompt or response": 1}


def test_texts_may_answer_a_list_of_messages(tmp_path: Path) -> None:
    (pair,) = load(tmp_path, {"prompt": SPOKEN[:2], "chosen": "yes", "rejected": "no"})
    assert messages_of(pair.prompt) == [Message("system", "turn 0"), Message("user", "turn 1")]


TURN = st.text(alphabet=st.characters(exclude_categories=["C"]), min_size=1)


@settings(deadline=None, max_examples=50)
@given(st.lists(TURN, min_size=1, max_size=7).filter(lambda texts: len(texts) % 2 == 1))
def test_a_dialogue_can_be_had_back_from_its_prompt(texts: list[str]) -> None:
    turns = [Message("assistant" if i % 2 else "user", text) for i, text in enumerate(texts)]
    assert messages_of(prompt_of(turns)) == turns


@pytest.mark.parametrize("suffix", [".jsonl", ".jsonl.gz", ".json", ".json.gz", ".parquet", "lines.json"])
def test_files_of_every_kind_read_alike(tmp_path: Path, suffix: str) -> None:
    rows = [PROMPTED, prompted(1)]
    path = tmp_path / f"a{suffix}"
    if suffix == ".parquet":
        import pyarrow
        import pyarrow.parquet

        pyarrow.parquet.write_table(pyarrow.Table.from_pylist(rows), path)
    else:
        lines = "jsonl" in suffix or "lines" in suffix
        text = "\n".join(map(json.dumps, rows)) if lines else json.dumps(rows, indent=1)
        path.write_bytes(gzip.compress(text.encode()) if suffix.endswith(".gz") else text.encode())
    assert [pair.prompt for pair in load_preferences(path, "all")] == ["Name a fruit.", "Question 1?"]


def test_lists_of_messages_in_parquet_are_read(tmp_path: Path) -> None:
    import pyarrow
    import pyarrow.parquet

    path = tmp_path / "a.parquet"
    pyarrow.parquet.write_table(pyarrow.Table.from_pylist([ARENA]), path)
    assert load_preferences(path, "all")[0].chosen == "La."


# --- what is left out ---


def test_repeats_and_contradictions_are_left_out_and_counted(tmp_path: Path) -> None:
    rows = [
        prompted(1),
        prompted(2),
        prompted(1),
        prompted(2, "no", "yes"),
        prompted(2),
        prompted(1, "yes", "never"),
    ]
    loaded = load(tmp_path, *rows)
    assert [(pair.prompt, pair.rejected) for pair in loaded] == [
        ("Question 1?", "no"),
        ("Question 1?", "never"),
    ]
    assert loaded.report.rows == {
        "contradictory: the same pair also the other way round": ("line 2", "line 4", "line 5"),
        "a repeat of an earlier pair": ("line 3",),
    }
    assert len(load(tmp_path, *rows, dedup=False)) == 6


def test_empty_responses_are_left_out(tmp_path: Path) -> None:
    report = load(tmp_path, prompted(1), prompted(2, rejected=" "), prompted(3, chosen="")).report
    assert report.dropped == {"an empty prompt or response": 2}


def test_a_length_limit_counts_prompt_and_the_longer_response(tmp_path: Path) -> None:
    rows = [prompted(1, "a b c", "a"), prompted(2, "a b", "a b c d")]  # 2 + 3 and 2 + 4 words
    words = LengthLimit(lambda text: len(text.split()), total=5)
    loaded = load(tmp_path, *rows, limit=words)
    assert [pair.prompt for pair in loaded] == ["Question 1?"]
    assert loaded.report.rows == {"too long": ("line 2",)}
    of_prompt = LengthLimit(lambda text: len(text.split()), total=None, prompt=2)
    assert len(load(tmp_path, *rows, prompted(3) | {"prompt": "a b c"}, limit=of_prompt)) == 2


def test_a_length_limit_of_no_tokens_is_refused() -> None:
    with pytest.raises(SettingsError) as caught:
        LengthLimit(len, total=0, prompt=-1)
    assert caught.value.got == "total=0, prompt=-1"


def test_the_report_adds_up_and_can_be_printed(tmp_path: Path) -> None:
    rows = [prompted(1)] * 14 + [prompted(2)]
    report = load(tmp_path, *rows).report
    assert report.read == report.kept + sum(report.dropped.values()) == 15
    lines = str(report).splitlines()
    assert lines[0].endswith("a.jsonl [all]: 2 pairs of 15 rows")
    assert lines[1].startswith("  13 left out, a repeat of an earlier pair (line 2, line 3, ")
    assert lines[1].endswith("line 11, ...)")


def test_preferences_are_used_as_a_list_and_shown_in_one_line(tmp_path: Path) -> None:
    loaded = load(tmp_path, prompted(1), prompted(2), prompted(3))
    assert loaded[-1] == list(loaded)[2]
    assert loaded[:2] == loaded.pairs[:2]
    assert repr(loaded).endswith("a.jsonl [all]: 3 pairs of 3 rows>")


pair_lists = st.lists(
    st.builds(
        PreferencePair,
        st.sampled_from("pq"),
        st.sampled_from("abc"),
        st.sampled_from("abc"),
        st.just("s"),
    ),
    max_size=12,
)


@given(pair_lists)
def test_deduplication_keeps_a_consistent_set_and_loses_nothing_unseen(pairs: list[PreferencePair]) -> None:
    drops = Drops()
    kept = [pair for _, pair in deduplicate([(str(i), pair) for i, pair in enumerate(pairs)], drops)]
    assert len(kept) == len(set(kept))
    assert not contradictions(kept)
    assert len(kept) + sum(drops.counts.values()) == len(pairs)
    doubted = contradictions(pairs)
    assert set(kept) == {p for p in pairs if (p.prompt, p.chosen, p.rejected) not in doubted}


def test_a_pair_of_equal_responses_does_not_contradict_itself() -> None:
    assert contradictions([PreferencePair("p", "a", "a", "s")]) == set()


# --- the split ---


@given(st.text(), st.floats(0, 1), st.floats(0, 1))
def test_a_larger_share_holds_out_what_a_smaller_one_does(prompt: str, one: float, other: float) -> None:
    small, large = sorted((one, other))
    assert is_held_out(prompt, large) or not is_held_out(prompt, small)
    assert not is_held_out(prompt, 0)
    assert is_held_out(prompt, 1)
    assert is_held_out(f" {prompt}\n", one) == is_held_out(prompt, one)


@pytest.mark.parametrize(("prompt", "share"), [("abc", 0.7284), ("", 0.8894), ("hello", 0.1756)])
def test_the_split_never_changes_from_one_version_to_the_next(prompt: str, share: float) -> None:
    # The digests begin with ba7816bf, e3b0c442 and 2cf24dba: over 2**32, the shares above to four places.
    assert not is_held_out(prompt, share - 1e-4)
    assert is_held_out(prompt, share + 1e-4)


def test_a_subset_that_is_no_text_is_refused_in_every_format(tmp_path: Path) -> None:
    """Chat rows dropped it silently."""
    chat = [{"role": "user", "content": "a"}, {"role": "assistant", "content": "b"}]
    other = [chat[0], {"role": "assistant", "content": "c"}]
    for row in (PROMPTED, {"chosen": chat, "rejected": other}):
        error = problem(tmp_path, row, row | {"subset": 3})
        assert "line 2: subset is a number, not a text" in error.got


def test_half_a_surrogate_pair_does_not_stop_the_split(tmp_path: Path) -> None:
    path = tmp_path / "a.jsonl"
    path.write_text(json.dumps(prompted(1) | {"prompt": "\ud83d"}))
    assert len(load_preferences(path, "all")) == 1
    assert len(load_preferences(path, "train", held_out=0)) == 1


@settings(deadline=None, max_examples=25)
@given(
    st.lists(st.tuples(st.integers(0, 20), st.integers(0, 2)), min_size=1, max_size=30, unique=True),
    st.integers(0, 30),
)
def test_no_prompt_is_on_both_sides_and_added_rows_move_none(
    tmp_path_factory: pytest.TempPathFactory, numbers: list[tuple[int, int]], some: int
) -> None:
    folder = tmp_path_factory.mktemp("split")
    rows = [prompted(number, f"yes {answer}") for number, answer in numbers]

    def side(split: str, count: int) -> set[PreferencePair]:
        try:
            path = write(folder / "a.jsonl", prompted(-1), prompted(-2), *rows[:count])
            return set(load_preferences(path, split, held_out=0.5))
        except DataError:
            return set()

    train, test, both = (side(split, len(rows)) for split in ("train", "test", "all"))
    assert not {pair.prompt for pair in train} & {pair.prompt for pair in test}
    assert train | test == both
    assert side("train", some) <= train
    assert side("test", some) <= test


def test_about_five_in_a_hundred_are_held_out_of_a_file(tmp_path: Path) -> None:
    path = write(tmp_path / "a.jsonl", *(prompted(number) for number in range(2000)))
    held = load_preferences(path, "test")
    assert 70 <= len(held) <= 130  # 100, give or take three standard deviations
    assert held.report.dropped == {"in the train split": 2000 - len(held)}
    assert len(load_preferences(path, "train")) == 2000 - len(held)


# --- errors ---


def test_malformed_rows_are_all_named_with_file_and_line(tmp_path: Path) -> None:
    error = problem(tmp_path, PROMPTED, {"prompt": "x"}, PROMPTED | {"chosen": 3}, [], PROMPTED)
    assert "a.jsonl: 3 faults" in error.got
    assert "line 2: no chosen" in error.got
    assert "line 3: chosen is a number, not a text" in error.got
    assert "line 4: a list where a JSON object is needed" in error.got


@pytest.mark.parametrize(
    ("row", "format", "fault"),
    [
        (DIALOGUE | {"chosen": "Hello"}, "dialogues", "chosen has no turn that begins with 'Assistant:'"),
        (SAFE | {"is_response_0_safe": 1}, "beavertails-safe", "is_response_0_safe is 1, not one of True"),
        (SAFE | {"better_response_id": True}, "beavertails-better", "better_response_id is True"),
        (ALPACA | {"preference": 1.5}, "alpaca-farm", "preference is 1.5, not one of 1, 2"),
        (ARENA | {"winner": "a"}, "arena", "winner is 'a', not one of 'model_a'"),
        (ARENA | {"conversation_a": []}, "arena", "conversation_a is empty"),
        (ARENA | {"conversation_a": ["hi"]}, "arena", "message 1 of conversation_a is a str"),
        (
            ARENA | {"conversation_a": [{"role": "x", "content": "y"}]},
            "arena",
            "message 1 of conversation_a has no",
        ),
        (PROMPTED | {"subset": 3}, "prompted", "subset is a number"),
        (PROMPTED, "messages", "chosen is a str, not a list of messages"),
        (
            {"chosen": [{"role": "assistant", "content": "x"}]} | {"rejected": 1},
            "messages",
            "rejected is a int",
        ),
    ],
)
def test_each_format_says_what_is_wrong_with_a_row(
    tmp_path: Path, row: dict[str, Any], format: str, fault: str
) -> None:
    assert f"a.jsonl, line 1: {fault}" in problem(tmp_path, row, format=format).got


def test_unknown_columns_are_listed_beside_those_that_are_known(tmp_path: Path) -> None:
    error = problem(tmp_path, {"question": "x", "winner": "y"})
    assert error.got.endswith("a.jsonl, line 1: columns question, winner")
    assert "arena: conversation_a, conversation_b, winner" in error.needed
    assert "prompted: prompt, chosen, rejected" in error.needed


def test_chosen_equal_to_rejected_names_the_rows_and_can_be_dropped(tmp_path: Path) -> None:
    rows = [prompted(1), prompted(2, "no"), prompted(3, "no")]
    error = problem(tmp_path, *rows)
    assert error.got.endswith("a.jsonl: chosen equal to rejected in 2 of its rows: line 2, line 3")
    assert "equal='drop'" in error.fix
    assert load(tmp_path, *rows, equal="drop").report.dropped == {"chosen equal to rejected": 2}


def test_no_rows_and_no_pairs_are_told_apart(tmp_path: Path) -> None:
    assert "no rows" in problem(tmp_path).got
    error = problem(tmp_path, ARENA | {"winner": "tie"})
    assert "0 pairs of 1 rows" in error.got
    assert "1 left out, no preference between the two (line 1)" in error.got


def test_missing_files_folders_and_unknown_names_say_what_would_do(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"no file .*b\.parquet"):
        load_preferences(tmp_path / "b.parquet")
    with pytest.raises(DataError, match="is a folder"):
        load_preferences(tmp_path)
    (tmp_path / "a.txt").write_text("{}")
    with pytest.raises(DataError, match="does not tell its format"):
        load_preferences(tmp_path / "a.txt")
    with pytest.raises(SettingsError, match=r"hh-helpful, hh-harmless, .* or a file ending in"):
        load_preferences("hh-harmful")


@pytest.mark.parametrize("name", ["a.json", "a.json.gz", "a.jsonl.gz", "a.parquet"])
def test_files_that_cannot_be_read_are_errors_of_the_family(tmp_path: Path, name: str) -> None:
    (tmp_path / name).write_bytes(b'[{"prompt": ')
    with pytest.raises(DataError, match=name):
        load_preferences(tmp_path / name)
    (tmp_path / name).write_bytes(gzip.compress(b'[{"prompt": "x"}]' * 99)[:-12])
    with pytest.raises(DataError, match=name):
        load_preferences(tmp_path / name)


def test_a_source_that_is_named_twice_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    Path("a.jsonl").touch()
    check_named_once(["a.jsonl", "b.jsonl", "hh", "safe"])
    for twice in (["hh", "hh"], ["a.jsonl", str(tmp_path / "a.jsonl")]):
        with pytest.raises(SettingsError, match=f"the data {twice[1]} twice"):
            check_named_once(twice)


def test_settings_that_cannot_be_used_are_listed_together(tmp_path: Path) -> None:
    with pytest.raises(SettingsError) as caught:
        load_preferences(tmp_path / "a.jsonl", "dev", held_out=2, equal="keep")
    assert caught.value.got == "split 'dev'; held_out=2; equal='keep'"
    with pytest.raises(SettingsError, match="a benchmark is not for training"):
        load_preferences("rewardbench", "train")
    with pytest.raises(SettingsError, match="it has its own test split"):
        load_preferences("hh-helpful", held_out=0.1)
    with pytest.raises(SettingsError, match="no format: it is known"):
        load_preferences("rewardbench", "test", format="dialogues")
    with pytest.raises(SettingsError, match="format 'hh'"):
        load_preferences(write(tmp_path / "a.jsonl", PROMPTED), format="hh")


# --- the Hub ---


def jsonl(*rows: object) -> bytes:
    return "".join(json.dumps(row) + "\n" for row in rows).encode()


def card(**splits: str) -> bytes:
    listed = "".join(f"  - split: {split}\n    path: {path}\n" for split, path in splits.items())
    return f"---\nconfigs:\n- config_name: default\n  data_files:\n{listed}---\n".encode()


SAFE_ROWS = jsonl(SAFE, SAFE | {"prompt": "Or here?", "is_response_0_safe": True})
BENCH = jsonl(*[PROMPTED | {"subset": "s"}] * 2, PROMPTED | {"chosen": "", "subset": "t"})
BENCH_2 = jsonl({"id": "1", "prompt": "p", "chosen": ["a"], "rejected": list("bcd"), "subset": "Math"})
RM_BENCH = jsonl(
    {"id": 0, "prompt": "p", "chosen": list("abc"), "rejected": list("xyz"), "domain": "safety-refuse"}
)
REPOSITORIES = {
    "Anthropic/hh-rlhf": Repository(
        {
            "harmless-base/train.jsonl.gz": gzip.compress(jsonl(DIALOGUE)),
            "harmless-base/test.jsonl.gz": gzip.compress(
                jsonl(DIALOGUE, {"chosen": DIALOGUE["chosen"], "rejected": DIALOGUE["chosen"]})
            ),
            "helpful-base/train.jsonl.gz": gzip.compress(jsonl(DIALOGUE)),
        }
    ),
    "PKU-Alignment/PKU-SafeRLHF": Repository(
        {"README.md": card(train="train.jsonl", test="test.jsonl"), "train.jsonl": SAFE_ROWS}
        | {"test.jsonl": jsonl(SAFE)}
    ),
    "tatsu-lab/alpaca_farm": Repository(
        {
            "alpaca_human_preference.json": json.dumps(
                [ALPACA | {"instruction": f"Add {i}."} for i in range(200)]
            ).encode()
        }
    ),
    "lmsys/chatbot_arena_conversations": Repository(
        {"README.md": card(train="train.jsonl"), "train.jsonl": jsonl(ARENA)}, gated=True
    ),
    "allenai/reward-bench": Repository(
        {"README.md": card(raw="raw.jsonl", filtered="filtered.jsonl"), "filtered.jsonl": BENCH}
        | {"raw.jsonl": BENCH + BENCH}
    ),
    "allenai/reward-bench-2": Repository({"README.md": card(test="test.jsonl"), "test.jsonl": BENCH_2}),
    "THU-KEG/RM-Bench": Repository({"README.md": card(train="total.jsonl"), "total.jsonl": RM_BENCH}),
}

PROGRAM = """
import json, sys, time
time.sleep = lambda seconds: None
from workbench.datasets import load_preferences
from workbench.core.errors import DataError
from dataclasses import asdict

def outcome(name, split):
    try:
        found = load_preferences(name, split)
    except DataError as error:
        return {"got": error.got, "fix": error.fix}
    pairs = [asdict(pair) for pair in found]
    return {"pairs": pairs, "dropped": found.report.dropped, "read": found.report.read}

asked = json.loads(sys.argv[1])
print(json.dumps({f"{name} {split}": outcome(name, split) for name, split in asked}))
"""


def outcomes(environment: dict[str, str], *asked: tuple[str, str]) -> dict[str, Any]:
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM, json.dumps(asked)],
        env=environment,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return dict(json.loads(done.stdout.splitlines()[-1]))


@pytest.fixture(scope="module")
def hub(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    asked = [(name, "test") for name in NAMES]
    asked += [(name, "train") for name in NAMES if not NAMES[name].benchmark] + [("hh-harmless", "all")]
    with HubServer(REPOSITORIES) as server:
        return outcomes(server.environment(tmp_path_factory.mktemp("home")), *asked)


def test_names_with_splits_of_their_own_are_found(hub: dict[str, Any]) -> None:
    (pair,) = hub["hh-harmless train"]["pairs"]
    assert (pair["chosen"], pair["source"]) == ("Left.", "hh-harmless")
    assert hub["hh-harmless test"]["dropped"] == {"chosen equal to rejected": 1}  # not the user's to correct
    assert hub["hh-harmless all"]["read"] == 3
    assert hub["beavertails-safe train"]["dropped"] == {"both responses safe, or both unsafe": 1}
    assert len(hub["beavertails-better train"]["pairs"]) == 2
    assert len(hub["beavertails-safe test"]["pairs"]) == 1


def test_names_without_a_test_split_are_split_by_prompt(hub: dict[str, Any]) -> None:
    train, test = ({p["prompt"] for p in hub[f"alpaca-farm {s}"]["pairs"]} for s in ("train", "test"))
    assert test
    assert not train & test
    assert len(train | test) == 200


def test_rewardbench_is_scored_on_all_its_rows(hub: dict[str, Any]) -> None:
    assert [pair["subset"] for pair in hub["rewardbench test"]["pairs"]] == ["s", "s", "t"]
    assert hub["rewardbench test"]["dropped"] == {}


def test_benchmarks_whose_rows_hold_several_responses_are_found_by_name(hub: dict[str, Any]) -> None:
    best_of_4, styles = (hub[f"{name} test"]["pairs"] for name in ("rewardbench-2", "rm-bench"))
    assert [(pair["chosen"], pair["rejected"], pair["subset"]) for pair in best_of_4] == [
        ("a", rejected, "Math") for rejected in "bcd"
    ]
    assert [(pair["chosen"], pair["rejected"], pair["subset"]) for pair in styles] == [
        ("a", "x", "safety-refuse"), ("b", "y", "safety-refuse"), ("c", "z", "safety-refuse"),
    ]  # fmt: skip


def test_a_gated_name_says_to_accept_the_terms_and_log_in(hub: dict[str, Any]) -> None:
    assert "lmsys/chatbot_arena_conversations is gated" in hub["chatbot-arena train"]["got"]
    assert "hf auth login" in hub["chatbot-arena train"]["fix"]


def test_a_name_whose_file_is_gone_says_where_to_look(hub: dict[str, Any]) -> None:
    assert "has no helpful-base/test.jsonl.gz" in hub["hh-helpful test"]["got"]
    assert "Anthropic/hh-rlhf/tree/main" in hub["hh-helpful test"]["fix"]


def test_a_gated_name_opens_with_a_token_and_a_missing_one_is_named(tmp_path: Path) -> None:
    served = {name: REPOSITORIES[name] for name in REPOSITORIES if name.startswith("lmsys")}
    with HubServer(served) as server:
        environment = server.environment(tmp_path) | {"HF_TOKEN": "hf_accepted"}
        asked = [("chatbot-arena", split) for split in ("train", "test", "all")] + [("alpaca-farm", "train")]
        found = outcomes(environment, *asked)
    assert len(found["chatbot-arena all"]["pairs"]) == 1
    assert ["pairs" in found[f"chatbot-arena {split}"] for split in ("train", "test")].count(True) == 1
    assert "no dataset tatsu-lab/alpaca_farm on the Hub" in found["alpaca-farm train"]["got"]


# --- the real pairs ---


@pytest.mark.realdata
@pytest.mark.skipif(not SHARED.exists(), reason="no Anthropic HH pairs beside the project")
def test_the_real_dialogues_split_into_prompt_and_replies() -> None:
    with gzip.open(SHARED, "rt", encoding="utf-8") as file:
        rows = [json.loads(line) for line in file]
    loaded = load_preferences(SHARED, "all")
    assert loaded.report.read == len(rows) == 1700
    assert loaded.report.dropped == {
        "the two sides respond to different prompts": 2,
        "an empty prompt or response": 4,
    }
    assert Counter(len(messages_of(pair.prompt)) for pair in loaded)[1] == 493
    whole = {"".join(row[side].split()) for row in rows for side in ("chosen", "rejected")}
    for pair in loaded:
        assert prompt_of(messages_of(pair.prompt)) == pair.prompt
        begun = pair.prompt if pair.prompt.startswith("Human:") else f"Human: {pair.prompt}"
        for reply in (pair.chosen, pair.rejected):
            assert "".join(f"{begun} Assistant: {reply}".split()) in whole  # nothing lost but white space


@pytest.mark.realdata
@pytest.mark.skipif(not SHARED.exists(), reason="no Anthropic HH pairs beside the project")
def test_the_real_pairs_are_held_out_by_prompt() -> None:
    train, test = (load_preferences(SHARED, split) for split in ("train", "test"))
    assert (len(train), len(test)) == (1603, 91)
    assert not {pair.prompt for pair in train} & {pair.prompt for pair in test}
