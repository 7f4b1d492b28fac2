"""An OpenAI-compatible endpoint: a scripted one for all that goes wrong, and a real `transformers serve`."""

from __future__ import annotations

import os
import re
import socket
import subprocess
import sys
import threading
import time
import urllib.request
from collections.abc import Callable, Iterator
from dataclasses import replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
from openai_endpoint import Endpoint, Reply, chat
from tiny_model import make_tiny_model

from workbench.core.errors import GeneratorError
from workbench.datasets.ds1000 import Problem
from workbench.generators.answer import Answer
from workbench.generators.openai import OpenAIText
from workbench.generators.settings import GenerationSettings
from workbench.generators.solving import ModelGenerator

KEY = "sk-very-secret-0123456789"
SETTINGS = GenerationSettings(retries=2, timeout_s=5.0, concurrency=3)


def problems(count: int) -> list[Problem]:
    prompt = "Problem:\nnumber {}\nA:\n<code>\n</code>\nresult = ... # put solution in this variable\n"
    prompt += "BEGIN SOLUTION\n<code>\n"
    return [Problem(i, "Numpy", i, "Origin", i, 1, prompt.format(i), "", "") for i in range(count)]


@pytest.fixture
def endpoint(monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[..., Endpoint]]:
    started: list[Endpoint] = []

    def start(answer: Callable[[str, dict[str, Any], int], Reply]) -> Endpoint:
        started.append(Endpoint(answer))
        monkeypatch.setenv("OPENAI_BASE_URL", started[-1].url)
        monkeypatch.setenv("OPENAI_API_KEY", KEY)
        return started[-1]

    yield start
    for one in started:
        one.close()


def answers(settings: GenerationSettings = SETTINGS, count: int = 1, **options: Any) -> list[Answer]:
    return list(
        ModelGenerator(OpenAIText("some-model", settings, progress=False)).generate(
            problems(count), **options
        )
    )


def failure(settings: GenerationSettings = SETTINGS) -> GeneratorError:
    with pytest.raises(GeneratorError) as caught:
        answers(settings)
    return caught.value


def test_a_chat_request_says_all_that_the_settings_say(endpoint: Callable[..., Endpoint]) -> None:
    server = endpoint(lambda path, body, number: chat("```python\nresult = 1\n```"))
    assert answers(replace(SETTINGS, temperature=0.5, stop=("STOP",))) == [Answer(0, 0, "result = 1")]
    ((path, body),) = server.requests
    assert path == "/v1/chat/completions"
    assert body["model"] == "some-model"
    assert [message["role"] for message in body["messages"]] == ["system", "user"]
    assert (body["temperature"], body["top_p"], body["max_tokens"], body["stop"]) == (
        0.5,
        0.95,
        1024,
        ["STOP"],
    )


def test_answers_come_in_order_with_bounded_requests_under_way(endpoint: Callable[..., Endpoint]) -> None:
    def answer(path: str, body: dict[str, Any], number: int) -> Reply:
        asked = int(body["messages"][1]["content"].split("number ")[1].split()[0])
        time.sleep(0.03 if asked % 3 == 0 else 0.001)  # some are overtaken
        return chat(f"result = {asked}")

    server = endpoint(answer)
    got = answers(count=12, samples=2, skip={(5, 0)})
    expected = [Answer(i, s, f"result = {i}") for i in range(12) for s in range(2) if (i, s) != (5, 0)]
    assert got == expected
    assert 2 <= server.most_at_once <= 3
    assert len({body["seed"] for _, body in server.requests}) == 23


def test_completion_and_insertion_go_to_completions(endpoint: Callable[..., Endpoint]) -> None:
    server = endpoint(
        lambda path, body, number: (200, {"id": "1", "choices": [{"text": "result = 2\n</code>\nx"}]})
    )
    for style in ("completion", "insertion"):
        assert answers(replace(SETTINGS, style=style)) == [Answer(0, 0, "result = 2")]
    list(
        ModelGenerator(
            OpenAIText("Qwen2.5-Coder-7B", replace(SETTINGS, style="insertion"), progress=False)
        ).generate(problems(1))
    )
    bodies = [body for _, body in server.requests]
    assert {path for path, _ in server.requests} == {"/v1/completions"}
    assert bodies[0]["prompt"] == problems(1)[0].prompt
    assert "</code>" in bodies[0]["stop"]
    assert bodies[1]["suffix"] == "\n</code>\nEND SOLUTION\n<code>\nprint(result)\n</code>\n"
    assert bodies[2]["prompt"].startswith("<|fim_prefix|>Problem:")
    assert "suffix" not in bodies[2]


