"""The profiles pocket, laptop and paper: for each paper, the value of every parameter.

The convention between notebooks, papermill and ``workbench run``:

* A profile changes parameters, and nothing else: no code path asks for a profile's name.
* A notebook's ``parameters`` cell holds ``profile = "pocket"``, ``out = ""`` and one line for each parameter
  of its table below, all of them ``None``, which means 'as the profile says'. Annotations give papermill the
  types, trailing comments the help: ``samples: int = None  # answers a problem``.
* The next cell calls ``Run.open(paper, profile=profile, out=out, parameters=dict(samples=samples, ...))``,
  and from then on reads ``run.settings.samples``.

So ``workbench run ds1000 --profile laptop -p samples=4`` and
``papermill notebooks/ds1000.ipynb out.ipynb -p profile laptop -p samples 4`` mean the same.
A parameter of kind ``tuple`` may be given as a list, as JSON (``["a", "b"]``) or as ``a,b``.
"""

from __future__ import annotations

import difflib
import json
import math
from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

from workbench.errors import SettingsError

__all__ = ["PAPERS", "PROFILES", "Parameter", "settings", "suggestion"]

PROFILES = ("pocket", "laptop", "paper")


@dataclass(frozen=True)
class Parameter:
    """One parameter of a paper's notebook and its value in each profile."""

    kind: type
    """int, float, str, bool or tuple (of strings)."""
    help: str
    """What it sets, in a line, with its unit."""
    pocket: Any
    """A few minutes on two cores, without a network."""
    laptop: Any
    """An hour or so on a good laptop, with public models and data."""
    paper: Any
    """The paper's own setting, on a machine with a large GPU."""
    minimum: float | None = None
    """Smallest value allowed, for numbers."""


