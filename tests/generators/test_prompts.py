"""How problems are put to models."""

from __future__ import annotations

import pytest
from ds1000_rows import GIVEN, drawing_problem, function_problem, make_problem, plain_problem, real_problems

from workbench.generators.prompts import (
    FIM_FAMILIES,
    chat_messages,
    completion_prompt,
    fim_family,
    stop_texts,
)


def test_the_slot_of_a_program() -> None:
    slot = plain_problem().slot
    assert (slot.indent, slot.function, slot.given_code) == ("", None, GIVEN)
    assert slot.prefix == plain_problem().prompt
    assert slot.suffix == "\n</code>\nEND SOLUTION\n<code>\nprint(result)\n</code>\n"


def test_the_slot_of_a_function_body() -> None:
    slot = function_problem().slot
    assert (slot.indent, slot.function) == ("    ", "f")
    assert slot.suffix == "\n    ### END SOLUTION\n</code>\n"
    assert slot.given_code.endswith("### BEGIN SOLUTION")


def test_the_slot_of_a_drawing() -> None:
    slot = drawing_problem().slot
    assert (slot.indent, slot.function, slot.suffix) == ("", None, "\n# SOLUTION END\n")


def test_several_variables_are_shown_together() -> None:
    prompt = "<code>\n</code>\nlow, high = ... # put solution in these variables\nBEGIN SOLUTION\n<code>\n"
    assert "print(low, high)" in make_problem(prompt).slot.suffix


def test_a_function_that_is_open_at_the_end_of_the_given_code_counts_as_one() -> None:
    prompt = (
        "<code>\ndef solve(x):\n</code>\ny = ... # put solution in this variable\nBEGIN SOLUTION\n<code>\n"
    )
    slot = make_problem(prompt).slot
    assert (slot.indent, slot.function, slot.suffix[:10]) == ("    ", "solve", "\n</code>\nE")


def test_an_insert_mark_splits_the_prompt() -> None:
    slot = make_problem("a = 1\n[insert]\nprint(result)\n").slot
    assert (slot.prefix, slot.suffix) == ("a = 1\n", "\nprint(result)\n")


def test_completion_and_chat_show_the_prompt_and_nothing_of_the_answer() -> None:
    problem = make_problem("P", code="SECRET")
    assert completion_prompt(problem) == "P"
    messages = chat_messages(problem)
    assert [message["role"] for message in messages] == ["system", "user"]
    assert messages[1]["content"] == "P"
    assert "SECRET" not in str(messages)


def test_only_text_that_goes_on_needs_stop_texts() -> None:
    assert stop_texts("chat") == ()
    assert (
        stop_texts("completion") == stop_texts("insertion") == ("</code>", "# SOLUTION END", "\nEND SOLUTION")
    )


@pytest.mark.parametrize(
    ("model", "prompt"),
    [
        ("bigcode/santacoder", "<fim-prefix>P<fim-suffix>S<fim-middle>"),
        ("bigcode/starcoder2-3b", "<fim_prefix>P<fim_suffix>S<fim_middle>"),
        ("codellama/CodeLlama-7b-hf", "<PRE> P <SUF>S <MID>"),
        ("deepseek-ai/deepseek-coder-1.3b-base", "<｜fim▁begin｜>P<｜fim▁hole｜>S<｜fim▁end｜>"),
        ("google/codegemma-2b", "<|fim_prefix|>P<|fim_suffix|>S<|fim_middle|>"),
        ("Qwen/Qwen2.5-Coder-1.5B", "<|fim_prefix|>P<|fim_suffix|>S<|fim_middle|>"),
        ("mistralai/Codestral-22B-v0.1", "[SUFFIX]S[PREFIX]P"),
    ],
)
def test_each_family_has_its_marks(model: str, prompt: str) -> None:
    family = fim_family(model)
    assert family is not None
    assert family.prompt("P", "S") == prompt


def test_a_family_is_known_by_its_tokens_too() -> None:
    assert fim_family("lab/unknown") is None
    assert fim_family("lab/unknown", ["a", "b"]) is None
    found = fim_family("my-finetune", ["<fim_prefix>", "<fim_suffix>", "<fim_middle>", "a"])
    assert found is not None
    assert found.family == "StarCoder"
    assert fim_family("starcoder-without-marks", ["a"]) is None


def test_families_of_the_same_name_do_not_shadow_each_other() -> None:
    for family in FIM_FAMILIES:
        for name in family.names:
            assert fim_family(name) is family


@pytest.mark.realdata
def test_every_real_prompt_is_one_of_the_three_shapes() -> None:
    shapes = {"function": 0, "drawing": 0, "program": 0}
    for problem in real_problems():
        slot = problem.slot
        assert slot.prefix == problem.prompt
        assert slot.indent == ("    " if slot.function else "")
        drawing = slot.suffix == "\n# SOLUTION END\n"
        shapes["function" if slot.function else "drawing" if drawing else "program"] += 1
    assert shapes == {"function": 45, "drawing": 112, "program": 493}