@pytest.mark.parametrize("status", [408, 429, 500, 503])
def test_a_failure_that_passes_is_tried_again(endpoint: Callable[..., Endpoint], status: int) -> None:
    server = endpoint(lambda path, body, number: (status, {}) if number < 3 else chat("result = 3"))
    assert answers() == [Answer(0, 0, "result = 3")]
    assert len(server.requests) == 3


@pytest.mark.parametrize(
    ("status", "says"), [(429, "still refuses after 2 retries"), (500, "still fails (500)")]
)
def test_a_failure_that_stays_is_an_error(endpoint: Callable[..., Endpoint], status: int, says: str) -> None:
    server = endpoint(lambda path, body, number: (status, {"error": {"message": "busy"}}))
    error = failure()
    assert says in error.got
    assert "busy" in error.got
    assert len(server.requests) == 3


def test_no_answer_in_time_is_an_error(endpoint: Callable[..., Endpoint]) -> None:
    def slow(path: str, body: dict[str, Any], number: int) -> Reply:
        time.sleep(0.6)
        return chat("late")

    endpoint(slow)
    assert "no answer from" in failure(replace(SETTINGS, timeout_s=0.1, retries=0)).got


@pytest.mark.parametrize(
    "content", ["<html>hello</html>", "", {}, {"choices": []}, {"choices": [{}]}, [1], {"choices": 3}, b"{,"]
)
def test_garbage_is_called_no_completion(endpoint: Callable[..., Endpoint], content: object) -> None:
    endpoint(lambda path, body, number: (200, content))
    assert "something that is no completion" in failure().got


def test_a_refusal_to_speak_is_an_empty_answer(endpoint: Callable[..., Endpoint]) -> None:
    endpoint(lambda path, body, number: chat(None))
    assert answers() == [Answer(0, 0, "")]


def test_an_unknown_model_names_the_list_of_models(endpoint: Callable[..., Endpoint]) -> None:
    server = endpoint(lambda path, body, number: (404, {"error": {"message": "no such model"}}))
    error = failure()
    assert "has no model 'some-model'" in error.got
    assert f"{server.url}/models" in error.fix


def test_a_model_that_knows_the_new_name_of_the_limit_is_asked_by_it(
    endpoint: Callable[..., Endpoint],
) -> None:
    def newer(path: str, body: dict[str, Any], number: int) -> Reply:
        if "max_tokens" in body:
            return 400, {"error": {"message": "Unsupported parameter: use 'max_completion_tokens' instead."}}
        return chat(f"result = {body['max_completion_tokens']}")

    endpoint(newer)
    with pytest.warns(UserWarning, match="max_tokens is sent as max_completion_tokens"):
        got = answers()
    assert got == [Answer(0, 0, "result = 1024")]


def test_another_bad_request_tells_what_the_endpoint_said(endpoint: Callable[..., Endpoint]) -> None:
    endpoint(lambda path, body, number: (400, {"error": {"message": "temperature must be 1"}}))
    assert "temperature must be 1" in failure().got


