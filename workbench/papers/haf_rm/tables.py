"""The HaF-RM experiment as tables to read: arms, hyperparameters, results."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from workbench.papers.haf_rm.data import ExperimentData, Regime
from workbench.papers.haf_rm.declaration import Declaration
from workbench.papers.haf_rm.results import Findings
from workbench.papers.haf_rm.tuning import Tuning
from workbench.preferences.bias import agreement, length_bias
from workbench.preferences.calibration import Calibration, calibrate
from workbench.preferences.tables import difference_frame
from workbench.rewards.pair_scores import PreferenceScores

if TYPE_CHECKING:
    import pandas as pd

__all__ = [
    "accuracy_matrix",
    "arms_table",
    "behaviour_table",
    "calibrations",
    "data_table",
    "differences_table",
    "side_by_side",
    "training_table",
    "tuning_table",
]


def arms_table(declaration: Declaration) -> pd.DataFrame:
    """Return what is compared: a row for each arm of the main regime, with its tuned settings."""
    import pandas as pd

    arms = declaration.arms(declaration.main)
    if declaration.quantized_seeds:
        arms.append(declaration.quantized)
    rows = []
    for arm in arms:
        tuned = declaration.tuned.get(arm.tuned_as or arm.name, {})
        said = [f"{name} {value:g}" for name, value in tuned.items()]
        said += [f"{name} {value}" for name, value in arm.changes.items() if name != "pooling"]
        rows.append(
            {
                "arm": arm.name,
                "reward loss weight": arm.reward_weight,
                "policy loss weight (alpha)": arm.alpha,
                "pooling": arm.changes.get("pooling", declaration.training.pooling)
                if arm.reward_weight
                else "",
                "evaluated by": f"{arm.score} reward",
                "seeds": declaration.quantized_seeds if arm.quantized else len(declaration.seeds),
                "hyperparameters": ", ".join(said) or "the paper's",
            }
        )
    return pd.DataFrame(rows)


def data_table(data: ExperimentData) -> pd.DataFrame:
    """Return the test sets: prompts, pairs, and how often the longer response is the better one."""
    import pandas as pd

    rows = []
    for name, pairs in data.tests.items():
        few = data.candidates.get(name, ())
        utilities = [value for candidates in few for value in candidates.utilities]
        longer = [np.sign(len(pair.chosen) - len(pair.rejected)) for pair in pairs]
        rows.append(
            {
                "test set": name,
                "trained on": "yes" if name in data.pools else "no",
                "prompts": len({pair.prompt for pair in pairs}),
                "pairs": len(pairs),
                **({"left out": data.left_out[name]} if name in data.left_out else {}),
                "longer is better": float(np.mean([(sign + 1) / 2 for sign in longer])) if longer else None,
                "mean utility": float(np.mean(utilities)) if utilities else None,
            }
        )
    return pd.DataFrame(rows)


def training_table(data: ExperimentData, declaration: Declaration) -> pd.DataFrame:
    """Return how many pairs of each data set a regime really trains on: at most its own number, as the data has."""
    import pandas as pd

    rows = []
    for name, pool in data.pools.items():
        for regime in declaration.regimes:
            taken = min(regime.pairs, len(pool))
            rows.append(
                {
                    "trained on": name,
                    "regime": regime.name,
                    "pairs there are": len(pool),
                    "pairs trained on": taken,
                    "seeds": "the same pairs in another order" if taken == len(pool) else "other pairs",
                }
            )
    return pd.DataFrame(rows)


def tuning_table(tuning: Tuning) -> pd.DataFrame:
    """Return all hyperparameters that were tried: a row for each arm, a column for each candidate."""
    import pandas as pd

    rows: dict[str, dict[str, Any]] = {}
    for row in tuning.rows:
        names = tuning.chosen[row["arm"]]
        chosen = all(row[name] == value for name, value in names.items())
        setting = ", ".join(f"{row[name]:g}" for name in names)
        line = rows.setdefault(row["arm"], {"arm": row["arm"], "tried": ", ".join(names), "chosen": ""})
        line[setting] = row["accuracy"]
        line["chosen"] = setting if chosen else line["chosen"]
    return pd.DataFrame(list(rows.values()))


def side_by_side(accuracies: pd.DataFrame) -> pd.DataFrame:
    """Return accuracies as text: a row for each reward, a column for each test set."""
    cells = [f"{row.accuracy:.3f} [{row.low:.3f}, {row.high:.3f}]" for row in accuracies.itertuples()]
    frame = accuracies.assign(cell=cells, reward=_rewards(accuracies))
    wide = frame.pivot_table(index="reward", columns="test set", values="cell", aggfunc="first", sort=False)
    return wide.reset_index().rename_axis(columns=None)


def accuracy_matrix(accuracies: pd.DataFrame) -> pd.DataFrame:
    """Return accuracies with a column `reward model` that says what it was trained on, where that differs."""
    trained = accuracies[accuracies["trained on"] != "nothing"]
    return trained.assign(**{"reward model": _rewards(trained)})


def differences_table(findings: Findings) -> pd.DataFrame:
    """Return each arm less the standard one, in every regime and on every test set, with intervals over seeds."""
    import pandas as pd

    parts = [
        difference_frame(findings.differences(regime)).assign(regime=regime.name)
        for regime in findings.declaration.regimes
    ]
    frame = pd.concat(parts, ignore_index=True).rename(columns={"source": "test set"})
    names = [
        "regime",
        "arm",
        "test set",
        "accuracy",
        "standard",
        "difference",
        "low",
        "high",
        "seeds",
        "pairs",
    ]
    return frame.rename(columns={"accuracy_against": "standard"})[names]


def calibrations(findings: Findings, regime: Regime, arms: Sequence[str]) -> dict[str, Calibration]:
    """Return how far each arm's confidence can be trusted on pairs of the kind trained on, all seeds together."""
    calibrated = {}
    for arm in arms:
        margins = [
            table.of_source(trained_on).margin("explicit")
            for (r, name, trained_on), seeds in findings.scores.items()
            if (r, name) == (regime, arm)
            for table in seeds.values()
        ]
        calibrated[arm] = calibrate(np.concatenate(margins))
    return calibrated


