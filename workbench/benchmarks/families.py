"""The family grid: every language model of transformers that can be built tiny, times all that is done with one.

Families come from transformers' own list, sizes from a rule on the names of numbers, and what is right from the model
itself: a family that a later version brings is tried without a change here.
"""

from __future__ import annotations

import multiprocessing
import os
import re
import signal
import tempfile
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

from workbench.benchmarks.tiny_configs import tiny_configs
from workbench.core.errors import SettingsError, WorkbenchError
from workbench.core.suggestion import suggestion
from workbench.training.model_checks import CHECKS, FAILS, Outcome, check_model
from workbench.training.model_trial import ROUNDED

__all__ = [
    "Family",
    "FamilyRow",
    "chosen_families",
    "families",
    "family_table",
    "measure_families",
    "tiny_of",
    "try_family",
]

LARGEST = 8_000_000
"""Parameters: a family whose numbers stay larger is not built."""
SECONDS = 900
"""Of a family; one that takes longer fails."""


@dataclass(frozen=True)
class Family:
    """A family of transformers."""

    name: str
    """As transformers' configurations have it, such as `llama`."""
    encodes: bool = False
    """Whether it is the encoder-decoder of that name."""

    def __str__(self) -> str:
        return self.name + (" (encoder-decoder)" if self.encodes else "")


@dataclass(frozen=True)
class FamilyRow:
    """What came of a family."""

    family: Family
    outcomes: tuple[Outcome, ...] = ()
    """In the order of `CHECKS`; empty where it could not be built."""
    unbuilt: str = ""
    """Why it could not be built tiny, or is no language model to load; else empty."""
    broke: str = ""
    """How it failed as a whole: its process died or took too long, or it could be built and loading it raised."""

    @property
    def fails(self) -> bool:
        """Whether something is wrong, and not refused."""
        return bool(self.broke) or any(outcome.status == FAILS for outcome in self.outcomes)


def families() -> list[Family]:
    """Return all families that write text, of either kind, in transformers' order."""
    from transformers.models.auto import modeling_auto as auto

    return [
        *(Family(name) for name in auto.MODEL_FOR_CAUSAL_LM_MAPPING_NAMES),
        *(Family(name, True) for name in auto.MODEL_FOR_SEQ_TO_SEQ_CAUSAL_LM_MAPPING_NAMES),
    ]


def chosen_families(names: Sequence[str]) -> list[Family]:
    """Return the families of some names; all where there are none.

    Raises:
        SettingsError: transformers has no such family.
    """
    known = families()
    found = {family.name for family in known}
    for name in names:
        if name not in found:
            near = suggestion(name, sorted(found))
            raise SettingsError(f"family {name!r}{near}", "one that transformers has", "correct the name")
    return [family for family in known if not names or family.name in names]


def measure_families(
    chosen: Sequence[Family], *, workers: int = 2, seconds: float = SECONDS
) -> Iterator[FamilyRow]:
    """Try families, each in a process of its own that is killed after some time; yield each as it is done.

    Args:
        chosen: Which.
        workers: Processes at a time, each with one thread.
        seconds: Time that a family may take.
    """
    os.environ.setdefault("OMP_NUM_THREADS", "1")
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(["workbench.benchmarks.families", "peft", "transformers"])
    with ThreadPoolExecutor(workers) as pool:
        yield from pool.map(lambda family: _apart(context, family, seconds), chosen)


def try_family(family: Family) -> FamilyRow:
    """Build a family tiny, save it, and try all that is done with a language model."""
    import torch

    torch.set_num_threads(1)
    from workbench.models.loading import ModelSettings

    with tempfile.TemporaryDirectory() as folder:
        try:
            tiny_of(family).save_pretrained(folder)
        except Exception as error:  # whatever a family's code raises
            return FamilyRow(family, unbuilt=_line(error))
        try:
            return FamilyRow(family, tuple(check_model(ModelSettings(folder, device="cpu"))))
        except WorkbenchError as refusal:  # it does not load as a language model at all
            return FamilyRow(family, unbuilt=_line(refusal).replace(folder, "it"))
        except Exception as error:
            return FamilyRow(family, broke=_line(error).replace(folder, "it"))


