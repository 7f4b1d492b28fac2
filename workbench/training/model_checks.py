"""What can be done with a model, tried on it: each way is right, refused by name, or wrong.

`workbench bench families` tries all families of transformers, `workbench doctor --model` one model.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import Any

from workbench.core.errors import WorkbenchError
from workbench.models.loading import ModelSettings
from workbench.training.model_trial import ModelTrial, WrongResult
from workbench.training.ppo.policy import load_language_model

__all__ = ["CHECKS", "MEANINGS", "Outcome", "check_language_model", "check_model"]

MEANINGS = {
    "batches": "reward model: scores and log-probabilities in a padded batch are those of each text alone",
    "share_prompts": "--share-prompts: a prompt read once for both responses",
    "padding_free": "--padding-free: a batch as one row without padding",
    "PPO": "policy: log-probabilities in a batch are the model's own",
    "KL at the start": "PPO: what was sampled has KL 0 to the reference policy before any step",
    "stop of a response": "PPO: every stop token ends a response",
    "LoRA": "adapters on the default layers change nothing at first, and gradients reach them",
    "save, reload": "loaded again it scores bit by bit the same",
    "merge": "adapters folded into the weights change nothing",
    "NF4": "4-bit weights with adapters: alone as in a batch, and the same once loaded again",
}
"""What is tried, in order, and what it means that it passes."""
CHECKS = tuple(MEANINGS)
"""The names of what is tried."""
PASSES, REFUSED, FAILS = "passes", "refused", "FAILS"


@dataclass(frozen=True)
class Outcome:
    """What came of one check."""

    check: str
    """One of `CHECKS`."""
    status: str
    """`passes`, `refused` (an error of ours says why) or `FAILS`."""
    said: str = ""
    """What was measured, or why it is refused or wrong; one line."""
    fix: str = ""
    """What to do where it is refused; else empty."""

    @property
    def means(self) -> str:
        """What the check is about."""
        return MEANINGS[self.check]

    def __str__(self) -> str:
        return f"{self.check}: {self.status}" + (f" ({self.said})" if self.said else "")


def check_model(settings: ModelSettings) -> Iterator[Outcome]:
    """Load a language model, and try all that the workbench does with one; see `check_language_model`.

    Raises:
        ModelError: The model cannot be loaded at all.
    """
    lm, _ = load_language_model(settings)
    yield from check_language_model(lm, settings)


def check_language_model(lm: Any, settings: ModelSettings) -> Iterator[Outcome]:
    """Try all that the workbench does with a language model, and yield what comes of each check of `CHECKS`.

    The reference is always the model as transformers runs it, one text at a time without padding.

    Args:
        lm: The model, in evaluation mode. It has adapters folded into its weights afterwards.
        settings: What it was loaded from, and how.
    """
    trial = ModelTrial(lm, settings)
    yield _outcome("batches", trial.batches)
    yield _outcome("share_prompts", lambda: trial.batches(share_prompts=True))
    yield _outcome("padding_free", lambda: trial.batches(padding_free=True))
    yield _outcome("PPO", trial.policy)
    yield _outcome("KL at the start", trial.sampled)
    yield _outcome("stop of a response", trial.stops)
    yield _outcome("LoRA", trial.adapters)
    yield _outcome("save, reload", trial.policy_kept if trial.encodes else trial.kept)
    yield _outcome("merge", trial.merged)
    yield _outcome("NF4", lambda: _quantized(settings))


def _outcome(check: str, tried: Callable[[], str]) -> Outcome:
    try:
        return Outcome(check, PASSES, tried())
    except WorkbenchError as error:
        return Outcome(check, REFUSED, _line(error.got), _line(error.fix))
    except WrongResult as error:
        return Outcome(check, FAILS, _line(str(error)))
    except Exception as error:  # whatever a family raises: a user would meet it so
        return Outcome(check, FAILS, _line(f"{type(error).__name__}: {error}"))


def _quantized(settings: ModelSettings) -> str:
    """Try NF4 with adapters: the same alone and in a batch, and bit by bit the same once loaded again."""
    lm, _ = load_language_model(replace(settings, quantize="nf4"))
    trial = ModelTrial(lm, replace(settings, quantize="nf4"))
    trial.close = max(trial.close, 2e-2)  # 4-bit weights are multiplied in another order in a batch
    said = trial.policy() if trial.encodes else trial.batches()
    trial.adapters()
    said += f", {lm.get_memory_footprint() / 1e9:.2g} GB"
    (trial.policy_kept if trial.encodes else trial.kept)()
    return said


def _line(text: str) -> str:
    return " ".join(text.split())[:240]
