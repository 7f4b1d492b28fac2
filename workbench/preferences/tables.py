"""Scores of preference pairs as tables: as text for a terminal, as frames for a notebook."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from workbench.core.text_table import aligned
from workbench.preferences.accuracy import Accuracy
from workbench.preferences.benchmarks import section_scores
from workbench.preferences.bias import agreement, length_bias
from workbench.preferences.calibration import calibrate
from workbench.preferences.comparison import ArmDifference
from workbench.preferences.summary import accuracies
from workbench.rewards.pair_scores import BASELINES, LEARNT, PreferenceScores

if TYPE_CHECKING:
    import pandas as pd

__all__ = [
    "accuracy_frame",
    "accuracy_table",
    "agreement_note",
    "behaviour_table",
    "difference_frame",
    "difference_table",
    "matrix_frame",
    "matrix_table",
]

SHORT = dict(zip(BASELINES, ("logp, sum", "logp, mean", "longer", "shorter"), strict=True))
"""Heads of columns that are only as wide as their numbers."""


def accuracy_frame(table: PreferenceScores) -> pd.DataFrame:
    """Return score, source, subset, accuracy, low, high, pairs, ties: a row for each score and group of pairs.

    `all` stands for several sources together, and for a whole source among its subsets.
    """
    import pandas as pd

    rows = [
        {"score": score, "source": source or "all", "subset": subset or "all", "accuracy": accuracy.value}
        | {name: getattr(accuracy, name) for name in ("low", "high", "pairs", "ties")}
        for score in table.available
        for (source, subset), accuracy in accuracies(table, score).items()
    ]
    return pd.DataFrame(rows)


def accuracy_table(table: PreferenceScores) -> str:
    """Return accuracies as text: a row for each source, subset and section, learnt scores with their intervals."""
    learnt = [name for name in LEARNT if table.has(name)]
    free = [name for name in BASELINES if table.has(name)]
    found = {name: _rows(table, name) for name in (*learnt, *free)}
    lines: list[list[str] | None] = [["", "pairs", *learnt, *(SHORT[name] for name in free)], None]
    for place, counted in found[free[0]].items():
        if place == ("", "", ""):
            lines.append(None)
        cells = [with_interval(found[name][place]) for name in learnt]
        # the free ones' intervals would only repeat the others' width
        cells += [
            f"{found[name][place].value:.3f}" if learnt else with_interval(found[name][place])
            for name in free
        ]
        lines.append([_label(*place), f"{counted.pairs:,}", *cells])
    return aligned(lines)


def behaviour_table(table: PreferenceScores) -> str:
    """Return as text how each learnt score treats length, and how far its margins can be trusted."""
    lines: list[list[str] | None] = [
        [
            "",
            "chosen is shorter",
            "chosen is longer",
            "prefers longer",
            "calibration error",
            "Brier",
            "log loss",
            "temperature",
            "ties",
        ],
        None,
    ]
    for name in (name for name in LEARNT if table.has(name)):
        margins = table.margin(name)
        bias, fit = length_bias(margins, *table.characters.T), calibrate(margins)
        by_length = [
            f"{bias.by_length[one].value:.3f} ({bias.by_length[one].pairs:,})"
            if one in bias.by_length
            else "-"
            for one in ("shorter", "longer")
        ]
        lines.append(
            [
                name,
                *by_length,
                "-" if bias.prefers_longer is None else f"{bias.prefers_longer.value:.3f}",
                *(f"{value:.3f}" for value in (fit.error, fit.brier, fit.log_loss)),
                "-" if fit.temperature is None else f"{fit.temperature:.3g}",
                f"{int((margins == 0).sum()):,}",
            ]
        )
    return aligned(lines)


def agreement_note(table: PreferenceScores) -> str | None:
    """Return in a sentence how far explicit and implicit reward agree; None where there are not both."""
    if not all(map(table.has, LEARNT)):
        return None
    both = agreement(*map(table.margin, LEARNT))
    said = f"explicit and implicit reward order {both.alike.value:.3f} of the pairs alike"
    if both.correlation is not None:
        said += f" (rank correlation {both.correlation:+.3f})"
    if both.first_where_not is not None:
        said += f"; of the {both.first_where_not.pairs:,} they order oppositely the explicit one has "
        said += f"{with_interval(both.first_where_not)} right"
    return said


def difference_frame(rows: Sequence[ArmDifference]) -> pd.DataFrame:
    """Return what `compare_arms` returns, a column a field."""
    import pandas as pd

    return pd.DataFrame([row._asdict() for row in rows], columns=list(ArmDifference._fields))


def difference_table(rows: Sequence[ArmDifference]) -> str:
    """Return what `compare_arms` returns as text."""
    lines: list[list[str] | None] = [
        [
            "arm",
            "against",
            "data",
            "accuracy",
            "against",
            "difference",
            "95 % interval",
            "seeds",
            "pairs",
            "p",
        ],
        None,
    ]
    for row in rows:
        lines.append(
            [
                row.arm,
                row.against,
                row.source,
                f"{row.accuracy:.3f}",
                f"{row.accuracy_against:.3f}",
                f"{row.difference:+.3f}",
                f"[{row.low:+.3f}, {row.high:+.3f}]",
                str(row.seeds),
                f"{row.pairs:,}",
                "" if row.p_value is None else f"{row.p_value:.2g}",
            ]
        )
    return aligned(lines, left=3)


def matrix_frame(matrix: Mapping[tuple[str, str], Accuracy]) -> pd.DataFrame:
    """Return what `transfer_matrix` returns: trained on, tested on, accuracy, low, high, pairs."""
    import pandas as pd

    rows = [
        {"trained on": trained, "tested on": tested, "accuracy": one.value}
        | {name: getattr(one, name) for name in ("low", "high", "pairs")}
        for (trained, tested), one in matrix.items()
    ]
    return pd.DataFrame(rows)


def matrix_table(matrix: Mapping[tuple[str, str], Accuracy]) -> str:
    """Return what `transfer_matrix` returns as text: a row for each A, a column for each B."""
    trained, tested = (list(dict.fromkeys(place[k] for place in matrix)) for k in (0, 1))
    lines: list[list[str] | None] = [["trained on \\ tested on", *tested], None]
    for row in trained:
        cells = [with_interval(matrix[row, column]) if (row, column) in matrix else "-" for column in tested]
        lines.append([row, *cells])
    return aligned(lines)


def with_interval(accuracy: Accuracy) -> str:
    """Return an accuracy and its interval as text."""
    return f"{accuracy.value:.3f} [{accuracy.low:.3f}, {accuracy.high:.3f}]"


def _rows(table: PreferenceScores, score: str) -> dict[tuple[str, str, str], Accuracy]:
    """Return accuracies by source, kind of group and group, in the order of a table's rows."""
    found = accuracies(table, score)
    rows: dict[tuple[str, str, str], Accuracy] = {}
    for source in dict.fromkeys(source for source, _ in found if source):
        rows[source, "", ""] = found[source, ""]
        part = table.of_source(source)
        subsets = {subset: one for (of, subset), one in found.items() if of == source and subset}
        rows |= {(source, "subset", subset): one for subset, one in subsets.items()}
        sections = section_scores(part, score)
        rows |= {(source, "section", section): one for section, one in sections.items()}
    if ("", "") in found:
        rows["", "", ""] = found["", ""]
    return rows


def _label(source: str, kind: str, name: str) -> str:
    if not kind:
        return source or "all"
    return f"  {name}" if kind == "subset" else f"  section {name}"
