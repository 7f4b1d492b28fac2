"""One model: what the workbench can do with it, tried on it, and how texts are written for it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from workbench.core.errors import WorkbenchError
from workbench.doctor.check import Check, State, guarded

if TYPE_CHECKING:
    from transformers import PreTrainedTokenizerBase

    from workbench.training.model_checks import Outcome

__all__ = ["model_checks"]

_STATES: dict[str, State] = {"passes": "ok", "refused": "note", "FAILS": "broken"}
_FULL_BYTES = 16
"""Of a weight in full fine-tuning: itself, its gradient and AdamW's two averages, each float32."""


def model_checks(name: str, *, device: str = "auto") -> Iterator[Check]:
    """Try all that the workbench does with a language model; each check is given as soon as it is known.

    Args:
        name: A name on the Hub, a folder with a checkpoint, or whatever else `ModelSettings` takes.
        device: Where to try it, as `ModelSettings` has it.
    """
    from workbench.models.loading import ModelSettings, load_tokenizer
    from workbench.training.model_checks import check_language_model
    from workbench.training.ppo.policy import load_language_model

    settings = ModelSettings(name, device=device)
    try:
        lm, summary = load_language_model(settings)
    except WorkbenchError as fault:
        yield Check("model", "broken", f"{fault.got}; needed: {fault.needed}", fault.fix)
        return
    yield Check("model", "ok", f"{type(lm).__name__}; {summary}")
    yield guarded("memory of the model", lambda: _memory(lm))
    try:
        tokenizer = load_tokenizer(settings)
    except WorkbenchError as fault:
        yield Check("tokenizer", "broken", f"{fault.got}; needed: {fault.needed}", fault.fix)
    else:
        yield guarded("tokenizer", lambda: _tokenizer(lm, tokenizer))
        yield guarded("chat template", lambda: _template(tokenizer))
        yield guarded("stop tokens", lambda: _stops(lm, tokenizer))
        yield guarded("generation settings", lambda: _generation(lm, tokenizer))
    for outcome in check_language_model(lm, settings):
        yield _row(outcome)


def _row(outcome: Outcome) -> Check:
    """Say what was tried and what was measured; where it does not pass, that first."""
    state, said, means = _STATES[outcome.status], outcome.said, outcome.means
    if state == "ok":
        return Check(outcome.check, state, f"{means} ({said})" if said else means)
    how = "refused" if state == "note" else "wrong"
    return Check(outcome.check, state, f"{how}: {said} (tried: {means})", outcome.fix)


def _memory(lm: Any) -> Check:
    import psutil

    count, held = lm.num_parameters(), lm.get_memory_footprint()
    free = psutil.virtual_memory().available
    detail = (
        f"{held / 1e9:.2f} GB as it was loaded; all weights trained, with gradients and AdamW in float32: "
    )
    detail += (
        f"{count * _FULL_BYTES / 1e9:.1f} GB and the activations; {free / 1e9:.0f} GB of memory available"
    )
    return Check("memory of the model", "ok", detail)


def _tokenizer(lm: Any, tokenizer: PreTrainedTokenizerBase) -> Check:
    rows = len(lm.get_input_embeddings().weight)
    detail = f"{type(tokenizer).__name__}, {len(tokenizer):,} tokens; {rows:,} rows in the model"
    if len(tokenizer) > rows:
        return Check("tokenizer", "broken", detail, "use the model's own tokenizer, or resize its embeddings")
    if not tokenizer.is_fast:
        return Check("tokenizer", "note", f"{detail}; not a fast one: PPO and span rewards need offsets")
    return Check("tokenizer", "ok", detail)


def _template(tokenizer: PreTrainedTokenizerBase) -> Check:
    from workbench.datasets.messages import Message
    from workbench.models.chat import TemplateRefusal, has_template, prompt_part, turn_end_text
    from workbench.models.template_date import DATE, prints_date

    if not has_template(tokenizer):
        return Check("chat template", "ok", "none: texts are written by a plain template, as for base models")
    refused = []
    turns = [Message("user", "?"), Message("assistant", "!"), Message("user", "?")]
    for what, tried in (
        ("a question", turns[:1]),
        ("several turns", turns),
        ("a system's turn", [Message("system", "s"), *turns[:1]]),
        ("a tool's turn", [*turns[:2], Message("tool", "t")]),
    ):
        try:
            prompt_part(tokenizer, tried)
        except TemplateRefusal as refusal:
            refused.append(f"{what} ({refusal})")
    end = turn_end_text(tokenizer)
    detail = "it has one, which is used; " + (
        f"a turn ends with {end!r}" if end else "it writes no end of a turn"
    )
    if prints_date(tokenizer):
        detail += f"; it asks for today's date, and is told {DATE:%d %B %Y}, so that texts stay the same"
    if "a question" in " ".join(refused)[:10]:
        return Check("chat template", "broken", f"{detail}; refuses {', '.join(refused)}", "use --no-chat")
    if refused:
        return Check("chat template", "note", f"{detail}; refuses {', '.join(refused)}")
    return Check("chat template", "ok", f"{detail}; takes system's and tools' turns")


def _generation(lm: Any, tokenizer: PreTrainedTokenizerBase) -> Check:
    from workbench.models.generation_config import (
        forced_first_token,
        language_unsaid,
        left_aside,
        never_written,
    )

    forced, never, aside = forced_first_token(lm), never_written(lm), left_aside(lm)
    told = [f"token {forced} begins every response (forced_bos_token_id)"] if forced is not None else []
    told += [f"PPO never samples {', '.join(map(str, never))}"] if never else []
    told += [f"not used, texts are sampled without: {', '.join(aside)}"] if aside else []
    if unsaid := language_unsaid(lm, tokenizer):
        return Check("generation settings", "note", "; ".join([*told, unsaid]))
    return Check("generation settings", "ok", "; ".join(told) or "none that change what is sampled")


def _stops(lm: Any, tokenizer: PreTrainedTokenizerBase) -> Check:
    from workbench.models.stopping import stop_token_ids, turn_end

    stops = stop_token_ids(lm, tokenizer)
    named = ", ".join(f"{tokenizer.convert_ids_to_tokens(token)!r} ({token})" for token in stops)
    texts = ", ".join(map(repr, turn_end(tokenizer).texts))
    detail = (named or "none") + (f"; and the text {texts}" if texts else "")
    if not named and not texts:
        return Check("stop tokens", "note", "none: a response ends at its limit only")
    return Check("stop tokens", "ok", detail)