PAPERS: Mapping[str, Mapping[str, Parameter]] = MappingProxyType(
    {
        "ds1000": MappingProxyType(
            {
                "problems": Parameter(str, "suite, hub, or a .jsonl(.gz) file", "suite", "hub", "hub"),
                "generators": Parameter(
                    tuple,
                    "who answers, e.g. reference, memorizer, recorded:FILE, hf:NAME, openai:MODEL",
                    ("reference", "memorizer", "recorded:data/ds1000/wrong.jsonl"),
                    ("reference", "memorizer", "hf:Qwen/Qwen2.5-Coder-0.5B"),
                    ("reference", "memorizer", "hf:codellama/CodeLlama-34b-Python-hf"),
                ),
                "samples": Parameter(
                    int, "answers a problem; of recorded ones all there are", 1, 1, 40, minimum=1
                ),
                "style": Parameter(
                    str, "how a model is asked: auto, completion, insertion or chat", "auto", "auto", "auto"
                ),
                "temperature": Parameter(float, "of sampling; 0 is greedy", 0.2, 0.2, 0.2, minimum=0),
                "max_new_tokens": Parameter(int, "longest answer, in tokens", 512, 512, 1024, minimum=1),
                "workers": Parameter(int, "programs run at a time", 2, 2, 8, minimum=1),
                "timeout_s": Parameter(
                    float, "wall time of one program, in seconds", 60.0, 120.0, 120.0, 0.1
                ),
                "runtime": Parameter(
                    str, "environment the programs run in: main or ds1000", "main", "ds1000", "ds1000"
                ),
                "strict": Parameter(
                    bool, "count passes that say nothing of the result as failed", False, False, False
                ),
                "seed": Parameter(int, "seed of sampling and of the bootstrap", 0, 0, 0, minimum=0),
            }
        ),
        "arks": MappingProxyType(
            {
                "data": Parameter(
                    str,
                    "world (fictional libraries), fresh:PACKAGE, or a task of EVOR-bench, as TASK or TASK:FOLDER",
                    "world",
                    "fresh:scipy",
                    "ScipyM",
                ),
                "models": Parameter(
                    tuple,
                    "who writes the code: pocket:FOLDER, hf:NAME, openai:MODEL, recorded:FILE",
                    ("pocket:data/arks/seed-0", "pocket:data/arks/seed-1", "pocket:data/arks/seed-2"),
                    ("hf:Qwen/Qwen2.5-Coder-0.5B-Instruct",),
                    ("hf:codellama/CodeLlama-34b-Instruct-hf",),
                ),
                "quantize": Parameter(
                    str, "none or nf4: how a public model on this machine is held", "none", "none", "nf4"
                ),
                "libraries": Parameter(int, "fictional libraries, unseen in training", 10, 10, 10, minimum=1),
                "problems": Parameter(
                    int,
                    "problems a library of the world (0: 30); of other data, in all (0: no limit)",
                    30,
                    50,
                    0,
                    minimum=0,
                ),
                "rounds": Parameter(int, "programs a problem, at most", 4, 4, 4, minimum=1),
                "documents": Parameter(int, "documents that are retrieved", 5, 5, 5, minimum=0),
                "snippets": Parameter(int, "programs that are retrieved", 3, 3, 5, minimum=0),
                "max_new_tokens": Parameter(
                    int, "longest answer of a public model, in tokens", 512, 512, 1024, minimum=1
                ),
                "processes": Parameter(int, "models at work at a time", 2, 1, 1, minimum=1),
                "timeout_s": Parameter(float, "wall time of one program, in seconds", 10.0, 60.0, 60.0, 0.1),
                "runtime": Parameter(
                    str, "environment the programs run in: main or ds1000", "main", "main", "main"
                ),
                "seed": Parameter(int, "of the world, of new names and of the bootstrap", 0, 0, 0, minimum=0),
            }
        ),
        "haf_rm": MappingProxyType(
            {
                "data": Parameter(
                    tuple,
                    "passages (our small world), or preference data sets by name or file",
                    ("passages",),
                    ("hh-harmless", "hh-helpful"),
                    ("hh-helpful", "hh-harmless", "beavertails-safe", "alpaca-farm", "chatbot-arena"),
                ),
                "model": Parameter(
                    str,
                    "the backbone: a name on the Hub or a folder; empty: the world's own policy",
                    "",
                    "Qwen/Qwen2.5-0.5B",
                    "mistralai/Mistral-7B-v0.1",
                ),
                "quantize": Parameter(str, "none or nf4: how the backbone is held", "none", "none", "nf4"),
                "device": Parameter(
                    str,
                    "where models compute: auto, cpu, cuda; the world's are too small for a GPU",
                    "cpu",
                    "auto",
                    "auto",
                ),
                "lora": Parameter(bool, "train adapters instead of all weights", False, True, True),
                "alphas": Parameter(
                    tuple,
                    "weights of the policy loss, one hybrid arm each",
                    ("0.05", "0.2", "1"),
                    ("0.2",),
                    ("0.05", "0.2", "1"),
                ),
                "regimes": Parameter(
                    tuple,
                    "PAIRS or PAIRS@FLIPPED to train on; the first is the main one, with every arm",
                    ("300", "100", "100@0.2"),
                    ("2000",),
                    ("30000",),
                ),
                "seeds": Parameter(int, "paired seeds of every comparison", 10, 1, 3, minimum=1),
                "quantized_seeds": Parameter(
                    int,
                    "how many of them also train as NF4 + LoRA, where the rest does not",
                    3,
                    0,
                    0,
                    minimum=0,
                ),
                "tuning": Parameter(
                    str,
                    "a tuning's file; world: the one kept for our world; paper: the paper's settings",
                    "world",
                    "paper",
                    "paper",
                ),
                "pool_prompts": Parameter(
                    int, "prompts of the world that training pairs are made of", 1200, 1600, 1600, minimum=1
                ),
                "test_prompts": Parameter(
                    int, "prompts of the world, or pairs of a data set, to test on", 64, 500, 2000, minimum=1
                ),
                "samples": Parameter(
                    int, "answers a prompt, for best-of-N and to test on in the world", 8, 8, 8, minimum=2
                ),
                "judge": Parameter(
                    str,
                    "who judges what rewards pick where no utility is known: openai:MODEL, reward:NAME, or nobody",
                    "",
                    "",
                    "",
                ),
                "judged_prompts": Parameter(
                    int,
                    "prompts of each data set that the backbone answers for the judge",
                    40,
                    40,
                    100,
                    minimum=1,
                ),
                "max_new_tokens": Parameter(
                    int, "longest of these answers, in tokens", 128, 128, 256, minimum=1
                ),
                "template": Parameter(
                    str,
                    "text around the prompt; world: nothing; paper: Instruct: ... Output:",
                    "world",
                    "paper",
                    "paper",
                ),
                "max_tokens": Parameter(
                    int,
                    "longest sequence, in tokens; half of it at most is prompt",
                    512,
                    512,
                    512,
                    minimum=32,
                ),
                "micro_batch": Parameter(int, "pairs in memory at once; a step has 16", 16, 2, 1, minimum=1),
                "share_prompts": Parameter(
                    bool, "read a prompt once for all its responses in a batch", True, True, True
                ),
                "workers": Parameter(int, "trainings at a time, each in a process", 2, 1, 1, minimum=1),
                "seed": Parameter(int, "seed of the data", 0, 0, 0, minimum=0),
            }
        ),
        "alarm": MappingProxyType(
            {
                "data": Parameter(
                    str,
                    "passages (our small world), or QA-Feedback: the authors' folder, or a file",
                    "passages",
                    "FineGrainedRLHF/tasks/qa_feedback/data",
                    "FineGrainedRLHF/tasks/qa_feedback/data",
                ),
                "policy": Parameter(
                    str,
                    "who answers: a name on the Hub or a folder; empty: the world's own policy",
                    "",
                    "Qwen/Qwen2.5-0.5B-Instruct",
                    "google-t5/t5-large",
                ),
                "chat": Parameter(bool, "ask the policy by its chat template", False, True, False),
                "lora": Parameter(bool, "train adapters instead of all weights", False, True, True),
                "supervised": Parameter(
                    int, "answers of people that the policy is fine-tuned on first", 0, 0, 1000, minimum=0
                ),
                "holistic": Parameter(
                    str,
                    "a reward model for whole answers; empty: one is trained for each seed",
                    "",
                    "OpenAssistant/reward-model-deberta-v3-large-v2",
                    "openbmb/UltraRM-13b",
                ),
                "quantize": Parameter(
                    str, "none or nf4: how the holistic reward model is held", "none", "none", "nf4"
                ),
                "aspect_model": Parameter(
                    str,
                    "what relevance and factuality are trained from; empty: the world's rules",
                    "",
                    "distilbert/distilroberta-base",
                    "allenai/longformer-base-4096",
                ),
                "completeness_model": Parameter(
                    str,
                    "what completeness is trained from; empty: the world's rule",
                    "",
                    "Qwen/Qwen2.5-0.5B",
                    "Qwen/Qwen2.5-0.5B",
                ),
                "aspect_steps": Parameter(
                    int, "steps of each aspect's training; 0: the authors' epochs", 0, 300, 0, minimum=0
                ),
                "device": Parameter(
                    str,
                    "where models compute: auto, cpu, cuda; the world's are too small for a GPU",
                    "cpu",
                    "auto",
                    "auto",
                ),
                "seeds": Parameter(int, "paired seeds of every comparison", 3, 1, 3, minimum=1),
                "sweep_seeds": Parameter(
                    int, "how many of them also sweep the aspect's weight", 1, 0, 0, minimum=0
                ),
                "weights": Parameter(
                    tuple,
                    "weights of the aspect; where nothing is tuned, modes are compared at the largest",
                    ("0.3", "1"),
                    ("1",),
                    ("1",),
                ),
                "tuning": Parameter(
                    str,
                    "a tuning's file; world: the one kept for our world; paper: the paper's settings",
                    "world",
                    "paper",
                    "paper",
                ),
                "steps": Parameter(
                    int,
                    "rollouts of each training; 0: as tuned, or the paper's 2 epochs",
                    0,
                    60,
                    0,
                    minimum=0,
                ),
                "batch": Parameter(
                    int, "answers a rollout; 0: as tuned, or the paper's 8", 0, 8, 8, minimum=0
                ),
                "max_prompt_tokens": Parameter(
                    int, "longest prompt of public models", 1024, 1024, 1024, minimum=8
                ),
                "max_new_tokens": Parameter(int, "longest answer of public models", 200, 200, 200, minimum=1),
                "pairs": Parameter(
                    int,
                    "noisy pairs to make the world's holistic reward of; half of it for translation",
                    800,
                    800,
                    800,
                    minimum=8,
                ),
                "pool_prompts": Parameter(
                    int,
                    "prompts with four answers each, that aspects are selected by",
                    100,
                    50,
                    200,
                    minimum=2,
                ),
                "test_prompts": Parameter(
                    int, "prompts that trained policies answer", 100, 50, 500, minimum=1
                ),
                "judge": Parameter(
                    str,
                    "who else compares answers: openai:MODEL, reward:NAME, or nobody",
                    "",
                    "",
                    "openai:gpt-4o-mini",
                ),
                "translation": Parameter(
                    str,
                    "what is translated: world (our small Spanish), europarl, or such a file",
                    "world",
                    "world",
                    "europarl",
                ),
                "translation_policy": Parameter(
                    str,
                    "who translates Europarl: a name on the Hub or a folder",
                    "",
                    "",
                    "google/mt5-base",
                ),
                "translation_grammar": Parameter(
                    bool,
                    "measure grammar on Europarl too: needs Java, and downloads LanguageTool",
                    False,
                    False,
                    True,
                ),
                "translation_seeds": Parameter(
                    int, "paired seeds of every comparison of translations", 2, 2, 3, minimum=1
                ),
                "translation_steps": Parameter(
                    int,
                    "rollouts of each training to translate; 0: as tuned, or the paper's",
                    0,
                    0,
                    0,
                    minimum=0,
                ),
                "workers": Parameter(int, "trainings at a time, each in a process", 2, 1, 1, minimum=1),
                "seed": Parameter(int, "the first seed", 0, 0, 0, minimum=0),
            }
        ),
    }
)