def test_a_refused_key_is_never_shown(
    endpoint: Callable[..., Endpoint], caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("DEBUG")
    endpoint(lambda path, body, number: (401, {"error": {"message": f"Incorrect API key provided: {KEY}"}}))
    error = failure()
    assert "refuses the key" in error.got
    assert error.__cause__ is None
    generator = ModelGenerator(OpenAIText("some-model", SETTINGS))
    shown = [str(error), repr(vars(generator)), generator.fingerprint, caplog.text]
    assert not any(KEY in text for text in shown)


def test_a_missing_key_is_an_error_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("OPENAI_API_KEY", raising=False)
    with pytest.raises(GeneratorError, match="no OPENAI_API_KEY"):
        ModelGenerator(OpenAIText("some-model"))


def test_nobody_at_the_address_is_an_error_that_hides_a_password(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", KEY)
    monkeypatch.setenv("OPENAI_BASE_URL", f"http://me:hidden@127.0.0.1:{_free_port()}/v1")
    error = failure(replace(SETTINGS, retries=0))
    assert "cannot be reached" in error.got
    assert "hidden" not in str(error)
    assert "hidden" not in ModelGenerator(OpenAIText("some-model")).fingerprint


def test_a_caller_that_stops_early_sends_no_more_requests(endpoint: Callable[..., Endpoint]) -> None:
    server = endpoint(lambda path, body, number: chat("result = 0"))
    answers_so_far = ModelGenerator(OpenAIText("some-model", SETTINGS, progress=False)).generate(
        problems(200)
    )
    next(answers_so_far)
    answers_so_far.close()
    assert len(server.requests) <= 10


GOOD = chat("```python\nresult = 1\n```")


def asked_about(body: dict[str, Any]) -> int:
    """Return the problem's number, or -1 for a request that is about none."""
    found = re.search(r"number (\d+)", body["messages"][-1]["content"])
    return int(found.group(1)) if found else -1


@pytest.mark.parametrize(
    ("refusal", "said"),
    [
        ((400, {"error": {"message": "longer than the context"}}), "longer than the context"),
        ((403, {"error": {"message": "flagged"}}), "flagged"),
        ((422, {"detail": "no"}), '{"detail": "no"}'),
        ((200, {"error": {"message": "filtered", "code": 400}}), "filtered"),
        ((200, {"error": {"message": "upstream", "code": 502}}), "upstream"),
        ((200, {"choices": []}), "something that is no completion"),
        ((200, b'{"choices": [{"mess'), "something that is no completion"),
        ((500, {"error": {"message": "crashed"}}), "crashed"),
    ],
)
def test_a_prompt_that_fails_alone_is_a_missing_answer(
    endpoint: Callable[..., Endpoint], refusal: Reply, said: str
) -> None:
    endpoint(lambda path, body, number: refusal if asked_about(body) == 2 else GOOD)
    got = answers(replace(SETTINGS, retries=1, concurrency=1), count=4)
    assert [(one.code, one.ended, one.said) for one in got] == [
        ("result = 1", None, ""),
        ("result = 1", None, ""),
        ("", "no answer", said),
        ("result = 1", None, ""),
    ]


def test_the_first_prompt_may_be_the_refused_one(endpoint: Callable[..., Endpoint]) -> None:
    server = endpoint(lambda path, body, number: (400, {}) if asked_about(body) == 0 else GOOD)
    got = answers(replace(SETTINGS, concurrency=1), count=3)
    assert [one.is_missing for one in got] == [True, False, False]
    assert [asked_about(body) for _, body in server.requests] == [
        0,
        -1,
        1,
        2,
    ]  # once it is asked for one word


def test_an_endpoint_that_refuses_everything_from_some_time_on_is_an_error(
    endpoint: Callable[..., Endpoint],
) -> None:
    server = endpoint(lambda path, body, number: GOOD if number < 3 else (403, {"error": "no credit"}))
    kept: list[Answer] = []
    with pytest.raises(GeneratorError, match="no credit"):
        kept += ModelGenerator(OpenAIText("m", replace(SETTINGS, concurrency=1), progress=False)).as_known(
            problems(50)
        )
    assert len(server.requests) < 15


def test_what_is_under_way_when_an_error_comes_is_not_lost(endpoint: Callable[..., Endpoint]) -> None:
    def answer(path: str, body: dict[str, Any], number: int) -> Reply:
        if asked_about(body) == 0:
            return 401, {}
        time.sleep(0.3)
        return GOOD

    endpoint(answer)
    kept: list[int] = []
    with pytest.raises(GeneratorError, match="refuses the key"):
        for one in ModelGenerator(OpenAIText("m", replace(SETTINGS, concurrency=3), progress=False)).as_known(
            problems(9)
        ):
            kept.append(one.problem_id)
    assert sorted(kept)[:2] == [1, 2]


@pytest.mark.parametrize(
    ("status", "forbidden", "said", "told"),
    [
        (422, {"seed"}, "seed: extra inputs are not permitted", "seed is left out"),
        (400, {"top_p", "temperature"}, "give either temperature or top_p", "top_p is left out"),
        (400, {"temperature"}, "'temperature' must be 1", "temperature is left out"),
        (400, {"stop"}, "Unsupported parameter: stop", "stop is left out"),
        (400, {"max_tokens"}, "use max_completion_tokens", "max_tokens is sent as max_completion_tokens"),
    ],
)
def test_a_refused_parameter_is_left_out_once_and_for_all(
    endpoint: Callable[..., Endpoint], status: int, forbidden: set[str], said: str, told: str
) -> None:
    def picky(path: str, body: dict[str, Any], number: int) -> Reply:
        refused = forbidden <= set(body)
        return (status, {"error": {"message": said}}) if refused else chat("result = 1 # END, not this")

    server = endpoint(picky)
    with pytest.warns(UserWarning) as warned:
        got = answers(replace(SETTINGS, stop=("END",), concurrency=1), count=6)
    cut = "result = 1 #" if forbidden == {"stop"} else "result = 1 # END, not this"
    assert [one.code for one in got] == [cut] * 6
    assert len(server.requests) == 7
    assert [told in str(one.message) for one in warned] == [True]
    kept = {"temperature", "top_p", "seed", "stop"} - (forbidden - {"temperature"} or forbidden)
    assert kept <= set(server.requests[-1][1])


def test_parameters_that_are_named_in_vain_stay(endpoint: Callable[..., Endpoint]) -> None:
    """A prompt that is too long for `max_tokens` must not change how the others are asked."""
    said = {"error": {"message": "'max_tokens' or 'max_completion_tokens' is too large for this prompt"}}
    server = endpoint(lambda path, body, number: (400, said) if asked_about(body) == 1 else GOOD)
    assert [one.is_missing for one in answers(replace(SETTINGS, concurrency=1), count=3)] == [
        False,
        True,
        False,
    ]
    assert "max_tokens" in server.requests[-1][1]


def test_an_instruction_goes_into_the_users_turn_where_no_system_turn_is_taken(
    endpoint: Callable[..., Endpoint],
) -> None:
    def gemma(path: str, body: dict[str, Any], number: int) -> Reply:
        if body["messages"][0]["role"] == "system":
            return 400, {"error": {"message": "System role not supported"}}
        return GOOD

    server = endpoint(gemma)
    with pytest.warns(UserWarning, match="the instruction stands in the user's turn"):
        answers(replace(SETTINGS, concurrency=1), count=2)
    (message,) = server.requests[-1][1]["messages"]
    assert message["content"].startswith("You complete Python programs.")
    assert "number 1" in message["content"]


def test_how_an_answer_ended_is_kept(endpoint: Callable[..., Endpoint]) -> None:
    def reply(path: str, body: dict[str, Any], number: int) -> Reply:
        content, ended = [("x = 1", "stop"), (None, "length"), (None, "content_filter")][asked_about(body)]
        return 200, {"choices": [{"message": {"content": content}, "finish_reason": ended}]}

    endpoint(reply)
    assert [(one.code, one.ended) for one in answers(count=3)] == [
        ("x = 1", "stop"),
        ("", "length"),
        ("", "content_filter"),
    ]


def test_content_in_parts_is_read_without_its_reasoning(endpoint: Callable[..., Endpoint]) -> None:
    parts = [
        {"type": "thinking", "thinking": [{"type": "text", "text": "y"}]},
        {"type": "text", "text": "x = "},
        {"type": "text", "text": "1"},
    ]
    endpoint(lambda path, body, number: (200, {"choices": [{"message": {"content": parts}}]}))
    assert answers() == [Answer(0, 0, "x = 1")]


def test_reasoning_in_a_field_of_its_own_is_no_answer(endpoint: Callable[..., Endpoint]) -> None:
    message = {"content": None, "reasoning_content": "```python\nx = 1\n```"}
    endpoint(lambda path, body, number: (200, {"choices": [{"message": message, "finish_reason": "length"}]}))
    assert answers() == [Answer(0, 0, "", "length")]


def test_a_reply_that_drips_ends_at_the_time_limit(monkeypatch: pytest.MonkeyPatch) -> None:
    class Dripping(BaseHTTPRequestHandler):
        def log_message(self, *_: object) -> None:
            pass

        def do_POST(self) -> None:
            self.send_response(200)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", "100000")
            self.end_headers()
            try:
                while True:
                    self.wfile.write(b" ")
                    self.wfile.flush()
                    time.sleep(0.05)
            except OSError:
                pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Dripping)
    server.daemon_threads = True
    threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True).start()
    monkeypatch.setenv("OPENAI_BASE_URL", f"http://127.0.0.1:{server.server_port}/v1")
    monkeypatch.setenv("OPENAI_API_KEY", KEY)
    try:
        assert "no answer from" in failure(replace(SETTINGS, timeout_s=0.4, retries=6)).got
    finally:
        server.shutdown()
        server.server_close()


