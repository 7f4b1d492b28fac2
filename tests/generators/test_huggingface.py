"""A local model, on a tiny random checkpoint: batching, seeds, styles, resuming and its errors."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from tiny_model import make_tiny_model

from workbench.core.errors import GeneratorError
from workbench.datasets.ds1000 import Problem
from workbench.generators import continuing, huggingface, solving
from workbench.generators.answer import Answer
from workbench.generators.answers import extract_answer
from workbench.generators.continuing import Written, continue_prompts, loaded_model
from workbench.generators.huggingface import HuggingFaceText
from workbench.generators.loading import load_model
from workbench.generators.resume import ResumableGenerator
from workbench.generators.settings import GenerationSettings
from workbench.generators.solving import ModelGenerator

GREEDY = GenerationSettings(style="completion", temperature=0.0, max_new_tokens=12, device="cpu")
SAMPLED = replace(GREEDY, temperature=1.0, top_p=0.9)


def problem(problem_id: int, words: str) -> Problem:
    prompt = f"Problem:\n{words}\nA:\n<code>\nimport numpy as np\n</code>\nBEGIN SOLUTION\n<code>\n"
    return Problem(problem_id, "Numpy", problem_id, "Origin", problem_id, 1, prompt, "result = 1", "")


PROBLEMS = [problem(i, "sum " * (1 + 7 * (i % 4)) + str(i)) for i in range(7)]


@pytest.fixture(scope="module")
def checkpoint(tmp_path_factory: pytest.TempPathFactory) -> str:
    return str(make_tiny_model(tmp_path_factory.mktemp("model")))


@pytest.fixture(autouse=True)
def whole_text(monkeypatch: pytest.MonkeyPatch) -> None:
    """Keep all that a random model writes: cutting is tested elsewhere and would hide differences."""
    monkeypatch.setattr(solving, "extract_answer", lambda text, problem, style: text)


def generator(model: str, settings: GenerationSettings) -> ModelGenerator:
    return ModelGenerator(HuggingFaceText(model, settings, progress=False))


def answers(
    model: str, settings: GenerationSettings, problems: list[Problem] = PROBLEMS, **options: Any
) -> list[Answer]:
    return list(generator(model, settings).generate(problems, **options))


@pytest.mark.parametrize("settings", [GREEDY, SAMPLED])
def test_an_answer_does_not_depend_on_what_it_is_batched_with(
    checkpoint: str, settings: GenerationSettings
) -> None:
    together = answers(checkpoint, replace(settings, batch_size=3), samples=2)
    alone = answers(checkpoint, replace(settings, batch_size=1), samples=2)
    assert together == alone
    assert [(a.problem_id, a.sample) for a in alone] == [(i, s) for i in range(7) for s in range(2)]
    assert len({a.code for a in alone}) >= 7


def test_samples_differ_by_seed_and_repeat_by_it(checkpoint: str) -> None:
    first = answers(checkpoint, SAMPLED, PROBLEMS[:1], samples=4)
    assert first == answers(checkpoint, SAMPLED, PROBLEMS[:1], samples=4)
    assert len({a.code for a in first}) > 1
    assert first != answers(checkpoint, replace(SAMPLED, seed=1), PROBLEMS[:1], samples=4)


def test_a_resumed_generation_gives_the_same_file_as_an_uninterrupted_one(
    checkpoint: str, tmp_path: Path
) -> None:
    settings = replace(SAMPLED, batch_size=2)
    straight, broken = tmp_path / "straight.jsonl", tmp_path / "broken.jsonl"
    whole = list(ResumableGenerator(generator(checkpoint, settings), straight).generate(PROBLEMS))
    stopped = ResumableGenerator(generator(checkpoint, settings), broken).generate(PROBLEMS)
    for _ in range(3):
        next(stopped)
    stopped.close()
    again = list(ResumableGenerator(generator(checkpoint, settings), broken).generate(PROBLEMS))
    assert again == whole
    assert broken.read_bytes() == straight.read_bytes()


def test_killed_in_the_middle_nothing_that_was_written_is_written_again(
    checkpoint: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path, settings = tmp_path / "answers.jsonl", replace(SAMPLED, batch_size=3)
    asked: list[int] = []

    def until(most: int) -> None:
        def killed(
            ready: Any, prompts: list[list[int]], seeds: list[int], **options: Any
        ) -> Iterator[Written]:
            asked.append(len(prompts))
            for count, written in enumerate(continue_prompts(ready, prompts, seeds, **options)):
                if count == most:
                    raise KeyboardInterrupt
                yield written

        monkeypatch.setattr(huggingface, "continue_prompts", killed)

    until(4)
    with pytest.raises(KeyboardInterrupt):
        list(ResumableGenerator(generator(checkpoint, settings), path).generate(PROBLEMS))
    kept = path.read_text().splitlines()
    assert len(kept) == 4
    until(99)
    whole = list(ResumableGenerator(generator(checkpoint, settings), path).generate(PROBLEMS))
    assert asked == [7, 3]
    assert set(kept) <= set(path.read_text().splitlines())
    assert whole == answers(checkpoint, settings)


def test_a_row_is_on_disk_when_it_ends_and_not_when_its_batch_does(
    checkpoint: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Ten minutes of a slow model, killed, once left none of 17 answers."""
    path = tmp_path / "answers.jsonl"
    settings = replace(SAMPLED, batch_size=7, max_new_tokens=60)
    whole = answers(checkpoint, settings)
    ended = [one for one in whole if one.ended == "stop"]
    assert 0 < len(ended) < len(whole)  # some rows end early, and others are cut
    on_disk: list[int] = []

    def watched(*given: Any) -> Iterator[Written]:
        for written in continuing._continuously(*given):
            yield written
            on_disk.append(path.read_bytes().count(b"\n"))

    monkeypatch.setattr(continuing, "_batch_by_batch", watched)
    monkeypatch.setattr(continuing, "can_join", lambda model: False)
    kept = list(ResumableGenerator(generator(checkpoint, settings), path).generate(PROBLEMS))
    assert kept == whole
    assert on_disk == list(
        range(1, 7)
    )  # a row is on disk before the others go on; nobody asks after the last


