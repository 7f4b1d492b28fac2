"""Score a model on preference data from its name to the files of a folder: what `workbench reward score` does."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from workbench.core.errors import ModelError, SettingsError
from workbench.datasets.preference_pair import PreferencePair
from workbench.datasets.preferences import check_named_once, load_preferences
from workbench.models.encoding import EncodingSettings, described, load_encoding, settled
from workbench.models.kinds import LANGUAGE_MODEL, kind_of
from workbench.models.loading import ModelSettings, load_causal_lm, load_tokenizer
from workbench.preferences.summary import summarize_preferences
from workbench.rewards.pair_scores import PreferenceScores
from workbench.store import atomic
from workbench.store.folders import sole_user
from workbench.store.secrets import redact

if TYPE_CHECKING:
    from workbench.rewards.scorer import Scorer

__all__ = ["PreferenceScoring", "ScoredPreferences", "load_pairs", "open_scorer", "score_preferences"]

TRAINING = "training.json"  # what a training here leaves beside its model


@dataclass(frozen=True)
class PreferenceScoring:
    """What to score, and how.

    Raises:
        SettingsError: One or more values cannot be used; all of them are named.
    """

    model: str
    """A reward model as `load_scorer` takes it, or a causal language model to score as a policy alone."""
    data: tuple[str, ...]
    """Data sets by name, or files; see `load_preferences`."""
    baseline: str | None = None
    """The untrained model; None: the model without its adapters, or what it was trained from where that is known."""
    split: str = "test"
    """`train`, `test` or `all`."""
    limit: int | None = None
    """Score the first so many pairs of each data set; None: all."""
    beta: float | None = None
    """Strength of the implicit reward; None: that of the model's training, else 0.1."""
    encoding: EncodingSettings | None = None
    """How texts become tokens; None: as in the model's training, else as TRL trains; see `settled`."""
    batch_size: int = 16
    """Sequences at a time; a pair is two."""
    quantize: str | None = None
    """Smaller weights, for a model that is not a saved reward model; one of `QUANTIZATIONS`."""
    device: str = "auto"
    """As `ModelSettings` has it."""
    dtype: str = "auto"
    """As `ModelSettings` has it."""

    def __post_init__(self) -> None:
        faults = []
        if not self.data:
            faults.append(("no data", "a name or a file"))
        if self.limit is not None and self.limit < 1:
            faults.append((f"limit {self.limit}", "limit: at least 1"))
        if faults:
            raise SettingsError.listing(faults)

    def settings(self, name: str) -> ModelSettings:
        """Return how a model is held."""
        return ModelSettings(name, quantize=self.quantize, device=self.device, dtype=self.dtype)


@dataclass(frozen=True)
class ScoredPreferences:
    """What came of it."""

    table: PreferenceScores
    results: dict[str, Any]
    """What `results.json` holds."""
    reports: tuple[str, ...]
    """What became of each data set's rows."""
    lacks: tuple[str, ...]
    """In words, what could not be computed and what to do."""
    folder: Path


def score_preferences(
    scoring: PreferenceScoring, folder: Path, *, progress: bool = True
) -> ScoredPreferences:
    """Score pairs into FOLDER: scores.jsonl, a line a pair, and results.json.

    Called again, after a kill or not, it goes on where it stopped.

    Args:
        scoring: What to score, and how.
        folder: Where the files go; made when needed.
        progress: Show a bar on a terminal's stderr.

    Raises:
        WorkbenchError: Some input is bad; it is said which.
    """
    from workbench.rewards.scoring import score_pairs

    pairs, reports = load_pairs(scoring)
    with sole_user(folder, "is scoring into", "--out DIR"):
        scorer, lacks = open_scorer(scoring)
        table = score_pairs(scorer, pairs, path=folder / "scores.jsonl", progress=progress)
        training = _training(scoring.model)
        results = {
            **summarize_preferences(table),
            "model": scoring.model,
            "model_summary": scorer.model.summary,
            "trained_on": training.get("data"),
            "seed": training.get("settings", {}).get("seed"),
            "settings": asdict(scoring) | {"encoding": asdict(scorer.encoding)},
        }
        atomic.write_json(folder / "results.json", redact(results))
    said = described(scorer.settings.encoding, scorer.tokenizer)
    return ScoredPreferences(table, results, (*reports, said), lacks, folder)