def test_a_key_of_one_letter_garbles_no_message(
    endpoint: Callable[..., Endpoint], monkeypatch: pytest.MonkeyPatch
) -> None:
    endpoint(lambda path, body, number: (400, {"error": {"message": "a bad request"}}))
    monkeypatch.setenv("OPENAI_API_KEY", "a")
    assert "refuses the request: a bad request" in failure().got


def test_an_answer_behind_a_slow_one_is_handed_on_at_once(endpoint: Callable[..., Endpoint]) -> None:
    slow = threading.Event()

    def answer(path: str, body: dict[str, Any], number: int) -> Reply:
        if asked_about(body) == 0:
            slow.wait(20)
        return GOOD

    endpoint(answer)
    coming = ModelGenerator(OpenAIText("m", SETTINGS, progress=False)).as_known(problems(3))
    first = {next(coming).problem_id, next(coming).problem_id}
    slow.set()
    assert first == {1, 2}
    assert [one.problem_id for one in coming] == [0]


def _free_port() -> int:
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        return int(sock.getsockname()[1])


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[str, str]]:
    """Run `transformers serve` on loopback; yields its address and the model's name."""
    pytest.importorskip("fastapi", reason="`transformers serve` needs fastapi and uvicorn")
    pytest.importorskip("uvicorn", reason="`transformers serve` needs fastapi and uvicorn")
    folder = tmp_path_factory.mktemp("served")
    model = make_tiny_model(folder / "model", chat=True, special=["<|user|>", "<|assistant|>"], context=1024)
    port = _free_port()
    environment = os.environ | {
        "HF_HUB_OFFLINE": "1",
        "HF_HOME": str(folder / "home"),
        "OMP_NUM_THREADS": "1",
    }
    command = [
        sys.executable,
        "-c",
        "from transformers.cli.transformers import main; main()",
        "serve",
        str(model),
    ]
    command += ["--host", "127.0.0.1", "--port", str(port), "--device", "cpu"]
    log = folder / "log.txt"
    with log.open("w") as file:
        process = subprocess.Popen(command, env=environment, stdout=file, stderr=subprocess.STDOUT)
    try:
        _wait_for(f"http://127.0.0.1:{port}/health", process, log)
        yield f"http://127.0.0.1:{port}/v1", str(model)
    finally:
        process.terminate()
        process.wait(timeout=30)


