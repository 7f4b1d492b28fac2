"""How a model is asked for answers."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from workbench.core.errors import SettingsError
from workbench.models.placement import DTYPES

__all__ = ["ANSWER_SETTINGS", "LOADED_ANSWER_SETTINGS", "QUANTIZATIONS", "STYLES", "GenerationSettings"]

STYLES = ("completion", "insertion", "chat")
"""Ways to put a problem to a model; see `workbench.generators.prompts`."""
QUANTIZATIONS = ("4bit", "8bit")
ANSWER_SETTINGS = ("style", "temperature", "top_p", "max_new_tokens", "stop", "seed")
"""Settings that an answer depends on, whoever gives it."""
LOADED_ANSWER_SETTINGS = (*ANSWER_SETTINGS, "quantize", "dtype", "revision")
"""The same where the model's weights are loaded on this machine."""


@dataclass(frozen=True)
class GenerationSettings:
    """Settings of the model-backed generators; temperature, top_p and length default to the DS-1000 authors'.

    Raises:
        SettingsError: One or more values cannot be used; all of them are named.
    """

    style: str = "auto"
    """One of `STYLES`, or `auto`: chat for an endpoint or a model with a chat template, else completion."""
    temperature: float = 0.2
    """0 takes the most likely token each time."""
    top_p: float = 0.95
    """Nucleus sampling: among the most probable tokens that together have this probability."""
    max_new_tokens: int = 1024
    """Longest answer, in tokens."""
    stop: tuple[str, ...] = ()
    """Texts that end an answer, besides those of the prompt style."""
    seed: int = 0
    """Together with problem and sample number, it fixes an answer."""
    batch_size: int = 8
    """Prompts a local model works on at once."""
    concurrency: int | None = None
    """Requests to an endpoint that are under way at once; None: 8, and as many as it works on of an engine that is
    started here."""
    retries: int = 6
    """Times a request is sent again after 408, 409, 429, 5xx, a timeout or a broken connection."""
    timeout_s: float = 120.0
    """Longest wait for one answer of an endpoint, in seconds; an engine that is started here has an hour."""
    quantize: str | None = None
    """`4bit` (NF4) or `8bit` weights of a local model, by bitsandbytes."""
    dtype: str = "auto"
    """Number type of a local model's weights; `auto`: bfloat16 (else float16) on a GPU, float32 elsewhere."""
    device: str = "auto"
    """Where a local model runs, as torch names it; `auto`: the first GPU, else the CPU."""
    revision: str | None = None
    """Commit, tag or branch of a model on the Hub."""

    def __post_init__(self) -> None:
        faults = list(self._faults())
        if faults:
            raise SettingsError.listing(faults)

    def _faults(self) -> Iterator[tuple[str, str]]:
        """Yield (what was got, what is needed) for each value that cannot be used."""
        choices = {
            "style": ("auto", *STYLES),
            "quantize": (None, *QUANTIZATIONS),
            "dtype": DTYPES,
        }
        for name, allowed in choices.items():
            if getattr(self, name) not in allowed:
                yield f"{name} {getattr(self, name)!r}", f"{name}: one of {', '.join(map(str, allowed))}"
        for name, least in (
            ("max_new_tokens", 1),
            ("batch_size", 1),
            ("concurrency", 1),
            ("retries", 0),
            ("seed", 0),
        ):
            value = getattr(self, name)
            if name == "concurrency" and value is None:
                continue
            if not isinstance(value, int) or isinstance(value, bool) or value < least:
                yield f"{name} {value!r}", f"{name}: a whole number, at least {least}"
        ranges = (
            ("temperature", 0.0, 2.0, True),
            ("top_p", 0.0, 1.0, False),
            ("timeout_s", 0.0, 86_400.0, False),
        )
        for name, low, high, with_low in ranges:
            value = getattr(self, name)
            right = (
                isinstance(value, (int, float))
                and (low <= value if with_low else low < value)
                and value <= high
            )
            if not right or isinstance(value, bool):
                yield (
                    f"{name} {value!r}",
                    f"{name}: a number {'from' if with_low else 'above'} {low:g} up to {high:g}",
                )
        if isinstance(self.stop, str) or not all(isinstance(text, str) and text for text in self.stop):
            yield f"stop {self.stop!r}", "stop: a tuple of texts, none empty"