def test_an_answer_that_reaches_the_limit_is_cut(checkpoint: str) -> None:
    assert {one.ended for one in answers(checkpoint, replace(GREEDY, max_new_tokens=1))} == {"length"}


def test_a_prompt_that_opens_the_reasoning_makes_an_unclosed_draft_no_answer(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    model = make_tiny_model(tmp_path, chat=True, special=["<|user|>", "<|assistant|>"])
    file = model / "chat_template.jinja"
    file.write_text(file.read_text().replace("<|assistant|>", "<|assistant|><think>\n"))
    monkeypatch.setattr(solving, "extract_answer", extract_answer)

    def writes(text: str) -> list[str]:
        monkeypatch.setattr(huggingface, "continue_prompts", lambda *_, **__: [Written(0, text, cut=True)])
        return [one.code for one in answers(str(model), replace(GREEDY, style="chat"), PROBLEMS[:1])]

    assert writes("```python\nresult = 2\n```\nBut") == [""]
    assert writes("Hm.\n</think>\n```python\nresult = 1\n```") == ["result = 1"]


def test_a_turn_ends_at_the_templates_own_token(tmp_path: Path) -> None:
    """It need be no end token of the tokenizer; here it is the first one that the model writes."""
    special = ["<|user|>", "<|assistant|>", "<turn_end>"]
    model = make_tiny_model(tmp_path, chat=True, special=special)
    loaded = load_model(str(model), GREEDY)
    loaded[1].chat_template = loaded[1].chat_template.replace("{% endfor %}", "<turn_end>{% endfor %}")
    ready = loaded_model(*loaded, GREEDY, chat=True)
    end = loaded[1].convert_tokens_to_ids("<turn_end>")
    assert end in ready.ends
    assert end not in loaded_model(*loaded, GREEDY, chat=False).ends


def test_a_stop_text_of_the_user_ends_an_answer(checkpoint: str) -> None:
    (free,) = answers(checkpoint, GREEDY, PROBLEMS[:1])
    stop = free.code[2:4]
    (stopped,) = answers(checkpoint, replace(GREEDY, stop=(stop,)), PROBLEMS[:1])
    assert stopped.code == free.code[: free.code.index(stop)]


@pytest.mark.parametrize("name", ["arks/seed-0", "haf_rm"])
def test_a_model_whose_tokens_are_words_stops_too(name: str) -> None:
    """Transformers' own stop strings cannot read such a vocabulary."""
    model = str(Path(__file__).parents[2] / "data" / name)
    (free,) = answers(model, GREEDY, PROBLEMS[:1])
    stop = free.code[1:4]
    (stopped,) = answers(model, replace(GREEDY, stop=(stop,)), PROBLEMS[:1])
    assert stopped.code == free.code[: free.code.index(stop)]


def test_a_chat_model_is_asked_by_its_template(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    model = str(make_tiny_model(tmp_path, chat=True, special=["<|user|>", "<|assistant|>"]))
    seen: list[str] = []

    def spy(ready: Any, prompts: list[list[int]], seeds: list[int], **_: Any) -> list[Written]:
        seen.extend(ready.tokenizer.decode(prompt) for prompt in prompts)
        return [Written(row, "", cut=False) for row in range(len(prompts))]

    monkeypatch.setattr(huggingface, "continue_prompts", spy)
    answers(model, replace(GREEDY, style="auto"), PROBLEMS[:1])
    assert seen[0].endswith("<code>\n<|assistant|>")
    answers(model, GREEDY, PROBLEMS[:1])
    assert seen[1] == PROBLEMS[0].prompt


def test_insertion_uses_the_marks_in_the_tokenizer(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    marks = ["<fim_prefix>", "<fim_suffix>", "<fim_middle>"]
    model = str(make_tiny_model(tmp_path, special=marks))
    seen: list[str] = []

    def spy(ready: Any, prompts: list[list[int]], seeds: list[int], **_: Any) -> list[Written]:
        seen.extend(ready.tokenizer.decode(prompt) for prompt in prompts)
        return [Written(row, "", cut=False) for row in range(len(prompts))]

    monkeypatch.setattr(huggingface, "continue_prompts", spy)
    answers(model, replace(GREEDY, style="insertion"), PROBLEMS[:1])
    after = "\n</code>\nEND SOLUTION\n<code>\nprint(result)\n</code>\n"
    assert seen == [f"<fim_prefix>{PROBLEMS[0].prompt}<fim_suffix>{after}<fim_middle>"]


@pytest.mark.parametrize(
    ("style", "says"), [("chat", "no chat template"), ("insertion", "fill-in-the-middle")]
)
def test_a_style_the_model_was_not_made_for_is_refused(checkpoint: str, style: str, says: str) -> None:
    with pytest.raises(GeneratorError, match=says) as caught:
        answers(checkpoint, replace(GREEDY, style=style))
    assert caught.value.fix == "set style='completion'"


def test_a_missing_model_and_a_missing_gpu_are_said(checkpoint: str, tmp_path: Path) -> None:
    with pytest.raises(GeneratorError, match="cannot be loaded"):
        answers(str(tmp_path), GREEDY)
    with pytest.raises(GeneratorError, match="device 'gpu'"):
        answers(checkpoint, replace(GREEDY, device="gpu"))


def test_a_prompt_beyond_the_context_keeps_its_end_and_warns(checkpoint: str) -> None:
    long = [problem(0, "word " * 2000)]
    with pytest.warns(UserWarning, match="lose their beginning"):
        assert len(answers(checkpoint, GREEDY, long)) == 1
    with pytest.raises(GeneratorError, match="max_new_tokens 512"):
        answers(checkpoint, replace(GREEDY, max_new_tokens=512), long)


def test_the_fingerprint_tells_settings_that_matter_and_checkpoints_apart(
    checkpoint: str, tmp_path: Path
) -> None:
    base = generator(checkpoint, GREEDY).fingerprint
    assert generator(checkpoint, replace(GREEDY, batch_size=1)).fingerprint == base
    assert generator(checkpoint, replace(GREEDY, seed=1)).fingerprint != base
    (tmp_path / "weights").write_text("1")
    before = generator(str(tmp_path), GREEDY).fingerprint
    (tmp_path / "weights").write_text("22")
    assert generator(str(tmp_path), GREEDY).fingerprint != before


@pytest.mark.parametrize(("bits", "layer"), [("4bit", "Linear4bit"), ("8bit", "Linear8bitLt")])
def test_weights_can_be_quantized(checkpoint: str, bits: str, layer: str) -> None:
    pytest.importorskip("bitsandbytes")
    settings = replace(GREEDY, quantize=bits, max_new_tokens=3)
    model = generator(checkpoint, settings)
    assert len(list(model.generate(PROBLEMS[:2]))) == 2
    assert model.texts._model is not None
    assert {type(m).__name__ for m in model.texts._model.modules() if "Linear" in type(m).__name__} >= {layer}