def settings(paper: str, profile: str, overrides: Mapping[str, Any]) -> dict[str, Any]:
    """Resolve a paper's parameters: the profile's values, replaced by every override that is not None.

    Args:
        paper: Name of the notebook. One that has no table in PAPERS keeps its overrides as they are.
        profile: One of PROFILES.
        overrides: Parameter name to value; None means 'as the profile says'.

    Returns:
        Every parameter with its value, in the order of the paper's table.

    Raises:
        SettingsError: Unknown profile or parameter, or a value of the wrong kind; all faults at once.
    """
    faults = [] if profile in PROFILES else [f"profile {profile!r}" + suggestion(profile, PROFILES)]
    table = PAPERS.get(paper)
    if table is None:
        resolved = dict(overrides)
    else:
        given = {name: value for name, value in overrides.items() if value is not None}
        faults += [f"parameter {name!r}" + suggestion(name, table) for name in given if name not in table]
        resolved = {}
        for name, parameter in table.items():
            value = given.get(name, getattr(parameter, profile, None))
            try:
                resolved[name] = _convert(parameter, value)
            except ValueError as fault:
                faults.append(f"{name}={value!r} ({fault})")
    if faults:
        known = "" if table is None else f"; parameters of {paper}: {', '.join(table)}"
        raise SettingsError(
            got="; ".join(faults),
            needed=f"a profile among {', '.join(PROFILES)}{known}",
            fix="correct the values named above; `workbench run --help` shows how they are given",
        )
    return resolved


