"""Models in the loop: a real tiny one, an endpoint on this machine, recorded answers, answers kept on disk."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from openai_endpoint import Endpoint, Reply
from small_library import ScriptedModel
from tiny_model import make_tiny_model

from workbench.core.errors import DataError, GeneratorError, SettingsError
from workbench.generators import continuing, huggingface
from workbench.generators.completion import estimated_tokens
from workbench.generators.openai import OpenAIText
from workbench.generators.recorded_texts import RecordedText
from workbench.generators.settings import GenerationSettings
from workbench.retrieval.coding import make_coder
from workbench.retrieval.completions import ResumableCompletions

SHORT = GenerationSettings(max_new_tokens=6, batch_size=2, temperature=0.7)


@pytest.fixture(scope="module")
def checkpoint(tmp_path_factory: pytest.TempPathFactory) -> str:
    return str(make_tiny_model(tmp_path_factory.mktemp("model")))


def test_an_answer_does_not_depend_on_what_it_is_asked_with(checkpoint: str) -> None:
    model = make_coder(f"hf:{checkpoint}", SHORT)
    prompts = ["import numpy", "a", "plt.plot(x, y)\nresult = df.sum()"]
    together = model.complete(prompts)
    assert together == [model.complete([prompt])[0] for prompt in prompts]
    assert all(together)
    assert model.settings.temperature == 0


def test_tokens_are_the_models_own(checkpoint: str) -> None:
    from transformers import AutoTokenizer

    text = "import numpy as np\nresult = 1"
    model = make_coder(f"hf:{checkpoint}", SHORT)
    assert model.count_tokens(text) == len(AutoTokenizer.from_pretrained(checkpoint)(text)["input_ids"])
    assert model.count_tokens("") == 0


def test_a_plain_model_continues_an_opened_block_and_a_chat_model_gets_a_turn(
    checkpoint: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: list[tuple[str, tuple[str, ...]]] = []

    def spy(ready: Any, prompts: list[list[int]], seeds: list[int], **_: Any) -> list[continuing.Written]:
        seen.extend((ready.tokenizer.decode(prompt), ready.stops.texts) for prompt in prompts)
        return [continuing.Written(row, "", cut=False) for row in range(len(prompts))]

    monkeypatch.setattr(huggingface, "continue_prompts", spy)
    chat = str(make_tiny_model(tmp_path, chat=True, special=["<|user|>", "<|assistant|>"]))
    make_coder(f"hf:{checkpoint}", SHORT).complete(["Do it"])
    make_coder(f"hf:{chat}", SHORT).complete(["Do it"])
    assert seen == [("Do it\n```\n", ("```",)), ("<|user|>Do it<|assistant|>", ())]


def test_a_model_without_a_chat_template_is_not_asked_to_chat(checkpoint: str) -> None:
    with pytest.raises(GeneratorError, match="has no chat template"):
        make_coder(f"hf:{checkpoint}", GenerationSettings(style="chat")).complete(["x"])


def test_insertion_is_refused() -> None:
    with pytest.raises(SettingsError, match="insertion"):
        make_coder("hf:x", GenerationSettings(style="insertion"))


@pytest.fixture
def endpoint(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[tuple[str, dict[str, Any]]]]:
    def reply(path: str, body: dict[str, Any], number: int) -> Reply:
        text = body["prompt"] if "prompt" in body else body["messages"][0]["content"]
        choice = {"index": 0, "text": f"<{text}>", "message": {"content": f"<{text}>"}}
        return 200, {"id": "1", "object": "x", "choices": [choice]}

    server = Endpoint(reply)
    monkeypatch.setenv("OPENAI_BASE_URL", server.url)
    monkeypatch.setenv("OPENAI_API_KEY", "sk-very-secret")
    yield server.requests
    server.close()


def test_an_endpoint_is_asked_in_a_chat_at_temperature_0(endpoint: list[tuple[str, dict[str, Any]]]) -> None:
    model = make_coder("openai:some-model", GenerationSettings(stop=("END",), seed=3, max_new_tokens=9))
    assert model.complete(["one", "two", "three"]) == ["<one>", "<two>", "<three>"]
    path, body = next(request for request in endpoint if request[1]["messages"][0]["content"] == "two")
    assert path == "/v1/chat/completions"
    assert body == {
        "model": "some-model",
        "messages": [{"role": "user", "content": "two"}],
        "temperature": 0,
        "max_tokens": 9,
        "seed": 3,
        "stop": ["END"],
    }
    assert "sk-very-secret" not in model.fingerprint


def test_an_endpoint_may_continue_an_opened_block(endpoint: list[tuple[str, dict[str, Any]]]) -> None:
    assert make_coder("openai:m", GenerationSettings(style="completion")).complete(["one"]) == [
        "<one\n```\n>"
    ]
    ((path, body),) = endpoint
    assert (path, body["stop"]) == ("/v1/completions", ["```"])


def test_an_endpoints_tokens_are_guessed_or_counted_by_a_named_tokenizer(
    checkpoint: str, endpoint: list[tuple[str, dict[str, Any]]]
) -> None:
    text = "plt.plot(x, y)"
    assert make_coder("openai:m").count_tokens(text) == estimated_tokens(text) == 8
    own = make_coder(f"hf:{checkpoint}").count_tokens(text)
    assert OpenAIText("m", tokenizer=checkpoint).count_tokens(text) == own


def test_an_endpoint_needs_a_key(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("OPENAI_API_KEY", raising=False)
    with pytest.raises(GeneratorError, match="no OPENAI_API_KEY"):
        make_coder("openai:m")


def test_recorded_answers_are_found_by_their_prompts(tmp_path: Path) -> None:
    file = tmp_path / "trace.jsonl"
    file.write_text('{"prompt": "p", "answer": "a", "round": 0}\n{"prompt": "q", "answer": "b"}\n')
    model = RecordedText(file)
    assert model.complete(["q", "p", "q"]) == ["b", "a", "b"]
    with pytest.raises(DataError, match="no answer to 1 of 2 prompts: 'r'"):
        model.complete(["q", "r"])
    file.write_text('{"prompt": "p"}\n')
    with pytest.raises(DataError, match="line 1: no prompt or no answer"):
        RecordedText(file)


@pytest.mark.parametrize("spec", ["hf", "hf:", "gpt:x", ""])
def test_words_that_name_no_generator_are_refused(spec: str) -> None:
    with pytest.raises(SettingsError, match="one of hf:NAME-OR-PATH"):
        make_coder(spec)


def test_words_name_a_generator(tmp_path: Path) -> None:
    assert make_coder("hf:some/model", SHORT).name == "hf:some/model"
    (tmp_path / "a.jsonl").write_text("")
    assert make_coder(f"recorded:{tmp_path / 'a.jsonl'}").name == "recorded:a.jsonl"


def test_answers_are_on_disk_batch_by_batch_and_none_is_made_twice(tmp_path: Path) -> None:
    path = tmp_path / "completions.jsonl"

    class Killed(ScriptedModel):
        def complete(self, prompts):
            if len(self.asked) == 4:
                raise KeyboardInterrupt
            return super().complete(prompts)

    prompts = [f"p{number}" for number in range(6)]
    with pytest.raises(KeyboardInterrupt):
        ResumableCompletions(Killed(str.upper), path, batch=2).complete(prompts)
    model = ScriptedModel(str.upper)
    completions = ResumableCompletions(model, path, batch=2)
    assert completions.complete([*prompts, "p0"]) == ["P0", "P1", "P2", "P3", "P4", "P5", "P0"]
    assert model.asked == ["p4", "p5"]
    other = ScriptedModel(str.lower)
    other.fingerprint = "scripted 2"
    assert ResumableCompletions(other, path).complete(["p0"]) == ["p0"]


def test_a_file_of_something_else_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "completions.jsonl"
    path.write_text('{"some": "thing"}\n')
    with pytest.raises(DataError, match="line 1: nothing that was kept here"):
        ResumableCompletions(ScriptedModel(str.upper), path)
