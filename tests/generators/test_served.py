"""Engines that are started here, with a program in the place of vLLM: found, shared, asked, ended; their faults."""

from __future__ import annotations

import os
import re
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import psutil
import pytest
from ds1000_rows import plain_problem
from fake_engine import FakeEngine
from interruptible import interruptible
from tiny_model import make_tiny_model

from workbench.core.errors import GeneratorError, ModelError, SettingsError
from workbench.generators import (
    GenerationSettings,
    Prompt,
    ResumableGenerator,
    make_generator,
    make_text_generator,
)
from workbench.generators.completion import as_known
from workbench.generators.served import ServedText
from workbench.generators.serving import keeper, lease
from workbench.generators.serving.engines import choose_engine
from workbench.models.catalog import checkpoint_source
from workbench.rewards.best_of_n import sample_responses
from workbench.rewards.judge import Preference
from workbench.rewards.judge_by_name import make_judge
from workbench.runs.needs import judge_needs

SETTINGS = GenerationSettings(style="chat", temperature=0.5, retries=1)
PATIENCE_S = 60.0
PROMPT = "Problem:\nnumber {}\nA:\n<code>\n</code>\nBEGIN SOLUTION\n<code>\n"

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="engines are kept by locks of POSIX")


@pytest.fixture
def engine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[FakeEngine]:
    (tmp_path / "bin").mkdir()
    (tmp_path / "tmp").mkdir()
    monkeypatch.setenv("PATH", f"{tmp_path / 'bin'}:{os.environ['PATH']}")
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path / "tmp"))
    monkeypatch.setenv("TMPDIR", str(tmp_path / "tmp"))
    monkeypatch.delenv("OPENAI_API_KEY", raising=False)
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:1")  # no way to an engine of this machine
    fake = FakeEngine(tmp_path / "bin")
    yield fake
    for row in [*fake.notes("start"), *fake.notes("worker")]:
        assert gone(row["pid"]), "an engine was left running"


@pytest.fixture
def served(engine: FakeEngine) -> Iterator[Callable[..., ServedText]]:
    made: list[ServedText] = []

    def make(spec: str = "lab/model@vllm", settings: GenerationSettings = SETTINGS) -> ServedText:
        made.append(ServedText(spec, settings, progress=False))
        return made[-1]

    yield make
    for one in made:
        one.close()


def gone(pid: int) -> bool:
    """Wait until a process has ended."""
    return wait_for(lambda: not psutil.pid_exists(pid) or psutil.Process(pid).status() == "zombie")


def wait_for(what: Callable[[], bool]) -> bool:
    end = time.monotonic() + PATIENCE_S
    while time.monotonic() < end:
        try:
            if what():
                return True
        except psutil.NoSuchProcess:
            return True
        time.sleep(0.05)
    return False


def samples(count: int, prompt: str = "hello") -> list[Prompt]:
    return [Prompt(prompt, seed=100 + number) for number in range(count)]


def test_an_engine_is_started_asked_and_ended(engine: FakeEngine, served: Callable[..., ServedText]) -> None:
    texts = served()
    assert texts.complete(samples(1)) == ["result = 100"]
    (start,) = engine.notes("start")
    assert start["words"][:2] == ["serve", "lab/model"]
    assert start["words"][start["words"].index("--host") + 1] == "127.0.0.1"
    (request,) = engine.notes("request")
    assert request["authorization"] == f"Bearer {start['key']}"
    assert start["key"] not in repr(vars(texts)) + texts.fingerprint + repr(texts.lease.address)
    assert psutil.pid_exists(start["pid"])
    texts.close()
    assert gone(start["pid"])


def test_samples_of_a_prompt_share_a_request(engine: FakeEngine, served: Callable[..., ServedText]) -> None:
    texts = served()
    asked = samples(3, "one") + samples(2, "two")
    assert texts.complete(asked) == [f"result = {seed}" for seed in (100, 101, 102, 100, 101)]
    assert sorted(body.get("n", 1) for body in engine.bodies) == [2, 3]


@pytest.mark.parametrize("how", ["refuses_n", "ignores_n"])
def test_where_n_is_not_taken_each_sample_is_a_request(
    engine: FakeEngine, served: Callable[..., ServedText], how: str
) -> None:
    engine.does(**{how: True})
    texts = served(settings=replace(SETTINGS, concurrency=2))
    asked = [prompt for number in range(4) for prompt in samples(3, str(number))]
    with pytest.warns(UserWarning, match="n is left out"):
        assert texts.complete(asked) == ["result = 100", "result = 101", "result = 102"] * 4
    answered = [body for body in engine.bodies if "n" not in body or how == "ignores_n"]
    assert len(answered) == 12  # none is asked for twice
    assert 1 <= sum("n" in body for body in engine.bodies) <= 4  # those that were under way
    before = len(engine.bodies)
    texts.complete(asked)
    assert not any("n" in body for body in engine.bodies[before:])