def load_pairs(scoring: PreferenceScoring) -> tuple[list[PreferencePair], tuple[str, ...]]:
    """Load the pairs of all data sets, and the reports on their rows.

    Files of the same name are told apart by their paths.
    """
    check_named_once(scoring.data)
    pairs: list[PreferencePair] = []
    reports = []
    names = [Path(source).name for source in scoring.data]
    for source, name in zip(scoring.data, names, strict=True):
        found = load_preferences(source, scoring.split)
        kept = _first(found.pairs, scoring.limit)
        pairs += [replace(pair, source=source) for pair in kept] if names.count(name) > 1 else kept
        reports.append(str(found.report))
    return pairs, tuple(reports)


def _first(pairs: Sequence[PreferencePair], limit: int | None) -> tuple[PreferencePair, ...]:
    """Return the first pairs, and of a benchmark's last row the others too: it is judged as a whole."""
    end = len(pairs) if limit is None else min(limit, len(pairs))
    while 0 < end < len(pairs) and _same_row(pairs[end - 1], pairs[end]):
        end += 1
    return tuple(pairs[:end])


def _same_row(one: PreferencePair, other: PreferencePair) -> bool:
    if one.row is None or other.row is None:
        return False
    return (one.subset, one.row.id) == (other.subset, other.row.id)


def open_scorer(scoring: PreferenceScoring) -> tuple[Scorer, tuple[str, ...]]:
    """Load the model and its reference.

    Returns:
        What scores, and in words what it lacks.

    Raises:
        ModelError: A model cannot be loaded.
    """
    from workbench.models.reward_model import RewardModel
    from workbench.rewards.scorer import Scorer, ScoringSettings

    training = _training(scoring.model)
    settings = scoring.settings(scoring.model)
    untrained = kind_of(settings) == LANGUAGE_MODEL
    model = _policy(settings) if untrained else _scorer(settings)
    tokenizer = load_tokenizer(ModelSettings(_tokenizer_name(scoring.model, model), device="cpu"))
    beta = scoring.beta or training.get("settings", {}).get("beta") or 0.1
    how = ScoringSettings(
        encoding=settled(scoring.encoding or load_encoding(Path(scoring.model)), tokenizer),
        batch_size=scoring.batch_size,
        beta=beta,
    )
    reward_model = isinstance(model, RewardModel)
    if (
        scoring.baseline is None
        and reward_model
        and (model.has_adapters or model.origin is not None or untrained)
    ):
        # adapters off; or a frozen body, or a model that nobody trained: then it is its own reference
        return Scorer(model, tokenizer, how, None if model.has_adapters else model), ()
    name = scoring.baseline or training.get("model")
    try:
        base = scoring.settings(name or "")
        return Scorer(model, tokenizer, how, _policy(base), load_tokenizer(base)), ()
    except (ModelError, SettingsError):
        if scoring.baseline is not None:
            raise
    # what it was trained from is not told, or is gone
    return Scorer(model, tokenizer, how), (
        "no untrained log-probability and no implicit reward: name the model it was trained from by --baseline",
    )


def _policy(settings: ModelSettings) -> Any:
    """Load a causal language model; its scalar head is zero, and says nothing."""
    from workbench.models.reward_model import RewardModel

    loaded = load_causal_lm(settings)
    return RewardModel(loaded.model.requires_grad_(False), summary=loaded.summary).eval()


def _scorer(settings: ModelSettings) -> Any:
    from workbench.models.scorers import load_scorer

    return load_scorer(settings)


def _tokenizer_name(name: str, model: Any) -> str:
    """Return where the tokenizer is: beside the model, else with its base."""
    folder = Path(name).expanduser()
    beside = not folder.is_dir() or any(folder.glob("tokenizer*")) or any(folder.glob("vocab*"))
    origin = getattr(model, "origin", None)
    return name if beside or origin is None else str(origin.name)


def _training(model: str) -> dict[str, Any]:
    """Return what a training here was asked for; empty for a model from elsewhere."""
    try:
        asked = json.loads((Path(model).expanduser() / TRAINING).read_text())["asked"]
    except (OSError, ValueError, KeyError, TypeError):
        return {}
    return asked if isinstance(asked, dict) else {}