def _wait_for(url: str, process: subprocess.Popen[bytes], log: Path, patience_s: float = 120.0) -> None:
    end = time.monotonic() + patience_s
    while time.monotonic() < end and process.poll() is None:
        try:
            with urllib.request.urlopen(url, timeout=5):
                return
        except OSError:
            time.sleep(0.2)
    pytest.fail(f"`transformers serve` did not come up:\n{log.read_text()[-2000:]}")


@pytest.mark.parametrize("style", ["chat", "completion", "insertion"])
def test_a_real_server_answers_every_style(
    served: tuple[str, str], style: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    url, model = served
    monkeypatch.setenv("OPENAI_BASE_URL", url)
    monkeypatch.setenv("OPENAI_API_KEY", KEY)
    texts: list[str] = []
    monkeypatch.setattr(
        "workbench.generators.solving.extract_answer", lambda text, *_: texts.append(text) or text
    )
    settings = GenerationSettings(style=style, temperature=0.0, max_new_tokens=6, retries=0, concurrency=2)
    got = list(ModelGenerator(OpenAIText(model, settings, progress=False)).generate(problems(3)))
    assert [answer.problem_id for answer in got] == [0, 1, 2]
    assert all(texts)


def test_a_real_server_without_the_model_says_so(
    served: tuple[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OPENAI_BASE_URL", served[0])
    monkeypatch.setenv("OPENAI_API_KEY", KEY)
    with pytest.raises(GeneratorError) as caught:
        list(
            ModelGenerator(OpenAIText("lab/other", replace(SETTINGS, retries=0), progress=False)).generate(
                problems(1)
            )
        )
    assert "model" in caught.value.got