def test_greedy_texts_are_asked_for_one_by_one(engine: FakeEngine, served: Callable[..., ServedText]) -> None:
    served(settings=replace(SETTINGS, temperature=0.0)).complete(samples(3))
    assert [body.get("n") for body in engine.bodies] == [None] * 3


def test_requests_under_way_are_bounded_and_those_of_a_problem_follow_each_other(
    engine: FakeEngine, served: Callable[..., ServedText]
) -> None:
    engine.does(takes_s=0.05, ignores_n=True)
    texts = served(settings=replace(SETTINGS, concurrency=3))
    with pytest.warns(UserWarning):
        texts.complete([prompt for number in range(4) for prompt in samples(4, str(number))])
    assert max(row["at_once"] for row in engine.notes("request")) == 3
    order = [int(body["messages"][0]["content"]) for body in engine.bodies[-12:]]
    assert all(abs(place // 3 - number) <= 1 for place, number in enumerate(order))


def test_as_many_samples_are_under_way_as_the_engine_works_on(served: Callable[..., ServedText]) -> None:
    texts = served()
    assert [texts._at_once(count) for count in (1, 40, 128)] == [256, 7, 2]


def test_who_serves_the_same_shares_an_engine_until_the_last_has_closed(
    engine: FakeEngine, served: Callable[..., ServedText]
) -> None:
    first, second = served(), served(settings=replace(SETTINGS, temperature=0.0))
    other = served("lab/other@vllm")
    for texts in (first, second, other):
        texts.complete(samples(1))
    one, two = engine.notes("start")
    assert [one["words"][1], two["words"][1]] == ["lab/model", "lab/other"]
    first.close()
    assert second.complete(samples(1)) == ["result = 100"]
    second.close()
    assert gone(one["pid"])
    assert psutil.pid_exists(two["pid"])


USER = """
import sys
from workbench.generators import GenerationSettings
from workbench.generators.served import ServedText
texts = ServedText("lab/model@vllm", GenerationSettings(style="chat", retries=0), progress=False)
print(texts.complete(["hello"]), flush=True)
sys.stdin.read()
"""


def user() -> subprocess.Popen[str]:
    """Start a process that uses the engine until it is told to end."""
    process = subprocess.Popen(
        [sys.executable, "-c", USER], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    assert process.stdout is not None
    assert process.stdout.readline() == "['result = 0']\n"
    return process


@pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGTERM])
def test_a_killed_user_leaves_no_engine(engine: FakeEngine, how: signal.Signals) -> None:
    engine.does(worker=True, ignores_sigterm=how == signal.SIGKILL)
    process = user()
    process.send_signal(how)
    process.wait()
    assert gone(engine.notes("start")[0]["pid"])
    assert gone(engine.notes("worker")[0]["pid"])


def test_an_interrupted_user_waits_for_no_answers(engine: FakeEngine) -> None:
    engine.does(takes_s=1000)
    with interruptible():
        process = subprocess.Popen(
            [sys.executable, "-c", USER], stdin=subprocess.PIPE, stderr=subprocess.DEVNULL
        )
    assert wait_for(lambda: bool(engine.notes("request")))
    process.send_signal(signal.SIGINT)
    assert process.wait(PATIENCE_S) != 0
    assert gone(engine.notes("start")[0]["pid"])


def test_processes_share_an_engine_and_it_survives_the_one_that_started_it(
    engine: FakeEngine, served: Callable[..., ServedText]
) -> None:
    process = user()
    texts = served()
    texts.complete(samples(1))
    process.kill()
    process.wait()
    time.sleep(3 * keeper.LOOK_S)
    assert texts.complete(samples(1)) == ["result = 100"]
    assert len(engine.notes("start")) == 1


def test_a_killed_keeper_takes_the_engine_with_it(
    engine: FakeEngine, served: Callable[..., ServedText]
) -> None:
    texts = served()
    texts.complete(samples(1))
    (start,) = engine.notes("start")
    psutil.Process(start["pid"]).parent().kill()
    assert gone(start["pid"])
    assert texts.complete(samples(1)) == ["result = 100"]  # asked again, it is started again
    assert len(engine.notes("start")) == 2


def test_a_killed_engine_is_a_clear_error_and_answers_before_it_are_kept(
    engine: FakeEngine, tmp_path: Path
) -> None:
    engine.does(killed_after=2, text="```python\nresult = {}\n```")
    generator = make_generator("served:lab/model@vllm", replace(SETTINGS, concurrency=1))
    kept = ResumableGenerator(generator, tmp_path / "answers.jsonl")
    problems = [replace(plain_problem(number), prompt=PROMPT.format(number)) for number in range(5)]
    with pytest.raises(GeneratorError) as caught:
        list(kept.generate(problems))
    assert "vllm was killed by SIGKILL while it was in use" in caught.value.got
    assert "loading lab/model" in caught.value.got
    assert "goes on where this one stopped" in caught.value.fix
    assert [answer.problem_id for answer in kept.saved(problems)] == [0, 1]
    engine.does(text="```python\nresult = {}\n```")
    assert len(list(kept.generate(problems))) == 5
    assert len(engine.notes("request")) == 2 + 1 + 3
    generator.texts.close()


def test_an_engine_that_fails_shows_its_log(engine: FakeEngine, served: Callable[..., ServedText]) -> None:
    engine.does(fails=True)
    with pytest.raises(GeneratorError) as caught:
        served().complete(samples(1))
    assert "out of memory" in caught.value.got
    assert "loading lab/model" in caught.value.got


def test_a_missing_model_is_told_by_the_engines_log(
    engine: FakeEngine, served: Callable[..., ServedText]
) -> None:
    engine.does(missing=True)
    texts = served()
    with pytest.raises(GeneratorError) as caught:
        texts.complete(samples(1))
    assert "vllm ended with status 1 before it was healthy" in caught.value.got
    assert "lab/model is not a local folder" in caught.value.got
    assert engine.notes("start")[0]["key"] not in str(caught.value)
    assert len(engine.notes("start")) == 1
    engine.does()
    assert texts.complete(samples(1)) == ["result = 100"]


def test_an_engine_is_asked_once_it_is_healthy(engine: FakeEngine, served: Callable[..., ServedText]) -> None:
    engine.does(healthy_after_s=1.0)
    assert served().complete(samples(1)) == ["result = 100"]


def test_an_engine_that_does_not_get_healthy_is_ended(
    engine: FakeEngine, served: Callable[..., ServedText]
) -> None:
    engine.does(healthy_after_s=1e6)
    texts = served()
    wait_at_most(texts, 1.0)
    with pytest.raises(GeneratorError, match="was not healthy, and did nothing for 1 s"):
        texts.complete(samples(1))
    assert gone(engine.notes("start")[0]["pid"])


def wait_at_most(texts: ServedText, idle_s: float) -> None:
    texts._serving = replace(texts._serving, launch=replace(texts._serving.launch, idle_s=idle_s))


def test_an_engine_that_works_is_waited_for(
    engine: FakeEngine, served: Callable[..., ServedText], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A loaded machine starts it slowly, and a large model answers slowly: it used to have an hour for each."""
    monkeypatch.setattr(lease, "SAY_S", 0.5)
    engine.does(healthy_after_s=6.0, takes_s=6.0, logs_every_s=0.1)
    texts, said = served(), list[str]()
    wait_at_most(texts, 3.0)
    monkeypatch.setattr(texts, "_say", said.append)
    assert texts.complete(samples(1)) == ["result = 100"]
    assert any(re.search(r"^vllm is not healthy yet after \d+ s: .*at work", text) for text in said)


def test_an_engine_that_works_no_more_while_it_is_asked_is_a_clear_error(
    engine: FakeEngine, served: Callable[..., ServedText]
) -> None:
    engine.does(takes_s=1e6)
    texts = served()
    wait_at_most(texts, 3.0)
    with pytest.raises(GeneratorError, match="vllm did nothing for 3 s while it was in use"):
        texts.complete(samples(1))
    assert gone(engine.notes("start")[0]["pid"])


def test_an_engine_that_nobody_asks_may_rest(engine: FakeEngine, served: Callable[..., ServedText]) -> None:
    texts = served()
    wait_at_most(texts, 0.5)
    texts.complete(samples(1))
    time.sleep(2.0)
    assert texts.complete(samples(1)) == ["result = 100"]
    assert len(engine.notes("start")) == 1


def test_a_user_that_is_killed_while_it_waits_leaves_no_engine(engine: FakeEngine) -> None:
    engine.does(healthy_after_s=1e6)
    process = subprocess.Popen([sys.executable, "-c", USER], stdin=subprocess.PIPE)
    assert wait_for(lambda: bool(engine.notes("start")))
    process.kill()
    process.wait()
    assert gone(engine.notes("start")[0]["pid"])


@pytest.mark.parametrize("answering", [True, False])
def test_a_port_that_somebody_takes_first_is_left_to_them(
    engine: FakeEngine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, answering: bool
) -> None:
    """Somebody may also be another healthy server, which must not pass for ours."""
    other = FakeEngine(tmp_path)
    taken, stranger = keeper.free_port(), None
    if answering:
        stranger = subprocess.Popen([str(other.folder / "vllm"), "serve", "theirs", "--port", str(taken)])
        assert wait_for(lambda: keeper.answers(f"http://127.0.0.1:{taken}/health"))
    else:
        sock = socket.create_server(("127.0.0.1", taken))
    place = keeper.Place("taken")
    place.write("launch", _launch(engine))
    ports = iter([taken, keeper.free_port()])
    monkeypatch.setattr(keeper, "free_port", lambda: next(ports))
    monkeypatch.setattr(keeper.Keeper, "_unused", lambda self: False)
    monkeypatch.setattr(keeper.Keeper, "_ended", lambda self, process: "")
    keeper.Keeper(place).run()
    starts = engine.notes("start")
    assert len(starts) == 2
    assert starts[0]["port"] == taken
    assert place.read("ended") is None
    assert "in use" in place.log.read_text()
    if stranger is None:
        sock.close()
    else:
        stranger.kill()
        stranger.wait()


def _launch(engine: FakeEngine) -> dict[str, object]:
    command = [str(engine.folder / "vllm"), "serve", "model", "--port", "{port}"]
    return {"command": command, "environment": {}, "health": "/health", "idle_s": 60.0, "key": ""}


def test_stop_texts_count_also_where_the_engine_goes_on(
    engine: FakeEngine, served: Callable[..., ServedText]
) -> None:
    engine.does(text="result = {} END and more")
    texts = served(settings=replace(SETTINGS, style="completion", stop=(*"12345", "END")))
    assert texts.complete([Prompt("x", seed=700)]) == ["result = 700 "]
    assert len(engine.bodies[0]["stop"]) == 4


def test_best_of_n_and_judges_are_answered_by_an_engine(engine: FakeEngine, tmp_path: Path) -> None:
    texts = make_text_generator("served:lab/model@vllm", SETTINGS, progress=False)
    drawn = sample_responses(texts, ["one", "two"], 3)
    assert [len(set(one.responses)) for one in drawn] == [3, 3]
    assert [body["n"] for body in engine.bodies] == [3, 3]
    engine.does(text="A")
    texts.close()
    judge = make_judge("served:lab/judge@vllm", path=tmp_path / "replies.jsonl")
    judge.texts.settings = replace(judge.texts.settings, style="chat")
    assert judge.compare("which?", "this", "that") == Preference.TIE  # the first in both orders
    assert len((tmp_path / "replies.jsonl").read_text().splitlines()) == 2
    judge.texts.close()


def test_a_text_generator_that_is_forgotten_ends_its_engine(engine: FakeEngine) -> None:
    texts = ServedText("lab/model@vllm", SETTINGS, progress=False)
    list(as_known(texts, samples(1)))
    del texts
    assert gone(engine.notes("start")[0]["pid"])


def test_an_engine_is_chosen_by_name_or_by_what_is_installed(
    engine: FakeEngine, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert choose_engine("lab/model")[1].name == "vllm"  # the first, which is here
    assert choose_engine("lab/model@vllm")[0] == "lab/model"
    with pytest.raises(SettingsError, match="did you mean 'vllm'"):
        choose_engine("lab/model@vlm")
    (engine.folder / "vllm").unlink()
    monkeypatch.setenv("PATH", str(engine.folder))
    with pytest.raises(GeneratorError, match="no vllm here, to serve lab/model"):
        make_generator("served:lab/model@vllm")


@pytest.mark.parametrize(
    ("spec", "settings"),
    [
        ("lab/model@vllm", {"device": "cpu"}),
        ("lab/model@vllm", {"quantize": "8bit"}),
        ("lab/model@llama.cpp", {"quantize": "4bit", "dtype": "float16"}),
    ],
)
def test_what_an_engine_cannot_do_is_refused_at_once(
    engine: FakeEngine, spec: str, settings: dict[str, str]
) -> None:
    (engine.folder / "llama-server").symlink_to(engine.folder / "vllm")
    with pytest.raises(SettingsError, match=next(iter(settings))):
        ServedText(spec, GenerationSettings(**settings))  # type: ignore[arg-type]


def test_llama_cpp_takes_a_gguf_file(engine: FakeEngine, tmp_path: Path) -> None:
    (engine.folder / "llama-server").symlink_to(engine.folder / "vllm")
    file = tmp_path / "model.gguf"
    file.write_bytes(b"GGUF....")
    command = ServedText(f"{file}@llama.cpp")._serving.launch.command
    assert command[1:3] == ("--model", str(file))
    with pytest.raises(ModelError, match=r"a \.gguf file"):
        ServedText(f"{tmp_path / 'other'}@llama.cpp")


def test_a_served_engine_is_no_model_to_train() -> None:
    with pytest.raises(ModelError, match="rollouts of PPO"):
        checkpoint_source("served:lab/model@vllm")


def test_a_run_looks_for_the_engine_before_it_begins(engine: FakeEngine) -> None:
    need, files = judge_needs("served:lab/judge@vllm")
    assert need.check().detail == "vllm is installed, and will serve lab/judge"
    assert files.name == "judge, its files"
    (lacking,) = judge_needs("served:lab/judge@llama.cpp")
    with pytest.raises(GeneratorError, match=r"no llama\.cpp here"):
        lacking.check()
    assert engine.notes("start") == []


def test_responses_are_on_disk_as_they_come_and_drawn_once(engine: FakeEngine, tmp_path: Path) -> None:
    texts = make_text_generator("served:lab/model@vllm", SETTINGS, progress=False)
    drawn = sample_responses(texts, ["one", "two"], 2, path=tmp_path / "drawn.jsonl")
    more = sample_responses(texts, ["one", "two", "three"], 2, path=tmp_path / "drawn.jsonl")
    assert more[:2] == drawn
    assert [body["messages"][0]["content"] for body in engine.bodies][2:] == ["three"]
    assert len((tmp_path / "drawn.jsonl").read_text().splitlines()) == 6
    texts.close()


def test_an_engine_is_kept_over_several_commands_with_options_of_its_own(
    engine: FakeEngine, served: Callable[..., ServedText]
) -> None:
    command = [sys.executable, "-m", "workbench.cli.main", "model", "serve", "lab/model@vllm"]
    with interruptible():
        process = subprocess.Popen(
            [*command, "--", "--tensor-parallel-size", "2"], stdout=subprocess.PIPE, text=True
        )
    assert process.stdout is not None
    assert any("vllm serves lab/model at http://127.0.0.1:" in line for line in process.stdout)
    texts = served()
    texts.complete(samples(1))
    (start,) = engine.notes("start")
    assert start["words"][-2:] == ["--tensor-parallel-size", "2"]
    texts.close()
    process.send_signal(signal.SIGINT)
    assert process.wait(PATIENCE_S) == 0
    assert gone(start["pid"])


def test_a_real_engine_answers_by_temperature_and_seed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """`transformers serve` takes the likeliest token at every temperature, where nothing tells it to draw."""
    pytest.importorskip("fastapi", reason="`transformers serve` needs fastapi and uvicorn")
    pytest.importorskip("uvicorn", reason="`transformers serve` needs fastapi and uvicorn")
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    for name, value in (("TMPDIR", str(tmp_path)), ("HF_HUB_OFFLINE", "1"), ("OMP_NUM_THREADS", "1")):
        monkeypatch.setenv(name, value)
    model = make_tiny_model(
        tmp_path / "model", chat=True, special=["<|user|>", "<|assistant|>"], context=1024
    )
    settings = GenerationSettings(temperature=1.0, max_new_tokens=8, device="cpu", retries=0)
    texts = ServedText(f"{model}@transformers", settings, progress=False)
    drawn = texts.complete(samples(3))
    assert texts.style == "chat"
    assert len(set(drawn)) == 3
    assert texts.complete(samples(3)) == drawn
    greedy = ServedText(f"{model}@transformers", replace(settings, temperature=0.0), progress=False)
    here = make_text_generator(f"hf:{model}", replace(settings, temperature=0.0), progress=False)
    assert greedy.complete(["hello"]) == here.complete(["hello"])
    pid = texts.lease._record["pid"]
    texts.close()
    greedy.close()
    assert gone(pid)


@pytest.mark.parametrize("style", ["auto", "chat", "completion"])
def test_a_model_that_is_missing_here_is_told_before_an_engine_starts(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, style: str
) -> None:
    pytest.importorskip("fastapi", reason="`transformers serve` needs fastapi and uvicorn")
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    texts = ServedText(
        f"{tmp_path / 'none'}@transformers", GenerationSettings(style=style, device="cpu"), progress=False
    )
    with pytest.raises(GeneratorError, match="none"):
        texts.complete(["hello"])
    assert not list(tmp_path.glob("workbench-served-*"))
