"""What the ALaRM experiment on questions trains, declared before anything is run."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np

from workbench.core.errors import DataError, SettingsError
from workbench.papers.alarm.arms import (
    ASPECT_ONLY,
    CENTRED,
    CHOSEN,
    HIERARCHICAL,
    HOLISTIC_ONLY,
    KINDS,
    RANDOM_GATE,
    WEIGHTED_SUM,
    Arm,
)
from workbench.papers.alarm.qa import TrainingRun
from workbench.papers.alarm.task import Prepared

__all__ = ["ABLATIONS", "ARMS", "SWEPT", "Declaration", "chosen_aspects", "read_tuning"]

ABLATIONS = ("all aspects", "unshaped")
"""The hierarchy without the selection, and without the sigmoid."""
EACH_ASPECT = "each aspect"
ARMS = {"zero-centred" if kind == CENTRED else kind: kind for kind in KINDS} | {EACH_ASPECT: EACH_ASPECT}
"""What may be trained, by the name that a parameter gives it (no comma); `EACH_ASPECT` is the hierarchy with each."""
SWEPT = (WEIGHTED_SUM, CENTRED, HIERARCHICAL)
"""The kinds whose aspect weight is swept; at weight 0 each of them is `HOLISTIC_ONLY`."""


@dataclass(frozen=True)
class Declaration:
    """Arms, weights and seeds.

    A seed decides on prompts, pairs, the reward model, the aspects' errors and the sampling noise; its arms
    share these. Metric: the oracle's mean over the seed's test prompts. Comparison: one arm less another, seed by
    seed, with a 95 % t interval over the seeds.

    Raises:
        SettingsError: One or more values cannot be used; all of them are named.
    """

    seeds: tuple[int, ...]
    """Seeds that are reported; hyperparameters were tuned on others."""
    sweep_seeds: int
    """How many of them, the first ones, are also trained with the other weights."""
    weights: tuple[float, ...] = (0.1, 0.3, 1.0)
    """Of the aspects, besides 0."""
    threshold: float = 0.6
    """Of the gate."""
    holistic_weight: float = 1.0
    """Of the holistic reward."""
    tuned: Mapping[str, float] = field(default_factory=dict)
    """By kind of `SWEPT`, the weight that tuning chose; the largest where nothing was."""
    kinds: tuple[str, ...] = KINDS
    """Of the main arms, in the order of `KINDS`; the hierarchy is always among them."""
    compared: bool = True
    """Train the hierarchy with every aspect, to see whether the selection was right."""
    added: Mapping[str, Arm] = field(default_factory=dict)
    """More arms to compare, by name; see `with_arms`."""

    def __post_init__(self) -> None:
        faults = []
        if not self.seeds or len(set(self.seeds)) < len(self.seeds):
            faults.append((f"seeds {self.seeds}", "seeds: at least one, all different"))
        if not 0 <= self.sweep_seeds <= len(self.seeds):
            faults.append((f"sweep_seeds {self.sweep_seeds}", f"sweep_seeds: 0 to {len(self.seeds)}"))
        if not self.weights or len(set(self.weights)) < len(self.weights) or min(self.weights) <= 0:
            faults.append((f"weights {self.weights}", "weights: different numbers above 0"))
        if HIERARCHICAL not in self.kinds or not set(self.kinds) <= set(KINDS):
            faults.append(
                (f"arms {', '.join(self.kinds)}", f"{HIERARCHICAL}, and others of {', '.join(KINDS)}")
            )
        if faults:
            raise SettingsError.listing(faults)

    def only(self, names: Sequence[str]) -> Declaration:
        """Return the declaration with some of its arms alone.

        Args:
            names: Of `ARMS`, the hierarchy among them: the others are compared with it. `all` alone leaves all.

        Raises:
            SettingsError: There is no such arm, or the hierarchy is left out.
        """
        if list(names) == ["all"]:
            return self
        if HIERARCHICAL not in names or not set(names) <= set(ARMS):
            raise SettingsError(
                got=f"arms {', '.join(names)}",
                needed=f"all, or {HIERARCHICAL} and others of {', '.join(ARMS)}",
                fix=f"-p arms={HOLISTIC_ONLY},{WEIGHTED_SUM},{HIERARCHICAL}, for example",
            )
        chosen = {ARMS[name] for name in names}
        return replace(
            self, kinds=tuple(kind for kind in self.kinds if kind in chosen), compared=EACH_ASPECT in chosen
        )

    def with_arms(self, arms: Mapping[str, Arm]) -> Declaration:
        """Return the declaration with the arms that are not among its main ones added to them.

        Args:
            arms: By name: the main arms as they are, and more. The aspect `CHOSEN` stands for the chosen ones.

        Raises:
            SettingsError: A main arm was changed or taken away: claims compare them by their names.
        """
        own = self.main_arms()
        changed = [name for name, arm in own.items() if arms.get(name) != arm]
        if changed:
            raise SettingsError(
                got=f"arms in which {', '.join(changed)} is changed or missing",
                needed="the declared arms as they are, and others beside them",
                fix="give the changed arm a name of its own",
            )
        return replace(
            self, added={**self.added, **{name: arm for name, arm in arms.items() if name not in own}}
        )

    def with_ablations(self, names: Sequence[str], aspects: Sequence[str]) -> Declaration:
        """Return the declaration with the paper's ablations of the hierarchy among its arms.

        Args:
            names: Of `ABLATIONS`; `none` alone adds nothing.
            aspects: All that the task has.

        Raises:
            SettingsError: There is no such ablation.
        """
        if list(names) == ["none"]:
            return self
        unknown = [name for name in names if name not in ABLATIONS]
        if unknown:
            raise SettingsError(
                got=f"ablations {', '.join(unknown)}",
                needed=f"none, or some of {', '.join(ABLATIONS)}",
                fix="-p 'ablations=all aspects,unshaped', for example",
            )
        own = self.main_arms()
        changes: dict[str, dict[str, Any]] = {
            "all aspects": {"aspects": tuple(aspects)},
            "unshaped": {"shaped": False},
        }
        added = {f"{HIERARCHICAL}, {name}": replace(own[HIERARCHICAL], **changes[name]) for name in names}
        return self.with_arms({**own, **added})

    def weight(self, kind: str) -> float:
        """Return the weight that a kind is compared at; the random gate and the aspects alone use others' weights."""
        if kind in self.added:
            return self.added[kind].weight
        if kind == RANDOM_GATE:
            kind = HIERARCHICAL
        if kind == ASPECT_ONLY:
            return 1.0
        return self.tuned.get(kind, max(self.weights))

    def main_arms(self, chosen: Sequence[str] = (CHOSEN,)) -> dict[str, Arm]:
        """Return the arms that are compared, by name.

        Args:
            chosen: The aspects that selection chose.
        """
        arms = {kind: self._arm(kind, () if kind == HOLISTIC_ONLY else chosen) for kind in self.kinds}
        for name, arm in self.added.items():
            named = [name for aspect in arm.aspects for name in (chosen if aspect == CHOSEN else (aspect,))]
            arms[name] = replace(arm, aspects=tuple(dict.fromkeys(named)))
        return arms

    def aspect_arms(self, aspects: Sequence[str]) -> dict[str, Arm]:
        """Return the hierarchy with each aspect alone, by name."""
        return {f"{HIERARCHICAL}, {aspect}": self._arm(HIERARCHICAL, (aspect,)) for aspect in aspects}

    def training_runs(self, chosen: Sequence[str], aspects: Sequence[str]) -> list[TrainingRun]:
        """Return every training run, seed by seed, so that what is finished at an interruption is paired.

        Args:
            chosen: The aspects that selection chose.
            aspects: All.
        """
        training_runs = []
        for number, seed in enumerate(self.seeds):
            arms = self.main_arms(chosen)
            if self.compared:
                # the chosen aspect's own hierarchy is among the main arms already
                arms |= self.aspect_arms([aspect for aspect in aspects if (aspect,) != tuple(chosen)])
            training_runs += [TrainingRun(name, arm, seed) for name, arm in arms.items()]
            if number < self.sweep_seeds:
                training_runs += [
                    TrainingRun(kind, self._arm(kind, chosen, weight), seed)
                    for kind in SWEPT
                    if kind in self.kinds
                    for weight in self.weights
                    if weight != self.weight(kind)
                ]
        return training_runs

    def _arm(self, kind: str, aspects: Sequence[str], weight: float | None = None) -> Arm:
        return Arm(
            kind,
            tuple(aspects),
            weight=self.weight(kind) if weight is None else weight,
            threshold=self.threshold,
            holistic_weight=self.holistic_weight,
        )


