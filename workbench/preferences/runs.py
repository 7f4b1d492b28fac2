"""Runs of `workbench reward score` as the arms of an experiment, for comparison."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from workbench.core.errors import DataError, SettingsError
from workbench.rewards.pair_scores import LEARNT, SCORES, PreferenceScores

__all__ = ["ScoredRun", "arms_of", "matrix_labels", "read_runs", "scores_of"]

_SEED = re.compile(r"(?P<arm>.+?)[-_.]?seed[-_]?(?P<seed>\d+)")


@dataclass(frozen=True)
class ScoredRun:
    """One scored model."""

    arm: str
    """What it is a seed of."""
    seed: int | None
    """Of its training; None where nothing says."""
    table: PreferenceScores
    trained_on: str
    """Data that it was trained on; the arm where that is not known."""
    folder: Path


def read_runs(words: Sequence[str]) -> list[ScoredRun]:
    """Read scored runs.

    Args:
        words: Folders, or `NAME=FOLDER`. Runs of the same name are seeds of one arm. Without a name it is that of the
            folder, less `-seedN` and `-scored` at its end.

    Raises:
        DataError: A folder holds no scores.
    """
    runs = []
    for word in words:
        name, _, path = word.rpartition("=")
        folder = Path(path).expanduser()
        if not (path and (folder / "scores.jsonl").is_file()):
            raise DataError(
                got=f"{word!r}, where no scores.jsonl is",
                needed="a folder that `workbench reward score` wrote, or NAME=FOLDER",
                fix="score the model first: `workbench reward score --model MODEL --data DATA --out FOLDER`",
            )
        table = PreferenceScores.load(folder / "scores.jsonl")
        told = _results(folder)
        own = folder.resolve().name.removesuffix("-scored")  # as `workbench reward train` suggests to call it
        ends = _SEED.fullmatch(own)
        arm = name or (ends["arm"] if ends else own)
        seed = int(ends["seed"]) if ends else told.get("seed")
        trained_on = name or ", ".join(told.get("trained_on") or []) or arm
        runs.append(ScoredRun(arm, seed, table, trained_on, folder))
    return runs


def matrix_labels(runs: Sequence[ScoredRun]) -> list[str]:
    """Return what each run's row of a matrix is called: its training data, and its arm where arms share the data."""
    arms: dict[str, set[str]] = {}
    for run in runs:
        arms.setdefault(run.trained_on, set()).add(run.arm)
    return [
        run.trained_on if len(arms[run.trained_on]) == 1 else f"{run.arm}: {run.trained_on}" for run in runs
    ]


def arms_of(runs: Sequence[ScoredRun]) -> dict[str, dict[int, PreferenceScores]]:
    """Gather runs into arms by seed, for `compare_arms`.

    Where every arm is one run its seed does not count: they are compared over pairs. Where a seed is not known, the
    runs' order stands for it.

    Raises:
        SettingsError: Two runs of an arm have the same seed.
    """
    grouped: dict[str, list[ScoredRun]] = {}
    for run in runs:
        grouped.setdefault(run.arm, []).append(run)
    single = all(len(some) == 1 for some in grouped.values())
    known = all(run.seed is not None for run in runs)
    arms: dict[str, dict[int, PreferenceScores]] = {}
    for arm, some in grouped.items():
        seeds = [
            run.seed if run.seed is not None and known and not single else k for k, run in enumerate(some)
        ]
        twice = sorted({seed for seed in seeds if seeds.count(seed) > 1})
        if twice:
            folders = ", ".join(str(run.folder) for run in some)
            raise SettingsError(
                got=f"{arm} with seed {twice[0]} more than once: {folders}",
                needed="one run a seed",
                fix="name other arms, as in NAME=FOLDER, or leave one out",
            )
        arms[arm] = dict(zip(seeds, (run.table for run in some), strict=True))
    return arms


def scores_of(arms: dict[str, dict[int, PreferenceScores]], wanted: Sequence[str] = ()) -> dict[str, str]:
    """Return the score that each arm is read by.

    Args:
        arms: As of `arms_of`.
        wanted: A score for all, or `ARM=SCORE`. Without one: the explicit reward where an arm has it, else the
            implicit one.

    Raises:
        SettingsError: There is no such score or arm.
    """
    found = {
        arm: next((one for one in LEARNT if _all_have(tables, one)), LEARNT[0])
        for arm, tables in arms.items()
    }
    for word in sorted(wanted, key=lambda word: "=" in word):  # an arm's own word counts after that for all
        arm, equals, score = word.rpartition("=")
        if score not in SCORES or (equals and arm not in arms):
            raise SettingsError(
                got=f"score {word!r}",
                needed=f"one of {', '.join(SCORES)}, or ARM=SCORE with an arm of {', '.join(arms)}",
                fix="correct it",
            )
        found |= {arm: score} if equals else dict.fromkeys(arms, score)
    return found


def _all_have(tables: dict[int, PreferenceScores], score: str) -> bool:
    return all(table.has(score) for table in tables.values())


def _results(folder: Path) -> dict:
    """Return what is told about a run; empty where there is nothing: its scores are enough."""
    path = folder / "results.json"
    if not path.is_file():
        return {}
    try:
        found = json.loads(path.read_text())
    except ValueError as error:
        raise DataError(f"{path}: {error}", "what `workbench reward score` wrote", "score again") from error
    return found if isinstance(found, dict) else {}