def family_table(rows: Sequence[FamilyRow]) -> str:
    """Return the grid as a page in Markdown, with what each refusal says."""
    import torch
    import transformers

    notes: dict[str, int] = {}
    tried = [row for row in rows if row.outcomes]
    lines = [_cells(row, notes) for row in tried]
    wrong = [(row.family, one) for row in tried for one in row.outcomes if one.status == FAILS]
    fails = [f"- {family}: {outcome}" for family, outcome in wrong]
    fails += [f"- {row.family}: {row.broke}" for row in rows if row.broke]
    unbuilt = [f"- {row.family}: {row.unbuilt}" for row in rows if row.unbuilt]
    page = [
        "# Which families of models work",
        f"\n*Made by `workbench bench families` with transformers {transformers.__version__} and torch "
        f"{torch.__version__.partition('+')[0]}: a tiny model of each family, with random weights, against what "
        "transformers computes of one text at a time.*",
        "\n✓ passes; ≈ the same weights bit by bit, outputs to rounding; a number: refused by an error "
        "before anything is computed, which says so; **✗** wrong.",
        f"\n| family | {' | '.join(CHECKS)} |\n|---|{'---|' * len(CHECKS)}",
        *lines,
        "\n## Refusals\n",
        *(f"{number}. {said}" for said, number in notes.items()),
        *(["\n## Wrong\n", *fails] if fails else []),
        *(["\n## Not built\n", "No plain language models, or numbers that do not shrink:\n"] if unbuilt else []),
        *unbuilt,
    ]  # fmt: skip
    return "\n".join(page).replace("\n\n\n", "\n\n") + "\n"


def _cells(row: FamilyRow, notes: dict[str, int]) -> str:
    found = []
    for outcome in row.outcomes:
        if outcome.status == "refused":
            found.append(str(notes.setdefault(_general(outcome.said), len(notes) + 1)))
        else:
            found.append("**✗**" if outcome.status == FAILS else "≈" if ROUNDED in outcome.said else "✓")
    return f"| {row.family} | {' | '.join(found)} |"


def _general(said: str) -> str:
    """Return a refusal without the numbers and the class that are one family's."""
    said = re.sub(r"\b[A-Z]\w*(For[A-Z]\w+|MTModel|LMHead\w*|WithLM\w*|Decoder)\b", "the family", said)
    said = re.sub(r"\b\d+(\.\d+)?(e-?\d+)?\b|\binf\b", "…", said)
    return re.sub(r", layers [\w, ]+", "", said).replace("|", "/")


def _apart(context: Any, family: Family, seconds: float) -> FamilyRow:
    """Try a family in a process of its own."""
    ours, its = context.Pipe(duplex=False)
    process = context.Process(target=_send, args=(its, family), daemon=True)
    process.start()
    its.close()
    try:
        if ours.poll(seconds):
            row: FamilyRow = ours.recv()
            process.join(seconds)  # it puts away what it has of the system
            return row
        return FamilyRow(family, broke=f"it took longer than {seconds:.0f} s")
    except EOFError:
        process.join()
        code = process.exitcode or 0
        how = signal.Signals(-code).name if code < 0 else f"exit status {code}"
        return FamilyRow(family, broke=f"its process ended by {how}")
    finally:
        process.kill()
        process.join()


def _send(end: Any, family: Family) -> None:
    import warnings

    import transformers

    warnings.simplefilter("ignore")
    transformers.logging.set_verbosity_error()
    transformers.utils.logging.disable_progress_bar()
    end.send(try_family(family))


def tiny_of(family: Family) -> Any:
    """Return a tiny model of a family that reads a text, with weights that are far from zero."""
    import torch
    import transformers
    from transformers.models.auto.configuration_auto import CONFIG_MAPPING

    kind = transformers.AutoModelForSeq2SeqLM if family.encodes else transformers.AutoModelForCausalLM
    ids = torch.arange(30, 42)[None]
    read: dict[str, Any] = {"input_ids": ids} | ({"decoder_input_ids": ids} if family.encodes else {})
    fault: Exception | None = None
    for config in tiny_configs(CONFIG_MAPPING[family.name]):
        try:
            with torch.device("meta"):
                size = sum(parameter.numel() for parameter in kind.from_config(config).parameters())
            if size > LARGEST:
                raise ValueError(f"{size:,} parameters at the smallest")
            torch.manual_seed(0)
            model = kind.from_config(config).eval()
            with torch.no_grad():
                model(**read)
        except Exception as error:  # the next configuration may do
            fault = fault or error
            continue
        _spread(model)
        return model
    raise fault or ValueError("it has no configuration")


def _spread(model: Any) -> None:
    """Make small weights larger: with the usual first weights all tokens are all but equally likely."""
    import torch

    with torch.no_grad():
        for parameter in model.parameters():
            spread = float(parameter.std()) if parameter.ndim > 1 else 0.0
            if 0 < spread < 0.1:
                parameter.mul_(min(10.0, 0.2 / spread))


def _line(error: Exception) -> str:
    said = getattr(error, "got", None) or f"{type(error).__name__}: {error}"
    return " ".join(str(said).split())[:160]