def behaviour_table(findings: Findings, regime: Regime) -> pd.DataFrame:
    """Return, on all test pairs and in the mean over seeds: length bias, and agreement of the two rewards.

    Returns:
        Columns `arm`, `chosen shorter` and `chosen longer` (accuracies), `length correlation` (Spearman's, of margin
        and length), `implicit agrees` (share of pairs that implicit and explicit reward order alike).
    """
    import pandas as pd

    rows = []
    for (r, arm, trained_on), seeds in findings.scores.items():
        if r != regime:
            continue
        each = pd.DataFrame([_behaviour(table, findings.score_of(arm)) for table in seeds.values()])
        rows.append({"arm": arm, "trained on": trained_on, **each.mean().to_dict()})
    return pd.DataFrame(rows)


def _behaviour(table: PreferenceScores, score: str) -> dict[str, float]:
    """Return what `behaviour_table` says of one training."""
    margins = table.margin(score)
    bias = length_bias(margins, table.tokens[:, 0], table.tokens[:, 1])
    row = {f"chosen {name}": accuracy.value for name, accuracy in bias.by_length.items() if name != "same"}
    row["length correlation"] = bias.correlation or 0.0
    if table.has("explicit") and table.has("implicit"):
        row["implicit agrees"] = agreement(table.margin("explicit"), table.margin("implicit")).alike.value
    return row


def _rewards(accuracies: pd.DataFrame) -> list[str]:
    """Name each row's reward: its arm, and what it was trained on where several data sets were."""
    several = accuracies.loc[accuracies["trained on"] != "nothing", "trained on"].nunique() > 1
    return [
        f"{arm}, on {trained_on}" if several and trained_on != "nothing" else arm
        for arm, trained_on in zip(accuracies["arm"], accuracies["trained on"], strict=True)
    ]
