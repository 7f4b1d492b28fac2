"""How full a served model's engine is kept, beside bare requests of the same prompts, in one run."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from statistics import median
from typing import Any

from workbench.generators.completion import Prompt
from workbench.generators.endpoint import Endpoint
from workbench.generators.reply import Reply
from workbench.generators.sampling import sample_seed
from workbench.generators.served import ServedText
from workbench.generators.settings import GenerationSettings

__all__ = ["ServedSpeed", "measure_served"]

TEMPERATURE = 0.8


@dataclass(frozen=True)
class ServedSpeed:
    """Medians over rounds."""

    engine: str
    tokens_per_s: float
    """Of the workbench's answers."""
    plain_tokens_per_s: float
    """Of bare requests, a sample each, as many under way as the engine works on."""
    under_way: float
    """Samples asked for and not yet answered, in the mean over the workbench's time."""
    capacity: int
    """Samples that the engine works on at once."""
    requests: int
    """That the workbench sent for all answers."""
    answers: int

    @property
    def ratio(self) -> float:
        """The workbench's tokens a second, as a share of the bare requests'."""
        return self.tokens_per_s / self.plain_tokens_per_s


def measure_served(
    spec: str,
    prompts: Sequence[str],
    *,
    samples: int,
    max_new_tokens: int,
    rounds: int,
    device: str = "auto",
    say: Callable[[str], object],
) -> ServedSpeed:
    """Let an engine answer as `served:` does, and by bare requests, in turn.

    Args:
        spec: `MODEL` or `MODEL@ENGINE`; see `ServedText`.
        prompts: Texts; each is the user's turn for a chat model.
        samples: Answers per prompt.
        max_new_tokens: Longest answer.
        rounds: How often both run in turn, after two answers that do not count.
        device: Where the engine computes.
        say: Told of each measurement.

    Raises:
        GeneratorError: The engine is not installed, or fails.
    """
    settings = GenerationSettings(temperature=TEMPERATURE, max_new_tokens=max_new_tokens, device=device)
    texts, meter = _Metered(spec, settings, progress=False), _Meter()
    asked = [
        Prompt(text, seed=sample_seed(0, number, sample))
        for number, text in enumerate(prompts)
        for sample in range(samples)
    ]
    rates: dict[str, list[float]] = {"workbench": [], "bare requests": []}
    try:
        texts.complete(asked[:1])  # starts the engine
        begin = time.perf_counter()
        texts.complete(asked[:1])
        seconds, left = time.perf_counter() - begin, 2 * rounds * len(asked)
        minutes = left * seconds / texts.capacity / 60
        say(
            f"  an answer takes {seconds:.1f} s; {left}, {texts.capacity} at a time: {minutes:.0f} min or more"
        )
        for number in range(1, rounds + 1):
            texts.meter = meter = _Meter()
            for arm, answer in (("workbench", texts.complete), ("bare requests", texts.bare)):
                begin = time.perf_counter()
                written = answer(asked)
                seconds = time.perf_counter() - begin
                tokens = sum(map(texts.count_tokens, written))
                rates[arm].append(tokens / seconds)
                if arm == "workbench":
                    meter.close()
                say(f"  round {number}, {arm}: {tokens} tokens, {seconds:.1f} s")
    finally:
        texts.close()
    ours, plain = (median(rates[arm]) for arm in rates)
    return ServedSpeed(texts.engine, ours, plain, meter.mean, texts.capacity, meter.requests, len(asked))


class _Meter:
    """Counts requests, and how many samples are under way in the mean over time."""

    def __init__(self) -> None:
        self.requests, self.mean = 0, 0.0
        self._now, self._total, self._lock = 0, 0.0, threading.Lock()
        self._begin = self._last = time.perf_counter()

    @contextmanager
    def under_way(self, samples: int) -> Iterator[None]:
        self.requests += 1
        self._change(samples)
        try:
            yield
        finally:
            self._change(-samples)

    def close(self) -> None:
        """Take the mean up to the last answer."""
        self.mean = self._total / max(self._last - self._begin, 1e-9)

    def _change(self, by: int) -> None:
        with self._lock:
            now = time.perf_counter()
            self._total += self._now * (now - self._last)
            self._now, self._last = self._now + by, now


class _Metered(ServedText):
    """A served model whose requests are counted, and which can be asked without all that `served:` does."""

    meter = _Meter()

    def _reply(self, endpoint: Endpoint, prompt: Prompt, samples: int) -> Reply:
        with self.meter.under_way(samples):
            return super()._reply(endpoint, prompt, samples)

    def bare(self, asked: Sequence[Prompt]) -> list[str]:
        """Return the answers to plain HTTP requests, as many under way as the engine works on."""
        import httpx

        address = self.lease.address
        path = "chat/completions" if self.style == "chat" else "completions"
        with httpx.Client(trust_env=False, timeout=3600, limits=httpx.Limits(max_connections=None)) as client:

            def ask(prompt: Prompt) -> str:
                options = self._options(prompt, 1)
                body: dict[str, Any] = {"model": self.model_name, **options.pop("extra_body", {}), **options}
                body |= {"messages": prompt.turns} if self.style == "chat" else {"prompt": prompt.text}
                headers = {"Authorization": f"Bearer {address.key}"}
                reply = client.post(f"{address.url}/{path}", json=body, headers=headers).raise_for_status()
                choice = reply.json()["choices"][0]
                return str(choice["message"]["content"] if self.style == "chat" else choice["text"])

            with ThreadPoolExecutor(self.capacity) as pool:
                return list(pool.map(ask, asked))