def suggestion(name: str, known: Mapping[str, Any] | tuple[str, ...] | list[str]) -> str:
    """Return ' (did you mean ...?)' where a known name is close to the given one, else nothing."""
    near = difflib.get_close_matches(name, list(known), n=1)
    return f" (did you mean {near[0]!r}?)" if near else ""


def _convert(parameter: Parameter, value: Any) -> Any:
    """Bring a value to its parameter's kind; ValueError says what was needed instead."""
    kind = parameter.kind
    if kind is tuple:
        return _names(value)
    if kind is str:
        # a file may be called 2024: papermill turns such a word into a number on its way here
        if isinstance(value, bool) or not isinstance(value, str | int | float):
            raise ValueError("needs text")
        return str(value)
    if kind is bool:
        if not isinstance(value, bool):
            raise ValueError("needs True or False")
        return value
    if isinstance(value, float) and not math.isfinite(value):
        raise ValueError("needs a finite number")
    if isinstance(value, bool) or not isinstance(value, int | float) or kind(value) != value:
        raise ValueError("needs a whole number" if kind is int else "needs a number")
    if parameter.minimum is not None and value < parameter.minimum:
        raise ValueError(f"needs at least {parameter.minimum}")
    return kind(value)


def _names(value: Any) -> tuple[str, ...]:
    """Read a list of names from a list, from JSON or from words separated by commas."""
    if isinstance(value, str):
        if value.lstrip().startswith("["):
            try:
                value = json.loads(value)
            except json.JSONDecodeError:
                raise ValueError('needs a list, as a,b or ["a", "b"]') from None
        else:
            value = [word.strip() for word in value.split(",") if word.strip()]
    # a lone name may look like a number: papermill turns it into one on its way here
    if isinstance(value, int | float) and not isinstance(value, bool):
        value = [str(value)]
    if not isinstance(value, list | tuple) or not value or not all(isinstance(word, str) for word in value):
        raise ValueError("needs a list of at least one name")
    return tuple(value)