def chosen_aspects(prepared: Mapping[int, Prepared], keep: int = 1) -> tuple[str, ...]:
    """Return the aspects that are least inconsistent in the mean over seeds: one choice for all.

    They are chosen even where they order answers at chance level: the table of inconsistencies shows it.

    Args:
        prepared: By seed.
        keep: How many to choose at most.

    Raises:
        SettingsError: No pair of answers could be compared by any aspect.
    """
    shares: dict[str, list[float]] = {}
    for prepared_seed in prepared.values():
        for row in prepared_seed.pool.selection.table:
            shares.setdefault(row.name, []).append(row.inconsistency)
    means = {name: float(np.mean(values)) for name, values in shares.items()}
    known = [name for name in sorted(means, key=lambda name: means[name]) if not np.isnan(means[name])]
    if not known:
        raise SettingsError(
            got=f"aspects {', '.join(means)}, each of which values all answers to a prompt alike",
            needed="an aspect that tells answers apart",
            fix="give other aspects, or set pool_prompts higher",
        )
    return tuple(known[:keep])


def read_tuning(file: Path) -> dict[str, Any]:
    """Read the hyperparameters that a tuning chose, and all that it tried.

    Raises:
        DataError: The file is missing or holds something else.
    """
    try:
        tuning = json.loads(file.read_text(encoding="utf-8"))
        return {name: tuning[name] for name in ("command", "seeds", "chosen", "rows")}
    except (OSError, ValueError, TypeError, KeyError) as error:
        raise DataError(
            got=f"{file}: {type(error).__name__}: {error}",
            needed="the file of a tuning",
            fix="python -m workbench.recipes.alarm_tuning --out FOLDER",
        ) from error
